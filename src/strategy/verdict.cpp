#include <rts/strategy/verdict.hpp>

namespace rts {

bool can_end_in(StrategyId id, Outcome outcome) noexcept {
  using enum Outcome;
  if (outcome == spread_below_minimum || outcome == spread_above_maximum) {
    return id == StrategyId::orderbook_skew;
  }
  if (outcome == below_min_quantity) return id == StrategyId::trade_momentum;
  if (outcome == warming_up) return id != StrategyId::orderbook_skew;
  return outcome != below_min_price_change || id == StrategyId::ticker_velocity;
}

std::span<const std::string_view> indicator_names(StrategyId id) noexcept {
  static constexpr std::array<std::string_view, 4> kSkew{"bid_volume", "ask_volume", "ratio",
                                                         "spread_percent"};
  static constexpr std::array<std::string_view, 4> kMomentum{"momentum", "price_score",
                                                             "quantity_score", "maker_score"};
  static constexpr std::array<std::string_view, 3> kVelocity{"velocity", "price_change_percent",
                                                             "window_seconds"};
  switch (id) {
    case StrategyId::orderbook_skew: return kSkew;
    case StrategyId::trade_momentum: return kMomentum;
    case StrategyId::ticker_velocity: return kVelocity;
  }
  return {};
}

}  // namespace rts
