// When a stream is looked at, on a transport that is played: what is read of it, and what it means,
// tests/property/simulation.hpp and the tests against real brokers see.
#include "service/stream_follower.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace rts::service {
namespace {

using namespace std::chrono_literals;

// A broker with an empty stream, which answers at once.
class PlayedTransport final : public StreamTransport {
 public:
  nats::PublishResult request(const nats::Outgoing&, std::chrono::milliseconds,
                              nats::ReplyHandler on_reply) override {
    ++looks;
    wakes_.emplace(now_, [this, on_reply = std::move(on_reply)] {
      const std::string info =
          fmt::format(R"({{"config":{{"name":"LOG"}},"created":"{}","ts":"{}",)"
                      R"("state":{{"first_seq":1,"last_seq":0}}}})",
                      created, answered);
      (void)on_reply({.kind = nats::ReplyKind::answered, .payload = info});
    });
    return nats::PublishResult::sent;
  }
  nats::Status status() const override {
    nats::Status status;
    status.connected = status.hears_commands = status.takes_headers = connected;
    return status;
  }
  SteadyTime steady_now() const override { return now_; }
  void wake_at(SteadyTime at, std::function<void()> wake) override {
    wakes_.emplace(std::max(at, now_), std::move(wake));
  }

  void pass(std::chrono::milliseconds time) {
    const SteadyTime end = now_ + time;
    while (!wakes_.empty() && wakes_.begin()->first <= end) {
      const auto next = wakes_.extract(wakes_.begin());
      now_ = next.key();
      next.mapped()();
    }
    now_ = end;
  }
  [[nodiscard]] std::size_t waiting() const { return wakes_.size(); }

  bool connected = true;
  int looks = 0;
  // The stream, and the answer, by the clock of the broker that answers.
  std::string created, answered;

 private:
  SteadyTime now_{1h};
  std::multimap<SteadyTime, std::function<void()>> wakes_;
};

class Following : public testing::Test {
 protected:
  Following() { follower.on_connection_change(); }

  PlayedTransport transport;
  StreamFollower follower{transport,
                          {.domain = {}, .subject = {}, .stream = "LOG"},
                          {.check = [](const StreamFacts&) { return StreamFollower::Fit{}; },
                           .on_entry = [](const wire::StoredMessage&) {},
                           .on_looked = [](bool, bool) {}}};
};

TEST_F(Following, LooksAtOnceAndThenEveryFiveSeconds) {
  transport.pass(4999ms);
  EXPECT_EQ(transport.looks, 1);
  EXPECT_TRUE(follower.is_read());
  transport.pass(1ms);
  EXPECT_EQ(transport.looks, 2);
  transport.pass(5000ms);
  EXPECT_EQ(transport.looks, 3);
}

// At once, and 25, 100, 400 and 1500 ms after each other: it may not be stored yet.
TEST_F(Following, LooksSoonAndOftenForWhatIsOnItsWay) {
  transport.pass(1000ms);
  follower.hint_ahead();
  const int before = transport.looks;
  for (const auto interval : {25ms, 100ms, 400ms, 1500ms}) {
    const int looks = transport.looks;
    transport.pass(interval - 1ms);
    EXPECT_EQ(transport.looks, looks) << interval.count();
    transport.pass(1ms);
    EXPECT_EQ(transport.looks, looks + 1) << interval.count();
  }
  EXPECT_EQ(transport.looks, before + 4);
  transport.pass(4999ms);
  EXPECT_EQ(transport.looks, before + 4);
  transport.pass(1ms);
  EXPECT_EQ(transport.looks, before + 5);
}

TEST_F(Following, HasFewWakesWaitingHoweverOftenItIsHinted) {
  for (int i = 0; i < 1000; ++i) {
    i % 3 == 0 ? follower.hint_ahead() : follower.hint(7);
    transport.pass(1ms);
  }
  EXPECT_GT(transport.looks, 900);
  EXPECT_LT(transport.waiting(), 10U);
}

TEST_F(Following, LooksNotWithoutAConnectionAndAtOnceOnTheNext) {
  transport.pass(1000ms);
  transport.connected = false;
  follower.on_connection_change();
  transport.pass(60s);
  EXPECT_EQ(transport.looks, 1);
  transport.connected = true;
  follower.on_connection_change();
  EXPECT_FALSE(follower.is_read());
  transport.pass(0ms);
  EXPECT_EQ(transport.looks, 2);
  EXPECT_TRUE(follower.is_read());
}

// Each broker of a cluster of nats-server 2.10 has a time of its own for when a stream was made:
// what moves with its leader is no other stream. One that was made behind the last look is, and so
// is one of which a broker does not say when it was asked, as before 2.10.
TEST_F(Following, TellsAStreamThatWasMadeAnewFromOneWhoseLeaderHasMoved) {
  struct Case {
    const char *created, *created_then, *answered;
    std::uint64_t anew;
  };
  for (const Case& c : {
           Case{"2026-11-29T14:20:56.370Z", "2026-11-29T14:20:56.870775188Z",
                "2026-11-29T14:20:58.1Z", 0},
           Case{"2026-11-29T14:20:56.370Z", "2026-11-29T14:20:55.1Z", "2026-11-29T14:20:58.1Z", 0},
           Case{"2026-11-29T14:20:56.370Z", "2026-11-29T14:20:57.101Z", "2026-11-29T14:20:58.1Z",
                1},
           Case{"2026-11-29T14:20:56.370Z", "2026-11-29T14:21:07Z", "2026-11-29T14:20:58.1Z", 1},
           Case{"2026-11-29T14:20:56.370Z", "2026-11-29T14:20:56.871Z", "", 1},
           Case{"2026-11-29T14:20:56.370Z", "whenever", "2026-11-29T14:20:58.1Z", 1},
       }) {
    SCOPED_TRACE(c.created_then);
    transport.created = c.created;
    transport.answered = c.answered;
    transport.pass(5s);  // the stream of the last case is gone
    const std::uint64_t before = follower.generation();
    transport.pass(5s);
    EXPECT_EQ(follower.generation(), before);
    transport.created = c.created_then;
    transport.pass(5s);
    EXPECT_EQ(follower.generation(), before + c.anew);
    EXPECT_TRUE(follower.is_read());
  }
}

}  // namespace
}  // namespace rts::service
