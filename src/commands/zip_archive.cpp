#include "commands/zip_archive.hpp"

#include <array>
#include <utility>

#include <minizip/unzip.h>

namespace rts::commands {
namespace {

constexpr std::string_view kDamaged = "zip archive is damaged or truncated";
constexpr unsigned kEncrypted = 1;  // a member's flag

class ZipArchive {
 public:
  explicit ZipArchive(const std::string& path) : file_(::unzOpen64(path.c_str()), &::unzClose) {}

  // Of all its files; empty where the table of contents cannot be read, or is too long.
  std::vector<std::string> list() {
    std::vector<std::string> names;
    if (file_ == nullptr) return names;
    int status = ::unzGoToFirstFile(file_.get());
    for (; status == UNZ_OK; status = ::unzGoToNextFile(file_.get())) {
      if (names.size() == kMaxZipMembers) fail("zip archive holds more than 10,000 files");
      if (!look() || names.size() == kMaxZipMembers) return {};
      if (!is_folder()) names.emplace_back(name_.data());
    }
    if (status != UNZ_END_OF_LIST_OF_FILE) fail(kDamaged);
    if (!damage_.empty()) return {};
    has_member_ = ::unzGoToFirstFile(file_.get()) == UNZ_OK;
    return names;
  }

  Decoded read(char* out, std::size_t size) {
    std::size_t bytes = 0;
    // A member may be empty; the next one has the text then.
    while (bytes == 0 && damage_.empty() && (is_open_ || has_member_)) {
      bytes = is_open_ ? read_member(out, size) : open_member();
    }
    if (file_ == nullptr) fail(kDamaged);
    return {bytes, is_open_ || has_member_, damage_, position_};
  }

 private:
  void fail(std::string_view why) {
    damage_ = why;
    is_open_ = has_member_ = false;
  }

  // At the member that the table of contents is at.
  bool look() {
    unz_file_info64 info{};
    // A longer name is cut, and has no end of its own.
    name_.fill('\0');
    if (::unzGetCurrentFileInfo64(file_.get(), &info, name_.data(), name_.size() - 1, nullptr, 0,
                                  nullptr, 0) != UNZ_OK) {
      fail(kDamaged);
    } else if ((info.flag & kEncrypted) != 0) {
      fail("zip archive is encrypted; unpack it first");
    }
    left_ = info.uncompressed_size;
    return damage_.empty();
  }

  [[nodiscard]] bool is_folder() const noexcept {
    return std::string_view(name_.data()).ends_with('/');
  }

  // Nothing of it is read yet: 0.
  std::size_t open_member() {
    if (!look()) return 0;
    if (is_folder()) {
      go_on();
    } else if (::unzOpenCurrentFile(file_.get()) == UNZ_OK) {
      is_open_ = true;
      last_ = '\n';
    } else {
      fail("zip archive is damaged, or packed in a way of its own; unpack it first");
    }
    return 0;
  }

  std::size_t read_member(char* out, std::size_t size) {
    const int read = ::unzReadCurrentFile(file_.get(), out, static_cast<unsigned>(size));
    position_ = ::unzGetCurrentFileZStreamPos64(file_.get());
    if (read > 0) {
      last_ = out[read - 1];
      left_ -= static_cast<std::uint64_t>(read);
      return static_cast<std::size_t>(read);
    }
    // The checksum is looked at only where all of it was read.
    const bool is_whole = ::unzCloseCurrentFile(file_.get()) == UNZ_OK && left_ == 0;
    is_open_ = false;
    if (read < 0 || !is_whole) {
      fail(kDamaged);
      return 0;
    }
    go_on();
    if (std::exchange(last_, '\n') == '\n') return 0;
    out[0] = '\n';
    return 1;
  }

  void go_on() {
    const int status = ::unzGoToNextFile(file_.get());
    has_member_ = status == UNZ_OK;
    if (!has_member_ && status != UNZ_END_OF_LIST_OF_FILE) fail(kDamaged);
  }

  std::unique_ptr<void, int (*)(unzFile)> file_;
  bool has_member_ = false;  // the table of contents is at one that is not read yet
  bool is_open_ = false;     // and it is being read
  char last_ = '\n';         // of the member's characters
  std::uint64_t left_ = 0;   // of the member's bytes
  std::string_view damage_;
  std::uint64_t position_ = 0;  // in the file
  std::array<char, 512> name_{};
};

}  // namespace

Decoder zip_decoder(const std::string& path, std::vector<std::string>& members) {
  const auto archive = std::make_shared<ZipArchive>(path);
  members = archive->list();
  return [archive](std::string_view& in, char* out, std::size_t size) {
    in = {};
    return archive->read(out, size);
  };
}

}  // namespace rts::commands
