// The commands of the binary as a user types them: output, files and exit codes.
#include <chrono>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/config/settings.hpp>
#include <rts/wire/json_compare.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/order_schema.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// --- version, help, usage ----------------------------------------------------------------------

TEST(Cli, SaysItsVersion) {
  const RunResult text = run_binary({"version"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_TRUE(text.out.starts_with("realtime-strategies ")) << text.out;
  const RunResult json = run_binary({"version", "--json"});
  EXPECT_NE(json.out.find(R"("commit":")"), std::string::npos) << json.out;
}

TEST(Cli, HelpListsEveryCommandWithAnExample) {
  const RunResult help = run_binary({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command :
       {"run", "replay", "simulate", "check", "config", "provision", "pause", "resume", "set",
        "unset", "settings", "explain", "health", "version"}) {
    EXPECT_NE(help.out.find(fmt::format("\n  {}", command)), std::string::npos) << command;
    const RunResult own = run_binary({command, "--help"});
    EXPECT_EQ(own.exit_code, 0);
    EXPECT_NE(own.out.find("example: "), std::string::npos) << command;
  }
}

TEST(Cli, WithoutACommandItPrintsTheHelpAndStartsNothing) {
  const RunResult bare = run_binary({});
  EXPECT_EQ(bare.exit_code, 0);
  EXPECT_EQ(bare.out, run_binary({"--help"}).out);
  EXPECT_EQ(bare.err, "");
  EXPECT_EQ(run_binary({"--nats-url", "nats://localhost:4222"}).exit_code, 64);
}

TEST(Cli, WhatMakesNoSenseIsAUsageError) {
  const std::vector<std::vector<std::string>> wrong{{"fly"},
                                                    {"run", "--fast"},
                                                    {"run", "now"},
                                                    {"replay", "-x"},
                                                    {"config", "--format"},
                                                    {"config", "--format", "yaml"},
                                                    {"simulate", "--rate", "many"},
                                                    {"provision", "--replicas", "0"},
                                                    {"provision", "ORDERS"},
                                                    {"check", "--nats-token", "x"}};
  for (const auto& arguments : wrong) {
    const RunResult result = run_binary(arguments);
    EXPECT_EQ(result.exit_code, 64) << arguments.front() << result.out;
    EXPECT_NE(result.err, "") << arguments.front();
  }
}

// --- check, config -----------------------------------------------------------------------------

TEST(Cli, CheckAcceptsTheDefaults) { EXPECT_EQ(run_binary({"check"}).exit_code, 0); }

TEST(Cli, CheckSaysEverythingThatIsWrongAtOnceAndExits78) {
  const RunResult result = run_binary({"check"}, {{"TRADING_LEVERAGE", "126"},
                                                  {"SIGNAL_MIN_CONFIDENCE", "1.1"},
                                                  {"RISK_PRICE_BAND", "5"},
                                                  {"NATS_URL", "http://u:canary@x"}});
  EXPECT_EQ(result.exit_code, 78);
  EXPECT_EQ(lines_of(result.err).size(), 4U) << result.err;
  EXPECT_NE(result.err.find("RISK_PRICE_BAND_PERCENT"), std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("canary"), std::string::npos) << result.err;
  EXPECT_EQ(run_binary({"run"}, {{"TRADING_LEVERAGE", "126"}}).exit_code, 78);
}

TEST(Cli, AllowUnknownEnvWarnsInstead) {
  const RunResult result =
      run_binary({"check"}, {{"RISK_PRICE_BAND", "5"}, {"ALLOW_UNKNOWN_ENV", "true"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.err.find("warning: RISK_PRICE_BAND"), std::string::npos) << result.err;
}

TEST(Cli, CheckPrintsWarningsAndSaysHowMany) {
  const RunResult result = run_binary({"check"}, {{"TRADING_SYMBOLS", "ADAUSDT"},
                                                  {"TRADING_ORDER_NOTIONAL__BTCUSDT", "50"},
                                                  {"ENVIRONMENT", "test"},
                                                  {"NATS_CONSUMER_GROUP", ""}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "settings are valid, 4 warnings\n");
  for (const char* warning :
       {"warning: ADAUSDT: has no step", "warning: ADAUSDT: has no minimum",
        "warning: TRADING_ORDER_NOTIONAL__BTCUSDT: BTCUSDT is not traded", "run exactly one"}) {
    EXPECT_NE(result.err.find(warning), std::string::npos) << warning << "\n" << result.err;
  }
}

TEST(Cli, TheCommandsThatDecideReadTheInstrumentsFile) {
  const std::string lacking = source_root() + "/tests/data/exchange_info_spot.json";
  const std::string whole = source_root() + "/tests/data/exchange_info_usdm.json";
  for (const char* command : {"run", "check", "config", "replay"}) {
    const RunResult result = run_binary({command}, {{"TRADING_INSTRUMENTS_FILE", lacking}});
    EXPECT_EQ(result.exit_code, 78) << command;
    EXPECT_NE(result.err.find(lacking + ": does not have ETHUSDT"), std::string::npos)
        << command << result.err;
  }
  EXPECT_EQ(run_binary({"check"}, {{"TRADING_INSTRUMENTS_FILE", whole}}).exit_code, 0);
}

// A probe must not fail because a file has gone that only decisions need.
TEST(Cli, TheCommandsThatDecideNothingDoWithoutTheInstrumentsFile) {
  const Environment environment{{"TRADING_INSTRUMENTS_FILE", "/missing"},
                                {"HEALTH_CHECK_PORT", "1"}};
  EXPECT_EQ(run_binary({"health"}, environment).exit_code, 69);
  EXPECT_EQ(run_binary({"provision", "--permissions"}, environment).exit_code, 0);
  const RunResult market = run_binary({"simulate", "--output", "-", "--frames", "1"}, environment);
  EXPECT_EQ(market.exit_code, 0);
  EXPECT_EQ(market.err, "");
}

TEST(Cli, ConfigShowsValuesAndWhereTheyComeFrom) {
  const RunResult result = run_binary({"config", "--json", "--trading-leverage=3"},
                                      {{"TRADING_LEVERAGE", "2"}, {"ENVIRONMENT", "test"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.out.find(R"("TRADING_LEVERAGE":{"value":"3","origin":"flag"})"),
            std::string::npos);
  EXPECT_NE(result.out.find(R"("ENVIRONMENT":{"value":"test","origin":"environment"})"),
            std::string::npos);
  EXPECT_NE(run_binary({"config", "--json", "--signal-cooldown-seconds--btcusdt", "60"})
                .out.find(R"("SIGNAL_COOLDOWN_SECONDS__BTCUSDT":{"value":"60","origin":"flag"})"),
            std::string::npos);
  for (const char* format : {"text", "json", "env", "markdown", "configmap"}) {
    EXPECT_NE(run_binary({"config", "--format", format}).out.find("TRADING_SYMBOLS"),
              std::string::npos)
        << format;
  }
}

// --- simulate, replay --------------------------------------------------------------------------

TEST(Cli, TheSameSeedSimulatesTheSameMarketAndAnotherSeedAnother) {
  const auto market = [](const char* seed) {
    return run_binary({"simulate", "--output", "-", "--frames", "500", "--seed", seed}).out;
  };
  const std::string first = market("1");
  EXPECT_EQ(lines_of(first).size(), 500U);
  EXPECT_EQ(first, market("1"));
  EXPECT_NE(first, market("2"));
}

TEST(Cli, SimulateOverwritesWhatExistsOnlyWhenForced) {
  const ScratchFiles files;
  const std::string there = files.write("there", "precious");
  const RunResult refused = run_binary({"simulate", "--output", there, "--frames", "1"});
  EXPECT_EQ(refused.exit_code, 64);
  EXPECT_NE(refused.err.find("there exists; --force overwrites it"), std::string::npos);
  EXPECT_EQ(read_file(there), "precious");
  EXPECT_EQ(run_binary({"simulate", "--output", there, "--frames", "1", "--force"}).exit_code, 0);
  EXPECT_EQ(lines_of(read_file(there)).size(), 1U);
}

class Replay : public testing::Test {
 protected:
  Replay() {
    const RunResult made =
        run_binary({"simulate", "--output", recording, "--frames", "20000", "--rate", "200"});
    EXPECT_EQ(made.exit_code, 0) << made.err;
  }
  ScratchFiles files;
  std::string recording = files.path("market.log");
};

TEST_F(Replay, WritesValidOrdersToStandardOutputAndASummaryForPeople) {
  const RunResult result = run_binary({"replay", recording});
  EXPECT_EQ(result.exit_code, 0);
  const auto orders = lines_of(result.out);
  EXPECT_GT(orders.size(), 3U);
  for (const auto& order : orders) {
    EXPECT_EQ(schema_error(order, OrderFormat::trade_order), "") << order;
  }
  EXPECT_NE(result.err.find("20000 frames"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("orders on 2024-07-19:"), std::string::npos) << result.err;
}

TEST_F(Replay, ComparesWithExpectedOrders) {
  const std::string expected = files.path("orders.ndjson");
  EXPECT_EQ(run_binary({"replay", recording, "--orders", expected}).exit_code, 0);
  EXPECT_EQ(run_binary({"replay", recording, "--expect", expected}).exit_code, 0);
  const RunResult other =
      run_binary({"replay", recording, "--expect", expected, "--signal-cooldown-seconds", "60"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("different"), std::string::npos) << other.err;
}

TEST_F(Replay, CountsAddUp) {
  const std::string counts = files.path("counts.json");
  EXPECT_EQ(run_binary({"replay", recording, "--counts", counts, "--quiet"}).exit_code, 0);
  EXPECT_NE(read_file(counts).find(R"("frames": 20000)"), std::string::npos) << read_file(counts);
}

TEST_F(Replay, WarnsWhereOneGateRefusesNearlyEverything) {
  const RunResult result =
      run_binary({"replay", recording, "--orderbook-skew-min-spread-percent", "50"});
  EXPECT_NE(result.err.find("warning: spread_below_minimum refuses"), std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("ORDERBOOK_SKEW_MIN_SPREAD_PERCENT"), std::string::npos);
}

// `replay g > g` cannot be helped, for the shell has emptied g before we see it; `>> g` and
// `< g > h` through a link can.
TEST_F(Replay, DoesNotWriteOrdersIntoTheRecordingThroughStandardOutput) {
  const std::string text = read_file(recording);
  for (const char* line : {"\"$RTS\" replay \"$R\" >>\"$R\"", "\"$RTS\" replay <\"$R\" 1<>\"$R\"",
                           "\"$RTS\" replay --orders /dev/stdout \"$R\" >>\"$R\""}) {
    const RunResult result = run_shell(line, {{"R", recording}});
    EXPECT_EQ(result.exit_code, 64) << line;
    EXPECT_NE(result.err.find("standard output is a file that is read, too"), std::string::npos)
        << result.err;
    EXPECT_EQ(read_file(recording), text) << line;
  }
}

TEST_F(Replay, ATruncatedFileIsProcessedAsFarAsItGoesAndExits65) {
  const std::string packed = gzip(read_file(recording));
  const std::string cut = files.write("cut.gz", packed.substr(0, packed.size() / 2));
  const RunResult result = run_binary({"replay", cut});
  EXPECT_EQ(result.exit_code, 65);
  EXPECT_NE(result.err.find("truncated"), std::string::npos) << result.err;
  EXPECT_FALSE(result.out.empty());
  EXPECT_EQ(run_binary({"replay", files.path("absent")}).exit_code, 65);
}

// --- provision ---------------------------------------------------------------------------------

TEST(Cli, ProvisionMakesTheStreamOnceAndThenHasNothingToDo) {
  NatsServer broker("jetstream: enabled");
  const Environment environment{{"NATS_URL", broker.url()}};
  EXPECT_EQ(run_binary({"provision", "--dry-run"}, environment).exit_code, 1);
  const RunResult created = run_binary({"provision"}, environment);
  EXPECT_EQ(created.exit_code, 0) << created.err;
  EXPECT_NE(created.out.find("created"), std::string::npos) << created.out;
  const RunResult again = run_binary({"provision"}, environment);
  EXPECT_NE(again.out.find("nothing to change"), std::string::npos) << again.out;
  EXPECT_EQ(run_binary({"provision", "--dry-run"}, environment).exit_code, 0);
  broker.stop();
  EXPECT_EQ(run_binary({"provision"}, environment).exit_code, 69);
}

// --- health ------------------------------------------------------------------------------------

TEST(Health, AsksTheServiceAndSaysHowItIs) {
  NatsServer broker;
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  const Environment environment{{"HEALTH_CHECK_PORT", std::to_string(daemon.port())}};
  EXPECT_EQ(run_binary({"health"}, environment).exit_code, 0);
  EXPECT_EQ(run_binary({"health", "--ready"}, environment).exit_code, 0);
  EXPECT_NE(run_binary({"health", "--ready", "--json"}, environment).out.find("\"ready\":true"),
            std::string::npos);
  broker.kill();
  ASSERT_TRUE(eventually([&] { return !daemon.ready(); }, 5s));
  EXPECT_EQ(run_binary({"health"}, environment).exit_code, 0);
  EXPECT_EQ(run_binary({"health", "--ready"}, environment).exit_code, 1);
  EXPECT_EQ(daemon.terminate(), 0);
  EXPECT_EQ(run_binary({"health"}, environment).exit_code, 69);
}

// The image's HEALTHCHECK is killed after 3 s.
TEST(Health, SaysThatNobodyAnswersBeforeItIsKilled) {
  Daemon daemon(Environment{{"NATS_URL", "nats://127.0.0.1:1"}});
  daemon.process().suspend();
  const auto begun = std::chrono::steady_clock::now();
  const RunResult health =
      run_binary({"health"}, {{"HEALTH_CHECK_PORT", std::to_string(daemon.port())}});
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
  EXPECT_EQ(health.exit_code, 69);
  EXPECT_NE(health.err.find("nobody answers"), std::string::npos) << health.err;
  daemon.process().resume();
}

}  // namespace
}  // namespace rts::test
