// ISO 8601 in and out, and the buckets of the gate's limits.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <rts/base/time.hpp>

namespace rts {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

UnixMs at(std::int64_t ms) { return UnixMs(milliseconds(ms)); }

std::optional<std::int64_t> parsed(std::string_view text) {
  const auto time = parse_iso8601(text);
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

struct TimeCase {
  std::string_view text;
  std::int64_t ms;
};

TEST(Time, ReadsIso8601) {
  for (const auto& [text, ms] : std::vector<TimeCase>{
           {"1970-01-01T00:00:00Z", 0},
           {"1970-01-01T00:00:00.001Z", 1},
           {"1969-12-31T23:59:59.999Z", -1},
           {"2024-08-08T23:54:16.720785Z", 1'723'161'256'720},
           {"2024-08-08T23:54:16Z", 1'723'161'256'000},
           {"2024-07-19T12:00:00", 1'721'390'400'000},  // UTC when no offset
           {"2024-07-19 12:00:00", 1'721'390'400'000},
           {"2024-07-19t12:00:00z", 1'721'390'400'000},
           {"2024-07-19T12:00Z", 1'721'390'400'000},
           {"2024-07-19T12:00", 1'721'390'400'000},
           {"2024-07-19T12:00:00.1Z", 1'721'390'400'100},
           {"2024-07-19T12:00:00.12Z", 1'721'390'400'120},
           {"2024-07-19T12:00:00.123Z", 1'721'390'400'123},
           {"2024-07-19T12:00:00.1239Z", 1'721'390'400'123},  // cut off, not rounded
           {"2024-07-19T12:00:00.999999999Z", 1'721'390'400'999},
           {"2024-07-19T12:00:00,5Z", 1'721'390'400'500},
           {"2024-07-19T12:00:00+00:00", 1'721'390'400'000},
           {"2024-07-19T12:00:00-00:00", 1'721'390'400'000},
           {"2024-07-19T14:00:00+02", 1'721'390'400'000},
           {"2024-07-19T14:00:00+0200", 1'721'390'400'000},
           {"2024-07-19T14:00:00+02:00", 1'721'390'400'000},
           {"2024-07-19T06:30:00-05:30", 1'721'390'400'000},
           {"2024-07-20T11:59:00+23:59", 1'721'390'400'000},
           {"2024-02-29T00:00:00Z", 1'709'164'800'000},
           {"2000-02-29T00:00:00Z", 951'782'400'000},
           {"9999-12-31T23:59:59.999Z", 253'402'300'799'999},
           {"0001-01-01T00:00:00Z", -62'135'596'800'000},
       }) {
    EXPECT_EQ(parsed(text), ms) << text;
  }
}

TEST(Time, RefusesWhatIsNoTime) {
  for (const std::string_view text : {"",
                                      "x",
                                      "2024",
                                      "2024-07",
                                      "2024-07-19",
                                      "2024-07-19T",
                                      "2024-07-19T12",
                                      "2024-07-19T12:",
                                      "2024-07-19T12:00:",
                                      "2024-07-19T12:00:0",
                                      "2024-07-19T12:00.5Z",
                                      "2024-07-19T12:00,5",
                                      "2024-07-19T12:00:00.",
                                      "2024-07-19T12:00:00.Z",
                                      "2024-07-19T12:00:00 Z",
                                      "2024-07-19T12:00:00Zx",
                                      "2024-07-19T12:00:00ZZ",
                                      " 2024-07-19T12:00:00Z",
                                      "2024-07-19T12:00:00Z ",
                                      "2024-7-19T12:00:00Z",
                                      "2024-07-9T12:00:00Z",
                                      "24-07-19T12:00:00Z",
                                      "02024-07-19T12:00:00Z",
                                      "2024/07/19T12:00:00Z",
                                      "20240719T120000Z",
                                      "2024-00-19T12:00:00Z",
                                      "2024-13-19T12:00:00Z",
                                      "2024-07-00T12:00:00Z",
                                      "2024-07-32T12:00:00Z",
                                      "2024-06-31T12:00:00Z",
                                      "2023-02-29T12:00:00Z",
                                      "1900-02-29T12:00:00Z",
                                      "2024-07-19T24:00:00Z",
                                      "2024-07-19T12:60:00Z",
                                      "2024-07-19T12:00:60Z",
                                      "2024-07-19T-1:00:00Z",
                                      "-024-07-19T12:00:00Z",
                                      "2024-07-19T12:00.5Z",
                                      "2024-07-19T12:00,5",
                                      "2024-07-19T12:00:00+",
                                      "2024-07-19T12:00.",
                                      "2024-07-19T12:00.Z",
                                      "202:-07-19T12:00:00Z",
                                      "2024-07-1:T12:00:00Z",
                                      "2024-07-19T12:00:000200",
                                      "2024-07-19T12:00:00+2",
                                      "2024-07-19T12:00:00+02:",
                                      "2024-07-19T12:00:00+02:0",
                                      "2024-07-19T12:00:00+020",
                                      "2024-07-19T12:00:00+24:00",
                                      "2024-07-19T12:00:00+02:60",
                                      "2024-07-19T12:00:00+02:00:00",
                                      "2024-07-19X12:00:00Z",
                                      "1721390400000"}) {
    EXPECT_EQ(parsed(text), std::nullopt) << text;
  }
  EXPECT_EQ(parsed(std::string_view("2024-07-19T12:00:00Z\0", 21)), std::nullopt);
}

TEST(Time, OfATextEndsWhereTheTextEnds) {
  const std::string_view text = "2024-07-19T12:00:00.1999";
  EXPECT_EQ(parsed(text.substr(0, 21)), 1'721'390'400'100);
  EXPECT_EQ(parsed(text.substr(0, 22)), 1'721'390'400'190);
  EXPECT_EQ(parsed(text.substr(0, 20)), std::nullopt);
}

std::string written(std::int64_t ms) {
  std::string out;
  append_iso8601(out, at(ms));
  return out;
}

TEST(Time, SaysThatItIsUtc) { EXPECT_EQ(rfc3339(at(0)), "1970-01-01T00:00:00.000Z"); }

TEST(Time, WritesIso8601WithMilliseconds) {
  for (const auto& [text, ms] : std::vector<TimeCase>{
           {"1970-01-01T00:00:00.000", 0},
           {"1970-01-01T00:00:00.001", 1},
           {"1969-12-31T23:59:59.999", -1},
           {"2024-07-19T00:03:11.109", 1'721'347'391'109},
           {"2024-02-29T23:59:59.999", 1'709'251'199'999},
           {"2024-03-01T00:00:00.000", 1'709'251'200'000},
           {"2000-02-29T00:00:00.000", 951'782'400'000},
           {"2100-02-28T23:59:59.999", 4'107'542'399'999},
           {"2100-03-01T00:00:00.000", 4'107'542'400'000},
           {"1999-12-31T23:59:59.999", 946'684'799'999},
           {"2000-01-01T00:00:00.000", 946'684'800'000},
           {"9999-12-31T23:59:59.999", 253'402'300'799'999},
           {"10000-01-01T00:00:00.000", 253'402'300'800'000},
           {"1000-01-01T00:00:00.000", -30'610'224'000'000},
           {"0999-12-31T23:59:59.999", -30'610'224'000'001},
           {"0001-01-01T00:00:00.000", -62'135'596'800'000},
           {"1600-01-01T00:00:00.000", -11'676'096'000'000},
           {"1599-12-31T23:59:59.999", -11'676'096'000'001},
           {"2399-12-31T23:59:59.999", 13'569'465'599'999},
           {"2400-01-01T00:00:00.000", 13'569'465'600'000},
           {"2400-02-29T00:00:00.000", 13'574'563'200'000},
       }) {
    EXPECT_EQ(written(ms), text);
  }
  EXPECT_EQ(written(9'223'372'036'854'775).substr(0, 7), "294247-")
      << "the latest event time there can be, 2^63-1 microseconds";
}

TEST(Time, ReadsBackWhatItWrites) {
  for (std::int64_t ms = -86'400'000LL * 400; ms < 86'400'000LL * 366 * 140;
       ms += 86'399'977LL * 3) {
    EXPECT_EQ(parsed(written(ms)), ms) << written(ms);
  }
}

// It remembers the last second: what it reads must not depend on what came before.
TEST(Iso8601Reader, ReadsWhatParsingReadsInWhateverOrder) {
  const std::vector<std::string> texts{"2024-07-19T12:00:00.250000Z", "2024-07-19T12:00:00.5Z",
                                       "2024-07-19T12:00:00",         "2024-07-19T12:00:00+02:00",
                                       "2024-07-19T12:00+02:00",      "2024-07-19T12:00:00.x",
                                       "2024-07-19T12:00:00.",        "2024-07-19T12:00:00Zx",
                                       "2024-07-19T12:00:01.250000Z", "2024-07-19T12:00Z",
                                       "2024-07-19T12:00:0",          "2024-07-19T12:00:61Z",
                                       "2023-02-29T12:00:00Z",        std::string(19, '\0') + "Z",
                                       std::string(19, '\0'),         ""};
  for (const std::string& first : texts) {
    Iso8601Reader fresh;
    EXPECT_EQ(fresh.read(first), parse_iso8601(first)) << first << ", first of all";
    for (const std::string& second : texts) {
      Iso8601Reader reader;
      std::ignore = reader.read(first);
      EXPECT_EQ(reader.read(second), parse_iso8601(second)) << first << ", then " << second;
      EXPECT_EQ(reader.read(first), parse_iso8601(first)) << first << " again";
    }
  }
}

TEST(Time, WritesTheDateAlone) {
  std::string out = "day ";
  append_iso8601_date(out, at(1'721'390'400'000));
  EXPECT_EQ(out, "day 2024-07-19") << "appended, not replaced";
}

TEST(Time, DaysAndMinutesBeginAtTheirFirstMillisecond) {
  EXPECT_EQ(utc_day(at(0)), 0);
  EXPECT_EQ(utc_day(at(86'399'999)), 0);
  EXPECT_EQ(utc_day(at(86'400'000)), 1);
  EXPECT_EQ(utc_day(at(-1)), -1);
  EXPECT_EQ(utc_day(at(1'721'347'200'000)), 19'923);
  EXPECT_EQ(utc_day(at(1'721'347'199'999)), 19'922);
  EXPECT_EQ(utc_minute(at(0)), 0);
  EXPECT_EQ(utc_minute(at(59'999)), 0);
  EXPECT_EQ(utc_minute(at(60'000)), 1);
  EXPECT_EQ(utc_minute(at(-1)), -1);
}

TEST(Time, NanosecondsBecomeMillisecondsDownwards) {
  EXPECT_EQ(to_ms(UnixNs(nanoseconds(1'999'999))), at(1));
  EXPECT_EQ(to_ms(UnixNs(nanoseconds(2'000'000))), at(2));
  EXPECT_EQ(to_ms(UnixNs(nanoseconds(-1))), at(-1));
  EXPECT_EQ(to_ms(UnixNs(nanoseconds(std::numeric_limits<std::int64_t>::max()))),
            at(9'223'372'036'854));
}

}  // namespace
}  // namespace rts
