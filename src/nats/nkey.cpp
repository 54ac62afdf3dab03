#include "nats/nkey.hpp"

#include <algorithm>
#include <span>

#include <openssl/crypto.h>

#include <rts/base/text.hpp>

namespace rts::nats {
namespace {

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr unsigned kSeedPrefix = 18U << 3U;  // 'S'
constexpr unsigned kUserPrefix = 20U << 3U;  // 'U'
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kChecksumBytes = 2;
// A seed has two prefixes, packed into 16 bits: what it is, and what it is the seed of.
constexpr std::size_t kSeedBytes = 2 + kKeyBytes + kChecksumBytes;
constexpr std::size_t kSeedLetters = 58;
constexpr std::size_t kPublicBytes = 1 + kKeyBytes + kChecksumBytes;

using SeedBytes = std::array<unsigned char, kSeedBytes>;
using PublicBytes = std::array<unsigned char, kPublicBytes>;

// Bytes that are overwritten when they are done with.
template <class Bytes>
struct Wiped {
  Bytes bytes{};
  Wiped() = default;
  ~Wiped() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Wiped(Wiped&&) = delete;
  Wiped& operator=(Wiped&&) = delete;
};

unsigned crc16(std::span<const unsigned char> bytes) {
  unsigned crc = 0;
  for (const unsigned char byte : bytes) {
    crc ^= static_cast<unsigned>(byte) << 8U;
    for (int bit = 0; bit < 8; ++bit) {
      crc = ((crc & 0x8000U) != 0 ? (crc << 1U) ^ 0x1021U : crc << 1U) & 0xFFFFU;
    }
  }
  return crc;
}

bool decode_seed(std::string_view text, SeedBytes& bytes) {
  if (text.size() != kSeedLetters) return false;
  unsigned pending = 0;
  unsigned bits = 0;
  std::size_t size = 0;
  for (const char letter : text) {
    const std::size_t value = kBase32.find(letter);
    if (value == std::string_view::npos) return false;
    pending = (pending << 5U | static_cast<unsigned>(value)) & 0xFFFU;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[size++] = static_cast<unsigned char>(pending >> bits & 0xFFU);
  }
  const auto body = std::span(bytes).first<kSeedBytes - kChecksumBytes>();
  const unsigned checksum = bytes[kSeedBytes - 2] | static_cast<unsigned>(bytes.back()) << 8U;
  const unsigned of_what = (bytes[0] & 7U) << 5U | bytes[1] >> 3U;
  return crc16(body) == checksum && (bytes[0] & 0xF8U) == kSeedPrefix && of_what == kUserPrefix;
}

std::string encode(const PublicBytes& bytes) {
  std::string text;
  unsigned pending = 0;
  unsigned bits = 0;
  for (const unsigned char byte : bytes) {
    pending = (pending << 8U | byte) & 0xFFFU;
    for (bits += 8; bits >= 5;) {
      bits -= 5;
      text += kBase32[pending >> bits & 31U];
    }
  }
  static_assert(kPublicBytes * 8 % 5 == 0, "no letter is left half filled");
  return text;
}

// The first line with something on it after the line that holds the title.
std::string_view line_below(std::string_view text, std::string_view title) {
  const std::size_t named = text.find(title);
  if (named == std::string_view::npos) return {};
  const std::size_t end = text.find('\n', named);
  if (end == std::string_view::npos) return {};
  const std::string_view rest = trimmed(text.substr(end));
  return trimmed(rest.substr(0, rest.find('\n')));
}

// header.claims.signature, each in base64url: nothing that could end a string of the handshake.
bool is_jwt(std::string_view text) {
  return std::count(text.begin(), text.end(), '.') == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

std::optional<UserKey> UserKey::from_seed(std::string_view seed) {
  Wiped<SeedBytes> decoded;
  if (!decode_seed(trimmed(seed), decoded.bytes)) return {};
  KeyPtr key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, decoded.bytes.data() + 2, kKeyBytes));
  PublicBytes bytes{static_cast<unsigned char>(kUserPrefix)};
  std::size_t size = kKeyBytes;
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), bytes.data() + 1, &size) != 1) return {};
  const unsigned checksum = crc16(std::span(bytes).first<1 + kKeyBytes>());
  bytes[kPublicBytes - 2] = static_cast<unsigned char>(checksum & 0xFFU);
  bytes[kPublicBytes - 1] = static_cast<unsigned char>(checksum >> 8U);
  return UserKey(std::move(key), encode(bytes));
}

std::optional<UserKey::Signature> UserKey::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  Signature signature{};
  std::size_t size = signature.size();
  const bool signed_it =
      context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context.get(), signature.data(), &size,
                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  if (!signed_it) return {};
  return signature;
}

std::optional<UserCredentials> parse_user_credentials(std::string_view text) {
  const std::string_view jwt = line_below(text, "BEGIN NATS USER JWT");
  auto key = UserKey::from_seed(line_below(text, "BEGIN USER NKEY SEED"));
  if (!is_jwt(jwt) || !key) return {};
  return UserCredentials{Secret(std::string(jwt)), std::move(*key)};
}

}  // namespace rts::nats
