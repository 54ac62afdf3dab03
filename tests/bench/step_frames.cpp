// Runs one stage of the engine once, for instruction counts: callgrind counts only in measured().
//   step_frames FILE               writes frames of every kind into the file
//   step_frames FILE KIND STAGE    runs the stage with them, and says with how many
// In two steps, because making frames under callgrind takes longer than everything else.
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/stages.hpp"
#include "support/bench_frames.hpp"

namespace rts::test {

__attribute__((noinline)) std::size_t measured(Stage& stage) { return stage.run(); }

namespace {

void write_frames(const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  for (const char* kind : {"book", "book5", "book10", "trade", "ticker", "mixed"}) {
    for (const std::string& frame : BenchFrames(kind).next(kStageFrames)) {
      file << kind << '\t' << frame << '\n';
    }
  }
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

std::vector<std::string> read_frames(const std::string& path, const std::string& kind) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> frames;
  const std::string before = kind + '\t';
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(before)) frames.push_back(line.substr(before.size()));
  }
  if (frames.size() != kStageFrames) throw std::runtime_error("no such frames: " + kind);
  return frames;
}

void run(const std::string& path, const std::string& kind, const std::string& name) {
  const auto stage = make_stage(name, read_frames(path, kind));
  stage->prepare();
  measured(*stage);
  std::printf("%zu frames\n", stage->frames());
}

}  // namespace
}  // namespace rts::test

int main(int argc, char** argv) {
  try {
    if (argc == 2) {
      rts::test::write_frames(argv[1]);
    } else if (argc == 4) {
      rts::test::run(argv[1], argv[2], argv[3]);
    } else {
      throw std::runtime_error("usage: step_frames FILE [KIND STAGE]");
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "step_frames: %s\n", error.what());
    return 1;
  }
}
