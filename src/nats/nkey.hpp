// NKeys: Ed25519 keys as NATS writes them, and the .creds files that hold one. Private to this
// room; any thread. Source: NATS "nkeys" (prefix byte, key, CRC-16/XMODEM, all in base32).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include <rts/base/secret.hpp>

namespace rts::nats {

// A user's key. The private half stays inside libcrypto, which wipes it.
class UserKey {
 public:
  using Signature = std::array<unsigned char, 64>;

  // From "SU…"; nothing when that is not the seed of a user. Blanks around it do not matter.
  [[nodiscard]] static std::optional<UserKey> from_seed(std::string_view seed);

  // "U…", by which the broker knows us.
  [[nodiscard]] const std::string& public_key() const noexcept { return public_key_; }
  // Nothing when libcrypto cannot.
  [[nodiscard]] std::optional<Signature> sign(std::string_view text) const;

 private:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  };
  using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

  UserKey(KeyPtr key, std::string public_key)
      : key_(std::move(key)), public_key_(std::move(public_key)) {}

  KeyPtr key_;
  std::string public_key_;
};

// What a .creds file holds: who we are, signed by the account, and the key to prove it.
struct UserCredentials {
  Secret jwt;
  UserKey key;
};
// Nothing when one of them is missing.
[[nodiscard]] std::optional<UserCredentials> parse_user_credentials(std::string_view text);

}  // namespace rts::nats
