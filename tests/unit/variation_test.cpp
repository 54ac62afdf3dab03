// research::Variation: what a user writes, and the combinations that come of it.
#include "research/variation.hpp"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rts::research {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> values_of(const char* text) {
  const auto variation = parse_variation(text);
  return variation ? variation.value().values : std::vector<std::string>{variation.error()};
}
std::string problem_of(const char* text) {
  const auto variation = parse_variation(text);
  return variation ? "none" : variation.error();
}
std::vector<Variation> all_of_texts(std::initializer_list<const char*> texts) {
  std::vector<Variation> all;
  for (const char* text : texts) all.push_back(parse_variation(text).value());
  return all;
}

TEST(Variation, IsAList) {
  EXPECT_THAT(values_of("SIGNAL_COOLDOWN_SECONDS=900, 3600"), ElementsAre("900", "3600"));
  EXPECT_THAT(values_of("STRATEGY_ENABLED_TRADE_MOMENTUM=true"), testing::SizeIs(1));
}

TEST(Variation, IsARangeWithAStepInExactDecimals) {
  EXPECT_THAT(values_of("TRADE_MOMENTUM_BUY_THRESHOLD=0.6..0.8:0.05"),
              ElementsAre("0.6", "0.65", "0.7", "0.75", "0.8"));
  EXPECT_THAT(values_of("TRADE_MOMENTUM_SELL_THRESHOLD=-0.1..0.1:0.1"),
              ElementsAre("-0.1", "0", "0.1"));
  EXPECT_THAT(values_of("TRADE_MOMENTUM_WINDOW=50..250:100"), ElementsAre("50", "150", "250"));
}

TEST(Variation, MayBeOfOneSymbol) {
  EXPECT_EQ(parse_variation("SIGNAL_COOLDOWN_SECONDS__BTCUSDT=1,2").value().name,
            "SIGNAL_COOLDOWN_SECONDS__BTCUSDT");
}

TEST(Variation, SaysWhatIsWrong) {
  EXPECT_THAT(problem_of("SIGNAL_COOLDOWN_SECONDS"), HasSubstr("takes NAME="));
  EXPECT_THAT(problem_of("SIGNAL_COOLDOWN_SECONDS="), HasSubstr("takes NAME="));
  EXPECT_THAT(problem_of("SIGNAL_COOLDOWN=1"), HasSubstr("is no setting"));
  EXPECT_THAT(problem_of("NATS_URL=a,b"), HasSubstr("cannot be varied"));
  EXPECT_THAT(problem_of("SIGNAL_COOLDOWN_SECONDS=1,,2"), HasSubstr("a value is empty"));
  EXPECT_THAT(problem_of("SIGNAL_COOLDOWN_SECONDS=1,1"), HasSubstr("there twice"));
  for (const char* range : {"2..1:1", "1..2:0", "1..2:-1", "a..2:1", "1..:1", "1...2:1",
                            "0..1000000000:1", "1..2:1e-3", "5..5"}) {
    EXPECT_THAT(problem_of(fmt::format("SIGNAL_COOLDOWN_SECONDS={}", range).c_str()),
                HasSubstr("is no range"))
        << range;
  }
}

TEST(Grid, HasEveryCombinationAndVariesTheLastFirst) {
  const auto combinations =
      grid(all_of_texts({"SIGNAL_COOLDOWN_SECONDS=1,2", "RISK_MAX_DAILY_SIGNALS=0,5,9"}));
  std::vector<std::string> texts;
  for (const Combination& each : *combinations) texts.push_back(each[0].value + each[1].value);
  EXPECT_THAT(texts, ElementsAre("10", "15", "19", "20", "25", "29"));
}

TEST(Grid, HasALimit) {
  EXPECT_FALSE(
      grid(all_of_texts({"SIGNAL_COOLDOWN_SECONDS=1..1000:1", "RISK_MAX_DAILY_SIGNALS=1..21:1"}))
          .has_value());
}

TEST(Draw, IsOfTheValuesAndRangesAndTheSameForOneSeed) {
  const auto variations =
      all_of_texts({"TRADE_MOMENTUM_BUY_THRESHOLD=0.6..0.8", "TRADE_MOMENTUM_WINDOW=10..12",
                    "SIGNAL_COOLDOWN_SECONDS=60,900"});
  const auto drawn = draw(variations, 50, 7);
  ASSERT_EQ(drawn.size(), 50U);
  std::set<std::string> windows, cooldowns;
  for (const Combination& each : drawn) {
    EXPECT_GE(std::stod(each[0].value), 0.6);
    EXPECT_LE(std::stod(each[0].value), 0.8);
    windows.insert(each[1].value);
    cooldowns.insert(each[2].value);
  }
  EXPECT_THAT(windows, ElementsAre("10", "11", "12"));
  EXPECT_THAT(cooldowns, ElementsAre("60", "900"));
  EXPECT_EQ(draw(variations, 50, 7)[49][0].value, drawn[49][0].value);
  EXPECT_NE(draw(variations, 50, 8)[49][0].value, drawn[49][0].value);
}

TEST(Draw, HasNoneTwiceAndEndsWhereThereAreNoMore) {
  EXPECT_EQ(draw(all_of_texts({"SIGNAL_COOLDOWN_SECONDS=1,2,3"}), 10, 1).size(), 3U);
}

}  // namespace
}  // namespace rts::research
