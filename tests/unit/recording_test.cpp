// Lines of recordings: "<receive time in ns> <frame>" or the bare frame.
#include <optional>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <rts/wire/frame.hpp>

namespace rts::wire {
namespace {

struct LineCase {
  std::string_view line;
  std::optional<std::int64_t> received_ns;
  std::string_view frame;
};

std::optional<std::int64_t> received_ns(const RecordedFrame& frame) {
  if (!frame.received_at) return std::nullopt;
  return frame.received_at->time_since_epoch().count();
}

TEST(Recording, LineIsATimeAndAFrameOrABareFrame) {
  const std::vector<LineCase> cases{
      {R"(1721347200123456789 {"e":"trade"})", 1721347200123456789, R"({"e":"trade"})"},
      {R"({"e":"trade"})", std::nullopt, R"({"e":"trade"})"},
      {R"([{"e":"trade"}])", std::nullopt, R"([{"e":"trade"}])"},
      {"0 {}", 0, "{}"},
      {"1   {}", 1, "{}"},
      {"1 \t{}", 1, "{}"},
      {"  1 {}", 1, "{}"},
      {"1 {}\r", 1, "{}\r"},
      {"1 not json at all", 1, "not json at all"},
      {"1 2 {}", 1, "2 {}"},
      {"9223372036854775807 {}", 9223372036854775807, "{}"},
  };
  for (const auto& c : cases) {
    const auto read = parse_recorded_line(c.line);
    ASSERT_TRUE(read.has_value()) << c.line;
    EXPECT_EQ(read->frame, c.frame) << c.line;
    EXPECT_EQ(received_ns(*read), c.received_ns) << c.line;
  }
}

// What does not begin with such a time is a frame as it is, for the reader to judge.
TEST(Recording, LineWithoutAReceiveTimeIsTheFrame) {
  for (const std::string_view line :
       {"42", "42 ", "1{}", "-1 {}", "+1 {}", "1.5 {}", "1e3 {}", "9223372036854775808 {}",
        "99999999999999999999999 {}", "x {}", "0x1 {}"}) {
    const auto read = parse_recorded_line(line);
    ASSERT_TRUE(read.has_value()) << line;
    EXPECT_FALSE(read->received_at.has_value()) << line;
    EXPECT_EQ(read->frame, line);
  }
}

// What was heard from the logs, or what somebody has noted: no frame. Inside a line it is text.
TEST(Recording, LinesThatBeginWithANumberSignAreNoFrames) {
  for (const std::string_view line :
       {"#", "# a comment", R"(#{"e":"trade"})", R"(# order {"id":"x"})", R"(# pause {})",
        R"(# settings {})", "  # after blanks", "\t#", "#1721347200123456789 {}"}) {
    EXPECT_FALSE(parse_recorded_line(line).has_value()) << line;
  }
  const auto frame = parse_recorded_line("1721347200123456789 # {}");
  ASSERT_TRUE(frame.has_value()) << "it begins with a receive time";
  EXPECT_EQ(frame->frame, "# {}");
  EXPECT_TRUE(parse_recorded_line(R"({"e":"#"})").has_value());
}

TEST(Recording, BlankLinesCarryNothing) {
  for (const std::string_view line : {"", " ", "\t", "\r", " \t \r"}) {
    EXPECT_FALSE(parse_recorded_line(line).has_value());
  }
}

TEST(Recording, LinesOfTheLogsSayWhichLogAndWhat) {
  struct NoteCase {
    std::string_view line;
    RecordedLog log;
    std::string_view json;
  };
  for (const NoteCase& c : std::vector<NoteCase>{
           {R"(# order {"order_id":"x"})", RecordedLog::order, R"({"order_id":"x"})"},
           {R"(# pause {"paused":true})", RecordedLog::pause, R"({"paused":true})"},
           {R"(# settings {"values":{}})", RecordedLog::settings, R"({"values":{}})"},
           {"  #order{}\r", RecordedLog::order, "{}"},
           {"#\tpause \t{} ", RecordedLog::pause, "{}"},
       }) {
    const auto note = parse_recorded_note(c.line);
    ASSERT_TRUE(note.has_value()) << c.line;
    EXPECT_EQ(note->log, c.log) << c.line;
    EXPECT_EQ(note->json, c.json) << c.line;
  }
  for (const std::string_view line :
       {"", "#", "# {}", "# order", "# order: none", "# orders {}", "# an order {}", "# Order {}",
        "order {}", R"({"e":"# order {}"})", "1 # order {}"}) {
    EXPECT_FALSE(parse_recorded_note(line).has_value()) << line;
  }
}

}  // namespace
}  // namespace rts::wire
