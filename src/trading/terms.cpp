#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>

#include <rts/trading/terms.hpp>

namespace rts {
namespace {

constexpr double kMostWhole = 9e15;  // whole numbers are exact in double up to 2^53

// What is a whole number but for the error of a division counts as that number.
constexpr double kDivisionError = 1e-9;

double whole_steps_up(double amount, double step) noexcept {
  return std::ceil(amount / step - kDivisionError);
}

double whole_steps_down(double amount, double step) noexcept {
  return std::floor(amount / step + kDivisionError);
}

// The nearest price in whole ticks; a tie goes away from the entry. Empty when that is the entry
// itself: such a stop protects nothing.
std::optional<Price> in_ticks(double price, const Decimal& tick, Price entry) noexcept {
  if (tick.is_zero()) return Price::from(price);
  const double ticks = price / tick.to_double();
  if (!(ticks < kMostWhole)) return std::nullopt;
  double whole = std::floor(ticks);
  const double rest = ticks - whole;
  // The quotient of two decimals is off by some units in its last place.
  const double error = ticks * 8 * std::numeric_limits<double>::epsilon();
  const bool is_tie = std::abs(rest - 0.5) <= error;
  if (is_tie ? price > entry.value() : rest > 0.5) whole += 1;
  const auto rounded = tick.times(static_cast<std::int64_t>(whole));
  const auto result = rounded ? Price::from(rounded->to_double()) : std::nullopt;
  return result == entry ? std::nullopt : result;
}

std::optional<Price> stop_loss_of(const OrderTerms& terms, Side side, Price price) noexcept {
  const double toward_loss = side == Side::buy ? -1 : 1;
  const double stop = price.value() * (1 + toward_loss * terms.stop_loss_percent / 100);
  return in_ticks(stop, terms.instrument.tick, price);
}

std::optional<Price> take_profit_of(const OrderTerms& terms, Side side, Price price) noexcept {
  const double toward_loss = side == Side::buy ? -1 : 1;
  const double target = price.value() * (1 - toward_loss * terms.take_profit_percent / 100);
  return in_ticks(target, terms.instrument.tick, price);
}

// What an order would be, before it is held against the most it may be.
struct Size {
  double steps, worth, most;
};

Size size_of(const OrderTerms& terms, Price price) noexcept {
  const auto& [order, minimum, maximum] = terms.size;
  const Instrument& instrument = terms.instrument;
  assert(minimum <= maximum && !instrument.quantity_step.is_zero());
  const double step = instrument.quantity_step.to_double();
  const double least = std::max(minimum.value(), instrument.min_notional);
  const double most = instrument.max_notional > 0
                          ? std::min(maximum.value(), instrument.max_notional)
                          : maximum.value();
  const double notional = std::clamp(order.value(), minimum.value(), maximum.value());

  double steps = whole_steps_down(notional, price.value() * step);
  if (steps * step * price.value() < least) {
    // One at least: of a step worth a billion minimums, the allowance for the error leaves none.
    steps = std::max(1.0, whole_steps_up(least, price.value() * step));
  }
  if (!instrument.min_quantity.is_zero()) {
    steps = std::max(steps, whole_steps_up(instrument.min_quantity.to_double(), step));
  }
  return {steps, steps * step * price.value(), most};
}

bool is_above_venue_quantity(const Instrument& instrument, double steps) noexcept {
  return !instrument.max_quantity.is_zero() &&
         steps > whole_steps_down(instrument.max_quantity.to_double(),
                                  instrument.quantity_step.to_double());
}

}  // namespace

std::optional<Decimal> order_quantity(const OrderTerms& terms, Price price) noexcept {
  const Instrument& instrument = terms.instrument;
  const auto [steps, worth, most] = size_of(terms, price);
  if (!(steps < kMostWhole) || worth > most) return std::nullopt;
  if (is_above_venue_quantity(instrument, steps)) return std::nullopt;
  return instrument.quantity_step.times(static_cast<std::int64_t>(steps));
}

Measure size_measure(const OrderTerms& terms, Price price) noexcept {
  const Instrument& instrument = terms.instrument;
  const auto [steps, worth, most] = size_of(terms, price);
  const auto measure = [](double value, double limit, SizeProblem problem) {
    return Measure{value, limit, static_cast<double>(problem)};
  };
  const double maximum = terms.size.maximum.value();
  if (worth > maximum) return measure(worth, maximum, SizeProblem::above_maximum);
  if (worth > most) return measure(worth, most, SizeProblem::above_venue_worth);
  const bool is_above = is_above_venue_quantity(instrument, steps);
  return measure(steps * instrument.quantity_step.to_double(),
                 is_above ? instrument.max_quantity.to_double() : 0,
                 SizeProblem::above_venue_quantity);
}

std::optional<Protection> protection(const OrderTerms& terms, Side side, Price price) noexcept {
  const auto stop_loss = stop_loss_of(terms, side, price);
  const auto take_profit = take_profit_of(terms, side, price);
  if (!stop_loss || !take_profit) return std::nullopt;
  return Protection{*stop_loss, *take_profit};
}

Measure protection_measure(const OrderTerms& terms, Side side, Price price) noexcept {
  const bool is_loss = !stop_loss_of(terms, side, price);
  const double percent = is_loss ? terms.stop_loss_percent : terms.take_profit_percent;
  const auto problem = is_loss ? SizeProblem::stop_loss : SizeProblem::take_profit;
  return {price.value() * percent / 100, terms.instrument.tick.to_double(),
          static_cast<double>(problem)};
}

}  // namespace rts
