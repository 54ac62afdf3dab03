#include <cmath>

#include <rts/market/events.hpp>

namespace rts {

std::string_view to_string(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::book:
      return "book";
    case EventKind::trade:
      return "trade";
    case EventKind::ticker:
      return "ticker";
    case EventKind::other:
      return "other";
    case EventKind::control:
      return "control";
    case EventKind::unknown:
      return "unknown";
  }
  return "unknown";
}

double ReferencePrice::distance_percent(Price other) const noexcept {
  return std::abs(other.value() - price.value()) / price.value() * 100;
}

}  // namespace rts
