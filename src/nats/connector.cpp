#include "nats/connector.hpp"

#include <algorithm>
#include <atomic>
#include <random>
#include <semaphore>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "nats/endpoint.hpp"
#include "nats/sockets.hpp"

namespace rts::nats {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kIoBufferBytes = 128 << 10;
// A handshake is over sooner, unless the broker or the network is in trouble.
constexpr auto kCalmAfter = std::chrono::milliseconds(50);
constexpr auto kJoinPoll = std::chrono::milliseconds(5);
constexpr int kJoinPolls = 20;

// Without a handler of our own nats.c prints to stderr. The same text is read from the connection,
// on the loop (Client::Impl::check_broker_error).
void ignore_error(natsConnection*, natsSubscription*, natsStatus, void*) {}

natsStatus set_credentials(natsOptions* options, const Url& url) {
  if (url.user.empty()) return NATS_OK;
  if (!url.password) return natsOptions_SetToken(options, url.user.c_str());
  return natsOptions_SetUserInfo(options, url.user.c_str(), url.password->c_str());
}

// tls:// alone does not switch TLS on in 3.4.1. We dial a number, so the name that the broker's
// certificate has to show is said separately.
natsStatus set_tls(natsOptions* options, const Url& url) {
  if (!url.tls) return NATS_OK;
  const natsStatus status = natsOptions_SetSecure(options, true);
  return status != NATS_OK ? status : natsOptions_SetExpectedHostname(options, url.host.c_str());
}

// Null when nats.c refuses one of the options.
OptionsPtr make_options(const ClientOptions& ours, const Endpoint& endpoint, Link& link) {
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK) return {};
  OptionsPtr options(raw);
  const std::string url = fmt::format("nats://{}:{}", endpoint.numeric_host, endpoint.url.port);
  const auto ok = [](natsStatus status) { return status == NATS_OK; };
  const bool accepted =
      ok(natsOptions_SetURL(raw, url.c_str())) && ok(natsOptions_SetName(raw, ours.name.c_str())) &&
      ok(set_credentials(raw, endpoint.url)) && ok(set_tls(raw, endpoint.url)) &&
      ok(natsOptions_SetTimeout(raw, ours.connect_timeout.count())) &&
      ok(natsOptions_SetIOBufSize(raw, kIoBufferBytes)) &&
      ok(natsOptions_SetSendAsap(raw, true)) &&         // else a thread delays writes by 1 ms
      ok(natsOptions_SetAllowReconnect(raw, false)) &&  // the Client rebuilds
      ok(natsOptions_SetReconnectBufSize(raw, 0)) &&    // nothing stale is ever replayed
      ok(natsOptions_SetPingInterval(raw, 0)) &&        // the Client has its heartbeat
      ok(natsOptions_SetIgnoreDiscoveredServers(raw, true)) &&  // dial only what was configured
      ok(natsOptions_SetErrorHandler(raw, ignore_error, nullptr)) && ok(attach_to(raw, link));
  if (!accepted) options.reset();
  return options;
}

// What nats.c says, without the place in its source: "(conn.c:1905): Authorization Violation".
std::string connect_error(natsStatus status) {
  const char* detail = nats_GetLastError(nullptr);
  std::string_view text = detail != nullptr ? detail : "";
  constexpr std::string_view kPlaceEnd = "): ";
  const std::size_t end = text.find(kPlaceEnd);
  if (text.starts_with('(') && end != std::string_view::npos) {
    text.remove_prefix(end + kPlaceEnd.size());
  }
  return std::string(text.empty() ? natsStatus_GetText(status) : text);
}

// `began` is what the watchdog counts from.
Outcome connect(const ClientOptions& ours, const Endpoint& endpoint, Clock::time_point began) {
  Outcome outcome;
  outcome.link = std::make_unique<Link>();
  outcome.server = endpoint.url.display();
  const OptionsPtr options = make_options(ours, endpoint, *outcome.link);
  if (!options) {
    outcome.error = fmt::format("{}: connection options refused", outcome.server);
    return outcome;
  }
  natsConnection* raw = nullptr;
  const natsStatus status = natsConnection_Connect(&raw, options.get());
  if (status == NATS_OK) {
    outcome.connection.reset(raw);
  } else if (Clock::now() - began >= ours.connect_watchdog) {
    outcome.error = fmt::format("{}: handshake not finished within {} ms", outcome.server,
                                ours.connect_watchdog.count());
  } else {
    outcome.error = fmt::format("{}: {}", outcome.server, connect_error(status));
  }
  return outcome;
}

// All addresses of all urls in random order, so that replicas spread over the brokers.
std::vector<Endpoint> resolve_all(const std::vector<std::string>& urls, std::string& error) {
  std::vector<Endpoint> all;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const std::optional<Url> url = parse_url(urls[i]);
    if (!url) {
      error = fmt::format("server url number {} is not a valid nats url", i + 1);
      continue;
    }
    std::vector<Endpoint> found = resolve(*url);
    if (found.empty()) error = fmt::format("{}: name does not resolve", url->display());
    std::move(found.begin(), found.end(), std::back_inserter(all));
  }
  std::shuffle(all.begin(), all.end(), std::minstd_rand(std::random_device{}()));
  return all;
}

}  // namespace

struct Connector::Round {
  enum class Phase { resolving, connecting, finished, abandoned };

  Round(boost::asio::io_context& loop, ClientOptions ours, std::function<void(Outcome)> report)
      : io(loop), options(std::move(ours)), done(std::move(report)) {}

  boost::asio::io_context& io;
  ClientOptions options;
  std::function<void(Outcome)> done;

  std::atomic<Phase> phase = Phase::resolving;
  std::atomic<bool> give_up = false;
  std::atomic<Clock::rep> attempt_began = 0;
  std::binary_semaphore ended{0};

  // Written by the thread before the phase is `connecting`, constant from then on.
  std::vector<Endpoint> endpoints;
  std::vector<ino_t> older_sockets;
  // Written by the thread before the phase is `finished`.
  Outcome outcome;

  bool advance(Phase from, Phase to) { return phase.compare_exchange_strong(from, to); }
  bool connecting() const { return phase.load() == Phase::connecting; }
  void cut_attempt() const {
    if (connecting()) shut_down_sockets_to(endpoints, older_sockets);
  }
};

void Connector::run(const std::shared_ptr<Round>& round) {
  round->outcome.error = "no server url";
  round->endpoints = resolve_all(round->options.urls, round->outcome.error);
  round->older_sockets = sockets_to(round->endpoints);
  round->attempt_began = Clock::now().time_since_epoch().count();
  if (round->advance(Round::Phase::resolving, Round::Phase::connecting)) {
    for (const Endpoint& endpoint : round->endpoints) {
      if (round->give_up || round->outcome.connection) break;
      const Clock::time_point began = Clock::now();
      round->attempt_began = began.time_since_epoch().count();
      round->outcome = connect(round->options, endpoint, began);
    }
    if (round->advance(Round::Phase::connecting, Round::Phase::finished)) {
      boost::asio::post(round->io, [round] { round->done(std::move(round->outcome)); });
    } else {
      round->outcome = {};
    }
  }
  nats_ReleaseThreadMemory();
  round->ended.release();
}

Connector::Connector(boost::asio::io_context& io, ClientOptions options,
                     std::function<void(Outcome)> done)
    : round_(std::make_shared<Round>(io, std::move(options), std::move(done))),
      thread_([round = round_] { run(round); }) {}

Connector::~Connector() {
  round_->give_up = true;
  for (int i = 0; i < kJoinPolls; ++i) {
    round_->cut_attempt();
    if (round_->ended.try_acquire_for(kJoinPoll)) {
      thread_.join();
      return;
    }
  }
  if (round_->advance(Round::Phase::resolving, Round::Phase::abandoned) ||
      round_->advance(Round::Phase::connecting, Round::Phase::abandoned)) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void Connector::check_watchdog() {
  if (!round_->connecting()) return;
  const Clock::duration began(round_->attempt_began.load());
  const auto age = Clock::now().time_since_epoch() - began;
  if (age >= round_->options.connect_watchdog) {
    shut_down_sockets_to(round_->endpoints, round_->older_sockets);
  } else if (age >= kCalmAfter) {
    slow_down_sockets_to(round_->endpoints, round_->older_sockets);
  }
}

void Connector::give_up() {
  round_->give_up = true;
  round_->cut_attempt();
}

}  // namespace rts::nats
