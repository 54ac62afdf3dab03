// The checks between an order and the broker, at their boundary. The client has not been started,
// so an order that passes them ends as `disconnected`.
#include "app/publisher.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "app/order_clock.hpp"
#include "app/status.hpp"

namespace rts::app {
namespace {

using namespace std::chrono_literals;
OrderResult publish(UnixMs now, bool dry_run) {
  boost::asio::io_context loop;
  nats::Client client(loop, {}, {});
  std::vector<OrderResult> results;
  PublisherOptions options;
  options.subject = "orders";
  options.dry_run = dry_run;
  Publisher publisher(loop, client, options,
                      {.now = [now] { return now; },
                       .is_paused = [](StrategyId) { return false; },
                       .on_sent = [](auto) {},
                       .on_result = [&](const OrderReport& r) { results.push_back(r.result); },
                       .on_odd_answer = [](std::string_view) {},
                       .on_breaker = [](CircuitBreaker::State) {}});
  Order order;
  order.symbol = "BTCUSDT";
  order.valid_until = UnixMs(10s);
  publisher.publish(order, "", {});
  EXPECT_EQ(results.size(), 1U);
  return results.at(0);
}

TEST(Publisher, SendsBeforeValidUntilAndNotAtIt) {
  EXPECT_EQ(publish(UnixMs(9'999ms), false), OrderResult::disconnected);
  EXPECT_EQ(publish(UnixMs(10'000ms), false), OrderResult::expired);
  EXPECT_EQ(publish(UnixMs(10'001ms), false), OrderResult::expired);
}

TEST(Publisher, ADryRunSendsNothing) {
  EXPECT_EQ(publish(UnixMs(0ms), true), OrderResult::dry_run);
}

TEST(OrderClock, IsNeverBeforeTheNewestEventThatWasAccepted) {
  OrderClock clock;
  EXPECT_EQ(clock.now(UnixMs(10s)), UnixMs(10s));
  clock.accepted(UnixMs(12s));
  clock.accepted(UnixMs(11s));
  EXPECT_EQ(clock.now(UnixMs(10s)), UnixMs(12s));
  EXPECT_EQ(clock.now(UnixMs(12s)), UnixMs(12s));
  EXPECT_EQ(clock.now(UnixMs(13s)), UnixMs(13s));
}

TEST(Traceparent, HasTheFormOfW3cTraceContext) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_TRUE(is_traceparent(good));
  EXPECT_FALSE(is_traceparent(""));
  EXPECT_FALSE(is_traceparent(good + "0"));
  EXPECT_FALSE(is_traceparent(good.substr(1)));
  EXPECT_FALSE(is_traceparent("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(is_traceparent("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
}

// --- Readiness: each check alone takes it away

TEST(State, IsReadyOnlyWithEveryCheck) {
  const auto state = [](auto change) {
    State made;
    made.nats.connected = made.nats.subscribed = made.nats.answering = true;
    made.max_buffered_bytes = 100;
    change(made);
    return made.ready();
  };
  EXPECT_TRUE(state([](State&) {}));
  EXPECT_FALSE(state([](State& s) { s.nats.connected = false; }));
  EXPECT_FALSE(state([](State& s) { s.nats.subscribed = false; }));
  EXPECT_FALSE(state([](State& s) { s.nats.answering = false; }));
  EXPECT_FALSE(state([](State& s) { s.nats.buffered_bytes = 100; }));
  EXPECT_FALSE(state([](State& s) { s.draining = true; }));
  EXPECT_FALSE(state([](State& s) { s.path_problem = "nobody listens"; }));
  EXPECT_FALSE(state([](State& s) { s.delivery.breaker = CircuitBreaker::State::open; }));
  EXPECT_FALSE(state([](State& s) { s.delivery.breaker = CircuitBreaker::State::half_open; }));
}

}  // namespace
}  // namespace rts::app
