#include <cmath>

#include <rts/market/events.hpp>

namespace rts {

double ReferencePrice::distance_percent(Price other) const noexcept {
  return std::abs(other.value() - price.value()) / price.value() * 100;
}

}  // namespace rts
