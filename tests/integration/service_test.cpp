// The real binary between a real broker and a real subscriber.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>
#include <rts/wire/json_compare.hpp>

#include "simulation/market.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/order_schema.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";

// A book that makes orderbook_skew buy (its default rules), as of now.
std::string buying_book(std::uint64_t id = 1, std::int64_t at_ms = now_ms()) {
  return book_frame({.at_ms = at_ms, .id = id});
}

// Settings that let every signal through.
Environment no_limits(const std::string& url) {
  return {{"NATS_URL", url},
          {"SIGNAL_COOLDOWN_SECONDS", "0"},
          {"RISK_MAX_DAILY_SIGNALS", "0"},
          {"RISK_MAX_ORDERS_PER_MINUTE", "0"}};
}

// Every order that arrived, by its id; each must be valid.
std::multiset<std::string> order_ids(const std::vector<Received>& orders) {
  std::multiset<std::string> ids;
  for (const Received& order : orders) {
    EXPECT_EQ(schema_error(order.payload, OrderFormat::trade_order), "") << order.payload;
    ids.insert(order.headers.at("Nats-Msg-Id"));
  }
  return ids;
}

bool all_different(const std::multiset<std::string>& ids) {
  return std::set<std::string>(ids.begin(), ids.end()).size() == ids.size();
}

double frames_received(const Daemon& daemon) { return daemon.metric("rts_frames_received_total"); }

// --- Orders out ---------------------------------------------------------------------------------

TEST(Service, PublishesAnOrderWithItsHeaders) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());

  const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const EnvelopeParts parts{.stream = "btcusdt@depth20@100ms",
                            .message_id = "6f1c2a9e-4f0a-4b0e-9a53-3f1f6f0c7f11",
                            .traceparent = traceparent};
  peer.publish(kFrames, envelope(parts, futures_book({.at_ms = now_ms()})).json());
  ASSERT_TRUE(peer.wait_for(1, 5s)) << daemon.log();

  const Received order = peer.received().front();
  EXPECT_EQ(schema_error(order.payload, OrderFormat::trade_order), "") << order.payload;
  const std::string id = order.headers.at("Nats-Msg-Id");
  EXPECT_NE(order.payload.find(R"("order_id":")" + id + "\""), std::string::npos);
  EXPECT_EQ(order.headers.at("Content-Type"), "application/json");
  EXPECT_EQ(order.headers.at("Correlation-Id"), parts.message_id);
  EXPECT_EQ(order.headers.at("traceparent"), traceparent);
  ASSERT_TRUE(eventually([&] { return daemon.log("order").size() == 1; }, 5s));
  EXPECT_NE(daemon.log("order").front().find(id), std::string::npos);
  daemon.expect_accounts_balance();
}

// In the header only: a recording has no NATS headers, and the order's bytes are replay's.
TEST(Service, TheTraceOfTheNatsHeaderBeatsTheEnvelopes) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Daemon daemon(
      {{"NATS_URL", broker.url()}, {"ORDER_FORMAT", "signal"}, {"RISK_PRICE_BAND_PERCENT", "0"}});
  ASSERT_TRUE(daemon.wait_ready());
  const std::string header = "00-11111111111111111111111111111111-2222222222222222-00";
  peer.publish(
      kFrames,
      envelope({.stream = "btcusdt@depth20@100ms"}, futures_book({.at_ms = now_ms()})).json(),
      {{"traceparent", header}});
  ASSERT_TRUE(peer.wait_for(1, 5s));
  EXPECT_EQ(peer.received().front().headers.at("traceparent"), header);
  const std::string payload = peer.received().front().payload;
  EXPECT_EQ(schema_error(payload, OrderFormat::signal), "") << payload;
  EXPECT_NE(payload.find(R"("_otel_trace_context":{"traceparent":")" + EnvelopeParts{}.traceparent),
            std::string::npos);
}

TEST(Service, NoHeaderOfAFrameCanInjectAnother) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Daemon daemon({{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  const EnvelopeParts parts{.stream = "btcusdt@depth20@100ms",
                            .message_id = "x\\r\\nNats-Msg-Id: forged",
                            .traceparent = "00-nonsense"};
  peer.publish(kFrames, envelope(parts, futures_book({.at_ms = now_ms()})).json());
  ASSERT_TRUE(peer.wait_for(1, 5s));
  const auto headers = peer.received().front().headers;
  EXPECT_NE(headers.at("Nats-Msg-Id"), "forged");
  EXPECT_EQ(headers.at("Correlation-Id"), headers.at("Nats-Msg-Id"));
  EXPECT_EQ(headers.count("traceparent"), 0U);
}

TEST(Service, OrderFormatSignalIsTheTradeEnginesContract) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Daemon daemon({{"NATS_URL", broker.url()}, {"ORDER_FORMAT", "signal"}});
  ASSERT_TRUE(daemon.wait_ready());
  peer.publish(kFrames, buying_book());
  ASSERT_TRUE(peer.wait_for(1, 5s));
  const std::string payload = peer.received().front().payload;
  EXPECT_EQ(schema_error(payload, OrderFormat::signal), "") << payload;
}

// --- Nothing late, nothing unwanted -------------------------------------------------------------

TEST(Service, DropsAnOrderThatIsPastItsTime) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Daemon daemon({{"NATS_URL", broker.url()}, {"ORDER_TTL_SECONDS", "5"}});
  ASSERT_TRUE(daemon.wait_ready());
  peer.publish(kFrames, buying_book(1, now_ms() - 10'000));
  ASSERT_TRUE(eventually(
      [&] { return daemon.metric("rts_orders_total", R"(result="expired")") == 1; }, 5s));
  EXPECT_TRUE(peer.received().empty());
  daemon.expect_accounts_balance();
}

TEST(Service, DropsStaleAndFutureFrames) {
  NatsServer broker;
  Peer peer(broker.url());
  Daemon daemon({{"NATS_URL", broker.url()}, {"MESSAGE_TTL_SECONDS", "30"}});
  ASSERT_TRUE(daemon.wait_ready());
  peer.publish(kFrames, buying_book(1, now_ms() - 31'000));
  peer.publish(kFrames, buying_book(2, now_ms() + 15'000));
  ASSERT_TRUE(eventually([&] { return frames_received(daemon) == 2; }, 5s));
  EXPECT_EQ(daemon.metric("rts_events_dropped_total", R"(reason="stale")"), 1);
  EXPECT_EQ(daemon.metric("rts_events_dropped_total", R"(reason="future")"), 1);
  EXPECT_EQ(daemon.log("event_dropped", 2).size(), 2U);
}

TEST(Service, MessageTtlZeroLetsOldFramesIn) {
  NatsServer broker;
  Peer peer(broker.url());
  Daemon daemon({{"NATS_URL", broker.url()}, {"MESSAGE_TTL_SECONDS", "0"}});
  ASSERT_TRUE(daemon.wait_ready());
  peer.publish(kFrames, buying_book(1, now_ms() - 3'600'000));
  ASSERT_TRUE(eventually([&] { return frames_received(daemon) == 1; }, 5s));
  EXPECT_EQ(daemon.metric("rts_decisions_total"), 1);
}

TEST(Service, DryRunDecidesEverythingAndPublishesNothing) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Daemon daemon({{"NATS_URL", broker.url()}, {"DRY_RUN_MODE", "true"}});
  ASSERT_TRUE(daemon.wait_ready());
  peer.publish(kFrames, buying_book());
  ASSERT_TRUE(eventually(
      [&] { return daemon.metric("rts_orders_total", R"(result="dry_run")") == 1; }, 5s));
  EXPECT_EQ(daemon.terminate(), 0);
  EXPECT_TRUE(peer.flush());
  EXPECT_TRUE(peer.received().empty());
}

TEST(Service, PausedItConsumesAndOrdersNothingUntilResumed) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Daemon daemon({{"NATS_URL", broker.url()}, {"TRADING_PAUSED", "true"}});
  ASSERT_TRUE(daemon.wait_ready());
  EXPECT_EQ(daemon.metric("rts_trading_paused"), 3);
  peer.publish(kFrames, buying_book(1));
  ASSERT_TRUE(eventually(
      [&] { return daemon.metric("rts_decisions_total", R"(outcome="paused")") == 1; }, 5s));
  daemon.process().signal(SIGUSR2);
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_trading_paused") == 0; }, 5s));
  peer.publish(kFrames, buying_book(2));
  ASSERT_TRUE(peer.wait_for(1, 5s));
  daemon.process().signal(SIGUSR1);
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_trading_paused") == 3; }, 5s));
  EXPECT_EQ(peer.received().size(), 1U);
}

TEST(Service, HoldsOrdersBackOnceNobodyHasHeardFive) {
  NatsServer broker;
  Peer peer(broker.url());
  Daemon daemon(no_limits(broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  const auto ended = [&](const char* result) {
    return daemon.metric("rts_orders_total", fmt::format(R"(result="{}")", result));
  };
  for (std::uint64_t i = 1; i <= 5; ++i) {
    peer.publish(kFrames, buying_book(i));
    ASSERT_TRUE(eventually([&] { return ended("no_responders") == static_cast<double>(i); }, 5s));
  }
  peer.subscribe(kOrders);  // somebody listens, yet the circuit breaker's recovery time has to pass
  peer.publish(kFrames, buying_book(6));
  ASSERT_TRUE(eventually([&] { return frames_received(daemon) == 6; }, 5s));
  EXPECT_TRUE(daemon.wait_settled());
  EXPECT_EQ(ended("circuit_open"), 1);
  EXPECT_TRUE(peer.flush());
  EXPECT_TRUE(peer.received().empty());
  daemon.expect_accounts_balance();
}

// --- Topics, group, name ------------------------------------------------------------------------

TEST(Service, ListensAndPublishesWhereItIsTold) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe("my.orders");
  Daemon daemon({{"NATS_URL", broker.url()},
                 {"NATS_CONSUMER_TOPIC", "my.*.frames"},
                 {"NATS_PUBLISHER_TOPIC", "my.orders"},
                 {"NATS_CONSUMER_NAME", "nightshift"}});
  ASSERT_TRUE(daemon.wait_ready());
  peer.publish(kFrames, buying_book(1));
  peer.publish("my.spot.frames", buying_book(2));
  ASSERT_TRUE(peer.wait_for(1, 5s));
  EXPECT_EQ(frames_received(daemon), 1);
}

TEST(Service, WithoutAQueueGroupEveryReplicaSeesEveryFrameAndGivesTheSameIds) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  const Environment environment{{"NATS_URL", broker.url()}, {"NATS_CONSUMER_GROUP", ""}};
  Daemon one(environment);
  Daemon two(environment);
  ASSERT_TRUE(one.wait_ready() && two.wait_ready());
  peer.publish(kFrames, buying_book());
  ASSERT_TRUE(peer.wait_for(2, 5s));
  const auto ids = order_ids(peer.received());
  EXPECT_EQ(ids.count(*ids.begin()), 2U);
}

// --- The broker comes and goes ------------------------------------------------------------------

// Orders that a broker gets that stands still would be late when it goes on.
TEST(Service, SendsNothingMoreToABrokerThatDoesNotAnswerAndSaysSo) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Daemon daemon(no_limits(broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  peer.publish(kFrames, buying_book(1));
  ASSERT_TRUE(peer.wait_for(1, 5s));
  broker.suspend();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(eventually([&] { return !daemon.ready(); }, 4s));
  const auto noticed = std::chrono::steady_clock::now() - begun;
  EXPECT_NE(daemon.get("/ready").body.find("the broker does not answer"), std::string::npos);
  EXPECT_LT(noticed, 3s);
  EXPECT_TRUE(eventually([&] { return daemon.metric("rts_nats_connected") == 0; }, 10s));
  const auto cut = std::chrono::steady_clock::now() - begun;
  EXPECT_GT(cut, 4s) << "it may answer yet";  // the heartbeat before may be 0.5 s old
  EXPECT_LT(cut, 10s);                        // 5 s, and what a loaded machine adds
  broker.resume();
  EXPECT_TRUE(daemon.wait_ready(8s));
}

// What the service sends stands still while frames keep coming: nothing but the missing heartbeats
// tells, and what went out before they were missed is all that can be late.
TEST(Service, OrdersStopWhileThePathToTheBrokerIsHeldUpThoughFramesKeepComing) {
  NatsServer broker;
  Proxy proxy(broker.port());
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Daemon daemon(no_limits(proxy.url()));
  ASSERT_TRUE(daemon.wait_ready());
  std::uint64_t id = 0;
  const auto feed = [&] { peer.publish(kFrames, buying_book(++id)); };
  feed();
  ASSERT_TRUE(peer.wait_for(1, 5s));
  proxy.hold_client(true);
  const auto refused = [&] {
    feed();
    return daemon.metric("rts_orders_total", R"(result="disconnected")") > 0;
  };
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(eventually(refused, 4s)) << daemon.get("/ready").body;
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
  const auto sent = daemon.metric("rts_receive_to_publish_seconds_count");
  EXPECT_EQ(daemon.get("/ready").status, 503U);
  for (int i = 0; i < 100; ++i) feed();
  EXPECT_TRUE(eventually([&] { return frames_received(daemon) == static_cast<double>(id); }, 5s));
  EXPECT_EQ(daemon.metric("rts_receive_to_publish_seconds_count"), sent);
  daemon.expect_accounts_balance();
}

// --- Shutdown -----------------------------------------------------------------------------------

// The feed outlasts the shutdown: who goes on taking frames never has done, or loses some.
// How many frames a service had, and how its orders ended: "2000 frames; unconfirmed 2000", from
// its log, which is there when it is not.
std::string ends_of(const Daemon& daemon) {
  std::map<std::string, int> ends;
  for (const std::string& line : daemon.log("order")) {
    constexpr std::string_view kKey = "\"result\":\"";
    const std::size_t begin = line.find(kKey) + kKey.size();
    ++ends[line.substr(begin, line.find('"', begin) - begin)];
  }
  std::string text;
  for (const std::string& line : daemon.log("stopped")) text += line + " ";
  for (const auto& [result, count] : ends) text += fmt::format("{} {} ", result, count);
  return text;
}

TEST(Service, SigtermUnderLoadLosesNoFrameItWasGivenAndNoOrder) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Environment environment = no_limits(broker.url());
  environment["ORDER_ACK_TIMEOUT_MS"] = "100";
  environment["SHUTDOWN_TIMEOUT_SECONDS"] = "5";
  Daemon leaving(environment);
  Daemon staying(environment);
  ASSERT_TRUE(leaving.wait_ready() && staying.wait_ready());
  // No faster than orders come out, and no more at once than the path holds: what a broker that
  // gets no CPU does not read in time is refused as buffer_full.
  constexpr std::uint64_t kAhead = 25;
  constexpr std::uint64_t kBefore = 3'000;
  std::uint64_t count = 0;
  std::optional<ExitStatus> status;
  while (!status) {
    peer.publish(kFrames, buying_book(++count));
    if (count == kBefore) leaving.process().signal(SIGTERM);
    if (count % kAhead != 0) continue;
    ASSERT_TRUE(peer.wait_for(count - kAhead, 10s)) << count << leaving.log();
    if (count > kBefore) status = leaving.process().wait(0ms);
  }
  EXPECT_TRUE(status->exited);
  EXPECT_EQ(status->code, 0) << leaving.log("shutdown_timed_out").size();
  // Each frame made one order, in whichever process it ended: none is missing and none is double.
  ASSERT_TRUE(peer.wait_for(count, 60s))
      << peer.received().size() << " of " << count << "\nthe one that left: " << ends_of(leaving)
      << "\nthe other: " << ends_of(staying);
  const auto ids = order_ids(peer.received());
  EXPECT_EQ(ids.size(), count);
  EXPECT_TRUE(all_different(ids));
}

TEST(Service, SigtermWithoutABrokerEndsAtOnce) {
  Daemon daemon({{"NATS_URL", "nats://127.0.0.1:" + std::to_string(free_port())}});
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(daemon.terminate(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
}

TEST(Service, ShutdownTimesOutWhenTheBrokerStandsStill) {
  NatsServer broker;
  Daemon daemon({{"NATS_URL", broker.url()}, {"SHUTDOWN_TIMEOUT_SECONDS", "1"}});
  ASSERT_TRUE(daemon.wait_ready());
  broker.suspend();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_NE(daemon.terminate(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
  broker.resume();
}

// --- Live is replay -----------------------------------------------------------------------------

TEST(Service, ALiveRunRecordedAndReplayedGivesTheSameOrders) {
  NatsServer broker;
  Peer peer(broker.url());
  peer.subscribe(kOrders);
  Environment environment{{"NATS_URL", broker.url()}, {"SIGNAL_COOLDOWN_SECONDS", "1"}};
  Daemon daemon(environment);
  ASSERT_TRUE(daemon.wait_ready());
  simulation::Market market({*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT")}, 7);
  std::vector<std::pair<std::string, UnixNs>> recording;
  const std::int64_t begin = now_ms() - 8'000;  // a lively second of market every 250 ms
  for (int i = 0; i < 4000; ++i) {
    const UnixMs at{std::chrono::milliseconds(begin + i * 2)};
    recording.emplace_back(market.next_frame(at), at);
    peer.publish(kFrames, recording.back().first);
  }
  ASSERT_TRUE(eventually([&] { return frames_received(daemon) == 4000; }, 10s));
  const auto sent = static_cast<std::size_t>(daemon.metric("rts_receive_to_publish_seconds_count"));
  ASSERT_GT(sent, 0U);
  ASSERT_TRUE(peer.wait_for(sent, 5s));

  const auto configuration =
      config::load(std::vector<config::Given>{{"SIGNAL_COOLDOWN_SECONDS", "1"}}, {});
  Engine engine(config::engine_parameters(configuration.value().settings, Clock::replay));
  std::vector<std::string> replayed;
  for (const auto& [frame, at] : recording) {
    for (const EventRecord& record : engine.step(frame, at).events) {
      if (record.decision() == nullptr || !record.decision()->order) continue;
      replayed.emplace_back();
      append_json(replayed.back(), *record.decision()->order, OrderFormat::trade_order);
    }
  }
  // Live drops orders past their time; what it did send is what the replay gives, byte for byte.
  const auto live = peer.received();
  ASSERT_TRUE(daemon.wait_settled());
  ASSERT_EQ(replayed.size(), static_cast<std::size_t>(daemon.metric("rts_orders_total")));
  for (const Received& order : live) {
    EXPECT_NE(std::find(replayed.begin(), replayed.end(), order.payload), replayed.end())
        << order.payload;
  }
}

}  // namespace
}  // namespace rts::test
