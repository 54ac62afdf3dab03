// How much to order (SPEC §4, Size): whole steps, exact in decimal, never below the minimum and
// never above the maximum.
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rts/trading/sizing.hpp>

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

TEST(Sizing, ExampleOfTheHeader) {
  EXPECT_EQ(quantity({}, "0.001", 3424.99), "0.029");
}

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
