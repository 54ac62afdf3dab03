#include "nats/dial.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>

#include "nats/nkey.hpp"
#include "nats/secret_file.hpp"

namespace rts::nats {
namespace {

constexpr int kIoBufferBytes = 128 << 10;

// What natsConnection_Connect takes. It asks the credentials while it runs, not later.
struct ConnectOptions {
  struct Signer {
    UserKey key;
    Secret jwt;  // empty: the key alone says who we are
  };
  std::unique_ptr<Signer> signer;  // before its user
  OptionsPtr handle;
};

// Why options cannot be made; nothing when they can.
using Problem = std::optional<std::string>;

Problem accepted(natsStatus status) {
  if (status == NATS_OK) return {};
  return "connection options refused";
}

// Without a handler of our own nats.c prints to stderr. The same text is read from the connection,
// on the loop (Client::Impl::check_broker_error).
void ignore_error(natsConnection*, natsSubscription*, natsStatus, void*) {}

// --- Who we are ---------------------------------------------------------------------------------

// nats.c frees what these two give it. A broker that knows no such keys gives no nonce.
natsStatus give_jwt(char** jwt, char**, void* closure) {
  *jwt = ::strdup(static_cast<const ConnectOptions::Signer*>(closure)->jwt.reveal().c_str());
  return *jwt != nullptr ? NATS_OK : NATS_NO_MEMORY;
}

natsStatus sign_nonce(char** error, unsigned char** signature, int* length, const char* nonce,
                      void* closure) {
  if (nonce == nullptr || *nonce == '\0') {
    *error = ::strdup("the broker does not take NKeys or user JWTs");
    return NATS_ERR;
  }
  const auto made = static_cast<const ConnectOptions::Signer*>(closure)->key.sign(nonce);
  if (!made) return NATS_ERR;
  *signature = static_cast<unsigned char*>(std::malloc(made->size()));
  if (*signature == nullptr) return NATS_NO_MEMORY;
  std::copy(made->begin(), made->end(), *signature);
  *length = static_cast<int>(made->size());
  return NATS_OK;
}

// A credential as it was given, or what its file holds now.
Result<Secret, std::string> read_text(const Credentials::Text& text, std::string_view setting) {
  if (text.file.empty()) return text.value;
  auto secret = read_secret_file(setting, text.file);
  if (!secret) return secret;
  if (secret.value().empty()) return Failure{fmt::format("{}: is empty", setting)};
  if (!config::is_handshake_text(secret.value().reveal())) {
    return Failure{fmt::format(
        "{}: holds quotes, a backslash or control characters, which cannot be sent", setting)};
  }
  return secret;
}

Problem set_user(natsOptions* options, const Credentials& ours) {
  const auto user = read_text(ours.user, "NATS_USER_FILE");
  if (!user) return user.error();
  const auto password = read_text(ours.password, "NATS_PASSWORD_FILE");
  if (!password) return password.error();
  if (user.value().empty()) return {};
  return accepted(natsOptions_SetUserInfo(options, user.value().reveal().c_str(),
                                          password.value().reveal().c_str()));
}

Problem set_token(natsOptions* options, const Credentials& ours) {
  const auto token = read_text(ours.token, "NATS_TOKEN_FILE");
  if (!token) return token.error();
  if (token.value().empty()) return {};
  return accepted(natsOptions_SetToken(options, token.value().reveal().c_str()));
}

Problem set_creds(ConnectOptions& options, const Credentials& ours) {
  if (ours.creds_file.empty()) return {};
  constexpr std::string_view kSetting = "NATS_CREDS_FILE";
  const auto text = read_secret_file(kSetting, ours.creds_file);
  if (!text) return text.error();
  auto creds = parse_user_credentials(text.value().reveal());
  if (!creds) return fmt::format("{}: does not hold a user JWT and a user's seed", kSetting);
  options.signer = std::make_unique<ConnectOptions::Signer>(
      ConnectOptions::Signer{std::move(creds->key), std::move(creds->jwt)});
  return accepted(natsOptions_SetUserCredentialsCallbacks(
      options.handle.get(), give_jwt, options.signer.get(), sign_nonce, options.signer.get()));
}

Problem set_nkey(ConnectOptions& options, const Credentials& ours) {
  if (ours.nkey_seed_file.empty()) return {};
  constexpr std::string_view kSetting = "NATS_NKEY_SEED_FILE";
  const auto text = read_secret_file(kSetting, ours.nkey_seed_file);
  if (!text) return text.error();
  auto key = UserKey::from_seed(text.value().reveal());
  if (!key) return fmt::format("{}: does not hold a user's seed (SU…)", kSetting);
  options.signer =
      std::make_unique<ConnectOptions::Signer>(ConnectOptions::Signer{std::move(*key), {}});
  return accepted(natsOptions_SetNKey(options.handle.get(),
                                      options.signer->key.public_key().c_str(), sign_nonce,
                                      options.signer.get()));
}

Problem set_login(ConnectOptions& options, const Credentials& ours, const config::BrokerUrl& url) {
  natsOptions* const raw = options.handle.get();
  if (url.user && url.password) {
    return accepted(
        natsOptions_SetUserInfo(raw, url.user->reveal().c_str(), url.password->reveal().c_str()));
  }
  if (url.user) return accepted(natsOptions_SetToken(raw, url.user->reveal().c_str()));
  // At most one of them has anything to say.
  if (auto problem = set_user(raw, ours)) return problem;
  if (auto problem = set_token(raw, ours)) return problem;
  if (auto problem = set_creds(options, ours)) return problem;
  return set_nkey(options, ours);
}

// --- Who the broker is --------------------------------------------------------------------------

// nats.c and libcrypto read these files again and by themselves; but they would name the path in
// their errors, and ask on the terminal for a passphrase.
Problem set_authorities(natsOptions* options, const Credentials& ours) {
  if (ours.tls_ca_file.empty()) return {};
  constexpr std::string_view kSetting = "NATS_TLS_CA_FILE";
  if (const auto text = read_secret_file(kSetting, ours.tls_ca_file); !text) return text.error();
  if (natsOptions_LoadCATrustedCertificates(options, ours.tls_ca_file.reveal().c_str()) ==
      NATS_OK) {
    return {};
  }
  return fmt::format("{}: does not hold certificates in PEM", kSetting);
}

Problem set_client_certificate(natsOptions* options, const Credentials& ours) {
  if (ours.tls_cert_file.empty()) return {};
  const auto certificate = read_secret_file("NATS_TLS_CERT_FILE", ours.tls_cert_file);
  if (!certificate) return certificate.error();
  const auto key = read_secret_file("NATS_TLS_KEY_FILE", ours.tls_key_file);
  if (!key) return key.error();
  if (key.value().reveal().find("ENCRYPTED") != std::string::npos) {
    return "NATS_TLS_KEY_FILE: has a passphrase; give a key without one";
  }
  if (natsOptions_LoadCertificatesChain(options, ours.tls_cert_file.reveal().c_str(),
                                        ours.tls_key_file.reveal().c_str()) == NATS_OK) {
    return {};
  }
  return "NATS_TLS_CERT_FILE, NATS_TLS_KEY_FILE: are not a certificate and its key in PEM";
}

Problem set_tls(natsOptions* options, const Credentials& ours, const config::BrokerUrl& url) {
  const bool wanted = url.tls || !ours.tls_ca_file.empty() || !ours.tls_cert_file.empty() ||
                      !ours.tls_key_file.empty();
  // Not touched in vain: it reads all the system's authorities, some 15 ms an attempt. A broker
  // that asks for TLS where we do not is refused, for nats.c then looks for the number we dial in
  // its certificate.
  if (!wanted) return {};
  // tls:// alone does not switch TLS on in 3.4.1.
  if (auto problem = accepted(natsOptions_SetSecure(options, true))) return problem;
  // We dial a number, so the name that the certificate has to show is said separately.
  if (auto problem = accepted(natsOptions_SetExpectedHostname(options, url.host.c_str()))) {
    return problem;
  }
  if (auto problem = set_authorities(options, ours)) return problem;
  return set_client_certificate(options, ours);
}

// --- How we talk --------------------------------------------------------------------------------

Problem set_connection(natsOptions* raw, const ClientOptions& ours, const Endpoint& endpoint) {
  const std::string url = fmt::format("nats://{}:{}", endpoint.numeric_host, endpoint.url.port);
  for (const natsStatus status :
       {natsOptions_SetURL(raw, url.c_str()), natsOptions_SetName(raw, ours.name.c_str()),
        natsOptions_SetTimeout(raw, ours.connect_timeout.count()),
        natsOptions_SetIOBufSize(raw, kIoBufferBytes),
        natsOptions_SetSendAsap(raw, true),                 // else a thread delays writes by 1 ms
        natsOptions_SetAllowReconnect(raw, false),          // the Client rebuilds
        natsOptions_SetReconnectBufSize(raw, 0),            // nothing stale is ever replayed
        natsOptions_SetPingInterval(raw, 0),                // the Client has its heartbeat
        natsOptions_SetIgnoreDiscoveredServers(raw, true),  // dial only what was configured
        natsOptions_SetErrorHandler(raw, ignore_error, nullptr)}) {
    if (status != NATS_OK) return accepted(status);
  }
  return {};
}

// --- What went wrong ----------------------------------------------------------------------------

// What nats.c says about a failed call, without the place in its source: "(conn.c:1905):
// Authorization Violation" → "Authorization Violation". A TLS 1.3 broker that does not like our
// certificate says so after the handshake: nats.c then misses a PONG, and libssl knows why.
std::string last_error_text(natsStatus status) {
  const char* detail = nats_GetLastError(nullptr);
  std::string_view text = detail != nullptr ? detail : "";
  constexpr std::string_view kPlaceEnd = "): ";
  const std::size_t end = text.find(kPlaceEnd);
  if (text.starts_with('(') && end != std::string_view::npos) {
    text.remove_prefix(end + kPlaceEnd.size());
  }
  const char* const tls = ::ERR_reason_error_string(::ERR_peek_last_error());
  std::string said(text.empty() ? natsStatus_GetText(status) : text);
  return tls == nullptr ? said : fmt::format("{} (TLS: {})", said, tls);
}

Problem set_all(ConnectOptions& options, const ClientOptions& ours, const Endpoint& endpoint,
                Link* link) {
  natsOptions* const raw = options.handle.get();
  auto problem = set_connection(raw, ours, endpoint);
  if (!problem) problem = set_login(options, ours.credentials, endpoint.url);
  if (!problem) problem = set_tls(raw, ours.credentials, endpoint.url);
  if (!problem && link != nullptr) problem = accepted(attach_to(raw, *link));
  return problem;
}

}  // namespace

Result<ConnectionPtr, std::string> dial(const ClientOptions& ours, const Endpoint& endpoint,
                                        Link* link) {
  natsOptions* handle = nullptr;
  if (auto problem = accepted(natsOptions_Create(&handle))) return Failure{std::move(*problem)};
  ConnectOptions options{nullptr, OptionsPtr(handle)};
  if (auto problem = set_all(options, ours, endpoint, link)) return Failure{std::move(*problem)};
  ::ERR_clear_error();
  natsConnection* connection = nullptr;
  const natsStatus status = natsConnection_Connect(&connection, handle);
  if (status == NATS_OK) return ConnectionPtr(connection);
  return Failure{last_error_text(status)};
}

std::string_view complaint(natsConnection* connection) {
  const char* text = nullptr;
  if (natsConnection_GetLastError(connection, &text) == NATS_OK || text == nullptr) return {};
  return text;
}

std::string server_id(natsConnection* connection) {
  std::array<char, 128> id{};  // a public NKey is 56 characters
  if (natsConnection_GetConnectedServerId(connection, id.data(), id.size()) != NATS_OK) return {};
  return id.data();
}

}  // namespace rts::nats
