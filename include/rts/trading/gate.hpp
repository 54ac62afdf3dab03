// The gate between a signal and an order: pause, confidence, price band, cooldown, limits and size,
// all in event time, in the order of SPEC §4. Only an accepted signal, and what is heard of the
// order log, moves a counter. One a process; not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <rts/base/decimal.hpp>
#include <rts/base/result.hpp>
#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>
#include <rts/market/events.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/trading/order.hpp>
#include <rts/trading/order_memory.hpp>
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
    const Symbol& symbol;
    const OrderTerms& terms;
    Signal signal;
    UnixMs at;
    EventId event_id;
    std::optional<ReferencePrice> reference;  // before the event
  };

  Gate(const GateLimits& limits, std::size_t symbol_capacity);

  struct Pass {
    Uuid id{};
    Decimal quantity;
    std::optional<Protection> protection;  // of an opening order, always
    bool in_log = false;                   // the log has it, by another process: it is done
  };

  // Why there is no order, and by which numbers: the confidence and the least one; seconds since
  // the reference price (0: there is none) or the last order, and how many it takes; the distance
  // from the reference and the band in percent; orders so far and their limit; of a size, see
  // size_measure().
  struct Refusal {
    Outcome outcome = Outcome::paused;
    Measure measure{};
  };

  // How much is ordered, or why there is no order.
  [[nodiscard]] Result<Pass, Refusal> pass(const Request& request) noexcept;

  // Whether an order that has passed would pass by what is known by now to be before it. One that
  // would not, and that the log does not have, counts no more. The index is empty when the
  // symbol has no number any more.
  [[nodiscard]] bool passes_still(const CountedOrder& order, std::chrono::milliseconds cooldown,
                                  std::optional<std::size_t> symbol_index) noexcept;

  // An entry of the order log, in its order; any number of copies. The index is empty while the
  // symbol has no number.
  void hear(const CountedOrder& order, std::optional<std::size_t> symbol_index) {
    memory_.hear(order, symbol_index);
  }
  // The number stands for this symbol from now on. Precondition: as in Request.
  void place(std::size_t symbol_index, const Symbol& symbol) noexcept {
    memory_.place(symbol_index, symbol);
  }

  // What the next request is held to.
  void set_limits(const GateLimits& limits) noexcept { limits_ = limits; }

  // While one of two switches holds a strategy, nothing of it passes: the process's own, for one
  // strategy or for all of them, and the control log's.
  void set_paused(bool paused) noexcept { paused_.fill(paused); }
  void set_paused(StrategyId strategy, bool paused) noexcept {
    paused_[index_of(strategy)] = paused;
  }
  // A key of the control log, which has one for each strategy and one for all of them: each holds
  // on its own.
  void hear_pause(std::optional<StrategyId> strategy, bool paused) noexcept {
    (strategy ? logged_[index_of(*strategy)] : all_logged_) = paused;
  }
  [[nodiscard]] bool is_paused(StrategyId strategy) const noexcept {
    return paused_[index_of(strategy)] || all_logged_ || logged_[index_of(strategy)];
  }

 private:
  [[nodiscard]] std::optional<Refusal> check_band(const Request& request) const noexcept;
  [[nodiscard]] static std::optional<Refusal> check_cooldown(
      std::optional<UnixMs> last, UnixMs at, std::chrono::milliseconds cooldown) noexcept;
  [[nodiscard]] std::optional<Refusal> check_counts(std::int64_t orders_of_day,
                                                    std::int64_t orders_of_minute) const noexcept;

  GateLimits limits_;
  std::array<bool, count_of<StrategyId>> paused_{};
  std::array<bool, count_of<StrategyId>> logged_{};  // pauses of the control log
  bool all_logged_ = false;
  OrderMemory memory_;
};

}  // namespace rts
