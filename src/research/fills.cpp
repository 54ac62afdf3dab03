#include "research/fills.hpp"

#include <algorithm>
#include <cassert>

namespace rts::research {

AccountOrder account_order(std::size_t account, const Decision& decision) noexcept {
  assert(decision.order.has_value());
  const Order& order = *decision.order;
  return {account,           decision.symbol_index,      order.strategy,  order.signal.side,
          order.reduce_only, order.quantity.to_double(), order.protection};
}

double taker_price(Side side, double mid, double half_spread) noexcept {
  return side == Side::buy ? mid + half_spread : std::max(mid - half_spread, 0.0);
}

}  // namespace rts::research
