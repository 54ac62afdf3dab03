#include "nats/secret_file.hpp"

#include <cerrno>
#include <cstddef>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include "nats/handles.hpp"

namespace rts::nats {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 10U;

Failure<std::string> unreadable(std::string_view setting, int error) {
  return Failure{
      fmt::format("{}: cannot be read: {}", setting, std::generic_category().message(error))};
}

}  // namespace

Result<Secret, std::string> read_secret_file(std::string_view setting, const Secret& path) {
  // A pipe is refused, and does not keep us waiting before it is.
  const UniqueFd file(::open(path.reveal().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return unreadable(setting, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return unreadable(setting, errno);
  if (!S_ISREG(status.st_mode)) return Failure{fmt::format("{}: is not a file", setting)};
  std::string text(kMaxBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(setting, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxBytes) return Failure{fmt::format("{}: is larger than 64 KiB", setting)};
  std::string_view content(text.data(), size);
  if (content.ends_with('\n')) content.remove_suffix(1);
  if (content.ends_with('\r')) content.remove_suffix(1);
  Secret secret{std::string(content)};
  OPENSSL_cleanse(text.data(), text.size());
  return secret;
}

}  // namespace rts::nats
