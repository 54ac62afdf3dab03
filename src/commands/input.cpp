#include "commands/input.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <rts/base/utf8.hpp>

namespace rts::commands {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{256} << 10U;

// What may be given for a recording by mistake, by its first bytes, and what to do with it.
struct Foreign {
  std::string_view magic;
  std::size_t at;
  std::string_view what;
  std::string_view advice;
};
constexpr std::string_view kUnpack = "unpack it first";
constexpr std::string_view kConvert = "convert it to UTF-8 first (iconv -t UTF-8)";
constexpr std::string_view kFrames = "a recording is text, one frame a line";
using namespace std::string_view_literals;
constexpr std::array kForeign{
    Foreign{"\3757zXZ\0"sv, 0, "xz data", "unpack it first (xz -dc)"},
    Foreign{"BZh"sv, 0, "bzip2 data", "unpack it first (bzip2 -dc)"},
    Foreign{"\x04\x22\x4D\x18"sv, 0, "lz4 data", "unpack it first (lz4 -dc)"},
    Foreign{"\x1F\x9D"sv, 0, "compress data (.Z)", "unpack it first (zcat)"},
    Foreign{"PK\x03\x04"sv, 0, "a zip archive (.zip, .npz)", kUnpack},
    Foreign{"PK\x05\x06"sv, 0, "an empty zip archive", kFrames},
    Foreign{"7z\xBC\xAF\x27\x1C"sv, 0, "a 7z archive", kUnpack},
    Foreign{"ustar"sv, 257, "a tar archive", kUnpack},
    Foreign{"\xFF\xFE"sv, 0, "UTF-16 text", kConvert},
    Foreign{"\xFE\xFF"sv, 0, "UTF-16 text", kConvert},
    Foreign{"\0\0\xFE\xFF"sv, 0, "UTF-32 text", kConvert},
    Foreign{"PAR1"sv, 0, "a Parquet file", kFrames},
    Foreign{"ARROW1"sv, 0, "an Arrow file", kFrames},
    Foreign{"\x93NUMPY"sv, 0, "a NumPy array", kFrames},
    Foreign{"\x89HDF\r\n"sv, 0, "an HDF5 file", kFrames},
    Foreign{"SQLite format 3\0"sv, 0, "an SQLite database", kFrames},
    // Inside what was unpacked:
    Foreign{"\x1F\x8B"sv, 0, "gzip data in compressed data", kUnpack},
    Foreign{"\x28\xB5\x2F\xFD"sv, 0, "zstd data in compressed data", kUnpack},
};
// Every magic lies within these.
constexpr std::size_t kHeadBytes = 512;

// Every second byte of ASCII in UTF-16 is 0, also where no byte-order mark says so.
bool alternates_with_zero(std::string_view head) noexcept {
  if (head.size() < 4) return false;
  const bool even = head[0] == 0 && head[2] == 0;
  const bool odd = head[1] == 0 && head[3] == 0;
  return even != odd;
}

std::optional<std::string> foreign_format(std::string_view head) {
  for (const Foreign& foreign : kForeign) {
    const bool within = head.size() >= foreign.at + foreign.magic.size();
    if (!within || head.substr(foreign.at, foreign.magic.size()) != foreign.magic) continue;
    return fmt::format("is {}; {}", foreign.what, foreign.advice);
  }
  if (alternates_with_zero(head)) return fmt::format("is UTF-16 text; {}", kConvert);
  return std::nullopt;
}

struct ZstdDelete {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

}  // namespace

// The bytes of a file, decoded.
class LineReader::Source {
 public:
  explicit Source(const std::string& path)
      : name_(path == "-" ? "standard input" : path), raw_(kChunkBytes) {
    fd_ = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) {
      error_ = fmt::format("{}: {}", name_, std::strerror(errno));
      return;
    }
    struct stat status {};
    if (::fstat(fd_, &status) == 0) {
      if (S_ISREG(status.st_mode)) total_ = static_cast<std::uint64_t>(status.st_size);
      if (S_ISDIR(status.st_mode)) error_ = fmt::format("{}: is a directory", name_);
    }
    fill();
    detect();
  }

  ~Source() {
    if (gzip_open_) inflateEnd(&gzip_);
    if (fd_ >= 0) ::close(fd_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  Source(Source&&) = delete;
  Source& operator=(Source&&) = delete;

  // Writes up to `size` decoded bytes; 0 at the end or on an error.
  std::size_t read(char* out, std::size_t size) {
    while (error_.empty()) {
      std::size_t written = 0;
      switch (coding_) {
        case Coding::plain:
          written = read_plain(out, size);
          break;
        case Coding::gzip:
          written = read_gzip(out, size);
          break;
        case Coding::zstd:
          written = read_zstd(out, size);
          break;
      }
      if (written > 0) return written;
      if (available() > 0) continue;
      if (!fill()) {
        if (inside_stream_ && error_.empty()) error_ = fmt::format("{}: is truncated", name_);
        return 0;
      }
    }
    return 0;
  }

  // Nothing more is read.
  void refuse(const std::string& why) { error_ = fmt::format("{}: {}", name_, why); }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] std::uint64_t consumed() const noexcept { return consumed_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

 private:
  enum class Coding : std::uint8_t { plain, gzip, zstd };

  [[nodiscard]] std::size_t available() const noexcept { return raw_end_ - raw_begin_; }

  // More raw bytes; false at the end of the file or on an error. Precondition: none are left.
  bool fill() {
    if (!error_.empty()) return false;
    ssize_t n = 0;
    do {
      n = ::read(fd_, raw_.data(), raw_.size());
    } while (n < 0 && errno == EINTR);
    if (n < 0) error_ = fmt::format("{}: {}", name_, std::strerror(errno));
    raw_begin_ = 0;
    raw_end_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    consumed_ += raw_end_;
    return n > 0;
  }

  void detect() {
    const auto starts_with = [&](std::initializer_list<unsigned char> magic) {
      return available() >= magic.size() &&
             std::equal(magic.begin(), magic.end(), raw_.begin(),
                        [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); });
    };
    if (starts_with({0x1F, 0x8B})) {
      coding_ = Coding::gzip;
      gzip_open_ = inflateInit2(&gzip_, 15 + 16) == Z_OK;
      inside_stream_ = true;
      if (!gzip_open_) error_ = fmt::format("{}: no memory to decompress", name_);
    } else if (starts_with({0x28, 0xB5, 0x2F, 0xFD})) {
      coding_ = Coding::zstd;
      zstd_.reset(ZSTD_createDStream());
      inside_stream_ = true;
      if (!zstd_) error_ = fmt::format("{}: no memory to decompress", name_);
    }
  }

  std::size_t read_plain(char* out, std::size_t size) {
    const std::size_t n = std::min(size, available());
    std::memcpy(out, raw_.data() + raw_begin_, n);
    raw_begin_ += n;
    return n;
  }

  std::size_t read_gzip(char* out, std::size_t size) {
    if (available() == 0 && !inside_stream_) return 0;
    if (!inside_stream_) {  // another member follows: concatenated gzip files are one file
      inflateReset(&gzip_);
      inside_stream_ = true;
    }
    gzip_.next_in = reinterpret_cast<Bytef*>(raw_.data() + raw_begin_);
    gzip_.avail_in = static_cast<uInt>(available());
    gzip_.next_out = reinterpret_cast<Bytef*>(out);
    gzip_.avail_out = static_cast<uInt>(size);
    const int status = inflate(&gzip_, Z_NO_FLUSH);
    raw_begin_ = raw_end_ - gzip_.avail_in;
    if (status == Z_STREAM_END) {
      inside_stream_ = false;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      error_ = fmt::format("{}: gzip data is damaged", name_);
    }
    return size - gzip_.avail_out;
  }

  std::size_t read_zstd(char* out, std::size_t size) {
    // Without input it still hands out what it has decoded and had no room for.
    if (available() == 0 && !inside_stream_) return 0;
    ZSTD_inBuffer in{raw_.data() + raw_begin_, available(), 0};
    ZSTD_outBuffer decoded{out, size, 0};
    const std::size_t status = ZSTD_decompressStream(zstd_.get(), &decoded, &in);
    raw_begin_ += in.pos;
    if (ZSTD_isError(status) != 0) {
      error_ = fmt::format("{}: zstd data is damaged", name_);
      return decoded.pos;
    }
    inside_stream_ = status != 0;
    return decoded.pos;
  }

  std::string name_;
  int fd_ = -1;
  std::vector<char> raw_;
  std::size_t raw_begin_ = 0;
  std::size_t raw_end_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t total_ = 0;
  Coding coding_ = Coding::plain;
  bool inside_stream_ = false;  // a compressed stream has begun and not ended
  z_stream gzip_{};
  bool gzip_open_ = false;
  std::unique_ptr<ZSTD_DStream, ZstdDelete> zstd_;
  std::string error_;
};

LineReader::LineReader(const std::string& path)
    : source_(std::make_unique<Source>(path)), buffer_(kMaxLineBytes + kChunkBytes, '\0') {}

LineReader::~LineReader() = default;

// More decoded bytes behind those that are there; false at the end. Precondition: room for a chunk.
bool LineReader::fill() {
  const std::size_t n = source_->read(buffer_.data() + end_, kChunkBytes);
  end_ += n;
  return n > 0;
}

void LineReader::look_at_the_beginning() {
  begun_ = true;
  // A pipe may bring it in pieces; a whole line is enough.
  const auto head = [&] { return std::string_view(buffer_.data(), end_); };
  while (end_ < kHeadBytes && head().find('\n') == std::string_view::npos && fill()) {
  }
  if (const auto what = foreign_format(head())) {
    end_ = 0;
    return source_->refuse(*what);
  }
  if (head().starts_with(kByteOrderMark)) begin_ = kByteOrderMark.size();
}

std::optional<std::string_view> LineReader::next() {
  if (!begun_) look_at_the_beginning();
  auto line = find_line();
  if (!line) return line;
  ++line_number_;
  if (line->ends_with('\r')) line->remove_suffix(1);
  return line;
}

std::optional<std::string_view> LineReader::find_line() {
  std::size_t searched = 0;
  for (;;) {
    const std::string_view pending(buffer_.data() + begin_, end_ - begin_);
    const std::size_t line_end = pending.find('\n', searched);
    if (line_end != std::string_view::npos) {
      begin_ += line_end + 1;
      if (!std::exchange(skipping_, false)) return pending.substr(0, line_end);
      searched = 0;
      continue;
    }
    searched = pending.size();
    if (pending.size() >= kMaxLineBytes || skipping_) {
      begin_ = end_ = searched = 0;
      if (!std::exchange(skipping_, true)) return pending;
    }
    if (buffer_.size() - end_ < kChunkBytes) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (fill()) continue;
    const std::string_view last(buffer_.data() + begin_, end_ - begin_);
    begin_ = end_;
    if (last.empty() || skipping_) return std::nullopt;
    return last;
  }
}

const std::string& LineReader::name() const noexcept {
  return source_->name();
}
const std::string& LineReader::error() const noexcept {
  return source_->error();
}
std::uint64_t LineReader::bytes_read() const noexcept {
  return source_->consumed();
}
std::uint64_t LineReader::bytes_total() const noexcept {
  return source_->total();
}

}  // namespace rts::commands
