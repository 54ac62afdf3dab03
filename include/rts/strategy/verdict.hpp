// What a strategy, and after it the gate, has to say about one event. Not trading is an answer with
// a reason too: every evaluated event ends in exactly one Outcome (SPEC: the accounting identity).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <rts/market/units.hpp>

namespace rts {

enum class StrategyId : std::uint8_t { orderbook_skew, trade_momentum, ticker_velocity };
inline constexpr std::array kStrategies{StrategyId::orderbook_skew, StrategyId::trade_momentum,
                                        StrategyId::ticker_velocity};
[[nodiscard]] std::string_view to_string(StrategyId id) noexcept;
[[nodiscard]] constexpr std::size_t index_of(StrategyId id) noexcept {
  return static_cast<std::size_t>(id);
}

enum class Side : std::uint8_t { buy, sell };
[[nodiscard]] std::string_view to_string(Side side) noexcept;  // "BUY", "SELL"

enum class Outcome : std::uint8_t {
  // said by the engine or a strategy
  disabled,
  spread_below_minimum,
  spread_above_maximum,
  below_min_quantity,
  warming_up,
  below_min_price_change,
  neutral,
  // said by the gate
  paused,
  shorts_disabled,
  low_confidence,
  no_reference,
  price_band,
  cooldown,
  daily_limit,
  rate_limit,
  size_limit,
  signal_buy,
  signal_sell,
};
inline constexpr std::size_t kOutcomeCount = 18;
[[nodiscard]] std::string_view to_string(Outcome outcome) noexcept;
// Whether a strategy can ever end an event so; metrics and docs walk this.
[[nodiscard]] bool can_end_in(StrategyId id, Outcome outcome) noexcept;
[[nodiscard]] constexpr bool is_signal(Outcome outcome) noexcept {
  return outcome == Outcome::signal_buy || outcome == Outcome::signal_sell;
}

// A strategy's wish to trade.
struct Signal {
  Side side = Side::buy;
  Price price;          // what the order is sized and protected by
  Price current_price;  // mid, or the last trade
  Confidence confidence;
};

// The numbers that led to a verdict; `indicator_names` says which they are.
using Indicators = std::array<Indicator, 4>;
[[nodiscard]] std::span<const std::string_view> indicator_names(StrategyId id) noexcept;

struct Verdict {
  Outcome outcome = Outcome::neutral;  // meaningful when there is no signal
  std::optional<Signal> signal;
  Indicators indicators{};
};

}  // namespace rts
