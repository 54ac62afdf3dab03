// `replay --why` as it is called: on a recording of tests/data, and on the recorded corpus, where
// there is one.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/command_line.hpp"
#include "support/engine_run.hpp"
#include "support/env_file.hpp"
#include "support/paths.hpp"
#include "support/rapidjson.hpp"
#include "support/scratch_files.hpp"

namespace rts::commands {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

using Words = std::vector<std::string>;

struct Outcome {
  ExitCode exit_code = ExitCode::internal;
  std::string out, messages;
};

Outcome run(Words options, const std::string& recording,
            const std::vector<config::Given>& settings) {
  options.insert(options.begin(), {"replay", "--quiet"});
  options.push_back(recording);
  Outcome outcome;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  outcome.exit_code = run_command(parse_command_line(options), test::configured(settings));
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.messages = testing::internal::GetCapturedStderr();
  return outcome;
}

class WhyCommand : public testing::Test {
 protected:
  // The recording of every outcome.
  Outcome why(const Words& options) {
    return run(options, data("outcomes.ndjson"), test::env_file(data("outcomes.env")));
  }
  static std::string data(const std::string& name) {
    return test::source_root() + "/tests/data/" + name;
  }
  [[nodiscard]] const test::ScratchFiles& files() const { return files_; }

 private:
  test::ScratchFiles files_;
};

const std::string kMidnight = "BTCUSDT@2024-07-19T00:00:00";

TEST_F(WhyCommand, PrintsTheAnswerAndNoOrders) {
  const Outcome outcome = why({"--why", kMidnight});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(
      outcome.out,
      AllOf(StartsWith("BTCUSDT at 2024-07-19T00:00:00.000Z\n  orderbook_skew\n    at it: "),
            HasSubstr("\n  trade_momentum\n"), HasSubstr("\n  ticker_velocity\n"),
            HasSubstr("\n  gate at the moment\n"), HasSubstr("\n  refused within 1 s"),
            Not(HasSubstr("order_id"))));
  EXPECT_THAT(outcome.messages, Not(HasSubstr("replay:")));
}

TEST_F(WhyCommand, WritesOrdersWhereTheyAreAskedForToo) {
  const Outcome outcome = why({"--why", kMidnight, "--orders", files().path("orders")});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(outcome.out, StartsWith("BTCUSDT at "));
  EXPECT_EQ(test::read_file(files().path("orders")),
            test::read_file(data("outcomes.orders.ndjson")));
}

TEST_F(WhyCommand, AnswersEachMomentInTheOrderGiven) {
  const Outcome outcome =
      why({"--why", "BTCUSDT@2024-07-19T00:00:01", "--why=btcusdt@1721347200000"});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(outcome.out, StartsWith("BTCUSDT at 2024-07-19T00:00:01.000Z\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nBTCUSDT at 2024-07-19T00:00:00.000Z\n"));
}

TEST_F(WhyCommand, SaysWhichMomentHasNoAnswerAndAnswersTheOthers) {
  const Outcome outcome = why({"--why", "BTCUSDT@2024-07-18T00:00:00", "--why", kMidnight});
  EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
  EXPECT_THAT(outcome.messages,
              HasSubstr("replay: --why BTCUSDT@2024-07-18T00:00:00.000Z: the moment is outside of "
                        "the recording, which is from 2024-07-19T00:00:00.000Z to "));
  EXPECT_THAT(outcome.out, StartsWith("BTCUSDT at 2024-07-19T00:00:00.000Z\n"));
}

TEST_F(WhyCommand, SaysWhichSymbolsThereAre) {
  const Outcome outcome = why({"--why", "XRPUSDT@2024-07-19T00:00:00"});
  EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
  EXPECT_THAT(outcome.messages,
              AllOf(HasSubstr("no event of XRPUSDT that counts"), HasSubstr("TRADING_SYMBOLS"),
                    HasSubstr("; it has BNBUSDT, ")));
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST_F(WhyCommand, CountsWhatTheRecordingHoldsOfTheLogs) {
  const std::string orders = test::read_file(data("outcomes.orders.ndjson"));
  const std::string recording =
      R"(# settings {"effective_from":1721347200000,"values":{"SIGNAL_COOLDOWN_SECONDS":"60"}})"
      "\n# pause {\"paused\":true,\"strategy\":\"ticker_velocity\"}\n# order " +
      orders.substr(0, orders.find('\n') + 1) +
      R"({"e":"24hrTicker","E":1721347200500,"s":"BTCUSDT","c":"64000"})"
      "\n"
      R"({"e":"24hrTicker","E":1721347205000,"s":"BTCUSDT","c":"64000"})"
      "\n# pause {\"paused\":false,\"strategy\":\"ticker_velocity\"}\n";
  const Outcome outcome =
      run({"--why", "BTCUSDT@1721347201000"}, files().write("recording", recording), {});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("orderbook_skew: not paused, 1 of 50 orders of the UTC day; BUY cools "
                      "down, 59 s of 60 s left after the order of "
                      "2024-07-19T00:00:00.000Z"),
            HasSubstr("ticker_velocity: paused, 0 of 50 orders")));
}

TEST_F(WhyCommand, SaysOnceThatARecordingHoldsNoFrame) {
  const Outcome outcome = run({"--why", kMidnight}, files().write("text", "no frame\n"), {});
  EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
  EXPECT_THAT(outcome.messages, AllOf(HasSubstr("no line is a frame"), Not(HasSubstr("--why"))));
}

TEST_F(WhyCommand, RefusesWhatIsNoMomentBeforeAnythingIsWritten) {
  const std::string kept = files().write("kept", "an earlier result");
  const Outcome outcome = why({"--why", "BTCUSDT", "--force", "--orders", kept});
  EXPECT_EQ(outcome.exit_code, ExitCode::usage);
  EXPECT_THAT(outcome.messages,
              HasSubstr("--why takes SYMBOL@TIME, as BTCUSDT@2024-07-19T12:03:11"));
  EXPECT_EQ(test::read_file(kept), "an earlier result");
}

TEST_F(WhyCommand, PrintsOneJsonObjectALine) {
  const Outcome outcome = why({"--json", "--why", kMidnight, "--why", "BTCUSDT@1721347201000"});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 2);
  rapidjson::Document document;
  document.Parse(outcome.out.substr(0, outcome.out.find('\n')).c_str());
  ASSERT_FALSE(document.HasParseError()) << outcome.out;
  EXPECT_STREQ(document["symbol"].GetString(), "BTCUSDT");
  EXPECT_EQ(document["strategies"].MemberCount(), count_of<StrategyId>);
  EXPECT_EQ(document["strategies"]["orderbook_skew"]["before"]["away_ms"].GetInt(), 0);
}

TEST_F(WhyCommand, TakesJsonForItsAnswersOnly) {
  const Outcome outcome = why({"--json"});
  EXPECT_EQ(outcome.exit_code, ExitCode::usage);
  EXPECT_THAT(outcome.messages, HasSubstr("--json is for the answers to --why"));
}

TEST_F(WhyCommand, ADifferenceOutweighsAMomentWithoutAnswer) {
  const Words nowhere{"--why", "BTCUSDT@2024-07-18T00:00:00", "--expect"};
  Words same = nowhere, other = nowhere;
  same.push_back(data("outcomes.orders.ndjson"));
  other.push_back(data("closing.orders.ndjson"));
  EXPECT_EQ(why(same).exit_code, ExitCode::bad_input);
  EXPECT_EQ(why(other).exit_code, ExitCode::different);
}

TEST(WhyCorpus, ExplainsAMomentOfTheFeed) {
  const std::string feed = test::corpus_root() + "/feed_usdm_20240719.ndjson.gz";
  if (!std::filesystem::exists(feed)) GTEST_SKIP() << "no recording " << feed;
  const Outcome outcome = run({"--why", "BTCUSDT@2024-07-19T00:00:11"}, feed, {});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  // One tick of 0.1 at 63,931; and the one order of the day, which is in the expected orders.
  EXPECT_THAT(
      outcome.out,
      AllOf(
          HasSubstr("    0.064 s before: 2024-07-19T00:00:10.936Z BTCUSDT orderbook_skew "
                    "spread_below_minimum: spread 0.0001564 % is below the minimum of 0.1 %"),
          HasSubstr("trade_momentum: not paused, 1 of 50 orders of the UTC day; BUY free, no "
                    "order before; SELL cools down, 898.062 s of 900 s left after the order of "
                    "2024-07-19T00:00:09.062Z\n"),
          HasSubstr("reference price: 63931 of 2024-07-19T00:00:10.956Z, 0.044 s before: fresh")));
}

}  // namespace
}  // namespace rts::commands
