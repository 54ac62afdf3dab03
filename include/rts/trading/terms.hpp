// OrderTerms: what an order of one symbol is held to and made with, the venue's filters among it;
// and what they make of a price: how much is ordered, and where the stops are. The gate and the
// order read this one value. Usable from any thread. SPEC §4.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <rts/base/decimal.hpp>
#include <rts/market/units.hpp>
#include <rts/strategy/verdict.hpp>

namespace rts {

// What the venue takes of an instrument: the filters an order of it has to pass. Source: Binance's
// exchangeInfo, or the settings where there is none.
struct Instrument {
  Decimal quantity_step = *Decimal::parse("0.001");  // base asset, not zero
  Decimal min_quantity{};                            // base asset; zero: none
  Decimal max_quantity{};                            // base asset; zero: none
  double min_notional = 0;                           // quote currency; 0: none
  double max_notional = 0;                           // quote currency; 0: none
  Decimal tick{};                                    // quote currency; zero: not known
};

// Quote currency. Precondition: minimum <= maximum.
struct SizeLimits {
  Notional order = *Notional::from(100);
  Notional minimum = *Notional::from(10);
  Notional maximum = *Notional::from(1000);
};

// What a SELL does. `refused`: it may only close, and the format of the orders cannot say so.
enum class Sells : std::uint8_t { open_short, close_long, refused };

struct OrderTerms {
  double min_confidence = 0.6;         // 0 … 1, inclusive
  std::chrono::seconds cooldown{900};  // per strategy, symbol and side; 0 = off, one id an event
  SizeLimits size{};
  Instrument instrument{};
  Sells sells = Sells::open_short;
  int leverage = 1;                          // 1 … 125
  std::chrono::seconds ttl{5};               // of an opening order
  std::chrono::seconds reduce_only_ttl{30};  // of one that can only close
  double stop_loss_percent = 2;              // of the price, 0 < x < 100
  double take_profit_percent = 4;            // of the price, 0 < x < 100
};

// notional = clamp(order, minimum, maximum); n = ⌊notional/(price·step) + 1e-9⌋ steps; if n·step·
// price is below the minimum, or below the venue's, n = ⌈that/(price·step) − 1e-9⌉; at least the
// venue's minimum quantity. The quantity n·step is exact in decimal.
// Empty when that is worth more than the maximum, or more than the venue takes at once.
// Example: 100 at price 3424.99 in steps of 0.001 → 29 steps → 0.029.
[[nodiscard]] std::optional<Decimal> order_quantity(const OrderTerms& terms, Price price) noexcept;

// Why a signal has no size, or no stops, for who explains it: the third number of size_measure()
// and protection_measure(), and what the first two are.
enum class SizeProblem : std::uint8_t {
  above_maximum,         // worth and the most of it, quote currency
  above_venue_worth,     // likewise
  above_venue_quantity,  // quantities; of a limit 0: it has more digits than can be written
  stop_loss,             // how far it is from the entry, and the tick, 0: not known; quote currency
  take_profit            // likewise
};

// Of a price that has no order_quantity().
[[nodiscard]] Measure size_measure(const OrderTerms& terms, Price price) noexcept;

struct Protection {
  Price stop_loss;
  Price take_profit;
};

// BUY: stop_loss = price·(1 − stop_loss_percent/100), take_profit = price·(1 + take_profit_percent/
// 100); SELL mirrored. Where the tick is known both are rounded to it: to the nearest, a tie away
// from the price. Empty when one of them protects nothing: it is no price, or rounded to the entry.
[[nodiscard]] std::optional<Protection> protection(const OrderTerms& terms, Side side,
                                                   Price price) noexcept;

// Of a price that has no protection(): the first stop that protects nothing.
[[nodiscard]] Measure protection_measure(const OrderTerms& terms, Side side, Price price) noexcept;

// Whether an order of this side can only close a LONG, never open.
[[nodiscard]] constexpr bool is_reduce_only(const OrderTerms& terms, Side side) noexcept {
  return side == Side::sell && terms.sells != Sells::open_short;
}

}  // namespace rts
