// research::BlockSums: which blocks samples stand in, and what of them is known of a mean.
#include "research/statistics.hpp"

#include <chrono>
#include <limits>

#include <gtest/gtest.h>

#include "support/price_path.hpp"

namespace rts::research {
namespace {

using std::chrono::seconds;
using test::at_seconds;

Sample gross(double value) { return {value, 0, value > 0}; }

TEST(BlockSums, WithoutSamplesEverythingIsZeroAndHasNoBounds) {
  const Estimate estimate = BlockSums(seconds{1}).estimate();
  EXPECT_EQ(estimate.gross, Interval{});
  EXPECT_FALSE(estimate.gross.has_bounds());
}

TEST(BlockSums, OfOneBlockTheMeanIsKnownAndNotItsBounds) {
  BlockSums sums(seconds{10});
  sums.add(at_seconds(1), gross(2));
  sums.add(at_seconds(9), gross(4));
  const Interval interval = sums.estimate().gross;
  EXPECT_EQ(interval, (Interval{3, 3, 3, 2, 1}));
  EXPECT_FALSE(interval.has_bounds());
}

TEST(BlockSums, TheBoundsOfTwoBlocksAreTheirMeans) {
  BlockSums sums(seconds{10});
  sums.add(at_seconds(1), gross(2));
  sums.add(at_seconds(11), gross(4));
  const Interval interval = sums.estimate().gross;
  EXPECT_EQ(interval, (Interval{3, 2, 4, 2, 2}));
  EXPECT_TRUE(interval.has_bounds());
}

TEST(BlockSums, NetIsGrossLessTheCostOfEachSampleAndHitsAreARate) {
  BlockSums sums(seconds{1});
  sums.add(at_seconds(0), {10, 4, true});
  sums.add(at_seconds(1), {-2, 6, false});
  const Estimate estimate = sums.estimate();
  EXPECT_EQ(estimate.gross.mean, 4);
  EXPECT_EQ(estimate.mean_cost, 5);
  EXPECT_EQ(estimate.net, (Interval{-1, -8, 6, 2, 2}));
  EXPECT_EQ(estimate.hit_rate, (Interval{0.5, 0, 1, 2, 2}));
}

TEST(BlockSums, ABlockWithMoreSamplesWeighsMore) {
  BlockSums sums(seconds{10});
  for (const double second : {1.0, 2.0, 3.0}) sums.add(at_seconds(second), gross(1));
  sums.add(at_seconds(11), gross(5));
  EXPECT_EQ(sums.estimate().gross, (Interval{2, 1, 5, 4, 2}));
}

TEST(BlockSums, AreAtMostSoManyAndTwiceAsLongBeyondThat) {
  BlockSums sums(seconds{1});
  for (int second = 0; second < 128; ++second) sums.add(at_seconds(second), gross(1));
  EXPECT_EQ(sums.blocks(), 128U);
  EXPECT_EQ(sums.block_length(), seconds{1});
  sums.add(at_seconds(128), gross(1));
  EXPECT_EQ(sums.block_length(), seconds{2});
  EXPECT_EQ(sums.blocks(), 65U);
  sums.add(at_seconds(1e9), gross(1));
  EXPECT_LE(sums.blocks(), BlockSums::kMaxBlocks);
  EXPECT_EQ(sums.samples(), 130U);
}

TEST(BlockSums, OnlyBlocksWithSamplesCount) {
  BlockSums sums(seconds{1});
  sums.add(at_seconds(0), gross(1));
  sums.add(at_seconds(100), gross(1));
  EXPECT_EQ(sums.blocks(), 2U);
}

TEST(BlockSums, TakeSamplesInAnyOrderAndBefore1970) {
  BlockSums forwards(seconds{1}), backwards(seconds{1});
  for (int i = -100; i < 100; ++i) {
    forwards.add(at_seconds(i), gross(i));
    backwards.add(at_seconds(-1 - i), gross(-1 - i));
  }
  EXPECT_EQ(forwards.block_length(), seconds{2});
  EXPECT_EQ(forwards.estimate().gross, backwards.estimate().gross);
}

TEST(BlockSums, AreNeverShorterThanAsked) {
  BlockSums sums(seconds{1});
  sums.add(at_seconds(0), gross(1));
  sums.add(at_seconds(3), gross(1));
  sums.widen(seconds{3});
  EXPECT_EQ(sums.block_length(), seconds{4});
  EXPECT_EQ(sums.blocks(), 1U);
}

TEST(BlockSums, OfTheFarthestTimesAreFew) {
  BlockSums sums(seconds{1});
  sums.add(UnixMs::min(), gross(1));
  sums.add(UnixMs::max(), gross(1));
  EXPECT_EQ(sums.blocks(), 2U);
}

TEST(BlockSums, AbsurdSamplesAreBoundedAndNoNumberCountsAsTheWorst) {
  BlockSums sums(seconds{1});
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  sums.add(at_seconds(0), {kInfinite, 0, true});
  sums.add(at_seconds(1), {kNone, kNone, false});
  const Estimate estimate = sums.estimate();
  EXPECT_EQ(estimate.gross.high, Sample::kMostBasisPoints);
  EXPECT_EQ(estimate.gross.low, -Sample::kMostBasisPoints);
  EXPECT_EQ(estimate.net.low, -2 * Sample::kMostBasisPoints);
}

TEST(BlockSums, MoreQuestionsWantAWiderInterval) {
  BlockSums sums(seconds{1});
  for (int i = 0; i < 60; ++i) sums.add(at_seconds(i), gross(i * 37 % 60));
  const Estimate one = sums.estimate(1), many = sums.estimate(18), most = sums.estimate(10'000);
  EXPECT_EQ(one.net, one.strict_net);
  EXPECT_EQ(many.net, one.net);
  EXPECT_LT(many.strict_net.low, one.net.low);
  EXPECT_GT(many.strict_net.high, one.net.high);
  EXPECT_LT(most.strict_net.low, many.strict_net.low);
}

// Pinned: a report that is made again says the same, on every machine.
TEST(BlockSums, AnIntervalIsTheSameEachTime) {
  BlockSums sums(seconds{1});
  for (int i = 0; i < 40; ++i) sums.add(at_seconds(i), gross(i % 7));
  const Interval interval = sums.estimate().gross;
  EXPECT_EQ(interval, sums.estimate().gross);
  EXPECT_EQ(interval.mean, 2.875);
  EXPECT_EQ(interval.low, 2.275);
  EXPECT_EQ(interval.high, 3.475);
}

}  // namespace
}  // namespace rts::research
