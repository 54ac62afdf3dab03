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

OrderbookSkew::Score OrderbookSkew::score(const Book& book) const noexcept {
  const double bid = book.bids.front().price.value();
  const double ask = book.asks.front().price.value();
  const double bid_volume = top_volume(book.bids, top_levels);
  const double ask_volume = top_volume(book.asks, top_levels);
  const double spread_percent = (ask - bid) / bid * 100;
  const double ratio = bid_volume / ask_volume;

  const auto indicators = make_indicators({bid_volume, ask_volume, ratio, spread_percent});
  const auto mid = Price::from((bid + ask) / 2);
  if (!indicators || !mid) return {};
  return {true, *indicators, book.bids.front().price, book.asks.front().price, *mid};
}

std::optional<Signal> OrderbookSkew::signal(const Score& score, Side side) const noexcept {
  const bool buys = side == Side::buy;
  const double bid_volume = score.indicators[0].value(), ask_volume = score.indicators[1].value();
  const double excess =
      buys ? score.ratio() - buy_threshold : ask_volume / bid_volume - 1 / sell_threshold;
  return make_signal(side, buys ? score.ask : score.bid, score.mid, 0.60 + 0.5 * excess);
}

Verdict OrderbookSkew::operator()(const Book& book) const noexcept {
  const Score seen = score(book);
  if (!seen.is_sound) return {};
  const auto [side, otherwise] = direction(seen);
  if (otherwise == Outcome::spread_below_minimum) {
    return {otherwise, {}, seen.indicators, {seen.spread_percent(), min_spread_percent}};
  }
  if (otherwise == Outcome::spread_above_maximum) {
    return {otherwise, {}, seen.indicators, {seen.spread_percent(), max_spread_percent}};
  }
  const Measure measure{seen.ratio(), buy_threshold, sell_threshold};
  if (!side) return {otherwise, {}, seen.indicators, measure};
  return {otherwise, signal(seen, *side), seen.indicators, measure};
}

}  // namespace rts
