// `replay`: the same recording gives the same bytes, however it is stored and cut, and the command
// says with its exit code what came of it.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/engine/engine.hpp>

#include "commands/command_line.hpp"
#include "support/engine_run.hpp"
#include "support/scratch_files.hpp"
#include "support/seeded_market.hpp"
#include "support/zip_text.hpp"

namespace rts::commands {
namespace {

using test::BookText;
using test::EngineRun;
using test::given;
using test::gzip;
using test::kMidnightMs;
using test::zstd;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Loose limits, so that there are many orders, also from a lone book.
std::vector<config::Given> lively() {
  return given({{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                {"RISK_PRICE_BAND_PERCENT", "0"},
                {"SIGNAL_COOLDOWN_SECONDS", "5"},
                {"TRADE_MOMENTUM_WINDOW", "10"},
                {"TICKER_VELOCITY_TIME_WINDOW", "5"},
                {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0.01"}});
}

std::string joined(const std::vector<std::string>& frames) {
  std::string text;
  for (const std::string& frame : frames) text += frame + "\n";
  return text;
}

struct Outcome {
  ExitCode exit_code = ExitCode::internal;
  std::string orders, counts, messages;
};

class Replay : public testing::Test {
 protected:
  // Runs the command over files (by content); orders and counts go to files of their own.
  Outcome replay(const std::vector<std::string>& contents,
                 const std::vector<std::string>& options = {}) {
    std::vector<std::string> words{
        "replay", "--force", "--orders", files_.path("orders"), "--counts", files_.path("counts")};
    words.insert(words.end(), options.begin(), options.end());
    for (const std::string& content : contents) {
      words.push_back(files_.write(fmt::format("recording{}", files_written_++), content));
    }
    return run(words);
  }

  Outcome run(const std::vector<std::string>& words) {
    const Invocation invocation = parse_command_line(words);
    Outcome outcome;
    testing::internal::CaptureStderr();
    outcome.exit_code = run_command(invocation, test::configured(lively()));
    outcome.messages = testing::internal::GetCapturedStderr();
    outcome.orders = test::read_file(files_.path("orders"));
    outcome.counts = test::read_file(files_.path("counts"));
    return outcome;
  }

  [[nodiscard]] const test::ScratchFiles& files() const { return files_; }
  [[nodiscard]] const std::vector<std::string>& frames() const { return frames_; }
  [[nodiscard]] std::string recording() const { return joined(frames_); }

 private:
  test::ScratchFiles files_;
  std::vector<std::string> frames_ = test::SeededMarket(1).frames(3'000);
  int files_written_ = 0;
};

TEST_F(Replay, GivesTheSameBytesTwice) {
  const Outcome first = replay({recording()});
  const Outcome second = replay({recording()});
  EXPECT_EQ(first.exit_code, ExitCode::ok);
  EXPECT_GT(std::count(first.orders.begin(), first.orders.end(), '\n'), 50);
  EXPECT_EQ(first.orders, second.orders);
  EXPECT_EQ(first.counts, second.counts);
}

TEST_F(Replay, GivesTheBytesThatTheEngineGives) {
  EngineRun engine(test::configured(lively()));
  engine.lines(frames());
  const Outcome outcome = replay({recording()});
  EXPECT_EQ(outcome.orders, engine.orders_text());
  EXPECT_EQ(outcome.counts, engine.tally().to_json());
}

TEST_F(Replay, GivesTheSameBytesHoweverTheRecordingIsCutIntoFiles) {
  const Outcome whole = replay({recording()});
  for (const std::size_t parts : {2U, 7U, 50U}) {
    std::vector<std::string> contents(parts);
    for (std::size_t i = 0; i < frames().size(); ++i) {
      contents[i * parts / frames().size()] += frames()[i] + "\n";
    }
    const Outcome cut = replay(contents);
    EXPECT_EQ(cut.orders, whole.orders) << parts << " files";
    EXPECT_EQ(cut.counts, whole.counts) << parts << " files";
  }
}

TEST_F(Replay, GivesTheSameBytesHoweverTheRecordingIsStored) {
  const std::string text = recording();
  const std::string half = text.substr(0, text.size() / 2);
  const std::string rest = text.substr(half.size());
  const Outcome plain = replay({text});
  for (const std::string& stored :
       {gzip(text), gzip(half) + gzip(rest), zstd(text), test::zip({{"market.log", text}}),
        zstd(half) + zstd(rest), text.substr(0, text.size() - 1)}) {
    const Outcome outcome = replay({stored});
    EXPECT_EQ(outcome.exit_code, ExitCode::ok);
    EXPECT_EQ(outcome.orders, plain.orders);
    EXPECT_EQ(outcome.counts, plain.counts);
  }
}

TEST_F(Replay, TakesCarriageReturnsAndBlankLinesForNothing) {
  std::string text = "\r\n \t\r\n";
  for (const std::string& frame : frames()) text += frame + "\r\n\n";
  const Outcome outcome = replay({text});
  EXPECT_EQ(outcome.orders, replay({recording()}).orders);
  EXPECT_EQ(outcome.counts, replay({recording()}).counts);
}

TEST_F(Replay, ReceiveTimesDoNotChangeFramesThatKnowTheirTime) {
  std::string text;
  for (const std::string& frame : frames()) text += "1721347200000000001 " + frame + "\n";
  EXPECT_EQ(replay({text}).orders, replay({recording()}).orders);
}

TEST_F(Replay, TakesTheReceiveTimeWhereTheFrameHasNone) {
  const std::string frame = R"({"e":"trade","s":"BTCUSDT","t":1,"p":"100","q":"1","m":false})";
  EXPECT_THAT(replay({frame}).counts, HasSubstr(R"("dropped/no_event_time": 1)"));
  const Outcome timed = replay({"1721347200123456789 " + frame});
  EXPECT_THAT(timed.counts, HasSubstr(R"("trade_momentum/warming_up": 1)"));
}

TEST_F(Replay, IsNotLiveAndDropsNothingAsStale) {
  const std::string late = std::to_string(kMidnightMs + 3'600'000) + "000000 ";
  EXPECT_THAT(replay({late + BookText{}.frame()}).counts,
              HasSubstr(R"("orderbook_skew/signal_buy": 1)"));
}

TEST_F(Replay, CountsALineThatIsTooLongAsTooLarge) {
  const std::string giant = "{\"x\":\"" + std::string(3'000'000, 'x') + "\"}\n";
  const Outcome outcome = replay({giant + BookText{}.frame() + "\n"});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(outcome.counts, HasSubstr(R"("dropped/too_large": 1, "events": 2, "frames": 2)"));
}

TEST_F(Replay, SummarisesOnStderrUnlessQuiet) {
  EXPECT_THAT(replay({recording()}).messages, HasSubstr("orderbook_skew: "));
  EXPECT_THAT(replay({recording()}, {"--quiet"}).messages, IsEmpty());
}

TEST_F(Replay, WritesOrdersToStandardOutputByDefault) {
  const std::string path = files().write("one", BookText{}.frame());
  testing::internal::CaptureStdout();
  const Outcome outcome = run({"replay", "--quiet", path});
  const std::string out = testing::internal::GetCapturedStdout();
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(out, testing::StartsWith(R"({"order_id":)"));
  EXPECT_THAT(out, testing::EndsWith("}\n"));
}

// --- What is wrong with the input ---------------------------------------------------------------

TEST_F(Replay, OfATruncatedFileProcessesWhatIsThereAndExits65) {
  const std::string text = recording();
  for (const std::string& stored : {gzip(text), zstd(text, 10'000)}) {
    const Outcome outcome = replay({stored.substr(0, stored.size() - 5)});
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
    EXPECT_THAT(outcome.messages, HasSubstr("is truncated"));
    EXPECT_GT(std::count(outcome.orders.begin(), outcome.orders.end(), '\n'), 50);
    EXPECT_TRUE(replay({text}).orders.starts_with(outcome.orders));
  }
}

TEST_F(Replay, OfAMissingFileOrADirectoryExits65AndReadsTheOthers) {
  for (const std::string& bad : {files().path("missing"), files().directory()}) {
    const Outcome outcome = replay({BookText{}.frame()}, {bad});
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
    EXPECT_THAT(outcome.messages, HasSubstr("replay: " + bad));
    EXPECT_THAT(outcome.counts, HasSubstr(R"("orderbook_skew/signal_buy": 1)"));
  }
}

TEST_F(Replay, OfBinaryGarbageCountsEveryLineAsMalformed) {
  std::mt19937_64 random(7);
  std::string garbage;
  std::size_t lines = 0;
  for (int i = 0; i < 200'000; ++i) {
    const char c = static_cast<char>(test::pick(random, 256));
    garbage += c;
  }
  garbage[0] = 'x';
  std::size_t begin = 0;
  while (begin < garbage.size()) {
    const std::size_t end = std::min(garbage.find('\n', begin), garbage.size());
    const std::string line = garbage.substr(begin, end - begin);
    const std::size_t first = line.find_first_not_of(" \t\r");
    lines += first != std::string::npos && line[first] != '#' ? 1 : 0;
    begin = end + 1;
  }
  const Outcome outcome = replay({garbage});
  EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
  EXPECT_THAT(outcome.orders, IsEmpty());
  EXPECT_EQ(outcome.counts,
            fmt::format("{{\"frames\": {{\"dropped/malformed\": {0}, \"events\": {0}, "
                        "\"frames\": {0}}}, \"outcomes\": {{}}}}\n",
                        lines));
}

TEST_F(Replay, OfNoFramesAtAllExits65AndSaysSo) {
  const std::string none = "{\"frames\": {\"events\": 0, \"frames\": 0}, \"outcomes\": {}}\n";
  for (const std::string& empty : {std::string(), std::string("\n \r\n"), gzip(""), zstd("")}) {
    for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"--quiet"}}) {
      const Outcome outcome = replay({empty}, options);
      EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
      EXPECT_EQ(outcome.orders, "");
      EXPECT_EQ(outcome.counts, none);
      EXPECT_THAT(outcome.messages, testing::EndsWith(": holds no frames\n"));
    }
  }
  EXPECT_EQ(replay({"", recording()}).exit_code, ExitCode::ok) << "an hour without a frame";
}

struct NoRecording {
  std::string content;
  const char* says;
};

// What the exchange's download page, a spreadsheet, an editor or another tool leaves.
TEST_F(Replay, OfWhatIsNoRecordingExits65AndSaysWhatItIsAndWhere) {
  const std::vector<NoRecording> rows{
      {"\n26129,0.01,4.70,27781,27781,1498793709153,true,true\n1,2,3\n",
       " line 2: malformed; it looks like comma-separated values (CSV); no line is a frame"},
      {"time;price;size\n1;2;3\n", " line 1: malformed; it looks like a table;"},
      {"<html>\n</html>\n", " line 1: malformed; it looks like HTML or XML;"},
      {"[\n  {\"e\":\"trade\",\n", " line 1: malformed; it looks like JSON spread over several"},
      {"\n\n{\"e\":\n", " line 3: malformed; no line is a frame"},
      {gzip("a,b,c\n"), " line 1: malformed; it looks like comma-separated values (CSV)"},
      {std::string("\xFD"
                   "7zXZ\0",
                   6),
       "is xz data; unpack it first (xz -dc"},
      {"BZh91AY&SY", "is bzip2 data; unpack it first"},
      {"PK\x03\x04", "zip archive is damaged or truncated"},
      {gzip("PK\x03\x04\n"), "is a zip archive (.zip, .npz); unpack it first"},
      {"\xFF\xFE{\0", "is UTF-16 text; convert it to UTF-8 first"},
      {std::string("{\0\"\0e\0", 6), "is UTF-16 text; convert it to UTF-8 first"},
      {gzip(gzip("{}\n")), "is gzip data in compressed data"},
      {zstd(std::string(257, '\0') + "ustar"), "is a tar archive"},
      {"PAR1", "is a Parquet file"}};
  for (const auto& [content, says] : rows) {
    const Outcome outcome = replay({content}, {"--quiet"});
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input) << says;
    EXPECT_THAT(outcome.messages, AllOf(HasSubstr("replay: "), HasSubstr(says)));
    EXPECT_EQ(std::count(outcome.messages.begin(), outcome.messages.end(), '\n'), 1) << says;
  }
}

TEST_F(Replay, OfOneFrameAmongOtherLinesIsFineAndSaysTheFirstBadLine) {
  const Outcome outcome = replay({"\n\na,b,c\n" + BookText{}.frame() + "\nd,e,f\n"});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(outcome.messages, HasSubstr("dropped malformed                   2  first: "));
  EXPECT_THAT(outcome.messages, testing::ContainsRegex("/recording[0-9]+ line 3\n"));
}

TEST_F(Replay, SaysTheLineOfEachReasonWithinItsFile) {
  const std::string bad_number = R"({"e":"trade","E":1721347200000,"s":"BTCUSDT","t":1,"p":"x",)"
                                 R"("q":"1","m":false})";
  const Outcome outcome = replay({recording(), "\n" + bad_number + "\n"});
  EXPECT_THAT(outcome.messages,
              testing::ContainsRegex("dropped bad_number +1  first: .*/recording1 line 2\n"));
}

// --- What the summary says ----------------------------------------------------------------------

// Each order as another replica has it stored before its frame comes, or as it comes back to us.
TEST_F(Replay, OfItsOwnOrdersAsTheLogHasThemGivesTheSameOrders) {
  for (const bool is_before : {true, false}) {
    Engine engine(config::engine_parameters(test::configured(lively()).settings, Clock::replay));
    std::string with_log;
    int notes = 0;
    for (const std::string& frame : frames()) {
      std::string heard;
      for (const EventRecord& record : engine.step(frame, {}).events) {
        const Decision* decision = record.decision();
        if (decision == nullptr || !decision->order) continue;
        ++notes;
        append_json(heard += "# order ", *decision->order,
                    notes % 2 == 0 ? OrderFormat::trade_order : OrderFormat::signal);
        heard += '\n';
      }
      with_log += is_before ? heard + frame + '\n' : frame + '\n' + heard;
    }
    ASSERT_GT(notes, 20);
    const Outcome outcome = replay({with_log});
    EXPECT_EQ(outcome.orders, replay({recording()}).orders);
    EXPECT_THAT(outcome.messages,
                HasSubstr(fmt::format("{} entries of the logs were heard", notes)));
  }
}

TEST_F(Replay, HoldsToWhatTheLogsSay) {
  const std::string first = BookText{}.frame();  // of a BUY
  const std::string stored =
      R"(# order {"order_id":"3eade307-080f-5c00-98c4-764ac65bee94","symbol":"BTCUSDT",)"
      R"("side":"BUY","strategy_name":"orderbook_skew","timestamp":"2024-07-18T23:59:58.000Z"})";
  EXPECT_THAT(replay({first}).counts, HasSubstr(R"("orderbook_skew/signal_buy": 1)"));
  EXPECT_THAT(replay({stored + "\n" + first}).counts, HasSubstr(R"("orderbook_skew/cooldown": 1)"));
  for (const auto& [notes, outcome] : std::vector<std::pair<std::string, std::string>>{
           {R"(# pause {"paused":true})", "paused"},
           {R"(# pause {"paused":true,"strategy":"orderbook_skew"})", "paused"},
           {R"(# pause {"paused":true,"strategy":"trade_momentum"})", "signal_buy"},
           {"# pause {\"paused\":true}\n# pause {\"paused\":false}", "signal_buy"},
           {"# pause {\"paused\":true}\n"
            R"(# pause {"paused":false,"strategy":"orderbook_skew"})",
            "paused"},
           {R"(# settings {"effective_from":1721347200000,)"
            R"("values":{"ORDERBOOK_SKEW_BUY_THRESHOLD":"1000"}})",
            "neutral"},
           {R"(# settings {"effective_from":1721347200001,)"
            R"("values":{"ORDERBOOK_SKEW_BUY_THRESHOLD":"1000"}})",
            "signal_buy"},
           {R"(# settings {"effective_from":0,"values":{"SIGNAL_MIN_CONFIDENCE":"1"}})",
            "low_confidence"},
       }) {
    EXPECT_THAT(replay({notes + "\n" + first}).counts,
                HasSubstr(fmt::format(R"("orderbook_skew/{}": 1)", outcome)))
        << notes;
  }
}

// One id is of one cooldown. What the log has was sent before the recording began, or by another
// replica of an event before this one.
TEST_F(Replay, GivesNoOrderAgainThatTheLogHasOfAnEarlierEvent) {
  const std::string frame = BookText{.at_ms = kMidnightMs + 3000}.frame();
  const std::string order = replay({frame}).orders;
  ASSERT_EQ(std::count(order.begin(), order.end(), '\n'), 1);
  std::string earlier = order;
  constexpr std::string_view kTime = R"("timestamp":"2024-07-19T00:00:03.000)";
  const std::size_t at = earlier.find(kTime);
  ASSERT_NE(at, std::string::npos) << order;
  earlier[at + kTime.size() - 5] = '1';
  EXPECT_EQ(replay({"# order " + order + frame}).orders, order) << "of this event";
  const Outcome outcome = replay({"# order " + earlier + frame});
  EXPECT_THAT(outcome.orders, IsEmpty());
  EXPECT_THAT(outcome.counts, HasSubstr(R"("orderbook_skew/signal_buy": 1)"))
      << "as it was decided";
  EXPECT_THAT(replay({"# order " + earlier + frame + "\n" + frame}).orders, IsEmpty());
}

TEST_F(Replay, SaysWhichEntriesOfTheLogsItDidNotTakeIntoAccount) {
  const Outcome outcome =
      replay({"# order {}\n# settings {\"values\":{}}\n# pause {}\n# a note\n" + recording()});
  EXPECT_THAT(outcome.messages,
              AllOf(HasSubstr("3 entries of the logs were heard"),
                    HasSubstr("replay: 3 entries of the logs are not taken into account"),
                    HasSubstr("first: "), HasSubstr(" line 1\n")));
  EXPECT_EQ(outcome.orders, replay({recording()}).orders);
  EXPECT_THAT(replay({recording()}).messages, Not(HasSubstr("logs")));
}

TEST_F(Replay, IgnoresARevisionWithAnythingInvalidWholeAndSaysWhy) {
  const std::string revision =
      R"(# settings {"effective_from":0,"values":{"SIGNAL_MIN_CONFIDENCE":"1",)"
      R"("SIGNAL_COOLDOWN_SECONDS":"-1","TRADING_LEVERAGE":"2"}})";
  const Outcome outcome = replay({revision + "\n" + recording()});
  EXPECT_EQ(outcome.orders, replay({recording()}).orders);
  EXPECT_THAT(outcome.messages,
              AllOf(HasSubstr(" line 1: SIGNAL_COOLDOWN_SECONDS='-1': not accepted; give a whole "
                              "number from 0 to 86400 (default: 900).\n"),
                    HasSubstr(" line 1: TRADING_LEVERAGE: does not change while the service runs"),
                    HasSubstr("1 entries of the logs are not taken into account")));
}

TEST_F(Replay, SaysTheTimeSpanAndTheOrdersAnHour) {
  const std::string an_hour_later = BookText{.id = 2, .at_ms = kMidnightMs + 3'600'000}.frame();
  const Outcome outcome = replay({BookText{}.frame() + "\n" + an_hour_later + "\n"});
  EXPECT_THAT(outcome.messages,
              HasSubstr("from 2024-07-19T00:00:00.000Z to 2024-07-19T01:00:00.000Z (1.00 h): 2 "
                        "orders, 2.0 an hour\n"));
}

TEST_F(Replay, SaysWhichSettingLetsTheFeedsSymbolsIn) {
  const std::string other = BookText{.symbol = "DOGEBTC"}.frame() + "\n";
  const Outcome outcome = replay({other});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(outcome.messages,
              AllOf(HasSubstr("no event was evaluated, so nothing could be ordered"),
                    HasSubstr("100.0 % of the events are ignored for symbol_not_traded; "
                              "TRADING_SYMBOLS")));
  const std::string kline = R"({"e":"kline","E":1721347200000,"s":"BTCUSDT"})";
  EXPECT_THAT(replay({other + other + kline}).messages,
              HasSubstr("66.7 % of the events are ignored for symbol_not_traded; TRADING_SYMBOLS"));
}

TEST_F(Replay, SaysWhichSettingWakesASkewThatTheSpreadKeepsSilent) {
  const auto invocation = parse_command_line(std::vector<std::string>{
      "replay", "--orders", "-", files().write("one", BookText{}.frame())});
  testing::internal::CaptureStderr();
  EXPECT_EQ(
      run_command(invocation, test::configured({{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "50"}})),
      ExitCode::ok);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("ORDERBOOK_SKEW_MIN_SPREAD_PERCENT=0 lets it through"));
}

// --- Byte-order marks and Windows line ends ------------------------------------------------------

TEST_F(Replay, TakesAByteOrderMarkAtTheBeginningOfEachFileForNothing) {
  const std::string mark = "\xEF\xBB\xBF";
  const std::string half = joined({frames().begin(), frames().begin() + 1'000});
  const std::string rest = joined({frames().begin() + 1'000, frames().end()});
  const Outcome plain = replay({recording()});
  for (const Outcome& outcome :
       {replay({mark + half, gzip(mark + rest)}), replay({zstd(mark + half), mark + rest})}) {
    EXPECT_EQ(outcome.orders, plain.orders);
    EXPECT_EQ(outcome.counts, plain.counts);
  }
  EXPECT_THAT(replay({BookText{}.frame() + "\n" + mark + BookText{.id = 2}.frame()}).counts,
              HasSubstr("\"dropped/malformed\": 1"))
      << "in the middle it is no mark";
}

TEST_F(Replay, ExpectsOrdersWithAByteOrderMarkAndWindowsLineEnds) {
  std::string expected = "\xEF\xBB\xBF";
  for (const char c : replay({recording()}).orders)
    expected += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(replay({recording()}, {"--expect", files().write("expected", expected)}).exit_code,
            ExitCode::ok);
}

// --- --expect, --orders, --counts ---------------------------------------------------------------

TEST_F(Replay, ExpectingItsOwnOrdersFindsNoDifference) {
  const std::string expected = files().write("expected", replay({recording()}).orders);
  const Outcome outcome = replay({recording()}, {"--expect", expected});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(outcome.messages, HasSubstr(" orders compared, 0 different"));
}

TEST_F(Replay, ExpectingTakesCompressedFilesKeyOrderAndLastDigitsForEqual) {
  const std::string order = replay({BookText{}.frame()}).orders;
  std::string moved = order;
  const std::string price = R"("price":100,)";
  moved.replace(moved.find(price), price.size(), "");
  moved.insert(1, R"("price":100.00000000001,)");
  const std::string expected = files().write("expected.gz", gzip("\n" + moved));
  const Outcome outcome = replay({BookText{}.frame()}, {"--expect", expected});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok) << outcome.messages;
}

TEST_F(Replay, ExpectingOtherOrdersExits1AndNamesTheField) {
  const std::string orders = replay({recording()}).orders;
  std::string changed = orders;
  changed.replace(changed.find(R"("leverage":1,)"), 13, R"("leverage":2,)");
  const Outcome outcome = replay({recording()}, {"--expect", files().write("expected", changed)});
  EXPECT_EQ(outcome.exit_code, ExitCode::different);
  EXPECT_THAT(outcome.messages, HasSubstr("order 1: .leverage: expected 2, got 1"));
  EXPECT_THAT(outcome.messages, HasSubstr(" 1 different"));
  EXPECT_EQ(outcome.orders, orders) << "--orders writes what came, whatever was expected";
}

TEST_F(Replay, ExpectingMoreOrFewerOrdersExits1) {
  const std::string orders = replay({recording()}).orders;
  const std::string first = orders.substr(0, orders.find('\n') + 1);
  const Outcome more = replay({recording()}, {"--expect", files().write("more", orders + first)});
  EXPECT_EQ(more.exit_code, ExitCode::different);
  EXPECT_THAT(more.messages, HasSubstr(": missing {"));
  const Outcome fewer =
      replay({recording()}, {"--expect", files().write("fewer", orders.substr(first.size()))});
  EXPECT_EQ(fewer.exit_code, ExitCode::different);
  const Outcome none = replay({recording()}, {"--expect", files().path("missing")});
  EXPECT_NE(none.exit_code, ExitCode::ok);
}

TEST_F(Replay, ExpectingWithoutAnOrdersFileKeepsStandardOutputEmpty) {
  const std::string expected = files().write("expected", replay({BookText{}.frame()}).orders);
  const std::string path = files().write("one", BookText{}.frame());
  testing::internal::CaptureStdout();
  const Outcome outcome = run({"replay", "--expect", expected, path});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
}

TEST_F(Replay, ExitsWithOutputLostWhereItCannotWrite) {
  const std::string path = files().write("one", BookText{}.frame());
  const std::string nowhere = files().path("no/such/directory");
  EXPECT_EQ(run({"replay", "--orders", nowhere, path}).exit_code, ExitCode::output_lost);
  EXPECT_EQ(run({"replay", "--orders", files().path("o"), "--counts", nowhere, path}).exit_code,
            ExitCode::output_lost);
  EXPECT_FALSE(std::filesystem::exists(files().path("o"))) << "nothing was begun";
  for (const char* option : {"--orders", "--counts"}) {
    const Outcome full = run({"replay", option, "/dev/full", path});
    EXPECT_EQ(full.exit_code, ExitCode::output_lost);
    EXPECT_THAT(full.messages, HasSubstr("replay: cannot write /dev/full: No space left"));
  }
}

TEST_F(Replay, KeepsTheVerdictOfAComparisonWhoseOrdersAreLost) {
  const std::string path = files().write("one", BookText{}.frame());
  EXPECT_EQ(
      run({"replay", "--expect", files().write("none", "{}\n"), "--orders", "/dev/full", path})
          .exit_code,
      ExitCode::different);
}

// Each output is named as itself, through a hard link and through a symbolic one.
TEST_F(Replay, WritesNoFileThatItReads) {
  namespace fs = std::filesystem;
  const std::string text = BookText{}.frame() + "\n";
  const std::string path = files().write("recording", text);
  const std::string expected = files().write("expected", text);
  fs::create_hard_link(path, files().path("hard"));
  fs::create_symlink(path, files().path("soft"));
  fs::create_symlink(expected, files().path("soft_expected"));
  const std::vector<std::vector<std::string>> outputs{
      {"--orders", path},
      {"--counts", path},
      {"--orders", files().path("hard")},
      {"--counts", files().path("hard")},
      {"--orders", files().path("soft")},
      {"--orders", files().directory() + "/./recording"},
      {"--expect", expected, "--orders", expected},
      {"--expect", expected, "--counts", files().path("soft_expected")},
      {"--counts", files().path("new"), "--orders", files().path("new")}};
  for (std::vector<std::string> words : outputs) {
    for (const bool force : {false, true}) {
      words.insert(words.begin(), "replay");
      words.push_back(path);
      if (force) words.emplace_back("--force");
      EXPECT_EQ(run(words).exit_code, ExitCode::usage) << testing::PrintToString(words);
      words.erase(words.begin());
      words.resize(words.size() - (force ? 2 : 1));
    }
    EXPECT_EQ(test::read_file(path), text);
    EXPECT_EQ(test::read_file(expected), text);
    EXPECT_FALSE(fs::exists(files().path("new"))) << "a file that was made for nothing stays";
  }
}

TEST_F(Replay, OverwritesWhatExistsOnlyWhenForced) {
  const std::string path = files().write("recording", BookText{}.frame());
  for (const char* option : {"--orders", "--counts"}) {
    const std::string there = files().write("there", "precious\n");
    const Outcome refused = run({"replay", option, there, path});
    EXPECT_EQ(refused.exit_code, ExitCode::usage);
    EXPECT_THAT(refused.messages, HasSubstr("there exists; --force overwrites it"));
    EXPECT_EQ(test::read_file(there), "precious\n");
    EXPECT_EQ(run({"replay", "--force", option, there, path}).exit_code, ExitCode::ok);
    EXPECT_THAT(test::read_file(there), testing::StartsWith("{\""));
    EXPECT_THAT(test::read_file(there), Not(HasSubstr("precious")));
  }
}

TEST_F(Replay, WritesToWhatIsNoRegularFileWithoutBeingForced) {
  const std::string path = files().write("recording", BookText{}.frame());
  const Outcome outcome = run({"replay", "--orders", "/dev/null", "--counts", "/dev/null", path});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok) << outcome.messages;
}

}  // namespace
}  // namespace rts::commands
