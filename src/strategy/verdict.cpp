#include <rts/strategy/verdict.hpp>

namespace rts {

std::string_view to_string(StrategyId id) noexcept {
  switch (id) {
    case StrategyId::orderbook_skew:
      return "orderbook_skew";
    case StrategyId::trade_momentum:
      return "trade_momentum";
    case StrategyId::ticker_velocity:
      return "ticker_velocity";
  }
  return "";
}

std::string_view to_string(Side side) noexcept {
  return side == Side::buy ? "BUY" : "SELL";
}

std::string_view to_string(Outcome outcome) noexcept {
  static constexpr std::array<std::string_view, kOutcomeCount> kNames{"disabled",
                                                                      "spread_below_minimum",
                                                                      "spread_above_maximum",
                                                                      "below_min_quantity",
                                                                      "warming_up",
                                                                      "below_min_price_change",
                                                                      "neutral",
                                                                      "paused",
                                                                      "shorts_disabled",
                                                                      "low_confidence",
                                                                      "no_reference",
                                                                      "price_band",
                                                                      "cooldown",
                                                                      "daily_limit",
                                                                      "rate_limit",
                                                                      "size_limit",
                                                                      "signal_buy",
                                                                      "signal_sell"};
  return kNames[static_cast<std::size_t>(outcome)];
}

bool can_end_in(StrategyId id, Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::spread_below_minimum:
    case Outcome::spread_above_maximum:
      return id == StrategyId::orderbook_skew;
    case Outcome::below_min_quantity:
      return id == StrategyId::trade_momentum;
    case Outcome::warming_up:
      return id != StrategyId::orderbook_skew;
    case Outcome::below_min_price_change:
      return id == StrategyId::ticker_velocity;
    case Outcome::disabled:
    case Outcome::neutral:
    case Outcome::paused:
    case Outcome::shorts_disabled:
    case Outcome::low_confidence:
    case Outcome::no_reference:
    case Outcome::price_band:
    case Outcome::cooldown:
    case Outcome::daily_limit:
    case Outcome::rate_limit:
    case Outcome::size_limit:
    case Outcome::signal_buy:
    case Outcome::signal_sell:
      return true;
  }
  return false;
}

std::span<const std::string_view> indicator_names(StrategyId id) noexcept {
  static constexpr std::array<std::string_view, 4> kSkew{"bid_volume", "ask_volume", "ratio",
                                                         "spread_percent"};
  static constexpr std::array<std::string_view, 4> kMomentum{"momentum", "price_score",
                                                             "quantity_score", "maker_score"};
  static constexpr std::array<std::string_view, 3> kVelocity{"velocity", "price_change_percent",
                                                             "window_seconds"};
  switch (id) {
    case StrategyId::orderbook_skew:
      return kSkew;
    case StrategyId::trade_momentum:
      return kMomentum;
    case StrategyId::ticker_velocity:
      return kVelocity;
  }
  return {};
}

}  // namespace rts
