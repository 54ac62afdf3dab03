// Symbols: any text of 1 to 63 bytes, ASCII letters upper-cased.
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include <rts/base/symbol.hpp>
#include <rts/market/units.hpp>

namespace rts {
namespace {

static_assert(Symbol::from("btcusdt")->text() == "BTCUSDT");
static_assert(std::is_trivially_copyable_v<Symbol>);
static_assert(!std::is_constructible_v<Symbol, std::string_view>, "symbols are made by from()");

TEST(Symbol, IsUpperCasedInAsciiOnly) {
  for (const auto& [text, expected] :
       {std::pair("BTCUSDT", "BTCUSDT"), std::pair("btcusdt", "BTCUSDT"),
        std::pair("BtcUsdt_260925", "BTCUSDT_260925"), std::pair("1000pepeusdt", "1000PEPEUSDT"),
        std::pair("a", "A"), std::pair("@[`{", "@[`{"),
        std::pair("\xE7\x89\x9B\xE6\x9D\xA5usdt", "\xE7\x89\x9B\xE6\x9D\xA5USDT"),
        std::pair("\xC3\xA9", "\xC3\xA9")}) {
    const auto symbol = Symbol::from(text);
    ASSERT_TRUE(symbol.has_value()) << text;
    EXPECT_EQ(symbol->text(), expected);
  }
}

TEST(Symbol, HasFrom1To63Bytes) {
  EXPECT_FALSE(Symbol::from("").has_value());
  EXPECT_TRUE(Symbol::from("A").has_value());
  EXPECT_EQ(Symbol::from(std::string(63, 'x'))->text(), std::string(63, 'X'));
  EXPECT_FALSE(Symbol::from(std::string(64, 'x')).has_value());
  EXPECT_FALSE(Symbol::from(std::string(100'000, 'x')).has_value());
}

TEST(Symbol, ComparesByItsWholeText) {
  using namespace std::string_view_literals;
  EXPECT_EQ(*Symbol::from("btc"), *Symbol::from("BTC"));
  EXPECT_NE(*Symbol::from("BTC"), *Symbol::from("BTCU"));
  EXPECT_NE(*Symbol::from("BTC"), *Symbol::from("BTC\0"sv));
  EXPECT_EQ(Symbol::from("BTC\0X"sv)->text(), "BTC\0X"sv);
}

// ---- The domain's numbers (market/units.hpp)

static_assert(!std::is_convertible_v<double, Price>);
static_assert(!std::is_convertible_v<Price, double>);
static_assert(!std::is_constructible_v<Notional, Price>);

TEST(Units, AdmitWhatTheirRuleSays) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  constexpr double kMost = std::numeric_limits<double>::max();
  struct Case {
    double value;
    bool price, quantity, notional, confidence, indicator;
  };
  for (const auto& c : {Case{1, true, true, true, true, true},
                        {0, false, true, false, true, true},
                        {-0.0, false, true, false, true, true},
                        {kLeast, true, true, true, true, true},
                        {-kLeast, false, false, false, false, true},
                        {1 + 1e-15, true, true, true, false, true},
                        {std::nextafter(1e15, 0), true, true, true, false, true},
                        {1e15, false, false, true, false, true},
                        {kMost, false, false, true, false, true},
                        {-kMost, false, false, false, false, true},
                        {kInfinity, false, false, false, false, false},
                        {-kInfinity, false, false, false, false, false},
                        {kNan, false, false, false, false, false}}) {
    EXPECT_EQ(Price::from(c.value).has_value(), c.price) << c.value;
    EXPECT_EQ(Quantity::from(c.value).has_value(), c.quantity) << c.value;
    EXPECT_EQ(Notional::from(c.value).has_value(), c.notional) << c.value;
    EXPECT_EQ(Confidence::from(c.value).has_value(), c.confidence) << c.value;
    EXPECT_EQ(Indicator::from(c.value).has_value(), c.indicator) << c.value;
  }
  EXPECT_LT(*Price::from(1), *Price::from(2));
}

}  // namespace
}  // namespace rts
