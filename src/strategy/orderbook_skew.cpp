#include <algorithm>

#include <rts/strategy/orderbook_skew.hpp>

namespace rts {
namespace {

double top_volume(const BookSide& side, int top_levels) noexcept {
  const auto levels = side.levels();
  const auto count = std::min(static_cast<std::size_t>(top_levels), levels.size());
  double volume = 0;
  for (const Level& level : levels.first(count)) volume += level.quantity.value();
  return volume;
}

}  // namespace

Verdict OrderbookSkew::operator()(const Book& book) const noexcept {
  const double bid = book.bids.best().price.value();
  const double ask = book.asks.best().price.value();
  const double bid_volume = top_volume(book.bids, parameters_.top_levels);
  const double ask_volume = top_volume(book.asks, parameters_.top_levels);
  const double spread_percent = (ask - bid) / bid * 100;
  const double ratio = bid_volume / ask_volume;

  const auto indicators = make_indicators({bid_volume, ask_volume, ratio, spread_percent});
  const auto mid = Price::from((bid + ask) / 2);
  if (!indicators || !mid) return {};
  if (spread_percent < parameters_.min_spread_percent) {
    return {Outcome::spread_below_minimum, {}, *indicators};
  }
  if (parameters_.max_spread_percent > 0 && spread_percent > parameters_.max_spread_percent) {
    return {Outcome::spread_above_maximum, {}, *indicators};
  }
  const auto side = side_of(ratio, parameters_.buy_threshold, parameters_.sell_threshold);
  if (!side) return {Outcome::neutral, {}, *indicators};
  const bool buys = *side == Side::buy;
  const double excess = buys ? ratio - parameters_.buy_threshold
                             : ask_volume / bid_volume - 1 / parameters_.sell_threshold;
  const Price price = (buys ? book.asks : book.bids).best().price;
  return {Outcome::neutral, make_signal(*side, price, *mid, 0.60 + 0.5 * excess), *indicators};
}

}  // namespace rts
