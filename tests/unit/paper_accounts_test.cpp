// research::PaperAccounts: fills, stops, fees, funding and what is said of an account.
#include "research/paper_accounts.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/price_path.hpp"

namespace rts::research {
namespace {

using std::chrono::minutes;
using test::at_seconds;
using test::buy;
using test::close_long;
using test::sell;
using test::spot;
using test::stops;

constexpr double kNear = 1e-9;

// One account over one symbol.
class Book {
 public:
  explicit Book(double fee_bp = 0) : accounts_({fee_bp}, 1) {}

  Book& price(double seconds, double mid, double half_spread = 0) {
    last_ = spot(seconds, mid, half_spread);
    accounts_.see(0, last_);
    return *this;
  }
  // At the last price.
  Book& order(const AccountOrder& order) {
    accounts_.fill({order, last_.at, last_.mid, last_.half_spread});
    return *this;
  }
  PaperAccounts& accounts() { return accounts_; }
  [[nodiscard]] AccountResult result() const { return accounts_.result(0); }

 private:
  PaperAccounts accounts_;
  Spot last_;
};

TEST(PaperAccounts, WithoutOrdersHaveNothing) {
  const AccountResult result = Book().price(0, 100).price(100, 200).result();
  EXPECT_EQ(result.total.orders, 0U);
  EXPECT_EQ(result.equity, 0);
  EXPECT_EQ(result.max_drawdown, 0);
  EXPECT_FALSE(result.lot_net_bp.has_bounds());
}

TEST(PaperAccounts, BuyTheAskAndMarkAtTheMid) {
  const AccountResult result = Book().price(0, 100, 1).order(buy(2)).price(1, 105, 1).result();
  EXPECT_NEAR(result.total.open, 2 * (105 - 101), kNear);
  EXPECT_NEAR(result.equity, 8, kNear);
  EXPECT_NEAR(result.open_long, 210, kNear);
  EXPECT_EQ(result.open_short, 0);
  EXPECT_NEAR(result.total.turnover, 202, kNear);
  EXPECT_EQ(result.total.closed_lots, 0U);
}

TEST(PaperAccounts, SellTheBidAndGainWhatThePriceFalls) {
  const AccountResult result = Book().price(0, 100, 1).order(sell(2)).price(1, 90, 1).result();
  EXPECT_NEAR(result.equity, 2 * (99 - 90), kNear);
  EXPECT_NEAR(result.open_short, 180, kNear);
}

struct StopRow {
  const char* what;
  AccountOrder order;
  double mid, half_spread;  // of the price that comes
  bool is_closed;
  double gross;
};

// A lot of 1 at 100, without a spread, and the next price.
TEST(PaperAccounts, StopsAreHitByTheMidAndNeverFilledBetterThanTheyAre) {
  const Protection of_long = stops(98, 104), of_short = stops(102, 96);
  for (const StopRow& row : {
           StopRow{"above a LONG's stop loss", buy(1, of_long), 98.01, 0.5, false, 0},
           StopRow{"at it", buy(1, of_long), 98, 0, true, -2},
           StopRow{"at it, with a spread", buy(1, of_long), 98, 0.5, true, -2.5},
           StopRow{"through it", buy(1, of_long), 95, 0.5, true, -5.5},
           StopRow{"below a LONG's take profit", buy(1, of_long), 103.99, 0, false, 0},
           StopRow{"at it", buy(1, of_long), 104, 0, true, 4},
           StopRow{"at it, with a spread", buy(1, of_long), 104, 0.5, true, 3.5},
           StopRow{"through it", buy(1, of_long), 110, 0.5, true, 4},
           StopRow{"below a SHORT's stop loss", sell(1, of_short), 101.99, 0, false, 0},
           StopRow{"at it", sell(1, of_short), 102, 0.5, true, -2.5},
           StopRow{"through it", sell(1, of_short), 105, 0.5, true, -5.5},
           StopRow{"above a SHORT's take profit", sell(1, of_short), 96.01, 0, false, 0},
           StopRow{"at it", sell(1, of_short), 96, 0.5, true, 3.5},
           StopRow{"through it", sell(1, of_short), 90, 0.5, true, 4},
       }) {
    const AccountResult result =
        Book().price(0, 100).order(row.order).price(1, row.mid, row.half_spread).result();
    EXPECT_EQ(result.total.closed_lots, row.is_closed ? 1U : 0U) << row.what;
    EXPECT_NEAR(result.total.gross, row.gross, kNear) << row.what;
    if (row.is_closed) {
      EXPECT_NEAR(result.equity, row.gross, kNear) << row.what;
    }
  }
}

TEST(PaperAccounts, EachLotHasItsOwnStops) {
  Book book;
  book.price(0, 100).order(buy(1, stops(98, 104))).order(buy(1, stops(95, 104)));
  EXPECT_EQ(book.price(1, 97).result().total.closed_lots, 1U);
  EXPECT_EQ(book.price(2, 98).result().total.closed_lots, 1U);
  EXPECT_EQ(book.price(3, 95).result().total.closed_lots, 2U);
  EXPECT_NEAR(book.result().equity, -3 - 5, kNear);
}

TEST(PaperAccounts, ClosingOrdersCloseTheOldestLongsUpToTheirQuantity) {
  Book book;
  book.price(0, 100).order(buy(1)).price(1, 110).order(buy(1)).price(2, 120);
  book.order(close_long(1.5));
  const AccountResult result = book.result();
  EXPECT_EQ(result.total.closed_lots, 1U);
  EXPECT_NEAR(result.total.gross, 20 + 0.5 * 10, kNear);
  EXPECT_NEAR(result.total.open, 0.5 * 10, kNear);
  EXPECT_NEAR(result.equity, 30, kNear);
  EXPECT_EQ(result.total.orders, 3U);
}

TEST(PaperAccounts, ClosingOrdersLeaveShortsAndDoNotOpenAny) {
  const AccountResult result =
      Book().price(0, 100).order(sell(1)).order(close_long(5)).price(1, 90).result();
  EXPECT_EQ(result.closed_nothing, 1U);
  EXPECT_NEAR(result.open_short, 90, kNear);
  EXPECT_NEAR(result.equity, 10, kNear);
}

TEST(PaperAccounts, NothingIsLeftOfALotThatIsClosedInParts) {
  Book book;
  book.price(0, 100).order(buy(0.3)).order(close_long(0.1)).order(close_long(0.2));
  EXPECT_EQ(book.result().total.closed_lots, 1U);
  EXPECT_EQ(book.result().open_long, 0);
}

TEST(PaperAccounts, ALotThatWasClosedHasNoStopsAnyMore) {
  Book book;
  book.price(0, 100).order(buy(1, stops(98, 104))).order(close_long(1)).price(1, 90);
  EXPECT_EQ(book.result().total.closed_lots, 1U);
  EXPECT_EQ(book.result().equity, 0);
}

TEST(PaperAccounts, PayAFeeOfTheNotionalForEachSide) {
  Book book(4);
  book.price(0, 100).order(buy(1));
  EXPECT_NEAR(book.result().total.fees, 0.04, kNear);
  book.price(1, 110).order(close_long(1));
  const AccountResult result = book.result();
  EXPECT_NEAR(result.total.fees, 0.04 + 0.044, kNear);
  EXPECT_NEAR(result.total.net(), 10 - 0.084, kNear);
  EXPECT_NEAR(result.equity, 10 - 0.084, kNear);
  EXPECT_NEAR(result.lot_net_bp.mean, (10 - 0.084) / 100 * 10'000, 1e-6);
}

TEST(PaperAccounts, AWinIsWhatIsLeftAfterFees) {
  Book book(4);
  book.price(0, 100).order(buy(1)).price(1, 100.08).order(close_long(1));
  EXPECT_GT(book.result().total.gross, 0);
  EXPECT_EQ(book.result().total.wins, 0U);
  book.order(buy(1)).price(2, 101).order(close_long(1));
  EXPECT_EQ(book.result().total.wins, 1U);
  EXPECT_EQ(book.result().win_rate.samples, 2U);
}

TEST(PaperAccounts, LotsThatAreOpenAtTheSameTimeAreOfOneBlock) {
  for (const auto& [held_seconds, blocks] : {std::pair{30.0, 2U}, std::pair{1'200.0, 1U}}) {
    Book book;
    book.price(0, 100).order(buy(1)).price(held_seconds, 110).order(close_long(1));
    book.price(held_seconds + 120, 100).order(buy(1)).price(2 * held_seconds + 120, 110);
    book.order(close_long(1));
    EXPECT_EQ(book.result().lot_net_bp.samples, 2U);
    EXPECT_EQ(book.result().lot_net_bp.blocks, blocks) << held_seconds << " s";
  }
}

TEST(PaperAccounts, ALongPaysFundingAndAShortReceivesItOnce) {
  for (const auto& [order, received] :
       {std::pair{buy(2), -2 * 110 * 0.001}, std::pair{sell(2), 2 * 110 * 0.001}}) {
    Book book;
    book.accounts().set_funding(0, {{at_seconds(20), 0.001}, {at_seconds(20), 0.5}});
    book.price(0, 100).order(order).price(10, 110);
    EXPECT_EQ(book.result().total.funding, 0);
    book.price(20, 120).price(30, 120);
    EXPECT_NEAR(book.result().total.funding, received, kNear);
    EXPECT_NEAR(book.result().equity, book.result().total.equity(), kNear);
  }
}

TEST(PaperAccounts, FundingIsOfLotsThatWereOpenBefore) {
  Book book;
  book.accounts().set_funding(0, {{at_seconds(20), 0.001}, {at_seconds(10), 0.001}});
  book.price(0, 100).price(9, 100).order(buy(1)).price(15, 100).order(close_long(1));
  book.price(21, 100).order(buy(1)).price(40, 100);
  EXPECT_NEAR(book.result().total.funding, -0.1, kNear);
}

TEST(PaperAccounts, FundingOfTheEndIsPaidAtTheEnd) {
  Book book;
  book.accounts().set_funding(0, {{at_seconds(20), 0.001}});
  book.price(0, 100).order(buy(1));
  book.accounts().finish(at_seconds(20));
  EXPECT_NEAR(book.result().total.funding, -0.1, kNear);
}

TEST(PaperAccounts, ProfitIsOfTheStrategyThatOpened) {
  AccountOrder opening = buy(1), closing = close_long(1);
  opening.strategy = StrategyId::trade_momentum;
  closing.strategy = StrategyId::ticker_velocity;
  const AccountResult result =
      Book().price(0, 100).order(opening).price(1, 105).order(closing).result();
  EXPECT_NEAR(result.strategies[index_of(opening.strategy)].gross, 5, kNear);
  EXPECT_EQ(result.strategies[index_of(opening.strategy)].closed_lots, 1U);
  EXPECT_EQ(result.strategies[index_of(closing.strategy)].orders, 1U);
  EXPECT_EQ(result.strategies[index_of(closing.strategy)].gross, 0);
}

TEST(PaperAccounts, DrawdownIsTheMostBelowTheHighestAtTheMinutes) {
  Book book;
  book.price(0, 100).order(buy(1));
  for (const auto& [minute, mid] : {std::pair{1, 110.0}, {2, 104.0}, {3, 120.0}, {4, 115.0}}) {
    book.price(minute * 60 - 1, mid);
  }
  book.price(250, 50).price(251, 116);  // within a minute: not looked at
  EXPECT_NEAR(book.result().max_drawdown, 6, kNear);
  book.price(259, 100);
  book.accounts().finish(at_seconds(259));
  EXPECT_NEAR(book.result().max_drawdown, 20, kNear);
}

TEST(PaperAccounts, TheCurveIsOfTheMinutesAndEndsWithTheEnd) {
  Book book;
  book.accounts().keep_curve(0);
  book.price(0, 100).order(buy(1)).price(61, 110).price(65, 115).price(121, 120);
  book.accounts().finish(at_seconds(130));
  std::vector<double> equity;
  for (const EquityPoint& point : book.result().curve) equity.push_back(point.equity);
  EXPECT_THAT(equity, testing::ElementsAre(0, 0, 15, 20));
}

TEST(PaperAccounts, ALongCurveIsThinned) {
  Book book;
  book.accounts().keep_curve(0);
  for (int minute = 0; minute < 9'000; ++minute) book.price(60 * minute, 100);
  book.accounts().finish(at_seconds(60 * 9'000));
  const auto curve = book.result().curve;
  EXPECT_LE(curve.size(), PaperAccounts::kMaxCurvePoints);
  EXPECT_GT(curve.size(), PaperAccounts::kMaxCurvePoints / 2);
  EXPECT_EQ(curve.front().at, at_seconds(0));
  EXPECT_EQ(curve.back().at, at_seconds(60 * 9'000));
}

TEST(PaperAccounts, WithoutBeingAskedKeepNoCurve) {
  EXPECT_TRUE(Book().price(0, 100).price(60, 100).result().curve.empty());
}

TEST(PaperAccounts, AbsurdPricesGiveNumbers) {
  Book book(4);
  book.price(0, 1e-300, 1e14)
      .order(sell(1e14))
      .order(buy(1e14))
      .price(1, 9e14)
      .order(close_long(1));
  book.order(close_long(1e14));
  const AccountResult result = book.result();
  EXPECT_TRUE(std::isfinite(result.equity));
  EXPECT_TRUE(std::isfinite(result.lot_net_bp.mean));
}

}  // namespace
}  // namespace rts::research
