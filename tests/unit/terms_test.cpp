// How much to order (SPEC §4, Size): whole steps, exact in decimal, never below the minimum and
// never above the maximum.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/trading/terms.hpp>

namespace rts {
namespace {

SizeLimits limits(double order, double minimum, double maximum) {
  return {*Notional::from(order), *Notional::from(minimum), *Notional::from(maximum)};
}

// As decimal text; "none" when there is no order.
std::string quantity(const SizeLimits& limits, std::string_view step, double price) {
  OrderTerms terms;
  terms.size = limits;
  terms.instrument.quantity_step = *Decimal::parse(step);
  const auto result = order_quantity(terms, *Price::from(price));
  return result ? result->to_string() : "none";
}

struct SizeCase {
  std::string name;
  SizeLimits limits;
  std::string_view step;
  double price;
  std::string expected;
};

void expect_quantities(const std::vector<SizeCase>& cases) {
  for (const auto& c : cases) {
    EXPECT_EQ(quantity(c.limits, c.step, c.price), c.expected) << c.name;
  }
}

TEST(Sizing, ExampleOfTheHeader) { EXPECT_EQ(quantity({}, "0.001", 3424.99), "0.029"); }

TEST(Sizing, TakesTheWholeStepsThatTheNotionalBuys) {
  expect_quantities({
      {"rounds down", {}, "0.001", 3333.34, "0.029"},
      {"exactly 30 steps", {}, "0.001", 100.0 / 0.03, "0.03"},
      {"just over 30 steps' price", {}, "0.001", 3333.4, "0.029"},
      {"one unit", {}, "1", 100, "1"},
      {"99 units", {}, "1", 1.005, "99"},
      {"coarse step", {}, "10", 1.05, "90"},
      {"odd step", {}, "0.25", 33, "3"},
      {"tiny price", {}, "1", 0.0000123, "8130081"},
      {"tiny step", {}, "0.00000001", 61837.63, "0.00161713"},
      {"18 places", {}, "0.000000000000000001", 100, "none"},  // beyond 9e15 steps
      {"notional 250", limits(250, 10, 1000), "0.001", 3424.99, "0.072"},
  });
}

TEST(Sizing, ForgivesABillionthOfAStep) {
  // 100/(3·price·step) may come out as 29.999999999999996 in binary.
  for (int steps = 1; steps <= 2000; ++steps) {
    const double price = 100.0 / steps;  // so that exactly `steps` steps of 1 cost 100
    EXPECT_EQ(quantity(limits(100, 0.001, 1000), "1", price), std::to_string(steps));
  }
  EXPECT_EQ(quantity(limits(100, 0.001, 1000), "1", 100 * (1 + 1e-10)), "1");
  EXPECT_EQ(quantity(limits(99.5, 0.001, 99.9), "1", 100), "none") << "no more than a billionth";
}

TEST(Sizing, ClampsTheNotionalToTheLimits) {
  expect_quantities({
      {"below the minimum", limits(5, 10, 1000), "1", 1, "10"},
      {"on the minimum", limits(10, 10, 1000), "1", 1, "10"},
      {"between", limits(11, 10, 1000), "1", 1, "11"},
      {"on the maximum", limits(1000, 10, 1000), "1", 1, "1000"},
      {"above the maximum", limits(5000, 10, 1000), "1", 1, "1000"},
      {"all the same", limits(50, 50, 50), "1", 1, "50"},
  });
}

TEST(Sizing, TakesTheFewestStepsThatReachTheMinimum) {
  expect_quantities({
      {"not even a step", {}, "0.001", 150'000, "0.001"},
      {"not even a step, exactly the maximum", {}, "0.001", 1'000'000, "0.001"},
      {"below the minimum by rounding", limits(10, 10, 1000), "1", 3, "4"},
      {"exactly the minimum", limits(10, 10, 1000), "1", 2.5, "4"},
      {"coarse step", limits(10, 10, 1000), "100", 0.06, "200"},
  });
}

TEST(Sizing, MakesNoOrderWhenTheFewestStepsExceedTheMaximum) {
  expect_quantities({
      {"a step costs the maximum", limits(100, 10, 1000), "1", 1000, "1"},
      {"a step costs more", limits(100, 10, 1000), "1", 1000.01, "none"},
      {"minimum and maximum within a step", limits(100, 100, 105), "1", 60, "none"},
      {"and just outside", limits(100, 100, 120), "1", 60, "2"},
      {"very dear", {}, "0.001", 9e14, "none"},
      {"very cheap", {}, "0.001", 1e-300, "none"},
  });
}

// ---- What the venue takes

TEST(Sizing, OfAnInstrumentWithoutFiltersIsHeldToNone) {
  const Instrument none;
  EXPECT_EQ(none.min_notional, 0);
  EXPECT_EQ(none.max_notional, 0);
  EXPECT_TRUE(none.min_quantity.is_zero() && none.max_quantity.is_zero() && none.tick.is_zero());
}

std::string quantity_at(double price, const Instrument& instrument,
                        const SizeLimits& size = limits(100, 10, 1000)) {
  OrderTerms terms;
  terms.size = size;
  terms.instrument = instrument;
  const auto result = order_quantity(terms, *Price::from(price));
  return result ? result->to_string() : "none";
}

TEST(Sizing, ReachesTheVenuesMinimumNotional) {
  const auto at_least = [](double min_notional, double price, const SizeLimits& size) {
    return quantity_at(price, {.quantity_step = *Decimal::parse("1"), .min_notional = min_notional},
                       size);
  };
  EXPECT_EQ(at_least(0, 30, limits(100, 10, 1000)), "3") << "0 is none";
  EXPECT_EQ(at_least(90, 30, limits(100, 10, 1000)), "3") << "exactly that";
  EXPECT_EQ(at_least(90.01, 30, limits(100, 10, 1000)), "4");
  EXPECT_EQ(at_least(100, 30, limits(100, 10, 1000)), "4") << "99 with three would be too little";
  EXPECT_EQ(at_least(5, 30, limits(20, 10, 1000)), "1") << "our own minimum is greater";
  EXPECT_EQ(at_least(500, 30, limits(100, 10, 1000)), "17") << "more than the order's notional";
  EXPECT_EQ(at_least(1000, 30, limits(100, 10, 1000)), "none") << "34 are worth 1020";
  EXPECT_EQ(at_least(1000, 30, limits(100, 10, 1020)), "34");
  EXPECT_EQ(at_least(1000, 31, limits(100, 10, 1020)), "none");
}

// The defaults of BTCUSDT: a step is worth 62, the venue takes 100 at least.
TEST(Sizing, RoundsUpWhereAStepLessWouldBeRefused) {
  EXPECT_EQ(quantity_at(61837.63, {.min_notional = 100}), "0.002");
  EXPECT_EQ(quantity_at(61837.63, {}), "0.001");
}

TEST(Sizing, KeepsTheVenuesMaximumNotional) {
  const auto at_most = [](double max_notional) {
    return quantity_at(30, {.quantity_step = *Decimal::parse("1"), .max_notional = max_notional});
  };
  EXPECT_EQ(at_most(0), "3") << "0 is none";
  EXPECT_EQ(at_most(90), "3");
  EXPECT_EQ(at_most(89.99), "none");
  EXPECT_EQ(at_most(1), "none");
  EXPECT_EQ(at_most(1e9), "3");
}

TEST(Sizing, KeepsTheVenuesQuantities) {
  const auto within = [](std::string_view least, std::string_view most, double price) {
    Instrument instrument{.quantity_step = *Decimal::parse("0.5")};
    instrument.min_quantity = *Decimal::parse(least);
    instrument.max_quantity = *Decimal::parse(most);
    return quantity_at(price, instrument);
  };
  EXPECT_EQ(within("0", "0", 40), "2.5") << "0 is none";
  EXPECT_EQ(within("2.5", "0", 40), "2.5");
  EXPECT_EQ(within("3", "0", 40), "3") << "at least";
  EXPECT_EQ(within("2.6", "0", 40), "3") << "in whole steps";
  EXPECT_EQ(within("25", "0", 40), "25") << "worth the maximum";
  EXPECT_EQ(within("25.5", "0", 40), "none") << "and more than that";
  EXPECT_EQ(within("0", "2.5", 40), "2.5");
  EXPECT_EQ(within("0", "2.9", 40), "2.5") << "whole steps below it";
  EXPECT_EQ(within("0", "2.4", 40), "none") << "more than the venue takes at once";
  EXPECT_EQ(within("3", "2.5", 40), "none");
}

TEST(SizeMeasure, SaysWhichLimitIsInTheWayAndByHowMuch) {
  struct Row {
    const char* what;
    double price;
    Instrument instrument;
    SizeProblem problem;
    double value, limit;
  };
  const auto decimal = [](std::string_view text) { return *Decimal::parse(text); };
  for (const auto& [what, price, instrument, problem, value, limit] : std::vector<Row>{
           {"a step is worth more than our maximum",
            2'000'000,
            {},
            SizeProblem::above_maximum,
            2000,
            1000},
           {"worth more than the venue takes",
            30,
            {.quantity_step = decimal("1"), .max_notional = 89.5},
            SizeProblem::above_venue_worth,
            90,
            89.5},
           {"more than the venue takes, and worth all that it takes",
            40,
            {.quantity_step = decimal("0.5"), .max_quantity = decimal("2.4"), .max_notional = 100},
            SizeProblem::above_venue_quantity,
            2.5,
            2.4},
           {"more digits than can be written, of less than the venue takes",
            100,
            {.quantity_step = decimal("0.000000000000000001"), .max_quantity = decimal("5")},
            SizeProblem::above_venue_quantity,
            1,
            0},
       }) {
    OrderTerms terms;
    terms.instrument = instrument;
    ASSERT_FALSE(order_quantity(terms, *Price::from(price))) << what;
    const Measure measure = size_measure(terms, *Price::from(price));
    EXPECT_EQ(measure.other, static_cast<double>(problem)) << what;
    EXPECT_DOUBLE_EQ(measure.value, value) << what;
    EXPECT_EQ(measure.limit, limit) << what;
  }
}

// ---- Stops

std::string stops(const OrderTerms& terms, Side side, double price) {
  const auto stops = protection(terms, side, *Price::from(price));
  return stops ? fmt::format("{} {}", stops->stop_loss.value(), stops->take_profit.value())
               : "none";
}

OrderTerms with_tick(std::string_view tick, double stop_loss = 2, double take_profit = 4) {
  OrderTerms terms;
  terms.instrument.tick = *Decimal::parse(tick);
  terms.stop_loss_percent = stop_loss;
  terms.take_profit_percent = take_profit;
  return terms;
}

TEST(Protection, IsAPercentageOfThePrice) {
  EXPECT_EQ(stops({}, Side::buy, 100), "98 104");
  EXPECT_EQ(stops({}, Side::sell, 100), "102 96");
  EXPECT_EQ(stops({}, Side::buy, 100.2), "98.196 104.20800000000001") << "no tick, no rounding";
  EXPECT_EQ(stops(with_tick("0", 12.5, 50), Side::sell, 8), "9 4");
}

TEST(Protection, IsRoundedToTheNearestTick) {
  EXPECT_EQ(stops(with_tick("0.1"), Side::buy, 100.2), "98.2 104.2");
  EXPECT_EQ(stops(with_tick("0.1"), Side::sell, 100.2), "102.2 96.2");
  EXPECT_EQ(stops(with_tick("0.01"), Side::buy, 100.2), "98.2 104.21");
  EXPECT_EQ(stops(with_tick("0.001"), Side::buy, 100.2), "98.196 104.208")
      << "exact in decimal where 100.2 · 1.04 is not";
  EXPECT_EQ(stops(with_tick("5"), Side::buy, 100.2), "100 105");
}

// The stop of a BUY lies below its entry and goes down, its target above and goes up.
TEST(Protection, GoesAwayFromTheEntryOnATie) {
  EXPECT_EQ(stops(with_tick("1", 12.5, 12.5), Side::buy, 100), "87 113");
  EXPECT_EQ(stops(with_tick("1", 12.5, 12.5), Side::sell, 100), "113 87");
  EXPECT_EQ(stops(with_tick("1", 2.5, 2.5), Side::buy, 100), "97 103")
      << "a tie also where 100 · 1.025 is 102.49999999999999 in binary";
  EXPECT_EQ(stops(with_tick("1", 2.5, 2.5), Side::sell, 100), "103 97");
  EXPECT_EQ(stops(with_tick("0.5", 6.25, 6.25), Side::buy, 100), "93.5 106.5");
  EXPECT_EQ(stops(with_tick("1", 12.4, 12.4), Side::buy, 100), "88 112") << "no tie";
  EXPECT_EQ(stops(with_tick("1", 12.6, 12.6), Side::buy, 100), "87 113");
}

TEST(Protection, IsNoneWhereOneOfThemIsNoPrice) {
  EXPECT_EQ(stops(with_tick("1"), Side::buy, 0.4), "none") << "less than half a tick";
  EXPECT_EQ(stops(with_tick("1", 50, 50), Side::buy, 1), "none") << "a tie away from the entry: 0";
  EXPECT_EQ(stops(with_tick("1", 49, 100), Side::buy, 1), "none") << "rounded to the entry";
  EXPECT_EQ(stops(with_tick("1", 50, 30), Side::buy, 2), "1 3");
  EXPECT_EQ(stops(with_tick("1", 50, 20), Side::buy, 2), "none") << "the target is";
  EXPECT_EQ(stops({}, Side::buy, 9.7e14), "none") << "the target is beyond a price";
  EXPECT_EQ(stops({}, Side::sell, 9.9e14), "none") << "the stop is";
  EXPECT_EQ(stops({}, Side::sell, 9.7e14), "989400000000000 931200000000000");
  EXPECT_EQ(stops(with_tick("0.000000000000000001"), Side::buy, 100), "none") << "too many ticks";
  EXPECT_EQ(stops(with_tick("0.12345678901"), Side::buy, 9e14), "none") << "too many digits";
}

TEST(Protection, BelongsToOrdersThatOpen) {
  OrderTerms terms;
  for (const auto& [sells, closes] :
       {std::pair(Sells::open_short, false), std::pair(Sells::close_long, true),
        std::pair(Sells::refused, true)}) {
    terms.sells = sells;
    EXPECT_EQ(is_reduce_only(terms, Side::sell), closes);
    EXPECT_FALSE(is_reduce_only(terms, Side::buy));
  }
}

TEST(Sizing, IsExactWhereBinaryIsNot) {
  expect_quantities({
      {"3 × 0.1", limits(3, 1, 10), "0.1", 10, "0.3"},
      {"7 × 0.01", limits(7, 1, 10), "0.01", 100, "0.07"},
      {"trailing zeros", limits(100, 1, 1000), "0.010", 10, "10"},
      {"1100 × 0.0001", limits(110, 1, 1000), "0.0001", 1000, "0.11"},
  });
}

}  // namespace
}  // namespace rts
