// How much to order, and where its stops are: what the terms and the venue's filters make of a
// price. SPEC §4.
#pragma once

#include <optional>

#include <rts/base/decimal.hpp>
#include <rts/market/units.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/trading/terms.hpp>

namespace rts {

// notional = clamp(order, minimum, maximum); n = ⌊notional/(price·step) + 1e-9⌋ steps; if n·step·
// price is below the minimum, or below the venue's, n = ⌈that/(price·step) − 1e-9⌉; at least the
// venue's minimum quantity. The quantity n·step is exact in decimal.
// Empty when that is worth more than the maximum, or more than the venue takes at once.
// Example: 100 at price 3424.99 in steps of 0.001 → 29 steps → 0.029.
[[nodiscard]] std::optional<Decimal> order_quantity(const OrderTerms& terms, Price price) noexcept;

struct Protection {
  Price stop_loss;
  Price take_profit;
};

// BUY: stop_loss = price·(1 − stop_loss_percent/100), take_profit = price·(1 + take_profit_percent/
// 100); SELL mirrored. Where the tick is known both are rounded to it: to the nearest, a tie away
// from the price. Empty when one of them protects nothing: it is no price, or rounded to the entry.
[[nodiscard]] std::optional<Protection> protection(const OrderTerms& terms, Side side,
                                                   Price price) noexcept;

// Whether an order of this side can only close a LONG, never open.
[[nodiscard]] constexpr bool is_reduce_only(const OrderTerms& terms, Side side) noexcept {
  return side == Side::sell && terms.sells != Sells::open_short;
}

}  // namespace rts
