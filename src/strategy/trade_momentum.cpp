#include <algorithm>
#include <cmath>

#include <rts/strategy/trade_momentum.hpp>

#include "strategy/signal.hpp"

namespace rts {

Verdict TradeMomentum::operator()(const Trade& trade,
                                  const MomentumContext& context) const noexcept {
  const double price = trade.price.value();
  const double quantity = trade.quantity.value();
  if (quantity < parameters_.min_quantity) return {Outcome::below_min_quantity, {}, {}};
  if (context.count < static_cast<std::uint64_t>(parameters_.window)) {
    return {Outcome::warming_up, {}, {}};
  }

  const double side = trade.buyer_is_maker ? -1 : 1;
  const double price_score = std::clamp(
      (price - context.mean_price) / context.mean_price * 100 / parameters_.price_scale_percent,
      -1.0, 1.0);
  const double quantity_score =
      side * std::min(1.0, quantity / (parameters_.quantity_multiple * context.mean_quantity));
  const double maker_score = side;
  const double momentum = parameters_.price_weight * price_score +
                          parameters_.quantity_weight * quantity_score +
                          parameters_.maker_weight * maker_score;

  const auto indicators = make_indicators({momentum, price_score, quantity_score, maker_score});
  if (!indicators) return {};
  const auto signal = [&](Side direction) -> Verdict {
    const double confidence = 0.65 + 0.2 * std::abs(momentum);
    return {Outcome::neutral, make_signal(direction, trade.price, trade.price, confidence),
            *indicators};
  };
  if (momentum > parameters_.buy_threshold) return signal(Side::buy);
  if (momentum < parameters_.sell_threshold) return signal(Side::sell);
  return {Outcome::neutral, {}, *indicators};
}

MomentumContext TradeMomentum::updated(const MomentumContext& context,
                                       const Trade& trade) const noexcept {
  const double price = trade.price.value();
  const double quantity = trade.quantity.value();
  if (quantity < parameters_.min_quantity) return context;
  if (context.count == 0) return {price, quantity, 1};
  const double alpha = 2.0 / (parameters_.window + 1);
  return {context.mean_price + alpha * (price - context.mean_price),
          context.mean_quantity + alpha * (quantity - context.mean_quantity), context.count + 1};
}

}  // namespace rts
