// How much to order: notional in quote currency → a quantity in whole steps. SPEC §4.
#pragma once

#include <optional>

#include <rts/base/decimal.hpp>
#include <rts/market/units.hpp>

namespace rts {

// Quote currency. Precondition: minimum <= maximum.
struct SizeLimits {
  Notional order = *Notional::from(100);
  Notional minimum = *Notional::from(10);
  Notional maximum = *Notional::from(1000);
};

// notional = clamp(order, minimum, maximum); n = ⌊notional/(price·step) + 1e-9⌋ steps; if n < 1 or
// n·step·price < minimum, one step more; empty when that exceeds the maximum. The quantity n·step
// is exact in decimal. Example: 100 at price 3424.99 in steps of 0.001 → 29 steps → 0.029.
// Empty also where twice the price is beyond double's range: such an order could not be protected.
// Precondition: step is not zero.
[[nodiscard]] std::optional<Decimal> order_quantity(const SizeLimits& limits, const Decimal& step,
                                                    Price price) noexcept;

}  // namespace rts
