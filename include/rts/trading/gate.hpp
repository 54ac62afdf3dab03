// The gate between a signal and an order: pause, confidence, price band, cooldown, limits and size,
// all in event time, in the order of SPEC §4. Only an accepted signal moves a counter. One a
// process; not thread-safe.
#pragma once

#include <array>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include <rts/base/decimal.hpp>
#include <rts/base/result.hpp>
#include <rts/base/time.hpp>
#include <rts/market/events.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/trading/terms.hpp>

namespace rts {

// A limit of 0 means off.
struct GateLimits {
  double price_band_percent = 5;            // inclusive
  std::int64_t max_daily_signals = 50;      // per strategy and UTC day
  std::int64_t max_orders_per_minute = 30;  // over all strategies, per UTC minute
};

class Gate {
 public:
  struct Request {
    StrategyId strategy;
    std::size_t symbol_index;  // the engine's number of the symbol, < symbol_capacity
    const OrderTerms& terms;
    Signal signal;
    UnixMs at;
    std::optional<ReferencePrice> reference;  // before the event
  };

  Gate(const GateLimits& limits, std::size_t symbol_capacity);

  struct Pass {
    Decimal quantity;
    std::optional<Protection> protection;  // of an opening order, always
  };

  // How much is ordered, or why there is no order.
  [[nodiscard]] Result<Pass, Outcome> pass(const Request& request) noexcept;

  // The symbol's number now stands for another symbol, which has no last order. The intake gives a
  // number away after a day only, so no cooldown is cut short by it. Precondition: as in Request.
  void forget(std::size_t symbol_index) noexcept {
    assert(symbol_index < last_orders_.size());
    last_orders_[symbol_index] = {};
  }

  // While paused nothing passes. For one strategy, or for all of them.
  void set_paused(bool paused) noexcept { paused_.fill(paused); }
  void set_paused(StrategyId strategy, bool paused) noexcept {
    paused_[index_of(strategy)] = paused;
  }
  [[nodiscard]] bool is_paused(StrategyId strategy) const noexcept {
    return paused_[index_of(strategy)];
  }

 private:
  // Orders in the latest day or minute that has had one. Time never runs backwards here: an older
  // event counts to the current period.
  struct PeriodCount {
    std::int64_t period = 0;
    std::int64_t orders = 0;

    [[nodiscard]] bool is_full(std::int64_t now, std::int64_t limit) const noexcept {
      return limit > 0 && now <= period && orders >= limit;
    }
    void count(std::int64_t now) noexcept {
      orders = now > period ? 1 : orders + 1;
      period = now > period ? now : period;
    }
  };
  using LastOrders =
      std::array<std::array<std::optional<UnixMs>, count_of<Side>>, count_of<StrategyId>>;

  [[nodiscard]] std::optional<Outcome> check_band(const Request& request) const noexcept;

  GateLimits limits_;
  std::array<bool, count_of<StrategyId>> paused_{};
  std::vector<LastOrders> last_orders_;  // by symbol index
  std::array<PeriodCount, count_of<StrategyId>> days_{};
  PeriodCount minute_;
};

}  // namespace rts
