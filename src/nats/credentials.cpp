#include "nats/credentials.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <system_error>
#include <utility>

#include <boost/crc.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <rts/base/text.hpp>

#include "nats/handles.hpp"

namespace rts::nats {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 10U;

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr char kUserPrefix = static_cast<char>(20U << 3U);
constexpr std::size_t kSeedPrefixBytes = 2;  // what it is, and what it is the seed of: "SU"
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSeedLetters = 58;

Failure<std::string> unreadable(std::string_view setting, int error) {
  return Failure{
      fmt::format("{}: cannot be read: {}", setting, std::generic_category().message(error))};
}

// The same bits in groups of another width; what does not fill a group at the end is left out.
std::string regrouped(std::string_view groups, unsigned from, unsigned to) {
  std::string regrouped;
  regrouped.reserve(groups.size() * from / to);
  unsigned pending = 0;
  unsigned bits = 0;
  for (const char group : groups) {
    pending = (pending << from | static_cast<unsigned char>(group)) & 0xFFFU;
    for (bits += from; bits >= to;) {
      bits -= to;
      regrouped += static_cast<char>(pending >> bits & ((1U << to) - 1U));
    }
  }
  return regrouped;
}

// In the order in which it is written, the low byte first.
std::string checksum(std::string_view bytes) {
  boost::crc_xmodem_t crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return {static_cast<char>(crc.checksum() & 0xFFU), static_cast<char>(crc.checksum() >> 8U)};
}

// The key without prefix and checksum; empty when the text is not of its letters or has a slip.
std::string decode_seed(std::string letters) {
  for (char& letter : letters) {
    const std::size_t value = kBase32.find(letter);
    if (value == std::string_view::npos) return {};
    letter = static_cast<char>(value);
  }
  std::string bytes = regrouped(letters, 5, 8);
  OPENSSL_cleanse(letters.data(), letters.size());
  const std::string_view body = std::string_view(bytes).substr(0, kSeedPrefixBytes + kKeyBytes);
  std::string key(bytes.ends_with(checksum(body)) ? body.substr(kSeedPrefixBytes) : "");
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

// The first line with something on it after the line that holds the title.
std::string_view line_below(std::string_view text, std::string_view title) {
  const std::size_t end = text.find('\n', text.find(title));
  if (end == std::string_view::npos) return {};
  const std::string_view rest = trimmed(text.substr(end));
  return trimmed(rest.substr(0, rest.find('\n')));
}

// header.claims.signature, each in base64url: nothing that could end a string of the handshake.
bool is_jwt(std::string_view text) {
  return std::count(text.begin(), text.end(), '.') == 2 &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
             std::string_view::npos;
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
  for (ssize_t got = 1; got > 0 && size < text.size(); size += static_cast<std::size_t>(got)) {
    got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0) return unreadable(setting, errno);
  }
  if (size > kMaxBytes) return Failure{fmt::format("{}: is larger than 64 KiB", setting)};
  std::string_view content(text.data(), size);
  if (content.ends_with('\n')) content.remove_suffix(1);
  if (content.ends_with('\r')) content.remove_suffix(1);
  Secret secret{std::string(content)};
  OPENSSL_cleanse(text.data(), text.size());
  return secret;
}

std::optional<UserCredentials> parse_user_seed(std::string_view text) {
  const std::string_view seed = trimmed(text);
  if (seed.size() != kSeedLetters || !seed.starts_with("SU")) return {};
  std::string key = decode_seed(std::string(seed));
  if (key.empty()) return {};
  const std::unique_ptr<EVP_PKEY, Destroyer<::EVP_PKEY_free>> pair(::EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(key.data()), kKeyBytes));
  OPENSSL_cleanse(key.data(), key.size());
  std::array<unsigned char, kKeyBytes> half{};
  std::size_t size = half.size();
  if (!pair || ::EVP_PKEY_get_raw_public_key(pair.get(), half.data(), &size) != 1) return {};
  std::string bytes = kUserPrefix + std::string(half.begin(), half.end());
  std::string public_key = regrouped(bytes + checksum(bytes), 8, 5);
  for (char& letter : public_key) letter = kBase32[static_cast<unsigned char>(letter)];
  return UserCredentials{{}, Secret(std::string(seed)), std::move(public_key)};
}

std::optional<UserCredentials> parse_user_credentials(std::string_view text) {
  const std::string_view jwt = line_below(text, "BEGIN NATS USER JWT");
  auto credentials = parse_user_seed(line_below(text, "BEGIN USER NKEY SEED"));
  if (!is_jwt(jwt) || !credentials) return {};
  credentials->jwt = Secret(std::string(jwt));
  return credentials;
}

}  // namespace rts::nats
