// Arbitrary bytes as a recording on disk, plain or compressed: reading ends, in lines of bounded
// length, and every line is blank or a frame within it.
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include <rts/wire/frame.hpp>

#include "commands/input.hpp"
#include "fuzz.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

// A file in memory, written anew for each input and read by its name, as any other.
class ScratchFile {
 public:
  void hold(const std::uint8_t* data, std::size_t size) const {
    fuzz::require(::ftruncate(descriptor_, 0) == 0 &&
                      ::pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size),
                  "the scratch file takes the input");
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int descriptor_ = ::memfd_create("recording", 0);
  std::string path_ = "/proc/self/fd/" + std::to_string(descriptor_);
};

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
  static const ScratchFile file;
  file.hold(data, size);
  commands::LineReader reader(file.path());
  constexpr int kMostLines = 1'000'000;  // a small bomb may hold many
  for (int i = 0; i < kMostLines; ++i) {
    const auto line = reader.next();
    if (!line) break;
    check_line(*line);
  }
  fuzz::require(reader.bytes_read() <= size, "no more is read than there is");
  return 0;
}
