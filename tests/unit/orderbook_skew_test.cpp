// orderbook_skew (SPEC §3.1): every boundary from both sides and on it.
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <rts/strategy/orderbook_skew.hpp>

namespace rts {
namespace {

static_assert(std::is_trivially_copyable_v<OrderbookSkew>);
static_assert(std::is_nothrow_invocable_v<const OrderbookSkew&, const Book&>);

using Pairs = std::vector<std::pair<double, double>>;  // price, quantity

std::vector<Level> side(const Pairs& levels) {
  std::vector<Level> all;
  for (const auto& [price, quantity] : levels) {
    all.push_back({*Price::from(price), *Quantity::from(quantity)});
  }
  return all;
}

Verdict judge(const OrderbookSkew& parameters, const Pairs& bids, const Pairs& asks) {
  const std::vector<Level> bid_side = side(bids);
  const std::vector<Level> ask_side = side(asks);
  return parameters(Book{bid_side, ask_side});
}

// "BUY", "SELL" or the outcome.
std::string word(const Verdict& verdict) {
  return std::string(verdict.signal ? to_string(verdict.signal->side) : to_string(verdict.outcome));
}

// One level a side, 0.2 % apart.
std::string by_volumes(double bid_volume, double ask_volume, const OrderbookSkew& parameters = {}) {
  return word(judge(parameters, {{100, bid_volume}}, {{100.2, ask_volume}}));
}

TEST(OrderbookSkew, ExampleOfTheHeader) {
  const Verdict verdict = judge({}, {{100, 3}}, {{100.2, 2}});
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->side, Side::buy);
  EXPECT_EQ(verdict.signal->price.value(), 100.2);
  EXPECT_EQ(verdict.signal->current_price.value(), (100 + 100.2) / 2);
  EXPECT_EQ(verdict.signal->confidence.value(), 0.60 + 0.5 * (1.5 - 1.2));
  EXPECT_EQ(verdict.indicators[0].value(), 3);
  EXPECT_EQ(verdict.indicators[1].value(), 2);
  EXPECT_EQ(verdict.indicators[2].value(), 1.5);
  EXPECT_EQ(verdict.indicators[3].value(), (100.2 - 100) / 100 * 100);
}

TEST(OrderbookSkew, SellsAtTheBestBidInTheMirrorCase) {
  const Verdict verdict = judge({}, {{100, 2}}, {{100.2, 3}});
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->side, Side::sell);
  EXPECT_EQ(verdict.signal->price.value(), 100);
  EXPECT_EQ(verdict.signal->current_price.value(), (100 + 100.2) / 2);
  EXPECT_EQ(verdict.signal->confidence.value(), 0.60 + 0.5 * (3.0 / 2 - 1 / 0.8));
  EXPECT_EQ(verdict.indicators[2].value(), 2.0 / 3);
}

TEST(OrderbookSkew, BuysJustAboveThreshold) {
  EXPECT_EQ(by_volumes(1.2, 1), "neutral") << "on the threshold";
  EXPECT_EQ(by_volumes(std::nextafter(1.2, 2), 1), "BUY");
  EXPECT_EQ(by_volumes(std::nextafter(1.2, 1), 1), "neutral");
  EXPECT_EQ(by_volumes(12, 10), "neutral");
  EXPECT_EQ(by_volumes(12.001, 10), "BUY");
}

TEST(OrderbookSkew, SellsJustBelowThreshold) {
  EXPECT_EQ(by_volumes(0.8, 1), "neutral") << "on the threshold";
  EXPECT_EQ(by_volumes(std::nextafter(0.8, 0), 1), "SELL");
  EXPECT_EQ(by_volumes(std::nextafter(0.8, 1), 1), "neutral");
  EXPECT_EQ(by_volumes(4, 5), "neutral");
  EXPECT_EQ(by_volumes(3.999, 5), "SELL");
}

TEST(OrderbookSkew, TakesItsThresholdsFromTheParameters) {
  OrderbookSkew wide;
  wide.buy_threshold = 3;
  wide.sell_threshold = 0.25;
  EXPECT_EQ(by_volumes(3, 1, wide), "neutral");
  EXPECT_EQ(by_volumes(3.001, 1, wide), "BUY");
  EXPECT_EQ(by_volumes(1, 4, wide), "neutral");
  EXPECT_EQ(by_volumes(1, 4.001, wide), "SELL");
}

// 0.25 % is a spread that doubles hold exactly: 100 to 100.25.
TEST(OrderbookSkew, IsSilentBelowTheMinimumSpreadAndNotOnIt) {
  const auto at_minimum = [](double percent) {
    OrderbookSkew parameters;
    parameters.min_spread_percent = percent;
    return word(judge(parameters, {{100, 3}}, {{100.25, 2}}));
  };
  EXPECT_EQ(at_minimum(0.25), "BUY");
  EXPECT_EQ(at_minimum(std::nextafter(0.25, 1)), "spread_below_minimum");
  EXPECT_EQ(at_minimum(std::nextafter(0.25, 0)), "BUY");
  EXPECT_EQ(at_minimum(0), "BUY");
}

TEST(OrderbookSkew, IsSilentAboveTheMaximumSpreadAndNotOnIt) {
  const auto at_maximum = [](double percent) {
    OrderbookSkew parameters;
    parameters.max_spread_percent = percent;
    return word(judge(parameters, {{100, 3}}, {{100.25, 2}}));
  };
  EXPECT_EQ(at_maximum(0.25), "BUY");
  EXPECT_EQ(at_maximum(std::nextafter(0.25, 0)), "spread_above_maximum");
  EXPECT_EQ(at_maximum(std::nextafter(0.25, 1)), "BUY");
  EXPECT_EQ(at_maximum(0), "BUY") << "0 is off";
}

TEST(OrderbookSkew, AsksForTheMinimumBeforeTheMaximum) {
  OrderbookSkew parameters;
  parameters.min_spread_percent = 1;
  parameters.max_spread_percent = 0.1;
  EXPECT_EQ(word(judge(parameters, {{100, 3}}, {{100.25, 2}})), "spread_below_minimum");
}

TEST(OrderbookSkew, IsSilentOnTheUsualOneTickSpread) {
  EXPECT_EQ(word(judge({}, {{61740.5, 9}}, {{61740.6, 1}})), "spread_below_minimum");
  OrderbookSkew awake;
  awake.min_spread_percent = 0;
  EXPECT_EQ(word(judge(awake, {{61740.5, 9}}, {{61740.6, 1}})), "BUY");
}

TEST(OrderbookSkew, SumsTheTopLevelsOnly) {
  const Pairs bids{{100, 1}, {99, 2}, {98, 4}, {97, 8}, {96, 16}, {95, 32}};
  const Pairs asks{{101, 1}, {102, 1}, {103, 1}};
  struct Case {
    int top_levels;
    double bid_volume;
    double ask_volume;
  };
  for (const auto& [top_levels, bid_volume, ask_volume] :
       {Case{1, 1, 1}, {2, 3, 2}, {3, 7, 3}, {5, 31, 3}, {6, 63, 3}, {20, 63, 3}}) {
    OrderbookSkew parameters;
    parameters.top_levels = top_levels;
    const Verdict verdict = judge(parameters, bids, asks);
    EXPECT_EQ(verdict.indicators[0].value(), bid_volume) << top_levels;
    EXPECT_EQ(verdict.indicators[1].value(), ask_volume) << top_levels;
    EXPECT_EQ(verdict.indicators[2].value(), bid_volume / ask_volume) << top_levels;
  }
  EXPECT_EQ(judge({}, bids, asks).indicators[0].value(), 31) << "5 by default";
}

TEST(OrderbookSkew, IsNeverSurerThan95Percent) {
  struct Case {
    double bid_volume;
    double ask_volume;
    double confidence;
  };
  for (const auto& [bid_volume, ask_volume, confidence] :
       {Case{1.5, 1, 0.60 + 0.5 * (1.5 - 1.2)}, Case{1.875, 1, 0.60 + 0.5 * (1.875 - 1.2)},
        Case{2, 1, 0.95}, Case{1000, 1, 0.95}, Case{1, 1.5, 0.60 + 0.5 * (1.5 - 1 / 0.8)},
        Case{1, 1.875, 0.60 + 0.5 * (1.875 - 1 / 0.8)}, Case{1, 2, 0.95}, Case{1, 1000, 0.95},
        Case{1e-300, 1e10, 0.95}}) {
    const Verdict verdict = judge({}, {{100, bid_volume}}, {{100.2, ask_volume}});
    ASSERT_TRUE(verdict.signal.has_value());
    EXPECT_EQ(verdict.signal->confidence.value(), confidence) << bid_volume << " " << ask_volume;
  }
}

// 1/0.5 is 2: with those thresholds a book and its mirror image are equally far beyond theirs.
TEST(OrderbookSkew, IsAsSureOfABookAsOfItsMirrorImage) {
  OrderbookSkew parameters;
  parameters.buy_threshold = 2;
  parameters.sell_threshold = 0.5;
  for (const double heavy : {2.001, 2.1, 2.3333, 2.69}) {
    const Verdict buy = judge(parameters, {{100, heavy}}, {{100.2, 1}});
    const Verdict sell = judge(parameters, {{100, 1}}, {{100.2, heavy}});
    ASSERT_TRUE(buy.signal && sell.signal) << heavy;
    EXPECT_EQ(buy.signal->confidence, sell.signal->confidence) << heavy;
  }
}

TEST(OrderbookSkew, KeepsItsNumbersWhenItIsSilent) {
  OrderbookSkew parameters;
  parameters.min_spread_percent = 1;
  const Verdict below = judge(parameters, {{100, 3}}, {{100.25, 2}});
  EXPECT_FALSE(below.signal.has_value());
  EXPECT_EQ(below.indicators[2].value(), 1.5);
  EXPECT_EQ(below.indicators[3].value(), 0.25);
  const Verdict neutral = judge({}, {{100, 1}}, {{100.25, 1}});
  EXPECT_EQ(neutral.outcome, Outcome::neutral);
  EXPECT_EQ(neutral.indicators[2].value(), 1);
}

TEST(OrderbookSkew, IsNeutralBeyondTheRangeOfDouble) {
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  const double most = std::nextafter(kMarketNumbersBelow, 0);
  EXPECT_EQ(word(judge({}, {{100, most}}, {{101, 1e-300}})), "neutral") << "ratio";
  EXPECT_EQ(word(judge({}, {{kLeast, 2}}, {{most, 1}})), "neutral") << "spread";
  EXPECT_EQ(judge({}, {{kLeast, 2}}, {{most, 1}}).measure.limit, 0) << "no threshold has decided";
  EXPECT_EQ(OrderbookSkew{}.direction({}).otherwise, Outcome::neutral) << "no spread is too small";
  Pairs bids;
  for (int i = 0; i < 20; ++i) bids.emplace_back(100 - i, most);
  OrderbookSkew all_levels;
  all_levels.top_levels = 20;
  EXPECT_EQ(judge(all_levels, bids, {{101, most}}).indicators[2].value(), 20) << "no volume is";
}

TEST(OrderbookSkew, NamesItsIndicators) {
  const auto names = indicator_names(StrategyId::orderbook_skew);
  EXPECT_EQ(std::vector<std::string>(names.begin(), names.end()),
            (std::vector<std::string>{"bid_volume", "ask_volume", "ratio", "spread_percent"}));
}

}  // namespace
}  // namespace rts
