// What a line of the log may hold at most, in either format.
#include "telemetry/log.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace rts::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

// The one line that `fields` and `message` make, without its end.
struct Written {
  std::string line;
  std::uint64_t shortened = 0;
};
Written write(LogFormat format, std::string_view message, const std::vector<Field>& fields) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  Written written;
  {
    Log log(ends[1], Level::info, format);
    log.write_each(Level::warning, "order", message, fields);
    written.shortened = log.shortened_lines();
  }
  ::close(ends[1]);
  std::string buffer(1U << 16U, '\0');
  const ssize_t size = ::read(ends[0], buffer.data(), buffer.size());
  ::close(ends[0]);
  EXPECT_GT(size, 0);
  buffer.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 1)));
  EXPECT_EQ(buffer.back(), '\n');
  EXPECT_EQ(std::count(buffer.begin(), buffer.end(), '\n'), 1);
  EXPECT_LE(buffer.size(), Log::kMaxLineBytes);
  buffer.pop_back();
  written.line = buffer;
  return written;
}

constexpr LogFormat kFormats[]{LogFormat::json, LogFormat::text};

TEST(Log, IsJsonByItselfUnlessItGoesToATerminal) {
  EXPECT_EQ(write(LogFormat::automatic, "m", {}).line.front(), '{');
  EXPECT_EQ(write(LogFormat::text, "m", {}).line.find('{'), std::string::npos);
}

TEST(Log, ALongValueIsCutAndTheOthersStay) {
  const std::string answer(60'000, 'x');
  for (const LogFormat format : kFormats) {
    const Written written =
        write(format, "order rejected",
              {{"order_id", "id-1"}, {"detail", answer}, {"result", "rejected"}});
    EXPECT_THAT(written.line, HasSubstr("id-1"));
    EXPECT_THAT(written.line, HasSubstr("rejected"));
    EXPECT_THAT(written.line, HasSubstr(std::string(Log::kMaxValueBytes, 'x')));
    EXPECT_THAT(written.line, Not(HasSubstr(std::string(Log::kMaxValueBytes + 1, 'x'))));
    EXPECT_EQ(written.shortened, 1U);
  }
}

// Found in review: only JSON lines had a bound.
TEST(Log, ALineOfTooManyLongValuesKeepsItsMessage) {
  const std::string value(Log::kMaxValueBytes, '\x01');  // six bytes each when escaped
  for (const LogFormat format : kFormats) {
    const Written written = write(format, "order rejected", {{"a", value}, {"b", value}});
    EXPECT_THAT(written.line, HasSubstr("order rejected"));
    EXPECT_THAT(written.line, Not(HasSubstr("u0001")));
    EXPECT_EQ(written.shortened, 1U);
  }
}

TEST(Log, ALongMessageIsCut) {
  for (const LogFormat format : kFormats) {
    EXPECT_EQ(write(format, std::string(100'000, '\x01'), {}).shortened, 1U);
  }
}

TEST(Log, WhatFitsIsWrittenWhole) {
  const std::string value(Log::kMaxValueBytes, 'x');
  for (const LogFormat format : kFormats) {
    const Written written = write(format, value, {{"detail", value}});
    EXPECT_THAT(written.line, HasSubstr(value));
    EXPECT_EQ(written.shortened, 0U);
  }
}

}  // namespace
}  // namespace rts::telemetry
