// The kill switch: by message, by signal and by setting; and what comes on its subject that is no
// command.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr const char* kControl = "realtime-strategies.control";
constexpr const char* kPause = R"({"command":"pause"})";
constexpr const char* kResume = R"({"command":"resume"})";
constexpr auto kSoon = 15s;

// A broker with the orders' receiver, and somebody with the market and his hand on the switch.
class Control : public testing::Test {
 protected:
  Control() { engine.subscribe(kOrders); }

  [[nodiscard]] Environment settings(const Environment& more = {}) const {
    Environment all{{"NATS_URL", broker.url()},
                    {"SIGNAL_COOLDOWN_SECONDS", "0"},
                    {"RISK_MAX_DAILY_SIGNALS", "0"},
                    {"RISK_MAX_ORDERS_PER_MINUTE", "0"}};
    for (const auto& [name, value] : more) all[name] = value;
    return all;
  }
  // A book that makes orderbook_skew buy.
  void feed() { market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++id})); }
  void say(std::string_view command, const std::string& subject = kControl) {
    market.publish(subject, command);
  }
  static bool has(const Daemon& daemon, double value, const std::string& name,
                  const std::string& labels = "") {
    return eventually([&] { return daemon.metric(name, labels) == value; }, kSoon);
  }
  // How many strategies are paused.
  static bool paused(const Daemon& daemon, int strategies) {
    return has(daemon, strategies, "rts_trading_paused");
  }
  static bool heard(const Daemon& daemon, double messages, const std::string& command) {
    return has(daemon, messages, "rts_control_messages_total", "command=\"" + command + "\"");
  }

  const std::uint16_t monitoring = free_port();
  NatsServer broker{fmt::format("http: 127.0.0.1:{}", monitoring)};
  Peer engine{broker.url()};
  Peer market{broker.url()};
  std::uint64_t id = 0;
};

// --- By message ---------------------------------------------------------------------------------

// Frames and commands of one sender come in his order: the first frame after `pause` is too late.
TEST_F(Control, AfterPauseNotOneOrderLeavesAndEveryFrameIsCounted) {
  Daemon daemon(settings());
  ASSERT_TRUE(daemon.wait_ready());
  feed();
  ASSERT_TRUE(engine.wait_for(1, kSoon));
  const auto begun = std::chrono::steady_clock::now();
  say(kPause);
  for (int i = 0; i < 50; ++i) feed();
  ASSERT_TRUE(has(daemon, 50, "rts_decisions_total", R"(outcome="paused")"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
  EXPECT_EQ(daemon.metric("rts_frames_received_total"), 51);
  EXPECT_TRUE(daemon.wait_settled());
  EXPECT_EQ(daemon.metric("rts_orders_total"), 1);
  say(kResume);
  feed();
  ASSERT_TRUE(engine.wait_for(2, kSoon));
  ASSERT_TRUE(engine.flush());
  EXPECT_EQ(engine.received().size(), 2U);
  EXPECT_EQ(daemon.metric("rts_control_messages_total", R"(command="pause")"), 1);
  EXPECT_EQ(daemon.metric("rts_control_messages_total", R"(command="resume")"), 1);
  daemon.expect_accounts_balance();
}

// As `nats micro ls`, `info` and `stats` ask: all replicas, those of the name, and one.
TEST_F(Control, ToolsForServicesSeeEveryReplica) {
  Daemon one(settings());
  Daemon two(settings({{"NATS_CONSUMER_GROUP", ""}, {"ENVIRONMENT", "staging"}}));
  ASSERT_TRUE(one.wait_ready() && two.wait_ready());
  Peer tool(broker.url());
  tool.subscribe("_INBOX.tool");
  const auto ask = [&](const std::string& subject, std::size_t expected) {
    EXPECT_TRUE(tool.flush());  // the broker's word that nobody listens has come, if there was one
    const std::size_t before = tool.received().size();
    tool.publish(subject, "", {}, "_INBOX.tool");
    EXPECT_TRUE(tool.wait_for(before + expected, kSoon)) << subject;
    std::vector<std::string> texts;
    for (const Received& answer : tool.received()) texts.push_back(answer.payload);
    texts.erase(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(before));
    return texts;
  };
  const auto value_of = [](const std::string& json, std::string_view key) {
    return std::string(text_at(json, key));
  };
  for (const std::string& pong : ask("$SRV.PING", 2)) {
    EXPECT_THAT(pong, AllOf(HasSubstr(R"({"type":"io.nats.micro.v1.ping_response",)"
                                      R"("name":"realtime-strategies","id":")"),
                            HasSubstr(R"("version":")"), HasSubstr(R"("ready":"true")")));
  }
  const auto infos = ask("$SRV.INFO.realtime-strategies", 2);
  ASSERT_EQ(infos.size(), 2U);
  EXPECT_NE(value_of(infos[0], "id"), value_of(infos[1], "id"));
  EXPECT_NE(value_of(infos[0], "settings"), value_of(infos[1], "settings"));
  feed();
  market.publish(kFrames, "no frame");
  ASSERT_TRUE(has(one, 2, "rts_frames_received_total"));
  say("pause");  // it cannot be read
  ASSERT_TRUE(has(one, 1, "rts_control_messages_total", R"(command="unreadable")"));
  const std::string& of_one = infos[value_of(infos[0], "environment") == "staging" ? 1 : 0];
  const auto stats = ask("$SRV.STATS.realtime-strategies." + value_of(of_one, "id"), 1);
  ASSERT_EQ(stats.size(), 1U);
  EXPECT_THAT(stats[0],
              AllOf(HasSubstr(R"({"name":"frames","subject":"binance.websocket.data",)"
                              R"("queue_group":"realtime-strategies-group",)"
                              R"("num_requests":2,"num_errors":1)"),
                    HasSubstr(R"({"name":"control","subject":"realtime-strategies.control",)"
                              R"("queue_group":"","num_requests":1,"num_errors":1)"),
                    HasSubstr(R"("started":"20)")));
  for (const char* other :
       {"$SRV.PING.another", "$SRV.STATS.realtime-strategies.another", "$SRV.PONG", "$SRV.PINGS"}) {
    for (const std::string& answer : ask(other, 0)) EXPECT_EQ(answer, "") << "not the broker's";
  }
  EXPECT_EQ(ask("$SRV.PING", 2).size(), 2U) << "nothing has answered the others";
}

// As on a broker whose permissions are of before there were such questions.
TEST(ControlPermissions, WhoMayNotHearTheQuestionsTradesAllTheSame) {
  const NatsServer broker(
      R"(authorization { users: [ { user: u, password: p, permissions: {
           publish: ">", subscribe: { deny: "$SRV.>" } } } ] })");
  const Daemon daemon({{"NATS_URL", broker.url()}, {"NATS_USER", "u"}, {"NATS_PASSWORD", "p"}});
  ASSERT_TRUE(daemon.wait_ready());
  EXPECT_TRUE(throughout(1s, [&] { return daemon.ready(); }));
  EXPECT_EQ(daemon.metric("rts_nats_reconnects_total"), 0);
  const auto errors = daemon.log("nats_error", 1);
  ASSERT_FALSE(errors.empty());
  for (const std::string& error : errors) EXPECT_THAT(error, HasSubstr("$SRV"));
}

// Found in review: whose control log is refused was deaf, so that its windows were cold afterwards.
TEST(ControlPermissions, WhoMayNotHearTheControlLogTakesFramesAllTheSame) {
  const NatsServer broker(
      R"(authorization { users: [ { user: other, password: p },
           { user: u, password: p, permissions: {
               publish: ">", subscribe: { deny: [ "$KV.>", "$SRV.>" ] } } } ] })");
  const Daemon daemon({{"NATS_URL", broker.url()}, {"NATS_USER", "u"}, {"NATS_PASSWORD", "p"}});
  Peer market("nats://other:p@" + broker.url().substr(std::string_view("nats://").size()));
  std::uint64_t id = 0;
  EXPECT_TRUE(eventually(
      [&] {
        market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++id}));
        return daemon.metric("rts_frames_received_total") > 0;
      },
      kSoon));
  EXPECT_EQ(daemon.get("/ready").status, 503U);
}

TEST_F(Control, PausedIsSaidEverywhere) {
  Daemon daemon(settings());
  ASSERT_TRUE(daemon.wait_ready());
  say(kPause);
  ASSERT_TRUE(paused(daemon, 3));
  const HttpAnswer ready = daemon.get("/ready");
  EXPECT_EQ(ready.status, 200U);  // it does as it was told
  EXPECT_THAT(ready.body, HasSubstr(R"("trading_paused":{"orderbook_skew":true,)"
                                    R"("trade_momentum":true,"ticker_velocity":true})"));
  EXPECT_THAT(daemon.get("/info").body,
              HasSubstr(R"("orderbook_skew":{"enabled":true,"paused":true})"));
  ASSERT_EQ(daemon.log("trading_paused", 1).size(), 1U);
  EXPECT_THAT(daemon.log("trading_paused")[0],
              AllOf(HasSubstr(R"("strategy":"all")"),
                    HasSubstr(R"("by":"realtime-strategies.control")"), HasSubstr("WARNING")));
  say(kResume);
  ASSERT_TRUE(paused(daemon, 0));
  EXPECT_THAT(daemon.get("/ready").body, HasSubstr(R"("orderbook_skew":false)"));
  EXPECT_THAT(daemon.get("/info").body,
              HasSubstr(R"("orderbook_skew":{"enabled":true,"paused":false})"));
  EXPECT_EQ(daemon.log("trading_resumed", 1).size(), 1U);
}

TEST_F(Control, OneStrategyIsPausedAlone) {
  Daemon daemon(settings());
  ASSERT_TRUE(daemon.wait_ready());
  say(R"({"command":"pause","strategy":"trade_momentum"})");
  ASSERT_TRUE(paused(daemon, 1));
  EXPECT_EQ(daemon.metric("rts_trading_paused", R"(strategy="trade_momentum")"), 1);
  EXPECT_THAT(daemon.log("trading_paused", 1).at(0), HasSubstr(R"("strategy":"trade_momentum")"));
  feed();
  ASSERT_TRUE(engine.wait_for(1, kSoon));
  say(R"({"strategy":"orderbook_skew","command":"pause","why":"drawdown"})");
  ASSERT_TRUE(paused(daemon, 2));
  feed();
  ASSERT_TRUE(has(daemon, 1, "rts_decisions_total", R"(outcome="paused")"));
  say(R"({"command":"resume","strategy":"orderbook_skew"})");
  feed();
  ASSERT_TRUE(engine.wait_for(2, kSoon));
  EXPECT_TRUE(paused(daemon, 1));
  say(kResume);
  EXPECT_TRUE(paused(daemon, 0));
}

TEST_F(Control, EveryReplicaOfAQueueGroupHearsIt) {
  Daemon one(settings());
  Daemon two(settings());
  ASSERT_TRUE(one.wait_ready() && two.wait_ready());
  say(kPause);
  EXPECT_TRUE(paused(one, 3));
  EXPECT_TRUE(paused(two, 3));
  say(kResume);
  EXPECT_TRUE(paused(one, 0));
  EXPECT_TRUE(paused(two, 0));
}

TEST_F(Control, ALostConnectionResumesNothing) {
  Daemon daemon(settings());
  ASSERT_TRUE(daemon.wait_ready());
  say(kPause);
  ASSERT_TRUE(paused(daemon, 3));
  broker.kill();
  ASSERT_TRUE(eventually([&] { return !daemon.ready(); }, kSoon));
  broker.restart();
  ASSERT_TRUE(daemon.wait_ready());
  EXPECT_TRUE(paused(daemon, 3));
  Peer again(broker.url());
  again.publish(kControl, kResume);  // and the switch is heard on the new connection
  ASSERT_TRUE(again.flush());
  EXPECT_TRUE(paused(daemon, 0));
}

// --- By signal and by setting -------------------------------------------------------------------

TEST_F(Control, SignalsTurnItToo) {
  Daemon daemon(settings());
  ASSERT_TRUE(daemon.wait_ready());
  daemon.process().signal(SIGUSR1);
  ASSERT_TRUE(paused(daemon, 3));
  feed();
  ASSERT_TRUE(has(daemon, 1, "rts_decisions_total", R"(outcome="paused")"));
  daemon.process().signal(SIGUSR2);
  ASSERT_TRUE(paused(daemon, 0));
  EXPECT_THAT(daemon.log("trading_paused", 1).at(0), HasSubstr(R"("by":"SIGUSR1")"));
  EXPECT_THAT(daemon.log("trading_resumed", 1).at(0), HasSubstr(R"("by":"SIGUSR2")"));
  EXPECT_EQ(daemon.metric("rts_control_messages_total"), 0);
}

TEST_F(Control, TradingPausedIsHowItStarts) {
  for (const auto& [setting, strategies] : {std::pair{"true", 3}, {"false", 0}}) {
    Daemon daemon(settings({{"TRADING_PAUSED", setting}}));
    ASSERT_TRUE(daemon.wait_ready());
    EXPECT_EQ(daemon.metric("rts_trading_paused"), strategies);
    say(kResume);
    EXPECT_TRUE(heard(daemon, 1, "resume"));
    EXPECT_TRUE(paused(daemon, 0));
  }
}

// --- Where it listens ---------------------------------------------------------------------------

TEST_F(Control, ControlTopicIsTheSubjectItListensOn) {
  Daemon daemon(settings({{"CONTROL_TOPIC", "my.switch"}}));
  ASSERT_TRUE(daemon.wait_ready());
  say(kPause);
  feed();
  ASSERT_TRUE(engine.wait_for(1, kSoon));
  EXPECT_EQ(daemon.metric("rts_trading_paused"), 0);
  say(kPause, "my.switch");
  EXPECT_TRUE(paused(daemon, 3));
  EXPECT_THAT(daemon.log("trading_paused", 1).at(0), HasSubstr(R"("by":"my.switch")"));
}

TEST_F(Control, WithAnEmptyControlTopicItListensOnNone) {
  const auto subscriptions = [&] { return http_get(monitoring, "/subsz?subs=1").body; };
  {
    Daemon daemon(settings());
    ASSERT_TRUE(daemon.wait_ready());
    EXPECT_THAT(subscriptions(), HasSubstr(kControl));
  }
  Daemon daemon(settings({{"CONTROL_TOPIC", ""}}));
  ASSERT_TRUE(daemon.wait_ready());
  ASSERT_TRUE(
      eventually([&] { return subscriptions().find("control") == std::string::npos; }, kSoon));
  say(kPause);
  feed();
  ASSERT_TRUE(engine.wait_for(1, kSoon));
  EXPECT_EQ(daemon.metric("rts_control_messages_total"), 0);
}

// --- What is no command -------------------------------------------------------------------------

TEST_F(Control, WhatIsNoCommandIsCountedAndChangesNothing) {
  Daemon daemon(settings());
  ASSERT_TRUE(daemon.wait_ready());
  const std::vector<std::string> bad{
      "pause",
      "",
      "null",
      "[]",
      "\"pause\"",
      "{\"command\":\"pause\"",
      R"({"command":"PAUSE"})",
      R"({"command":"stop"})",
      R"({"command":["pause"]})",
      R"({"command":"pause","strategy":"orderbook_skw"})",
      R"({"command":"pause","strategy":7})",
      R"({"command":"pause","strategy":""})",
      R"({"Command":"pause"})",
      "\xff\xfe\x00\"\\",
      std::string(1 << 20, '['),
      R"({"command":"pause","padding":")" + std::string((1 << 20) - 100, 'x') + "\"}",
  };
  for (const std::string& message : bad) say(message);
  ASSERT_TRUE(heard(daemon, static_cast<double>(bad.size()), "unreadable"))
      << daemon.metric("rts_control_messages_total");
  EXPECT_EQ(daemon.metric("rts_trading_paused"), 0);
  EXPECT_TRUE(daemon.ready());
  feed();
  ASSERT_TRUE(engine.wait_for(1, kSoon));
  for (const std::string& line : daemon.log("control_unreadable")) EXPECT_LT(line.size(), 2000U);
  say(kPause);
  EXPECT_TRUE(paused(daemon, 3));
}

TEST_F(Control, AFloodOfNonsenseFloodsNoLogAndHidesNoCommand) {
  Daemon daemon(settings());
  ASSERT_TRUE(daemon.wait_ready());
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 5'000; ++i) say("nonsense");
  say(kPause);
  ASSERT_TRUE(paused(daemon, 3));
  ASSERT_TRUE(heard(daemon, 5'000, "unreadable"));
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  EXPECT_LE(daemon.log("control_unreadable").size(),
            10 * static_cast<std::size_t>(seconds.count() + 2));
}

}  // namespace
}  // namespace rts::test
