// The commands of the binary as a user types them: output, files and exit codes.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/config/settings.hpp>
#include <rts/wire/json_compare.hpp>

#include "commands/command_line.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/order_schema.hpp"
#include "support/orders.hpp"
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

TEST(Cli, HelpOfACommandIsToldInThreeWays) {
  for (const commands::Command* const command : commands::kCommands) {
    const std::string name(command->name);
    const RunResult own = run_binary({name, "--help"});
    EXPECT_EQ(own.exit_code, 0);
    EXPECT_NE(own.out.find("example: "), std::string::npos) << name;
    EXPECT_EQ(run_binary({name, "-h"}).out, own.out);
    if (command == &commands::kSettings) continue;  // the topic of that name is their table
    EXPECT_EQ(run_binary({"help", name}).out, own.out);
  }
}

// --- Every command's example, as it stands in its help ------------------------------------------

class Examples : public testing::Test {
 protected:
  Examples() {
    std::filesystem::create_symlink(binary(), files_.path("realtime-strategies"));
    files_.write("production.env", "TRADING_LEVERAGE=2\n");
    const RunResult market = run_binary({"simulate", "--output", "-", "--frames", "100"});
    files_.write("recording.ndjson.gz", gzip(market.out));
    files_.write("day.zst", zstd(market.out));
    files_.write("BTCUSDT-1m-2024-07.csv",
                 "1721347200000,1,2,1,64000.1,12.5,1721347259999,800000,901,6.1,390000,0\n");
  }

  // As somebody types it in a folder with these files, beside a service and its broker.
  [[nodiscard]] std::string typed(std::string example) const {
    const std::size_t at = example.find(kBroker);
    if (at != std::string::npos) example.replace(at, kBroker.size(), broker_.url());
    return fmt::format("cd {}; PATH=$PWD:$PATH; exec env {}", files_.directory(), example);
  }

  static constexpr std::string_view kBroker = "nats://broker:4222";
  ScratchFiles files_;
  NatsServer broker_{"jetstream: enabled"};
};

TEST_F(Examples, Work) {
  Environment environment{{"NATS_URL", broker_.url()}};
  ASSERT_EQ(run_binary({"provision"}, environment).exit_code, 0);
  Daemon daemon(environment);
  ASSERT_TRUE(daemon.wait_ready());
  environment["HEALTH_CHECK_PORT"] = std::to_string(daemon.port());
  // Without somebody who takes orders and a feed the doctor says that they are missing.
  Peer engine(broker_.url());
  engine.subscribe("tradeengine.orders");
  const std::jthread exchange([this](const std::stop_token& ended) {
    Peer feed(broker_.url());
    for (std::uint64_t id = 1; !ended.stop_requested(); ++id) {
      feed.publish("binance.websocket.data", trade({.at_ms = now_ms(), .id = id}).json());
      std::this_thread::sleep_for(50ms);
    }
  });
  for (const commands::Command* const command : commands::kCommands) {
    if (command == &commands::kRun) continue;
    const RunResult result = run_shell(typed(std::string(command->example)), environment);
    EXPECT_EQ(result.exit_code, 0) << command->example << "\n" << result.err;
    EXPECT_NE(result.out.size() + result.err.size() + (command == &commands::kSimulate ? 1 : 0), 0U)
        << command->example;
  }
}

TEST_F(Examples, StartTheService) {
  const std::uint16_t port = free_port();
  Process service({"sh", "-c", typed(std::string(commands::kRun.example))},
                  {.env = {{"HEALTH_CHECK_PORT", std::to_string(port)}}, .capture_stdout = true});
  EXPECT_TRUE(eventually([&] { return http_get(port, "/ready").status == 200; }, 10s));
  service.signal(SIGTERM);
  const auto ended = service.wait(10s);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->code, 0) << service.out();
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

// What is wrong, where, what would be right, and what to do next.
TEST(Cli, ErrorsSayWhatToDoNext) {
  struct Wrong {
    std::vector<std::string> arguments;
    int exit_code;
    std::vector<const char*> says;
  };
  const std::vector<Wrong> rows{
      {{"fly"}, 64, {"unknown command 'fly'", "see `realtime-strategies --help`"}},
      {{"relpay"}, 64, {"did you mean 'replay'?"}},
      {{"run", "--fast"}, 64, {"unknown option '--fast'", "see `realtime-strategies run --help`"}},
      {{"run", "x"}, 64, {"unexpected argument 'x'", "see `realtime-strategies run --help`"}},
      {{"replay", "--counts"}, 64, {"--counts needs a value: FILE"}},
      {{"config", "--format", "yaml"}, 64, {"--format takes text, json, env, markdown, configmap"}},
      {{"simulate", "--rate", "0"}, 64, {"--rate takes a whole number from 1 to 1000000, not '0'"}},
      {{"simulate", "--seed", "x"}, 64, {"--seed takes a whole number from 0 on, not 'x'"}},
      {{"simulate", "--start", "x"}, 64, {"--start takes a time as 2024-07-19T00:00:00Z"}},
      {{"provision", "--stream", "a b"},
       64,
       {"--stream takes up to 255 characters without blanks"}},
      {{"completion", "tcsh"}, 64, {"no completion for 'tcsh'", "bash|zsh|fish"}},
      {{"set", "X"}, 64, {"give NAME=VALUE, not 'X'"}},
      {{"unset"}, 64, {"--all", "`settings` shows what is set"}},
      {{"help", "settings", "leverage"}, 64, {"did you mean TRADING_LEVERAGE?"}},
      {{"replay", "/absent"}, 65, {"/absent: No such file or directory; give recordings"}},
      {{"replay", "--expect", "/absent"}, 65, {"--expect: /absent: No such file", "--orders"}},
      {{"check", "/absent"}, 65, {"/absent: No such file or directory; give an env file"}},
      {{"health"}, 69, {"nobody answers at http://127.0.0.1:1/healthz", "HEALTH_CHECK_PORT"}},
      {{"provision"}, 69, {"nats://127.0.0.1:1: ", "NATS_URL says which broker is asked"}},
      {{"pause"}, 69, {"nats://127.0.0.1:1: ", "NATS_URL says which broker is asked"}},
      {{"replay", "--orders", "/no/such/folder"},
       74,
       {"--orders: cannot write /no/such/folder: No"}},
      {{"pause", "--control-bucket="}, 78, {"CONTROL_BUCKET is empty", "set it to the bucket"}},
      {{"run", "--trading-leverage", "0"}, 78, {"'0': not accepted; give a whole number from 1"}}};
  for (const auto& [arguments, exit_code, says] : rows) {
    const RunResult result =
        run_binary(arguments, {{"NATS_URL", "nats://127.0.0.1:1"}, {"HEALTH_CHECK_PORT", "1"}});
    EXPECT_EQ(result.exit_code, exit_code) << testing::PrintToString(arguments) << result.err;
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
    for (const char* text : says) {
      EXPECT_NE(result.err.find(text), std::string::npos) << text << "\n" << result.err;
    }
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

// --- check of files ------------------------------------------------------------------------------

TEST(CheckOfAFile, LooksAtTheFileAndNotAtTheEnvironment) {
  const ScratchFiles files;
  const std::string good = files.write("good.env",
                                       "TRADING_LEVERAGE=2\nORDER_DELIVERY=jetstream\n"
                                       "NATS_CONSUMER_GROUP=\n");
  const RunResult fine = run_binary({"check", good}, {{"TRADING_LEVERAGE", "0"}});
  EXPECT_EQ(fine.exit_code, 0);
  EXPECT_EQ(fine.out, good + ": settings are valid\n");
  EXPECT_EQ(fine.err, "");
  const std::string bad = files.write("bad.env",
                                      "LOG_LEVEL=INFO\nTRADING_LEVERAGE=126\n"
                                      "RISK_PRICE_BAND=5\n");
  const RunResult wrong = run_binary({"check", bad, good});
  EXPECT_EQ(wrong.exit_code, 78);
  const auto lines = lines_of(wrong.err);
  ASSERT_EQ(lines.size(), 2U) << wrong.err;
  EXPECT_TRUE(lines[0].starts_with(bad + ":2: TRADING_LEVERAGE='126': not accepted")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with(bad + ":3: RISK_PRICE_BAND: unknown setting")) << lines[1];
  EXPECT_EQ(wrong.out, good + ": settings are valid\n");
}

TEST(CheckOfAFile, AcceptsWhatConfigPrints) {
  for (const char* line : {"\"$RTS\" config --format configmap | \"$RTS\" check --from -",
                           "\"$RTS\" config --format env | \"$RTS\" check -"}) {
    const RunResult result =
        run_shell(line, {{"NATS_CONSUMER_GROUP", ""}, {"ORDER_DELIVERY", "jetstream"}});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "") << line;
  }
}

TEST(CheckOfAFile, SaysWhichConfigMapIsWrongAndNeverASecret) {
  const ScratchFiles files;
  const std::string manifest = files.write(
      "all.yaml",
      "kind: ConfigMap\nmetadata:\n  name: rts\ndata:\n  TRADING_LEVERAGE: 3\n"
      "  NATS_URL: http://u:canary@x\n---\nkind: ConfigMap\nmetadata: {name: other}\n"
      "data: {page.json: '{}'}\n---\nkind: Secret\nstringData: {NATS_TOKEN: \"can\\\"ary\"}\n");
  const RunResult text = run_binary({"check", "--from", manifest});
  EXPECT_EQ(text.exit_code, 78);
  EXPECT_NE(text.err.find(manifest + ":5: ConfigMap rts: TRADING_LEVERAGE: is a number"),
            std::string::npos)
      << text.err;
  EXPECT_NE(text.err.find(manifest + ":6: ConfigMap rts: NATS_URL=***"), std::string::npos);
  EXPECT_NE(text.err.find("ConfigMap other: has no setting of this service"), std::string::npos);
  const RunResult json = run_binary({"check", "--from", manifest, "--json"});
  EXPECT_EQ(json.exit_code, 78);
  EXPECT_TRUE(json.out.starts_with(R"({"valid":false,"checked":[{"name":")")) << json.out;
  EXPECT_NE(json.out.find(R"("problems":[{"line":5,"text":"TRADING_LEVERAGE)"), std::string::npos);
  EXPECT_EQ(json.err, "");
  for (const RunResult& result : {text, json}) {
    EXPECT_EQ((result.out + result.err).find("canary"), std::string::npos);
  }
  EXPECT_EQ(run_binary({"check", "--json"}).out.substr(0, 46),
            R"({"valid":true,"checked":[{"name":"environment")");
}

// What would end the provisioning Job is wrong before it is deployed.
TEST(CheckOfAFile, LooksAtTheArgumentsOfTheProvisioningJob) {
  const ScratchFiles files;
  const auto check_with = [&](const std::string& arguments) {
    return run_binary(
        {"check", "--from",
         files.write("job.yaml",
                     "kind: ConfigMap\ndata: {LOG_LEVEL: INFO}\n---\nkind: Job\nspec: {template: "
                     "{spec: {containers: [{args: [provision, " +
                         arguments + "]}]}}}\n")});
  };
  EXPECT_EQ(check_with("--stream, RTS").exit_code, 0);
  const RunResult wrong = check_with("--strem, RTS");
  EXPECT_EQ(wrong.exit_code, 78);
  EXPECT_NE(wrong.err.find("job.yaml: the Job's arguments: "), std::string::npos) << wrong.err;
  EXPECT_NE(wrong.err.find("--stream"), std::string::npos) << "the nearest name";
}

TEST(CheckOfAFile, ShowsNoSecretOfAMalformedLine) {
  const ScratchFiles files;
  const std::string env = files.write("x.env", "NATS_PASSWORD: canary\nexport NATS_TOKEN canary\n");
  const std::string map = files.write("x.yaml", "kind: ConfigMap\ndata: {NATS_TOKEN:canary: }\n");
  const std::string broken =
      files.write("y.yaml", "kind: ConfigMap\ndata: {NATS_TOKEN: *canary}\n");
  for (std::vector<std::string> arguments : {std::vector<std::string>{"check", env},
                                             {"check", "--from", map},
                                             {"check", "--from", broken}}) {
    for (const int run : {1, 2}) {
      const RunResult result = run_binary(arguments);
      EXPECT_NE(result.exit_code, 0) << arguments.back() << run;
      EXPECT_NE((result.out + result.err).find(files.directory()), std::string::npos);
      EXPECT_EQ((result.out + result.err).find("canary"), std::string::npos) << result.err;
      arguments.emplace_back("--json");
    }
  }
}

// What it names is on another machine; here it is read where it is here.
TEST(CheckOfAFile, ReadsTheInstrumentsWhereTheyAre) {
  const ScratchFiles files;
  const auto checked = [&](const std::string& listed) {
    return run_binary({"check", files.write("x.env", "TRADING_INSTRUMENTS_FILE=" + listed)});
  };
  const RunResult elsewhere = checked("/config/exchangeInfo.json");
  EXPECT_EQ(elsewhere.exit_code, 0);
  EXPECT_NE(elsewhere.err.find("is not here, so it was not looked at"), std::string::npos);
  const RunResult here = checked(source_root() + "/tests/data/exchange_info_spot.json");
  EXPECT_EQ(here.exit_code, 78);
  EXPECT_NE(here.err.find("x.env:1: TRADING_INSTRUMENTS_FILE="), std::string::npos) << here.err;
}

TEST(CheckOfAFile, ThatCannotBeReadIs65AndSaysWhatToGive) {
  const ScratchFiles files;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"check", files.path("absent")},
           {"check", files.directory()},
           {"check", "--from", files.path("absent")},
           {"check", "--from", files.write("no.yaml", "a: [")},
           {"check", "--from", files.write("other.yaml", "kind: Secret")}}) {
    const RunResult result = run_binary(arguments);
    EXPECT_EQ(result.exit_code, 65) << arguments.back();
    EXPECT_NE(result.err.find(arguments.back()), std::string::npos) << result.err;
  }
}

// --- Colour --------------------------------------------------------------------------------------

TEST(Color, IsThereWhenAskedForAndNotInAPipe) {
  const auto err = [](std::vector<std::string> more, Environment environment = {}) {
    environment["TRADING_LEVERAGE"] = "0";
    more.insert(more.begin(), "check");
    return run_binary(more, environment).err;
  };
  EXPECT_EQ(err({}).find('\x1b'), std::string::npos);
  EXPECT_EQ(err({"--color", "never"}).find('\x1b'), std::string::npos);
  EXPECT_TRUE(err({"--color=always"}).starts_with("\x1b[1;31mTRADING_LEVERAGE='0'\x1b[0m: not"));
  EXPECT_TRUE(err({"--color=always"}, {{"NO_COLOR", "1"}}).starts_with("\x1b")) << "it was asked";
}

TEST(Color, IsThereOnATerminalUnlessNoColorHasAValue) {
  if (run_shell("command -v script").exit_code != 0) GTEST_SKIP() << "script is not installed";
  const auto on_terminal = [](Environment environment) {
    environment.insert({"TERM", "xterm"});
    environment["TRADING_LEVERAGE"] = "0";
    return run_shell("script -qec '\"$RTS\" check' /dev/null", environment).out;
  };
  EXPECT_NE(on_terminal({{"NO_COLOR", ""}}).find("\x1b[1;31m"), std::string::npos);
  EXPECT_EQ(on_terminal({{"NO_COLOR", "1"}}).find('\x1b'), std::string::npos);
  EXPECT_EQ(on_terminal({{"NO_COLOR", ""}, {"TERM", "dumb"}}).find('\x1b'), std::string::npos);
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
