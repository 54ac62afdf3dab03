// research::Scoreboard and walk_forward: what trials come to, on hand-made prices.
#include "research/scoreboard.hpp"

#include <cmath>
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "research/walk_forward.hpp"

namespace rts::research {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::DoubleNear;
using testing::ElementsAre;

constexpr UnixMs kMidnight{std::chrono::days(19'923)};  // 2024-07-19, UTC

TEST(Evenness, IsTheEntropyOfTheHours) {
  std::array<std::uint32_t, 24> orders{};
  EXPECT_EQ(evenness(orders), 0);
  orders[3] = 7;
  EXPECT_EQ(evenness(orders), 0);
  orders[15] = 7;
  EXPECT_THAT(evenness(orders), DoubleNear(std::log(2) / std::log(24), 1e-12));
  orders.fill(2);
  EXPECT_THAT(evenness(orders), DoubleNear(1, 1e-12));
}

// One symbol's prices, and orders of trials at them.
class Market {
 public:
  explicit Market(const Scoreboard::Terms& terms, std::size_t trials = 2)
      : scoreboard_(trials, terms) {
    std::vector<std::size_t> all(trials);
    for (std::size_t i = 0; i < trials; ++i) all[i] = i;
    observer_ = scoreboard_.make_observer(all);
  }

  void price(UnixMs at, double price, const std::vector<TrialOrder>& orders = {}) {
    const Price quoted = *Price::from(price);
    observer_->on_event({.at = at,
                         .symbol_index = 0,
                         .listing = &listing_,
                         .id = {},
                         .reference = {},
                         .quote = {quoted, quoted}},
                        orders);
  }
  // The same price each ten seconds, so that none is too old to be believed.
  void hold(UnixMs from, UnixMs until, double at_price) {
    for (UnixMs at = from; at < until; at += seconds(10)) price(at, at_price);
  }

  [[nodiscard]] const Scoreboard& finished() {
    scoreboard_.finish();
    return scoreboard_;
  }

  static TrialOrder buy(std::size_t trial) {
    return {.trial = trial,
            .strategy = StrategyId::trade_momentum,
            .side = Side::buy,
            .reduce_only = false,
            .quantity = 1,
            .protection = Protection{*Price::from(1), *Price::from(1000)}};
  }

 private:
  Listing listing_{*Symbol::from("BTCUSDT"), 1};
  Scoreboard scoreboard_;
  std::unique_ptr<Observer> observer_;
};

Scoreboard::Terms without_fees(std::chrono::milliseconds period = {}) {
  return {.orders = {.fee_bp = 0}, .period = period};
}

TEST(Scoreboard, CountsOrdersByStrategyHourAndDay) {
  Market market(without_fees());
  market.price(kMidnight + hours(5), 100, {Market::buy(1)});
  market.price(kMidnight + hours(5) + minutes(59), 100, {Market::buy(0), Market::buy(1)});
  market.price(kMidnight + hours(31), 100, {Market::buy(1)});
  const Score score = market.finished().score(1, 0);
  EXPECT_EQ(score.orders, 3U);
  EXPECT_EQ(score.orders_of[index_of(StrategyId::trade_momentum)], 3U);
  EXPECT_EQ(score.orders_of_hour[5], 2U);
  EXPECT_EQ(score.orders_of_hour[7], 1U);
  ASSERT_EQ(score.days.size(), 2U);
  EXPECT_EQ(score.days[0].orders, 2U);
  EXPECT_EQ(score.days[1].day - score.days[0].day, 1);
  EXPECT_EQ(market.finished().score(0, 0).orders, 1U);
}

TEST(Scoreboard, SaysWhatPricesAndThePaperAccountCameTo) {
  Market market(without_fees());
  market.price(kMidnight, 100, {Market::buy(0)});
  market.hold(kMidnight + seconds(1), kMidnight + minutes(2), 101);
  const Scoreboard& scoreboard = market.finished();
  const Score score = scoreboard.score(0, 2);                  // after a minute
  EXPECT_THAT(score.markout.net.mean, DoubleNear(100, 1e-9));  // 1 % in basis points
  EXPECT_EQ(score.markout.net.samples, 1U);
  EXPECT_EQ(score.unknown, 0U);
  EXPECT_EQ(score.edge, Edge::too_little_data);
  EXPECT_THAT(score.paper.equity, DoubleNear(1, 1e-9));
  EXPECT_THAT(score.value(Objective::pnl), DoubleNear(1, 1e-9));
  EXPECT_THAT(score.value(Objective::markout), DoubleNear(100, 1e-9));
  EXPECT_EQ(score.value(Objective::orders), 1);
  EXPECT_EQ(scoreboard.score(0, 5).unknown, 1U) << "the recording ends before an hour";
  EXPECT_EQ(scoreboard.score(1, 2).orders, 0U);
  EXPECT_EQ(scoreboard.span()->first, kMidnight);
}

TEST(Scoreboard, KeepsThePeriodsThatHadEvents) {
  Market market(without_fees(minutes(1)));
  market.price(kMidnight, 100, {Market::buy(0)});
  market.price(kMidnight + seconds(59), 102);
  market.price(kMidnight + minutes(3), 104, {Market::buy(0)});
  const auto periods = market.finished().periods(0);
  ASSERT_EQ(periods.size(), 2U);
  EXPECT_EQ(periods[1].period - periods[0].period, 3);
  EXPECT_EQ(periods[0].orders, 1U);
  EXPECT_EQ(periods[1].orders, 2U);
  EXPECT_THAT(periods[0].equity, DoubleNear(2, 1e-9));
  EXPECT_THAT(periods[1].equity, DoubleNear(4, 1e-9));
}

TEST(WalkForward, ChoosesByWhatWasKnownAndLooksAtWhatCameThen) {
  Market market(without_fees(minutes(1)), 3);
  // Trial 1 buys before the rise of the first minute, and before the fall of the second; trial 2
  // buys in the third alone, which rises. Trial 0 never buys.
  market.price(kMidnight, 100, {Market::buy(1)});
  market.price(kMidnight + seconds(50), 110);
  market.price(kMidnight + seconds(70), 110, {Market::buy(1)});
  market.price(kMidnight + seconds(110), 100);
  market.price(kMidnight + seconds(130), 100, {Market::buy(2)});
  market.price(kMidnight + seconds(170), 107);
  const WalkForward result = walk_forward(
      market.finished(), 3, {.objective = Objective::pnl, .horizon = 0, .train = 1, .test = 1});
  ASSERT_EQ(result.folds.size(), 2U);
  EXPECT_EQ(result.folds[0].best, 1U);
  EXPECT_THAT(result.folds[0].trained, DoubleNear(10, 1e-9));
  EXPECT_THAT(result.folds[0].tested, DoubleNear(-20, 1e-9)) << "two lots of it fall by ten";
  EXPECT_EQ(result.folds[0].configured, 0);
  EXPECT_EQ(result.folds[1].best, 0U) << "of equals the first: the settings as they are";
  EXPECT_EQ(result.folds[1].tested, 0);
  EXPECT_THAT(result.tested.mean, DoubleNear(-10, 1e-9));
  EXPECT_EQ(result.tested.blocks, 2U);
}

TEST(WalkForward, HasNoFoldWhereTheRecordingIsTooShort) {
  Market market(without_fees(minutes(1)));
  market.price(kMidnight, 100);
  market.price(kMidnight + minutes(1), 100);
  EXPECT_TRUE(walk_forward(market.finished(), 2, {.train = 2, .test = 1}).folds.empty());
  EXPECT_EQ(walk_forward(market.finished(), 2, {.train = 1, .test = 1}).folds.size(), 1U);
}

TEST(WalkForward, RanksByOrdersAndMarkoutsToo) {
  Market market(without_fees(minutes(1)));
  market.price(kMidnight, 100, {Market::buy(1)});
  market.price(kMidnight + seconds(5), 101);
  market.price(kMidnight + seconds(61), 101, {Market::buy(1), Market::buy(1)});
  market.price(kMidnight + seconds(65), 100);
  const Scoreboard& scoreboard = market.finished();
  const auto fold = [&](Objective objective) {
    return walk_forward(scoreboard, 2,
                        {.objective = objective, .horizon = 0, .train = 1, .test = 1})
        .folds.front();
  };
  EXPECT_EQ(fold(Objective::orders).best, 1U);
  EXPECT_EQ(fold(Objective::orders).tested, 2);
  EXPECT_EQ(fold(Objective::markout).best, 0U) << "after a second the price was still 100";
}

}  // namespace
}  // namespace rts::research
