// research::Markouts: which price a fill is held against, and what is said of their means.
#include "research/markouts.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/price_path.hpp"

namespace rts::research {
namespace {

using test::at_seconds;
using test::buy;
using test::sell;
using test::spot;

constexpr std::size_t kSecond = 0, kMinute = 2, kHour = 5;
constexpr Markouts::Terms kFree{0, Grouping::by_strategy};

Fill fill_of(const AccountOrder& order, double seconds, double mid, double half_spread = 0) {
  return {order, at_seconds(seconds), mid, half_spread};
}
// Of the one group there is.
const Markout& at(const AccountMarkouts& account, std::size_t horizon) {
  EXPECT_EQ(account.groups.size(), 1U);
  return account.groups.front().horizons[horizon];
}

TEST(Markouts, ABuyerGainsWhatThePriceRises) {
  Markouts markouts(kFree, 1);
  markouts.fill(fill_of(buy(1), 0, 100));
  markouts.settle(0, at_seconds(1.5), spot(0.9, 100.05));
  const AccountMarkouts result = markouts.result(0);
  const Markout& second = at(result, kSecond);
  EXPECT_NEAR(second.estimate.gross.mean, 5, 1e-9);
  EXPECT_EQ(second.estimate.hit_rate.mean, 1);
  EXPECT_EQ(at(result, kMinute).estimate.gross.samples, 0U);
}

TEST(Markouts, ASellerGainsWhatThePriceFalls) {
  Markouts markouts(kFree, 1);
  markouts.fill(fill_of(sell(1), 0, 100));
  markouts.settle(0, at_seconds(1.5), spot(0.9, 100.05));
  const AccountMarkouts result = markouts.result(0);
  EXPECT_NEAR(at(result, kSecond).estimate.gross.mean, -5, 1e-9);
  EXPECT_EQ(at(result, kSecond).estimate.hit_rate.mean, 0);
}

TEST(Markouts, APriceThatDoesNotMoveIsNoHit) {
  Markouts markouts(kFree, 1);
  markouts.fill(fill_of(buy(1), 0, 100));
  markouts.settle(0, at_seconds(1.5), spot(0.9, 100));
  EXPECT_EQ(at(markouts.result(0), kSecond).estimate.hit_rate.mean, 0);
}

TEST(Markouts, WhatIsDueAtTheTimeOfAPriceWaitsForThatPrice) {
  Markouts markouts(kFree, 1);
  markouts.fill(fill_of(buy(1), 0, 100));
  markouts.settle(0, at_seconds(1), spot(0, 100));
  EXPECT_EQ(at(markouts.result(0), kSecond).estimate.gross.samples, 0U);
  markouts.settle(0, at_seconds(1.001), spot(1, 101));
  EXPECT_NEAR(at(markouts.result(0), kSecond).estimate.gross.mean, 100, 1e-9);
}

TEST(Markouts, AreSettledUpToTheTimeOfAPriceAndNoFurther) {
  Markouts markouts(kFree, 1);
  markouts.fill(fill_of(buy(1), 0, 100));
  markouts.fill(fill_of(buy(1), 0.5, 100));
  markouts.settle(0, at_seconds(1.5), spot(0.9, 100));
  EXPECT_EQ(at(markouts.result(0), kSecond).estimate.gross.samples, 1U);
  markouts.settle(0, at_seconds(1.501), spot(1.5, 102));
  EXPECT_NEAR(at(markouts.result(0), kSecond).estimate.gross.mean, 100, 1e-9);
}

TEST(Markouts, OfASilentFeedAreUnknown) {
  struct Row {
    double seen_at;
    std::uint64_t samples, unknown;
  };
  for (const Row& row : {Row{0, 1, 0}, Row{-0.001, 0, 1}}) {
    Markouts markouts(kFree, 1);
    markouts.fill(fill_of(buy(1), 0, 100));
    markouts.settle(0, at_seconds(500), spot(row.seen_at, 100));  // a minute's markout: 60 s later
    const AccountMarkouts result = markouts.result(0);
    EXPECT_EQ(at(result, kMinute).estimate.gross.samples, row.samples) << row.seen_at;
    EXPECT_EQ(at(result, kMinute).unknown, row.unknown) << row.seen_at;
  }
}

TEST(Markouts, BehindTheEndAreUnknownAndOrdersAddUp) {
  Markouts markouts(kFree, 1);
  markouts.fill(fill_of(buy(1), 0, 100));
  markouts.count_unfilled(buy(1));
  markouts.settle(0, at_seconds(2), spot(1, 101));
  markouts.settle(0, UnixMs::max(), Spot{});
  const AccountMarkouts result = markouts.result(0);
  EXPECT_EQ(result.groups.front().orders, 2U);
  for (const Markout& horizon : result.groups.front().horizons) {
    EXPECT_EQ(horizon.estimate.gross.samples + horizon.unknown, 2U);
  }
  EXPECT_EQ(at(result, kSecond).unknown, 1U);
  EXPECT_EQ(at(result, kHour).unknown, 2U);
}

TEST(Markouts, CostIsTheFeesAndTheSpreadOfBothWays) {
  Markouts markouts({4, Grouping::by_strategy}, 1);
  markouts.fill(fill_of(buy(1), 0, 100, 0.01));
  markouts.settle(0, at_seconds(1.5), spot(0.9, 100.2));
  const Markout second = at(markouts.result(0), kSecond);
  EXPECT_NEAR(second.estimate.mean_cost, 10, 1e-9);  // 2 · 4 of fees, 2 · 1 of spread
  EXPECT_NEAR(second.estimate.net.mean, 10, 1e-9);   // 20 − 10
  EXPECT_EQ(second.without_spread, 0U);
}

TEST(Markouts, WithoutBooksTheSpreadIsUnknownAndCostIsFees) {
  Markouts markouts({4, Grouping::by_strategy}, 1);
  markouts.fill(fill_of(buy(1), 0, 100));
  markouts.settle(0, at_seconds(1.5), spot(0.9, 100.2));
  const Markout second = at(markouts.result(0), kSecond);
  EXPECT_NEAR(second.estimate.mean_cost, 8, 1e-9);
  EXPECT_EQ(second.without_spread, 1U);
}

TEST(Markouts, AreApartByAccountAndStrategyAndBySymbolWhereAsked) {
  AccountOrder other_strategy = buy(1), other_account = buy(1), other_symbol = buy(1);
  other_strategy.strategy = StrategyId::ticker_velocity;
  other_account.account = 1;
  other_symbol.symbol_index = 3;
  for (const auto grouping : {Grouping::by_strategy, Grouping::by_strategy_and_symbol}) {
    Markouts markouts({0, grouping}, 2);
    for (const AccountOrder& order : {buy(1), other_strategy, other_account, other_symbol}) {
      markouts.fill(fill_of(order, 0, 100));
    }
    const bool is_apart = grouping == Grouping::by_strategy_and_symbol;
    const AccountMarkouts result = markouts.result(0);
    EXPECT_EQ(result.groups.size(), is_apart ? 3U : 2U);
    EXPECT_EQ(result.groups.front().orders, is_apart ? 1U : 2U);
    EXPECT_EQ(result.groups.back().symbol_index, is_apart ? 3U : 0U);
    EXPECT_EQ(markouts.result(1).groups.size(), 1U);
  }
}

// A fill each 2 s, whose price has moved so many basis points a second later.
template <class Move>
AccountMarkouts after(int fills, Move move, std::size_t accounts_compared = 1) {
  Markouts markouts({1, Grouping::by_strategy}, 1);
  for (int i = 0; i < fills; ++i) {
    markouts.fill(fill_of(buy(1), 2 * i, 100));
    markouts.settle(0, at_seconds(2 * i + 1.5), spot(2 * i + 1, 100 * (1 + move(i) / 10'000)));
  }
  return markouts.result(0, accounts_compared);
}

TEST(Markouts, HaveAnEdgeWhereTheNetIntervalIsAboveZero) {
  struct Row {
    int fills;
    double mean;
    Edge edge;
  };
  for (const Row& row :
       {Row{30, 4, Edge::edge}, Row{29, 4, Edge::too_little_data}, Row{30, 2.1, Edge::none},
        Row{30, -9, Edge::none}, Row{0, 0, Edge::too_little_data}}) {
    const auto result = after(row.fills, [&](int i) { return row.mean + (i % 2 == 0 ? 2 : -2); });
    EXPECT_EQ(result.overall, row.edge) << row.fills << " fills of " << row.mean;
    if (row.fills > 0) {
      EXPECT_EQ(at(result, kSecond).edge, row.edge);
    }
  }
}

// 40 of 100 fills, with 30 blocks or more at 1 s only: one question. Of many accounts the best of
// them has to be better.
TEST(Markouts, OverallWantMoreWhereMoreIsLookedAt) {
  const auto move = [](int i) { return 2.9 + (i % 2 == 0 ? 2 : -2); };
  const AccountMarkouts one = after(40, move), many = after(40, move, 1'000);
  EXPECT_EQ(one.questions, 1U);
  EXPECT_EQ(one.overall, Edge::edge);
  EXPECT_EQ(many.questions, 1'000U);
  EXPECT_EQ(many.overall, Edge::none);
  EXPECT_EQ(at(many, kSecond).edge, Edge::edge);
}

TEST(Markouts, AbsurdPricesGiveNumbers) {
  Markouts markouts({4, Grouping::by_strategy}, 1);
  markouts.fill(fill_of(buy(1), 0, 1e-300, 1e14));
  markouts.settle(0, at_seconds(2), spot(1, 1e14));
  const Markout second = at(markouts.result(0), kSecond);
  EXPECT_EQ(second.estimate.gross.mean, Sample::kMostBasisPoints);
  EXPECT_EQ(second.estimate.mean_cost, Sample::kMostBasisPoints);
}

}  // namespace
}  // namespace rts::research
