#include "support/certificates.hpp"

#include <atomic>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace rts::test {
namespace {

constexpr long kDaySeconds = 86'400;
using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

void require(bool done) {
  if (!done) throw std::runtime_error("libcrypto cannot make a certificate");
}

template <class Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, void (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free_all);
  require(write(memory.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(const Certificate& certificate) {
  return pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
}

std::string pem_of(const Key& key) {
  return pem([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Key new_key() {
  Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  require(key != nullptr);
  return key;
}

void add_extension(X509& certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value), X509_EXTENSION_free);
  require(extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1);
}

// Not signed yet.
Certificate new_certificate(const Key& key, const char* name, long from, long until) {
  static std::atomic<long> serial = 0;
  Certificate certificate(X509_new(), X509_free);
  require(certificate != nullptr && X509_set_version(certificate.get(), 2) == 1 &&
          ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial) == 1 &&
          X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from) != nullptr &&
          X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until) != nullptr &&
          X509_set_pubkey(certificate.get(), key.get()) == 1 &&
          X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                                     reinterpret_cast<const unsigned char*>(name), -1, -1, 0) == 1);
  return certificate;
}

}  // namespace

Authority::Authority()
    : key_(new_key()),
      certificate_(new_certificate(key_, "test authority", -2 * kDaySeconds, kDaySeconds)) {
  require(X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get())) == 1);
  add_extension(*certificate_, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(*certificate_, NID_key_usage, "critical,keyCertSign");
  require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);
}

std::string Authority::certificate() const { return pem_of(certificate_); }

Issued Authority::issue(const Wish& wish) const {
  const Key key = new_key();
  const Certificate certificate =
      new_certificate(key, "test", -2 * kDaySeconds, wish.expired ? -kDaySeconds : kDaySeconds);
  require(X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get())) == 1);
  add_extension(*certificate, NID_subject_alt_name, wish.names.c_str());
  add_extension(*certificate, NID_ext_key_usage, "serverAuth,clientAuth");
  require(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0);
  return {pem_of(certificate), pem_of(key)};
}

std::string encrypted_key(const std::string& key) {
  const std::unique_ptr<BIO, void (*)(BIO*)> in(
      BIO_new_mem_buf(key.data(), static_cast<int>(key.size())), BIO_free_all);
  const Key read(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  require(read != nullptr);
  return pem([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, read.get(), EVP_aes_256_cbc(), "secret", 6, nullptr,
                                         nullptr);
  });
}

}  // namespace rts::test
