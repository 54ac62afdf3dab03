#include "commands/packed_file.hpp"

#include <cassert>
#include <new>

namespace rts::commands {

PackedFile::PackedFile(OutputFile file, std::string_view name)
    : file_(std::move(file)),
      stream_(name.ends_with(".zst") ? ZSTD_createCStream() : nullptr, &ZSTD_freeCStream) {
  if (!name.ends_with(".zst")) return;
  // With a checksum a reader notices what was damaged on the disk.
  if (stream_ == nullptr ||
      ZSTD_isError(ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_checksumFlag, 1)) != 0) {
    throw std::bad_alloc();
  }
  packed_.resize(ZSTD_CStreamOutSize());
}

void PackedFile::write(std::string_view text) {
  if (stream_ == nullptr) return put(text);
  pack(text, ZSTD_e_continue);
}

void PackedFile::flush() {
  if (stream_ != nullptr) pack({}, ZSTD_e_flush);
  file_.flush();
}

bool PackedFile::finish() {
  if (stream_ != nullptr) pack({}, ZSTD_e_end);
  return file_.finish();
}

std::string PackedFile::end_on_disk() {
  if (stream_ != nullptr) pack({}, ZSTD_e_end);
  file_.sync();
  return file_.end();
}

void PackedFile::pack(std::string_view text, ZSTD_EndDirective directive) {
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  std::size_t left = 0;  // of the end that is asked for
  do {
    ZSTD_outBuffer out{packed_.data(), packed_.size(), 0};
    left = ZSTD_compressStream2(stream_.get(), &out, &in, directive);
    assert(ZSTD_isError(left) == 0);
    put(std::string_view(packed_).substr(0, out.pos));
  } while (in.pos < in.size || (directive != ZSTD_e_continue && left > 0));
}

void PackedFile::put(std::string_view stored) noexcept {
  file_.write(stored);
  bytes_ += stored.size();
}

}  // namespace rts::commands
