// Numbers, blanks and letters of short texts.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <rts/base/symbol.hpp>
#include <rts/base/text.hpp>

namespace rts {
namespace {

TEST(ParseAs, TakesTheWholeTextWithinItsRangeOnly) {
  EXPECT_EQ(parse_as<int>("12"), 12);
  EXPECT_EQ(parse_as<int>("-12"), -12);
  EXPECT_EQ(parse_as<int>("007"), 7);
  for (const char* text :
       {"", " ", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "one", "2147483648"}) {
    EXPECT_EQ(parse_as<int>(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_as<int>("4", 5, 9), std::nullopt);
  EXPECT_EQ(parse_as<int>("5", 5, 9), 5);
  EXPECT_EQ(parse_as<int>("9", 5, 9), 9);
  EXPECT_EQ(parse_as<int>("10", 5, 9), std::nullopt);
  EXPECT_EQ(parse_as<std::uint64_t>("18446744073709551615"),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(parse_as<std::uint64_t>("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_as<std::uint64_t>("-1"), std::nullopt);
}

TEST(ParseAs, TakesNoNumberThatIsNotFinite) {
  EXPECT_EQ(parse_as<double>("-1.5e3"), -1500);
  for (const char* text : {"nan", "inf", "-infinity", "1e400", "1.5x", ""}) {
    EXPECT_EQ(parse_as<double>(text), std::nullopt) << text;
    EXPECT_EQ(parse_as<double>(text, -HUGE_VAL, HUGE_VAL), std::nullopt) << text;
  }
}

TEST(Trimmed, IsWithoutBlanksAtBothEnds) {
  EXPECT_EQ(trimmed(" \t\r\na b\n "), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \r\n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Case, IsThatOfAsciiLettersOnly) {
  EXPECT_EQ(Symbol::from("az{`-\xC3\xA4")->text(), "AZ{`-\xC3\xA4");
  EXPECT_EQ(to_lower("AZ[@-\xC3\x84"), "az[@-\xC3\x84");
  EXPECT_TRUE(same_but_for_case("BTCusdt_1", "btcUSDT_1"));
  for (const auto& [a, b] : {std::pair{"@", "`"}, {"[", "{"}, {"a", "b"}, {"a", "aa"}, {"", "a"}}) {
    EXPECT_FALSE(same_but_for_case(a, b)) << a << " " << b;
  }
}

TEST(EditDistance, CountsLettersThatAreMissingTooManyOrOthers) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("url", "url"), 0U);
  EXPECT_EQ(edit_distance("--order", "--orders"), 1U);
  EXPECT_EQ(edit_distance("--orders", "--order"), 1U);
  EXPECT_EQ(edit_distance("DRYRUN_MODE", "DRY_RUN_MODE"), 1U);
  EXPECT_EQ(edit_distance("nats-ulr", "nats-url"), 2U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, WithFreeInsertionsCountsTheLettersThatTheOtherTextHasNot) {
  EXPECT_EQ(edit_distance("", "abc", 0), 0U);
  EXPECT_EQ(edit_distance("MIN_SPRED", "MIN_SPREAD_PERCENT", 0), 0U);
  EXPECT_EQ(edit_distance("TOPIC", "TO_LEVELS", 0), 3U);
  EXPECT_EQ(edit_distance("abc", "", 0), 3U);
}

TEST(Split, IsAtEverySeparator) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split("a,,b", ','), (Parts{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (Parts{""}));
  EXPECT_EQ(split(",", ','), (Parts{"", ""}));
  EXPECT_EQ(split("a b", ','), (Parts{"a b"}));
}

}  // namespace
}  // namespace rts
