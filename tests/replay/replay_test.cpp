// `replay`: the same recording gives the same bytes, however it is stored and cut, and the command
// says with its exit code what came of it.
#include "app/replay.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_run.hpp"
#include "support/scratch_files.hpp"
#include "support/seeded_market.hpp"

namespace rts::app {
namespace {

using test::BookText;
using test::EngineRun;
using test::given;
using test::gzip;
using test::kMidnightMs;
using test::zstd;
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
    std::vector<std::string> words{"replay", "--orders", files_.path("orders"), "--counts",
                                   files_.path("counts")};
    words.insert(words.end(), options.begin(), options.end());
    for (const std::string& content : contents) {
      words.push_back(files_.write(fmt::format("recording{}", files_written_++), content));
    }
    return run(words);
  }

  Outcome run(const std::vector<std::string>& words) {
    const auto invocation = parse_command_line(words);
    if (!invocation) {
      ADD_FAILURE() << invocation.error();
      return {};
    }
    Outcome outcome;
    testing::internal::CaptureStderr();
    outcome.exit_code = app::replay(invocation.value(), test::configured(lively()));
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
  for (const std::string& stored : {gzip(text), gzip(half) + gzip(rest), zstd(text),
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
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(outcome.orders, IsEmpty());
  EXPECT_EQ(outcome.counts,
            fmt::format("{{\"frames\": {{\"dropped/malformed\": {0}, \"events\": {0}, "
                        "\"frames\": {0}}}, \"outcomes\": {{}}}}\n",
                        lines));
}

TEST_F(Replay, OfAnEmptyFileIsFineAndEmpty) {
  const Outcome outcome = replay({""});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_EQ(outcome.orders, "");
  EXPECT_EQ(outcome.counts, "{\"frames\": {\"events\": 0, \"frames\": 0}, \"outcomes\": {}}\n");
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

TEST_F(Replay, ExitsWithUnavailableWhereItCannotWrite) {
  const std::string path = files().write("one", BookText{}.frame());
  const std::string nowhere = files().path("no/such/directory");
  EXPECT_EQ(run({"replay", "--orders", nowhere, path}).exit_code, ExitCode::unavailable);
  EXPECT_EQ(run({"replay", "--orders", files().path("o"), "--counts", nowhere, path}).exit_code,
            ExitCode::unavailable);
  EXPECT_EQ(run({"replay", "--orders", "/dev/full", path}).exit_code, ExitCode::unavailable);
}

}  // namespace
}  // namespace rts::app
