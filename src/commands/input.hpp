// What commands read: recordings, and the files that settings name.
//
// Line by line through a recording: plain, gzip, zstd or zip, from a file or standard input (but
// for zip); its format is seen from its first bytes. A byte-order mark and Windows line ends are no
// part of a line. What is no text at all (another archive, UTF-16) is named and not read. Memory is
// bounded whatever the input.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/result.hpp>
#include <rts/wire/frame.hpp>

namespace rts::commands {

// What decoding a piece has given.
struct Decoded {
  std::size_t bytes = 0;
  bool is_inside = false;        // a compressed stream has begun and not ended
  std::string_view damage = {};  // "gzip data is damaged", a literal
  std::uint64_t bytes_read = 0;  // of the file, where the decoder reads it by itself
};
// Takes from `in` what it can and writes up to `size` bytes; also without input those that there
// was no room for before. Decodes streams one after the other.
using Decoder = std::function<Decoded(std::string_view& in, char* out, std::size_t size)>;

class LineReader : private std::streambuf {
 public:
  // Longer lines are cut here; a frame of that length is too large anyway.
  static constexpr std::size_t kMaxLineBytes = wire::kMaxFrameBytes + 64;

  // "-" = standard input. What cannot be opened is said by error() and has no lines.
  explicit LineReader(const std::string& path);

  // The next line without its end, or empty after the last. Lives until the next call.
  [[nodiscard]] std::optional<std::string_view> next();

  // Of the line that next() gave, from 1; 0 before the first.
  [[nodiscard]] std::uint64_t line_number() const noexcept { return line_number_; }
  // The path, or "standard input".
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // Why reading ended early ("… is truncated"), or empty.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  // The names of the files in a zip archive, in its order; empty of all else.
  [[nodiscard]] const std::vector<std::string>& members() const noexcept { return members_; }
  // Bytes of the file as stored, read so far and in all (0 = not known), for a progress bar.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }
  [[nodiscard]] std::uint64_t bytes_total() const noexcept { return bytes_total_; }

 private:
  void fail(std::string_view why);
  void choose_decoder(const std::string& path);
  bool read_more();
  bool decode_more();
  int_type underflow() override;
  void look_at_the_beginning();

  std::string name_, error_;
  std::vector<std::string> members_;
  // Owns the descriptor, which is read directly: what a pipe holds is to be had at once.
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::uint64_t bytes_read_ = 0, bytes_total_ = 0, line_number_ = 0;
  // Of their sizes only what is used is touched.
  std::unique_ptr<char[]> stored_bytes_;  // read from the file at once
  std::string_view stored_;               // of these, what is not decoded yet
  Decoder decoder_;                       // by the file's first bytes
  bool is_inside_ = false;                // a compressed stream
  std::unique_ptr<char[]> decoded_;       // what the streambuf gives
  std::istream lines_{this};
  std::unique_ptr<char[]> line_;
};

// For config::load(). Blocks while it reads; a pipe or a device is refused.
[[nodiscard]] Result<std::string, std::string> read_settings_file(const std::string& path,
                                                                  std::size_t max_bytes);

}  // namespace rts::commands
