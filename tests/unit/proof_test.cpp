// What is known of the path to the broker: since when it is unconfirmed, and what has to have
// arrived by when.
#include <gtest/gtest.h>

#include "nats/heartbeat.hpp"

namespace rts::nats {
namespace {

using namespace std::chrono_literals;

const Heartbeat::TimePoint kStart{1h};

// The handshake's answer is the first confirmation.
TEST(NatsHeartbeat, IsUnconfirmedSinceTheLastThatCameBackWasSent) {
  Heartbeat heartbeat;
  heartbeat.send(kStart);
  EXPECT_EQ(heartbeat.unconfirmed_for(kStart + 1s), 1s);
  heartbeat.send(kStart + 2s);
  EXPECT_EQ(heartbeat.unconfirmed_for(kStart + 3s), 3s);
  heartbeat.returned(1, kStart + 3s);
  EXPECT_EQ(heartbeat.unconfirmed_for(kStart + 3s), 3s)
      << "what was sent after it is not confirmed";
  heartbeat.returned(2, kStart + 4s);
  EXPECT_EQ(heartbeat.unconfirmed_for(kStart + 4s), 2s) << "never less than its round trip";
  EXPECT_EQ(heartbeat.unanswered_for(kStart + 9s), 0s);
  EXPECT_EQ(heartbeat.unconfirmed_for(kStart + 9s), 7s) << "also when none is missing";
}

TEST(NatsHeartbeat, ALateReturnConfirmsNoMoreThanWhatStoodBeforeIt) {
  Heartbeat heartbeat;
  for (int i = 0; i < 100; ++i) heartbeat.send(kStart + i * 1s);
  EXPECT_EQ(heartbeat.unconfirmed_for(kStart + 100s), 100s);
  heartbeat.returned(10, kStart + 100s);
  EXPECT_EQ(heartbeat.unconfirmed_for(kStart + 100s), 91s);
  heartbeat.returned(99, kStart + 100s);
  EXPECT_EQ(heartbeat.unconfirmed_for(kStart + 100s), 2s);
}

TEST(NatsArrivals, AreAwaitedUntilAFenceBehindThemIsBack) {
  Arrivals arrivals;
  EXPECT_FALSE(arrivals.earliest());
  arrivals.await(3, kStart + 5s);
  arrivals.await(4, kStart + 1s);
  arrivals.await(7, kStart + 3s);
  EXPECT_EQ(arrivals.earliest(), kStart + 1s);
  arrivals.confirm(2);
  EXPECT_EQ(arrivals.size(), 3U);
  arrivals.confirm(5);  // of a message that was good for ever: it stood behind the first two
  EXPECT_EQ(arrivals.earliest(), kStart + 3s);
  arrivals.confirm(7);
  EXPECT_FALSE(arrivals.earliest());
  EXPECT_EQ(arrivals.size(), 0U);
}

}  // namespace
}  // namespace rts::nats
