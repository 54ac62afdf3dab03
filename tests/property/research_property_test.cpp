// What holds of orders' results whatever the market and the orders are.
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "property/property.hpp"
#include "research/order_evaluator.hpp"
#include "support/price_path.hpp"

namespace rts::research {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kCentre = 1'000;  // that a mirrored market is mirrored at

// A price, and what is ordered at it.
struct Event {
  std::size_t symbol_index = 0;
  UnixMs at;
  double mid = 0, half_spread = 0;
  std::vector<AccountOrder> orders{};
};

// Everything that is said of an account, each number with all its digits.
std::string text_of(const Interval& interval) {
  return fmt::format("{} [{}, {}] {} {}\n", interval.mean, interval.low, interval.high,
                     interval.samples, interval.blocks);
}
std::string text_of(const Profit& profit) {
  return fmt::format("{} {} {} {} {} {} {} {}\n", profit.orders, profit.closed_lots, profit.wins,
                     profit.gross, profit.fees, profit.funding, profit.open, profit.turnover);
}
std::string text_of(const OrderEvaluator& evaluator, std::size_t account) {
  std::string text;
  const AccountMarkouts markouts = evaluator.markouts().result(account);
  for (const GroupMarkouts& group : markouts.groups) {
    text += fmt::format("{} {}\n", to_string(group.strategy), group.orders);
    for (const Markout& markout : group.horizons) {
      text += text_of(markout.estimate.gross) + text_of(markout.estimate.net) +
              text_of(markout.estimate.strict_net) + text_of(markout.estimate.hit_rate);
      text += fmt::format("{} {}\n", markout.unknown, to_string(markout.edge));
    }
  }
  const AccountResult paper = evaluator.paper()->result(account);
  for (const Profit& profit : paper.strategies) text += text_of(profit);
  return text + text_of(paper.lot_net_bp) + text_of(paper.win_rate) +
         fmt::format("{} {} {} {} {} {} {}\n", to_string(markouts.overall), paper.unfilled,
                     paper.closed_nothing, paper.open_long, paper.open_short, paper.equity,
                     paper.max_drawdown);
}

class ResearchProperty : public test::Property {
 protected:
  static constexpr std::size_t kSymbols = 3;

  // Some hours of a market that walks, is silent at times and has times that run backwards.
  std::vector<Event> market(std::size_t accounts) {
    std::vector<Event> events;
    std::vector<double> mids(kSymbols, kCentre);
    std::int64_t now_ms = 1'721'347'200'000;
    for (int i = 0; i < 3'000; ++i) {
      now_ms += pick(200) == 0 ? between(0, 200'000) : between(-300, 6'000);
      Event event;
      event.symbol_index = pick(kSymbols);
      double& mid = mids[event.symbol_index];
      mid = std::clamp(mid * (1 + uniform(-0.003, 0.003)), 500.0, 1'500.0);
      event.at = UnixMs{milliseconds{now_ms}};
      event.mid = mid;
      event.half_spread = uniform(0.01, 0.2);
      for (std::size_t account = 0; account < accounts; ++account) {
        if (pick(10) == 0) event.orders.push_back(order(account, event));
      }
      events.push_back(event);
    }
    return events;
  }

  // Runs it, of all accounts or of one, which has the number 0 then.
  static OrderEvaluator evaluated(const std::vector<Event>& events, std::size_t accounts,
                                  double fee_bp, std::optional<std::size_t> only = {}) {
    OrderEvaluator evaluator({.latency = milliseconds{150}, .fee_bp = fee_bp}, accounts);
    for (std::size_t symbol = 0; symbol < kSymbols && fee_bp > 0; ++symbol) {
      evaluator.paper()->set_funding(symbol, {{events[500].at, 0.001}, {events[1'500].at, -0.002}});
    }
    for (const Event& event : events) {
      evaluator.see(event.symbol_index, event.at,
                    test::quote(event.mid - event.half_spread, event.mid + event.half_spread));
      for (AccountOrder order : event.orders) {
        if (only && order.account != *only) continue;
        if (only) order.account = 0;
        evaluator.take(order);
      }
    }
    evaluator.finish();
    return evaluator;
  }

  bool with_closing_orders = true;

 private:
  AccountOrder order(std::size_t account, const Event& event) {
    AccountOrder order;
    order.account = account;
    order.symbol_index = event.symbol_index;
    order.strategy = all_of<StrategyId>[pick(count_of<StrategyId>)];
    order.side = pick(2) == 0 ? Side::buy : Side::sell;
    order.quantity = uniform(0.01, 2);
    order.reduce_only = with_closing_orders && order.side == Side::sell && pick(2) == 0;
    const double loss = uniform(1, 10), profit = uniform(1, 20);
    if (order.reduce_only) return order;
    order.protection = order.side == Side::buy ? test::stops(event.mid - loss, event.mid + profit)
                                               : test::stops(event.mid + loss, event.mid - profit);
    return order;
  }
};

TEST_F(ResearchProperty, WhatLotsHaveGivenIsWhatTheAccountHas) {
  constexpr std::size_t kAccounts = 5;
  double paid = 0;  // as funding
  for (int round = 0; round < 5; ++round) {
    const OrderEvaluator evaluator = evaluated(market(kAccounts), kAccounts, 4);
    for (std::size_t account = 0; account < kAccounts; ++account) {
      const AccountResult result = evaluator.paper()->result(account);
      ASSERT_GT(result.total.closed_lots, 50U);
      EXPECT_NEAR(result.total.equity(), result.equity, 1e-9 * result.total.turnover);
      paid += std::abs(result.total.funding);
    }
  }
  EXPECT_GT(paid, 0);
}

TEST_F(ResearchProperty, AccountsGiveTheSameTogetherAndApart) {
  constexpr std::size_t kAccounts = 4;
  const std::vector<Event> events = market(kAccounts);
  const OrderEvaluator together = evaluated(events, kAccounts, 4);
  for (std::size_t account = 0; account < kAccounts; ++account) {
    EXPECT_EQ(text_of(together, account), text_of(evaluated(events, 1, 4, account), 0));
  }
}

TEST_F(ResearchProperty, EachOrderIsASampleOrUnknownAtEachHorizon) {
  const OrderEvaluator evaluator = evaluated(market(2), 2, 4);
  for (const GroupMarkouts& group : evaluator.markouts().result(0).groups) {
    for (const Markout& markout : group.horizons) {
      EXPECT_EQ(markout.estimate.gross.samples + markout.unknown, group.orders);
      EXPECT_GT(markout.estimate.gross.samples, 0U);
    }
    EXPECT_GT(group.horizons.back().unknown, 0U);  // orders of the last hour
  }
}

// A market that stands on its head, with the other sides, gives the same profit. Without fees,
// which are of prices, and without orders that only close, for they close LONGs only.
TEST_F(ResearchProperty, AMirroredMarketGivesTheSameProfit) {
  with_closing_orders = false;
  std::vector<Event> events = market(1);
  const AccountResult result = evaluated(events, 1, 0).paper()->result(0);
  for (Event& event : events) {
    event.mid = 2 * kCentre - event.mid;
    for (AccountOrder& order : event.orders) {
      order.side = order.side == Side::buy ? Side::sell : Side::buy;
      order.protection = test::stops(2 * kCentre - order.protection->stop_loss.value(),
                                     2 * kCentre - order.protection->take_profit.value());
    }
  }
  const AccountResult mirrored = evaluated(events, 1, 0).paper()->result(0);
  ASSERT_GT(result.total.closed_lots, 50U);
  EXPECT_EQ(mirrored.total.closed_lots, result.total.closed_lots);
  EXPECT_NEAR(mirrored.total.gross, result.total.gross, 1e-6);
  EXPECT_NEAR(mirrored.total.open, result.total.open, 1e-6);
  EXPECT_NEAR(mirrored.max_drawdown, result.max_drawdown, 1e-6);
}

// How many of so many intervals hold 0, the mean of what is drawn.
template <class Draw>
int covered(int intervals, seconds shortest_block, Draw draw) {
  int covered = 0;
  for (int i = 0; i < intervals; ++i) {
    BlockSums sums(shortest_block);
    for (int sample = 0; sample < 960; ++sample) {
      const double value = draw();
      sums.add(test::at_seconds(sample), {value, 0, value > 0});
    }
    const Interval interval = sums.estimate().gross;
    if (interval.low <= 0 && 0 <= interval.high) ++covered;
  }
  return covered;
}

// 190 of 200 are expected; outside [178, 199] once in some thousands of seeds.
TEST_F(ResearchProperty, IntervalsOfIndependentSamplesHoldTheMeanInNineteenOfTwentyCases) {
  const int held = covered(200, seconds{1}, [this] { return uniform(-1, 1); });
  EXPECT_GE(held, 178);
  EXPECT_LE(held, 199);
}

// Samples that follow each other (each is 0.95 of the last and something new): blocks as short as
// they are believe to know more than they do, long blocks do not.
TEST_F(ResearchProperty, OfSamplesThatFollowEachOtherOnlyLongBlocksHoldTheMean) {
  double last = 0;
  const auto draw = [&] { return last = 0.95 * last + uniform(-1, 1); };
  // 8 s are what 960 s are cut into, for there are 128 blocks at most.
  EXPECT_LT(covered(200, seconds{8}, draw), 150);
  EXPECT_GE(covered(200, seconds{60}, draw), 150);
}

}  // namespace
}  // namespace rts::research
