#include "research/decision_counts.hpp"

#include <cmath>

#include <rts/trading/terms.hpp>

namespace rts::research {
namespace {

// A verdict whose numbers are beyond double's range says neutral and has none.
bool has_score(const Decision& decision) noexcept {
  return decision.measure.limit != decision.measure.other;
}

bool has_indicators(const Decision& decision) noexcept {
  const Outcome outcome = decision.outcome;
  const bool is_before = outcome == Outcome::disabled || outcome == Outcome::warming_up ||
                         outcome == Outcome::below_min_quantity;
  return !is_before && (outcome != Outcome::neutral || has_score(decision));
}

// Whether the measure is a number and the limit that it has missed, so that another limit would
// have let it pass.
bool is_missed(const Decision& decision) noexcept {
  const auto& [value, limit, third] = decision.measure;
  switch (decision.outcome) {
    case Outcome::spread_below_minimum:
    case Outcome::spread_above_maximum:
    case Outcome::below_min_quantity:
    case Outcome::below_min_price_change:
    case Outcome::low_confidence:
    case Outcome::price_band:
    case Outcome::daily_limit:
    case Outcome::rate_limit: return true;
    case Outcome::neutral: return has_score(decision);
    case Outcome::cooldown: return value > 0;  // else the last order is of a later event
    case Outcome::warming_up:                  // of trades: those known, unless after a silence
      return decision.strategy == StrategyId::trade_momentum && third == 0 && value < limit;
    case Outcome::size_limit: return static_cast<SizeProblem>(third) == SizeProblem::above_maximum;
    case Outcome::disabled:
    case Outcome::paused:
    case Outcome::shorts_disabled:
    case Outcome::no_reference:
    case Outcome::signal_buy:
    case Outcome::signal_sell: return false;
  }
  return false;
}

}  // namespace

void DecisionCounts::take(const Symbol& symbol, const Decision& decision) {
  if (decision.order || decision.outcome == Outcome::daily_limit) count_hour(decision);
  if (has_indicators(decision)) add_indicators(decision);
  if (is_missed(decision)) look_at_miss(symbol, decision);
}

void DecisionCounts::count_hour(const Decision& decision) {
  HourCounts& hours = hours_[index_of(decision.strategy)];
  ++(decision.order ? hours.orders : hours.cut)[utc_hour_of_day(decision.at)];
}

void DecisionCounts::add_indicators(const Decision& decision) {
  for (std::size_t i = 0; i < kIndicators.size(); ++i) {
    const auto& [strategy, place] = kIndicators[i];
    if (strategy == decision.strategy) histograms_[i].add(decision.indicators[place].value());
  }
}

void DecisionCounts::look_at_miss(const Symbol& symbol, const Decision& decision) {
  const std::size_t strategy = index_of(decision.strategy);
  const auto take_nearer = [&](std::optional<Miss>& nearest, double Measure::*limit) {
    const auto distance = [&](const Measure& measure) {
      return std::abs(measure.value - measure.*limit);
    };
    if (nearest && !(distance(decision.measure) < distance(nearest->measure))) return;
    nearest = Miss{symbol, decision.at, decision.measure};
  };
  take_nearer(nearest_[strategy][index_of(decision.outcome)], &Measure::limit);
  if (decision.outcome == Outcome::neutral) take_nearer(nearest_sell_[strategy], &Measure::other);
}

}  // namespace rts::research
