// No order arrives after its valid_until, whatever the path does: the real binary behind a proxy
// that stands still. What is in the hands of others by then (a broker that freezes with it) cannot
// be called back: tests/e2e/faults_broker_test.cpp.
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/log_stream.hpp"
#include "support/nats_server.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"
#include "support/sink.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr auto kSoon = 15s;

// Five levels from `best` on, all of this quantity.
Levels levels(int best, int step, const std::string& quantity) {
  Levels made = ladder(best, step, 5);
  for (LevelParts& level : made) level.quantity = quantity;
  return made;
}

class LateOrders : public testing::Test {
 protected:
  // Settings under which each skewed book makes an order of its own id.
  static Environment settings(const std::string& url, Environment more = {}) {
    more.insert({{"NATS_URL", url},
                 {"SIGNAL_COOLDOWN_SECONDS", "0"},
                 {"RISK_MAX_DAILY_SIGNALS", "0"},
                 {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
                 {"RISK_PRICE_BAND_PERCENT", "0"},
                 {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1000"}});
    return more;
  }

  void feed_book(std::int64_t at_ms) {
    BookParts book{.at_ms = at_ms, .id = ++last_id_};
    book.bids = levels(1000, -1, buys ? "3" : "2");
    book.asks = levels(1002, 1, buys ? "2" : "3");
    market.publish(kFrames, book_frame(book));
    ASSERT_TRUE(market.flush());
  }
  void feed_for(std::chrono::milliseconds length) {
    EXPECT_TRUE(throughout(length, [&] {
      feed_book(now_ms() - lag.count());
      return !HasFatalFailure();
    }));
  }

  // What the service sends stands still for a while, and goes on then. Returns what arrived.
  std::vector<ArrivedOrder> orders_around_a_stall(const Environment& environment,
                                                  std::chrono::milliseconds stall) {
    const Sink sink(broker.url(), kOrders);
    const Daemon daemon(environment);
    EXPECT_TRUE(daemon.wait_ready(kSoon)) << daemon.get("/ready").body;
    feed_for(1s);
    EXPECT_TRUE(sink.wait_for(5, kSoon));
    proxy.hold_client(true);
    feed_for(stall);
    proxy.set({});
    const std::size_t before = sink.size();
    EXPECT_TRUE(eventually(
        [&] {
          feed_book(now_ms() - lag.count());
          return sink.size() >= before + 5;
        },
        kSoon))
        << "orders go on when the path does";
    EXPECT_TRUE(daemon.wait_settled(10s));
    daemon.expect_accounts_balance();
    return sink.orders();
  }
  static void expect_none_late(const std::vector<ArrivedOrder>& orders) {
    for (const ArrivedOrder& order : orders) {
      EXPECT_LE(order.arrived, order.valid_until)
          << (order.arrived - order.valid_until).count() << " ms late";
    }
  }

  bool buys = true;
  std::chrono::milliseconds lag{0};  // how far the feed is behind
  NatsServer broker{NatsServer::kJetStream};
  Proxy proxy{broker.port()};
  Peer market{broker.url()};

 private:
  std::uint64_t last_id_ = 0;
};

// Reported: openings arrived 0.2 to 0.9 s after their valid_until.
TEST_F(LateOrders, NoneArrivesThroughAnUplinkThatStoodStillFor1900Ms) {
  lag = 4s;
  expect_none_late(orders_around_a_stall(settings(proxy.url()), 1900ms));
}

// What is stored late is not forwarded, and each attempt to store it is again as the first.
TEST_F(LateOrders, NoneArrivesThroughItByWayOfTheOrderLog) {
  lag = 4s;
  OrderLogStream(broker.url()).create();
  expect_none_late(orders_around_a_stall(settings(proxy.url(), {{"ORDER_DELIVERY", "jetstream"},
                                                                {"CONTROL_BUCKET", ""},
                                                                {"ORDER_ACK_TIMEOUT_MS", "200"}}),
                                         1900ms));
}

// Found in review: only the life of opening orders was looked at.
TEST_F(LateOrders, TheShorterLifeOfReduceOnlyOrdersCounts) {
  buys = false;
  expect_none_late(
      orders_around_a_stall(settings(proxy.url(), {{"TRADING_ENABLE_SHORTS", "false"},
                                                   {"ORDER_TTL_SECONDS", "30"},
                                                   {"ORDER_TTL_REDUCE_ONLY_SECONDS", "1"}}),
                            1900ms));
}

// "orders" of the service's log with a result.
std::size_t ended_as(const Daemon& daemon, const std::string& result) {
  std::size_t count = 0;
  for (const std::string& line : daemon.log("order")) {
    count += line.find("\"result\":\"" + result + "\"") != std::string::npos ? 1 : 0;
  }
  return count;
}

TEST_F(LateOrders, WhatIsGoodForLessTimeThanThePathIsUnprovenIsExpired) {
  lag = 4500ms;
  const Sink sink(broker.url(), kOrders);
  const Daemon daemon(settings(proxy.url()));
  ASSERT_TRUE(daemon.wait_ready());
  proxy.hold_client(true);
  EXPECT_TRUE(throughout(600ms, [&] { return daemon.ready(); })) << "not long enough to be noticed";
  feed_book(now_ms() - lag.count());
  ASSERT_TRUE(eventually([&] { return ended_as(daemon, "expired") == 1; }, kSoon)) << daemon.log();
  EXPECT_THAT(daemon.log("order").back(), HasSubstr("unproven for longer than the order is good"));
  proxy.set({});
  EXPECT_TRUE(daemon.wait_ready());
  EXPECT_EQ(daemon.metric("rts_nats_reconnects_total"), 0);
  EXPECT_EQ(sink.size(), 0U);
}

// Our clock is slow, as the newest event shows: what looks early is late.
TEST_F(LateOrders, ASlowClockDoesNotMakeALateOrderLookEarly) {
  const Sink sink(broker.url(), kOrders, Answer::accepted);
  const Daemon daemon(settings(broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  feed_book(now_ms());
  ASSERT_TRUE(eventually([&] { return ended_as(daemon, "confirmed") == 1; }, kSoon));
  market.publish(kFrames, ticker({.symbol = "ETHUSDT", .at_ms = now_ms() + 9'000}).json());
  feed_book(now_ms() + 1'000);  // good for 6 s by our clock
  ASSERT_TRUE(eventually([&] { return ended_as(daemon, "expired") == 1; }, kSoon));
  EXPECT_EQ(sink.size(), 1U);
  daemon.expect_accounts_balance();
}

}  // namespace
}  // namespace rts::test
