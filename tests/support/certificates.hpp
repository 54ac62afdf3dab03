// Certificates that are made up for one test: an authority, and what it issues, as PEM.
#pragma once

#include <memory>
#include <string>

struct evp_pkey_st;
struct x509_st;

namespace rts::test {

struct Issued {
  std::string certificate;
  std::string key;  // EC P-256, without a passphrase
};

struct Wish {
  std::string names = "DNS:localhost,IP:127.0.0.1";  // subject alternative names
  bool expired = false;                              // since yesterday
};

class Authority {
 public:
  Authority();

  [[nodiscard]] std::string certificate() const;
  // For a broker and a client alike.
  [[nodiscard]] Issued issue(const Wish& wish = {}) const;

 private:
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
};

// The same key under a passphrase.
[[nodiscard]] std::string encrypted_key(const std::string& key);

}  // namespace rts::test
