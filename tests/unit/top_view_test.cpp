// What `top` shows of what services say, as lines; keys and frames of its terminal.
#include "commands/top_view.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/base/utf8.hpp>

#include "commands/terminal.hpp"
#include "service/status.hpp"
#include "support/status_text.hpp"

namespace rts::commands {
namespace {

using test::StatusText;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr ScreenSize kUsual{80, 24};
constexpr ScreenSize kLarge{200, 50};

Replica answering(const std::string& name, const StatusText& said = {}) {
  return {.name = name,
          .status = wire::parse_service_status(said.text()),
          .problem = "",
          .frames_a_second = 1234.4};
}
Replica silent(const std::string& name) {
  return {.name = name, .status = {}, .problem = "nobody answers there", .frames_a_second = {}};
}

TopView view_of(std::vector<Replica> replicas) {
  TopView view;
  view.replicas = std::move(replicas);
  view.orders = wire::parse_order_statuses(test::kOrdersText);
  view.at = UnixMs(std::chrono::milliseconds(1'764'352'805'000));  // 18:00:05
  return view;
}

std::vector<std::string> shown(const TopView& view, ScreenSize size = kUsual) {
  std::vector<std::string> lines;
  for (const TopLine& line : lines_of(view, size)) lines.push_back(line.text);
  return lines;
}

// Of a text of single columns.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

Mood mood_of(const TopView& view, std::string_view begin) {
  const auto lines = lines_of(view, kUsual);
  const auto found = std::ranges::find_if(
      lines, [&](const TopLine& line) { return std::string_view(line.text).starts_with(begin); });
  EXPECT_NE(found, lines.end()) << begin;
  return found == lines.end() ? Mood::plain : found->mood;
}

TEST(TopView, OfOneReplicaHasAllOfIt) {
  EXPECT_THAT(
      shown(view_of({answering("10.0.0.7:8080")})),
      ElementsAre(
          "top  18:00:05 UTC  1 of 1 replicas answer  90.4 events/s in all",
          " REPLICA         STATE     FRAMES/S  BOOK TRADE TICKER P99 LAG ORDERS  SETTINGS",
          ">10.0.0.7:8080   Trading       1234  70.4    20      –  ≤100ms      7  01234567", "",
          "BTCUSDT  the last minute, as 10.0.0.7:8080 sees it",
          "orderbook_skew  600 events: spread_below_minimum 590 (98.3%), neutral 9 (1.5%),…",
          "  18:00:01 neutral: ratio 1.05: it buys above 1.2, 0.15 away",
          "trade_momentum  paused by me@here: maintenance; 600 events: spread_below_minimu…",
          "  18:00:01 neutral: momentum 0.1", "ticker_velocity disabled", "",
          "last orders of 10.0.0.7:8080",
          "17:59:00 BTCUSDT BUY 0.002 at 63993 confirmed orderbook_skew: ratio 1.5 is abov…",
          "17:58:00 ETHUSDT SELL 0.25 at 3500.5 in flight trade_momentum: first"));
}

TEST(TopView, OfALargeScreenHasMoreOfEverything) {
  const auto lines = shown(view_of({answering("10.0.0.7:8080")}), kLarge);
  EXPECT_THAT(lines[1], HasSubstr("SETTINGS   BREAKER     UP          VERSION"));
  EXPECT_THAT(lines[2], HasSubstr("01234567    closed   100s            1.2.3"));
  EXPECT_THAT(lines, Contains("orderbook_skew  600 events: spread_below_minimum 590 (98.3%), "
                              "neutral 9 (1.5%), signal_buy 1 (0.2%)"));
  EXPECT_THAT(lines, Contains(HasSubstr("orderbook_skew: ratio 1.5 is above 1.2")));
}

TEST(TopView, FitsEveryScreen) {
  StatusText wordy{.notices = R"({"what":"not_ready","text":")"};
  for (int i = 0; i < 90; ++i) wordy.notices += "word ";
  wordy.notices += R"("},{"what":"paused","text":"x"})";
  for (const std::size_t count : {1U, 5U, 40U}) {
    std::vector<Replica> replicas;
    for (std::size_t i = 0; i < count; ++i) {
      replicas.push_back(answering(fmt::format("10.0.0.{}:8080", i), wordy));
    }
    TopView view = view_of(replicas);
    for (const ScreenSize size : {kUsual, kLarge, ScreenSize{20, 5}, ScreenSize{1, 1},
                                  ScreenSize{0, 0}, ScreenSize{500, 3}}) {
      for (const bool has_keys : {false, true}) {
        view.has_keys = has_keys;
        const auto lines = shown(view, size);
        EXPECT_LE(lines.size(), size.rows);
        EXPECT_TRUE(!has_keys || lines.size() == size.rows);
        for (const std::string& line : lines) EXPECT_LE(width(line), size.columns) << line;
      }
    }
  }
}

TEST(TopView, OfANarrowScreenKeepsWhatMatters) {
  TopView view = view_of({answering("10.0.0.7:8080")});
  view.has_keys = true;
  EXPECT_THAT(shown(view, {20, 5}),
              ElementsAre("top  18:00:05 UTC  …", " REPLICA         ST…", ">10.0.0.7:8080   Tr…",
                          "BTCUSDT  the last m…", " q quit   ↑↓ replic…"));
}

TEST(TopView, SaysWhichReplicaIsSilentOrPaused) {
  const TopView view =
      view_of({answering("a:1"), silent("b:2"),
               answering("c:3", {.trading = false,
                                 .notices = R"({"what":"paused","text":"orders are paused by me"},)"
                                            R"({"what":"dry_run","text":"no order is sent"})"})});
  const auto lines = shown(view);
  EXPECT_THAT(lines[0], HasSubstr("2 of 3 replicas answer  181 events/s in all"));
  EXPECT_EQ(lines[3], " b:2             No answer nobody answers there");
  EXPECT_THAT(lines[4], StartsWith(" c:3             Paused        1234"));
  EXPECT_EQ(lines[5], "! c:3: orders are paused by me");
  EXPECT_EQ(lines[6], "! c:3: no order is sent");
  EXPECT_EQ(mood_of(view, ">a:1"), Mood::plain);
  EXPECT_EQ(mood_of(view, " b:2"), Mood::bad);
  EXPECT_EQ(mood_of(view, " c:3"), Mood::warning);
}

TEST(TopView, OfASilentReplicaThatIsSelectedSaysSo) {
  TopView view = view_of({answering("a:1"), silent("b:2")});
  view.selected = 1;
  view.orders.emplace();
  const auto lines = shown(view);
  EXPECT_THAT(lines, AllOf(Contains(StartsWith(">b:2 ")), Contains("b:2 does not answer"),
                           Contains("last orders of b:2: none yet"),
                           Not(Contains(HasSubstr("600 events")))));
}

TEST(TopView, HasAWordForEachState) {
  struct Row {
    bool trading;
    const char* what;
    const char* word;
  };
  for (const auto& [trading, what, word] :
       {Row{true, "", "Trading"}, Row{false, "", "Stopped"}, Row{false, "draining", "Draining"},
        Row{false, "not_ready", "Not ready"}, Row{false, "paused", "Paused"},
        Row{false, "dry_run", "Dry run"}, Row{true, "simulated_feed", "Simulated"},
        Row{true, "no_feed", "No feed"}, Row{true, "strategy_paused", "In part"},
        Row{true, "strategy_silent", "In part"}, Row{true, "impaired", "Impaired"},
        Row{false, "disabled", "Off"}, Row{true, "of a later version", "Trading"}}) {
    StatusText said{.trading = trading};
    if (*what != '\0') said.notices = fmt::format(R"({{"what":"{}","text":"why"}})", what);
    EXPECT_THAT(shown(view_of({answering("a:1", said)}))[2],
                StartsWith(fmt::format(">a:1             {:<9} ", word)));
  }
}

TEST(TopView, KnowsEveryNoticeThatAServiceMayHave) {
  for (const auto what : all_of<service::Notice>) {
    const StatusText said{
        .trading = false,
        .notices = fmt::format(R"({{"what":"{}","text":"why"}})", to_string(what))};
    EXPECT_THAT(shown(view_of({answering("a:1", said)}))[2], Not(HasSubstr("Stopped")))
        << to_string(what);
  }
}

TEST(TopView, DoesNotSayThatThereIsNoOrderWhereItIsNotKnown) {
  auto view = view_of({answering("a:1", {})});
  view.orders.reset();
  EXPECT_THAT(shown(view), Contains("last orders of a:1: not known"));
}

TEST(TopView, SaysANoticeOfSeveralReplicasOnce) {
  const StatusText said{.notices = R"({"what":"dry_run","text":"no order is sent"})"};
  const auto lines = shown(view_of({answering("a:1", said), answering("b:2", said)}));
  EXPECT_EQ(lines[4], "! all: no order is sent");
  EXPECT_EQ(lines[5], "");
  const auto of_two =
      shown(view_of({answering("a:1", said), answering("b:2", said), answering("c:3")}));
  EXPECT_EQ(of_two[5], "! a:1, b:2: no order is sent");
}

TEST(TopView, SaysThatThereAreMoreNotices) {
  StatusText said;
  for (int i = 0; i < 6; ++i) {
    said.notices +=
        fmt::format(R"({}{{"what":"not_ready","text":"reason {}"}})", i > 0 ? "," : "", i);
  }
  const TopView view = view_of({answering("a:1", said)});
  EXPECT_THAT(shown(view), AllOf(Contains("! a:1: reason 3"), Contains("! … 2 more"),
                                 Not(Contains("! a:1: reason 4"))));
  EXPECT_THAT(shown(view, kLarge), AllOf(Contains("! a:1: reason 5"), Not(Contains("! … 2 more"))));
}

TEST(TopView, MarksOtherSettings) {
  const auto marked = [](const std::vector<std::string>& hashes) {
    std::vector<Replica> replicas;
    replicas.reserve(hashes.size());
    for (const auto& hash : hashes) replicas.push_back(answering("a:1", {.settings = hash}));
    std::string marks;
    const auto lines = shown(view_of(replicas));
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      marks += lines[2 + i].find("≠" + hashes[i]) != std::string::npos ? 'x' : '.';
    }
    const bool is_said = std::ranges::any_of(lines, [](const std::string& line) {
      return line.find("has settings that others do not have") != std::string::npos;
    });
    EXPECT_EQ(is_said, marks.find('x') != std::string::npos);
    return marks;
  };
  EXPECT_EQ(marked({"aa"}), ".");
  EXPECT_EQ(marked({"aa", "aa", "aa"}), "...");
  EXPECT_EQ(marked({"aa", "bb", "aa"}), ".x.");
  EXPECT_EQ(marked({"aa", "bb"}), "xx");
  EXPECT_EQ(marked({"aa", "bb", "cc", "aa"}), ".xx.");
}

TEST(TopView, ShowsTheRowsAroundTheSelectedOne) {
  std::vector<Replica> replicas;
  replicas.reserve(20);
  for (int i = 0; i < 20; ++i) replicas.push_back(answering(fmt::format("a:{}", i)));
  TopView view = view_of(replicas);
  EXPECT_THAT(shown(view), AllOf(Contains(StartsWith(" a:7 ")), Not(Contains(StartsWith(" a:8 "))),
                                 Contains(" … 12 more")));
  view.selected = 15;
  EXPECT_THAT(shown(view), AllOf(Contains(StartsWith(" a:8 ")), Contains(StartsWith(">a:15 ")),
                                 Not(Contains(StartsWith(" a:16 ")))));
}

TEST(TopView, ShowsAnHourOrHelpWhereThatIsAskedFor) {
  TopView view = view_of({answering("a:1")});
  view.is_hour = true;
  EXPECT_THAT(shown(view), AllOf(Contains("BTCUSDT  the last hour, as a:1 sees it"),
                                 Contains("orderbook_skew  36000 events: neutral 36000 (100.0%)")));
  view.has_help = true;
  view.is_stopped = true;
  const auto lines = shown(view);
  EXPECT_THAT(lines[0], HasSubstr("  STOPPED"));
  EXPECT_THAT(lines, AllOf(Contains(StartsWith("p  ")), Contains(StartsWith("P99 LAG")),
                           Not(Contains(HasSubstr("orderbook_skew")))));
  for (const std::string& line : lines) EXPECT_THAT(line, Not(HasSubstr("…"))) << "80 columns do";
}

TEST(TopView, HasTheKeysInTheLastLine) {
  TopView view = view_of({answering("a:1")});
  view.has_keys = true;
  const auto lines = shown(view, {79, 24});
  ASSERT_THAT(lines, SizeIs(24));
  EXPECT_THAT(lines.back(), AllOf(HasSubstr("q quit"), HasSubstr("? help"), Not(HasSubstr("…"))));
}

// What services say cannot command a terminal, end a line or be wider than it is counted.
TEST(TopView, ShowsNothingThatATerminalWouldObey) {
  StatusText said{.notices = R"({"what":"paused","text":"a\u001b[2Jb\nc\u009bd\u202ee"})"};
  said.symbol = R"(B\u001b]0;x\u0007)";
  said.settings = R"(\r\r\r\r)";
  TopView view = view_of({answering("a:1", said), silent("b:\x1b[2J")});
  view.replicas[1].problem = "answers 500: \x1b[31m\xff\n";
  view.orders->at(0).sentence = "\x1b[?25l";
  for (const ScreenSize size : {kUsual, kLarge, ScreenSize{20, 5}}) {
    for (const std::string& line : shown(view, size)) EXPECT_TRUE(is_plain_text(line)) << line;
  }
  const auto lines = shown(view);
  EXPECT_THAT(lines, AllOf(Contains(R"(! a:1: a\x1b[2Jb\nc\xc2\x9bd\xe2\x80\xaee)"),
                           Contains(HasSubstr(R"(answers 500: \x1b[31m\xff\n)"))));
}

TEST(TopView, CountsTheColumnsOfWideCharacters) {
  const auto line_of = [](const std::string& text) {
    return shown(view_of({silent("a:1"),
                          {.name = "b:2", .status = {}, .problem = text, .frames_a_second = {}}}),
                 {36, 24})[3];
  };
  EXPECT_EQ(line_of("0123456789"), " b:2             No answer 01234567…");
  EXPECT_EQ(line_of("012345678"), " b:2             No answer 012345678");
  EXPECT_EQ(line_of("価格価格"), " b:2             No answer 価格価格");
  EXPECT_EQ(line_of("価格価格価"), " b:2             No answer 価格価格…");
  EXPECT_EQ(line_of("01234567価"), " b:2             No answer 01234567…");
  EXPECT_EQ(line_of("e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301"),
            " b:2             No answer e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301");
}

TEST(TopView, OfWhatNobodyKnowsSaysThatItIsNotKnown) {
  TopView view = view_of({{.name = "a:1",
                           .status = wire::parse_service_status(R"({"trading":true,"feed":{}})"),
                           .problem = "",
                           .frames_a_second = {}}});
  view.orders.emplace();
  EXPECT_THAT(
      shown(view),
      ElementsAre("top  18:00:05 UTC  1 of 1 replicas answer  0 events/s in all", testing::_,
                  ">a:1             Trading          –     –     –      –       –      0          ",
                  "", "no symbol yet  the last minute, as a:1 sees it", "",
                  "last orders of a:1: none yet"));
}

// --- The terminal --------------------------------------------------------------------------------

std::string keys_of(std::string_view typed) {
  Keys keys;
  std::string out;
  for (const char c : typed) {
    if (const char key = keys.take(c); key != '\0') out += key;
  }
  return out;
}

TEST(TerminalKeys, AreLettersAndArrows) {
  EXPECT_EQ(keys_of("jkq?"), "jkq?");
  EXPECT_EQ(keys_of("\x1b[A\x1b[B\x1bOA\x1bOB"), "kjkj");
  EXPECT_EQ(keys_of("\x1b[1;5Aq"), "kq") << "with Ctrl";
  EXPECT_EQ(keys_of("\x1b[15~\x1b[Cs\x1bOPm"), "sm") << "function keys and others";
  EXPECT_EQ(keys_of("\x1bq\x1b\x1b[A"), "qk") << "a key of its own";
  EXPECT_EQ(keys_of("\x1b"), "");
}

TEST(TerminalFrame, ReplacesTheFrameBefore) {
  const std::vector<TopLine> lines{{"title", Mood::heading}, {"", Mood::bad}, {"row", Mood::plain}};
  EXPECT_EQ(frame_of(lines, false), "\x1b[Htitle\x1b[K\r\n\x1b[K\r\nrow\x1b[K\x1b[J");
  EXPECT_THAT(frame_of(lines, true), HasSubstr("\x1b[1mtitle\x1b[0m\x1b[K"));
}

}  // namespace
}  // namespace rts::commands
