// Replicas come and go, as they are told and as they are not.
#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "e2e/scene.hpp"
#include "support/order_log.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = loosened(15s);

TEST(ReplicaFault, KilledUnderLoad) {
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(2000));
  const Environment environment = environment_of(memoryless_settings(), broker.url());
  std::optional<Daemon> daemon;
  daemon.emplace(environment);
  ASSERT_TRUE(daemon->wait_ready());
  feed.start();
  std::vector<FaultWindow> outages;
  std::chrono::nanoseconds slowest{0};
  constexpr int kKills = 5;
  for (int i = 0; i < kKills; ++i) {
    ASSERT_TRUE(sink.wait_for(sink.size() + 200, kSoon));
    ASSERT_TRUE(feed.wait_in_step(kSoon));  // late frames make no orders, and that is no fault
    const Outage outage;
    daemon->process().signal(SIGKILL);
    ASSERT_TRUE(daemon->process().wait(kSoon));
    const Stopwatch since_restart;
    daemon.emplace(environment);
    ASSERT_TRUE(daemon->wait_ready());
    slowest = std::max<std::chrono::nanoseconds>(slowest, since_restart.passed());
    outages.push_back(outage.over());
  }
  ASSERT_TRUE(sink.wait_for(sink.size() + 200, kSoon));
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = sink.settle(feed.expected(), outages, kSoon);
  daemon->expect_accounts_balance();
  EXPECT_EQ(daemon->terminate(loosened(5s)), 0);
  report_fault(
      {.fault = fmt::format("SIGKILL under load, {} times", kKills),
       .promise = "bounded loss, no half order",
       .figure = "duplicates 0; ready <= 1 s after restart",
       .measured = fmt::format("ready after {} at most; {}", text_of(slowest), verdict.text()),
       .held = verdict.clean() && slowest <= loosened(1s)});
  EXPECT_EQ(verdict.details(), "");
}

TEST(ReplicaFault, RollingRestarts) {
  // With a control log, which a replica reads before it takes the first frame from the others.
  NatsServer broker(NatsServer::kJetStream);
  OrderLogAdmin(broker.url()).make();
  Sink sink(broker.url(), kOrderSubject);
  constexpr std::uint64_t kRate = 10'000;
  Feed feed(broker.url(), memoryless_feed(kRate));
  const Environment environment = environment_of(memoryless_settings(), broker.url());
  std::array<std::unique_ptr<Daemon>, 3> replicas;
  for (auto& replica : replicas) {
    replica = std::make_unique<Daemon>(environment);
    ASSERT_TRUE(replica->wait_ready());
  }
  feed.start();
  std::chrono::nanoseconds slowest_exit{0};
  int clean_exits = 0;
  constexpr int kRestarts = 5;
  for (int i = 0; i < kRestarts; ++i) {
    auto& replica = replicas[static_cast<std::size_t>(i) % replicas.size()];
    ASSERT_TRUE(sink.wait_for(sink.size() + lightened(3000U), kSoon));
    replica->expect_accounts_balance();
    const Stopwatch since_sigterm;
    if (replica->terminate(kSoon) == 0) ++clean_exits;
    slowest_exit = std::max<std::chrono::nanoseconds>(slowest_exit, since_sigterm.passed());
    replica = std::make_unique<Daemon>(environment);
    ASSERT_TRUE(replica->wait_ready());
  }
  ASSERT_TRUE(sink.wait_for(sink.size() + lightened(3000U), kSoon));
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = sink.settle(feed.expected(), {}, kSoon);
  for (const auto& replica : replicas) {
    EXPECT_GT(replica->metric("rts_frames_received_total"), 0);
    replica->expect_accounts_balance();
  }
  report_fault(
      {.fault = fmt::format("3 replicas in the queue group, {} rolling restarts at {} "
                            "frames/s",
                            kRestarts, lightened(kRate)),
       .promise = "every frame handled once",
       .figure = "lost 0, twice 0; exit 0 <= 5 s each",
       .measured = fmt::format("{} of {} exits 0, {} at most; {} frames; {}", clean_exits,
                               kRestarts, text_of(slowest_exit), feed.published(), verdict.text()),
       .held = verdict.clean() && clean_exits == kRestarts && slowest_exit <= loosened(5s)});
  EXPECT_EQ(verdict.details(), "");
}

}  // namespace
}  // namespace rts::test
