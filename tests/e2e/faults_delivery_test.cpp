// The faults of the order path itself, with their figures: nobody listens, the circuit breaker, the
// kill switch, a frozen TradeEngine, and an order log that is full, absent or deleted.
// tests/integration/delivery_test.cpp has every result and its details.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "scene.hpp"
#include "support/frames.hpp"
#include "support/order_log.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFrames = "binance.websocket.data";
constexpr auto kSoon = 15s;

Environment no_limits(const std::string& url, const Environment& more = {}) {
  Environment all{{"NATS_URL", url},
                  {"SIGNAL_COOLDOWN_SECONDS", "0"},
                  {"RISK_MAX_DAILY_SIGNALS", "0"},
                  {"RISK_MAX_ORDERS_PER_MINUTE", "0"}};
  all.insert(more.begin(), more.end());
  return all;
}

class OrderPath : public testing::Test {
 protected:
  // A book that makes an order of its own id.
  void feed() { peer.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++last_id_})); }
  static double results(const Daemon& daemon, const char* result) {
    return daemon.metric("rts_orders_total", fmt::format(R"(result="{}")", result));
  }
  static bool says(const Daemon& daemon, const char* text) {
    return daemon.get("/ready").body.find(text) != std::string::npos;
  }

  NatsServer broker{NatsServer::kJetStream};
  Peer peer{broker.url()};

 private:
  std::uint64_t last_id_ = 0;
};

TEST_F(OrderPath, NobodyListens) {
  Daemon daemon(no_limits(broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  const Stopwatch watch;
  feed();
  ASSERT_TRUE(
      eventually([&] { return says(daemon, "nobody listens on tradeengine.orders"); }, kSoon));
  const auto said = watch.passed();
  const double counted = results(daemon, "no_responders");
  const bool logged = eventually([&] { return daemon.log("order").size() == 1; }, kSoon);
  EXPECT_EQ(daemon.get("/ready").status, 503U);
  Sink engine(broker.url(), kOrderSubject, Answer::accepted);
  feed();
  const bool healed = daemon.wait_ready();
  report_fault({.fault = "nobody listens on the order subject",
                .promise = "said within the first order",
                .figure = "log + metric + /ready",
                .measured = fmt::format("{} after {}; ready with the next order: {}",
                                        logged ? "all three" : "no log line", text_of(said),
                                        healed ? "yes" : "no"),
                .held = counted == 1 && logged && healed});
  daemon.expect_accounts_balance();
}

TEST_F(OrderPath, CircuitBreaker) {
  Daemon daemon(no_limits(broker.url(), {{"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "1"}}));
  ASSERT_TRUE(daemon.wait_ready());
  for (int i = 0; i < 20; ++i) feed();
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_orders_total") == 20; }, kSoon));
  // Which orders were under way when the fifth failure came is the network's affair.
  const double tried = results(daemon, "no_responders");
  EXPECT_EQ(tried + results(daemon, "circuit_open"), 20);
  feed();
  ASSERT_TRUE(eventually([&] { return results(daemon, "circuit_open") > 0; }, kSoon));
  const bool refused = daemon.get("/ready").status == 503U && says(daemon, "orders are held back");
  Sink engine(broker.url(), kOrderSubject, Answer::accepted);
  ASSERT_TRUE(eventually(
      [&] {
        return daemon.metric("rts_circuit_breaker_state", R"(state="half_open")") == 1 ||
               daemon.metric("rts_circuit_breaker_state", R"(state="closed")") == 1;
      },
      kSoon));
  feed();
  const bool closed =
      eventually([&] { return results(daemon, "confirmed") == 1; }, kSoon) && daemon.wait_ready();
  const double opened = daemon.metric("rts_circuit_breaker_transitions_total", R"(to="open")");
  report_fault({.fault = "breaker: nobody listens, then somebody does",
                .promise = "5 failures open, one probe, closes",
                .figure = "opens once; 503 while open; closes",
                .measured = fmt::format("{} failures, opened {} times, {} held back, {}", tried,
                                        opened, results(daemon, "circuit_open"),
                                        closed ? "closed by the probe" : "not closed"),
                .held = tried >= 5 && opened == 1 && refused && closed});
  daemon.expect_accounts_balance();
}

TEST_F(OrderPath, PauseAndResume) {
  Sink engine(broker.url(), kOrderSubject);
  Daemon daemon(no_limits(broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  feed();
  ASSERT_TRUE(engine.wait_for(1, kSoon));
  const Stopwatch watch;
  peer.publish("realtime-strategies.control", R"({"command":"pause"})");
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_trading_paused") == 3; }, kSoon));
  const auto paused_after = watch.passed();
  for (int i = 0; i < 100; ++i) feed();
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_frames_received_total") == 101; }, kSoon));
  const double held_back = daemon.metric("rts_decisions_total", R"(outcome="paused")");
  const std::size_t while_paused = engine.size() - 1;
  peer.publish("realtime-strategies.control", R"({"command":"resume"})");
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_trading_paused") == 0; }, kSoon));
  feed();
  const bool resumed = engine.wait_for(2, kSoon);
  report_fault({.fault = "pause, resume",
                .promise = "no opening order; frames keep counting",
                .figure = "<= 100 ms",
                .measured = fmt::format("paused after {}; {} of 100 held back, {} orders; {}",
                                        text_of(paused_after), held_back, while_paused,
                                        resumed ? "resumed" : "not resumed"),
                .held = paused_after <= loosened(100ms) && held_back == 100 && while_paused == 0 &&
                        resumed});
  daemon.expect_accounts_balance();
}

TEST_F(OrderPath, StreamFullAbsentDeleted) {
  Sink engine(broker.url(), kOrderSubject, Answer::accepted);
  OrderLogAdmin log(broker.url());
  Daemon daemon(
      no_limits(broker.url(), {{"ORDER_DELIVERY", "jetstream"}, {"ORDER_TTL_SECONDS", "1"}}));
  ASSERT_TRUE(eventually([&] { return says(daemon, "no stream stores orders.intents"); }, kSoon));
  feed();
  ASSERT_TRUE(eventually([&] { return results(daemon, "disconnected") == 1; }, kSoon));
  log.make({.max_messages = 2});
  Stopwatch watch;
  ASSERT_TRUE(daemon.wait_ready(kSoon));
  const auto found = watch.passed();
  for (int i = 0; i < 5; ++i) feed();
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_orders_total") == 6; }, kSoon));
  const double stored = results(daemon, "confirmed");
  const double rejected = results(daemon, "rejected");
  const bool full_is_no_fault = daemon.ready();
  const double repeats_before = daemon.metric("rts_order_repeats_total");
  log.remove();
  feed();
  watch = Stopwatch();
  ASSERT_TRUE(eventually([&] { return daemon.get("/ready").status == 503; }, kSoon + 5s));
  const auto missed = watch.passed();
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_orders_total") == 7; }, kSoon));
  const double repeats = daemon.metric("rts_order_repeats_total") - repeats_before;
  report_fault(
      {.fault = "order log absent, full (cap 2), deleted",
       .promise = "no order / terminal with reason / asked again until valid_until",
       .figure = "no retry storm: <= 10 a second; nothing sent that is not stored",
       .measured = fmt::format(
           "ready {} after it was made; {} stored, {} rejected, ready; deleted: expired {}, {} "
           "repeats in a second, said after {}",
           text_of(found), stored, rejected, results(daemon, "expired"), repeats, text_of(missed)),
       .held = stored == 2 && rejected == 3 && full_is_no_fault && repeats <= 10 &&
               results(daemon, "expired") == 1 && engine.size() == 2});
  daemon.expect_accounts_balance();
}

// What stands still behind our broker gets what was sent to it when it goes on: in core mode, and
// behind the order log.
TEST_F(OrderPath, TradeEngineFrozenForTwentySeconds) {
  constexpr std::size_t kSilenceLimit = 3;  // ORDER_SILENCE_LIMIT
  constexpr auto kBetween = 500ms;          // orders; longer than an answer is waited for
  constexpr const char* kOtherSubject = "behind.the.log";
  OrderLogAdmin(broker.url()).make();
  Proxy path(broker.port());
  const Sink core_engine(path.url(), kOrderSubject, Answer::accepted);
  const Sink log_engine(path.url(), kOtherSubject, Answer::accepted);
  Environment settings = no_limits(broker.url(), {{"NATS_CONSUMER_GROUP", ""},
                                                  {"ORDER_ACK_TIMEOUT_MS", "200"},
                                                  {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "21"}});
  const Daemon core(settings);
  settings["ORDER_DELIVERY"] = "jetstream";
  settings["NATS_PUBLISHER_TOPIC"] = kOtherSubject;
  const Daemon log(settings);
  ASSERT_TRUE(core.wait_ready() && log.wait_ready());
  const auto feed_until = [&](auto done, std::chrono::seconds limit) {
    const Deadline deadline(limit);
    while (!done() && !deadline.expired()) {
      feed();
      std::this_thread::sleep_for(kBetween);
    }
    return done();
  };
  ASSERT_TRUE(feed_until([&] { return core_engine.size() > 2 && log_engine.size() > 2; }, kSoon));
  path.set(kBlackHole);
  (void)feed_until([] { return false; }, 20s);
  path.set({});
  const auto closed = [&](const Daemon& daemon) {
    return daemon.metric("rts_circuit_breaker_state", R"(state="closed")") == 1;
  };
  EXPECT_TRUE(feed_until([&] { return closed(core) && closed(log); }, kSoon));
  for (const Daemon* daemon : {&core, &log}) {
    EXPECT_TRUE(daemon->wait_settled());
    daemon->expect_accounts_balance();
  }
  const auto late = [](const Sink& engine) {
    const auto orders = engine.orders();
    return static_cast<std::size_t>(
        std::ranges::count_if(orders, [](const ArrivedOrder& order) { return order.stale(); }));
  };
  report_fault(
      {.fault = "a TradeEngine that has confirmed orders freezes for 20 s",
       .promise = "after ORDER_SILENCE_LIMIT silences nothing more is sent",
       .figure = fmt::format("late <= {}; trades again after it", kSilenceLimit),
       .measured = fmt::format("core: late {}, held back {}; behind the log: late {}, held back {}",
                               late(core_engine), results(core, "circuit_open"), late(log_engine),
                               results(log, "circuit_open")),
       .held = late(core_engine) <= kSilenceLimit && late(log_engine) <= kSilenceLimit &&
               closed(core) && closed(log)});
}

}  // namespace
}  // namespace rts::test
