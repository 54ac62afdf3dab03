// The broker fails in every way a broker can: absent, killed, frozen, cut off, talking nonsense.
#include <chrono>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "e2e/scene.hpp"
#include "support/fake_broker.hpp"
#include "support/own_network.hpp"
#include "support/probe.hpp"
#include "support/proxy.hpp"
#include "support/usage.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = loosened(15s);  // for what takes milliseconds when all is well

bool alive(const Daemon& daemon) { return daemon.get("/healthz").status == 200; }

TEST(BrokerFault, DownAtStart) {
  NatsServer broker;
  broker.stop();
  Daemon daemon(environment_of(memoryless_settings(), broker.url()));
  const CpuMeter cpu(daemon.process().pid());
  // Long enough for the pauses between attempts to have grown.
  const bool waited =
      throughout(12s, [&] { return alive(daemon) && daemon.get("/ready").status == 503; });
  const double share = cpu.share();
  const Stopwatch since_return;
  broker.restart();
  EXPECT_TRUE(daemon.wait_ready(kSoon)) << daemon.get("/ready").body;
  const auto ready_after = since_return.passed();
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(1000));
  EXPECT_TRUE(feed.publish(200));
  EXPECT_TRUE(sink.settle(feed.expected(), {}, kSoon).clean());
  report_fault(
      {.fault = "broker down at start, for 12 s",
       .promise = "stays up, /healthz 200, /ready 503, ready when it appears",
       .figure = "ready <= 2 s after; < 2 % CPU waiting",
       .measured = fmt::format("ready after {}; {:.1f} % CPU", text_of(ready_after), share * 100),
       .held = waited && ready_after <= loosened(2s) && share < loosened(0.02)});
  daemon.expect_accounts_balance();
}

TEST(BrokerFault, KilledUnderLoadAgainAndAgain) {
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(2000));
  Daemon daemon(environment_of(memoryless_settings(), broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  feed.start();
  std::vector<FaultWindow> outages;
  std::chrono::nanoseconds slowest{0};
  for (const auto back_after : {300ms, 300ms, 300ms, 3000ms, 3000ms}) {
    ASSERT_TRUE(sink.wait_for(sink.size() + 200, kSoon)) << daemon.log();
    ASSERT_TRUE(feed.wait_in_step(kSoon));  // late frames make no orders, and that is no fault
    const Outage outage;
    broker.kill();
    EXPECT_TRUE(throughout(back_after, [&] { return alive(daemon); }));
    const Stopwatch since_return;
    broker.restart();
    ASSERT_TRUE(daemon.wait_ready(kSoon)) << daemon.get("/ready").body;
    slowest = std::max<std::chrono::nanoseconds>(slowest, since_return.passed());
    ASSERT_TRUE(sink.wait_subscribed(kSoon));
    outages.push_back(outage.over());
  }
  ASSERT_TRUE(sink.wait_for(sink.size() + 200, kSoon));
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = sink.settle(feed.expected(), outages, kSoon);
  EXPECT_EQ(daemon.metric("rts_nats_reconnects_total"), 5);
  daemon.expect_accounts_balance();
  report_fault(
      {.fault = "broker killed under load, back after 0.3 s (3x) and 3 s (2x)",
       .promise = "resubscribes, no crash, nothing stale, nothing twice",
       .figure = "ready <= 2 s after return; stale 0, duplicates 0",
       .measured = fmt::format("ready after {} at most; {}", text_of(slowest), verdict.text()),
       .held = verdict.clean() && slowest <= loosened(2s)});
  EXPECT_EQ(verdict.details(), "");
  EXPECT_EQ(daemon.terminate(loosened(5s)), 0);
}

// The path between service and broker falls silent for 8 s under load and heals.
struct Silence {
  std::string fault;
  std::string url_of_service;
  std::string url_of_others;
  std::uint16_t monitor;  // the broker's HTTP port
  std::function<void()> begin;
  std::function<void()> end;
  bool broker_freezes = false;
};

constexpr const char* kConnections = "\"connections\": 3,";  // feed, sink and service

std::string monitored(std::uint16_t port) {
  return fmt::format("{}http: 127.0.0.1:{}\n", kAttentiveBroker, port);
}

void expect_silence_survived(const Silence& silence) {
  Sink sink(silence.url_of_others, kOrderSubject);
  Feed feed(silence.url_of_others, memoryless_feed(1000));
  Daemon daemon(environment_of(memoryless_settings(), silence.url_of_service));
  ASSERT_TRUE(daemon.wait_ready());
  feed.start();
  ASSERT_TRUE(sink.wait_for(200, kSoon));
  LoopProbe probe(daemon.port(), daemon.process().pid());
  const Outage outage;
  const Stopwatch since_silence;
  silence.begin();
  const UnixMs frozen_from = silence.broker_freezes ? to_ms(wall_clock()) : UnixMs::min();
  EXPECT_TRUE(eventually([&] { return !daemon.ready(); }, kSoon));
  const auto not_ready = since_silence.passed();
  EXPECT_TRUE(eventually([&] { return daemon.metric("rts_nats_connected") == 0; }, kSoon));
  const auto noticed = since_silence.passed();
  EXPECT_TRUE(throughout(8s - since_silence.passed(), [&] { return !daemon.ready(); }));
  silence.end();
  const Stopwatch since_healing;
  EXPECT_TRUE(daemon.wait_ready(kSoon)) << daemon.get("/ready").body;
  const auto ready_after = since_healing.passed();
  ASSERT_TRUE(sink.wait_subscribed(kSoon));
  ASSERT_TRUE(feed.wait_in_step(kSoon));
  // Until the broker has noticed, too, it deals frames to the dead member of the queue group.
  ASSERT_TRUE(eventually(
      [&] {
        return http_get(silence.monitor, "/varz").body.find(kConnections) != std::string::npos;
      },
      2 * kSoon));
  const auto forgotten_after = since_healing.passed();
  std::vector<FaultWindow> outages{outage.over()};
  outages.front().handed_over = frozen_from;
  ASSERT_TRUE(sink.wait_for(sink.size() + 200, kSoon));
  const LoopProbe::Result loop = probe.stop();
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = sink.settle(feed.expected(), outages, kSoon);
  daemon.expect_accounts_balance();
  report_fault(
      {.fault = silence.fault,
       .promise = "noticed, not ready, orders dropped with reason",
       .figure = "noticed <= 6 s; loop never blocked > 5 ms; late orders after healing 0",
       .measured = fmt::format("not ready after {}, cut after {}; loop {}; ready {} after, the "
                               "broker forgot the old connection {} after; {}",
                               text_of(not_ready), text_of(noticed), loop.text(),
                               text_of(ready_after), text_of(forgotten_after), verdict.text()),
       .held = not_ready <= loosened(6s) && noticed <= loosened(6s) && loop.failures == 0 &&
               loop.blocked <= loosened(5ms) && verdict.clean()});
  EXPECT_EQ(verdict.details(), "");
}

TEST(BrokerFault, Frozen) {
  const std::uint16_t monitor = free_port();
  NatsServer broker(monitored(monitor));
  expect_silence_survived({.fault = "broker frozen (SIGSTOP) for 8 s under load",
                           .url_of_service = broker.url(),
                           .url_of_others = broker.url(),
                           .monitor = monitor,
                           .begin = [&] { broker.suspend(); },
                           .end = [&] { broker.resume(); },
                           .broker_freezes = true});
}

// Packets are lost where the machine allows it; elsewhere a proxy stands still.
TEST(BrokerFault, Partition) {
  if (const auto network = OwnNetwork::enter()) {
    const std::uint16_t monitor = free_port();
    NatsServer broker(monitored(monitor), NatsServer::Listen::everywhere);
    const std::string address = "127.0.0.2";
    expect_silence_survived(
        {.fault = "network partition (namespace, iptables DROP) for 8 s under load",
         .url_of_service = fmt::format("nats://{}:{}", address, broker.port()),
         .url_of_others = broker.url(),
         .monitor = monitor,
         .begin = [&] { network->cut(address); },
         .end = [&] { network->heal(); }});
    return;
  }
  const std::uint16_t monitor = free_port();
  NatsServer broker(monitored(monitor));
  Proxy proxy(broker.port());
  expect_silence_survived({.fault = "network partition (black-hole proxy) for 8 s under load",
                           .url_of_service = proxy.url(),
                           .url_of_others = broker.url(),
                           .monitor = monitor,
                           .begin = [&] { proxy.set(kBlackHole); },
                           .end = [&] { proxy.set({}); }});
}

// What the service sends stands still while frames keep coming: nothing but the missing heartbeats
// tells, and what went out before they were missed is all that could be late.
TEST(BrokerFault, OneWayPath) {
  const std::uint16_t monitor = free_port();
  NatsServer broker(monitored(monitor));
  Proxy proxy(broker.port());
  expect_silence_survived(
      {.fault = "path to the broker held up one way for 8 s, frames keep coming",
       .url_of_service = proxy.url(),
       .url_of_others = broker.url(),
       .monitor = monitor,
       .begin = [&] { proxy.set({.hold_client = true}); },
       .end = [&] { proxy.set({}); }});
}

// --- Brokers that talk nonsense

struct Visited {
  explicit Visited(const NamedScript& told)
      : name(told.name),
        patience(told.patience),
        broker(told.script),
        daemon(Environment{{"NATS_URL", broker.url()}}) {}

  // What ends no connection may be borne; whoever is not ready has to try again.
  [[nodiscard]] bool goes_on(std::size_t visits) const {
    return broker.visits().size() >= visits || daemon.ready();
  }
  [[nodiscard]] std::size_t resident() { return usage_of(daemon.process().pid()).resident_bytes; }

  std::string name;
  std::chrono::milliseconds patience;
  FakeBroker broker;
  Daemon daemon;
};

// All at the same time, each with a service of its own: most of it is waiting.
TEST(BrokerFault, TalksNonsense) {
  std::vector<std::unique_ptr<Visited>> all;
  for (const NamedScript& told : broker_scripts()) all.push_back(std::make_unique<Visited>(told));
  for (const auto& one : all) {
    EXPECT_TRUE(eventually([&] { return one->goes_on(2); }, kSoon)) << one->name;
  }
  std::vector<CpuMeter> cpu;
  std::vector<std::size_t> resident;
  for (const auto& one : all) {
    cpu.emplace_back(one->daemon.process().pid());
    resident.push_back(one->resident());
  }
  EXPECT_TRUE(throughout(20s, [&] { return alive(all.front()->daemon); }));

  std::chrono::milliseconds longest_attempt{0};
  double busiest = 0;
  std::size_t most_growth = 0;
  bool held = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Visited& one = *all[i];
    const double share = cpu[i].share();
    const std::size_t now = one.resident();
    const std::size_t growth = now > resident[i] ? now - resident[i] : 0;
    const std::vector<Visit> visits = one.broker.visits();
    std::chrono::milliseconds stay{0};
    for (const Visit& visit : visits) stay = std::max(stay, visit.stay.value_or(0ms));
    std::printf("  %-50s %3zu visits, stay %5ld ms, %.1f %% CPU, +%zu KiB\n", one.name.c_str(),
                visits.size(), stay.count(), share * 100, growth >> 10U);
    if (one.patience == NamedScript{}.patience) longest_attempt = std::max(longest_attempt, stay);
    busiest = std::max(busiest, share);
    most_growth = std::max(most_growth, growth);
    const bool borne = alive(one.daemon) && one.goes_on(3) && stay <= loosened(one.patience);
    EXPECT_TRUE(borne) << one.name;
    held = held && borne;
    one.daemon.expect_accounts_balance();
  }
  report_fault(
      {.fault = fmt::format("broker silent after INFO, garbage, bad lengths, -ERR texts: "
                            "{} scripts for 20 s",
                            all.size()),
       .promise = "attempt abandoned, next attempt",
       .figure = "<= 3.5 s each; <= 5 % CPU; memory flat (+ <= 1 MiB)",
       .measured = fmt::format("{} at most; {:.1f} % CPU; + {} KiB", text_of(longest_attempt),
                               busiest * 100, most_growth >> 10U),
       .held =
           held && busiest <= loosened(0.05) && (most_growth <= (1U << 20U) || !kMemoryIsOurs)});
}

TEST(BrokerFault, AnswersNobodyAskedFor) {
  std::vector<std::string> measured;
  bool held = true;
  for (const auto& [name, ack] : {std::pair{"acks for unknown ids", &ack_for_somebody_else},
                                  std::pair{"acks of 1 MB", &oversized_ack}}) {
    FakeBroker broker({.ack = ack});
    // It answers so whatever is asked of it: a control log could not be read.
    Environment settings = environment_of(memoryless_settings(), broker.url());
    settings["CONTROL_BUCKET"] = "";
    Daemon daemon(settings);
    ASSERT_TRUE(daemon.wait_ready(kSoon)) << daemon.get("/ready").body;
    FrameSource source(memoryless_feed(1000), wall_clock());
    for (int i = 0; i < 500; ++i) broker.deliver("binance.websocket.data", source.next().text);
    EXPECT_TRUE(
        eventually([&] { return daemon.metric("rts_frames_received_total") == 500; }, kSoon));
    EXPECT_TRUE(eventually(
        [&] { return daemon.metric("rts_order_odd_answers_total") > lightened(50); }, kSoon))
        << daemon.get("/metrics").body;
    EXPECT_TRUE(daemon.wait_settled());
    const double orders = daemon.metric("rts_orders_total", R"(result="unconfirmed")");
    EXPECT_GT(orders, lightened(50));
    held = held && daemon.wait_ready(loosened(1s)) &&
           throughout(1s, [&] { return alive(daemon) && daemon.ready(); });
    measured.push_back(fmt::format("{}: {} orders, ready", name, orders));
    daemon.expect_accounts_balance();
    EXPECT_EQ(daemon.terminate(loosened(5s)), 0);
  }
  report_fault({.fault = "broker answers for unknown ids, and with 1 MB",
                .promise = "never fatal, the connection stays",
                .figure = "stays ready",
                .measured = fmt::format("{}", fmt::join(measured, "; ")),
                .held = held});
}

}  // namespace
}  // namespace rts::test
