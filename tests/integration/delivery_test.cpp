// How orders end, seen from outside: the real binary, a real broker, and whoever is to answer. What
// became of an order is read where people read it: in /metrics, in its one log line and in /ready.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/order_service.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"
#include "support/responder.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Clock = std::chrono::steady_clock;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr const char* kAccepted = R"({"status":"accepted"})";
constexpr auto kSoon = 15s;

// The market, and a broker.
class Delivery : public testing::Test {
 protected:
  // A book that makes orderbook_skew buy.
  void feed(std::int64_t at_ms = now_ms()) {
    market.publish(kFrames, book_frame({.at_ms = at_ms, .id = ++id}));
    ASSERT_TRUE(market.flush());
  }

  NatsServer broker;
  Peer market{broker.url()};
  std::uint64_t id = 0;
};

// --- Core: every result -------------------------------------------------------------------------

TEST_F(Delivery, IsConfirmedByTheEnginesAnswer) {
  Responder engine(broker.url(), kOrders, always(kAccepted));
  OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("confirmed", 1, "status accepted", true);
  EXPECT_EQ(engine.received().at(0).headers.at("Nats-Msg-Id"), service.lines()[0].id);
  EXPECT_TRUE(service.daemon.ready());
}

TEST_F(Delivery, SilenceIsUnconfirmedAndNoFailure) {
  Responder engine(broker.url(), kOrders);
  OrderService service(order_settings(
      broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "100"}, {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("unconfirmed", 1, "", false);
  EXPECT_EQ(engine.received().size(), 1U);
  EXPECT_TRUE(service.daemon.ready());
}

// Frozen behind the broker, it would get them all when it thaws. Found out after two, not before.
TEST_F(Delivery, OrderSilenceLimitIsHowManyAnEngineThatHasConfirmedMayLeaveUnanswered) {
  Responder engine(broker.url(), kOrders, [](const Request& order) {
    return order.number == 1 ? std::vector<std::string>{kAccepted} : std::vector<std::string>{};
  });
  OrderService service(order_settings(
      broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "100"}, {"ORDER_SILENCE_LIMIT", "2"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  for (std::size_t order = 1; order <= 4; ++order) {
    feed();
    ASSERT_TRUE(service.ended(order));
  }
  EXPECT_THAT(service.ends(),
              ElementsAre("confirmed/1", "unconfirmed/1", "unconfirmed/1", "circuit_open/0"));
  EXPECT_THAT(service.lines()[2].detail, HasSubstr("ORDER_SILENCE_LIMIT"));
  EXPECT_FALSE(service.daemon.ready());
  EXPECT_EQ(engine.received().size(), 3U);
}

TEST_F(Delivery, AnOrderSilenceLimitOfZeroHoldsNothingBack) {
  Responder engine(broker.url(), kOrders, [](const Request& order) {
    return order.number == 1 ? std::vector<std::string>{kAccepted} : std::vector<std::string>{};
  });
  OrderService service(
      order_settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "50"}, {"ORDER_SILENCE_LIMIT", "0"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  for (std::size_t order = 1; order <= 7; ++order) {
    feed();
    ASSERT_TRUE(service.ended(order));
  }
  EXPECT_EQ(service.results("unconfirmed"), 6);
  EXPECT_TRUE(service.daemon.ready());
}

// Two see the same frame; when the engine answers, only one is still listening.
TEST_F(Delivery, OrderAckTimeoutMsIsHowLongAnAnswerIsAwaited) {
  Responder engine(broker.url(), kOrders);
  const Environment both = order_settings(broker.url(), {{"NATS_CONSUMER_GROUP", ""}});
  OrderService hasty(with(both, {{"ORDER_ACK_TIMEOUT_MS", "50"}}));
  OrderService patient(with(both, {{"ORDER_ACK_TIMEOUT_MS", "60000"}}));
  ASSERT_TRUE(hasty.daemon.wait_ready() && patient.daemon.wait_ready());
  feed();
  ASSERT_TRUE(hasty.ended(1));
  EXPECT_EQ(patient.daemon.metric("rts_orders_in_flight"), 1);
  ASSERT_TRUE(engine.wait_for(2, kSoon));
  for (const Request& order : engine.received()) engine.answer(order.reply_to, kAccepted);
  patient.expect_one("confirmed", 1, "status accepted", true);
  EXPECT_GE(std::strtod(patient.lines()[0].answer_ms.c_str(), nullptr), 50);
  ASSERT_TRUE(
      eventually([&] { return hasty.daemon.metric("rts_order_odd_answers_total") == 1; }, kSoon));
  hasty.expect_one("unconfirmed", 1, "", false);
}

TEST_F(Delivery, NobodyListensIsSaidAtTheFirstOrderUntilOneArrives) {
  OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("no_responders", 1, "nobody listens on tradeengine.orders", false);
  EXPECT_FALSE(service.daemon.ready());
  EXPECT_THAT(service.ready(),
              HasSubstr(R"("order_path":{"ok":false,"detail":"nobody listens on )"));
  Responder engine(broker.url(), kOrders, always(kAccepted));
  EXPECT_FALSE(service.daemon.ready());
  feed();
  EXPECT_TRUE(service.becomes(true, kSoon)) << service.ready();
  EXPECT_TRUE(eventually([&] { return service.ends().size() == 2; }, kSoon));
  EXPECT_THAT(service.ends(), ElementsAre("no_responders/1", "confirmed/1"));
}

TEST_F(Delivery, SilentOrNotWhoListensHealsThePath) {
  OrderService service(order_settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "50"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(service.becomes(false, kSoon));
  Responder engine(broker.url(), kOrders);
  feed();
  EXPECT_TRUE(service.becomes(true, kSoon)) << service.ready();
  EXPECT_TRUE(eventually([&] { return service.ends().size() == 2; }, kSoon));
  EXPECT_THAT(service.ends(), ElementsAre("no_responders/1", "unconfirmed/1"));
}

// Each strategy's subject has a path of its own: what one finds out is not true of the other.
TEST_F(Delivery, ATokenInThePublisherTopicBecomesTheStrategysName) {
  OrderService service(
      order_settings(broker.url(), {{"NATS_PUBLISHER_TOPIC", "cio.intent.{strategy}"},
                                    {"TRADE_MOMENTUM_WINDOW", "2"},
                                    {"TRADE_MOMENTUM_BUY_THRESHOLD", "0.2"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("no_responders", 1, "nobody listens on cio.intent.orderbook_skew", false);
  EXPECT_TRUE(service.says("nobody listens on cio.intent.orderbook_skew", kSoon));

  Responder cio(broker.url(), "cio.intent.*", always(kAccepted));
  for (int i = 0; i < 3; ++i)
    market.publish(kFrames, trade({.at_ms = now_ms(), .id = ++id}).json());
  ASSERT_TRUE(market.flush());
  ASSERT_TRUE(service.ended(2));
  EXPECT_EQ(cio.received()[0].subject, "cio.intent.trade_momentum");
  EXPECT_TRUE(service.says("nobody listens on cio.intent.orderbook_skew", kSoon));
  feed();
  EXPECT_TRUE(service.becomes(true, kSoon)) << service.ready();
  EXPECT_EQ(cio.received()[1].subject, "cio.intent.orderbook_skew");
}

// Each strategy's consumer is another: what one leaves unanswered says nothing of the others.
TEST_F(Delivery, SilenceOnOneSubjectHoldsNoOtherBackAndIsHiddenByNone) {
  OrderService service(
      order_settings(broker.url(), {{"NATS_PUBLISHER_TOPIC", "cio.intent.{strategy}"},
                                    {"TRADE_MOMENTUM_WINDOW", "2"},
                                    {"TRADE_MOMENTUM_BUY_THRESHOLD", "0.2"},
                                    {"SIGNAL_COOLDOWN_SECONDS", "0"},
                                    {"ORDER_ACK_TIMEOUT_MS", "100"},
                                    {"ORDER_SILENCE_LIMIT", "2"}}));
  Responder momentum(broker.url(), "cio.intent.trade_momentum", always(kAccepted));
  Responder skew(broker.url(), "cio.intent.orderbook_skew");  // never answers
  ASSERT_TRUE(service.daemon.wait_ready());
  const auto trade_once = [&] {
    market.publish(kFrames, trade({.at_ms = now_ms(), .id = ++id}).json());
    ASSERT_TRUE(market.flush());
  };
  trade_once();
  trade_once();
  std::size_t orders = 0;
  for (int round = 0; round < 4; ++round) {
    trade_once();
    ASSERT_TRUE(service.ended(++orders));
    feed();
    ASSERT_TRUE(service.ended(++orders));
  }
  EXPECT_EQ(service.results("confirmed"), 4);
  EXPECT_EQ(service.results("unconfirmed"), 4) << "one that has confirmed nothing may be silent";
  EXPECT_TRUE(service.daemon.ready());
}

TEST_F(Delivery, OfANewConnectionNothingBadIsKnown) {
  OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(service.says("nobody listens", kSoon));
  broker.kill();
  ASSERT_TRUE(service.says("no connection", kSoon));
  broker.restart();
  EXPECT_TRUE(service.becomes(true, kSoon)) << service.ready();
}

TEST_F(Delivery, AnAnswerThatRefusesIsARejection) {
  Responder engine(broker.url(), kOrders,
                   always(R"({"error":{"code":400,"description":"no margin"}})"));
  OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("rejected", 1, "no margin (400)", true);
  EXPECT_TRUE(service.daemon.ready());
}

// The TradeEngine answers what it refuses, and was taken to have the order.
TEST_F(Delivery, WhatTheTradeEngineRefusesIsARejectionAndNoFailure) {
  Responder engine(broker.url(), kOrders, [](const Request& order) {
    return std::vector<std::string>{
        order.number == 1
            ? R"({"status":"processed","result":{"status":"rejected","reason":"cooldown\n300 s"}})"
            : R"({"status":"error","error":"no timestamp"})"};
  });
  OrderService service(order_settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("rejected", 1, "status processed, result rejected: cooldown 300 s", true);
  feed();
  ASSERT_TRUE(service.ended(2));
  EXPECT_EQ(service.lines()[1].result, "rejected");
  EXPECT_THAT(service.lines()[1].detail, HasSubstr("status error: no timestamp"));
  EXPECT_TRUE(service.daemon.ready());
}

TEST_F(Delivery, AStreamThatHasTheIdAlreadyMakesADuplicate) {
  Responder stream(broker.url(), kOrders, always(R"({"stream":"S","seq":3,"duplicate":true})"));
  OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("duplicate", 1, "stream S, sequence 3", true);
}

TEST_F(Delivery, ABrokerThatGoesBeforeTheAnswerLeavesAnAmbiguousOrder) {
  Responder engine(broker.url(), kOrders);
  OrderService service(order_settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "60000"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(engine.wait_for(1, kSoon));
  EXPECT_EQ(service.daemon.metric("rts_orders_in_flight"), 1);
  broker.kill();
  service.expect_one("ambiguous", 1, "", false);
  broker.restart();
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(engine.wait_for(2, kSoon));  // the next one, not the same again
  EXPECT_EQ(engine.received()[0].headers.at("Nats-Msg-Id"), service.lines()[0].id);
  EXPECT_NE(engine.received()[1].headers.at("Nats-Msg-Id"), service.lines()[0].id);
  EXPECT_EQ(service.lines().size(), 1U);
}

TEST_F(Delivery, WithoutAPathNothingIsSent) {
  Proxy proxy(broker.port());
  Responder engine(broker.url(), kOrders, always(kAccepted));
  OrderService service(order_settings(proxy.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  proxy.hold_client(true);
  ASSERT_TRUE(service.says("the broker does not answer", kSoon));
  feed();
  service.expect_one("disconnected", 0, "", false);
  EXPECT_THAT(engine.received(), IsEmpty());
}

TEST_F(Delivery, PastItsTimeNothingIsSent) {
  Responder engine(broker.url(), kOrders, always(kAccepted));
  OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed(now_ms() - 10'000);
  service.expect_one("expired", 0, "", false);
  EXPECT_THAT(engine.received(), IsEmpty());
}

TEST_F(Delivery, ADryRunSendsNothing) {
  Responder engine(broker.url(), kOrders, always(kAccepted));
  OrderService service(order_settings(broker.url(), {{"DRY_RUN_MODE", "true"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("dry_run", 0, "", false);
  EXPECT_THAT(engine.received(), IsEmpty());
}

// All who may wait for an answer wait; and when the time is up, each of them has its line.
TEST_F(Delivery, TooManyInFlightAreRefusedAndAllEndAtTheDeadlineOfTheShutdown) {
  constexpr std::size_t kLimit = 8192;
  Responder engine(broker.url(), kOrders);
  OrderService service(order_settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "60000"},
                                                     {"ORDER_TTL_SECONDS", "3600"},
                                                     {"MESSAGE_TTL_SECONDS", "0"},
                                                     {"SHUTDOWN_TIMEOUT_SECONDS", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  // No more at once than a slow build reads before it takes the broker for silent.
  for (std::size_t sent = 1; sent <= kLimit + 3; ++sent) {
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++id}));
    if (sent % 1024 != 0) continue;
    ASSERT_TRUE(market.flush());
    ASSERT_TRUE(eventually(
        [&] { return service.daemon.metric("rts_orders_in_flight") == static_cast<double>(sent); },
        60s));
  }
  ASSERT_TRUE(market.flush());
  const auto three_have_ended = [&] {
    return service.results("buffer_full") == 3 && service.ends().size() == 3;  // and are logged
  };
  ASSERT_TRUE(eventually(three_have_ended, 60s));
  EXPECT_EQ(service.daemon.metric("rts_orders_in_flight"), kLimit);
  EXPECT_THAT(service.ends(), ElementsAre("buffer_full/0", "buffer_full/0", "buffer_full/0"));
  EXPECT_EQ(service.daemon.terminate(30s), 69);
  const auto ends = service.ends();
  EXPECT_EQ(std::count(ends.begin(), ends.end(), "ambiguous/1"), kLimit);
  EXPECT_EQ(ends.size(), kLimit + 3);
}

// --- Odd answers --------------------------------------------------------------------------------

TEST_F(Delivery, OddAnswersAreCountedAndTheRightOneStillCounts) {
  Responder engine(broker.url(), kOrders, [](const Request&) {
    return std::vector<std::string>{"not json",
                                    "",
                                    R"({"status":")" + std::string(70 << 10, 'x') + "\"}",
                                    "[1]",
                                    R"({"status":7})",
                                    R"({"stream":"ORDERS"})",
                                    kAccepted};
  });
  OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("confirmed", 1, "status accepted", true);
  EXPECT_EQ(service.daemon.metric("rts_order_odd_answers_total"), 6);
  const auto log = service.daemon.log("odd_answer", 6);
  EXPECT_EQ(log.size(), 6U);
  for (const std::string& line : log) EXPECT_LT(line.size(), 1000U);
}

TEST_F(Delivery, OnlyOddAnswersAreNone) {
  Responder engine(broker.url(), kOrders, always("thank you"));
  OrderService service(order_settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "200"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("unconfirmed", 1, "", false);
}

TEST_F(Delivery, ASecondAnswerIsCountedAndNotBelieved) {
  Responder engine(broker.url(), kOrders, [](const Request&) {
    return std::vector<std::string>{kAccepted, R"({"error":{"code":1,"description":"no"}})"};
  });
  OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(
      eventually([&] { return service.daemon.metric("rts_order_odd_answers_total") == 1; }, kSoon));
  service.expect_one("confirmed", 1, "status accepted", true);
}

// --- Permissions --------------------------------------------------------------------------------

std::string user_with(const std::string& permissions) {
  return "authorization { users: [ { user: u, password: p, permissions: {" + permissions +
         "} }, { user: other, password: p } ] }";
}

TEST(DeliveryDenied, IsARejectionThatIsSaidAndHealsWithThePermission) {
  NatsServer broker(user_with(R"(publish: { deny: "tradeengine.orders" })"));
  Peer market(broker.url("other:p"));
  Responder engine(broker.url("other:p"), kOrders, always(kAccepted));
  OrderService service(order_settings(broker.url("u:p")));
  ASSERT_TRUE(service.daemon.wait_ready());
  market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = 1}));
  ASSERT_TRUE(service.ended(1));
  market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = 2}));
  ASSERT_TRUE(service.ended(2));
  EXPECT_THAT(service.ends(), ElementsAre("rejected/1", "rejected/0"));
  for (const OrderService::Line& line : service.lines()) {
    EXPECT_EQ(line.detail, "the broker refuses us the order subject");
  }
  EXPECT_THAT(service.ready(), HasSubstr("the broker refuses us tradeengine.orders"));
  EXPECT_FALSE(service.daemon.ready());
  // A new connection does not make it better: nobody knows until an order has got through.
  const auto reconnects = [&] { return service.daemon.metric("rts_nats_reconnects_total"); };
  const double before = reconnects();
  ASSERT_TRUE(eventually([&] { return reconnects() > before; }, kSoon));
  EXPECT_FALSE(service.daemon.ready());
  broker.reload(user_with(R"(publish: { deny: "something.else" })"));
  std::uint64_t id = 2;
  const auto tried_again = [&] {
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++id}));
    return service.daemon.ready();
  };
  ASSERT_TRUE(eventually(tried_again, kSoon)) << service.ready();
  ASSERT_TRUE(service.daemon.wait_settled());
  EXPECT_TRUE(eventually([&] { return service.ends().back() == "confirmed/1"; }, kSoon));
  service.daemon.expect_accounts_balance();
}

// The broker allows exactly what `provision --permissions` printed, and a user for the market.
class LeastPrivilege : public testing::Test {
 protected:
  static std::string config_of(const Environment& environment) {
    std::string snippet = run_binary({"provision", "--permissions"}, environment).out;
    const std::size_t end = snippet.rfind("  ]\n}");
    EXPECT_NE(end, std::string::npos) << snippet;
    snippet.insert(end, "    { user: market, password: m }\n");
    return "jetstream: enabled\nRTS_NATS_PASSWORD: s\nRTS_PROVISION_PASSWORD: p\n"
           "RTS_TRADEENGINE_PASSWORD: e\nRTS_OPERATOR_PASSWORD: o\n" +
           snippet;
  }
  // An order arrives and is confirmed, the kill switch turns, and nothing was refused.
  static void expect_all_works(const NatsServer& broker, const Environment& environment,
                               int attempts) {
    Peer market(broker.url("market:m"));
    Responder engine(broker.url("tradeengine:e"), kOrders, always(kAccepted));
    OrderService service(with(environment, {{"NATS_URL", broker.url("realtime-strategies:s")}}));
    ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = 1}));
    service.expect_one("confirmed", attempts, "status accepted", true);
    ASSERT_TRUE(engine.wait_for(1, kSoon));
    market.publish("realtime-strategies.control", R"({"command":"pause"})");
    ASSERT_TRUE(
        eventually([&] { return service.daemon.metric("rts_trading_paused") == 3; }, kSoon));
    EXPECT_TRUE(service.daemon.ready());
    EXPECT_EQ(service.daemon.metric("rts_nats_reconnects_total"), 0);
    EXPECT_THAT(service.daemon.log(), Not(HasSubstr("Permissions Violation")));
    EXPECT_THAT(broker.log(), Not(HasSubstr("Permissions Violation")));
  }
};

TEST_F(LeastPrivilege, CoreDeliveryNeedsNoMoreThanItIsAllowed) {
  const Environment environment = order_settings("");
  const NatsServer broker(config_of({}));
  expect_all_works(broker, environment, 1);
}

TEST_F(LeastPrivilege, JetStreamDeliveryNeedsNoMoreThanItIsAllowed) {
  const Environment jetstream{{"ORDER_DELIVERY", "jetstream"}};
  const NatsServer broker(config_of(jetstream));
  const RunResult provisioned =
      run_binary({"provision"},
                 with(jetstream, {{"NATS_URL", broker.url("realtime-strategies-provision:p")}}));
  ASSERT_EQ(provisioned.exit_code, 0) << provisioned.err;
  expect_all_works(broker, logged_settings(""), 2);
}

// --- The circuit breaker ------------------------------------------------------------------------

class Breaker : public Delivery {
 protected:
  static double entered(const OrderService& service, const std::string& state) {
    return service.daemon.metric("rts_circuit_breaker_transitions_total", "to=\"" + state + "\"");
  }
  static bool is(const OrderService& service, const std::string& state) {
    return service.daemon.metric("rts_circuit_breaker_state", "state=\"" + state + "\"") == 1;
  }
  static bool becomes(const OrderService& service, const std::string& state) {
    return eventually([&] { return is(service, state); }, kSoon);
  }
  // Feeds one order after the other until so many have ended.
  void feed_until_ended(const OrderService& service, std::size_t orders) {
    while (service.lines().size() < orders) {
      const std::size_t before = service.lines().size();
      feed();
      ASSERT_TRUE(service.ended(before + 1));
    }
  }
};

TEST_F(Breaker, OpensAfterSoManyFailuresInARow) {
  for (const auto& [threshold, expected] :
       {std::pair<const char*, std::vector<std::string>>{
            "1", {"no_responders/1", "circuit_open/0", "circuit_open/0"}},
        {"2", {"no_responders/1", "no_responders/1", "circuit_open/0"}},
        {"3", {"no_responders/1", "no_responders/1", "no_responders/1"}}}) {
    OrderService service(
        order_settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", threshold}}));
    ASSERT_TRUE(service.daemon.wait_ready());
    EXPECT_TRUE(is(service, "closed"));
    feed_until_ended(service, 3);
    EXPECT_EQ(service.ends(), expected);
    EXPECT_TRUE(is(service, "open"));
    EXPECT_THAT(service.ready(),
                HasSubstr(R"("breaker":{"ok":false,"detail":"open: orders are held back"})"));
    EXPECT_EQ(entered(service, "open"), 1);
    EXPECT_EQ(service.daemon.log("circuit_breaker", 1).size(), 1U);
    service.daemon.expect_accounts_balance();
  }
}

TEST_F(Breaker, OneThatArrivesBetweenStartsTheCountAnew) {
  OrderService service(order_settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "2"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed_until_ended(service, 1);
  {
    Responder engine(broker.url(), kOrders, always(kAccepted));
    feed_until_ended(service, 2);
  }
  feed_until_ended(service, 3);
  EXPECT_TRUE(is(service, "closed"));
  feed_until_ended(service, 4);
  EXPECT_TRUE(is(service, "open"));
}

TEST_F(Breaker, WithNoOrderAtHandARoundTripClosesItAfterTheRecoveryTimeout) {
  const Environment both = order_settings(
      broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"}, {"NATS_CONSUMER_GROUP", ""}});
  OrderService soon(with(both, {{"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "1"}}));
  OrderService late(with(both, {{"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "60"}}));
  ASSERT_TRUE(soon.daemon.wait_ready() && late.daemon.wait_ready());
  const auto begun = Clock::now();
  feed();
  ASSERT_TRUE(becomes(soon, "open") && becomes(late, "open"));
  ASSERT_TRUE(becomes(soon, "half_open"));
  EXPECT_GE(Clock::now() - begun, 1s);
  ASSERT_TRUE(becomes(soon, "closed"));
  EXPECT_GE(Clock::now() - begun, 2s);
  EXPECT_LT(Clock::now() - begun, 5s);
  EXPECT_EQ(entered(soon, "open"), 1);
  EXPECT_EQ(entered(soon, "half_open"), 1);
  EXPECT_EQ(entered(soon, "closed"), 1);
  EXPECT_TRUE(is(late, "open"));
  // The path is another matter: that nobody listens is still so, for all that is known.
  EXPECT_FALSE(soon.daemon.ready());
  EXPECT_THAT(soon.ready(), HasSubstr(R"("breaker":{"ok":true)"));
}

TEST_F(Breaker, HalfOpenLetsExactlyOneOrderTry) {
  OrderService service(order_settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"},
                                                     {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "1"},
                                                     {"ORDER_ACK_TIMEOUT_MS", "60000"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed_until_ended(service, 1);
  Responder engine(broker.url(), kOrders);
  ASSERT_TRUE(becomes(service, "half_open"));
  for (int i = 0; i < 3; ++i) feed();
  ASSERT_TRUE(engine.wait_for(1, kSoon));
  ASSERT_TRUE(service.ended(3));
  EXPECT_THAT(service.ends(), ElementsAre("no_responders/1", "circuit_open/0", "circuit_open/0"));
  EXPECT_EQ(service.daemon.metric("rts_orders_in_flight"), 1);
  engine.answer(engine.received()[0].reply_to, kAccepted);
  ASSERT_TRUE(becomes(service, "closed"));
  EXPECT_TRUE(service.becomes(true, kSoon)) << service.ready();
  EXPECT_EQ(engine.received().size(), 1U);
  EXPECT_EQ(service.ends().back(), "confirmed/1");
  service.daemon.expect_accounts_balance();
}

TEST_F(Breaker, AProbeThatFailsOpensItAgain) {
  OrderService service(order_settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"},
                                                     {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed_until_ended(service, 1);
  ASSERT_TRUE(becomes(service, "half_open"));
  feed();
  ASSERT_TRUE(service.ended(2));
  EXPECT_THAT(service.ends(), ElementsAre("no_responders/1", "no_responders/1"));
  EXPECT_TRUE(is(service, "open"));
  EXPECT_EQ(entered(service, "open"), 2);
  EXPECT_EQ(entered(service, "closed"), 0);
}

// --- Shutdown -----------------------------------------------------------------------------------

TEST_F(Delivery, ShutdownWaitsForTheAnswersThatAreOutstanding) {
  Responder engine(broker.url(), kOrders);
  OrderService service(order_settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "60000"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  for (int i = 0; i < 3; ++i) feed();
  ASSERT_TRUE(engine.wait_for(3, kSoon));
  service.daemon.process().signal(SIGTERM);
  ASSERT_TRUE(service.becomes(false, kSoon));
  EXPECT_THAT(service.ready(), HasSubstr(R"("not_draining":{"ok":false)"));
  for (const Request& order : engine.received()) {
    EXPECT_TRUE(service.daemon.process().running());
    engine.answer(order.reply_to, kAccepted);
  }
  const auto status = service.daemon.process().wait(5s);
  ASSERT_TRUE(status && status->exited);
  EXPECT_EQ(status->code, 0);
  EXPECT_THAT(service.ends(), Each("confirmed/1"));
  EXPECT_EQ(service.lines().size(), 3U);
  EXPECT_THAT(service.daemon.log("stopped"), testing::SizeIs(1));
}

}  // namespace
}  // namespace rts::test
