// What people see of a running service: endpoints, metrics, logs, and the settings that steer them.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rts/config/settings.hpp>
#include <rts/wire/json_compare.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/orders.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/scratch_files.hpp"
#include "support/tcp_client.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFrames = "binance.websocket.data";

bool is_json(const std::string& text) { return wire::json_differences(text, text).empty(); }

// Exit code and output of a shell command.
std::pair<int, std::string> shell(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string out;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) out += buffer;
  return {WEXITSTATUS(::pclose(pipe)), out};
}

// --- Endpoints ----------------------------------------------------------------------------------

TEST(Endpoints, ServeWhatTheyPromise) {
  NatsServer broker;
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  for (const char* path : {"/healthz", "/ready", "/info"}) {
    const HttpAnswer answer = daemon.get(path);
    EXPECT_EQ(answer.status, 200U) << path;
    EXPECT_TRUE(is_json(answer.body)) << path << answer.body;
  }
  EXPECT_EQ(daemon.get("/nothing").status, 404U);
}

TEST(Endpoints, TheIndexIsAPageForPeopleAndJsonForPrograms) {
  NatsServer broker;
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  const auto index = [&](std::string_view accept) {
    return http_get(daemon.port(), "/?symbol=ETHUSDT", fmt::format("Accept: {}\r\n", accept)).body;
  };
  const std::string page = daemon.get("/").body;
  EXPECT_TRUE(page.starts_with("<!doctype html>")) << page.substr(0, 100);
  EXPECT_TRUE(page.ends_with("</html>\n")) << page.substr(page.size() - 100);
  EXPECT_EQ(index("text/html,application/xhtml+xml,*/*;q=0.8"), page);
  EXPECT_EQ(index("text/html, application/json"), page);
  EXPECT_EQ(index("*/*"), page);
  const std::string document = index("application/json");
  EXPECT_TRUE(is_json(document)) << document;
  EXPECT_NE(document.find(R"("symbol":"ETHUSDT")"), std::string::npos) << document;
  EXPECT_NE(daemon.status("?symbol=NOBODY").find(R"("status":400)"), std::string::npos);
  EXPECT_EQ(daemon.get("/?symbol=NOBODY").status, 200U) << "the page looks for itself";
}

TEST(Endpoints, EventsTellTheStatusAgainAndAgain) {
  NatsServer broker;
  Peer peer(broker.url());
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  TcpClient client(daemon.port());
  client.say("GET /events?symbol=BTCUSDT HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(client.hear("\r\n\r\nretry: 1000\n\nevent: status\ndata: {\"service\":", 5s));
  ASSERT_TRUE(client.hear(R"("frames":0,)", 5s));
  peer.publish(kFrames, trade({.at_ms = now_ms()}).json());
  EXPECT_TRUE(client.hear(R"("frames":1,)", 5s)) << "within a second or so";
  EXPECT_EQ(daemon.get("/events?symbol=NOBODY").status, 400U);
  EXPECT_EQ(daemon.get("/events?last=1").status, 400U);
}

// It is built once for all who ask in one moment: but not beyond a pause, nor for another symbol.
TEST(Endpoints, TheStatusIsOfNowAndOfTheSymbolThatIsAskedFor) {
  NatsServer broker;
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  for (int i = 0; i < 3; ++i) {
    for (const std::string symbol : {"BTCUSDT", "ETHUSDT"}) {
      EXPECT_NE(daemon.status("?symbol=" + symbol).find(fmt::format(R"("symbol":"{}",)", symbol)),
                std::string::npos);
    }
    daemon.process().signal(i % 2 == 0 ? SIGUSR1 : SIGUSR2);
    const std::string paused = fmt::format(R"("orderbook_skew":{})", i % 2 == 0);
    ASSERT_TRUE(eventually(
        [&] {
          (void)daemon.status();
          return daemon.get("/ready").body.find(paused) != std::string::npos;
        },
        5s));
    EXPECT_NE(daemon.status().find(fmt::format(R"("trading":{})", i % 2 != 0)), std::string::npos);
  }
}

TEST(Endpoints, TheStatusNamesEveryReplicaThatAnswers) {
  NatsServer broker;
  Daemon one({{"NATS_URL", broker.url()}}),
      other({{"NATS_URL", broker.url()}, {"TRADING_LEVERAGE", "7"}});
  ASSERT_TRUE(one.wait_ready() && other.wait_ready());
  const std::string id = std::string(text_at(other.status(), "id"));
  ASSERT_FALSE(id.empty());
  const std::string seen = fmt::format(R"({{"id":"{}","self":false,)", id);
  EXPECT_TRUE(eventually([&] { return one.status().find(seen) != std::string::npos; }, 10s))
      << one.status();
  const std::string document = one.status();
  const std::string_view of_other = std::string_view(document).substr(document.find(seen));
  EXPECT_NE(text_at(of_other, "settings"), text_at(document, "hash")) << "its leverage is another";
  EXPECT_EQ(text_at(of_other, "settings"), text_at(other.status(), "hash"));
  EXPECT_NE(of_other.find(R"("ready":true)"), std::string_view::npos) << document;
  EXPECT_TRUE(eventually(
      [&] { return one.status().find(R"("discovery":"known")") != std::string::npos; }, 20s))
      << one.status();
}

// Asking who is there is not worth a refusal: the broker says so once, and the rest works.
TEST(Endpoints, TheStatusNamesItselfAloneWhereItMayNotAsk) {
  NatsServer broker(R"(authorization { users: [ { user: u, password: p,
    permissions: { subscribe: ">", publish: { deny: "$SRV.>" } } } ] })");
  Daemon daemon({{"NATS_URL", broker.url("u:p")}});
  ASSERT_TRUE(daemon.wait_ready());
  EXPECT_TRUE(eventually(
      [&] { return daemon.status().find(R"("discovery":"refused")") != std::string::npos; }, 10s))
      << daemon.status();
  // A refusal of what is needed ends the connection after 4 s, to ask again.
  EXPECT_TRUE(throughout(7s, [&] { return !daemon.status().empty() && daemon.ready(); }));
  const std::string document = daemon.status();
  EXPECT_NE(document.find(R"("self":true)"), std::string::npos) << document;
  EXPECT_EQ(document.find(R"("self":false)"), std::string::npos) << document;
  EXPECT_EQ(Scrape(daemon.port()).sum("rts_nats_reconnects_total"), 0) << daemon.log();
}

TEST(Endpoints, ReadyNamesEveryCheck) {
  NatsServer broker;
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  const std::string body = daemon.get("/ready").body;
  for (const char* check :
       {"nats_connected", "subscribed", "order_path", "order_log", "breaker", "not_draining"}) {
    EXPECT_NE(body.find(fmt::format(R"("{}":{{"ok":true)", check)), std::string::npos) << body;
  }
}

TEST(Endpoints, ReadySaysThatASubscriptionIsRefused) {
  NatsServer broker(R"(authorization { users: [ { user: u, password: p,
    permissions: { subscribe: { deny: "binance.>" } } } ] })");
  Daemon daemon({{"NATS_URL", broker.url("u:p")}});
  ASSERT_TRUE(eventually(
      [&] { return daemon.get("/ready").body.find("Permissions Violation") != std::string::npos; },
      5s))
      << daemon.get("/ready").body;
  EXPECT_EQ(daemon.get("/ready").status, 503U);
}

TEST(Endpoints, ShowHowLongEachKindHasBeenSilent) {
  NatsServer broker;
  Peer peer(broker.url());
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  EXPECT_NE(daemon.get("/ready").body.find(R"("trade":null)"), std::string::npos);
  peer.publish(kFrames, trade({.at_ms = now_ms()}).json());
  ASSERT_TRUE(eventually(
      [&] { return daemon.get("/ready").body.find(R"("trade":null)") == std::string::npos; }, 5s));
  EXPECT_NE(daemon.get("/ready").body.find(R"("book":null)"), std::string::npos);
}

TEST(Endpoints, InfoShowsEffectiveSettingsWithTheirOriginAndNoSecret) {
  NatsServer broker("authorization { user: canary_user, password: canary_password }");
  Daemon daemon({{"NATS_URL", broker.url("canary_user:canary_password")},
                 {"ENVIRONMENT", "staging"},
                 {"TRADING_LEVERAGE", "7"}});
  ASSERT_TRUE(daemon.wait_ready());
  const std::string info = daemon.get("/info").body;
  EXPECT_NE(info.find(R"("environment":"staging")"), std::string::npos) << info;
  EXPECT_NE(info.find(R"("TRADING_LEVERAGE":{"value":"7","origin":"environment"})"),
            std::string::npos);
  EXPECT_NE(
      info.find(R"("TRADING_SYMBOLS":{"value":"BTCUSDT,ETHUSDT,BNBUSDT","origin":"default"})"),
      std::string::npos);
  const std::string everything = info + daemon.get("/ready").body + daemon.get("/metrics").body +
                                 daemon.get("/").body + daemon.status() + daemon.log();
  EXPECT_EQ(everything.find("canary"), std::string::npos) << everything;
  EXPECT_NE(daemon.log().find("staging"), std::string::npos);
}

TEST(Endpoints, ListenWhereTheyAreTold) {
  const std::uint16_t port = free_port();
  Daemon daemon({{"NATS_URL", "nats://127.0.0.1:1"},
                 {"HEALTH_CHECK_HOST", "127.0.0.1"},
                 {"HEALTH_CHECK_PORT", std::to_string(port)}});
  EXPECT_EQ(daemon.port(), port);
  EXPECT_EQ(http_get(port, "/healthz").status, 200U);
}

TEST(Endpoints, APortThatIsTakenEndsTheStartWithAReason) {
  Daemon first(Environment{{"NATS_URL", "nats://127.0.0.1:1"}});
  const RunResult second = run_binary(
      {"run"},
      {{"HEALTH_CHECK_HOST", "127.0.0.1"}, {"HEALTH_CHECK_PORT", std::to_string(first.port())}});
  EXPECT_EQ(second.exit_code, 69);
  EXPECT_NE(second.out.find("http_not_listening"), std::string::npos) << second.out;
}

TEST(Endpoints, TheConnectionCarriesItsNameAndHost) {
  const std::uint16_t monitoring = free_port();
  NatsServer broker(fmt::format("http: 127.0.0.1:{}", monitoring));
  Daemon daemon({{"NATS_URL", broker.url()}, {"NATS_CONSUMER_NAME", "nightshift"}});
  ASSERT_TRUE(daemon.wait_ready());
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  EXPECT_NE(http_get(monitoring, "/connz").body.find(fmt::format("\"nightshift-{}\"", host)),
            std::string::npos);
}

// --- Metrics ------------------------------------------------------------------------------------

TEST(MetricsEndpoint, PromtoolHasNothingToSay) {
  Daemon daemon(Environment{{"NATS_URL", "nats://127.0.0.1:1"}});
  const ScratchFiles files;
  const std::string path = files.write("metrics.txt", daemon.get("/metrics").body);
  const auto [code, said] = shell("promtool check metrics < " + path);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(said, "");
}

TEST(MetricsEndpoint, EverySeriesIsThereAtZeroFromTheFirstScrape) {
  NatsServer broker;
  Peer peer(broker.url());
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  const auto series = [&] {
    std::istringstream lines(daemon.get("/metrics").body);
    std::vector<std::string> names;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with('#')) names.push_back(line.substr(0, line.rfind(' ')));
    }
    return names;
  };
  const auto before = series();
  peer.publish(kFrames, "nonsense");
  peer.publish(kFrames, R"({"result":null,"id":1})");
  peer.publish(kFrames, book_frame({.at_ms = now_ms()}));
  peer.publish(kFrames, trade({.at_ms = now_ms()}).json());
  peer.publish(kFrames, ticker({.at_ms = now_ms()}).json());
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_frames_received_total") == 5; }, 5s));
  EXPECT_EQ(series(), before);
  EXPECT_EQ(daemon.metric("rts_events_received_total"), 5);
  EXPECT_EQ(daemon.metric("rts_build_info"), 1);
  EXPECT_GT(daemon.metric("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(daemon.metric("process_start_time_seconds"), 1.6e9);
  EXPECT_GT(daemon.metric("rts_last_event_timestamp_seconds", R"(kind="trade",symbol="BTCUSDT")"),
            1.6e9);
  daemon.expect_accounts_balance();
}

// --- Logs ---------------------------------------------------------------------------------------

TEST(Logs, EveryLineIsJsonWhateverTheFramesHold) {
  NatsServer broker;
  Peer peer(broker.url());
  Daemon daemon({{"NATS_URL", broker.url()}, {"DEBUG_MODE", "true"}});
  ASSERT_TRUE(daemon.wait_ready());
  const std::vector<std::string> hostile{
      "\xff\xfe\"\\\n\r\x01{}%v%s", std::string(100'000, '"'),
      std::string("\0\0", 2),       "\x1b[31mred",
      "{\"e\":\"trade\"",           trade({.symbol = "BTCUSDT", .at_ms = now_ms()}).json()};
  for (const auto& frame : hostile) peer.publish(kFrames, frame);
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_frames_received_total") == 6; }, 5s));
  EXPECT_EQ(daemon.terminate(), 0);
  std::istringstream lines(daemon.log());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(is_json(line)) << line;
  EXPECT_GT(count, 5);
}

TEST(Logs, RepeatedDropsAreLimitedAndTheSuppressedAreCounted) {
  NatsServer broker;
  Peer peer(broker.url());
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) peer.publish(kFrames, "{");
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_frames_received_total") == 1000; }, 5s));
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  const auto most = static_cast<std::size_t>(10 * (seconds.count() + 2));
  EXPECT_LE(daemon.log("event_dropped").size(), most);
  EXPECT_GE(daemon.log("event_dropped", 10).size(), 10U);
  // The next line that gets through, a second later, says how many did not.
  ASSERT_TRUE(eventually(
      [&] {
        peer.publish(kFrames, "{");
        return daemon.log().find("\"suppressed\":") != std::string::npos;
      },
      5s));
}

TEST(Logs, DebugModeLogsEveryDecision) {
  NatsServer broker;
  Peer peer(broker.url());
  const std::string frame = trade({.at_ms = now_ms()}).json();
  Daemon quiet({{"NATS_URL", broker.url()}, {"NATS_CONSUMER_GROUP", ""}});
  Daemon chatty({{"NATS_URL", broker.url()}, {"NATS_CONSUMER_GROUP", ""}, {"DEBUG_MODE", "true"}});
  ASSERT_TRUE(quiet.wait_ready() && chatty.wait_ready());
  peer.publish(kFrames, frame);
  ASSERT_TRUE(eventually([&] { return chatty.log("decision").size() == 1; }, 5s));
  EXPECT_NE(chatty.log("decision").front().find("warming_up"), std::string::npos);
  ASSERT_TRUE(eventually([&] { return quiet.metric("rts_decisions_total") == 1; }, 5s));
  EXPECT_TRUE(quiet.log("decision").empty());
}

TEST(Logs, LevelErrorKeepsInformationOut) {
  const std::uint16_t port = free_port();
  // Nothing to wait for in its log, so it is asked for its health instead.
  Process process({binary(), "run"}, {.env = {{"NATS_URL", "nats://127.0.0.1:1"},
                                              {"LOG_LEVEL", "ERROR"},
                                              {"HEALTH_CHECK_PORT", std::to_string(port)}},
                                      .capture_stdout = true});
  ASSERT_TRUE(eventually([&] { return http_get(port, "/healthz").status == 200; }, 10s));
  process.signal(SIGTERM);
  ASSERT_TRUE(process.wait(10s));
  EXPECT_EQ(process.out(), "");
}

TEST(Logs, FormatTextIsForPeople) {
  const std::uint16_t port = free_port();
  Process process({binary(), "run"}, {.env = {{"NATS_URL", "nats://127.0.0.1:1"},
                                              {"LOG_FORMAT", "text"},
                                              {"HEALTH_CHECK_PORT", std::to_string(port)}},
                                      .capture_stdout = true});
  ASSERT_TRUE(process.wait_for_out("INFO", 10s));
  EXPECT_EQ(process.out().find("{\"ts\""), std::string::npos);
}

}  // namespace
}  // namespace rts::test
