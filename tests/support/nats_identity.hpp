// Who somebody is to a broker, made up for one test: NKeys, and the JWTs that an operator and an
// account sign with them. Written after the NATS documentation, with nothing of the product's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace rts::test {

// A new Ed25519 key: 'O' an operator's, 'A' an account's, 'U' a user's.
class NatsKey {
 public:
  explicit NatsKey(char kind);

  [[nodiscard]] std::string public_key() const;  // begins with its kind
  [[nodiscard]] std::string seed() const;        // begins with S and its kind
  [[nodiscard]] std::string sign(std::string_view text) const;

 private:
  char kind_;
  std::shared_ptr<evp_pkey_st> key_;
};

// An operator with one account, as a broker's configuration; and users of that account.
class NatsOperator {
 public:
  // The broker's configuration; users whose public key is `revoked` are sent away.
  [[nodiscard]] std::string server_config(const std::string& revoked = {}) const;
  // The content of a .creds file.
  [[nodiscard]] std::string creds(const NatsKey& user) const;

 private:
  NatsKey operator_{'O'};
  NatsKey account_{'A'};
};

}  // namespace rts::test
