#include <algorithm>
#include <cmath>
#include <cstdint>

#include <rts/trading/sizing.hpp>

namespace rts {

std::optional<Decimal> order_quantity(const SizeLimits& limits, const Decimal& step,
                                      Price price) noexcept {
  if (!std::isfinite(2 * price.value())) return std::nullopt;
  constexpr double kMostSteps = 9e15;  // whole numbers are exact in double up to 2^53
  const double notional =
      std::clamp(limits.order.value(), limits.minimum.value(), limits.maximum.value());
  const double step_size = step.to_double();
  double steps = std::floor(notional / (price.value() * step_size) + 1e-9);
  if (!(steps < kMostSteps)) return std::nullopt;
  const auto value = [&] { return steps * step_size * price.value(); };
  if (steps < 1 || value() < limits.minimum.value()) {
    steps += 1;
    if (value() > limits.maximum.value()) return std::nullopt;
  }
  return step.times(static_cast<std::int64_t>(steps));
}

}  // namespace rts
