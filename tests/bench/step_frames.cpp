// Steps the engine through frames of one kind and nothing else in measured(), for instruction
// counts: callgrind counts only in there.
//   step_frames book|trade|ticker|mixed FRAMES
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/bench_frames.hpp"

namespace rts::test {

__attribute__((noinline)) std::size_t measured(Engine& engine,
                                               const std::vector<std::string>& frames) {
  std::size_t events = 0;
  for (const std::string& frame : frames) events += engine.step(frame, {}).events.size();
  return events;
}

}  // namespace rts::test

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::runtime_error("usage: step_frames book|trade|ticker|mixed FRAMES");
    const std::size_t count = std::strtoull(argv[2], nullptr, 10);
    rts::test::BenchFrames source(argv[1]);
    rts::Engine engine(rts::test::bench_parameters());
    for (const std::string& frame : source.next(300)) engine.step(frame, {});
    const std::vector<std::string> frames = source.next(count);
    std::printf("%zu events\n", rts::test::measured(engine, frames));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "step_frames: %s\n", error.what());
    return 1;
  }
}
