// JSON's number grammar and the doubles and integers it stands for.
#include "wire/number_text.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace rts::wire {
namespace {

TEST(NumberText, FollowsJsonsGrammar) {
  for (const std::string_view text :
       {"0", "-0", "1", "-1", "10", "1234567890", "0.0", "0.5", "-0.5", "1.25", "1e5", "1E5",
        "1e+5", "1e-5", "0e0", "0E+00", "1.5e007", "61837.63000000", "-12.5E-3"}) {
    EXPECT_TRUE(is_json_number(text)) << text;
  }
  for (const std::string_view text :
       {"",      "-",    "+",   "+1",   "--1",      "00",        "01",    "-01",
        "1.",    ".5",   "-.5", "1..5", "1.5.",     "1e",        "1e+",   "e5",
        "1e5.5", "1e 5", " 1",  "1 ",   "1\n",      "0x1",       "1f",    "1,5",
        "1_0",   "NaN",  "nan", "inf",  "Infinity", "-Infinity", "1e++5", "\xD9\xA1"}) {
    EXPECT_FALSE(is_json_number(text)) << text;
  }
  EXPECT_FALSE(is_json_number(std::string_view("1\0", 2)));
}

struct NumberCase {
  std::string text;
  double value;
};

TEST(NumberText, IsRoundedCorrectly) {
  const std::vector<NumberCase> cases{
      {"0.1", 0.1},
      {"0.30000000000000004", 0.1 + 0.2},
      {"9007199254740993", 9007199254740992.0},  // a tie goes to even
      {"9007199254740995", 9007199254740996.0},
      {"1.7976931348623157e308", std::numeric_limits<double>::max()},
      {"1.7976931348623158e308", std::numeric_limits<double>::max()},
      {"2.2250738585072014e-308", std::numeric_limits<double>::min()},
      {"5e-324", std::numeric_limits<double>::denorm_min()},
      {"2.4703282292062328e-324", std::numeric_limits<double>::denorm_min()},
      {"123456789012345678901234567890", 123456789012345678901234567890.0},
      {"0.000000000000000000000000000001", 1e-30},
      {"1" + std::string(300, '0'), 1e300},
      {"0." + std::string(300, '0') + "1", 1e-301},
  };
  for (const auto& c : cases) EXPECT_EQ(parse_number(c.text), c.value) << c.text;
}

TEST(NumberText, BelowTheSmallestDoubleIsZero) {
  for (const std::string& text :
       {std::string("1e-400"), std::string("2e-324"), std::string("-1e-400"),
        std::string("1e-99999999999999999999"), std::string("1e-9223372036854775807"),
        std::string("1e-9223372036854775808"), std::string("-1.5e-9223372036854775807"),
        std::string(400, '9') + "e-9223372036854775807", "0." + std::string(400, '0') + "1",
        "0." + std::string(400, '0') + "1e0", std::string("0.001e-322"),
        "1" + std::string(20, '0') + "e-400"}) {
    const auto value = parse_number(text);
    ASSERT_TRUE(value.has_value()) << text;
    EXPECT_EQ(*value, 0) << text;
  }
}

TEST(NumberText, BeyondTheLargestDoubleIsNone) {
  for (const std::string& text :
       {std::string("1e400"), std::string("-1e400"), std::string("1.8e308"),
        std::string("1.7976931348623159e308"), std::string("1e99999999999999999999"),
        std::string("1e9223372036854775807"), std::string("-12.5E+9223372036854775807"),
        std::string("1e9223372036854775808"),
        "0." + std::string(400, '0') + "1e9223372036854775807", "1" + std::string(400, '0'),
        "1" + std::string(400, '0') + "e-0", std::string("0.001e400"),
        "0." + std::string(20, '0') + "1e400"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(NumberText, ZeroStaysZeroUnderAnyExponent) {
  for (const std::string_view text :
       {"0", "0.0", "0e400", "0e-400", "0.000e+999999999", "0e99999999999999999999",
        "0e-99999999999999999999", "0e9223372036854775807", "0.0e-9223372036854775807"}) {
    EXPECT_EQ(parse_number(text), 0.0) << text;
  }
  const auto minus_zero = parse_number("-0");
  ASSERT_TRUE(minus_zero.has_value());
  EXPECT_TRUE(std::signbit(*minus_zero));
}

TEST(NumberText, OutsideTheGrammarIsNoNumber) {
  for (const std::string_view text : {"", " 1", "1 ", "+1", "01", "1.", "0x1", "NaN", "inf"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
  for (const std::string_view text : {"", " 1", "1 ", "+1", "1.", "0x1", "NaN", "inf"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(NumberText, IntegersReachTo2To63Minus1) {
  struct Case {
    std::string_view text;
    std::optional<std::uint64_t> value;
  };
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  for (const auto& [text, value] : std::vector<Case>{
           {"0", 0},
           {"1", 1},
           {"11671659685961", 11671659685961},
           {"9223372036854775806", kMax - 1},
           {"9223372036854775807", kMax},
           {"9223372036854775808", std::nullopt},
           {"18446744073709551615", std::nullopt},
           {"18446744073709551616", std::nullopt},
           {"100000000000000000000", std::nullopt},
           {"-1", std::nullopt},
           {"1.0", std::nullopt},
           {"1e3", std::nullopt},
       }) {
    EXPECT_EQ(parse_integer(text), value) << text;
  }
}

// What has to be readable in front of a number may hold anything.
const std::vector<std::string> kInFront{std::string(16, '9'), std::string(16, '0'),
                                        std::string(16, '.'), std::string(16, '"')};

// Digits from 1 up, so many, with the point in front of one of them or, at 0, nowhere.
std::string number_with(std::size_t digits, std::size_t point) {
  std::string text = std::string("1234567890123456").substr(0, digits);
  if (point != 0) text.insert(point, 1, '.');
  return text;
}

TEST(PlainNumber, OfTheUsualSpellingIsWhatAnyOtherWayReadsOfIt) {
  for (const std::string& in_front : kInFront) {
    for (std::size_t digits = 1; digits <= 16; ++digits) {
      for (std::size_t point = 0; point < digits; ++point) {
        const std::string number = number_with(digits, point);
        if (number.size() > 16) continue;
        const std::string text = in_front + number;
        const auto value = read_plain_number(std::string_view(text).substr(in_front.size()));
        ASSERT_TRUE(value.has_value()) << number;
        EXPECT_EQ(*value, parse_number(number)) << number;
      }
      const std::string text = in_front + number_with(digits, 0);
      EXPECT_EQ(read_plain_integer(std::string_view(text).substr(in_front.size())),
                parse_integer(number_with(digits, 0)));
    }
    for (const std::string number : {"0", "0.0", "0.5", "0.00000001", "0.99999999999999", "9",
                                     "99999999.9999999", "9007199254740992", "10", "100.00"}) {
      const std::string text = in_front + number;
      EXPECT_EQ(read_plain_number(std::string_view(text).substr(in_front.size())),
                std::optional(std::stod(number)))
          << number;
    }
  }
}

TEST(PlainNumber, OfAnotherSpellingThereIsNone) {
  for (const std::string& in_front : kInFront) {
    for (const std::string number : {"",
                                     ".",
                                     ".5",
                                     "5.",
                                     "01",
                                     "00",
                                     "01.5",
                                     "00.5",
                                     "1..5",
                                     "1.5.",
                                     "1.2.3",
                                     "x",
                                     "1x",
                                     "x1",
                                     "1.x",
                                     "x.1",
                                     "+1",
                                     "1 ",
                                     " 1",
                                     "1:5",
                                     "1/5",
                                     "123456789012345.",
                                     ".123456789012345",
                                     "0123456789012345",
                                     "012345678901234.5"}) {
      const std::string text = in_front + number;
      const auto view = std::string_view(text).substr(in_front.size());
      EXPECT_EQ(read_plain_number(view), std::nullopt) << number;
      EXPECT_EQ(read_plain_integer(view), std::nullopt) << number;
    }
  }
}

#ifdef __x86_64__  // elsewhere all spellings are read at once, and no two numbers

// Not exact in a double, too long, or nothing that a digit is.
TEST(PlainNumber, IsLeftToTheOtherWayWhereItIsNotExact) {
  for (const std::string number :
       {"9007199254740993", "9999999999999999", "12345678901234567", "12345678901234.25",
        "123456789012345.67", "-1", "-1.5", "1e5", "1.5e5"}) {
    const std::string text = kInFront[0] + number;
    EXPECT_EQ(read_plain_number(std::string_view(text).substr(16)), std::nullopt) << number;
  }
  const std::string text = kInFront[0] + "12345678901234567";
  EXPECT_EQ(read_plain_integer(std::string_view(text).substr(16)), std::nullopt);
}

TEST(TwoShortNumbers, AreReadSideBySide) {
  for (const std::string& in_front : kInFront) {
    for (std::size_t first = 2; first <= 7; ++first) {
      for (std::size_t point = 1; point < first; ++point) {
        for (std::size_t second = 2; second <= 7; ++second) {
          const std::string a = number_with(first, point);
          const std::string b = number_with(second, second - 1);
          const std::string text = in_front + a + in_front + b;
          std::array<double, 2> values{};
          ASSERT_TRUE(read_two_short_numbers(std::string_view(text).substr(16, a.size()),
                                             std::string_view(text).substr(text.size() - b.size()),
                                             values))
              << a << " " << b;
          EXPECT_EQ(values[0], std::stod(a)) << b;
          EXPECT_EQ(values[1], std::stod(b)) << a;
        }
      }
    }
  }
}

TEST(TwoShortNumbers, AreNoneWhereOneIsSpeltOtherwise) {
  for (const std::string other :
       {"", "5", "12345678", "1234567.25", "123456789", ".5", "5.", "1234567.", "01.5", "00.5",
        "1..5", "1.5.", "1.2.3", "x.5", "1.x", "-1.5", "1x5", "1.5x"}) {
    for (const std::string& in_front : kInFront) {
      const std::string text = in_front + "2.5" + in_front + other;
      const auto good = std::string_view(text).substr(16, 3);
      const auto bad = std::string_view(text).substr(35);
      std::array<double, 2> values{};
      EXPECT_FALSE(read_two_short_numbers(good, bad, values)) << other;
      EXPECT_FALSE(read_two_short_numbers(bad, good, values)) << other;
      EXPECT_TRUE(read_two_short_numbers(good, good, values)) << other;
    }
  }
}

#endif

}  // namespace
}  // namespace rts::wire
