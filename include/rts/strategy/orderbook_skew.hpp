// orderbook_skew: buys when the top of the bid side outweighs the ask side, sells in the mirror
// case. Stateless: the strategy is the value of its parameters, usable from any thread. SPEC §3.1.
#pragma once

#include <rts/market/events.hpp>
#include <rts/strategy/verdict.hpp>

namespace rts {

struct OrderbookSkew {
  int top_levels = 5;               // 1 … 20
  double buy_threshold = 1.2;       // ratio, exclusive
  double sell_threshold = 0.8;      // ratio, exclusive
  double min_spread_percent = 0.1;  // inclusive
  double max_spread_percent = 0;    // inclusive; 0 = off

  // bid_volume, ask_volume = Σ quantity of the first min(top_levels, n) levels
  // spread_percent = (ask0 − bid0) / bid0 × 100        ratio = bid_volume / ask_volume
  // confidence = min(0.95, 0.60 + 0.5·excess), excess = ratio − buy_threshold for a BUY,
  // ask_volume / bid_volume − 1/sell_threshold for a SELL: mirrored books are equally sure.
  // Example: bids 100 × 3, asks 100.2 × 2 → spread 0.2 %, ratio 1.5 → BUY at 100.2 with confidence
  // 0.60 + 0.5·(1.5 − 1.2) = 0.75. Numbers beyond double's range give `neutral`.
  [[nodiscard]] Verdict operator()(const Book& book) const noexcept;

  friend bool operator==(const OrderbookSkew&, const OrderbookSkew&) noexcept = default;
};

}  // namespace rts
