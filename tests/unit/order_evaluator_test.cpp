// research::OrderEvaluator and what it is made of: when an order is filled, at which price, and
// that a symbol's number is its own.
#include "research/order_evaluator.hpp"

#include <gtest/gtest.h>

#include "research/symbol_numbers.hpp"
#include "support/price_path.hpp"

namespace rts::research {
namespace {

using std::chrono::milliseconds;
using test::at_seconds;
using test::buy;
using test::quote;

OrderEvaluator::Terms terms(int latency_ms) {
  return {.latency = milliseconds{latency_ms}, .fee_bp = 0, .by_symbol = true};
}

double open_profit(const OrderEvaluator& evaluator) {
  return evaluator.paper()->result(0).total.open;
}

TEST(OrderEvaluator, FillsAtTheLastPriceOfTheOrdersTimeAndLatency) {
  struct Row {
    int latency_ms;
    double entry;
  };
  for (const Row& row : {Row{0, 101}, Row{499, 101}, Row{500, 111}, Row{999, 111}, Row{1'000, 121},
                         Row{5'000, 121}}) {
    OrderEvaluator evaluator(terms(row.latency_ms), 1);
    evaluator.see(0, at_seconds(10), quote(99, 101));
    evaluator.take(buy(1));
    evaluator.see(0, at_seconds(10.5), quote(109, 111));
    evaluator.see(0, at_seconds(11), quote(119, 121));
    evaluator.see(0, at_seconds(20), quote(199, 201));
    evaluator.finish();
    EXPECT_EQ(open_profit(evaluator), 200 - row.entry) << row.latency_ms << " ms";
  }
}

TEST(OrderEvaluator, FillsWhatIsDueBeforeTheEndAndNothingBehindIt) {
  for (const auto& [latency_ms, unfilled] : {std::pair{1'000, 0U}, std::pair{1'001, 1U}}) {
    OrderEvaluator evaluator(terms(latency_ms), 1);
    evaluator.see(0, at_seconds(10), quote(99, 101));
    evaluator.take(buy(1));
    evaluator.see(1, at_seconds(11), quote(9, 11));  // another symbol's time counts, too
    evaluator.finish();
    const AccountResult result = evaluator.paper()->result(0);
    EXPECT_EQ(result.unfilled, unfilled) << latency_ms << " ms";
    EXPECT_EQ(result.total.orders, 1 - unfilled);
    const AccountMarkouts markouts = evaluator.markouts().result(0);
    EXPECT_EQ(markouts.groups.front().orders, 1U);
    EXPECT_EQ(markouts.groups.front().horizons.front().unknown, 1U);
  }
}

TEST(OrderEvaluator, FillsNothingOnceAFeedWasSilent) {
  OrderEvaluator evaluator(terms(60'001), 1);
  evaluator.see(0, at_seconds(10), quote(99, 101));
  evaluator.take(buy(1));
  evaluator.see(0, at_seconds(100), quote(99, 101));
  EXPECT_EQ(evaluator.paper()->result(0).unfilled, 1U);
}

TEST(OrderEvaluator, TakesTimesThatRunBackwardsAsTheLatestBefore) {
  OrderEvaluator evaluator(terms(0), 1);
  evaluator.see(0, at_seconds(10), quote(99, 101));
  evaluator.see(0, at_seconds(8), quote(100, 102));
  evaluator.take(buy(1));
  evaluator.see(0, at_seconds(10.5), quote(109, 111));
  evaluator.see(0, at_seconds(11.5), quote(119, 121));
  const Markout second = evaluator.markouts().result(0).groups.front().horizons.front();
  EXPECT_NEAR(second.estimate.gross.mean, (110.0 - 101) / 101 * 10'000, 1e-9);
  EXPECT_EQ(open_profit(evaluator), 120 - 102);
}

TEST(OrderEvaluator, CountsAllSymbolsTogetherAndApart) {
  OrderEvaluator evaluator(terms(0), 1);
  for (const std::size_t symbol : {0U, 1U}) {
    evaluator.see(symbol, at_seconds(10), quote(99, 101));
    AccountOrder order = buy(1);
    order.symbol_index = symbol;
    evaluator.take(order);
  }
  evaluator.finish();
  EXPECT_EQ(evaluator.markouts().result(0).groups.front().orders, 2U);
  EXPECT_EQ(evaluator.markouts_by_symbol()->result(0).groups.size(), 2U);
}

TEST(OrderEvaluator, WithoutPricesThereIsNothing) {
  OrderEvaluator evaluator(terms(0), 1);
  evaluator.finish();
  EXPECT_TRUE(evaluator.markouts().result(0).groups.empty());
  EXPECT_EQ(evaluator.markouts().result(0).overall, Edge::too_little_data);
  EXPECT_FALSE(evaluator.end());
}

TEST(SymbolNumbers, AreASymbolsOwnWhateverItsNumberInTheEngine) {
  const auto name = [](const char* text) { return *Symbol::from(text); };
  SymbolNumbers numbers;
  EXPECT_EQ(numbers.of(5, name("BTCUSDT")), 0U);
  EXPECT_EQ(numbers.of(0, name("ETHUSDT")), 1U);
  EXPECT_EQ(numbers.of(5, name("BTCUSDT")), 0U);
  EXPECT_EQ(numbers.of(5, name("BNBUSDT")), 2U);
  EXPECT_EQ(numbers.of(0, name("BTCUSDT")), 0U);
  EXPECT_EQ(numbers.symbols().size(), 3U);
}

}  // namespace
}  // namespace rts::research
