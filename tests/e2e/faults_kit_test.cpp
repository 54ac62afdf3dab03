// The chaos kit itself: what misjudges or misbehaves proves nothing.
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e/scene.hpp"
#include "support/ack_eater.hpp"
#include "support/fake_broker.hpp"
#include "support/peer.hpp"
#include "support/probe.hpp"
#include "support/proxy.hpp"
#include "support/scratch_files.hpp"
#include "support/supervisor.hpp"
#include "support/tcp_client.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr UnixMs kThen{1000s};

ArrivedOrder arrived(const std::string& id, std::chrono::milliseconds age = 0ms) {
  return {.id = id,
          .strategy = "",
          .arrived = kThen + age,
          .timestamp = kThen,
          .valid_until = kThen + 5s};
}

TEST(ChaosKit, TheJudgementSeesEveryKindOfWrong) {
  const ExpectedOrders expected{{"a", kThen}, {"b", kThen}, {"c", kThen + 10s}};
  const Verdict verdict = judge({arrived("a"), arrived("a"), arrived("x"), arrived("b", 6s)},
                                expected, {{kThen + 9s, kThen + 11s}});
  EXPECT_EQ(verdict.duplicate, std::vector<std::string>{"a"});
  EXPECT_EQ(verdict.unknown, std::vector<std::string>{"x"});
  EXPECT_EQ(verdict.stale, std::vector<std::string>{"b"});
  EXPECT_TRUE(verdict.missing.empty());
  EXPECT_EQ(verdict.excused, 1U);
  EXPECT_FALSE(verdict.clean());
  EXPECT_EQ(judge({}, expected).missing.size(), 3U);
  // Only what was sent before the broker froze may come late.
  const FaultWindow frozen{kThen - 1s, kThen + 9s, kThen};
  EXPECT_EQ(judge({arrived("b", 6s)}, expected, {frozen}).kept_by_broker, 1U);
  EXPECT_TRUE(judge({arrived("b", 6s)}, expected, {frozen}).stale.empty());
  const FaultWindow thawed{kThen - 1s, kThen + 9s, kThen - 1ms};
  EXPECT_EQ(judge({arrived("b", 6s)}, expected, {thawed}).stale.size(), 1U);
  EXPECT_TRUE(judge({arrived("a"), arrived("b"), arrived("c")}, expected).clean());
}

// Answers one connection's questions with 200, each after `work`, and counts them.
class SlowLoop {
 public:
  explicit SlowLoop(std::function<void()> work)
      : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}),
        work_(std::move(work)),
        thread_([this] { run(); }) {}
  ~SlowLoop() { thread_.join(); }
  SlowLoop(const SlowLoop&) = delete;
  SlowLoop& operator=(const SlowLoop&) = delete;
  SlowLoop(SlowLoop&&) = delete;
  SlowLoop& operator=(SlowLoop&&) = delete;

  LoopProbe::Result probed_until(int answers) {
    EXPECT_TRUE(eventually([&] { return tid_.load() != 0; }, 5s));
    LoopProbe probe(acceptor_.local_endpoint().port(), tid_);
    EXPECT_TRUE(eventually([&] { return answers_ >= answers; }, 20s));
    return probe.stop();
  }

 private:
  void run() {
    tid_ = static_cast<pid_t>(::syscall(SYS_gettid));
    boost::asio::ip::tcp::socket socket = acceptor_.accept();
    std::array<char, 1024> question{};
    boost::system::error_code gone;
    while (socket.read_some(boost::asio::buffer(question), gone) > 0) {
      work_();
      boost::asio::write(socket, boost::asio::buffer("HTTP/1.1 200 OK\r\n\r\n"sv), gone);
      ++answers_;
    }
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::function<void()> work_;
  std::atomic<pid_t> tid_{0};
  std::atomic<int> answers_{0};
  std::thread thread_;
};

TEST(ChaosKit, TheProbeTellsABlockedLoopFromABusyOne) {
  SlowLoop blocked([] { std::this_thread::sleep_for(20ms); });
  const LoopProbe::Result asleep = blocked.probed_until(10);
  EXPECT_EQ(asleep.failures, 0U);
  EXPECT_GT(asleep.blocked, 15ms) << asleep.text();
  SlowLoop working([] {
    const auto end = std::chrono::steady_clock::now() + 20ms;
    while (std::chrono::steady_clock::now() < end) {
    }
  });
  const LoopProbe::Result busy = working.probed_until(10);
  EXPECT_LT(busy.blocked, 5ms) << busy.text();
  EXPECT_GE(busy.seen, 20ms);
}

TEST(ChaosKit, ExpectedOrdersSurviveTheirFile) {
  const ScratchFiles files;
  const ExpectedOrders expected{{"a", kThen}, {"b", kThen + 1ms}};
  write_expected(files.path("expected"), expected);
  EXPECT_EQ(read_expected(files.path("expected")), expected);
  EXPECT_ANY_THROW((void)read_expected(files.path("nothing")));
}

TEST(ChaosKit, TheSameSeedFeedsTheSameFramesAndOrders) {
  FeedOptions options = memoryless_feed(1000, 42);
  options.duplicate_share = 0.1;
  options.swap_share = 0.1;
  options.mutate_share = 0.1;
  FrameSource one(options, kThen);
  FrameSource two(options, kThen);
  options.seed = 43;
  FrameSource other(options, kThen);
  std::size_t orders = 0;
  std::size_t different = 0;
  for (int i = 0; i < 2000; ++i) {
    const FrameSource::Frame frame = one.next();
    const FrameSource::Frame same = two.next();
    ASSERT_EQ(frame.text, same.text);
    ASSERT_EQ(frame.order_ids, same.order_ids);
    orders += frame.order_ids.size();
    different += frame.text != other.next().text ? 1 : 0;
  }
  EXPECT_GT(orders, 300U);
  EXPECT_GT(different, 1900U);
}

TEST(ChaosKit, TheSameSeedMakesTheSameScheduleAndSparesTheWitness) {
  const auto text = [](std::uint64_t seed) {
    std::string all;
    for (const auto& fault : make_schedule({.seed = seed, .length = 300s})) {
      EXPECT_GE(fault.replica, 1U);
      EXPECT_LT(fault.replica, 3U);
      all += fmt::format("{} {} {} {}\n", fault.at.count(), to_string(fault.kind), fault.replica,
                         fault.length.count());
    }
    return all;
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
  EXPECT_GT(text(1).size(), 500U);
}

// A reading of the witness's orders, 100 more than in the one before and all of them quick.
std::vector<Bucket> quick_orders(std::size_t reading) {
  const auto orders = 100.0 * static_cast<double>(reading);
  return {{0.001, orders}, {HUGE_VAL, orders}};
}

TEST(ChaosKit, GrowthIsSeenAndNoiseIsNot) {
  Growth flat;
  Growth growing;
  Growth leaking;
  Growth without_orders;
  for (std::size_t i = 0; i < 1800; ++i) {
    const std::chrono::milliseconds at = i * 1s;
    const std::size_t noise = (i % 7) * 4096;
    flat.add({at, 15'000'000 + noise, 9'000'000, 11 + i % 2, 5});
    growing.add({at, 15'000'000 + i * 1000, 9'000'000 + i * 500, 11, 5});  // 3.6 MB/h
    leaking.add({at, 15'000'000, 9'000'000, 11 + i / 600, 5});
    without_orders.add({at, 15'000'000, 9'000'000, 11, 5});
    for (Growth* const seen : {&flat, &growing, &leaking}) seen->add(quick_orders(i));
  }
  EXPECT_TRUE(flat.trend().flat()) << flat.trend().text();
  EXPECT_EQ(growing.trend().flat(), !kMemoryIsOurs) << growing.trend().text();
  EXPECT_NEAR(growing.trend().slope_mb_per_hour, 3.6, 0.01);
  EXPECT_NEAR(growing.trend().own_slope_mb_per_hour, 1.8, 0.01);
  EXPECT_FALSE(leaking.trend().flat()) << leaking.trend().text();
  EXPECT_FALSE(without_orders.trend().flat()) << without_orders.trend().text();

  Growth shortly_warm;
  Growth shortly_large;
  for (std::size_t i = 0; i < 70; ++i) {
    const std::chrono::milliseconds at = i * 500ms;
    shortly_warm.add({at, 15'000'000 + i * 40'000, 9'000'000, 11, 5});  // 288 MB/h, if it went on
    shortly_large.add({at, 26'000'000, 9'000'000, 11, 5});
  }
  EXPECT_TRUE(shortly_warm.trend().flat()) << shortly_warm.trend().text();
  EXPECT_EQ(shortly_large.trend().flat(), !kMemoryIsOurs) << shortly_large.trend().text();
}

// 100 orders a reading, of which two take longer from the middle of the run on, or none.
TEST(ChaosKit, OrdersThatComeToTakeLongerAreSeen) {
  for (const double slow_each : {0.0, 2.0}) {
    Growth growth;
    double quick = 0;
    double all = 0;
    for (std::size_t i = 0; i < 900; ++i) {
      growth.add({i * 1s, 15'000'000, 9'000'000, 11, 5});
      all += 100;
      quick += i < 600 ? 100 : 100 - slow_each;
      growth.add({{0.001, quick}, {0.1, all}, {HUGE_VAL, all}});
    }
    const Trend trend = growth.trend();
    EXPECT_EQ(trend.flat(), slow_each == 0) << trend.text();
    EXPECT_NEAR(trend.p99_before.value_or(0), 0.00099, 1e-9);
    EXPECT_NEAR(trend.p99_after.value_or(0), slow_each == 0 ? 0.00099 : 0.0505, 1e-9);
  }
}

// --- The eater of answers

std::string message(const std::string& subject, const std::string& payload) {
  return fmt::format("MSG {} 1 {}\r\n{}\r\n", subject, payload.size(), payload);
}

TEST(ChaosKit, TheAckEaterTakesAnswersAndNothingElse) {
  const std::string ack = R"({"stream":"ORDERS","seq":1})";
  const std::string kept = "INFO {\"a\":1}\r\nPING\r\n" + message("_INBOX.x.hb.7", "") +
                           message("orders", ack) +
                           "HMSG _INBOX.x.8 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n" + "+OK\r\n";
  const std::string eaten =
      message("_INBOX.x.9", ack) + "HMSG _INBOX.x.9 1 12 39\r\nNATS/1.0\r\n\r\n" + ack + "\r\n";
  const std::string status = message("_INBOX.x.10", R"({"status":"accepted"})");
  for (const std::size_t slice : {1U, 7U, 4096U}) {
    AckEater all({.share = 1});
    AckEater only_pub_acks({.share = 1, .only_pub_acks = true});
    std::string left;
    std::string left_of_pub_acks;
    const std::string stream = kept + eaten + status + "PONG\r\n";
    for (std::size_t at = 0; at < stream.size(); at += slice) {
      left += all.pass(std::string_view(stream).substr(at, slice));
      left_of_pub_acks += only_pub_acks.pass(std::string_view(stream).substr(at, slice));
    }
    EXPECT_EQ(left, kept + "PONG\r\n") << slice;
    EXPECT_EQ(all.eaten(), 3U);
    EXPECT_EQ(left_of_pub_acks, kept + status + "PONG\r\n") << slice;
    EXPECT_EQ(only_pub_acks.eaten(), 2U);
  }
}

TEST(ChaosKit, TheAckEaterTakesItsShareAndTheSameWithTheSameSeed) {
  const auto eaten = [](std::uint64_t seed) {
    AckEater eater({.share = 0.3, .seed = seed});
    std::string left;
    for (int i = 0; i < 1000; ++i) left += eater.pass(message(fmt::format("_INBOX.{}", i), "x"));
    EXPECT_GT(eater.eaten(), 250U);
    EXPECT_LT(eater.eaten(), 350U);
    return left;
  };
  EXPECT_EQ(eaten(1), eaten(1));
  EXPECT_NE(eaten(1), eaten(2));
}

// --- The proxy between real programs

TEST(ChaosKit, ThroughTheProxyJetStreamsAnswersAreLostAndTheStreamIsWhole) {
  NatsServer broker(NatsServer::kJetStream);
  Proxy proxy(broker.port());
  proxy.eat_acks({.share = 0.5, .only_pub_acks = true});
  Peer direct(broker.url());
  direct.subscribe("answers");
  direct.publish("$JS.API.STREAM.CREATE.ORDERS", R"({"name":"ORDERS","subjects":["orders"]})", {},
                 "answers");
  ASSERT_TRUE(direct.wait_for(1, 10s));
  Peer through(proxy.url());
  through.subscribe("_INBOX.test.>");
  constexpr std::size_t kOrders = 200;
  for (std::size_t i = 0; i < kOrders; ++i) {
    ASSERT_TRUE(through.publish("orders", "x", {}, fmt::format("_INBOX.test.{}", i)));
  }
  ASSERT_TRUE(
      eventually([&] { return through.received().size() + proxy.acks_eaten() == kOrders; }, 10s))
      << through.received().size() << " + " << proxy.acks_eaten();
  EXPECT_GT(through.received().size(), kOrders / 4);
  EXPECT_GT(proxy.acks_eaten(), kOrders / 4);
  direct.publish("$JS.API.STREAM.INFO.ORDERS", "", {}, "answers");
  ASSERT_TRUE(direct.wait_for(2, 10s));
  EXPECT_NE(direct.received().back().payload.find(R"("messages":200)"), std::string::npos)
      << direct.received().back().payload;
}

TEST(ChaosKit, TheProxyDelaysSlicesAndHolds) {
  NatsServer broker;
  Proxy proxy(broker.port());
  Peer peer(proxy.url());
  proxy.set({.latency = 100ms});
  Stopwatch watch;
  ASSERT_TRUE(peer.flush());
  EXPECT_GE(watch.passed(), 200ms);

  proxy.set({.slice_bytes = 3});
  peer.subscribe("crumbs");
  const std::string payload(300, 'x');
  ASSERT_TRUE(peer.publish("crumbs", payload));
  ASSERT_TRUE(peer.wait_for(1, 10s));
  EXPECT_EQ(peer.received().front().payload, payload);

  proxy.set({.bytes_per_second = 100'000});
  watch = {};
  ASSERT_TRUE(peer.publish("elsewhere", std::string(50'000, 'x')) && peer.flush());
  EXPECT_GE(watch.passed(), 300ms);

  proxy.set(kBlackHole);
  ASSERT_TRUE(peer.publish("crumbs", "held"));
  EXPECT_FALSE(peer.wait_for(2, 300ms));
  proxy.set({});
  EXPECT_TRUE(peer.wait_for(2, 10s));
}

TEST(ChaosKit, TheProxyResetsAndCutsInTheGreeting) {
  NatsServer broker;
  Proxy proxy(broker.port());
  TcpClient first(proxy.port());
  ASSERT_TRUE(first.hear("INFO", 5s));
  proxy.reset_connections();
  EXPECT_TRUE(first.hear_the_end(5s));
  proxy.set({.cut_after_info = true});
  TcpClient second(proxy.port());
  EXPECT_TRUE(second.hear_the_end(5s));
  EXPECT_TRUE(second.heard().starts_with("INFO"));
  EXPECT_EQ(proxy.connections(), 2U);
}

TEST(ChaosKit, TheSinkAnswersLikeTheTradeEngine) {
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject, Answer::accepted);
  Peer peer(broker.url());
  peer.subscribe("_INBOX.me.>");
  ASSERT_TRUE(peer.publish(kOrderSubject, R"({"order_id":"1"})", {}, "_INBOX.me.1"));
  ASSERT_TRUE(peer.wait_for(1, 5s));
  EXPECT_EQ(peer.received().front().payload, R"({"status":"accepted"})");
  ASSERT_TRUE(sink.wait_for(1, 5s));
  EXPECT_EQ(sink.orders().front().id, "1");
  EXPECT_FALSE(sink.orders().front().valid) << "by no schema";
}

}  // namespace
}  // namespace rts::test
