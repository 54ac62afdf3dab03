#include <algorithm>

#include <rts/strategy/orderbook_skew.hpp>

namespace rts {
namespace {

double top_volume(std::span<const Level> levels, int top_levels) noexcept {
  const auto count = std::min(static_cast<std::size_t>(top_levels), levels.size());
  double volume = 0;
  for (const Level& level : levels.first(count)) volume += level.quantity.value();
  return volume;
}

}  // namespace

Verdict OrderbookSkew::operator()(const Book& book) const noexcept {
  const double bid = book.bids.front().price.value();
  const double ask = book.asks.front().price.value();
  const double bid_volume = top_volume(book.bids, top_levels);
  const double ask_volume = top_volume(book.asks, top_levels);
  const double spread_percent = (ask - bid) / bid * 100;
  const double ratio = bid_volume / ask_volume;

  const auto indicators = make_indicators({bid_volume, ask_volume, ratio, spread_percent});
  const auto mid = Price::from((bid + ask) / 2);
  if (!indicators || !mid) return {};
  if (spread_percent < min_spread_percent) {
    return {Outcome::spread_below_minimum, {}, *indicators, {spread_percent, min_spread_percent}};
  }
  if (max_spread_percent > 0 && spread_percent > max_spread_percent) {
    return {Outcome::spread_above_maximum, {}, *indicators, {spread_percent, max_spread_percent}};
  }
  const Measure measure{ratio, buy_threshold, sell_threshold};
  const auto side = side_of(ratio, buy_threshold, sell_threshold);
  if (!side) return {Outcome::neutral, {}, *indicators, measure};
  const bool buys = *side == Side::buy;
  const double excess = buys ? ratio - buy_threshold : ask_volume / bid_volume - 1 / sell_threshold;
  const Price price = (buys ? book.asks : book.bids).front().price;
  return {Outcome::neutral, make_signal(*side, price, *mid, 0.60 + 0.5 * excess), *indicators,
          measure};
}

}  // namespace rts
