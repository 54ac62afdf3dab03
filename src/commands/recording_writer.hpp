// Writes a recording: one file, one after the other by time or size, or standard output; plain or
// zstd. Blocks as long as the disk does. Thread: one at a time, and not the loop's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rts/base/time.hpp>

#include "commands/output.hpp"
#include "commands/packed_file.hpp"

namespace rts::commands {

// "90", "90s", "10m", "1h", "7d": above 0, at most 366 days. Empty when it is no such time.
[[nodiscard]] std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// When the next file begins.
struct Rotation {
  std::chrono::seconds every{0};  // at the multiples of this since 1970, UTC; 0: not by time
  // Once a file has so many, as it is stored, and a second has passed; 0: not by size.
  std::uint64_t bytes = 0;

  [[nodiscard]] bool is_on() const noexcept { return every.count() > 0 || bytes > 0; }
  // The number of the period that a time is in.
  [[nodiscard]] std::int64_t period_of(UnixNs at) const noexcept {
    return every.count() > 0 ? at.time_since_epoch() / every : 0;
  }
};
// "1h", "500M" (K, M and G are powers of 1000), or both: "1h,1G". Empty when it is none of these.
[[nodiscard]] std::optional<Rotation> parse_rotation(std::string_view text);

struct RecordingPlan {
  std::string path;            // "-" = standard output; as zstd where it ends in .zst
  bool has_time_name = false;  // the beginning of each file is put into its name
  Rotation rotation{};
  std::string title{};  // what is recorded, for the first line of each file
};

// The name of a file that begins then: of "feed/binance.ndjson.zst"
// "feed/binance-20240719T120000Z.ndjson.zst", and the second one of this second "…Z-2.ndjson.zst".
[[nodiscard]] std::string time_name(const std::string& path, UnixNs at, int number);

class RecordingWriter {
 public:
  // Opens the first file. Throws CommandError. `outputs` know which files are not to be written.
  RecordingWriter(RecordingPlan plan, Outputs outputs, UnixNs now);

  // Whole lines, of which the first was received then. Where a file begins with them, `head` stands
  // before them: what a reader of this file alone has to know. Once something could not be written,
  // the rest is passed over.
  void write(UnixNs at, std::string_view head, std::string_view lines);
  // Hands over all that was written, so that it can be read whatever becomes of us; and ends a file
  // whose time is over.
  void flush(UnixNs now);
  // Ends the file and waits until it is on the disk.
  void finish();

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  // What is to be said of it, where it has failed; of standard output nothing.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  // Of the file that was begun last.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t files() const noexcept { return files_; }
  // As they are stored, in all files.
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return ended_bytes_ + (file_ ? file_->bytes() : 0);
  }

 private:
  void begin(UnixNs at);
  void begin_anew(UnixNs at, std::string_view head);
  void end();

  const RecordingPlan plan_;
  Outputs outputs_;
  std::optional<PackedFile> file_;
  std::string path_;
  std::int64_t period_ = 0;         // of the file
  std::chrono::sys_seconds begun_;  // likewise
  bool is_flushed_ = true;
  bool failed_ = false;
  std::string problem_;
  std::uint64_t files_ = 0, ended_bytes_ = 0;
};

}  // namespace rts::commands
