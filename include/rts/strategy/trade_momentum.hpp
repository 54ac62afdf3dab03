// trade_momentum: scores each trade against the means of price and quantity of the trades before it
// and the side of its aggressor. Stateless: the strategy is the value of its parameters; the window
// of trades belongs to the engine, one a symbol. SPEC §3.2.
#pragma once

#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <boost/circular_buffer.hpp>

#include <rts/base/time.hpp>
#include <rts/market/events.hpp>
#include <rts/strategy/verdict.hpp>

namespace rts {

// 128 bits hold the sum of 10^4 numbers below 10^15, each times 10^12.
__extension__ using ExactSum = unsigned __int128;

// A number times 10^12, rounded to the nearest integer, ties to even: what is added up so is the
// same in whatever order, and from wherever the adding began.
// Example: 0.1 → 100000000000 (the double is 0.1000000000000000055…). Precondition: 0 <= value <
// 10^15.
[[nodiscard]] ExactSum to_exact(double value) noexcept;

// The trades that counted last, and their exact sums. Its room is made by the first trade.
class TradeWindow {
 public:
  // Joins the window, and the oldest leave when that makes more than `most`, which is > 0. Makes
  // room when that is another number than before.
  void append(const Trade& trade, UnixMs at, std::size_t most);
  // Of more than `most` the oldest leave.
  void keep(std::size_t most) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return held_.size(); }
  // Of the trade that joined last. Precondition: size() > 0.
  [[nodiscard]] UnixMs newest_at() const noexcept {
    assert(size() > 0);
    return newest_at_;
  }
  // sum / (size · 10^12). Precondition: size() > 0.
  [[nodiscard]] double mean_price() const noexcept { return mean(price_sum_); }
  [[nodiscard]] double mean_quantity() const noexcept { return mean(quantity_sum_); }

 private:
  struct Held {
    ExactSum price;
    ExactSum quantity;
  };
  [[nodiscard]] double mean(ExactSum sum) const noexcept;

  boost::circular_buffer<Held> held_;
  UnixMs newest_at_;
  ExactSum price_sum_ = 0;
  ExactSum quantity_sum_ = 0;
};

struct TradeMomentum {
  double price_weight = 0.4;  // 0 … 1; the three weights sum to 1
  double quantity_weight = 0.3;
  double maker_weight = 0.3;
  double buy_threshold = 0.7;         // exclusive
  double sell_threshold = -0.7;       // exclusive
  double min_quantity = 0.001;        // base asset, inclusive
  int window = 100;                   // trades, 2 … 10000
  std::chrono::seconds max_gap{60};   // a longer silence empties the window; 0 = off
  double price_scale_percent = 0.05;  // the move that scores 1
  double quantity_multiple = 5;       // of the mean, the size that scores 1

  // `trades` are the `window` before this one, over which the means go; fewer are warming up, and
  // so is a window whose newest trade is longer ago than max_gap. side = −1 if the buyer is the
  // maker, else +1 price_score = clamp((p − mean_p)/mean_p × 100 / price_scale_percent, −1, 1)
  // quantity_score = side · min(1, q/(quantity_multiple · mean_q))        maker_score = side
  // momentum = w_price·price_score + w_quantity·quantity_score + w_maker·maker_score
  // Example: means 100 and 1, buy of 5 at 100.05 → scores 1, 1, 1 → momentum 1 → BUY with
  // confidence min(0.95, 0.65 + 0.2·1) = 0.85.
  [[nodiscard]] Verdict operator()(const Trade& trade, UnixMs at,
                                   const TradeWindow& trades) const noexcept;

  // Takes the trade into the window, which a silence before it has emptied; one below the minimum
  // quantity leaves it untouched.
  void remember(const Trade& trade, UnixMs at, TradeWindow& trades) const;

  // Its two steps, for who asks many thresholds about one trade: what all but the two of them
  // decides, and what they make of it.
  struct Score {
    std::optional<Outcome> settled{};  // whatever the thresholds
    Measure measure{};                 // of that
    Indicators indicators{};
    Price price{};

    [[nodiscard]] double momentum() const noexcept { return indicators[0].value(); }
  };
  [[nodiscard]] Score score(const Trade& trade, UnixMs at,
                            const TradeWindow& trades) const noexcept;
  [[nodiscard]] Direction direction(const Score& score) const noexcept {
    if (score.settled) return {{}, *score.settled};
    return {side_of(score.momentum(), buy_threshold, sell_threshold)};
  }
  // Of a side that direction() gives.
  [[nodiscard]] static std::optional<Signal> signal(const Score& score, Side side) noexcept;

  friend bool operator==(const TradeMomentum&, const TradeMomentum&) noexcept = default;

 private:
  [[nodiscard]] Measure warm_up_of(UnixMs at, const TradeWindow& trades) const noexcept;
  [[nodiscard]] bool counts(const Trade& trade) const noexcept {
    return trade.quantity.value() >= min_quantity;
  }
  [[nodiscard]] bool follows_silence(UnixMs at, const TradeWindow& trades) const noexcept {
    return max_gap.count() > 0 && trades.size() > 0 && at - trades.newest_at() > max_gap;
  }
};

}  // namespace rts
