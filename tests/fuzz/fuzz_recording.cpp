// Arbitrary bytes as a recording on disk, plain or compressed: reading ends, in lines of bounded
// length, and every line is blank or a frame within it.
#include <cstdio>
#include <string>

#include <unistd.h>

#include <rts/wire/frame.hpp>
#include <rts/wire/json_compare.hpp>

#include "commands/input.hpp"
#include "fuzz.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

// One file a process, written anew for each input.
const std::string& path() {
  static const std::string kPath = "/tmp/rts-fuzz-recording-" + std::to_string(::getpid());
  return kPath;
}

void check_line(std::string_view line) {
  constexpr std::size_t kSlackBytes = 512 * 1024;  // a cut line may reach into the last chunk
  fuzz::require(line.size() <= commands::LineReader::kMaxLineBytes + kSlackBytes,
                "lines are bounded");
  const auto recorded = wire::parse_recorded_line(line);
  if (!recorded) {
    fuzz::require(line.find_first_not_of(" \t\r") == std::string_view::npos,
                  "only a blank line carries nothing");
    return;
  }
  fuzz::require(line.ends_with(recorded->frame) && !recorded->frame.empty(),
                "a frame is the end of its line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::FILE* file = std::fopen(path().c_str(), "wb");
  fuzz::require(file != nullptr, "the scratch file can be written");
  fuzz::require(std::fwrite(data, 1, size, file) == size, "the scratch file takes the input");
  std::fclose(file);
  {
    commands::LineReader reader(path());
    constexpr int kMostLines = 1'000'000;  // a small bomb may hold many
    for (int i = 0; i < kMostLines; ++i) {
      const auto line = reader.next();
      if (!line) break;
      check_line(*line);
    }
    fuzz::require(reader.bytes_read() <= size, "no more is read than there is");
  }
  std::remove(path().c_str());
  static_cast<void>(wire::json_differences(fuzz::as_text(data, size), "{}"));
  return 0;
}
