// The faults of the order path itself, with their figures: nobody listens, the circuit breaker, the
// kill switch, and a stream that is full, absent or deleted. tests/integration/delivery_test.cpp
// has every result and its details.
#include <chrono>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "nats/admin.hpp"
#include "nats/subjects.hpp"
#include "scene.hpp"
#include "support/frames.hpp"
#include "support/peer.hpp"

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

Environment through_stream(const std::string& url) {
  return no_limits(url,
                   {{"ORDER_DELIVERY", "jetstream"}, {"NATS_PUBLISHER_TOPIC", "orders.intents"}});
}

class OrderPath : public testing::Test {
 protected:
  // A book that makes an order of its own id.
  void feed() { peer.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++last_id_})); }
  std::string admin(const std::string& subject, const std::string& request) {
    nats::ClientOptions options;
    options.urls.emplace_back(broker.url());
    auto connected = nats::Admin::connect(options, nats::inbox_prefix("test"));
    if (!connected) return connected.error();
    const auto answer = connected.value().request(subject, request);
    return answer ? answer.value() : answer.error();
  }
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
  Daemon daemon(through_stream(broker.url()));
  ASSERT_TRUE(eventually([&] { return says(daemon, "no stream stores orders.intents"); }, kSoon));
  const RunResult made =
      run_binary({"provision", "--daily-cap", "2"}, through_stream(broker.url()));
  ASSERT_EQ(made.exit_code, 0) << made.err;
  Stopwatch watch;
  ASSERT_TRUE(daemon.wait_ready(kSoon));
  const auto found = watch.passed();
  for (int i = 0; i < 5; ++i) feed();
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_orders_total") == 5; }, kSoon));
  const double stored = results(daemon, "confirmed");
  const double rejected = results(daemon, "rejected");
  const bool full_is_no_fault = daemon.ready();
  admin("$JS.API.STREAM.DELETE.ORDERS", "");
  feed();
  watch = Stopwatch();
  ASSERT_TRUE(eventually([&] { return daemon.get("/ready").status == 503; }, kSoon));
  const auto missed = watch.passed();
  const double repeats = daemon.metric("rts_order_repeats_total");
  report_fault(
      {.fault = "stream absent, full (cap 2), deleted",
       .promise = "not ready / terminal with reason / not ready",
       .figure = "no retry storm",
       .measured = fmt::format(
           "ready {} after it was made; {} stored, {} rejected, ready; deleted: said after "
           "{}; {} repeats",
           text_of(found), stored, rejected, text_of(missed), repeats),
       .held = stored == 2 && rejected == 3 && full_is_no_fault && repeats == 0 &&
               results(daemon, "no_responders") == 1});
  daemon.expect_accounts_balance();
}

}  // namespace
}  // namespace rts::test
