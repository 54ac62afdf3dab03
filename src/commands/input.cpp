#include "commands/input.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <rts/base/utf8.hpp>

#include "commands/zip_archive.hpp"

namespace rts::commands {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{256} << 10U;
constexpr std::size_t kLineBytes = LineReader::kMaxLineBytes + 1;  // getline() ends it with a 0

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
constexpr std::string_view kZip = "PK\x03\x04";
constexpr std::array kForeign{
    Foreign{"\3757zXZ\0"sv, 0, "xz data", "unpack it first (xz -dc)"},
    Foreign{"BZh"sv, 0, "bzip2 data", "unpack it first (bzip2 -dc)"},
    Foreign{"\x04\x22\x4D\x18"sv, 0, "lz4 data", "unpack it first (lz4 -dc)"},
    Foreign{"\x1F\x9D"sv, 0, "compress data (.Z)", "unpack it first (zcat)"},
    // From a pipe, or inside what was unpacked:
    Foreign{kZip, 0, "a zip archive (.zip, .npz)", kUnpack},
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

Decoded plain(std::string_view& in, char* out, std::size_t size) {
  const std::size_t bytes = in.copy(out, size);
  in.remove_prefix(bytes);
  return {bytes};
}

Decoder gzip() {
  const std::shared_ptr<z_stream> stream(new z_stream{}, [](z_stream* ended) {
    inflateEnd(ended);
    delete ended;
  });
  if (inflateInit2(stream.get(), 15 + 16) != Z_OK) throw std::bad_alloc();
  return [stream, ended = false](auto& in, char* out, std::size_t size) mutable {
    if (ended) inflateReset(stream.get());  // concatenated gzip files are one file
    // zlib only reads here; its type says otherwise for the sake of old programs.
    stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream->avail_in = static_cast<uInt>(in.size());
    stream->next_out = reinterpret_cast<Bytef*>(out);
    stream->avail_out = static_cast<uInt>(size);
    const int status = inflate(stream.get(), Z_NO_FLUSH);
    in.remove_prefix(in.size() - stream->avail_in);
    ended = status == Z_STREAM_END;
    const bool is_sound = ended || status == Z_OK || status == Z_BUF_ERROR;
    return Decoded{size - stream->avail_out, !ended, is_sound ? "" : "gzip data is damaged"};
  };
}

Decoder zstd() {
  const std::shared_ptr<ZSTD_DStream> stream(ZSTD_createDStream(), &ZSTD_freeDStream);
  if (stream == nullptr) throw std::bad_alloc();
  return [stream](auto& in, char* out, std::size_t size) {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out, size, 0};
    const std::size_t status = ZSTD_decompressStream(stream.get(), &output, &input);
    in.remove_prefix(input.pos);
    return Decoded{output.pos, status != 0,
                   ZSTD_isError(status) != 0 ? "zstd data is damaged" : ""};
  };
}

}  // namespace

LineReader::LineReader(const std::string& path)
    : name_(path == "-" ? "standard input" : path),
      file_(path == "-" ? ::fdopen(::dup(STDIN_FILENO), "r") : std::fopen(path.c_str(), "re"),
            &std::fclose),
      stored_bytes_(std::make_unique_for_overwrite<char[]>(kChunkBytes)),
      decoded_(std::make_unique_for_overwrite<char[]>(kChunkBytes)),
      line_(std::make_unique_for_overwrite<char[]>(kLineBytes)) {
  struct stat status {};
  if (file_ == nullptr) fail(std::strerror(errno));
  if (file_ != nullptr && ::fstat(::fileno(file_.get()), &status) == 0) {
    if (S_ISREG(status.st_mode)) bytes_total_ = static_cast<std::uint64_t>(status.st_size);
    if (S_ISDIR(status.st_mode)) fail("is a directory");
  }
  if (!error_.empty()) return;
  read_more();
  choose_decoder(path);
  look_at_the_beginning();
}

void LineReader::choose_decoder(const std::string& path) {
  if (stored_.starts_with("\x1F\x8B")) {
    decoder_ = gzip();
  } else if (stored_.starts_with("\x28\xB5\x2F\xFD")) {
    decoder_ = zstd();
  } else if (stored_.starts_with(kZip) && bytes_total_ > 0 && path != "-") {
    decoder_ = zip_decoder(path, members_);
    ::lseek(::fileno(file_.get()), 0, SEEK_END);  // the decoder reads the file by itself
  } else {
    decoder_ = plain;
  }
}

// Nothing more is read.
void LineReader::fail(std::string_view why) { error_ = fmt::format("{}: {}", name_, why); }

// More bytes of the file; false at its end or on an error.
bool LineReader::read_more() {
  assert(stored_.empty());
  ssize_t n = 0;
  do {
    n = ::read(::fileno(file_.get()), stored_bytes_.get(), kChunkBytes);
  } while (n < 0 && errno == EINTR);
  if (n < 0) fail(std::strerror(errno));
  stored_ = {stored_bytes_.get(), n > 0 ? static_cast<std::size_t>(n) : 0};
  bytes_read_ += stored_.size();
  return n > 0;
}

// More decoded bytes behind those that are there; false at the end or on an error.
bool LineReader::decode_more() {
  char* const out = egptr();
  const auto room = static_cast<std::size_t>(decoded_.get() + kChunkBytes - out);
  while (error_.empty()) {
    if (!stored_.empty() || is_inside_) {
      const Decoded decoded = decoder_(stored_, out, room);
      if (!decoded.damage.empty()) fail(decoded.damage);
      is_inside_ = decoded.is_inside;
      // A zip archive says where it has read to by its own numbers, which may be wrong.
      if (decoded.bytes_read > 0) bytes_read_ = std::min(decoded.bytes_read, bytes_total_);
      setg(eback(), gptr(), out + decoded.bytes);
      if (decoded.bytes > 0) return true;
    }
    if (stored_.empty() && error_.empty() && !read_more()) {
      if (is_inside_ && error_.empty()) fail("is truncated");
      return false;
    }
  }
  return false;
}

LineReader::int_type LineReader::underflow() {
  setg(decoded_.get(), decoded_.get(), decoded_.get());
  return decode_more() ? traits_type::to_int_type(*gptr()) : traits_type::eof();
}

void LineReader::look_at_the_beginning() {
  setg(decoded_.get(), decoded_.get(), decoded_.get());
  // A pipe may bring it in pieces; a whole line is enough.
  const auto head = [this] { return std::string_view(gptr(), egptr()); };
  while (head().size() < kHeadBytes && head().find('\n') == std::string_view::npos &&
         decode_more()) {
  }
  if (const auto what = foreign_format(head())) {
    setg(nullptr, nullptr, nullptr);
    fail(*what);
  } else if (head().starts_with(kByteOrderMark)) {
    gbump(static_cast<int>(kByteOrderMark.size()));
  }
}

std::optional<std::string_view> LineReader::next() {
  lines_.getline(line_.get(), static_cast<std::streamsize>(kLineBytes));
  auto size = static_cast<std::size_t>(lines_.gcount());
  if (lines_.eof() && size == 0) return std::nullopt;
  if (lines_.fail()) {  // longer than kMaxLineBytes
    lines_.clear();
    lines_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  } else if (!lines_.eof()) {
    --size;  // the line's end
  }
  ++line_number_;
  std::string_view line(line_.get(), size);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<std::string, std::string> read_settings_file(const std::string& path,
                                                    std::size_t max_bytes) {
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(path, error);
  if (!is_file && !error) return Failure{std::string("is not a file")};
  std::ifstream file(path, std::ios::binary);
  std::string text(max_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return Failure{fmt::format("cannot be read: {}", std::strerror(errno))};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > max_bytes) return Failure{fmt::format("is larger than {} bytes", max_bytes)};
  return text;
}

}  // namespace rts::commands
