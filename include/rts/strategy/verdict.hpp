// What a strategy, and after it the gate, has to say about one event. Not trading is an answer with
// a reason too: every evaluated event ends in exactly one Outcome (SPEC: the accounting identity).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <rts/base/enum_names.hpp>
#include <rts/market/units.hpp>

namespace rts {

BOOST_DEFINE_FIXED_ENUM_CLASS(StrategyId, std::uint8_t, orderbook_skew, trade_momentum,
                              ticker_velocity)

BOOST_DEFINE_FIXED_ENUM_CLASS(Side, std::uint8_t, buy, sell)
[[nodiscard]] constexpr std::string_view to_string(Side side) noexcept {  // as orders spell it
  return side == Side::buy ? "BUY" : "SELL";
}

// Up to `neutral` said by the engine or a strategy, from `paused` on by the gate.
BOOST_DEFINE_FIXED_ENUM_CLASS(Outcome, std::uint8_t, disabled, spread_below_minimum,
                              spread_above_maximum, below_min_quantity, warming_up,
                              below_min_price_change, neutral, paused, shorts_disabled,
                              low_confidence, no_reference, price_band, cooldown, daily_limit,
                              rate_limit, size_limit, signal_buy, signal_sell)
// Whether a strategy can ever end an event so; metrics and docs walk this.
[[nodiscard]] constexpr bool can_end_in(StrategyId id, Outcome outcome) noexcept {
  using enum Outcome;
  if (outcome == spread_below_minimum || outcome == spread_above_maximum) {
    return id == StrategyId::orderbook_skew;
  }
  if (outcome == below_min_quantity) return id == StrategyId::trade_momentum;
  if (outcome == warming_up) return id != StrategyId::orderbook_skew;
  return outcome != below_min_price_change || id == StrategyId::ticker_velocity;
}
[[nodiscard]] constexpr bool is_signal(Outcome outcome) noexcept {
  return outcome == Outcome::signal_buy || outcome == Outcome::signal_sell;
}

// What a strategy wants to trade.
struct Signal {
  Side side = Side::buy;
  Price price;          // what the order is sized and protected by
  Price current_price;  // mid, or the last trade
  Confidence confidence;
};

// The numbers that led to a verdict; `indicator_names` says which they are.
using Indicators = std::array<Indicator, 4>;
inline constexpr std::array<std::array<std::string_view, 4>, count_of<StrategyId>> kIndicatorNames{
    {{"bid_volume", "ask_volume", "ratio", "spread_percent"},
     {"momentum", "price_score", "quantity_score", "maker_score"},
     {"velocity", "price_change_percent", "window_seconds"}}};
[[nodiscard]] constexpr std::span<const std::string_view> indicator_names(StrategyId id) noexcept {
  const auto& names = kIndicatorNames[index_of(id)];
  return {names.begin(), std::find(names.begin(), names.end(), "")};
}

// The number that decided, and what it was held against. Of which numbers and in which unit, is the
// outcome's; what has none leaves them 0.
struct Measure {
  double value = 0;
  double limit = 0;  // of a score: the threshold above which it buys
  double other = 0;  // and below which it sells; of other outcomes a third number
};

struct Verdict {
  Outcome outcome = Outcome::neutral;  // meaningful when there is no signal
  std::optional<Signal> signal;
  Indicators indicators{};
  Measure measure{};
};

// Which way a strategy's thresholds send what it sees; or, where there is no side, why not.
struct Direction {
  std::optional<Side> side{};
  Outcome otherwise = Outcome::neutral;
};

// What the strategies share. Empty when a number is not finite: such a verdict must not trade.
[[nodiscard]] inline std::optional<Indicators> make_indicators(
    const std::array<double, 4>& numbers) noexcept {
  Indicators indicators;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto indicator = Indicator::from(numbers[i]);
    if (!indicator) return std::nullopt;
    indicators[i] = *indicator;
  }
  return indicators;
}

// BUY strictly above the one threshold, SELL strictly below the other.
[[nodiscard]] inline std::optional<Side> side_of(double score, double buy_threshold,
                                                 double sell_threshold) noexcept {
  if (score > buy_threshold) return Side::buy;
  return score < sell_threshold ? std::optional(Side::sell) : std::nullopt;
}

// Confidence is capped at 0.95: no strategy is certain.
[[nodiscard]] inline std::optional<Signal> make_signal(Side side, Price price, Price current_price,
                                                       double confidence) noexcept {
  const auto capped = Confidence::from(std::min(0.95, confidence));
  if (!capped) return std::nullopt;
  return Signal{side, price, current_price, *capped};
}

}  // namespace rts
