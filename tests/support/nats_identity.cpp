#include "support/nats_identity.hpp"

#include <array>
#include <ctime>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace rts::test {
namespace {

// `letters` letters of so many bits for the bits of `bytes`, the highest first, zeros at the end.
std::string encoded(std::string_view bytes, std::string_view letters, int bits_a_letter) {
  std::string text;
  const std::size_t bits = bytes.size() * 8;
  for (std::size_t at = 0; at < bits; at += static_cast<std::size_t>(bits_a_letter)) {
    std::size_t value = 0;
    for (std::size_t i = at; i < at + static_cast<std::size_t>(bits_a_letter); ++i) {
      const auto byte = i < bits ? static_cast<unsigned char>(bytes[i / 8]) : 0U;
      value = value * 2 + (byte >> (7 - i % 8) & 1U);
    }
    text += letters[value];
  }
  return text;
}

std::string base64url(std::string_view bytes) {
  return encoded(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6);
}

// CRC-16/XMODEM, by division of polynomials: bit by bit.
std::string checksum(std::string_view bytes) {
  unsigned crc = 0;
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    const unsigned bit = static_cast<unsigned char>(bytes[i / 8]) >> (7 - i % 8) & 1U;
    const bool divides = ((crc >> 15U) ^ bit) == 1;
    crc = (crc << 1U ^ (divides ? 0x1021U : 0)) & 0xFFFFU;
  }
  return {static_cast<char>(crc & 0xFFU), static_cast<char>(crc >> 8U)};
}

std::string nkey_text(const std::string& bytes) {
  return encoded(bytes + checksum(bytes), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5);
}

// The five bits that make the first letter of a key.
unsigned letter_bits(char kind) { return static_cast<unsigned>(kind - 'A'); }

template <auto kRead>
std::string raw_key(evp_pkey_st* key) {
  std::array<unsigned char, 32> bytes{};
  std::size_t size = bytes.size();
  if (kRead(key, bytes.data(), &size) != 1) throw std::runtime_error("no raw key");
  return {bytes.begin(), bytes.end()};
}

std::string jwt(const NatsKey& issuer, const std::string& subject, const std::string& claims) {
  const std::string text =
      base64url(R"({"typ":"JWT","alg":"ed25519-nkey"})") + "." +
      base64url(fmt::format(
          R"({{"jti":"{0}","iat":{1},"iss":"{2}","name":"test","sub":"{0}","nats":{3}}})", subject,
          std::time(nullptr) - 60, issuer.public_key(), claims));
  return text + "." + base64url(issuer.sign(text));
}

}  // namespace

NatsKey::NatsKey(char kind)
    : kind_(kind), key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free) {
  if (!key_) throw std::runtime_error("no key");
}

std::string NatsKey::public_key() const {
  return nkey_text(static_cast<char>(letter_bits(kind_) << 3U) +
                   raw_key<EVP_PKEY_get_raw_public_key>(key_.get()));
}

std::string NatsKey::seed() const {
  const unsigned prefixes = letter_bits('S') << 11U | letter_bits(kind_) << 6U;
  return nkey_text(
      std::string{static_cast<char>(prefixes >> 8U), static_cast<char>(prefixes & 0xFFU)} +
      raw_key<EVP_PKEY_get_raw_private_key>(key_.get()));
}

std::string NatsKey::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  std::array<unsigned char, 64> signature{};
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size,
                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1) {
    throw std::runtime_error("cannot sign");
  }
  return {signature.begin(), signature.end()};
}

std::string NatsOperator::server_config(const std::string& revoked) const {
  const std::string revocations =
      revoked.empty() ? ""
                      : fmt::format(R"("revocations":{{"{}":{}}},)", revoked, std::time(nullptr));
  const std::string account = jwt(
      operator_, account_.public_key(),
      fmt::format(R"({{{}"limits":{{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,)"
                  R"("wildcards":true,"conn":-1,"leaf":-1}},"type":"account","version":2}})",
                  revocations));
  return fmt::format("operator: {}\nresolver: MEMORY\nresolver_preload: {{ {}: {} }}\n",
                     jwt(operator_, operator_.public_key(), R"({"type":"operator","version":2})"),
                     account_.public_key(), account);
}

std::string NatsOperator::creds(const NatsKey& user) const {
  const std::string user_jwt =
      jwt(account_, user.public_key(),
          R"({"pub":{},"sub":{},"subs":-1,"data":-1,"payload":-1,"type":"user","version":2})");
  return fmt::format(
      "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n"
      "************************* IMPORTANT *************************\n\n"
      "-----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
      user_jwt, user.seed());
}

}  // namespace rts::test
