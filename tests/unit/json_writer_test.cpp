// JsonWriter: separators, escapes and numbers; its output parses whatever goes in.
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <rts/base/json_writer.hpp>
#include <rts/market/units.hpp>
#include <rts/wire/json_compare.hpp>

namespace rts {
namespace {

TEST(JsonWriter, SetsCommasWhereTheyBelong) {
  std::string out = "> ";
  JsonWriter json(out);
  json.begin_object().key("a").integer(1).key("b").begin_array();
  json.begin_object().end_object().begin_array().end_array().null().boolean(true).string("x");
  json.end_array().key("c").begin_object().key("d").boolean(false).end_object();
  json.key("e").raw("[1, 2]").key("f").unsigned_integer(7).end_object();
  EXPECT_EQ(out, R"(> {"a":1,"b":[{},[],null,true,"x"],"c":{"d":false},"e":[1, 2],"f":7})");
}

std::string escaped(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonWriter, EscapesWhatJsonForbids) {
  using namespace std::string_view_literals;
  for (const auto& [text, expected] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"", R"("")"},
           {"plain", R"("plain")"},
           {"a\"b", R"("a\"b")"},
           {"a\\b", R"("a\\b")"},
           {"/", R"("/")"},
           {"\n\r\t", R"("\n\r\t")"},
           {"\b\f\x1b", R"("\u0008\u000c\u001b")"},
           {"\0"sv, R"("\u0000")"},
           {"a\0b"sv, R"("a\u0000b")"},
           {"\x1f \x7f", R"("\u001f \u007f")"},
           {"\xC3\xA9", "\"\xC3\xA9\""},
           {"\xE7\x89\x9B", "\"\xE7\x89\x9B\""},
           {"\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\""},
           {"\xF4\x8F\xBF\xBF", "\"\xF4\x8F\xBF\xBF\""},
       }) {
    EXPECT_EQ(escaped(text), expected);
  }
}

TEST(JsonWriter, ReplacesBytesThatAreNoUtf8) {
  const std::string r = "\xEF\xBF\xBD";
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
           {"\x80", r},
           {"a\xFFz", "a" + r + "z"},
           {"\xC3", r},
           {"\xC3(", r + "("},
           {"\xE7\x89", r + r},
           {"\xC0\xAF", r + r},          // overlong
           {"\xE0\x80\xAF", r + r + r},  // overlong
           {"\xF0\x80\x80\xAF", r + r + r + r},
           {"\xED\xA0\x80", r + r + r},          // surrogate
           {"\xF4\x90\x80\x80", r + r + r + r},  // beyond U+10FFFF
           {"\xF5\x80\x80\x80", r + r + r + r},
       }) {
    EXPECT_EQ(escaped(text), "\"" + expected + "\"");
  }
}

TEST(JsonWriter, WritesTextThatParsesForEveryPairOfBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const std::string json = escaped(text);
      ASSERT_TRUE(wire::json_differences(json, json).empty()) << first << " " << second;
    }
  }
}

TEST(JsonWriter, EscapesKeysToo) {
  std::string out;
  JsonWriter(out).begin_object().key("a\"\n").integer(1).end_object();
  EXPECT_EQ(out, R"({"a\"\n":1})");
}

TEST(JsonWriter, WritesTheShortestNumberThatReadsBackTheSame) {
  struct Case {
    double value;
    std::string_view expected;
  };
  for (const auto& [value, expected] : std::vector<Case>{
           {0, "0"},
           {1, "1"},
           {-1.5, "-1.5"},
           {0.1, "0.1"},
           {0.1 + 0.2, "0.30000000000000004"},
           {61837.63, "61837.63"},
           {1e21, "1e+21"},
           {9223372036854774784.0, "9223372036854774784"},
           {9223372036854775808.0, "9.223372036854776e+18"},  // simdjson has no such integer
           {-1.4094465393995465e20, "-1.4094465393995465e+20"},
           {1e-7, "1e-07"},
           {10000, "10000"},
           {100000, "1e+05"},
           {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
           {std::numeric_limits<double>::denorm_min(), "5e-324"},
       }) {
    std::string out;
    JsonWriter(out).number(*Indicator::from(value));
    EXPECT_EQ(out, expected);
    EXPECT_EQ(std::strtod(out.c_str(), nullptr), value);
  }
}

TEST(JsonWriter, WritesNullForWhatIsNoNumber) {
  std::string out;
  JsonWriter json(out);
  json.begin_array().number_or_null(0.5).number_or_null(std::numeric_limits<double>::infinity());
  json.number_or_null(std::numeric_limits<double>::quiet_NaN()).end_array();
  EXPECT_EQ(out, "[0.5,null,null]");
}

TEST(JsonWriter, WritesIntegersToTheirEnds) {
  std::string out;
  JsonWriter json(out);
  json.begin_array()
      .integer(std::numeric_limits<std::int64_t>::min())
      .integer(std::numeric_limits<std::int64_t>::max())
      .unsigned_integer(std::numeric_limits<std::uint64_t>::max())
      .decimal(*Decimal::parse("0.0290"))
      .end_array();
  EXPECT_EQ(out, "[-9223372036854775808,9223372036854775807,18446744073709551615,0.029]");
}

}  // namespace
}  // namespace rts
