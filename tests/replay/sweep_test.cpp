// `sweep`: what it says of settings is what `replay` says with each of them; and what is asked for
// wrongly is named.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "commands/command_line.hpp"
#include "support/engine_run.hpp"
#include "support/env_file.hpp"
#include "support/paths.hpp"
#include "support/process.hpp"
#include "support/rapidjson.hpp"
#include "support/scratch_files.hpp"
#include "support/seeded_market.hpp"

namespace rts::commands {
namespace {

using test::read_file;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

rapidjson::Document parsed(const std::string& text) {
  rapidjson::Document document;
  document.Parse(text.c_str(), text.size());
  EXPECT_FALSE(document.HasParseError()) << text;
  return document;
}

constexpr const char* kSpread = "--orderbook-skew-min-spread-percent=0";

struct Said {
  ExitCode exit_code = ExitCode::internal;
  std::string output, messages;
};

class SweepCommand : public testing::Test {
 protected:
  Said sweep(std::vector<std::string> words) {
    words.insert(words.begin(), "sweep");
    Said said;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
      const Invocation invocation = parse_command_line(words);
      const auto configuration = config::load({}, invocation.settings);
      said.exit_code = run_command(invocation, configuration.value());
    } catch (const CommandError& error) {
      said.exit_code = error.code;
      said.messages = error.what();
    }
    said.output = testing::internal::GetCapturedStdout();
    said.messages += testing::internal::GetCapturedStderr();
    return said;
  }

  std::string recording(std::size_t frames = 2'000) {
    std::string text = "# a comment\n";
    for (const std::string& frame : frames_of(frames)) text += frame + "\n";
    return files_.write(fmt::format("recording{}", written_++), text);
  }
  static std::vector<std::string> frames_of(std::size_t count) {
    return test::SeededMarket(7).frames(count);
  }

  test::ScratchFiles files_;
  int written_ = 0;
};

TEST_F(SweepCommand, OrdersOfEachSettingAreThoseOfReplay) {
  const std::string json = files_.path("sweep.json");
  const Said said = sweep({recording(), kSpread, "--vary", "SIGNAL_COOLDOWN_SECONDS=5,60", "--vary",
                           "RISK_MAX_DAILY_SIGNALS=3,50", "--json", json, "--by", "orders"});
  ASSERT_EQ(said.exit_code, ExitCode::ok) << said.messages;
  const auto document = parsed(read_file(json));
  const auto& ranked = document["ranked"].GetArray();
  ASSERT_EQ(ranked.Size(), 5U);
  std::uint64_t before = ~std::uint64_t{0};
  for (const auto& row : ranked) {
    const auto& values = row["values"];
    test::EngineRun run(test::configured(
        {{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
         {"SIGNAL_COOLDOWN_SECONDS", values["SIGNAL_COOLDOWN_SECONDS"].GetString()},
         {"RISK_MAX_DAILY_SIGNALS", values["RISK_MAX_DAILY_SIGNALS"].GetString()}}));
    run.lines(frames_of(2'000));
    EXPECT_EQ(row["orders"].GetUint64(), run.orders().size());
    EXPECT_LE(row["orders"].GetUint64(), before) << "they are ranked by orders";
    before = row["orders"].GetUint64();
  }
}

TEST_F(SweepCommand, SaysHowManyWereTriedAndShowsTheSettingsAsTheyAre) {
  const Said said =
      sweep({recording(), "--vary", "TRADE_MOMENTUM_BUY_THRESHOLD=0.1..0.6:0.05", "--top", "2"});
  EXPECT_EQ(said.exit_code, ExitCode::ok) << said.messages;
  EXPECT_THAT(said.output,
              AllOf(StartsWith("12 settings tried: as configured, and 11 combinations\n"),
                    HasSubstr("as configured"), HasSubstr(" h), 2000 frames, ")));
  EXPECT_LE(std::ranges::count(said.output, '\n'), 6);
}

TEST_F(SweepCommand, LeavesOutCombinationsThatAreNoSettings) {
  const Said said = sweep({recording(), "--vary", "TRADE_MOMENTUM_SELL_THRESHOLD=-0.5,0.8"});
  EXPECT_EQ(said.exit_code, ExitCode::ok) << said.messages;
  EXPECT_THAT(said.output, HasSubstr("1 combinations are no settings, and were left out; first: "));
  EXPECT_EQ(sweep({recording(), "--vary", "TRADE_MOMENTUM_SELL_THRESHOLD=0.8"}).exit_code,
            ExitCode::configuration);
}

TEST_F(SweepCommand, PutsWhatMeetsTheTargetFirstTheMostEvenAhead) {
  const std::string json = files_.path("sweep.json");
  // So short a recording has many orders a day.
  const Said said = sweep({recording(), kSpread, "--vary", "SIGNAL_COOLDOWN_SECONDS=1,5,20,60,900",
                           "--target", "orders=1000..20000", "--json", json});
  ASSERT_EQ(said.exit_code, ExitCode::ok) << said.messages;
  EXPECT_THAT(said.output, ContainsRegex("[1-9] of them have 1000 to 20000 orders a day"));
  const auto document = parsed(read_file(json));
  const std::uint64_t meeting = document["meeting_target"].GetUint64();
  ASSERT_GT(meeting, 0U);
  const auto& ranked = document["ranked"].GetArray();
  ASSERT_LT(meeting, ranked.Size()) << "nothing is told apart";
  for (rapidjson::SizeType i = 0; i < ranked.Size(); ++i) {
    const double orders = ranked[i]["orders_per_day"].GetDouble();
    EXPECT_EQ(orders >= 1000 && orders <= 20000, i < meeting) << i;
    if (i > 0 && i < meeting) {
      EXPECT_LE(ranked[i]["evenness"].GetDouble(), ranked[i - 1]["evenness"].GetDouble());
    }
  }
}

TEST_F(SweepCommand, WritesSettingsThatCanBeUsedEachWithItsEvidence) {
  const std::string env = files_.path("best.env");
  const Said said = sweep({recording(), kSpread, "--vary", "SIGNAL_COOLDOWN_SECONDS=5,60", "--by",
                           "orders", "--write-env", env});
  ASSERT_EQ(said.exit_code, ExitCode::ok) << said.messages;
  const std::string text = read_file(env);
  EXPECT_THAT(text, AllOf(HasSubstr("\nSIGNAL_COOLDOWN_SECONDS=5\n"),
                          HasSubstr("3 settings tried: as configured, and 2 combinations"),
                          HasSubstr("# All else alike, 60: ")));
  const auto loaded = config::load(test::env_file(env), {});
  EXPECT_TRUE(loaded.ok());
}

TEST_F(SweepCommand, WritesARowForEverySettingAsCsv) {
  const std::string csv = files_.path("sweep.csv");
  sweep({recording(), "--vary", "SIGNAL_COOLDOWN_SECONDS=5,60", "--csv", csv});
  const std::string text = read_file(csv);
  EXPECT_THAT(text, StartsWith("rank,trial,SIGNAL_COOLDOWN_SECONDS,orders,orders_per_day,"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 4);
  const std::string head = text.substr(0, text.find('\n'));
  const std::string row = text.substr(text.rfind('\n', text.size() - 2) + 1);
  EXPECT_EQ(std::ranges::count(head, ','), std::ranges::count(row, ','));
}

TEST_F(SweepCommand, WalksForward) {
  const Said said = sweep({recording(), kSpread, "--vary", "SIGNAL_COOLDOWN_SECONDS=5,60",
                           "--walk-forward", "train=2m,test=1m"});
  EXPECT_EQ(said.exit_code, ExitCode::ok) << said.messages;
  EXPECT_THAT(said.output, ContainsRegex("mean of [1-9][0-9]* tests: "));
}

TEST_F(SweepCommand, DrawsTheSameForOneSeed) {
  const std::string file = recording(500);
  const auto drawn = [&](const char* seed) {
    return sweep({file, "--vary", "TRADE_MOMENTUM_BUY_THRESHOLD=0.1..0.6", "--random", "5",
                  "--seed", seed})
        .output;
  };
  EXPECT_THAT(drawn("3"), HasSubstr("5 combinations, drawn with seed 3"));
  EXPECT_EQ(drawn("3"), drawn("3"));
  EXPECT_NE(drawn("3"), drawn("4"));
}

TEST_F(SweepCommand, CountsFeesAndLatency) {
  const std::string file = recording();
  const auto output = [&](const char* option, const char* value) {
    return sweep({file, kSpread, "--vary", "SIGNAL_COOLDOWN_SECONDS=5", option, value}).output;
  };
  EXPECT_NE(output("--fee-bp", "0"), output("--fee-bp", "10"));
  EXPECT_NE(output("--latency-ms", "0"), output("--latency-ms", "2000"));
}

TEST_F(SweepCommand, PassesOverWhatTheLogsSaid) {
  std::string text = "# pause {\"paused\":true,\"reason\":\"\",\"by\":\"\",\"at\":\"\"}\n";
  for (const std::string& frame : frames_of(500)) text += frame + "\n";
  const std::string file = files_.write("with_logs", text);
  const Said said = sweep({file, kSpread, "--vary", "SIGNAL_COOLDOWN_SECONDS=5"});
  EXPECT_THAT(said.output, HasSubstr("1 entries of the logs are passed over"));
}

TEST_F(SweepCommand, NamesWhatIsAskedForWrongly) {
  const std::string file = recording(10);
  const auto problem = [&](std::vector<std::string> words) {
    words.insert(words.begin(), file);
    const Said said = sweep(words);
    EXPECT_EQ(said.exit_code, ExitCode::usage) << said.messages;
    return said.messages;
  };
  const std::string vary = "SIGNAL_COOLDOWN_SECONDS=5";
  EXPECT_THAT(problem({}), HasSubstr("give --vary"));
  EXPECT_THAT(problem({"--vary", "NATS_URL=x"}), HasSubstr("cannot be varied"));
  EXPECT_THAT(problem({"--vary", vary, "--vary", vary}), HasSubstr("is given twice"));
  EXPECT_THAT(problem({"--vary", "SIGNAL_COOLDOWN_SECONDS=1..9"}), HasSubstr("without a step"));
  EXPECT_THAT(problem({"--vary", vary, "--by", "luck"}), HasSubstr("--by takes pnl, markout"));
  EXPECT_THAT(problem({"--vary", vary, "--horizon", "2m"}), HasSubstr("--horizon takes 1s, "));
  for (const char* target : {"50", "orders=5", "orders=9..5", "orders=-1..5", "pnl=1..2"}) {
    EXPECT_THAT(problem({"--vary", vary, "--target", target}), HasSubstr("--target takes"));
  }
  for (const char* walk : {"7d", "train=1d", "train=3d,test=2d", "train=0d,test=0d"}) {
    EXPECT_THAT(problem({"--vary", vary, "--walk-forward", walk}),
                HasSubstr("--walk-forward takes"));
  }
  EXPECT_THAT(problem({"--vary", vary, "--by", "evenness", "--walk-forward", "train=1d,test=1d"}),
              HasSubstr("ranks by"));
  EXPECT_THAT(problem({"--vary", "SIGNAL_COOLDOWN_SECONDS=1..20000:1", "--vary",
                       "RISK_MAX_DAILY_SIGNALS=1,2"}),
              HasSubstr("more than 20000 combinations"));
}

TEST_F(SweepCommand, SaysWhereThereIsNothingToTryThemOn) {
  const std::string vary = "SIGNAL_COOLDOWN_SECONDS=5";
  EXPECT_EQ(sweep({files_.path("missing"), "--vary", vary}).exit_code, ExitCode::bad_input);
  const Said said = sweep({files_.write("text", "no frame\n"), "--vary", vary});
  EXPECT_EQ(said.exit_code, ExitCode::bad_input);
  EXPECT_THAT(said.messages, HasSubstr("no event of 1 frames was evaluated"));
}

TEST_F(SweepCommand, OverwritesNothingWithoutForce) {
  const std::string csv = files_.write("there.csv", "mine");
  const std::string vary = "SIGNAL_COOLDOWN_SECONDS=5";
  EXPECT_NE(sweep({recording(10), "--vary", vary, "--csv", csv}).exit_code, ExitCode::ok);
  EXPECT_EQ(read_file(csv), "mine");
  EXPECT_EQ(sweep({recording(500), "--vary", vary, "--csv", csv, "--force"}).exit_code,
            ExitCode::ok);
  EXPECT_THAT(read_file(csv), StartsWith("rank,"));
}

// Ctrl-C: what there is is printed; nothing more is read.
TEST_F(SweepCommand, PrintsWhatThereIsWhenItIsInterrupted) {
  const std::string pipe = files_.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), S_IRUSR | S_IWUSR), 0);
  std::signal(SIGPIPE, SIG_IGN);
  test::ProcessOptions options;
  options.capture_stdout = true;
  test::Process process({test::binary(), "sweep", pipe, "--vary", "SIGNAL_COOLDOWN_SECONDS=5,60"},
                        options);
  std::string text;
  for (const std::string& frame : frames_of(3'000)) text += frame + "\n";
  // It is opened when somebody reads it, and takes so much when most of it has been read.
  std::ofstream feed(pipe);
  feed << text << std::flush;
  process.signal(SIGINT);
  feed << text << std::flush;  // the reading ends in the middle of it
  const auto status = process.wait(std::chrono::seconds(20));
  ASSERT_TRUE(status.has_value());
  EXPECT_TRUE(status->exited);
  EXPECT_EQ(status->code, 0);
  EXPECT_THAT(process.out(), AllOf(HasSubstr("3 settings tried"), HasSubstr("interrupted")));
}

}  // namespace
}  // namespace rts::commands
