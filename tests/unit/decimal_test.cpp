// Decimals: exact where binary is not.
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <rts/base/decimal.hpp>

namespace rts {
namespace {

std::string text(std::string_view decimal) {
  const auto parsed = Decimal::parse(decimal);
  return parsed ? parsed->to_string() : "none";
}

TEST(Decimal, ReadsDigitsWithAtMostOnePoint) {
  for (const auto& [from, expected] : std::vector<std::pair<std::string, std::string>>{
           {"0", "0"},
           {"1", "1"},
           {"12", "12"},
           {"0.001", "0.001"},
           {"10.50", "10.5"},
           {"1.000", "1"},
           {"100", "100"},
           {"0.0", "0"},
           {"0.10", "0.1"},
           {"12.034", "12.034"},
           {"999999999999999999", "999999999999999999"},
           {"0.000000000000000001", "0.000000000000000001"},
           {"0.123456789012345678", "0.123456789012345678"},
           {"123456789.123456789", "123456789.123456789"},
       }) {
    EXPECT_EQ(text(from), expected);
  }
}

TEST(Decimal, RefusesEverythingElse) {
  for (const std::string_view from : {"",
                                      ".",
                                      "1.",
                                      ".5",
                                      "1..5",
                                      "1.5.1",
                                      "-1",
                                      "+1",
                                      "1e3",
                                      "1E-3",
                                      " 1",
                                      "1 ",
                                      "1,5",
                                      "0x1",
                                      "abc",
                                      "1_0",
                                      "1000000000000000000",
                                      "0.0000000000000000001",
                                      "1.0000000000000000000",
                                      "99999999999.999999999",
                                      "NaN",
                                      "\xD9\xA1"}) {
    EXPECT_EQ(text(from), "none") << from;
  }
  EXPECT_FALSE(Decimal::parse(std::string_view("1\0", 2)).has_value());
}

struct TimesCase {
  std::string_view decimal;
  std::int64_t n;
  std::string_view expected;
};

TEST(Decimal, MultipliesExactly) {
  for (const auto& [decimal, n, expected] : std::vector<TimesCase>{
           {"0.001", 29, "0.029"},
           {"0.1", 3, "0.3"},
           {"0.1", 10, "1"},
           {"0.05", 20, "1"},
           {"0.25", 3, "0.75"},
           {"1", 0, "0"},
           {"0.001", 0, "0"},
           {"10", 7, "70"},
           {"0.000000000000000001", 999'999'999'999'999'999, "0.999999999999999999"},
           {"0.000000000000000001", 1'000'000'000'000'000'000, "none"},
           {"999999999999999999", 1, "999999999999999999"},
           {"999999999999999999", 2, "none"},
           {"4294967296", 4'294'967'296, "none"},  // 2^64
           {"999999999999999999", 9'223'372'036'854'775'807, "none"},
       }) {
    const auto product = Decimal::parse(decimal)->times(n);
    EXPECT_EQ(product ? product->to_string() : "none", expected) << decimal << " × " << n;
  }
}

struct PowerCase {
  std::string_view decimal;
  int exponent;
  std::string_view expected;
};

TEST(Decimal, MovesItsPointWithinEighteenDigitsAndPlaces) {
  for (const auto& [decimal, exponent, expected] : std::vector<PowerCase>{
           {"1.25", 0, "1.25"},
           {"1.25", 1, "12.5"},
           {"1.25", 2, "125"},
           {"1.25", 4, "12500"},
           {"1.25", -2, "0.0125"},
           {"100", -2, "1"},
           {"0", 40, "0"},
           {"0", -40, "0"},
           {"99999999999999999", 1, "999999999999999990"},
           {"100000000000000000", 1, "none"},
           {"999999999999999999", 1, "none"},
           {"1", 17, "100000000000000000"},
           {"1", 18, "none"},
           {"1", -18, "0.000000000000000001"},
           {"10", -19, "0.000000000000000001"},
           {"1", -19, "none"},
       }) {
    const auto moved = Decimal::parse(decimal)->times_power_of_ten(exponent);
    EXPECT_EQ(moved ? moved->to_string() : "none", expected) << decimal << " × 10^" << exponent;
  }
}

TEST(Decimal, BecomesTheNearestDouble) {
  EXPECT_EQ(Decimal::parse("0.001")->to_double(), 0.001);
  EXPECT_EQ(Decimal::parse("0.1")->to_double(), 0.1);
  EXPECT_EQ(Decimal::parse("123456789.123456789")->to_double(), 123456789.123456789);
  EXPECT_EQ(Decimal::parse("0.000000000000000001")->to_double(), 1e-18);
  EXPECT_EQ(Decimal::parse("999999999999999999")->to_double(), 999999999999999999.0);
  EXPECT_EQ(Decimal::parse("0.30")->times(1)->to_double(), 0.3);
  EXPECT_EQ(Decimal().to_double(), 0);
}

TEST(Decimal, KnowsZero) {
  EXPECT_TRUE(Decimal().is_zero());
  EXPECT_TRUE(Decimal::parse("0.000")->is_zero());
  EXPECT_FALSE(Decimal::parse("0.001")->is_zero());
  EXPECT_EQ(Decimal().to_string(), "0");
}

TEST(Decimal, IsComparedExactlyWhateverItsPlaces) {
  const auto of = [](const char* text) { return *Decimal::parse(text); };
  const std::vector<const char*> ascending{
      "0",  "0.000000000000000001", "0.001", "0.1", "0.100000000000000001", "1", "9.9",
      "10", "999999999999999999"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(of(ascending[i]).is_less_than(of(ascending[j])), i < j)
          << ascending[i] << " < " << ascending[j];
    }
  }
}

TEST(Decimal, KnowsWhatItIsAMultipleOf) {
  const auto of = [](const char* text) { return *Decimal::parse(text); };
  for (const auto& [a, b, expected] :
       std::initializer_list<std::tuple<const char*, const char*, bool>>{
           {"0.05", "0.001", true},
           {"0.001", "0.05", false},
           {"0.3", "0.1", true},
           {"10", "0.25", true},
           {"10", "0.3", false},
           {"0", "0.3", true},
           {"999999999999999999", "0.000000000000000001", true},
           {"0.000000000000000001", "999999999999999999", false},
           {"2.5", "5", false},
           {"50", "5", true},
       }) {
    EXPECT_EQ(of(a).is_multiple_of(of(b)), expected) << a << " of " << b;
  }
}

TEST(Decimal, AppendsItsText) {
  std::string out = "q=";
  Decimal::parse("0.0290")->append_to(out);
  EXPECT_EQ(out, "q=0.029");
}

}  // namespace
}  // namespace rts
