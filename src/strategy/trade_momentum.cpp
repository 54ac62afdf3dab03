#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

#include <rts/strategy/trade_momentum.hpp>

namespace rts {

constexpr std::uint64_t kExactPerUnit = 1'000'000'000'000;  // 10^12

// value = mantissa · 2^−shift, so value · 10^12 = (mantissa · 10^12) >> shift, rounded.
ExactSum to_exact(double value) noexcept {
  assert(value >= 0 && value < kMarketNumbersBelow);
  constexpr unsigned kFractionBits = 52;
  constexpr unsigned kExponentOfOne = 1023;
  constexpr unsigned kMostShift = 93;  // mantissa · 10^12 is below 2^93: nothing is left beyond
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto exponent = static_cast<unsigned>(bits >> kFractionBits);
  const std::uint64_t hidden = std::uint64_t{1} << kFractionBits;
  const ExactSum product = ExactSum{(bits & (hidden - 1)) | hidden} * kExactPerUnit;
  const unsigned shift = kExponentOfOne + kFractionBits - exponent;  // >= 3: value is below 2^50
  if (shift > kMostShift) return 0;
  const ExactSum down = product >> shift;
  const ExactSum half = ExactSum{1} << (shift - 1);
  return (product + half - 1 + (down & 1)) >> shift;
}

void TradeWindow::append(const Trade& trade, UnixMs at, std::size_t most) {
  assert(most > 0);
  if (held_.capacity() != most) {
    keep(most);
    held_.set_capacity(most);
  }
  if (held_.full()) {
    price_sum_ -= held_.front().price;
    quantity_sum_ -= held_.front().quantity;
  }
  const Held joining{to_exact(trade.price.value()), to_exact(trade.quantity.value())};
  held_.push_back(joining);  // in the place of the oldest when it is full
  price_sum_ += joining.price;
  quantity_sum_ += joining.quantity;
  newest_at_ = at;
}

void TradeWindow::keep(std::size_t most) noexcept {
  while (size() > most) {
    price_sum_ -= held_.front().price;
    quantity_sum_ -= held_.front().quantity;
    held_.pop_front();
  }
}

void TradeWindow::clear() noexcept {
  held_.clear();
  price_sum_ = quantity_sum_ = 0;
}

double TradeWindow::mean(ExactSum sum) const noexcept {
  assert(size() > 0);
  // Nearly always the sum fits in 64 bits, and those are converted by one instruction.
  const bool fits = (sum >> 63U) == 0;
  const double total =
      fits ? static_cast<double>(static_cast<std::int64_t>(sum)) : static_cast<double>(sum);
  return total / static_cast<double>(static_cast<std::int64_t>(size() * kExactPerUnit));
}

TradeMomentum::Score TradeMomentum::score(const Trade& trade, UnixMs at,
                                          const TradeWindow& trades) const noexcept {
  const double price = trade.price.value();
  const double quantity = trade.quantity.value();
  if (!counts(trade)) return {Outcome::below_min_quantity, {quantity, min_quantity}};
  if (trades.size() < static_cast<std::size_t>(window) || follows_silence(at, trades)) {
    return {Outcome::warming_up, warm_up_of(at, trades)};
  }
  const double mean_price = trades.mean_price();
  const double mean_quantity = trades.mean_quantity();
  if (mean_price == 0 || mean_quantity == 0) return {Outcome::neutral};  // all round to zero

  const double maker_score = trade.buyer_is_maker ? -1 : 1;
  const double price_score =
      std::clamp((price - mean_price) / mean_price * 100 / price_scale_percent, -1.0, 1.0);
  const double quantity_score =
      maker_score * std::min(1.0, quantity / (quantity_multiple * mean_quantity));
  const double momentum =
      price_weight * price_score + quantity_weight * quantity_score + maker_weight * maker_score;
  const auto indicators = make_indicators({momentum, price_score, quantity_score, maker_score});
  if (!indicators) return {Outcome::neutral};
  return {{}, {}, *indicators, trade.price};
}

std::optional<Signal> TradeMomentum::signal(const Score& score, Side side) noexcept {
  return make_signal(side, score.price, score.price, 0.65 + 0.2 * std::abs(score.momentum()));
}

Verdict TradeMomentum::operator()(const Trade& trade, UnixMs at,
                                  const TradeWindow& trades) const noexcept {
  const Score seen = score(trade, at, trades);
  if (seen.settled) return {*seen.settled, {}, {}, seen.measure};
  const auto side = direction(seen).side;
  const Measure measure{seen.momentum(), buy_threshold, sell_threshold};
  if (!side) return {Outcome::neutral, {}, seen.indicators, measure};
  return {Outcome::neutral, signal(seen, *side), seen.indicators, measure};
}

// Trades that are known of those it takes, and the seconds of silence that have emptied the window.
Measure TradeMomentum::warm_up_of(UnixMs at, const TradeWindow& trades) const noexcept {
  if (!follows_silence(at, trades)) {
    return {static_cast<double>(trades.size()), static_cast<double>(window)};
  }
  const std::chrono::duration<double> silence = at - trades.newest_at();
  return {0, static_cast<double>(window), silence.count()};
}

void TradeMomentum::remember(const Trade& trade, UnixMs at, TradeWindow& trades) const {
  if (!counts(trade)) return;
  if (follows_silence(at, trades)) trades.clear();
  trades.append(trade, at, static_cast<std::size_t>(window));
}

}  // namespace rts
