// What an order of a recording would have been filled at, some time after it was decided: the price
// of its symbol that was the last by then. One queue serves the orders of all accounts.
// Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/engine/engine.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/trading/terms.hpp>

#include "research/quote_board.hpp"

namespace rts::research {

// A price says what a symbol costs for so long: of a feed that is silent for longer nothing is
// known.
inline constexpr std::chrono::seconds kMaxSilence{60};

// Whether the spot was seen, and not too long before.
[[nodiscard]] inline bool is_known(const Spot& spot, UnixMs at) noexcept {
  return spot.mid > 0 && at - spot.at <= kMaxSilence;
}

// An order, as far as its result depends on it. `account` is a number from 0: the one account of a
// replay, or one of the many settings of a sweep.
struct AccountOrder {
  std::size_t account = 0;
  std::size_t symbol_index = 0;
  StrategyId strategy = StrategyId::orderbook_skew;
  Side side = Side::buy;
  bool reduce_only = false;
  double quantity = 0;                   // base asset, > 0
  std::optional<Protection> protection;  // of an opening order
};

// Precondition: the decision has an order.
[[nodiscard]] AccountOrder account_order(std::size_t account, const Decision& decision) noexcept;

// An order with its price: a taker pays the ask and gets the bid, mid ± half_spread.
struct Fill {
  AccountOrder order;
  UnixMs at;  // event time of the order + latency
  double mid = 0;
  double half_spread = 0;  // 0: its feed has no books, so a fill is at the last price
};

// mid + half_spread for a buyer, mid − half_spread for a seller, and never less than nothing.
[[nodiscard]] double taker_price(Side side, double mid, double half_spread) noexcept;

// Orders that wait for their time. An order is as late as its symbol's last price: times that run
// backwards in a recording count as the latest before, so each queue is in order.
class WaitingOrders {
 public:
  // Precondition: not negative.
  explicit WaitingOrders(std::chrono::milliseconds latency) noexcept : latency_(latency) {}

  void add(const AccountOrder& order, UnixMs at) {
    if (order.symbol_index >= waiting_.size()) waiting_.resize(order.symbol_index + 1);
    waiting_[order.symbol_index].push_back({order, at + latency_});
  }

  // Hands over the symbol's orders that are due before `before`, each as fill(const Fill&), at this
  // price; or as unfilled(const AccountOrder&), where the price was too old.
  template <class OnFill, class OnUnfilled>
  void settle(std::size_t symbol_index, UnixMs before, const Spot& spot, OnFill&& on_fill,
              OnUnfilled&& on_unfilled) {
    if (symbol_index >= waiting_.size()) return;
    auto& queue = waiting_[symbol_index];
    for (; !queue.empty() && queue.front().due < before; queue.pop_front()) {
      const Waiting& first = queue.front();
      if (is_known(spot, first.due)) {
        on_fill(Fill{first.order, first.due, spot.mid, spot.half_spread});
      } else {
        on_unfilled(first.order);
      }
    }
  }

 private:
  struct Waiting {
    AccountOrder order;
    UnixMs due;
  };

  std::chrono::milliseconds latency_;
  std::vector<std::deque<Waiting>> waiting_;  // by symbol index
};

}  // namespace rts::research
