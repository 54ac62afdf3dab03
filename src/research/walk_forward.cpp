#include "research/walk_forward.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <span>

namespace rts::research {
namespace {

// A trial's sums before a period.
PeriodEnd sums_before(std::span<const PeriodEnd> periods, std::int64_t period) noexcept {
  const auto behind = std::ranges::lower_bound(periods, period, {}, &PeriodEnd::period);
  return behind == periods.begin() ? PeriodEnd{} : behind[-1];
}

// What a trial has come to in the periods [first, end).
double value_of(std::span<const PeriodEnd> periods, std::int64_t first, std::int64_t end,
                const WalkForwardPlan& plan) noexcept {
  const PeriodEnd before = sums_before(periods, first), after = sums_before(periods, end);
  if (plan.objective == Objective::pnl) return after.equity - before.equity;
  if (plan.objective == Objective::orders) {
    return static_cast<double>(after.orders - before.orders);
  }
  const SampleTotals& from = before.markouts[plan.horizon];
  const SampleTotals& to = after.markouts[plan.horizon];
  const auto samples = static_cast<double>(to.samples - from.samples);
  return samples > 0 ? (to.net() - from.net()) / samples : 0;
}

}  // namespace

WalkForward walk_forward(const Scoreboard& scoreboard, std::size_t trials,
                         const WalkForwardPlan& plan) {
  assert(trials > 0 && plan.train > 0 && plan.test > 0 && plan.objective != Objective::evenness);
  WalkForward result;
  const auto periods = scoreboard.periods(0);
  if (periods.empty()) return result;
  const std::int64_t end = periods.back().period + 1;
  // The unit of the blocks does not matter: each fold is in one of its own.
  BlockSums tested{std::chrono::milliseconds{1}};
  for (std::int64_t first = periods.front().period; first + plan.train + plan.test <= end;
       first += plan.test) {
    Fold fold{.first = first, .test = first + plan.train, .end = first + plan.train + plan.test};
    fold.trained = -std::numeric_limits<double>::infinity();
    for (std::size_t trial = 0; trial < trials; ++trial) {
      const double value = value_of(scoreboard.periods(trial), fold.first, fold.test, plan);
      if (value > fold.trained) {
        fold.trained = value;
        fold.best = trial;
      }
    }
    fold.tested = value_of(scoreboard.periods(fold.best), fold.test, fold.end, plan);
    fold.configured = value_of(scoreboard.periods(0), fold.test, fold.end, plan);
    tested.add(UnixMs{std::chrono::milliseconds{result.folds.size()}}, {.gross = fold.tested});
    result.folds.push_back(fold);
  }
  result.tested = tested.estimate().gross;
  return result;
}

}  // namespace rts::research
