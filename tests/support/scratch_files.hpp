// Files for tests that read files: a directory that disappears with its test, and text as gzip or
// zstd. For tests only.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace rts::test {

class ScratchFiles {
 public:
  ScratchFiles() {
    std::string pattern = std::filesystem::temp_directory_path() / "rts-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no scratch directory";
    directory_ = pattern;
  }
  ~ScratchFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  ScratchFiles(const ScratchFiles&) = delete;
  ScratchFiles& operator=(const ScratchFiles&) = delete;
  ScratchFiles(ScratchFiles&&) = delete;
  ScratchFiles& operator=(ScratchFiles&&) = delete;

  // Writes a file and says where it is.
  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(directory_ / name, std::ios::binary) << content;
    return path(name);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  [[nodiscard]] std::string directory() const { return directory_; }

 private:
  std::filesystem::path directory_;
};

[[nodiscard]] inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One gzip member.
[[nodiscard]] inline std::string gzip(std::string_view text) {
  z_stream stream{};
  std::string in(text);
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    ADD_FAILURE() << "deflateInit2";
    return {};
  }
  std::string out(deflateBound(&stream, in.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

// One zstd frame, flushed after every `flush_bytes` as a recorder does that lives long; 0 = never.
[[nodiscard]] inline std::string zstd(std::string_view text, std::size_t flush_bytes = 0) {
  ZSTD_CStream* stream = ZSTD_createCStream();
  std::string out(ZSTD_compressBound(text.size()) + 4096 * (text.size() / 65536 + 2), '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  do {
    const std::string_view part = text.substr(0, flush_bytes == 0 ? text.size() : flush_bytes);
    ZSTD_inBuffer from{part.data(), part.size(), 0};
    text.remove_prefix(part.size());
    const auto directive = text.empty() ? ZSTD_e_end : ZSTD_e_flush;
    EXPECT_EQ(ZSTD_compressStream2(stream, &to, &from, directive), 0U);
  } while (!text.empty());
  ZSTD_freeCStream(stream);
  out.resize(to.pos);
  return out;
}

}  // namespace rts::test
