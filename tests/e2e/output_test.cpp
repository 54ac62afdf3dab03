// Every command with a standard output or standard error that takes nothing: closed, full, a pipe
// that nobody reads. Nothing aborts, lost output is exit 74, and the service runs on.
#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/base/utf8.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/market_text.hpp"
#include "support/nats_server.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/process.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

// How a descriptor takes nothing, as a shell says it: in front of the command, and behind it.
struct Lost {
  const char* what;
  const char* before;
  const char* redirection;
};
constexpr std::array kLost{
    Lost{"closed", "", "{}>&-"}, Lost{"full", "", "{}>/dev/full"},
    // Opened for reading and writing first, so that opening it for writing does not wait.
    Lost{"a pipe without a reader", "exec 8<>pipe 9>pipe 8<&-; ", "{}>&9"}};

class Output : public testing::Test {
 protected:
  Output() {
    std::string recording;
    for (int i = 1; i <= 20; ++i) recording += BookText{.id = i, .at_ms = at(i)}.frame() + "\n";
    files_.write("recording", recording);
    files_.write("none", "");
  }

  // The command line `line` after the descriptor was lost.
  int exit_code_of(const std::string& line, const Lost& lost, int descriptor) {
    const std::string script =
        fmt::format("cd {}; rm -f pipe; mkfifo pipe; {}exec \"$RTS\" {} {}", files_.directory(),
                    lost.before, line, fmt::format(fmt::runtime(lost.redirection), descriptor));
    return run_shell(script, environment_).exit_code;
  }

  void expect(const std::string& line, int descriptor, int exit_code) {
    for (const Lost& lost : kLost) {
      EXPECT_EQ(exit_code_of(line, lost, descriptor), exit_code)
          << line << " where " << descriptor << " is " << lost.what;
    }
  }

  static std::int64_t at(int i) { return kMidnightMs + std::int64_t{i} * 60'000; }

  ScratchFiles files_;
  Environment environment_{{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                           {"RISK_PRICE_BAND_PERCENT", "0"},
                           {"SIGNAL_COOLDOWN_SECONDS", "0"},
                           {"NATS_URL", "nats://127.0.0.1:1"},
                           {"HEALTH_CHECK_PORT", "1"},
                           {"ORDER_DELIVERY", "jetstream"},
                           {"NATS_CONSUMER_GROUP", ""}};  // of this delivery nobody is warned
};

TEST_F(Output, ThatIsLostOnStandardOutputIsExit74) {
  for (const char* line : {"",
                           "--help",
                           "run --help",
                           "replay --help",
                           "version",
                           "version --json",
                           "check",
                           "config",
                           "check none",
                           "check --json",
                           "help settings",
                           "help settings --json",
                           "help man",
                           "completion bash",
                           "config --json",
                           "config --format env",
                           "config --format configmap",
                           "config --format markdown",
                           "provision --permissions",
                           "replay recording",
                           "replay --quiet recording",
                           "replay --orders - --counts counts --force recording",
                           "replay --expect none --counts - none recording",
                           "simulate --output - --frames 1",
                           "simulate --output - --frames 5000",
                           "record - --duration 1s"}) {
    const bool differs = std::string(line).find("--expect") != std::string::npos;
    expect(line, 1, differs ? 1 : 74);
  }
}

TEST_F(Output, ThatIsLostOnStandardOutputIsSaidOnStandardError) {
  const RunResult result = run_shell("\"$RTS\" version >/dev/full");
  EXPECT_EQ(result.exit_code, 74);
  EXPECT_EQ(result.err,
            "realtime-strategies: output was lost: standard output cannot be written\n");
}

TEST_F(Output, ThatIsLostInAFileIsExit74AndNamesTheFile) {
  const std::string in_scratch = "cd " + files_.directory() + "; ulimit -f 1; ";
  for (const char* line : {"simulate --output big --frames 5000", "simulate --output - >big",
                           "replay --orders big recording", "replay recording >big"}) {
    const RunResult result = run_shell(in_scratch + "rm -f big; \"$RTS\" " + line, environment_);
    EXPECT_EQ(result.exit_code, 74) << line;
    const bool named = std::string(line).find('>') == std::string::npos;
    EXPECT_NE(result.err.find(named ? "cannot write big: File too large" : "output was lost"),
              std::string::npos)
        << result.err;
  }
}

TEST_F(Output, OfAFailureThatIsLostLeavesTheFailuresExitCode) {
  expect("fly", 2, 64);
  expect("run --fast", 2, 64);
  expect("config --format yaml", 2, 64);
  expect("check --trading-leverage 0", 2, 78);
  expect("run --trading-leverage 0", 2, 78);
  expect("replay missing", 2, 65);
  expect("replay none", 2, 65);
  expect("replay --orders recording recording", 2, 64);
  expect("health", 2, 69);
  expect("provision", 2, 69);
  expect("pause", 2, 69);
  expect("settings --rollback 0", 2, 64);
  expect("provision --replicas 0", 2, 64);
  expect("simulate --rate 0", 2, 64);
  expect("simulate --output no/such/folder", 2, 74);
}

TEST_F(Output, ThatIsLostOnStandardErrorIsExit74WhereAllElseIsFine) {
  expect("replay recording", 2, 74);
  expect("replay --expect none recording", 2, 1);
  environment_["RISK_PRICE_BAND"] = "5";
  environment_["ALLOW_UNKNOWN_ENV"] = "true";
  expect("check", 2, 74);
  expect("config", 2, 74);
}

TEST_F(Output, ThatIsNotWrittenIsNotMissed) {
  for (const int descriptor : {1, 2}) {
    expect("replay --quiet --orders /dev/null recording", descriptor, 0);
  }
  for (const char* line : {"version", "check", "config", "--help"}) expect(line, 2, 0);
  expect("replay --orders out --counts counts --force recording", 1, 0);
}

TEST_F(Output, OfHealthThatIsLostIsExit74) {
  Daemon daemon(Environment{{"NATS_URL", "nats://127.0.0.1:1"}});
  environment_["HEALTH_CHECK_PORT"] = std::to_string(daemon.port());
  for (const char* line : {"health", "health --json"}) expect(line, 1, 74);
  expect("health --ready", 1, 1);
  for (const char* line : {"health", "health --json"}) expect(line, 2, 0);
}

// The service has a warning to say, and nobody to say it to on standard error.
TEST_F(Output, ThatIsLostOnStandardErrorDoesNotKeepTheServiceFromRunning) {
  for (const Lost& lost : kLost) {
    const std::string script =
        fmt::format("cd {}; rm -f pipe; mkfifo pipe; {}exec \"$@\" {}", files_.directory(),
                    lost.before, fmt::format(fmt::runtime(lost.redirection), 2));
    Environment environment = environment_;
    environment["HEALTH_CHECK_PORT"] = "0";
    environment["RISK_PRICE_BAND"] = "5";
    environment["ALLOW_UNKNOWN_ENV"] = "true";
    Daemon daemon(environment, {"sh", "-c", script, "sh"});
    EXPECT_EQ(daemon.get("/healthz").status, 200U) << lost.what;
    EXPECT_EQ(daemon.log("configuration_warning", 1).size(), 1U) << lost.what;
    EXPECT_EQ(daemon.terminate(), 0) << lost.what;
  }
}

// --- Orders of `simulate` that nobody reads ------------------------------------------------------

class ShownOrders : public testing::Test {
 protected:
  ShownOrders() {
    environment_["NATS_URL"] = broker_.url();
    environment_["SIMULATE_ON_REAL_BROKER"] = "yes";
  }
  // So much that a pipe (64 KiB) is full of it.
  void publish_orders() {
    const std::string order(1000, 'x');
    for (int i = 0; i < 200; ++i) peer_.publish("tradeengine.orders", order);
    ASSERT_TRUE(peer_.flush());
  }

  NatsServer broker_;
  Peer peer_{broker_.url()};
  Environment environment_;
};

TEST_F(ShownOrders, ThatAreLostAreSaidOnce) {
  peer_.subscribe("binance.websocket.data");
  Process process({"sh", "-c", "exec \"$0\" simulate --show-orders --json >/dev/full", binary()},
                  {.env = environment_, .capture_stderr = true});
  ASSERT_TRUE(peer_.wait_for(1, 10s));
  publish_orders();
  const auto ended = process.wait(10s);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->code, 74);
  const std::string err = process.err();
  const std::size_t first = err.find("output was lost");
  EXPECT_NE(first, std::string::npos) << err;
  EXPECT_EQ(err.find("output was lost", first + 1), std::string::npos) << err;
}

TEST_F(ShownOrders, ThatNobodyReadsDoNotKeepItFromEnding) {
  ScratchFiles files;
  peer_.subscribe("binance.websocket.data");
  // The pipe has a reader, which does not read.
  const std::string script = "mkfifo " + files.path("pipe") + "; exec 8<>" + files.path("pipe") +
                             "; exec \"$0\" simulate --show-orders --json >&8";
  Process process({"sh", "-c", script, binary()}, {.env = environment_, .capture_stderr = true});
  ASSERT_TRUE(peer_.wait_for(1, 10s));
  publish_orders();
  ASSERT_TRUE(eventually(
      [&] {  // no frame comes any more: it waits for the reader
        const std::size_t before = peer_.received().size();
        std::this_thread::sleep_for(200ms);
        return peer_.received().size() == before;
      },
      10s));
  process.signal(SIGTERM);
  const auto ended = process.wait(10s);
  ASSERT_TRUE(ended.has_value()) << process.err();
  EXPECT_EQ(ended->code, 74) << process.err();
}

// --- What is quoted ------------------------------------------------------------------------------

// Line ends are the only control characters of what was printed.
void expect_no_control_characters(const std::string& text) {
  for (std::string_view rest = text; !rest.empty();) {
    const Character c = take_character(rest);
    ASSERT_TRUE(c.code == '\n' || !c.is_control) << printable(text);
  }
}

TEST_F(Output, QuotesNothingThatCommandsATerminalOrEndsALine) {
  for (const std::string hostile : {"a\nNATS_URL=x", "\x1B[2J\x1B]0;x\x07", "a\rb",
                                    "\xC2\x9B"
                                    "2J",
                                    "\xFF\x9B", "\xE2\x80\xAE"}) {
    const std::vector<std::pair<std::vector<std::string>, Environment>> calls{
        {{"check"}, {{"ENVIRONMENT", hostile}}},
        {{"check"}, {{"TRADING_SYMBOLS", hostile + ";"}}},
        {{"check"}, {{"ORDER_FORMAT", hostile}}},
        {{"check"}, {{"TRADING_" + hostile, "x"}}},
        {{"check"}, {{"TRADING_" + hostile, "x"}, {"ALLOW_UNKNOWN_ENV", "true"}}},
        {{hostile}, {}},
        {{"run", "--" + hostile}, {}},
        {{"run", hostile}, {}},
        {{"config", "--format", hostile}, {}},
        {{"replay", hostile}, {}},
        {{"replay", "none", "--orders", hostile + "/x"}, {}},
        {{"provision", "--stream", hostile}, {}}};
    for (const auto& [arguments, environment] : calls) {
      Environment all = environment;
      all.merge(Environment(environment_));
      const RunResult result = run_binary(arguments, all);
      EXPECT_NE(result.err, "") << arguments.front();
      EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
      expect_no_control_characters(result.out + result.err);
    }
  }
}

TEST_F(Output, OfConfigHasOneLineASettingWhateverItsValue) {
  const RunResult refused =
      run_binary({"config", "--format", "env"}, {{"ENVIRONMENT", "a\nNATS_URL=x"}});
  EXPECT_EQ(refused.exit_code, 78);
  EXPECT_EQ(refused.out, "");
  const RunResult folded =
      run_binary({"config", "--format", "env"}, {{"TRADING_SYMBOLS", "BTCUSDT,\nETHUSDT\n"}});
  EXPECT_EQ(folded.exit_code, 0);
  EXPECT_NE(folded.out.find("\nTRADING_SYMBOLS=BTCUSDT, ETHUSDT \n"), std::string::npos);
}

}  // namespace
}  // namespace rts::test
