#include "nats/connector.hpp"

#include <algorithm>
#include <atomic>
#include <random>
#include <semaphore>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "nats/dial.hpp"
#include "nats/endpoint.hpp"
#include "nats/sockets.hpp"
#include "telemetry/background.hpp"

namespace rts::nats {
namespace {

using Clock = std::chrono::steady_clock;

// A handshake is over sooner, unless the broker or the network is in trouble.
constexpr auto kCalmAfter = std::chrono::milliseconds(50);
constexpr auto kJoinPoll = std::chrono::milliseconds(5);
constexpr int kJoinPolls = 20;

// `began` is what the watchdog counts from.
Outcome connect(const ClientOptions& ours, const Endpoint& endpoint, Clock::time_point began) {
  Outcome outcome;
  outcome.link = std::make_unique<Link>();
  outcome.server = endpoint.url.display();
  auto connection = dial(ours, endpoint, outcome.link.get());
  if (connection) {
    outcome.connection = std::move(connection).value();
  } else if (Clock::now() - began >= ours.connect_watchdog) {
    outcome.error = fmt::format("{}: handshake not finished within {} ms", outcome.server,
                                ours.connect_watchdog.count());
  } else {
    outcome.error = fmt::format("{}: {}", outcome.server, connection.error());
  }
  return outcome;
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
  telemetry::stay_in_background();  // and with it the threads that nats.c begins here
  round->outcome.error = "no server url";
  round->endpoints = resolve_all(round->options.urls, round->outcome.error);
  // In random order, so that replicas spread over the brokers.
  std::shuffle(round->endpoints.begin(), round->endpoints.end(),
               std::minstd_rand(std::random_device{}()));
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
      round->outcome.connection.reset();  // first: closing it, nats.c calls its link once more
      round->outcome.link.reset();
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
