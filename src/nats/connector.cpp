#include "nats/connector.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <openssl/err.h>

#include "nats/credentials.hpp"
#include "nats/sockets.hpp"
#include "telemetry/background.hpp"

namespace rts::nats {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A handshake is over sooner, unless the broker or the network is in trouble.
constexpr milliseconds kCalmAfter{50};
constexpr milliseconds kJoinPoll{5};
constexpr int kJoinPolls = 20;
constexpr int kIoBufferBytes = 128 << 10;

// Without a handler of our own nats.c prints to stderr. The same text is read from the connection,
// on the loop (Connection::check_complaint).
void ignore_error(natsConnection*, natsSubscription*, natsStatus, void*) {}

// nats.c frees what these two give it. A broker that knows no such keys gives no nonce.
natsStatus give_jwt(char** jwt, char**, void* closure) {
  *jwt = ::strdup(static_cast<const UserCredentials*>(closure)->jwt.reveal().c_str());
  return *jwt != nullptr ? NATS_OK : NATS_NO_MEMORY;
}

natsStatus sign_nonce(char** error, unsigned char** signature, int* length, const char* nonce,
                      void* closure) {
  if (nonce == nullptr || *nonce == '\0') {
    *error = ::strdup("the broker does not take NKeys or user JWTs");
    return NATS_ERR;
  }
  return nats_Sign(static_cast<const UserCredentials*>(closure)->seed.reveal().c_str(), nonce,
                   signature, length);
}

// What natsConnection_Connect takes. The first thing that goes wrong is kept and the rest is of no
// consequence: with a problem nothing is dialled.
class ConnectOptions {
 public:
  ConnectOptions(const ClientOptions& ours, const Endpoint& endpoint, Link& link)
      : ours_(ours.credentials), url_(endpoint.url) {
    natsOptions* handle = nullptr;
    set(natsOptions_Create(&handle));
    handle_.reset(handle);
    if (handle == nullptr) return;
    set_connection(ours, endpoint);
    set_login();
    set_tls();
    set(attach_to(handle, link));
  }

  natsOptions* handle() const { return handle_.get(); }
  const std::string& problem() const { return problem_; }

 private:
  void fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }
  void set(natsStatus status, std::string_view problem = "connection options refused") {
    if (status != NATS_OK) fail(std::string(problem));
  }
  // The file's content now; empty when there is a problem with it.
  Secret read(std::string_view setting, const Secret& path) {
    auto content = read_secret_file(setting, path);
    if (content) return std::move(content).value();
    fail(content.error());
    return {};
  }
  // A credential as it was given, or what its file holds now.
  Secret read(std::string_view setting, const Credentials::Text& text) {
    if (text.file.empty()) return text.value;
    Secret content = read(setting, text.file);
    if (content.empty()) fail(fmt::format("{}: is empty", setting));
    if (!config::is_handshake_text(content.reveal())) {
      fail(fmt::format("{}: holds quotes, a backslash or control characters, which cannot be sent",
                       setting));
    }
    return content;
  }

  void set_connection(const ClientOptions& ours, const Endpoint& endpoint) {
    natsOptions* const raw = handle();
    set(natsOptions_SetURL(raw, fmt::format("nats://{}", fmt::streamed(endpoint.address)).c_str()));
    set(natsOptions_SetName(raw, ours.name.c_str()));
    set(natsOptions_SetTimeout(raw, ours.connect_timeout.count()));
    set(natsOptions_SetIOBufSize(raw, kIoBufferBytes));
    set(natsOptions_SetSendAsap(raw, true));                 // else a thread delays writes by 1 ms
    set(natsOptions_SetAllowReconnect(raw, false));          // the Client makes a new connection
    set(natsOptions_SetReconnectBufSize(raw, 0));            // nothing stale is ever replayed
    set(natsOptions_SetPingInterval(raw, 0));                // the Connection has its heartbeat
    set(natsOptions_SetIgnoreDiscoveredServers(raw, true));  // dial only what was configured
    set(natsOptions_SetErrorHandler(raw, ignore_error, nullptr));
  }

  // Who we are. What the url holds comes before the credentials, of which at most one is set.
  void set_login() {
    if (url_.user && url_.password) return set_user(*url_.user, *url_.password);
    if (url_.user) return set_token(*url_.user);
    const Secret user = read("NATS_USER_FILE", ours_.user);
    const Secret password = read("NATS_PASSWORD_FILE", ours_.password);
    if (!user.empty()) set_user(user, password);
    const Secret token = read("NATS_TOKEN_FILE", ours_.token);
    if (!token.empty()) set_token(token);
    if (!ours_.creds_file.empty()) set_creds();
    if (!ours_.nkey_seed_file.empty()) set_nkey();
  }
  void set_user(const Secret& user, const Secret& password) {
    set(natsOptions_SetUserInfo(handle(), user.reveal().c_str(), password.reveal().c_str()));
  }
  void set_token(const Secret& token) {
    set(natsOptions_SetToken(handle(), token.reveal().c_str()));
  }
  void set_creds() {
    const Secret text = read("NATS_CREDS_FILE", ours_.creds_file);
    auto creds = parse_user_credentials(text.reveal());
    if (!creds) return fail("NATS_CREDS_FILE: does not hold a user JWT and a user's seed");
    signer_ = std::make_unique<UserCredentials>(std::move(*creds));
    set(natsOptions_SetUserCredentialsCallbacks(handle(), give_jwt, signer_.get(), sign_nonce,
                                                signer_.get()));
  }
  void set_nkey() {
    const Secret text = read("NATS_NKEY_SEED_FILE", ours_.nkey_seed_file);
    auto creds = parse_user_seed(text.reveal());
    if (!creds) return fail("NATS_NKEY_SEED_FILE: does not hold a user's seed (SU…)");
    signer_ = std::make_unique<UserCredentials>(std::move(*creds));
    set(natsOptions_SetNKey(handle(), signer_->public_key.c_str(), sign_nonce, signer_.get()));
  }

  // Who the broker is. Not touched in vain: it reads all the system's authorities, some 15 ms an
  // attempt. A broker that asks for TLS where we do not is refused, for nats.c then looks for the
  // number we dial in its certificate.
  void set_tls() {
    if (!url_.tls && ours_.tls_ca_file.empty() && ours_.tls_cert_file.empty() &&
        ours_.tls_key_file.empty()) {
      return;
    }
    // tls:// alone does not switch TLS on in 3.4.1.
    set(natsOptions_SetSecure(handle(), true));
    // We dial a number, so the name that the certificate has to show is said separately.
    set(natsOptions_SetExpectedHostname(handle(), url_.host.c_str()));
    if (!ours_.tls_ca_file.empty()) set_authorities();
    if (!ours_.tls_cert_file.empty()) set_client_certificate();
  }
  // nats.c and libcrypto read these files again and by themselves; but they would name the path in
  // their errors, ask on the terminal for a passphrase, and wait at a pipe.
  void set_authorities() {
    read("NATS_TLS_CA_FILE", ours_.tls_ca_file);
    if (!problem_.empty()) return;
    set(natsOptions_LoadCATrustedCertificates(handle(), ours_.tls_ca_file.reveal().c_str()),
        "NATS_TLS_CA_FILE: does not hold certificates in PEM");
  }
  void set_client_certificate() {
    read("NATS_TLS_CERT_FILE", ours_.tls_cert_file);
    const Secret key = read("NATS_TLS_KEY_FILE", ours_.tls_key_file);
    if (key.reveal().find("ENCRYPTED") != std::string::npos) {
      fail("NATS_TLS_KEY_FILE: has a passphrase; give a key without one");
    }
    if (!problem_.empty()) return;
    set(natsOptions_LoadCertificatesChain(handle(), ours_.tls_cert_file.reveal().c_str(),
                                          ours_.tls_key_file.reveal().c_str()),
        "NATS_TLS_CERT_FILE, NATS_TLS_KEY_FILE: are not a certificate and its key in PEM");
  }

  const Credentials& ours_;
  const config::BrokerUrl& url_;
  std::unique_ptr<UserCredentials> signer_;  // before its user, which asks it while it connects
  OptionsPtr handle_;
  std::string problem_;
};

// What may be behind words of nats.c that do not say it. A broker whose TLS begins with the
// handshake (handshake_first: true) waits for us while we wait for its INFO.
std::string_view hint_for(std::string_view text, natsStatus status) {
  // A broker without room says so and hangs up; which of the two nats.c sees first is chance.
  if (text.starts_with("Expected 'PONG'")) {
    return "it hung up after its greeting: is its max_connections reached?";
  }
  if (status == NATS_CONNECTION_CLOSED) {
    return "it hung up in the handshake: is its TLS handshake_first: true?";
  }
  if (status == NATS_TIMEOUT) {
    return "it has not greeted: does it stand still, or is its TLS handshake_first: true?";
  }
  return "";
}

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
  if (tls != nullptr) return fmt::format("{} (TLS: {})", said, tls);
  const std::string_view hint = hint_for(said, status);
  return hint.empty() ? said : fmt::format("{} ({})", said, hint);
}

// Connects to one address with url, name, credentials (their files read now), TLS and time-outs.
// The connection neither reconnects nor pings by itself. The error says the server and why not: the
// name of a setting or what the broker says, never a secret or a path.
ConnectResult dial(const ClientOptions& ours, const Endpoint& endpoint) {
  ConnectResult result{.link = std::make_unique<Link>(),
                       .server = endpoint.url.display(),
                       .address = endpoint.address};
  const ConnectOptions options(ours, endpoint, *result.link);
  std::string error = options.problem();
  if (error.empty()) {
    ::ERR_clear_error();
    natsConnection* connection = nullptr;
    const natsStatus status = natsConnection_Connect(&connection, options.handle());
    if (status != NATS_OK) error = last_error_text(status);
    result.connection.reset(connection);
  }
  if (!error.empty()) result.error = fmt::format("{}: {}", result.server, error);
  return result;
}

}  // namespace

// The attempts one after the other, on the thread. What it shares with the loop is atomic, or
// written before the first attempt has begun and constant from then on.
struct Connector::Round {
  Round(ClientOptions ours, const Address& last) : options(std::move(ours)), avoided(last) {}

  ConnectResult run() {
    telemetry::stay_in_background();  // and with it the threads that nats.c begins here
    ConnectResult result{.error = "no server url"};
    endpoints = resolve(options.urls, result.error);
    // In random order, so that replicas spread over the brokers.
    std::shuffle(endpoints.begin(), endpoints.end(), std::minstd_rand(std::random_device{}()));
    std::partition(endpoints.begin(), endpoints.end(),
                   [this](const Endpoint& endpoint) { return endpoint.address != avoided; });
    for (const Endpoint& endpoint : endpoints) {
      if (give_up || result.connection) break;
      const Clock::time_point began = Clock::now();
      attempt_began = began;
      result = dial(options, endpoint);
      result.has_alternative = endpoints.size() > 1;
      if (result.connection || Clock::now() - began < options.connect_watchdog) continue;
      result.error = fmt::format("{}: handshake not finished within {} ms", result.server,
                                 options.connect_watchdog.count());
    }
    return result;
  }

  // How long the attempt that is under way has taken; nothing while names are resolved.
  std::optional<Clock::duration> attempt_age() const {
    const Clock::time_point began = attempt_began;
    if (began == Clock::time_point{}) return {};
    return Clock::now() - began;
  }
  void cut_attempt() const {
    if (attempt_age()) shut_down_attempts(endpoints);
  }

  const ClientOptions options;
  const Address avoided;
  std::atomic<bool> give_up = false;
  std::atomic<Clock::time_point> attempt_began{Clock::time_point{}};
  std::vector<Endpoint> endpoints;
};

Connector::Connector(const ClientOptions& options, const Address& avoided)
    : round_(std::make_shared<Round>(options, avoided)) {
  std::promise<ConnectResult> promise;
  result_ = promise.get_future();
  thread_ = std::thread([round = round_, promise = std::move(promise)]() mutable {
    promise.set_value(round->run());
    promise = {};  // closes the connection where the round was abandoned
    round.reset();
    nats_ReleaseThreadMemory();
  });
}

Connector::~Connector() {
  if (!thread_.joinable()) return;
  round_->give_up = true;
  for (int i = 0; i < kJoinPolls; ++i) {
    round_->cut_attempt();
    if (result_.wait_for(kJoinPoll) == std::future_status::ready) {
      thread_.join();
      return;
    }
  }
  thread_.detach();
}

std::optional<ConnectResult> Connector::poll() {
  if (result_.wait_for(milliseconds(0)) == std::future_status::ready) {
    thread_.join();
    return result_.get();
  }
  const auto age = round_->attempt_age();
  if (age >= round_->options.connect_watchdog) {
    round_->cut_attempt();
  } else if (age >= kCalmAfter) {
    slow_down_attempts(round_->endpoints);
  }
  return {};
}

}  // namespace rts::nats
