// Lines of recordings: "<receive time in ns> <frame>" or the bare frame; as they are read, and as
// they are written.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/answer.hpp>
#include <rts/wire/control_log.hpp>
#include <rts/wire/frame.hpp>
#include <rts/wire/recording.hpp>

#include "support/engine_run.hpp"
#include "support/frames.hpp"

namespace rts::wire {
namespace {

using test::kNoon;

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

// --- Written ------------------------------------------------------------------------------------

// How the events of a frame that is received at noon end.
std::string ends(std::string_view frame) {
  test::EngineRun run(test::configured(test::Given{}));
  run.frame(frame, kNoon);
  return run.tally().to_json();
}

std::string recorded_line(std::string_view frame) {
  FrameReader reader;
  std::string line;
  append_recorded_frame(line, kNoon, frame, reader);
  return line;
}

// A line, as a reader gives it: without its end, which may be Windows's.
std::string_view read_back(std::string_view line) {
  line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto read = parse_recorded_line(line);
  return read && read->received_at == UnixNs(kNoon) ? read->frame : line;
}

// Whatever bytes it is of: the same events end alike, and it is one line, which is no comment.
TEST(RecordedFrame, EndsAsItWouldHaveLive) {
  const std::string spread =
      "{\n\"e\":\"trade\",\r\n\t\"E\":1721390400000,\n\"T\":1721390400000,"
      "\"s\":\"BTCUSDT\",\"t\":1,\n\"p\":\"1\",\"q\":\"1\",\"m\":true}\n\n";
  const std::string ticker = test::ticker();
  std::string broken_text = ticker;  // a newline inside of a text that nobody reads
  broken_text.insert(broken_text.size() - 1, ",\"note\":\"a\nb\"");
  const std::string padding(kMaxFrameBytes, ' ');
  for (const std::string& frame : std::vector<std::string>{
           test::trade(),
           ticker,
           test::book_frame(),
           spread,
           broken_text,
           "\n" + ticker,
           "\r\n" + ticker + "\r\n",
           fmt::format("{0}\n{0}", ticker),
           "\n# " + ticker,
           "# order {}",
           "#",
           "",
           " ",
           "\n",
           "\n\n\n",
           "\r",
           "17213472000000000 {}",
           "17213472000000000 " + ticker,
           "17213472000000000\n" + ticker,
           "7",
           "\xEF\xBB\xBF" + ticker,
           std::string("\0\0\0\n", 4),
           std::string("{\0}", 3),
           "\xFF\xFE{\n}",
           "\x1B[2J",
           fmt::format("[\n{0},\n{0}]", ticker),
           R"({"result":null,"id":1})",
           "{\"hello\":\n\"world\"}",
           ticker + padding,
           padding + ticker,
           fmt::format("\n{}{}", padding, ticker),
           padding + "\r",
           ticker + padding.substr(ticker.size()),  // exactly as long as one may be
       }) {
    const std::string line = recorded_line(frame);
    EXPECT_EQ(std::ranges::count(line, '\n'), 1) << frame.substr(0, 300);
    EXPECT_TRUE(line.ends_with('\n')) << frame.substr(0, 300);
    EXPECT_EQ(ends(read_back(line)), ends(frame)) << frame.substr(0, 300);
    EXPECT_LE(line.size(), kMaxFrameBytes + 64) << "a reader cuts longer ones";
  }
}

TEST(RecordedFrame, IsAsItCameWhereThatIsOneLine) {
  for (const std::string& frame :
       std::vector<std::string>{test::trade(), "# not a note", "\x1B[2J"}) {
    EXPECT_EQ(recorded_line(frame), fmt::format("1721390400000000000 {}\n", frame));
  }
}

TEST(RecordedNote, IsReadBackAsItWasHeard) {
  const auto order = parse_counted_order(
      R"({"order_id":"3eade307-080f-5c00-98c4-764ac65bee94","symbol":"BTCUSDT","side":"SELL",)"
      R"("strategy_name":"trade_momentum","timestamp":"2024-07-18T23:59:58.123+00:00"})");
  ASSERT_TRUE(order);
  std::string lines;
  append_recorded_note(lines, RecordedLog::order, to_json(*order));
  const auto note = parse_recorded_note(lines);
  ASSERT_TRUE(note && note->log == RecordedLog::order) << lines;
  const auto again = parse_counted_order(note->json);
  ASSERT_TRUE(again) << lines;
  EXPECT_EQ(again->id, order->id);
  EXPECT_EQ(again->symbol, order->symbol);
  EXPECT_EQ(std::pair(again->strategy, again->side), std::pair(order->strategy, order->side));
  EXPECT_EQ(again->at, order->at);
}

TEST(RecordedNote, OfAPauseSaysWhose) {
  for (const std::optional<StrategyId> strategy : pausable()) {
    const PauseChange change{strategy, {true, {"odd \"prices\"", "me@here", "now"}}};
    const auto read = parse_pause(to_json(change));
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->pause);
    EXPECT_EQ(read->strategy, strategy);
    const auto value = parse_pause_value(to_json(change));
    ASSERT_TRUE(value);
    EXPECT_EQ(value->author.reason, "odd \"prices\"");
  }
}

// As somebody may have written it by hand.
TEST(RecordedNote, IsOneLineHoweverItWasWritten) {
  std::string line;
  append_recorded_note(line, RecordedLog::pause, "\n{\n\"paused\":\r\ntrue\n}\n");
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  const auto note = parse_recorded_note(line);
  ASSERT_TRUE(note) << line;
  EXPECT_TRUE(parse_pause(note->json)) << line;
}

TEST(RecordedComment, IsOneLineThatIsNothingElse) {
  std::string line;
  append_recorded_comment(line, "gap: a\nb\x1B[2J");
  EXPECT_EQ(line, "# gap: a\\nb\\x1b[2J\n");
  EXPECT_FALSE(parse_recorded_line(line));
  EXPECT_FALSE(parse_recorded_note(line));
}

}  // namespace
}  // namespace rts::wire
