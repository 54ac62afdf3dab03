// The checks between an order and the broker, at their boundary. The client has not been started,
// so an order that passes them ends as `disconnected`.
#include "service/publisher.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/order_clock.hpp"
#include "service/status.hpp"

namespace rts::service {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

OrderResult publish(UnixMs now, DeliveryParameters options = {}) {
  boost::asio::io_context loop;
  nats::Client client(loop, {}, {});
  std::vector<OrderResult> results;
  options.subject = "orders";
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
  EXPECT_EQ(publish(UnixMs(9'999ms)), OrderResult::disconnected);
  EXPECT_EQ(publish(UnixMs(10'000ms)), OrderResult::expired);
  EXPECT_EQ(publish(UnixMs(10'001ms)), OrderResult::expired);
}

TEST(Publisher, RefusesMoreThanMayBeInFlight) {
  EXPECT_EQ(publish(UnixMs(0ms), {.max_in_flight = 1}), OrderResult::disconnected);
  EXPECT_EQ(publish(UnixMs(0ms), {.max_in_flight = 0}), OrderResult::buffer_full);
}

TEST(Publisher, ADryRunSendsNothing) {
  EXPECT_EQ(publish(UnixMs(0ms), {.dry_run = true}), OrderResult::dry_run);
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

// --- Readiness: each check alone takes it away

State healthy() {
  State made;
  made.nats.connected = made.nats.subscribed = made.nats.answering = true;
  made.max_buffered_bytes = 100;
  return made;
}

TEST(State, IsReadyOnlyWithEveryCheck) {
  const auto state = [](auto change) {
    State made = healthy();
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

// Found by a new user: "orders can be sent" was said with nobody there to take them.
TEST(State, SaysThatOrdersCanBeSentOnlyWhenThatIsKnown) {
  State state = healthy();
  EXPECT_THAT(ready_json(state), HasSubstr(R"("detail":"orders can be sent")"));
  state.path_tried = false;
  EXPECT_TRUE(state.ready());
  EXPECT_THAT(ready_json(state), HasSubstr("not known until the first order"));
  EXPECT_THAT(ready_json(state), Not(HasSubstr("orders can be sent")));
  state.path_problem = "nobody listens on orders";
  EXPECT_THAT(ready_json(state), HasSubstr(R"("detail":"nobody listens on orders")"));
  state.path_problem.clear();
  state.dry_run = true;
  EXPECT_THAT(ready_json(state), HasSubstr(R"("detail":"dry run: no order is sent")"));
}

}  // namespace
}  // namespace rts::service
