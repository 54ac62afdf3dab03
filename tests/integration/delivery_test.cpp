// How orders end, seen from outside: the real binary, a real broker, and whoever is to answer. What
// became of an order is read where people read it: in /metrics, in its one log line and in /ready.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nats/admin.hpp"
#include "nats/subjects.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
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
using testing::UnorderedElementsAre;
using Clock = std::chrono::steady_clock;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr const char* kIntents = "orders.intents";
constexpr const char* kJetStream = "jetstream: enabled";
constexpr const char* kAccepted = R"({"status":"accepted"})";
constexpr const char* kStored = R"({"stream":"ORDERS","seq":7})";
constexpr auto kSoon = 15s;

// The value of a key in a log line; empty when it is not there.
std::string field(const std::string& line, const std::string& key) {
  const std::size_t at = line.find("\"" + key + "\":");
  if (at == std::string::npos) return "";
  std::size_t begin = at + key.size() + 3;
  const bool quoted = line[begin] == '"';
  if (quoted) ++begin;
  return line.substr(begin, line.find_first_of(quoted ? "\"" : ",}", begin) - begin);
}

// One order's end as the log tells it.
struct Line {
  std::string result;
  int attempts = 0;
  std::string id;
  std::string detail;
  std::string answer_ms;
};

Environment with(Environment all, const Environment& more) {
  for (const auto& [name, value] : more) all[name] = value;
  return all;
}

// Settings under which each buying book makes an order of its own id, without a price before it.
Environment settings(const std::string& url, const Environment& more = {}) {
  return with({{"NATS_URL", url},
               {"SIGNAL_COOLDOWN_SECONDS", "0"},
               {"RISK_PRICE_BAND_PERCENT", "0"},
               {"RISK_MAX_DAILY_SIGNALS", "0"},
               {"RISK_MAX_ORDERS_PER_MINUTE", "0"}},
              more);
}

Environment through_stream(const std::string& url, const Environment& more = {}) {
  return with(settings(url, {{"ORDER_DELIVERY", "jetstream"}, {"NATS_PUBLISHER_TOPIC", kIntents}}),
              more);
}

class Service {
 public:
  explicit Service(const Environment& environment) : daemon(environment) {}

  [[nodiscard]] std::vector<Line> lines() const {
    std::vector<Line> all;
    for (const std::string& line : daemon.log("order")) {
      all.push_back({field(line, "result"), std::atoi(field(line, "attempts").c_str()),
                     field(line, "order_id"), field(line, "detail"), field(line, "answer_ms")});
    }
    return all;
  }
  // "confirmed/1": the results and attempts of all orders, in the order of their ends.
  [[nodiscard]] std::vector<std::string> ends() const {
    std::vector<std::string> all;
    for (const Line& line : lines())
      all.push_back(fmt::format("{}/{}", line.result, line.attempts));
    return all;
  }
  [[nodiscard]] bool ended(std::size_t orders, Clock::duration limit = kSoon) const {
    return eventually([&] { return lines().size() >= orders; }, limit);
  }
  [[nodiscard]] double results(const std::string& result) const {
    return daemon.metric("rts_orders_total", "result=\"" + result + "\"");
  }
  [[nodiscard]] std::string ready() const { return daemon.get("/ready").body; }
  [[nodiscard]] bool becomes(bool is_ready, Clock::duration limit) const {
    return eventually([&] { return daemon.ready() == is_ready; }, limit);
  }
  [[nodiscard]] bool says(const std::string& text, Clock::duration limit) const {
    return eventually([&] { return ready().find(text) != std::string::npos; }, limit);
  }

  // Exactly one order, and it ended so, wherever one looks.
  void expect_one(const std::string& result, int attempts, const std::string& detail,
                  bool answered) const {
    ASSERT_TRUE(ended(1)) << daemon.log();
    EXPECT_EQ(results(result), 1);
    EXPECT_EQ(daemon.metric("rts_orders_total"), 1);
    ASSERT_EQ(lines().size(), 1U);
    const Line line = lines()[0];
    EXPECT_EQ(line.result, result);
    EXPECT_EQ(line.attempts, attempts);
    EXPECT_EQ(line.id.size(), 36U);
    EXPECT_THAT(line.detail, HasSubstr(detail));
    EXPECT_EQ(line.answer_ms.empty(), !answered);
    EXPECT_EQ(daemon.metric("rts_order_answer_seconds_count"), answered ? 1 : 0);
    EXPECT_EQ(daemon.metric("rts_order_repeats_total"), attempts > 1 ? attempts - 1 : 0);
    daemon.expect_accounts_balance();
  }

  Daemon daemon;
};

// The market, and a broker.
class Delivery : public testing::Test {
 protected:
  explicit Delivery(const std::string& config = {}) : broker(config) {}

  // A book that makes orderbook_skew buy.
  void feed(std::int64_t at_ms = now_ms()) {
    market.publish(kFrames, book_frame({.at_ms = at_ms, .id = ++id}));
    ASSERT_TRUE(market.flush());
  }
  std::string ask(const std::string& subject, std::string_view payload = "") const {
    nats::ClientOptions options;
    options.urls.emplace_back(broker.url());
    auto admin = nats::Admin::connect(options, nats::inbox_prefix("test"));
    if (!admin) return admin.error();
    const auto answer = admin.value().request(subject, payload);
    return answer ? answer.value() : answer.error();
  }

  NatsServer broker;
  Peer market{broker.url()};
  std::uint64_t id = 0;
};

// --- Core: every result -------------------------------------------------------------------------

TEST_F(Delivery, IsConfirmedByTheEnginesAnswer) {
  Responder engine(broker.url(), kOrders, always(kAccepted));
  Service service(settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("confirmed", 1, "status accepted", true);
  EXPECT_EQ(engine.received().at(0).headers.at("Nats-Msg-Id"), service.lines()[0].id);
  EXPECT_TRUE(service.daemon.ready());
}

TEST_F(Delivery, SilenceIsUnconfirmedAndNoFailure) {
  Responder engine(broker.url(), kOrders);
  Service service(settings(
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
  Service service(
      settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "100"}, {"ORDER_SILENCE_LIMIT", "2"}}));
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
  Service service(
      settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "50"}, {"ORDER_SILENCE_LIMIT", "0"}}));
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
  const Environment both = settings(broker.url(), {{"NATS_CONSUMER_GROUP", ""}});
  Service hasty(with(both, {{"ORDER_ACK_TIMEOUT_MS", "50"}}));
  Service patient(with(both, {{"ORDER_ACK_TIMEOUT_MS", "60000"}}));
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
  Service service(settings(broker.url()));
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
  Service service(settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "50"}}));
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
  Service service(settings(broker.url(), {{"NATS_PUBLISHER_TOPIC", "cio.intent.{strategy}"},
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
  Service service(settings(broker.url(), {{"NATS_PUBLISHER_TOPIC", "cio.intent.{strategy}"},
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
  Service service(settings(broker.url()));
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
  Service service(settings(broker.url()));
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
  Service service(settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"}}));
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
  Service service(settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("duplicate", 1, "stream S, sequence 3", true);
}

TEST_F(Delivery, ABrokerThatGoesBeforeTheAnswerLeavesAnAmbiguousOrder) {
  Responder engine(broker.url(), kOrders);
  Service service(settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "60000"}}));
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
  Service service(settings(proxy.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  proxy.hold_client(true);
  ASSERT_TRUE(service.says("the broker does not answer", kSoon));
  feed();
  service.expect_one("disconnected", 0, "", false);
  EXPECT_THAT(engine.received(), IsEmpty());
}

TEST_F(Delivery, PastItsTimeNothingIsSent) {
  Responder engine(broker.url(), kOrders, always(kAccepted));
  Service service(settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed(now_ms() - 10'000);
  service.expect_one("expired", 0, "", false);
  EXPECT_THAT(engine.received(), IsEmpty());
}

TEST_F(Delivery, ADryRunSendsNothing) {
  Responder engine(broker.url(), kOrders, always(kAccepted));
  Service service(settings(broker.url(), {{"DRY_RUN_MODE", "true"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("dry_run", 0, "", false);
  EXPECT_THAT(engine.received(), IsEmpty());
}

// All who may wait for an answer wait; and when the time is up, each of them has its line.
TEST_F(Delivery, TooManyInFlightAreRefusedAndAllEndAtTheDeadlineOfTheShutdown) {
  constexpr std::size_t kLimit = 8192;
  Responder engine(broker.url(), kOrders);
  Service service(settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "60000"},
                                          {"ORDER_TTL_SECONDS", "3600"},
                                          {"MESSAGE_TTL_SECONDS", "0"},
                                          {"SHUTDOWN_TIMEOUT_SECONDS", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  for (std::size_t i = 0; i < kLimit + 3; ++i) {
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++id}));
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
  Service service(settings(broker.url()));
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
  Service service(settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "200"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("unconfirmed", 1, "", false);
}

TEST_F(Delivery, ASecondAnswerIsCountedAndNotBelieved) {
  Responder engine(broker.url(), kOrders, [](const Request&) {
    return std::vector<std::string>{kAccepted, R"({"error":{"code":1,"description":"no"}})"};
  });
  Service service(settings(broker.url()));
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
  Service service(settings(broker.url("u:p")));
  ASSERT_TRUE(service.daemon.wait_ready());
  market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = 1}));
  ASSERT_TRUE(service.ended(1));
  market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = 2}));
  ASSERT_TRUE(service.ended(2));
  EXPECT_THAT(service.ends(), ElementsAre("rejected/1", "rejected/0"));
  for (const Line& line : service.lines()) {
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
                               const std::string& result) {
    Peer market(broker.url("market:m"));
    Responder engine(broker.url("tradeengine:e"), kOrders, always(kAccepted));
    Service service(with(environment, {{"NATS_URL", broker.url("realtime-strategies:s")}}));
    ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = 1}));
    service.expect_one("confirmed", 1, result, true);
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
  const Environment environment = settings("");
  const NatsServer broker(config_of({}));
  expect_all_works(broker, environment, "status accepted");
}

TEST_F(LeastPrivilege, JetStreamDeliveryNeedsNoMoreThanItIsAllowed) {
  const Environment environment = through_stream("");
  const NatsServer broker(
      config_of({{"ORDER_DELIVERY", "jetstream"}, {"NATS_PUBLISHER_TOPIC", kIntents}}));
  const RunResult provisioned =
      run_binary({"provision"}, {{"NATS_URL", broker.url("realtime-strategies-provision:p")},
                                 {"NATS_PUBLISHER_TOPIC", kIntents}});
  ASSERT_EQ(provisioned.exit_code, 0) << provisioned.err;
  expect_all_works(broker, environment, "stream ORDERS, sequence 1");
}

// --- JetStream ----------------------------------------------------------------------------------

class Streamed : public Delivery {
 protected:
  Streamed() : Delivery(kJetStream) {}

  void create(const std::string& more = "") const {
    EXPECT_THAT(ask("$JS.API.STREAM.CREATE.ORDERS",
                    fmt::format(R"({{"name":"ORDERS","subjects":["{}"],"storage":"memory",)"
                                R"("num_replicas":1,"duplicate_window":960000000000{}}})",
                                kIntents, more)),
                HasSubstr(R"("config")"));
  }
  void remove() const {
    EXPECT_THAT(ask("$JS.API.STREAM.DELETE.ORDERS"), HasSubstr(R"("success":true)"));
  }
  std::string info() const { return ask("$JS.API.STREAM.INFO.ORDERS"); }
};

TEST_F(Streamed, IsConfirmedByTheStreamThatHasStoredIt) {
  create();
  Service service(through_stream(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  feed();
  service.expect_one("confirmed", 1, "stream ORDERS, sequence 1", true);
  EXPECT_THAT(info(), HasSubstr(R"("messages":1,)"));
}

TEST_F(Streamed, OfReplicasWithOneIdeaTheStreamKeepsOne) {
  create();
  const Environment both = through_stream(broker.url(), {{"NATS_CONSUMER_GROUP", ""}});
  Service one(both);
  Service two(both);
  ASSERT_TRUE(one.daemon.wait_ready() && two.daemon.wait_ready());
  feed();
  ASSERT_TRUE(one.ended(1) && two.ended(1));
  EXPECT_THAT((std::vector{one.ends().at(0), two.ends().at(0)}),
              UnorderedElementsAre("confirmed/1", "duplicate/1"));
  EXPECT_EQ(one.lines()[0].id, two.lines()[0].id);
  EXPECT_THAT(info(), HasSubstr(R"("messages":1,)"));
  one.daemon.expect_accounts_balance();
  two.daemon.expect_accounts_balance();
}

TEST_F(Streamed, AFullStreamRejects) {
  create(R"(,"max_msgs":1,"discard":"new")");
  Service service(through_stream(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  feed();
  feed();
  ASSERT_TRUE(service.ended(2));
  EXPECT_THAT(service.ends(), ElementsAre("confirmed/1", "rejected/1"));
  EXPECT_THAT(service.lines()[1].detail, HasSubstr("(10077)"));
  EXPECT_TRUE(service.daemon.ready());  // somebody has answered
}

// Somebody in the place of the stream, who does with each attempt what the test says.
class InDoubt : public Delivery {
 protected:
  static Environment impatient(const std::string& url, const Environment& more = {}) {
    return through_stream(
        url, with({{"ORDER_ACK_TIMEOUT_MS", "200"}, {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1000"}},
                  more));
  }
  static Responder::Answers second_time(const std::string& answer) {
    return [answer](const Request& order) {
      return order.number < 2 ? std::vector<std::string>{} : std::vector{answer};
    };
  }
  // Without a stream it is never ready, but it works.
  static void wait_until_running(const Service& service) {
    ASSERT_TRUE(service.says(R"("subscribed":{"ok":true)", kSoon)) << service.ready();
  }
};

TEST_F(InDoubt, TheSameOrderIsSentAgainUntilItsTimeIsUp) {
  Responder stream(broker.url(), kIntents);
  Service service(impatient(broker.url(), {{"ORDER_TTL_SECONDS", "2"}}));
  wait_until_running(service);
  feed();
  ASSERT_TRUE(service.ended(1));
  const auto attempts = stream.received();
  EXPECT_GE(attempts.size(), 5U);
  EXPECT_LE(attempts.size(), 11U);
  service.expect_one("expired", static_cast<int>(attempts.size()),
                     "not acknowledged until valid_until", false);
  for (const Request& attempt : attempts) {
    EXPECT_EQ(attempt.headers.at("Nats-Msg-Id"), service.lines()[0].id);
    EXPECT_EQ(attempt.payload, attempts[0].payload);
    EXPECT_EQ(attempt.headers, attempts[0].headers);
  }
}

TEST_F(InDoubt, TheEnginesWordIsNotTheStreams) {
  Responder engine(broker.url(), kIntents, always(kAccepted));
  Service service(impatient(broker.url(), {{"ORDER_TTL_SECONDS", "1"}}));
  wait_until_running(service);
  feed();
  ASSERT_TRUE(service.ended(1));
  EXPECT_EQ(service.lines()[0].result, "expired");
  EXPECT_GT(service.lines()[0].attempts, 1);
  EXPECT_EQ(service.daemon.metric("rts_order_odd_answers_total", R"(reason="unreadable")"), 0);
}

TEST_F(InDoubt, TheStreamsWordCountsBesidesTheEngines) {
  Responder both(broker.url(), kIntents, [](const Request&) {
    return std::vector<std::string>{kAccepted, kStored};
  });
  Service service(impatient(broker.url()));
  wait_until_running(service);
  feed();
  service.expect_one("confirmed", 1, "stream ORDERS, sequence 7", true);
}

TEST_F(InDoubt, TheSecondAttemptIsConfirmed) {
  Responder stream(broker.url(), kIntents, second_time(kStored));
  Service service(impatient(broker.url()));
  wait_until_running(service);
  feed();
  service.expect_one("confirmed", 2, "stream ORDERS, sequence 7", true);
}

TEST_F(InDoubt, ALostConnectionIsNoEnd) {
  Responder stream(broker.url(), kIntents, second_time(kStored));
  Service service(
      impatient(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "60000"}, {"ORDER_TTL_SECONDS", "3600"}}));
  wait_until_running(service);
  feed();
  ASSERT_TRUE(stream.wait_for(1, kSoon));
  broker.kill();
  ASSERT_TRUE(service.says("no connection", kSoon));
  EXPECT_THAT(service.lines(), IsEmpty());
  broker.restart();
  service.expect_one("confirmed", 2, "stream ORDERS, sequence 7", true);
  const auto attempts = stream.received();
  EXPECT_EQ(attempts.at(0).headers, attempts.at(1).headers);
}

TEST_F(InDoubt, NobodyListeningAnyMoreIsNoEnd) {
  std::optional<Responder> stream;
  stream.emplace(broker.url(), kIntents);
  Service service(
      impatient(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "500"}, {"ORDER_TTL_SECONDS", "3600"}}));
  wait_until_running(service);
  feed();
  ASSERT_TRUE(stream->wait_for(1, kSoon));
  stream.reset();
  ASSERT_TRUE(
      eventually([&] { return service.daemon.metric("rts_order_repeats_total") > 2; }, kSoon));
  EXPECT_THAT(service.lines(), IsEmpty());
  stream.emplace(broker.url(), kIntents, always(R"({"stream":"S","seq":1,"duplicate":true})"));
  ASSERT_TRUE(service.ended(1));
  EXPECT_EQ(service.lines()[0].result, "duplicate");
}

TEST_F(InDoubt, WhoIsPausedSendsNothingAgain) {
  Responder stream(broker.url(), kIntents);
  Service service(
      impatient(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "1000"}, {"ORDER_TTL_SECONDS", "3600"}}));
  wait_until_running(service);
  feed();
  ASSERT_TRUE(stream.wait_for(1, kSoon));
  service.daemon.process().signal(SIGUSR1);
  service.expect_one("ambiguous", 1, "paused before it was acknowledged", false);
  EXPECT_EQ(stream.received().size(), 1U);
}

// A stream looks for the id before its limits, so that a full one has not stored it either time.
TEST_F(InDoubt, AFullStreamRejectsForSure) {
  Responder stream(
      broker.url(), kIntents,
      second_time(
          R"({"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"}})"));
  Service service(impatient(broker.url()));
  wait_until_running(service);
  feed();
  service.expect_one("rejected", 2, "maximum messages exceeded (10077)", true);
}

// Found by this test: any error was taken for the word of a stream that has looked for the id.
TEST_F(InDoubt, AnErrorThatSaysNothingOfTheFirstAttemptLeavesItAmbiguous) {
  const std::string unavailable =
      R"({"error":{"code":503,"err_code":10008,"description":"system unavailable"}})";
  Responder stream(broker.url(), kIntents, second_time(unavailable));
  Service service(impatient(broker.url()));
  wait_until_running(service);
  feed();
  service.expect_one("ambiguous", 2, "system unavailable (10008)", true);
}

TEST_F(InDoubt, TheSameErrorToTheFirstAttemptIsARejection) {
  Responder stream(
      broker.url(), kIntents,
      always(R"({"error":{"code":503,"err_code":10008,"description":"system unavailable"}})"));
  Service service(impatient(broker.url()));
  wait_until_running(service);
  feed();
  service.expect_one("rejected", 1, "system unavailable (10008)", true);
}

// --- The circuit breaker ------------------------------------------------------------------------

class Breaker : public InDoubt {
 protected:
  static double entered(const Service& service, const std::string& state) {
    return service.daemon.metric("rts_circuit_breaker_transitions_total", "to=\"" + state + "\"");
  }
  static bool is(const Service& service, const std::string& state) {
    return service.daemon.metric("rts_circuit_breaker_state", "state=\"" + state + "\"") == 1;
  }
  static bool becomes(const Service& service, const std::string& state) {
    return eventually([&] { return is(service, state); }, kSoon);
  }
  // Feeds one order after the other until so many have ended.
  void feed_until_ended(const Service& service, std::size_t orders) {
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
    Service service(settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", threshold}}));
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
  Service service(settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "2"}}));
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
  const Environment both = settings(
      broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"}, {"NATS_CONSUMER_GROUP", ""}});
  Service soon(with(both, {{"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "1"}}));
  Service late(with(both, {{"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "60"}}));
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
  Service service(settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"},
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
  Service service(settings(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"},
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

// Found by this test: a probe was given up after the recovery time-out, so that with a longer
// acknowledgement time-out only the round trip could decide, and always said yes.
TEST_F(Breaker, AnOrderThatIsTheProbeIsWaitedForUntilItsAnswerCannotComeAnyMore) {
  Service service(through_stream(broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"},
                                                {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "1"},
                                                {"ORDER_TTL_SECONDS", "3600"},
                                                {"ORDER_ACK_TIMEOUT_MS", "4000"}}));
  wait_until_running(service);
  feed_until_ended(service, 1);
  Responder stream(broker.url(), kIntents);
  ASSERT_TRUE(becomes(service, "half_open"));
  feed();
  ASSERT_TRUE(stream.wait_for(1, kSoon));
  ASSERT_TRUE(eventually([&] { return entered(service, "open") == 2; }, kSoon));
  EXPECT_EQ(entered(service, "closed"), 0);
}

TEST_F(Breaker, OpensWhenTheStreamIsSilent) {
  Responder stream(broker.url(), kIntents);
  Service service(impatient(
      broker.url(), {{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "3"}, {"ORDER_TTL_SECONDS", "3600"}}));
  wait_until_running(service);
  feed();
  ASSERT_TRUE(becomes(service, "open"));
  EXPECT_EQ(stream.received().size(), 3U);
  EXPECT_THAT(service.lines(), IsEmpty());  // it waits with the rest
  feed();
  ASSERT_TRUE(service.ended(1));
  EXPECT_THAT(service.ends(), ElementsAre("circuit_open/0"));
}

// --- The stream is watched ----------------------------------------------------------------------

class Watched : public Streamed {
 protected:
  static constexpr const char* kMissing = "no stream stores orders.intents";
  // A stream with these settings does not fit, and this is what is said.
  void expect_misfit(const std::string& more, const std::string& said) {
    create(more);
    Service service(through_stream(broker.url(), {{"SIGNAL_COOLDOWN_SECONDS", "3600"}}));
    EXPECT_TRUE(service.says(said, kSoon)) << service.ready();
    EXPECT_FALSE(service.daemon.ready());
    remove();
    EXPECT_TRUE(service.says(kMissing, 4s)) << service.ready();
    create(R"(,"max_age":7200000000000)");
    EXPECT_TRUE(service.says("duplicate_window", 4s)) << service.ready();
  }
};

TEST_F(Watched, AMissingStreamIsSaidAndFoundWhenItIsThere) {
  Service service(through_stream(broker.url()));
  ASSERT_TRUE(service.says(kMissing, kSoon));
  EXPECT_FALSE(service.daemon.ready());
  create();
  EXPECT_TRUE(service.becomes(true, 4s)) << service.ready();
  // The line is written by a thread of its own, after /ready has changed.
  EXPECT_TRUE(eventually(
      [&] {
        return service.daemon.log("order_stream").back().find(R"("stream":"ORDERS")") !=
               std::string::npos;
      },
      kSoon));
}

TEST_F(Watched, ADeletedStreamIsNoticedWithoutAnOrder) {
  create();
  Service service(through_stream(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  remove();
  EXPECT_TRUE(service.says(kMissing, 17s));
}

// Found by this test: "nobody listens" stayed until the next order, though the stream was back.
TEST_F(Watched, AnOrderFindsOutAtOnceAndNoneIsNeededToSeeItHeal) {
  create();
  Service service(through_stream(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(service.ended(1));
  remove();
  feed();
  EXPECT_TRUE(service.becomes(false, 1s)) << service.ready();
  EXPECT_TRUE(service.says(kMissing, 1s)) << service.ready();
  ASSERT_TRUE(service.ended(2));
  EXPECT_THAT(service.ends(), ElementsAre("confirmed/1", "no_responders/1"));
  create();
  EXPECT_TRUE(service.becomes(true, 4s)) << service.ready();
}

TEST_F(Watched, AWindowThatIsTooShortIsSaid) { expect_misfit("", "duplicate_window"); }

TEST_F(Watched, AStreamThatAcknowledgesNothingIsSaid) {
  expect_misfit(R"(,"no_ack":true)", "no_ack");
}

TEST_F(Watched, ABrokerWithoutJetStreamIsSaid) {
  NatsServer plain;
  Service service(through_stream(plain.url()));
  EXPECT_TRUE(service.says("the broker has no JetStream", kSoon)) << service.ready();
  EXPECT_FALSE(service.daemon.ready());
}

// Found by this test: each look was refused, and each refusal cost the connection 4 s later,
// for ever.
TEST(WatchedDenied, ALookThatIsRefusedDoesNotCostConnectionAfterConnection) {
  NatsServer broker(std::string(kJetStream) + "\n" + user_with(R"(publish: { deny: "$JS.>" })"));
  Service service(through_stream(broker.url("u:p")));
  ASSERT_TRUE(service.says("the broker does not let us look the stream up", kSoon));
  EXPECT_FALSE(service.daemon.ready());
  const auto reconnects = [&] { return service.daemon.metric("rts_nats_reconnects_total"); };
  ASSERT_TRUE(eventually([&] { return reconnects() == 1; }, kSoon));  // to ask again, but not soon
  EXPECT_FALSE(eventually([&] { return reconnects() > 1; }, 9s));
  EXPECT_THAT(service.ready(), HasSubstr("the broker does not let us look the stream up"));
}

TEST_F(Watched, InCoreModeAndInADryRunNothingIsLookedUp) {
  Service core(settings(broker.url()));
  Service dry(through_stream(broker.url(), {{"DRY_RUN_MODE", "true"}}));
  EXPECT_TRUE(core.daemon.wait_ready());
  EXPECT_TRUE(dry.daemon.wait_ready());
}

// --- Shutdown -----------------------------------------------------------------------------------

TEST_F(Delivery, ShutdownWaitsForTheAnswersThatAreOutstanding) {
  Responder engine(broker.url(), kOrders);
  Service service(settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "60000"}}));
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

TEST_F(InDoubt, ShutdownSendsAgainWhatIsInDoubt) {
  Responder stream(broker.url(), kIntents, second_time(kStored));
  Service service(impatient(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "1000"}}));
  wait_until_running(service);
  feed();
  ASSERT_TRUE(stream.wait_for(1, kSoon));
  EXPECT_EQ(service.daemon.terminate(), 0);
  EXPECT_THAT(service.ends(), ElementsAre("confirmed/2"));
}

TEST_F(InDoubt, ShutdownEndsWhatIsInDoubtAtItsDeadline) {
  Responder stream(broker.url(), kIntents);
  Service service(
      impatient(broker.url(), {{"ORDER_TTL_SECONDS", "3600"}, {"SHUTDOWN_TIMEOUT_SECONDS", "1"}}));
  wait_until_running(service);
  feed();
  ASSERT_TRUE(stream.wait_for(2, kSoon));
  EXPECT_EQ(service.daemon.terminate(), 69);
  ASSERT_EQ(service.lines().size(), 1U);
  EXPECT_EQ(service.lines()[0].result, "ambiguous");
  EXPECT_EQ(service.lines()[0].detail, "shut down before it was answered");
  EXPECT_GE(service.lines()[0].attempts, 2);
  EXPECT_THAT(service.daemon.log("shutdown_timed_out"), testing::SizeIs(1));
}

}  // namespace
}  // namespace rts::test
