// trade_momentum (SPEC §3.2): the scores, the thresholds and the running means.
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <rts/strategy/trade_momentum.hpp>

namespace rts {
namespace {

static_assert(std::is_trivially_copyable_v<TradeMomentum>);
static_assert(
    std::is_nothrow_invocable_v<const TradeMomentum&, const Trade&, const MomentumContext&>);

Trade trade(double price, double quantity, bool buyer_is_maker = false) {
  return {*Price::from(price), *Quantity::from(quantity), buyer_is_maker};
}

constexpr MomentumContext kWarm{100, 1, 100};  // means 100 and 1, a full window

Verdict judge(const Trade& trade, const TradeMomentumParameters& parameters = {},
              const MomentumContext& context = kWarm) {
  return TradeMomentum(parameters)(trade, context);
}

std::string word(const Verdict& verdict) {
  return std::string(verdict.signal ? to_string(verdict.signal->side) : to_string(verdict.outcome));
}

TEST(TradeMomentum, ExampleOfTheHeader) {
  // 100.0625 is 0.0625 % above, more than the 0.05 % that score 1; so is every fraction exact.
  const Verdict verdict = judge(trade(100.0625, 5));
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->side, Side::buy);
  EXPECT_EQ(verdict.signal->price.value(), 100.0625);
  EXPECT_EQ(verdict.signal->current_price.value(), 100.0625);
  EXPECT_EQ(verdict.signal->confidence.value(), 0.65 + 0.2 * 1);
  EXPECT_EQ(verdict.indicators[0].value(), 1);
  EXPECT_EQ(verdict.indicators[1].value(), 1);
  EXPECT_EQ(verdict.indicators[2].value(), 1);
  EXPECT_EQ(verdict.indicators[3].value(), 1);
  const Verdict literal = judge(trade(100.05, 5));
  EXPECT_NEAR(literal.indicators[0].value(), 1, 1e-9) << "the header's own figures";
  EXPECT_EQ(word(literal), "BUY");
}

TEST(TradeMomentum, SellsInTheMirrorCase) {
  const Verdict verdict = judge(trade(99.9375, 5, true));
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->side, Side::sell);
  EXPECT_EQ(verdict.signal->price.value(), 99.9375);
  EXPECT_EQ(verdict.signal->confidence.value(), 0.65 + 0.2 * 1);
  for (const Indicator& indicator : verdict.indicators) EXPECT_EQ(indicator.value(), -1);
}

struct ScoreCase {
  Trade trade;
  double price_score;
  double quantity_score;
  double maker_score;
};

TEST(TradeMomentum, ScoresPriceQuantityAndMaker) {
  TradeMomentumParameters parameters;
  parameters.price_scale_percent = 0.5;
  parameters.quantity_multiple = 4;
  for (const auto& c : std::vector<ScoreCase>{
           {trade(100, 1), 0, 0.25, 1},
           {trade(100.25, 1), 0.5, 0.25, 1},
           {trade(100.5, 1), 1, 0.25, 1},
           {trade(101, 1), 1, 0.25, 1},  // clamped
           {trade(99.75, 1), -0.5, 0.25, 1},
           {trade(50, 1), -1, 0.25, 1},  // clamped
           {trade(100, 4), 0, 1, 1},
           {trade(100, 400), 0, 1, 1},  // at most 1
           {trade(100, 2), 0, 0.5, 1},
           {trade(100, 2, true), 0, -0.5, -1},
           {trade(100, 400, true), 0, -1, -1},
           {trade(100.25, 2, true), 0.5, -0.5, -1},  // price and side are independent
       }) {
    const Verdict verdict = judge(c.trade, parameters);
    EXPECT_EQ(verdict.indicators[1].value(), c.price_score);
    EXPECT_EQ(verdict.indicators[2].value(), c.quantity_score);
    EXPECT_EQ(verdict.indicators[3].value(), c.maker_score);
    EXPECT_EQ(verdict.indicators[0].value(),
              0.4 * c.price_score + 0.3 * c.quantity_score + 0.3 * c.maker_score);
  }
}

// All weight on the price: the momentum is its score, exact in binary.
TradeMomentumParameters price_only(double buy_threshold, double sell_threshold) {
  TradeMomentumParameters parameters;
  parameters.price_weight = 1;
  parameters.quantity_weight = parameters.maker_weight = 0;
  parameters.price_scale_percent = 0.5;
  parameters.buy_threshold = buy_threshold;
  parameters.sell_threshold = sell_threshold;
  return parameters;
}

TEST(TradeMomentum, BuysJustAboveThreshold) {
  const Trade half = trade(100.25, 1);  // momentum 0.5
  EXPECT_EQ(word(judge(half, price_only(0.5, -0.5))), "neutral") << "on the threshold";
  EXPECT_EQ(word(judge(half, price_only(std::nextafter(0.5, 0), -0.5))), "BUY");
  EXPECT_EQ(word(judge(half, price_only(std::nextafter(0.5, 1), -0.5))), "neutral");
}

TEST(TradeMomentum, SellsJustBelowThreshold) {
  const Trade half = trade(99.75, 1);  // momentum -0.5
  EXPECT_EQ(word(judge(half, price_only(0.5, -0.5))), "neutral") << "on the threshold";
  EXPECT_EQ(word(judge(half, price_only(0.5, std::nextafter(-0.5, 0)))), "SELL");
  EXPECT_EQ(word(judge(half, price_only(0.5, std::nextafter(-0.5, -1)))), "neutral");
}

TEST(TradeMomentum, WeighsWithItsThreeWeights) {
  const auto momentum = [](double price, double quantity, double maker) {
    TradeMomentumParameters parameters;
    parameters.price_weight = price;
    parameters.quantity_weight = quantity;
    parameters.maker_weight = maker;
    return judge(trade(101, 2.5, true), parameters).indicators[0].value();  // scores 1, -0.5, -1
  };
  EXPECT_EQ(momentum(1, 0, 0), 1);
  EXPECT_EQ(momentum(0, 1, 0), -0.5);
  EXPECT_EQ(momentum(0, 0, 1), -1);
  EXPECT_EQ(momentum(0.5, 0.25, 0.25), 0.125);
}

TEST(TradeMomentum, LooksAwayBelowTheMinimumQuantityAndNotOnIt) {
  EXPECT_EQ(word(judge(trade(100, 0.001))), "neutral");
  EXPECT_EQ(word(judge(trade(100, std::nextafter(0.001, 0)))), "below_min_quantity");
  TradeMomentumParameters parameters;
  parameters.min_quantity = 5;
  EXPECT_EQ(word(judge(trade(101, 5), parameters)), "BUY");
  EXPECT_EQ(word(judge(trade(101, 4.999), parameters)), "below_min_quantity");
  parameters.min_quantity = 0;
  EXPECT_EQ(word(judge(trade(100, 1e-300), parameters)), "neutral") << "0 is off";
}

TEST(TradeMomentum, WarmsUpUntilTheWindowIsFull) {
  TradeMomentumParameters parameters;
  parameters.window = 3;
  for (const auto& [count, expected] : {std::pair<std::uint64_t, std::string>{0, "warming_up"},
                                        {1, "warming_up"},
                                        {2, "warming_up"},
                                        {3, "BUY"},
                                        {4, "BUY"}}) {
    EXPECT_EQ(word(judge(trade(101, 5), parameters, {100, 1, count})), expected) << count;
  }
  EXPECT_EQ(word(judge(trade(101, 0.0001), parameters, {})), "below_min_quantity") << "goes first";
}

TEST(TradeMomentum, ContextBeginsAtTheFirstTradeAndFollowsExponentially) {
  TradeMomentumParameters parameters;
  parameters.window = 3;  // alpha = 0.5
  const TradeMomentum momentum(parameters);
  MomentumContext context;
  context = momentum.updated(context, trade(100, 4));
  EXPECT_EQ(context.mean_price, 100);
  EXPECT_EQ(context.mean_quantity, 4);
  EXPECT_EQ(context.count, 1U);
  context = momentum.updated(context, trade(102, 2));
  EXPECT_EQ(context.mean_price, 101);
  EXPECT_EQ(context.mean_quantity, 3);
  EXPECT_EQ(context.count, 2U);
  context = momentum.updated(context, trade(97, 7, true));
  EXPECT_EQ(context.mean_price, 99);
  EXPECT_EQ(context.mean_quantity, 5);
  EXPECT_EQ(context.count, 3U);
}

TEST(TradeMomentum, AlphaIsTwoOverWindowPlusOne) {
  for (const int window : {2, 3, 7, 99, 100, 10'000}) {
    TradeMomentumParameters parameters;
    parameters.window = window;
    const auto next = TradeMomentum(parameters).updated({100, 1, 5}, trade(200, 3));
    const double alpha = 2.0 / (window + 1);
    EXPECT_EQ(next.mean_price, 100 + alpha * (200 - 100)) << window;
    EXPECT_EQ(next.mean_quantity, 1 + alpha * (3 - 1)) << window;
  }
}

TEST(TradeMomentum, ContextIsUntouchedBelowTheMinimumQuantity) {
  const TradeMomentum momentum({});
  const auto same = momentum.updated(kWarm, trade(500, 0.0009));
  EXPECT_EQ(same.mean_price, kWarm.mean_price);
  EXPECT_EQ(same.mean_quantity, kWarm.mean_quantity);
  EXPECT_EQ(same.count, kWarm.count);
  EXPECT_EQ(momentum.updated(kWarm, trade(500, 0.001)).count, kWarm.count + 1);
}

TEST(TradeMomentum, IsNeverSurerThan95Percent) {
  // |momentum| is at most 1 with weights that sum to 1, so 0.85 is the most; only odd weights
  // reach the cap.
  TradeMomentumParameters parameters;
  parameters.price_weight = parameters.quantity_weight = parameters.maker_weight = 1;
  const Verdict verdict = judge(trade(101, 5), parameters);
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->confidence.value(), 0.95);
}

TEST(TradeMomentum, IsNeutralBeyondTheRangeOfDouble) {
  constexpr double kMax = std::numeric_limits<double>::max();
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(word(judge(trade(kMax, 5), {}, {kLeast, 1, 100})), "BUY") << "clamped to 1";
  TradeMomentumParameters parameters;
  parameters.quantity_multiple = kMax;
  EXPECT_EQ(word(judge(trade(100, 5), parameters, {100, kMax, 100})), "neutral");
}

TEST(TradeMomentum, NamesItsIndicators) {
  const auto names = indicator_names(StrategyId::trade_momentum);
  EXPECT_EQ(std::vector<std::string>(names.begin(), names.end()),
            (std::vector<std::string>{"momentum", "price_score", "quantity_score", "maker_score"}));
}

}  // namespace
}  // namespace rts
