// Markets as of now, and the orders that one engine alone decides on them: what replicas together
// have to deliver, computed without them. For end-to-end tests that publish frames themselves.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/base/uuid.hpp>
#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>

#include "simulation/market.hpp"
#include "support/daemon.hpp"
#include "support/engine_run.hpp"

namespace rts::test {

using Frames = std::vector<std::string>;
using OrderIds = std::vector<std::string>;

[[nodiscard]] inline UnixNs now_ns() {
  return std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

// The ids of the orders that an engine of a Daemon with these settings makes of the frames, in its
// order. The clock is the live one: no frame may be as old as MESSAGE_TTL_SECONDS.
// `stored_at`: what the order log says of them, by id. It is told of an order's time where that is
// another, up to a second later: the order of a replica that has just become warm and has not seen
// the earlier frame which the others were storing it for. The cooldown counts from there.
[[nodiscard]] inline OrderIds decided_ids(const Environment& settings, const Frames& frames,
                                          const std::map<std::string, UnixMs>& stored_at = {}) {
  std::vector<config::Given> environment;
  for (const auto& [name, value] : with_test_defaults(settings)) {
    environment.push_back({name, value});
  }
  Engine engine(config::engine_parameters(configured(environment).settings, Clock::live));
  OrderIds ids;
  for (const std::string& frame : frames) {
    for (const EventRecord& record : engine.step(frame, now_ns()).events) {
      const Decision* decision = record.decision();
      if (decision == nullptr || !decision->order) continue;
      const Order& order = *decision->order;
      const UuidText id = to_text(order.id);
      ids.emplace_back(id.data(), id.size());
      const auto stored = stored_at.find(ids.back());
      if (stored == stored_at.end() || stored->second <= order.at ||
          stored->second > order.at + std::chrono::seconds(1)) {
        continue;
      }
      engine.hear(CountedOrder{order.id, order.strategy, order.signal.side,
                               *Symbol::from(order.symbol), stored->second});
    }
  }
  return ids;
}

// A lively market up to now, for all three strategies; see lively_settings(). Of the last 20 s,
// 4,000 frames long, unless it is said otherwise.
[[nodiscard]] inline Frames lively_market(
    std::uint64_t seed, std::size_t count = 4000,
    std::chrono::milliseconds apart = std::chrono::milliseconds(5)) {
  simulation::Market market(configured(std::vector<config::Given>{}).settings.engine.symbols, seed);
  UnixMs at = to_ms(now_ns()) - count * apart;
  Frames frames;
  for (std::size_t i = 0; i < count; ++i) frames.emplace_back(market.next_frame(at += apart));
  return frames;
}

// Everything that makes an engine's decisions depend on what it has seen before stays on: means,
// windows, reference prices, cooldown and the daily limit. Orders live longer than any test.
[[nodiscard]] inline Environment lively_settings() {
  return {{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
          {"TRADE_MOMENTUM_WINDOW", "10"},
          {"TRADE_MOMENTUM_BUY_THRESHOLD", "0.4"},
          {"TRADE_MOMENTUM_SELL_THRESHOLD", "-0.4"},
          {"TICKER_VELOCITY_TIME_WINDOW", "2"},
          {"TICKER_VELOCITY_BUY_THRESHOLD", "0.01"},
          {"TICKER_VELOCITY_SELL_THRESHOLD", "-0.01"},
          {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0"},
          {"SIGNAL_COOLDOWN_SECONDS", "1"},
          {"RISK_MAX_DAILY_SIGNALS", "60"},
          {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
          {"ORDER_TTL_SECONDS", "600"}};
}

}  // namespace rts::test
