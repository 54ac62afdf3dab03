// Line by line through a recording: plain, gzip or zstd, from a file or standard input; what it is,
// is seen from its first bytes. A byte-order mark and Windows line ends are no part of a line. What
// is no text at all (an archive, UTF-16) is named and not read. Memory is bounded whatever the
// input.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <rts/wire/frame.hpp>

namespace rts::commands {

class LineReader {
 public:
  // Longer lines are cut here; a frame of that length is too large anyway.
  static constexpr std::size_t kMaxLineBytes = wire::kMaxFrameBytes + 64;

  // "-" = standard input. What cannot be opened is said by error() and has no lines.
  explicit LineReader(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  LineReader(LineReader&&) = delete;
  LineReader& operator=(LineReader&&) = delete;

  // The next line without its end, or empty after the last. Lives until the next call.
  [[nodiscard]] std::optional<std::string_view> next();

  // Of the line that next() gave, from 1; 0 before the first.
  [[nodiscard]] std::uint64_t line_number() const noexcept { return line_number_; }
  // The path, or "standard input".
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // Why reading ended early ("… is truncated"), or empty.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  // Bytes of the file as stored, read so far and in all (0 = not known), for a progress bar.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }
  [[nodiscard]] std::uint64_t bytes_total() const noexcept { return bytes_total_; }

 private:
  // What decodes the file, by its first bytes.
  class Decoder;
  class Gzip;
  class Zstd;

  void fail(std::string_view why);
  bool fill_raw();
  void choose_decoder();
  std::size_t decode(char* out, std::size_t size);
  bool fill();
  void look_at_the_beginning();
  std::optional<std::string_view> find_line();

  std::string name_, error_;
  int fd_ = -1;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_total_ = 0;
  std::string raw_bytes_;             // read from the file at once
  std::string_view raw_;              // of raw_bytes_, what is not decoded yet
  std::unique_ptr<Decoder> decoder_;  // none: plain text
  std::string buffer_;                // decoded bytes, of which [begin_, end_) is not consumed yet
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool skipping_ = false;  // inside the rest of a line that was cut
  std::uint64_t line_number_ = 0;
};

}  // namespace rts::commands
