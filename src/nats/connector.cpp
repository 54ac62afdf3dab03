#include "nats/connector.hpp"

#include <algorithm>
#include <atomic>
#include <random>
#include <semaphore>
#include <utility>

#include <fmt/format.h>

#include "nats/dial.hpp"
#include "nats/sockets.hpp"
#include "telemetry/background.hpp"

namespace rts::nats {
namespace {

using Clock = std::chrono::steady_clock;

// A handshake is over sooner, unless the broker or the network is in trouble.
constexpr auto kCalmAfter = std::chrono::milliseconds(50);
constexpr auto kJoinPoll = std::chrono::milliseconds(5);
constexpr int kJoinPolls = 20;

}  // namespace

struct Connector::Round {
  explicit Round(ClientOptions ours) : options(std::move(ours)) {}

  const ClientOptions options;
  std::atomic<bool> give_up = false;
  // When the attempt began that is under way; 0 while names are resolved.
  std::atomic<Clock::rep> attempt_began = 0;
  std::binary_semaphore ended{0};

  // Written by the thread before an attempt has begun, constant from then on.
  std::vector<Endpoint> endpoints;
  std::vector<ino_t> older_sockets;
  // Written by the thread before it has ended.
  ConnectResult result;

  void cut_attempt() const {
    if (attempt_began != 0) shut_down_sockets_to(endpoints, older_sockets);
  }
};

void Connector::run(Round& round) {
  telemetry::stay_in_background();  // and with it the threads that nats.c begins here
  round.result.error = "no server url";
  round.endpoints = resolve_all(round.options.urls, round.result.error);
  // In random order, so that replicas spread over the brokers.
  std::shuffle(round.endpoints.begin(), round.endpoints.end(),
               std::minstd_rand(std::random_device{}()));
  round.older_sockets = sockets_to(round.endpoints);
  for (const Endpoint& endpoint : round.endpoints) {
    if (round.give_up || round.result.connection) return;
    const Clock::time_point began = Clock::now();
    round.attempt_began = began.time_since_epoch().count();
    round.result = dial(round.options, endpoint);
    if (round.result.connection || Clock::now() - began < round.options.connect_watchdog) continue;
    round.result.error = fmt::format("{}: handshake not finished within {} ms", round.result.server,
                                     round.options.connect_watchdog.count());
  }
}

Connector::Connector(const ClientOptions& options)
    : round_(std::make_shared<Round>(options)), thread_([round = round_]() mutable {
        run(*round);
        round->ended.release();
        round.reset();  // closes the connection where the round was abandoned
        nats_ReleaseThreadMemory();
      }) {}

Connector::~Connector() {
  if (!thread_.joinable()) return;
  round_->give_up = true;
  for (int i = 0; i < kJoinPolls; ++i) {
    round_->cut_attempt();
    if (round_->ended.try_acquire_for(kJoinPoll)) {
      thread_.join();
      return;
    }
  }
  thread_.detach();
}

std::optional<ConnectResult> Connector::poll() {
  if (round_->ended.try_acquire()) {
    thread_.join();
    return std::move(round_->result);
  }
  const Clock::rep began = round_->attempt_began;
  const auto age = Clock::now().time_since_epoch() - Clock::duration(began);
  if (began != 0 && age >= round_->options.connect_watchdog) {
    shut_down_sockets_to(round_->endpoints, round_->older_sockets);
  } else if (began != 0 && age >= kCalmAfter) {
    slow_down_sockets_to(round_->endpoints, round_->older_sockets);
  }
  return {};
}

void Connector::give_up() {
  round_->give_up = true;
  round_->cut_attempt();
}

}  // namespace rts::nats
