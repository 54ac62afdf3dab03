// Comparing JSON documents as values.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rts/wire/json_compare.hpp>

namespace rts::wire {
namespace {

using Differences = std::vector<std::string>;

TEST(JsonCompare, EqualValuesHaveNoDifferences) {
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"{}", "{ }"},
      {R"({"a":1,"b":[1,"x",null,true]})", R"({ "b" : [1, "x", null, true], "a" : 1 })"},
      {"1", "1"},
      {"1", "1.0"},
      {"1.0", "1e0"},
      {"100000.00000000001", "100000.00000000002"},
      {"1.0", "1.0000000005"},
      {"0.0", "0"},
      {"1e-300", "1.0000000001e-300"},
      {R"("\u0041")", R"("A")"},
      {"9007199254740993", "9007199254740993"},
  };
  for (const auto& [expected, actual] : pairs) {
    EXPECT_EQ(json_differences(expected, actual), Differences{}) << expected << " | " << actual;
    EXPECT_EQ(json_differences(actual, expected), Differences{}) << expected << " | " << actual;
  }
}

TEST(JsonCompare, SaysWhereValuesDiffer) {
  struct Case {
    std::string expected;
    std::string actual;
    Differences differences;
  };
  const std::vector<Case> cases{
      {R"({"metadata":{"schema":"a"}})",
       R"({"metadata":{"schema":"b"}})",
       {R"(.metadata.schema: expected "a", got "b")"}},
      {R"({"a":1})", "{}", {".a: missing, expected 1"}},
      {"{}", R"({"a":1})", {".a: unexpected 1"}},
      {R"({"a":null})", "{}", {".a: missing, expected null"}},
      {"[1,2]", "[1]", {": expected 2 elements, got 1"}},
      {"[1,2]", "[1,3]", {"[1]: expected 2, got 3"}},
      {R"({"a":[{"b":1}]})", R"({"a":[{"b":2}]})", {".a[0].b: expected 1, got 2"}},
      {"1", "2", {": expected 1, got 2"}},
      {"1", R"("1")", {R"(: expected 1, got "1")"}},
      {"{}", "[]", {": expected {}, got []"}},
      {"null", "false", {": expected null, got false"}},
      {"true", "false", {": expected true, got false"}},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(json_differences(c.expected, c.actual), c.differences) << c.expected;
  }
}

TEST(JsonCompare, ToleratesFractionsToOnePartInABillion) {
  EXPECT_TRUE(json_differences("1.5", "1.5000000014").empty());
  EXPECT_FALSE(json_differences("1.5", "1.5000000016").empty());
  EXPECT_FALSE(json_differences("-1.5", "1.5").empty());
  EXPECT_FALSE(json_differences("0.0", "0.001").empty());
}

TEST(JsonCompare, StopsAtTheLimit) {
  const std::string expected = "[1,2,3,4,5,6]";
  const std::string actual = "[6,5,4,3,2,1]";
  EXPECT_EQ(json_differences(expected, actual).size(), 4U);
  EXPECT_EQ(json_differences(expected, actual, 1).size(), 1U);
  EXPECT_EQ(json_differences(expected, actual, 100).size(), 6U);
}

TEST(JsonCompare, NeedsJsonOnBothSides) {
  EXPECT_EQ(json_differences("{", "{}"), Differences{"the expected text is no JSON"});
  EXPECT_EQ(json_differences("{}", "{"), Differences{"the actual text is no JSON"});
  EXPECT_EQ(json_differences("", ""), Differences{"the expected text is no JSON"});
}

}  // namespace
}  // namespace rts::wire
