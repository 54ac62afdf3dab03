// Hand-made prices and orders for tests of what orders would have come to.
#pragma once

#include <chrono>
#include <cmath>

#include "research/fills.hpp"

namespace rts::test {

[[nodiscard]] inline UnixMs at_seconds(double seconds) {
  return UnixMs{std::chrono::milliseconds{std::llround(seconds * 1'000)}};
}
[[nodiscard]] inline Quote quote(double bid, double ask) {
  return {*Price::from(bid), *Price::from(ask)};
}
[[nodiscard]] inline research::Spot spot(double seconds, double mid, double half_spread = 0) {
  return {at_seconds(seconds), mid, half_spread};
}
[[nodiscard]] inline Protection stops(double stop_loss, double take_profit) {
  return {*Price::from(stop_loss), *Price::from(take_profit)};
}

// An order of symbol 0 and account 0.
[[nodiscard]] inline research::AccountOrder buy(double quantity) {
  research::AccountOrder order;
  order.quantity = quantity;
  return order;
}
[[nodiscard]] inline research::AccountOrder buy(double quantity, const Protection& protection) {
  research::AccountOrder order = buy(quantity);
  order.protection = protection;
  return order;
}
[[nodiscard]] inline research::AccountOrder sell(double quantity) {
  research::AccountOrder order = buy(quantity);
  order.side = Side::sell;
  return order;
}
[[nodiscard]] inline research::AccountOrder sell(double quantity, const Protection& protection) {
  research::AccountOrder order = buy(quantity, protection);
  order.side = Side::sell;
  return order;
}
[[nodiscard]] inline research::AccountOrder close_long(double quantity) {
  research::AccountOrder order = sell(quantity);
  order.reduce_only = true;
  return order;
}

}  // namespace rts::test
