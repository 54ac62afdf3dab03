// research::heat_map and research::scaled: which values are tried, and where a trial lies.
#include "research/heat_map.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "research/sensitivity.hpp"

namespace rts::research {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kCooldown = "SIGNAL_COOLDOWN_SECONDS", kBuy = "TRADE_MOMENTUM_BUY_THRESHOLD",
                  kDaily = "RISK_MAX_DAILY_SIGNALS";

Score score_of(std::size_t trial, double equity) {
  Score score{.trial = trial};
  score.paper.equity = equity;
  return score;
}

TEST(HeatMap, IsOverTheTwoThatWereVariedMost) {
  const std::vector<Variation> variations{
      {kDaily, {"10", "20"}}, {kCooldown, {"900", "60", "1800"}}, {kBuy, {"0.7", "0.6", "0.65"}}};
  std::vector<Trial> trials{{}};
  std::vector<Score> scores{score_of(0, 1'000)};  // as configured: it lies on no axis
  const auto combinations = grid(variations);
  for (const Combination& combination : *combinations) {
    trials.push_back({combination, {}});
    scores.push_back(score_of(trials.size() - 1, static_cast<double>(trials.size())));
  }
  const HeatMap map = heat_map(variations, trials, scores, Objective::pnl);
  EXPECT_EQ(map.x.name, kCooldown);
  EXPECT_THAT(map.x.labels, ElementsAre("60", "900", "1800"));
  EXPECT_EQ(map.y.name, kBuy);
  EXPECT_THAT(map.y.labels, ElementsAre("0.6", "0.65", "0.7"));
  EXPECT_THAT(map.others, ElementsAre(kDaily));
  ASSERT_EQ(map.cells.size(), 9U);
  for (const HeatMap::Cell& cell : map.cells) {
    EXPECT_EQ(cell.trials, 2U);
    const Trial& trial = trials[cell.best->trial];
    EXPECT_EQ(trial.values[0].value, "20");  // came later, and so is the better
    EXPECT_EQ(trial.values[1].value, map.x.labels[cell.x]);
    EXPECT_EQ(trial.values[2].value, map.y.labels[cell.y]);
  }
}

TEST(HeatMap, OfOneVariationIsARow) {
  const std::vector<Variation> variations{{kCooldown, {"60", "900"}}};
  const std::vector<Trial> trials{{}, {{{kCooldown, "900"}}, {}}};
  const std::vector<Score> scores{score_of(1, 2)};
  const HeatMap map = heat_map(variations, trials, scores, Objective::pnl);
  EXPECT_EQ(map.y.name, "");
  EXPECT_THAT(map.y.labels, ElementsAre(""));
  EXPECT_THAT(map.others, IsEmpty());
  ASSERT_EQ(map.cells.size(), 1U);
  EXPECT_EQ(map.x.labels[map.cells[0].x], "900");
}

TEST(HeatMap, ManyValuesAreRanges) {
  const std::vector<Variation> variations{{kCooldown, {}, Variation::Range{0, 1'600, 0}}};
  std::vector<Trial> trials{{}};
  std::vector<Score> scores;
  for (int i = 0; i <= 1'600; i += 10) {
    trials.push_back({{{kCooldown, fmt::format("{}", i)}}, {}});
    scores.push_back(score_of(trials.size() - 1, -i));
  }
  const HeatMap map = heat_map(variations, trials, scores, Objective::pnl);
  ASSERT_EQ(map.x.labels.size(), HeatMap::kMaxValues);
  EXPECT_EQ(map.x.labels.front(), "0 to 100");
  EXPECT_EQ(map.x.labels.back(), "1500 to 1600");
  ASSERT_EQ(map.cells.size(), HeatMap::kMaxValues);
  std::size_t trials_in_cells = 0;
  for (const HeatMap::Cell& cell : map.cells) {
    trials_in_cells += cell.trials;
    EXPECT_EQ(cell.best->paper.equity, -100.0 * static_cast<double>(cell.x));
  }
  EXPECT_EQ(trials_in_cells, scores.size());
}

TEST(HeatMap, AMeanOfNothingIsNeverTheBest) {
  const std::vector<Variation> variations{{kCooldown, {"60"}}};
  const std::vector<Trial> trials{{}, {{{kCooldown, "60"}}, {}}, {{{kCooldown, "60"}}, {}}};
  std::vector<Score> scores{score_of(1, 0), score_of(2, 0)};
  scores[1].markout.net = {-5, -6, -4, 10, 3};
  EXPECT_EQ(heat_map(variations, trials, scores, Objective::markout).cells.at(0).best->trial, 2U);
}

TEST(Sensitivity, ScalesAValueWithinItsRule) {
  struct Row {
    config::Rule rule;
    const char* text;
    double factor;
    const char* expected;
  };
  const config::Real above_zero{.min = 0, .excludes_min = true};
  for (const Row& row : {
           Row{config::Whole{0, 1'000}, "900", 0.9, "810"},
           Row{config::Whole{0, 1'000}, "1000", 1.1, "1000"},  // not more than the rule allows
           Row{config::Whole{2, 100}, "2", 0.9, "2"},
           Row{config::Whole{0, 100}, "4", 1.1, "4"},  // 4.4
           Row{config::Whole{0, 100}, "5", 1.1, "6"},  // 5.5
           Row{config::Real{-1, 1}, "0.7", 1.1, "0.77"},
           Row{config::Real{-1, 1}, "-0.7", 1.1, "-0.77"},
           Row{config::Real{-1, 1}, "0.95", 1.1, "1"},
           Row{config::Real{}, "0.123456789", 0.9, "0.111111"},
           Row{above_zero, "0.05", 0.9, "0.045"},
           Row{config::Real{.min = 0}, "0", 1.1, "0"},
           Row{config::Real{.min = 0, .max = 100, .excludes_max = true}, "95", 1.1, "95"},
       }) {
    EXPECT_EQ(scaled(row.rule, row.text, row.factor), row.expected) << row.text;
  }
  EXPECT_FALSE(scaled(config::Flag{}, "true", 0.9));
  EXPECT_FALSE(scaled(config::Whole{0, 1}, "none", 0.9));
}

}  // namespace
}  // namespace rts::research
