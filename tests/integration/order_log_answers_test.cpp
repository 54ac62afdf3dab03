// What the order log may answer, version by version, and what becomes of the order each time: how
// it ends, how often the TradeEngine gets it, and whether the breaker, which one failure opens, is
// open then. Somebody plays the log; the service and the broker between them are real.
#include <chrono>
#include <csignal>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/log_stream.hpp"
#include "support/nats_server.hpp"
#include "support/order_service.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/responder.hpp"
#include "support/scripted_log.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr const char* kAccepted = R"({"status":"accepted"})";
constexpr auto kSoon = 15s;

using Answers = std::vector<std::string>;

// --- The table ----------------------------------------------------------------------------------

const std::string kBeingStored210 = duplicate_ack(0);
const std::string kBeingStored211 =
    stream_error(409, 10158, "message id is being processed: duplicate");
const std::string kWrongSequence = stream_error(400, 10071, "wrong last sequence: 1");
const std::string kNoLeader = stream_error(503, 10008, "JetStream system temporarily unavailable");
const std::string kTooLong = stream_error(400, 10054, "message size exceeds maximum allowed");
const std::string kFull = stream_error(503, 10077, "maximum messages exceeded");
const std::string kNoResources = stream_error(503, 10023, "insufficient resources");
const std::string kNoStorage = stream_error(500, 10047, "insufficient storage resources available");

Answers always_say(const std::string& answer) { return {answer}; }

// Another process has ordered the same at another moment, which is another id.
std::string another_order() { return log_entry({.at_ms = now_ms()}); }

struct Row {
  const char* name;
  ScriptedLog::Script script;
  const char* result;
  std::size_t attempts;  // to store it; 0: several
  bool is_failure = false;
  Environment more{};
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Environment kShortLife{{"ORDER_TTL_SECONDS", "1"}};
const Environment kCooldown{{"SIGNAL_COOLDOWN_SECONDS", "900"}};

const std::vector<Row>& rows() {
  using Log = ScriptedLog;
  static const std::vector<Row> kRows{
      {"StoredAtOnce",
       [](Log& log, auto, auto& order) -> Answers { return {stored_ack(log.store(order))}; },
       "confirmed", 1},

      // --- The id is known: 2.9 and 2.10 look for it before they compare the sequence.
      {"V29KnowsTheIdByAnother",
       [](Log& log, auto, auto& order) -> Answers {
         return {duplicate_ack(log.store_by_other(order))};
       },
       "duplicate", 1},
      {"V29KnowsTheIdByUsWhoseAckIsLost",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt > 1) return {duplicate_ack(1)};
         log.store(order);
         return {};
       },
       "confirmed", 2},

      // --- A copy is being stored: 2.10 from about 2.10.18.
      {"V210IsStoringAnothersCopy",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt == 1) return {kBeingStored210};
         return {duplicate_ack(log.store_by_other(order))};
       },
       "duplicate", 2},
      {"V210IsStoringOurs",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt == 1) return {};
         if (attempt == 2) return {kBeingStored210};
         return {duplicate_ack(log.store(order))};
       },
       "confirmed", 3},
      {"V210IsStoringItForEver", [](Log&, auto, auto&) { return always_say(kBeingStored210); },
       "expired", 0, true, kShortLife},

      // --- The same since 2.11.
      {"V211IsStoringAnothersCopy",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt == 1) return {kBeingStored211};
         log.store_by_other(order);
         return {kWrongSequence};
       },
       "duplicate", 2},
      {"V211IsStoringOurs",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt == 1) return {};
         if (attempt == 2) return {kBeingStored211};
         log.store(order);
         return {kWrongSequence};
       },
       "confirmed", 3},
      {"V211IsStoringItForEver", [](Log&, auto, auto&) { return always_say(kBeingStored211); },
       "expired", 0, true, kShortLife},

      // --- The sequence is compared before the id is looked for: 2.14.
      {"V214HasItByAnother",
       [](Log& log, auto, auto& order) -> Answers {
         log.store_by_other(order);
         return {kWrongSequence};
       },
       "duplicate", 1},
      {"V214HasItByUsWhoseAckIsLost",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt == 1) log.store(order);
         return attempt == 1 ? Answers{} : Answers{kWrongSequence};
       },
       "confirmed", 2},

      // --- Another was stored meanwhile.
      {"OvertakenByWhatHoldsNothingBack",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt > 1) return {stored_ack(log.store(order))};
         log.store_text("something else");
         return {kWrongSequence};
       },
       "confirmed", 2},
      {"OvertakenByAnOrderOfTheSameKey",
       [](Log& log, auto, auto&) -> Answers {
         log.store_text(another_order());
         return {kWrongSequence};
       },
       "superseded", 1, false, kCooldown},
      {"OvertakenEachTime",
       [](Log& log, auto, auto&) -> Answers {
         log.store_text("something else");
         return {kWrongSequence};
       },
       "expired", 0, false, kShortLife},  // others were faster: nothing is broken
      {"OvertakenByNothingThatIsThere",
       [](Log&, auto, auto&) { return always_say(kWrongSequence); }, "expired", 0, true,
       kShortLife},

      // --- Nobody can say.
      {"ALeaderIsBeingElected",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt < 4) return {kNoLeader};
         return {stored_ack(log.store(order))};
       },
       "confirmed", 4},
      {"NoLeaderIsElected", [](Log&, auto, auto&) { return always_say(kNoLeader); }, "expired", 0,
       true, kShortLife},
      {"Silence", [](Log&, auto, auto&) { return Answers{}; }, "expired", 0, true, kShortLife},
      {"SilenceAndThenStored",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt == 1) return {};
         return {stored_ack(log.store(order))};
       },
       "confirmed", 2},

      // --- It is refused.
      {"Full", [](Log&, auto, auto&) { return always_say(kFull); }, "rejected", 1},
      {"LongerThanTheStreamTakes", [](Log&, auto, auto&) { return always_say(kTooLong); },
       "rejected", 1},
      {"NoResources", [](Log&, auto, auto&) { return always_say(kNoResources); }, "rejected", 1,
       true},
      {"NoStorage", [](Log&, auto, auto&) { return always_say(kNoStorage); }, "rejected", 1, true},
      // A stream has looked for the id before it found itself full.
      {"SilenceAndThenFull",
       [](Log&, auto attempt, auto&) { return attempt == 1 ? Answers{} : Answers{kFull}; },
       "rejected", 2},
      // But an error that says nothing of the first attempt is no end.
      {"SilenceAndThenNoResourcesAndThenStored",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt == 1) return {};
         if (attempt == 2) return {kNoResources};
         return {stored_ack(log.store(order))};
       },
       "confirmed", 3},

      // --- Late, and more than one.
      {"ALateAckToTheFirstAttempt",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt == 1) log.store(order);
         return attempt == 1 ? Answers{} : Answers{stored_ack(1), duplicate_ack(1)};
       },
       "confirmed", 2},
      {"ALateAckAfterTheLogHasTold",
       [](Log& log, auto attempt, auto& order) -> Answers {
         if (attempt == 1) log.store(order);
         return attempt == 1 ? Answers{} : Answers{duplicate_ack(1), stored_ack(1)};
       },
       "confirmed", 2},
      {"TwoAcks",
       [](Log& log, auto, auto& order) -> Answers {
         const std::uint64_t sequence = log.store(order);
         return {stored_ack(sequence), stored_ack(sequence)};
       },
       "confirmed", 1},
      // Another's entry makes the service read on, and so find its own, before anybody
      // acknowledges.
      {"TheLogTellsBeforeAnyAnswer",
       [](Log& log, auto, auto& order) -> Answers {
         log.store(order);
         log.store_text("something else");
         return {};
       },
       "confirmed",
       1,
       false,
       {{"ORDER_ACK_TIMEOUT_MS", "10000"}}},

      // --- What is no answer of the log.
      {"TheEnginesWord", [](Log&, auto, auto&) { return always_say(kAccepted); }, "expired", 0,
       true, kShortLife},
      {"TheEnginesWordBesidesTheLogs",
       [](Log& log, auto, auto& order) -> Answers {
         return {kAccepted, stored_ack(log.store(order))};
       },
       "confirmed", 1},
      {"NonsenseBeforeTheAnswer",
       [](Log& log, auto, auto& order) -> Answers {
         return {"", "nonsense", R"({"stream":"ORDERS"})", R"({"stream":"ORDERS","seq":0})",
                 stored_ack(log.store(order))};
       },
       "confirmed", 1},
      // Another stream has stored it, whose entries nobody reads.
      {"AnAckOfWhatTheLogDoesNotHave", [](Log&, auto, auto&) { return always_say(stored_ack(7)); },
       "duplicate", 1},
  };
  return kRows;
}

class LogAnswer : public testing::TestWithParam<Row> {};

TEST_P(LogAnswer, EndsTheOrderOnce) {
  const Row& row = GetParam();
  const NatsServer broker;
  ScriptedLog log(broker.url(), row.script);
  const Responder engine(broker.url(), kOrders, always(kAccepted));
  Peer market(broker.url());
  const OrderService service(
      with(logged_settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "200"},
                                          {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"}}),
           row.more));
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = 1}));
  ASSERT_TRUE(service.ended(1)) << service.daemon.log();

  const OrderService::Line line = service.lines().at(0);
  const bool is_confirmed = line.result == "confirmed";
  EXPECT_EQ(line.result, row.result) << line.detail;
  EXPECT_EQ(engine.received().size(), is_confirmed ? 1U : 0U);
  const std::vector<Received> attempts = log.attempts();
  if (row.attempts > 0) {
    EXPECT_THAT(attempts, SizeIs(row.attempts));
  }
  EXPECT_EQ(line.attempts, attempts.size() + (is_confirmed ? 1U : 0U));
  EXPECT_EQ(service.daemon.metric("rts_order_repeats_total"), attempts.size() - 1);
  EXPECT_EQ(service.breaker_is("open"), row.is_failure);
  for (const Received& attempt : attempts) {
    EXPECT_EQ(attempt.headers.at("Nats-Msg-Id"), line.id);
    EXPECT_EQ(attempt.payload, attempts[0].payload);
  }
  // Nothing comes after the end.
  ASSERT_TRUE(market.flush());
  EXPECT_EQ(service.daemon.metric("rts_orders_in_flight"), 0);
  EXPECT_EQ(engine.received().size(), is_confirmed ? 1U : 0U);
  service.daemon.expect_accounts_balance();
}

INSTANTIATE_TEST_SUITE_P(OfEachVersion, LogAnswer, testing::ValuesIn(rows()),
                         [](const auto& row) { return std::string(row.param.name); });

// --- In doubt -----------------------------------------------------------------------------------

class InDoubt : public testing::Test {
 protected:
  // A book that makes orderbook_skew buy.
  void feed() {
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++id}));
    ASSERT_TRUE(market.flush());
  }
  [[nodiscard]] Environment settings(const Environment& more = {}) const {
    return with(logged_settings(broker.url(), {{"ORDER_ACK_TIMEOUT_MS", "200"},
                                               {"ORDER_TTL_SECONDS", "60"},
                                               {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1000"}}),
                more);
  }
  static Answers silence(ScriptedLog&, std::size_t, const Received&) { return {}; }
  static Answers stored(ScriptedLog& log, std::size_t, const Received& order) {
    return {stored_ack(log.store(order))};
  }

  NatsServer broker;
  Peer market{broker.url()};
  Responder engine{broker.url(), kOrders, always(kAccepted)};
  std::uint64_t id = 0;
};

// Each 100 ms behind the time-out of 200 ms.
TEST_F(InDoubt, TheSameOrderIsSentAgainUntilItsTimeIsUp) {
  ScriptedLog log(broker.url(), silence);
  const OrderService service(settings({{"ORDER_TTL_SECONDS", "2"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(service.ended(1));
  const auto attempts = log.attempts();
  EXPECT_THAT(attempts.size(), AllOf(Ge(5U), Le(11U)));
  service.expect_one("expired", static_cast<int>(attempts.size()), "not stored until valid_until",
                     false, static_cast<int>(attempts.size()) - 1);
  for (const Received& attempt : attempts) EXPECT_EQ(attempt.headers, attempts[0].headers);
}

// "No responders": there is no leader, and nobody who listens.
TEST_F(InDoubt, NobodyListeningToTheLogIsNoEndBeforeValidUntil) {
  ScriptedLog log(broker.url(), stored);
  log.listen(false);
  const OrderService service(settings());
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(
      eventually([&] { return service.daemon.metric("rts_order_repeats_total") > 2; }, kSoon));
  EXPECT_THAT(service.lines(), IsEmpty());
  log.listen(true);
  ASSERT_TRUE(service.ended(1));
  EXPECT_EQ(service.lines()[0].result, "confirmed");
  EXPECT_EQ(engine.received().size(), 1U);
}

TEST_F(InDoubt, NobodyListeningToTheLogUntilThenIsExpiredAndAFailure) {
  ScriptedLog log(broker.url(), stored);
  log.listen(false);
  const OrderService service(
      settings({{"ORDER_TTL_SECONDS", "1"}, {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(service.ended(1));
  EXPECT_EQ(service.lines()[0].result, "expired");
  EXPECT_TRUE(service.breaker_is("open"));
  EXPECT_THAT(engine.received(), IsEmpty());
}

TEST_F(InDoubt, ALostConnectionIsNoEnd) {
  ScriptedLog log(broker.url(), [](ScriptedLog& self, std::size_t attempt, const Received& order) {
    return attempt == 1 ? Answers{} : stored(self, attempt, order);
  });
  const OrderService service(
      settings({{"ORDER_ACK_TIMEOUT_MS", "60000"}, {"ORDER_TTL_SECONDS", "600"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(log.wait_for(1, kSoon));
  broker.kill();
  ASSERT_TRUE(service.says("no connection"));
  EXPECT_THAT(service.lines(), IsEmpty());
  broker.restart();
  ASSERT_TRUE(service.ended(1));
  EXPECT_EQ(service.lines()[0].attempts, log.attempts().size() + 1);
  EXPECT_EQ(log.attempts()[1].headers, log.attempts()[0].headers);
}

// The log knows it when the connection is back, and the engine gets it once.
TEST_F(InDoubt, WhatWasStoredBeforeTheConnectionWasLostIsForwardedWhenTheLogIsRead) {
  ScriptedLog log(broker.url(), [](ScriptedLog& self, std::size_t, const Received& order) {
    self.store(order);
    return Answers{};
  });
  const OrderService service(
      settings({{"ORDER_ACK_TIMEOUT_MS", "60000"}, {"ORDER_TTL_SECONDS", "600"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(log.wait_for(1, kSoon));
  broker.kill();
  ASSERT_TRUE(service.says("no connection"));
  broker.restart();
  ASSERT_TRUE(service.ended(1)) << service.ready();
  EXPECT_THAT(log.attempts(), SizeIs(1));
  EXPECT_LE(engine.received().size(), 1U);  // it may be back later than the service
}

TEST_F(InDoubt, StoredTooLateItIsNotForwarded) {
  ScriptedLog log(broker.url(), silence);
  const OrderService service(
      settings({{"ORDER_ACK_TIMEOUT_MS", "60000"}, {"ORDER_TTL_SECONDS", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  const Stopwatch since_feed;
  feed();
  ASSERT_TRUE(log.wait_for(1, kSoon));
  ASSERT_TRUE(eventually([&] { return since_feed.passed() > 1100ms; }, kSoon));
  const Received order = log.attempts()[0];
  log.answer(order, stored_ack(log.store(order)));
  service.expect_one("expired", 1, "stored, but not before valid_until", true);
  EXPECT_THAT(engine.received(), IsEmpty());
}

// The log has told, the order has been forwarded and has ended.
TEST_F(InDoubt, AnAckThatComesAfterTheEndChangesNothingAndASecondOneIsCounted) {
  ScriptedLog log(broker.url(), [](ScriptedLog& self, std::size_t, const Received& order) {
    self.store(order);
    self.store_text("something else");
    return Answers{};
  });
  const OrderService service(settings({{"ORDER_ACK_TIMEOUT_MS", "60000"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  service.expect_one("confirmed", 2, "status accepted", true);
  for (int i = 0; i < 2; ++i) log.answer(log.attempts().at(0), stored_ack(1));
  ASSERT_TRUE(
      eventually([&] { return service.daemon.metric("rts_order_odd_answers_total") == 1; }, kSoon));
  service.expect_one("confirmed", 2, "status accepted", true);
  EXPECT_EQ(engine.received().size(), 1U);
}

// --- Paused, killed, shut down ------------------------------------------------------------------

TEST_F(InDoubt, PausedBetweenStoringAndForwardingItIsNotSent) {
  ScriptedLog log(broker.url(), silence);
  const OrderService service(settings({{"ORDER_ACK_TIMEOUT_MS", "60000"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(log.wait_for(1, kSoon));
  market.publish("realtime-strategies.control", R"({"command":"pause"})");
  ASSERT_TRUE(eventually([&] { return service.daemon.metric("rts_trading_paused") == 3; }, kSoon));
  const Received order = log.attempts()[0];
  log.answer(order, stored_ack(log.store(order)));
  service.expect_one("superseded", 1, "paused", true);
  EXPECT_THAT(engine.received(), IsEmpty());
}

TEST_F(InDoubt, PausedBeforeItIsStoredItIsNotAskedAgain) {
  ScriptedLog log(broker.url(), silence);
  const OrderService service(settings({{"ORDER_ACK_TIMEOUT_MS", "2000"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(log.wait_for(1, kSoon));
  market.publish("realtime-strategies.control", R"({"command":"pause"})");
  service.expect_one("superseded", 1, "pause", false);
  EXPECT_THAT(log.attempts(), SizeIs(1));
  EXPECT_THAT(engine.received(), IsEmpty());
}

// It loses that order, never the cooldown.
TEST_F(InDoubt, KilledBetweenStoringAndForwardingNobodySendsItAndTheCooldownStays) {
  ScriptedLog log(broker.url(), silence);
  const Environment environment =
      settings({{"ORDER_ACK_TIMEOUT_MS", "60000"}, {"SIGNAL_COOLDOWN_SECONDS", "900"}});
  {
    OrderService killed(environment);
    ASSERT_TRUE(killed.daemon.wait_ready());
    feed();
    ASSERT_TRUE(log.wait_for(1, kSoon));
    killed.daemon.process().signal(SIGKILL);
    ASSERT_TRUE(killed.daemon.process().wait(kSoon));
  }
  log.store(log.attempts()[0]);
  const OrderService service(environment);
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(eventually([&] { return service.daemon.metric("rts_decisions_total") == 1; }, kSoon));
  ASSERT_TRUE(service.daemon.wait_settled());
  EXPECT_EQ(service.daemon.metric("rts_decisions_total", R"(outcome="cooldown")") +
                service.results("duplicate"),
            1);
  EXPECT_THAT(log.attempts(), SizeIs(1));
  EXPECT_THAT(engine.received(), IsEmpty());
}

TEST_F(InDoubt, ShutdownSendsAgainWhatIsInDoubt) {
  ScriptedLog log(broker.url(), [](ScriptedLog& self, std::size_t attempt, const Received& order) {
    return attempt == 1 ? Answers{} : stored(self, attempt, order);
  });
  OrderService service(settings({{"ORDER_ACK_TIMEOUT_MS", "1000"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(log.wait_for(1, kSoon));
  EXPECT_EQ(service.daemon.terminate(), 0);
  EXPECT_THAT(service.ends(), ElementsAre("confirmed/3"));
  EXPECT_EQ(engine.received().size(), 1U);
}

TEST_F(InDoubt, ShutdownEndsWhatIsInDoubtAtItsDeadline) {
  ScriptedLog log(broker.url(), silence);
  OrderService service(settings({{"SHUTDOWN_TIMEOUT_SECONDS", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(log.wait_for(2, kSoon));
  EXPECT_EQ(service.daemon.terminate(), 69);
  ASSERT_THAT(service.lines(), SizeIs(1));
  EXPECT_EQ(service.lines()[0].result, "expired");
  EXPECT_EQ(service.lines()[0].detail, "shut down before it was stored");
  EXPECT_GE(service.lines()[0].attempts, 2);
  EXPECT_THAT(service.daemon.log("shutdown_timed_out"), SizeIs(1));
  EXPECT_THAT(engine.received(), IsEmpty());
}

// --- The circuit breaker ------------------------------------------------------------------------

TEST_F(InDoubt, TheBreakerOpensAfterSoManyOrdersThatEndUnstored) {
  ScriptedLog log(broker.url(), silence);
  const OrderService service(
      settings({{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "3"}, {"ORDER_TTL_SECONDS", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready());
  for (int i = 0; i < 3; ++i) feed();
  ASSERT_TRUE(service.ended(3));
  EXPECT_TRUE(service.breaker_is("open"));
  feed();
  ASSERT_TRUE(service.ended(4));
  EXPECT_EQ(service.results("expired"), 3);
  EXPECT_EQ(service.ends().back(), "circuit_open/0");
}

// Found by a test like this one: a probe was given up after the recovery time-out, so that with a
// longer acknowledgement time-out only the round trip could decide, and always said yes.
TEST_F(InDoubt, AnOrderThatIsTheProbeIsWaitedForUntilItHasEnded) {
  ScriptedLog log(broker.url(), silence);
  const OrderService service(settings({{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"},
                                       {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "1"},
                                       {"ORDER_TTL_SECONDS", "3"}}));
  const auto entered = [&](const std::string& state) {
    return service.daemon.metric("rts_circuit_breaker_transitions_total", "to=\"" + state + "\"");
  };
  ASSERT_TRUE(service.daemon.wait_ready());
  feed();
  ASSERT_TRUE(service.ended(1));
  ASSERT_TRUE(eventually([&] { return service.breaker_is("half_open"); }, kSoon));
  feed();
  ASSERT_TRUE(service.ended(2));
  EXPECT_EQ(service.results("expired"), 2);
  EXPECT_EQ(entered("open"), 2);
  EXPECT_EQ(entered("closed"), 0);
}

}  // namespace
}  // namespace rts::test
