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

  // Its two steps, for who asks many thresholds about one book: what top_levels alone decides, and
  // what the thresholds make of it.
  struct Score {
    bool is_sound = false;  // false: numbers beyond double's range
    Indicators indicators{};
    Price bid{}, ask{}, mid{};

    [[nodiscard]] double ratio() const noexcept { return indicators[2].value(); }
    [[nodiscard]] double spread_percent() const noexcept { return indicators[3].value(); }
  };
  [[nodiscard]] Score score(const Book& book) const noexcept;
  [[nodiscard]] Direction direction(const Score& score) const noexcept {
    if (!score.is_sound) return {};
    const double spread_percent = score.spread_percent();
    if (spread_percent < min_spread_percent) return {{}, Outcome::spread_below_minimum};
    if (max_spread_percent > 0 && spread_percent > max_spread_percent) {
      return {{}, Outcome::spread_above_maximum};
    }
    return {side_of(score.ratio(), buy_threshold, sell_threshold)};
  }
  // Of a side that direction() gives.
  [[nodiscard]] std::optional<Signal> signal(const Score& score, Side side) const noexcept;

  friend bool operator==(const OrderbookSkew&, const OrderbookSkew&) noexcept = default;
};

}  // namespace rts
