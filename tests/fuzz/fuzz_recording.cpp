// Arbitrary bytes as a recording on disk, plain or compressed: reading ends, in lines of bounded
// length, and every line is blank, a comment or has a frame within it.
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include <rts/wire/frame.hpp>

#include "commands/input.hpp"
#include "fuzz.hpp"
#include "kept_blocks.hpp"

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
    const std::size_t first = line.find_first_not_of(" \t\r");
    fuzz::require(first == std::string_view::npos || line[first] == '#',
                  "only a blank line and a comment carry nothing");
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
  // A small bomb may hold a million lines, or one of gigabytes. No more is read than shows that a
  // line is cut.
  constexpr std::size_t kBytesALine = 100;
  std::size_t seen = 0;
  while (seen < commands::LineReader::kMaxLineBytes) {
    const auto line = reader.next();
    if (!line) break;
    check_line(*line);
    seen += kBytesALine + line->size();
  }
  fuzz::require(reader.bytes_read() <= size, "no more is read than there is");
  return 0;
}
