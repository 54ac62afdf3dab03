// The domain's numbers. Each is a finite double that has passed its rule; none converts to another.
#pragma once

#include <cmath>
#include <type_traits>

#include <rts/base/checked.hpp>

namespace rts {

// No market has prices or quantities as large: a larger number is an error of its sender.
inline constexpr double kMarketNumbersBelow = 1e15;

struct PriceRule {  // quote currency per unit of the base asset
  static constexpr double kInitial = 1;
  static bool admits(double value) noexcept { return value > 0 && value < kMarketNumbersBelow; }
};
struct QuantityRule {  // units of the base asset
  static constexpr double kInitial = 0;
  static bool admits(double value) noexcept { return value >= 0 && value < kMarketNumbersBelow; }
};
struct NotionalRule {  // quote currency
  static constexpr double kInitial = 1;
  static bool admits(double value) noexcept { return value > 0 && std::isfinite(value); }
};
struct ConfidenceRule {  // 0 … 1
  static constexpr double kInitial = 0;
  static bool admits(double value) noexcept { return value >= 0 && value <= 1; }
};
struct IndicatorRule {  // a number a strategy saw; its name says the unit
  static constexpr double kInitial = 0;
  static bool admits(double value) noexcept { return std::isfinite(value); }
};

using Price = Checked<PriceRule>;
using Quantity = Checked<QuantityRule>;
using Notional = Checked<NotionalRule>;
using Confidence = Checked<ConfidenceRule>;
using Indicator = Checked<IndicatorRule>;

static_assert(!std::is_convertible_v<Price, Quantity> && !std::is_constructible_v<Price, Quantity>);
static_assert(!std::is_constructible_v<Price, double>, "prices are made by Price::from");

}  // namespace rts
