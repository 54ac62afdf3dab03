// research::QuoteBoard: which price of a symbol counts.
#include "research/quote_board.hpp"

#include <gtest/gtest.h>

namespace rts::research {
namespace {

Quote quote(double bid, double ask) { return {*Price::from(bid), *Price::from(ask)}; }
UnixMs at(int seconds) { return UnixMs{std::chrono::seconds(seconds)}; }

TEST(QuoteBoard, KnowsNothingOfASymbolBeforeItsFirstEvent) { EXPECT_EQ(QuoteBoard{}.at(3).mid, 0); }

TEST(QuoteBoard, TakesTheMidOfABookAndItsHalfSpread) {
  QuoteBoard board;
  const Spot spot = board.see(1, at(10), quote(99, 101));
  EXPECT_EQ(spot.mid, 100);
  EXPECT_EQ(spot.half_spread, 1);
  EXPECT_EQ(spot.at, at(10));
}

TEST(QuoteBoard, PassesOverPrintsWhileABookIsFreshAndTakesThemAfterwards) {
  QuoteBoard board;
  board.see(0, at(10), quote(99, 101));
  EXPECT_EQ(board.see(0, at(70), quote(101, 101)).mid, 100);
  EXPECT_EQ(board.see(0, at(71), quote(101, 101)).mid, 101);
}

TEST(QuoteBoard, TakesPrintsOfASymbolWithoutBooks) {
  QuoteBoard board;
  EXPECT_EQ(board.see(0, at(10), quote(50, 50)).mid, 50);
  EXPECT_EQ(board.at(0).half_spread, 0);
}

TEST(QuoteBoard, NeverRunsBackwards) {
  QuoteBoard board;
  board.see(0, at(10), quote(50, 50));
  EXPECT_EQ(board.see(0, at(9), quote(51, 51)).at, at(10));
}

}  // namespace
}  // namespace rts::research
