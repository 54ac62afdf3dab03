// research::DecisionCounts: hours, indicators, and which event missed a limit by least.
#include "research/decision_counts.hpp"

#include <gtest/gtest.h>

#include <rts/trading/terms.hpp>

#include "support/price_path.hpp"

namespace rts::research {
namespace {

using test::at_seconds;

const Symbol kBitcoin = *Symbol::from("BTCUSDT"), kEther = *Symbol::from("ETHUSDT");

Decision decision(StrategyId strategy, Outcome outcome, const Measure& measure,
                  double seconds = 0) {
  Decision decision;
  decision.strategy = strategy;
  decision.outcome = outcome;
  decision.measure = measure;
  decision.at = at_seconds(seconds);
  return decision;
}
Decision momentum(Outcome outcome, const Measure& measure, double seconds = 0) {
  return decision(StrategyId::trade_momentum, outcome, measure, seconds);
}

TEST(DecisionCounts, OrdersAndWhatTheDailyLimitCutsFallOnHoursOfTheUtcDay) {
  DecisionCounts counts;
  constexpr double kDay = 86'400;
  Decision ordered = momentum(Outcome::signal_buy, {0.8, 0.7, -0.7}, 3 * kDay + 3'599);
  ordered.order.emplace();
  counts.take(kBitcoin, ordered);
  ordered.at = at_seconds(23 * 3'600);
  counts.take(kBitcoin, ordered);
  counts.take(kBitcoin, momentum(Outcome::daily_limit, {50, 50}, kDay + 3'600));
  counts.take(kBitcoin, momentum(Outcome::cooldown, {1, 900}, kDay + 3'600));
  counts.take(kBitcoin, momentum(Outcome::daily_limit, {50, 50}, -1));  // before 1970
  const HourCounts& hours = counts.hours(StrategyId::trade_momentum);
  std::array<std::uint64_t, 24> orders{}, cut{};
  orders[0] = orders[23] = 1;
  cut[1] = cut[23] = 1;
  EXPECT_EQ(hours.orders, orders);
  EXPECT_EQ(hours.cut, cut);
  EXPECT_EQ(counts.hours(StrategyId::orderbook_skew).orders, HourCounts{}.orders);
}

TEST(DecisionCounts, OfNeutralScoresTheNearestToEachThresholdIsKept) {
  DecisionCounts counts;
  for (const double score : {0.1, 0.69, -0.65, 0.3, -0.1}) {
    counts.take(kBitcoin, momentum(Outcome::neutral, {score, 0.7, -0.7}));
  }
  EXPECT_EQ(counts.nearest(StrategyId::trade_momentum, Outcome::neutral)->measure.value, 0.69);
  EXPECT_EQ(counts.nearest_sell(StrategyId::trade_momentum)->measure.value, -0.65);
  EXPECT_FALSE(counts.nearest(StrategyId::ticker_velocity, Outcome::neutral));
}

TEST(DecisionCounts, WithThresholdsOfSymbolsTheNearestToItsOwnIsKept) {
  DecisionCounts counts;
  counts.take(kBitcoin, momentum(Outcome::neutral, {0.6, 0.7, -0.7}));
  counts.take(kEther, momentum(Outcome::neutral, {0.45, 0.5, -0.7}));
  const auto& nearest = counts.nearest(StrategyId::trade_momentum, Outcome::neutral);
  EXPECT_EQ(nearest->symbol, kEther);
  EXPECT_EQ(nearest->measure.limit, 0.5);
}

TEST(DecisionCounts, OnlyWhatAnotherLimitWouldHaveLetPassIsAMiss) {
  constexpr auto kAbove = static_cast<double>(SizeProblem::above_maximum);
  constexpr auto kVenue = static_cast<double>(SizeProblem::above_venue_worth);
  struct Row {
    StrategyId strategy;
    Outcome outcome;
    Measure measure;
    bool is_miss;
  };
  constexpr auto kSkew = StrategyId::orderbook_skew;
  constexpr auto kMomentum = StrategyId::trade_momentum;
  constexpr auto kVelocity = StrategyId::ticker_velocity;
  for (const Row& row : {
           Row{kSkew, Outcome::spread_below_minimum, {0.01, 0.1}, true},
           Row{kSkew, Outcome::spread_above_maximum, {0.2, 0.1}, true},
           Row{kSkew, Outcome::neutral, {1, 1.2, 0.8}, true},
           Row{kSkew, Outcome::neutral, {}, false},  // numbers beyond double's range
           Row{kMomentum, Outcome::below_min_quantity, {0.0001, 0.001}, true},
           Row{kMomentum, Outcome::warming_up, {99, 100}, true},
           Row{kMomentum, Outcome::warming_up, {0, 100, 61}, false},  // behind a silence
           Row{kVelocity, Outcome::warming_up, {50, 60, 40}, false},
           Row{kVelocity, Outcome::below_min_price_change, {0.09, 0.1, 60}, true},
           Row{kMomentum, Outcome::cooldown, {899, 900}, true},
           Row{kMomentum, Outcome::cooldown, {-1, 900}, false},  // the last order is younger
           Row{kMomentum, Outcome::size_limit, {1'100, 1'000, kAbove}, true},
           Row{kMomentum, Outcome::size_limit, {1'100, 1'000, kVenue}, false},
           Row{kMomentum, Outcome::paused, {}, false},
           Row{kMomentum, Outcome::no_reference, {70, 60}, false},
       }) {
    DecisionCounts counts;
    counts.take(kBitcoin, decision(row.strategy, row.outcome, row.measure));
    EXPECT_EQ(counts.nearest(row.strategy, row.outcome).has_value(), row.is_miss)
        << to_string(row.strategy) << ' ' << to_string(row.outcome) << ' ' << row.measure.value;
  }
}

TEST(DecisionCounts, IndicatorsAreCountedWhereThereAreAny) {
  DecisionCounts counts;
  Decision skew = decision(StrategyId::orderbook_skew, Outcome::neutral, {1.1, 1.2, 0.8});
  skew.indicators = *make_indicators({11, 10, 1.1, 0.02});
  counts.take(kBitcoin, skew);
  skew.outcome = Outcome::spread_below_minimum;
  counts.take(kBitcoin, skew);
  skew.outcome = Outcome::disabled;
  counts.take(kBitcoin, skew);
  counts.take(kBitcoin, momentum(Outcome::warming_up, {1, 100}));
  const std::array<std::uint64_t, kIndicators.size()> expected{2, 2, 0, 0};
  for (std::size_t i = 0; i < kIndicators.size(); ++i) {
    EXPECT_EQ(counts.histogram(i).result().count, expected[i]) << kIndicators[i].name();
  }
  EXPECT_EQ(counts.histogram(0).result().most, 1.1);
  EXPECT_EQ(counts.histogram(1).result().most, 0.02);
}

}  // namespace
}  // namespace rts::research
