// What is known of the path of orders before, between and after them, and what is refused for it.
#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nats/admin.hpp"
#include "nats/subjects.hpp"
#include "service/nats_transport.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/responder.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr auto kSoon = 15s;

// A book that makes an order of its own id.
std::string buying_book(std::uint64_t id) { return book_frame({.at_ms = now_ms(), .id = id}); }

Environment no_limits(const std::string& url) {
  return {{"NATS_URL", url},
          {"SIGNAL_COOLDOWN_SECONDS", "0"},
          {"RISK_MAX_DAILY_SIGNALS", "0"},
          {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
          {"RISK_PRICE_BAND_PERCENT", "0"}};
}

bool says(const Daemon& daemon, const std::string& text) {
  return eventually([&] { return daemon.get("/ready").body.find(text) != std::string::npos; },
                    kSoon);
}

// Found by a new user: five orders were lost before anybody said that none can be sent.
TEST(OrderPath, OverABrokerWithoutHeadersIsNotReadyBeforeTheFirstOrder) {
  const NatsServer broker("no_header_support: true");
  const Daemon daemon(no_limits(broker.url()));
  ASSERT_TRUE(says(daemon, R"("order_path":{"ok":false,"detail":"the broker takes no headers)"));
  ASSERT_TRUE(says(daemon, R"("subscribed":{"ok":true)"));
  EXPECT_EQ(daemon.get("/ready").status, 503U);
  EXPECT_EQ(daemon.metric("rts_orders_total"), 0);
  EXPECT_THAT(daemon.log("order_path", 1), ElementsAre(HasSubstr("takes no headers")));

  Peer market(broker.url());
  market.publish(kFrames, buying_book(1));
  ASSERT_TRUE(eventually([&] { return daemon.log("order").size() == 1; }, kSoon));
  EXPECT_THAT(daemon.log("order").at(0), HasSubstr("takes no headers"));
  EXPECT_EQ(daemon.metric("rts_orders_total", R"(result="rejected")"), 1);
}

TEST(OrderPath, OfADryRunNeedsNoHeaders) {
  const NatsServer broker("no_header_support: true");
  Environment environment = no_limits(broker.url());
  environment["DRY_RUN_MODE"] = "true";
  const Daemon daemon(environment);
  EXPECT_TRUE(daemon.wait_ready());
  EXPECT_THAT(daemon.get("/ready").body, HasSubstr("dry run: no order is sent"));
}

TEST(OrderPath, IsNotKnownUntilTheFirstOrderOfAConnection) {
  NatsServer broker;
  Peer market(broker.url());
  Responder engine(broker.url(), kOrders,
                   always(R"({"error":{"code":400,"description":"no margin"}})"));
  const Daemon daemon(no_limits(broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  EXPECT_THAT(daemon.get("/ready").body, HasSubstr("not known until the first order"));
  EXPECT_THAT(daemon.get("/ready").body, Not(HasSubstr("orders can be sent")));
  market.publish(kFrames, buying_book(1));
  EXPECT_TRUE(says(daemon, R"("detail":"orders can be sent")"));  // somebody has refused it
  broker.kill();
  ASSERT_TRUE(says(daemon, "no connection"));
  broker.restart();
  EXPECT_TRUE(says(daemon, "not known until the first order"));
}

// Found by this test: a heartbeat was a malformed frame, and the consumer stood still after 2 MiB.
TEST(OrderPath, AFeedThatIsAPushConsumerWithFlowControlIsHeardWhole) {
  constexpr int kFeedFrames = 3000;
  NatsServer broker(NatsServer::kJetStream);
  nats::ClientOptions options;
  options.urls.emplace_back(broker.url());
  auto admin = nats::Admin::connect(options, nats::inbox_prefix("test"));
  ASSERT_TRUE(admin.ok());
  const auto ask = [&](const std::string& subject, const std::string& payload) {
    const auto answer = admin.value().request(subject, payload);
    return answer ? answer.value() : answer.error();
  };
  ASSERT_THAT(ask("$JS.API.STREAM.CREATE.FEED",
                  R"({"name":"FEED","subjects":["feed"],"storage":"memory","num_replicas":1})"),
              HasSubstr(R"("config")"));
  Peer market(broker.url());
  for (int i = 0; i < kFeedFrames; ++i) {
    Object print = trade({.at_ms = now_ms(), .id = static_cast<std::uint64_t>(i) + 1});
    market.publish("feed", print.set("note", quote(std::string(4000, 'x'))).json());
  }
  ASSERT_TRUE(market.flush());
  Environment environment = no_limits(broker.url());
  environment["NATS_CONSUMER_GROUP"] = "";
  const Daemon daemon(environment);
  ASSERT_TRUE(daemon.wait_ready());
  ASSERT_THAT(
      ask("$JS.API.CONSUMER.DURABLE.CREATE.FEED.RTS",
          fmt::format(R"({{"stream_name":"FEED","config":{{"durable_name":"RTS",)"
                      R"("deliver_subject":"{}","deliver_policy":"all","ack_policy":"none",)"
                      R"("flow_control":true,"idle_heartbeat":100000000}}}})",
                      kFrames)),
      HasSubstr(R"("config")"));
  EXPECT_TRUE(
      eventually([&] { return daemon.metric("rts_frames_received_total") == kFeedFrames; }, kSoon))
      << daemon.metric("rts_frames_received_total");
  // Heartbeats follow the last frame.
  const double before = daemon.metric("rts_nats_status_messages_total");
  EXPECT_TRUE(eventually(
      [&] { return daemon.metric("rts_nats_status_messages_total") >= before + 3; }, kSoon));
  EXPECT_EQ(daemon.metric("rts_events_received_total"), kFeedFrames);
  EXPECT_EQ(daemon.metric("rts_events_dropped_total", R"(reason="malformed")"), 0);
  EXPECT_EQ(daemon.metric("rts_nats_dropped_messages_total"), 0);
}

// An order log that holds nothing and has nothing to say.
struct EmptyLog final : service::OrderLog {
  bool is_read() const override { return true; }
  std::uint64_t last() const override { return 0; }
  [[nodiscard]] std::uint64_t generation() const override { return 0; }
  std::uint64_t read_on() override { return 1; }
};

// Found in review: orders that wait to be sent again after a lost connection await no reply, and
// the limit of the client is one of those that do.
TEST(OrderPath, OrdersInDoubtWithoutAConnectionCountAgainstTheLimitInFlight) {
  NatsServer broker;
  Responder stream(broker.url(), "orders.intents");
  boost::asio::io_context loop(1);
  nats::ClientOptions options;
  options.urls.emplace_back(broker.url());
  nats::Client client(loop, options, {.on_messages = [](auto) {}, .on_status_change = [] {}});
  std::vector<OrderResult> ends;
  service::NatsTransport transport(loop, client);
  EmptyLog log;
  service::Publisher publisher(
      transport, log, {.mode = DeliveryMode::jetstream, .ack_timeout = 60s, .max_in_flight = 2},
      {.held_back_by = [] { return std::string_view(); },
       .is_paused = [](StrategyId) { return false; },
       .passes_still = [](const Order&) { return true; },
       .on_stored = [](const Order&, std::uint64_t) {},
       .on_sent = [](auto) {},
       .on_result = [&](const service::OrderReport& report) { ends.push_back(report.result); },
       .on_odd_answer = [](std::string_view) {},
       .on_breaker = [](BreakerState) {}});
  const auto run_until = [&](auto predicate) {
    return eventually(
        [&] {
          loop.run_for(2ms);
          loop.restart();
          return predicate();
        },
        kSoon);
  };
  const auto publish = [&] {
    Order order;
    order.symbol = "BTCUSDT";
    order.valid_until = transport.now() + 1h;
    publisher.publish(order, "", {}, false);
  };
  client.start();
  ASSERT_TRUE(run_until([&] { return client.status().subscribed; }));
  publish();
  publish();
  ASSERT_TRUE(run_until([&] { return stream.received().size() == 2; }));
  broker.kill();
  ASSERT_TRUE(run_until([&] { return !client.status().connected; }));
  EXPECT_THAT(ends, IsEmpty());
  EXPECT_EQ(publisher.status().in_flight, 2U);
  publish();
  EXPECT_THAT(ends, ElementsAre(OrderResult::buffer_full));
  EXPECT_EQ(publisher.status().in_flight, 2U);
  publisher.abandon();
}

}  // namespace
}  // namespace rts::test
