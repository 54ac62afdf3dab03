// `make run-local` after the build: the script starts everything, shows orders, stops everything,
// and lets a made-up market reach nobody's broker unless that is meant.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/base/time.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/nats_server.hpp"
#include "support/orders.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/process.hpp"
#include "support/scratch_files.hpp"
#include "support/tcp_client.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOrder = "orderbook_skew, confidence";
const std::string kScript = source_root() + "/tests/e2e/run-local.sh";

// The line that begins with `label`, without it; empty when there is none.
std::string line_behind(const std::string& text, const std::string& label) {
  const std::size_t found = text.find(label);
  if (found == std::string::npos) return {};
  const std::size_t begin = text.find_first_not_of(' ', found + label.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

class RunLocal {
 public:
  explicit RunLocal(Environment settings = {}, std::vector<std::string> command = {kScript})
      : port(free_port()), process(std::move(command), options(std::move(settings))) {}

  void expect_first_order_within(std::chrono::seconds limit) {
    ASSERT_TRUE(process.wait_for_out("the service is ready", 20s)) << said();
    ASSERT_TRUE(process.wait_for_out(kOrder, limit)) << said();
    EXPECT_EQ(http_get(port, "/ready").status, 200U);
  }

  void expect_to_leave_nothing_running() {
    EXPECT_TRUE(eventually([&] { return http_get(port, "/healthz").status == 0; }, 5s));
    const std::string url = line_behind(said(), "a broker of its own at nats://127.0.0.1:");
    ASSERT_NE(url, "") << said();
    const auto broker = static_cast<std::uint16_t>(std::stoi(url));
    EXPECT_TRUE(eventually([&] { return !TcpClient(broker).connected(); }, 5s)) << url;
  }

  [[nodiscard]] std::string said() const { return process.out() + process.err(); }

  std::uint16_t port;
  Process process;

 private:
  [[nodiscard]] ProcessOptions options(Environment settings) const {
    settings.try_emplace("NATS_URL", "");
    settings.try_emplace("SIMULATE_ON_REAL_BROKER", "");
    settings.try_emplace("BINARY", binary());
    settings.try_emplace("HEALTH_CHECK_HOST", "127.0.0.1");
    settings.try_emplace("HEALTH_CHECK_PORT", std::to_string(port));
    return {.env = std::move(settings), .capture_stdout = true, .capture_stderr = true};
  }
};

TEST(RunLocalScript, ShowsTheFirstOrderWithinTenSecondsOnABrokerOfItsOwn) {
  RunLocal run;
  run.expect_first_order_within(10s);
  run.process.signal(SIGINT);
  ASSERT_TRUE(run.process.wait(15s)) << run.said();
  EXPECT_EQ(run.process.wait(0s)->code, 0);
  run.expect_to_leave_nothing_running();
  EXPECT_TRUE(std::filesystem::exists(line_behind(run.said(), "  log "))) << run.said();
}

TEST(RunLocalScript, TakesNoBrokerThatHappensToBeThere) {
  NatsServer broker;
  Peer trade_engine(broker.url());
  trade_engine.subscribe(">");
  RunLocal run({{"NATS_URL", broker.url()}});
  const auto ended = run.process.wait(10s);
  ASSERT_TRUE(ended) << run.said();
  EXPECT_EQ(ended->code, 78);
  EXPECT_NE(run.said().find("SIMULATE_ON_REAL_BROKER=yes"), std::string::npos) << run.said();
  EXPECT_NE(run.said().find(broker.url()), std::string::npos) << run.said();
  ASSERT_TRUE(trade_engine.flush());
  EXPECT_EQ(trade_engine.received().size(), 0U);
}

TEST(RunLocalScript, SaysWhatItDoesToABrokerThatIsMeant) {
  NatsServer broker;
  RunLocal run({{"NATS_URL", broker.url("user-canary:password-canary")},
                {"SIMULATE_ON_REAL_BROKER", "yes"}});
  run.expect_first_order_within(10s);
  for (const char* told : {"made-up market", "binance.websocket.data", "tradeengine.orders"}) {
    EXPECT_LT(run.said().find(told), run.said().find("the service is ready")) << told;
  }
  EXPECT_EQ(run.said().find("canary"), std::string::npos) << run.said();
  // The real service's queue group keeps its frames.
  EXPECT_NE(http_get(run.port, "/info").body.find(R"("value":"run-local")"), std::string::npos);
}

TEST(RunLocalScript, SaysWithinFiveSecondsThatABrokerWantsALogin) {
  NatsServer broker("authorization { user: trader, password: right }\n");
  const Stopwatch watch;
  RunLocal run({{"NATS_URL", broker.url()}, {"SIMULATE_ON_REAL_BROKER", "yes"}});
  const auto ended = run.process.wait(10s);
  EXPECT_LT(watch.passed(), 5s);
  ASSERT_TRUE(ended) << run.said();
  EXPECT_EQ(ended->code, 69);
  EXPECT_NE(run.said().find("Authorization Violation"), std::string::npos) << run.said();
  EXPECT_TRUE(std::filesystem::exists(line_behind(run.said(), "its log: "))) << run.said();
  EXPECT_EQ(http_get(run.port, "/healthz").status, 0U);
}

TEST(RunLocalScript, SaysThatThePortIsTakenAndWhatToDo) {
  NatsServer somebody;
  RunLocal run({{"HEALTH_CHECK_PORT", std::to_string(somebody.port())}});
  const auto ended = run.process.wait(10s);
  ASSERT_TRUE(ended) << run.said();
  EXPECT_EQ(ended->code, 69);
  EXPECT_NE(run.said().find("listens on port " + std::to_string(somebody.port())),
            std::string::npos);
  EXPECT_NE(
      run.said().find(fmt::format("HEALTH_CHECK_PORT={} make run-local", somebody.port() + 1)),
      std::string::npos)
      << run.said();
}

TEST(RunLocalScript, PassesSettingsThrough) {
  RunLocal run({{"SIGNAL_COOLDOWN_SECONDS", "7"},
                {"ORDER_DELIVERY", "jetstream"},
                {"NATS_TOKEN", "token-canary"},
                {"ENVIRONMENT", "production"}});
  run.expect_first_order_within(10s);
  const std::string info = http_get(run.port, "/info").body;
  EXPECT_NE(info.find(R"("SIGNAL_COOLDOWN_SECONDS":{"value":"7")"), std::string::npos) << info;
  EXPECT_NE(info.find(R"("ORDER_DELIVERY":{"value":"jetstream")"), std::string::npos) << info;
  EXPECT_EQ(line_behind(run.said(), "Settings of this demonstration:"),
            "ENVIRONMENT=local RISK_MAX_DAILY_SIGNALS=0");
  // In production it would refuse a made-up market.
  EXPECT_NE(info.find(R"("environment":"local")"), std::string::npos) << info;
}

// A terminal that is closed takes no more words, and sends SIGHUP to its first process: the script,
// or one that waits for it, as make does.
TEST(RunLocalScript, LeavesNothingRunningWhenTheTerminalIsClosed) {
  for (const std::string& first : {kScript, "trap : HUP; " + kScript + "; true"}) {
    RunLocal run({}, {"script", "--quiet", "--return", "/dev/null", "--command", first});
    run.expect_first_order_within(10s);
    run.process.signal(SIGKILL);  // the terminal, not the script
    run.expect_to_leave_nothing_running();
  }
}

TEST(RunLocalScript, LeavesNothingRunningWhenItIsKilled) {
  RunLocal run;
  run.expect_first_order_within(10s);
  run.process.signal(SIGKILL);
  run.expect_to_leave_nothing_running();
}

TEST(RunLocalScript, LeavesNothingRunningWhenNobodyReadsItsOutput) {
  RunLocal run({}, {"bash", "-c", "\"$0\" | head -n 2", kScript});
  EXPECT_TRUE(run.process.wait(30s)) << run.said();
  run.expect_to_leave_nothing_running();
}

// With the defaults every strategy waits 15 minutes after an order: within two, all had ordered.
TEST(RunLocalScript, ShowsOrdersForLongerThanTwoMinutes) {
  Environment settings;
  {
    RunLocal run;
    ASSERT_TRUE(run.process.wait_for_out("Ctrl-C stops", 20s)) << run.said();
    std::istringstream words(line_behind(run.said(), "Settings of this demonstration:"));
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      settings.emplace(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  ASSERT_TRUE(settings.contains("SIGNAL_COOLDOWN_SECONDS"));
  const ScratchFiles files;
  const std::string market = files.path("market.log");
  constexpr std::chrono::minutes kLength{30};
  const std::string frames = std::to_string(200 * std::chrono::seconds(kLength).count());
  ASSERT_EQ(run_binary({"simulate", "--output", market, "--frames", frames}).exit_code, 0);
  std::istringstream orders(run_binary({"replay", market}, settings).out);
  UnixMs last = *parse_iso8601("2024-07-19T00:00:00Z");
  const UnixMs end = last + kLength;
  for (std::string order; std::getline(orders, order);) {
    const UnixMs at = read_order(order, end).timestamp;
    EXPECT_LT(at - last, 60s) << order;
    last = at;
  }
  EXPECT_LT(end - last, 60s);
}

}  // namespace
}  // namespace rts::test
