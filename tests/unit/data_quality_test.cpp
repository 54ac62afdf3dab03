// research::DataQuality: gaps of a feed, and how much its price moves.
#include "research/data_quality.hpp"

#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/price_path.hpp"

namespace rts::research {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using test::at_seconds;
using test::quote;

const Symbol kBitcoin = *Symbol::from("BTCUSDT");

SymbolQuality quality_of(const DataQuality& quality) {
  EXPECT_EQ(quality.symbols().size(), 1U);
  return quality.symbols().front();
}

TEST(DataQuality, OfNothingItKnowsNothing) {
  const DataQuality quality;
  EXPECT_TRUE(quality.is_empty());
  EXPECT_TRUE(quality.symbols().empty());
}

TEST(DataQuality, AGapIsASilenceOfMoreThanAMinute) {
  struct Row {
    double seconds;
    std::uint64_t gaps;
  };
  for (const Row& row : {Row{0, 0}, Row{60, 0}, Row{60.001, 1}, Row{3'600, 1}}) {
    DataQuality quality;
    quality.see(0, kBitcoin, at_seconds(10), quote(99, 101));
    quality.see(0, kBitcoin, at_seconds(10 + row.seconds), quote(99, 101));
    const SymbolQuality found = quality_of(quality);
    EXPECT_EQ(found.gaps, row.gaps) << row.seconds << " s";
    EXPECT_EQ(found.events, 2U);
    EXPECT_EQ(found.first, at_seconds(10));
    EXPECT_EQ(found.last, at_seconds(10 + row.seconds));
    if (row.gaps == 0) continue;
    EXPECT_EQ(found.longest_gap, at_seconds(row.seconds) - at_seconds(0));
    EXPECT_EQ(found.longest_gap_from, at_seconds(10));
  }
}

TEST(DataQuality, TheLongestGapIsKept) {
  DataQuality quality;
  for (const double seconds : {0, 100, 400, 500}) {
    quality.see(0, kBitcoin, at_seconds(seconds), quote(99, 101));
  }
  EXPECT_EQ(quality_of(quality).gaps, 3U);
  EXPECT_EQ(quality_of(quality).longest_gap, minutes{5});
  EXPECT_EQ(quality_of(quality).longest_gap_from, at_seconds(100));
}

TEST(DataQuality, ALateEventMakesNoGap) {
  DataQuality quality;
  for (const double seconds : {1'000, 10, 1'001}) {
    quality.see(0, kBitcoin, at_seconds(seconds), quote(99, 101));
  }
  EXPECT_EQ(quality_of(quality).gaps, 0U);
  EXPECT_EQ(quality.first(), at_seconds(10));
  EXPECT_EQ(quality.last(), at_seconds(1'001));
}

// 0.1 % up and down by turns: 0.1 · √1440 = 3.79 % a day.
TEST(DataQuality, VolatilityIsThatOfTheMinutesLastMids) {
  DataQuality quality;
  for (int minute = 0; minute < 60; ++minute) {
    const double mid = minute % 2 == 0 ? 100'000 : 100'100;
    quality.see(0, kBitcoin, at_seconds(60.0 * minute), quote(1, 3));  // the last of it counts
    quality.see(0, kBitcoin, at_seconds(60.0 * minute + 59), quote(mid - 1, mid + 1));
  }
  const Interval volatility = quality_of(quality).volatility;
  EXPECT_NEAR(volatility.mean, 0.1 * std::sqrt(1'440), 0.01);
  EXPECT_EQ(volatility.samples, 59U);
  EXPECT_TRUE(volatility.has_bounds());
  EXPECT_LE(volatility.low, volatility.mean);
  EXPECT_GE(volatility.high, volatility.mean);
}

TEST(DataQuality, MinutesThatAreApartMakeNoPair) {
  DataQuality quality;
  quality.see(0, kBitcoin, at_seconds(0), quote(99, 101));
  quality.see(0, kBitcoin, at_seconds(120), quote(199, 201));
  EXPECT_EQ(quality_of(quality).volatility.samples, 0U);
  quality.see(0, kBitcoin, at_seconds(180), quote(199, 201));
  EXPECT_EQ(quality_of(quality).volatility.samples, 1U);
  EXPECT_EQ(quality_of(quality).volatility.mean, 0);
}

TEST(DataQuality, SymbolsAreApartAndBeyondTheMostOnlyCounted) {
  DataQuality quality;
  for (std::size_t i = 0; i < DataQuality::kMaxSymbols + 2; ++i) {
    quality.see(i, *Symbol::from(fmt::format("S{}USDT", i)), at_seconds(1), quote(99, 101));
  }
  EXPECT_EQ(quality.symbols().size(), DataQuality::kMaxSymbols);
  EXPECT_EQ(quality.symbols()[7].symbol.text(), "S7USDT");
  EXPECT_EQ(quality.events_of_others(), 2U);
}

}  // namespace
}  // namespace rts::research
