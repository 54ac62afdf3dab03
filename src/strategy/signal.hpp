// What the three strategies share when they put a verdict together.
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include <rts/strategy/verdict.hpp>

namespace rts {

// Empty when one of the numbers is not finite: such a verdict must not trade.
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

// Confidence is capped at 0.95: no strategy is certain.
[[nodiscard]] inline std::optional<Signal> make_signal(Side side, Price price, Price current_price,
                                                       double confidence) noexcept {
  const auto capped = Confidence::from(std::min(0.95, confidence));
  if (!capped) return std::nullopt;
  return Signal{side, price, current_price, *capped};
}

}  // namespace rts
