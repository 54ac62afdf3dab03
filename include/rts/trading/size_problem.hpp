// SizeProblem: why a signal has no size, or no stops, for who explains it. SPEC §4.
#pragma once

#include <cstdint>

#include <rts/trading/terms.hpp>

namespace rts {

// The third number of size_measure() and protection_measure().
enum class SizeProblem : std::uint8_t {
  above_maximum,         // worth and the most of it, quote currency
  above_venue_worth,     // likewise
  above_venue_quantity,  // quantities; of a limit 0: it has more digits than can be written
  stop_loss,             // how far it is from the entry, and the tick, 0: not known; quote currency
  take_profit            // likewise
};

// Of a price that has no protection(): the first stop that protects nothing.
[[nodiscard]] Measure protection_measure(const OrderTerms& terms, Side side, Price price) noexcept;

}  // namespace rts
