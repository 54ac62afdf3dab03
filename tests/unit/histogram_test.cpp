// research::Histogram: where values are counted when nothing is known of them before.
#include "research/histogram.hpp"

#include <limits>
#include <numeric>

#include <gtest/gtest.h>

namespace rts::research {
namespace {

std::uint64_t sum_of(const Histogram::Result& result) {
  return std::accumulate(result.bins.begin(), result.bins.end(), result.below + result.above);
}

TEST(Histogram, OfNothingThereIsNothing) {
  const Histogram::Result result = Histogram().result();
  EXPECT_EQ(result.count, 0U);
  EXPECT_EQ(sum_of(result), 0U);
}

TEST(Histogram, EveryValueIsCountedOnce) {
  Histogram histogram;
  for (int i = -500; i < 1'500; ++i) histogram.add(i / 100.0);
  const Histogram::Result result = histogram.result();
  EXPECT_EQ(result.count, 2'000U);
  EXPECT_EQ(sum_of(result), 2'000U);
  EXPECT_EQ(result.least, -5);
  EXPECT_EQ(result.most, 14.99);
}

TEST(Histogram, ValuesThatAreSpreadEvenlyFillTheBinsEvenly) {
  Histogram histogram;
  for (int i = 0; i < 60'000; ++i) histogram.add(-1 + i / 30'000.0);
  const Histogram::Result result = histogram.result();
  EXPECT_NEAR(result.low, -0.99, 0.003);
  EXPECT_NEAR(result.high, 0.99, 0.003);
  for (const std::uint64_t count : result.bins) EXPECT_NEAR(static_cast<double>(count), 990, 60);
  EXPECT_NEAR(static_cast<double>(result.below), 300, 40);
  EXPECT_NEAR(static_cast<double>(result.above), 300, 40);
}

TEST(Histogram, FewThatAreFarAwayDoNotStretchIt) {
  Histogram histogram;
  for (int i = 0; i < 1'000; ++i) histogram.add(1 + i / 1'000.0);
  histogram.add(1e12);
  histogram.add(-1e12);
  const Histogram::Result result = histogram.result();
  EXPECT_NEAR(result.low, 1, 0.01);
  EXPECT_NEAR(result.high, 2, 0.01);
  EXPECT_EQ(result.most, 1e12);
  EXPECT_EQ(sum_of(result), 1'002U);
}

TEST(Histogram, OfOneValueABinHasSomeWidth) {
  for (const double value : {0.0, 1e-9, -3.0, 0.7, 1e300}) {
    Histogram histogram;
    for (int i = 0; i < 10; ++i) histogram.add(value);
    const Histogram::Result result = histogram.result();
    EXPECT_LT(result.low, result.high) << value;
    EXPECT_EQ(result.below + result.above, 0U) << value;
    EXPECT_EQ(sum_of(result), 10U) << value;
  }
}

TEST(Histogram, WhatIsNoNumberIsPassedOver) {
  Histogram histogram;
  histogram.add(std::numeric_limits<double>::quiet_NaN());
  histogram.add(std::numeric_limits<double>::infinity());
  EXPECT_EQ(histogram.result().count, 0U);
}

}  // namespace
}  // namespace rts::research
