// What a replica remembers is what the order log has: over restarts, and over what people and
// strangers do to the log. In doubt no order leaves.
#include "support/order_log.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <memory>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/engine_run.hpp"
#include "support/fault_report.hpp"
#include "support/known_orders.hpp"
#include "support/market_text.hpp"
#include "support/nats_server.hpp"
#include "support/peer.hpp"
#include "support/sink.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFrameSubject = "binance.websocket.data";
constexpr auto kSoon = loosened(15s);
constexpr auto kCooldown = 60s;

class BehindTheOrderLog : public testing::Test {
 protected:
  BehindTheOrderLog() { log_.make(); }

  void start() { service_ = std::make_unique<Daemon>(settings_); }
  void restart(int signal) {
    service_->process().signal(signal);
    ASSERT_TRUE(service_->process().wait(kSoon));
    start();
    ASSERT_TRUE(service_->wait_ready()) << service_->get("/ready").body;
  }

  // A book to buy at.
  void publish(UnixMs at, const std::string& symbol = "BTCUSDT") {
    BookText book{.symbol = symbol, .id = ++id_, .at_ms = at.time_since_epoch().count()};
    exchange_.publish(kFrameSubject, book.frame());
    ASSERT_TRUE(exchange_.flush());
  }
  // Whether it leads to an order at the TradeEngine.
  [[nodiscard]] bool orders_at(UnixMs at, const std::string& symbol = "BTCUSDT") {
    const std::size_t before = engine_.size();
    const double seen = service_->metric("rts_frames_received_total");
    publish(at, symbol);
    EXPECT_TRUE(eventually(
        [&] { return service_->metric("rts_frames_received_total") == seen + 1; }, kSoon));
    EXPECT_TRUE(service_->wait_settled(kSoon));
    EXPECT_TRUE(engine_.wait_subscribed(kSoon));  // what was sent to it is there
    return eventually([&] { return engine_.size() > before; }, 20ms);
  }
  // The first moment of a bucket, each time of another one; a whole one lies between any two.
  [[nodiscard]] UnixMs next_edge() { return edge_ += 2 * kCooldown; }
  [[nodiscard]] std::string broken_cooldowns() const {
    return broken_limits(engine_.orders(), {.cooldown = kCooldown});
  }

  NatsServer broker_{NatsServer::kJetStream};
  OrderLogAdmin log_{broker_.url()};
  Sink engine_{broker_.url(), "tradeengine.orders", Answer::accepted};
  Peer exchange_{broker_.url()};
  Environment settings_{{"NATS_URL", broker_.url()},
                        {"ORDER_DELIVERY", "jetstream"},
                        {"SIGNAL_COOLDOWN_SECONDS", std::to_string(kCooldown.count())},
                        {"MESSAGE_TTL_SECONDS", "7200"},
                        {"ORDER_TTL_SECONDS", "7200"}};
  std::unique_ptr<Daemon> service_;

 private:
  std::int64_t id_ = 0;
  UnixMs edge_{(to_ms(now_ns()) - 50min).time_since_epoch() / kCooldown * kCooldown};
};

// --- The edge of a bucket ------------------------------------------------------------------------

constexpr int kEdges = 6;

TEST_F(BehindTheOrderLog, ARestartAtABucketsEdgeForgetsNoCooldown) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(service_->wait_ready());
  int early = 0;
  for (int i = 0; i < kEdges; ++i) {
    const UnixMs edge = next_edge();
    EXPECT_TRUE(orders_at(edge - 100ms));
    ASSERT_NO_FATAL_FAILURE(restart(i % 2 == 0 ? SIGKILL : SIGTERM));
    if (orders_at(edge + 100ms)) ++early;
    EXPECT_EQ(service_->metric("rts_decisions_total", R"(outcome="cooldown")"), 1);
  }
  report_fault({.fault = fmt::format("restart at {} edges of a bucket (SIGKILL, SIGTERM)", kEdges),
                .promise = "the cooldown holds over restarts",
                .figure = "no two of a key within 60 s",
                .measured = fmt::format("{} orders, {} of them too early", engine_.size(), early),
                .held = early == 0 && engine_.size() == kEdges && broken_cooldowns().empty()});
}

// Each of the two replicas gets some of the books.
TEST_F(BehindTheOrderLog, TwoReplicasInTheQueueGroupOrderOnceAtABucketsEdge) {
  const std::array<Daemon, 2> replicas{Daemon(settings_), Daemon(settings_)};
  for (const Daemon& replica : replicas) ASSERT_TRUE(replica.wait_ready());
  const auto sum = [&](const char* metric) {
    return replicas[0].metric(metric) + replicas[1].metric(metric);
  };
  constexpr int kBooks = 4;  // before the edge, and behind it
  double frames = 0;
  for (int i = 0; i < kEdges; ++i) {
    const UnixMs edge = next_edge();
    for (int book = 0; book < 2 * kBooks; ++book) publish(edge + (book - kBooks) * 25ms);
    frames += 2 * kBooks;
    ASSERT_TRUE(eventually([&] { return sum("rts_frames_received_total") == frames; }, kSoon));
    ASSERT_TRUE(eventually([&] { return sum("rts_orders_in_flight") == 0; }, kSoon));
  }
  ASSERT_TRUE(engine_.wait_for(kEdges, kSoon));
  for (const Daemon& replica : replicas) {
    EXPECT_GT(replica.metric("rts_frames_received_total"), 0);
    replica.expect_accounts_balance();
  }
  report_fault(
      {.fault = fmt::format("2 replicas in the queue group at {} edges of a bucket", kEdges),
       .promise = "the cooldown holds over replicas",
       .figure = "no two of a key within 60 s",
       .measured = fmt::format("{} orders; {}", engine_.size(),
                               broken_cooldowns().empty() ? "none too early" : broken_cooldowns()),
       .held = engine_.size() == kEdges && broken_cooldowns().empty()});
}

// --- What is done to the log ---------------------------------------------------------------------

TEST_F(BehindTheOrderLog, APurgedLogGivesNoSecondOrder) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(service_->wait_ready());
  const UnixMs edge = next_edge();
  EXPECT_TRUE(orders_at(edge - 100ms));
  log_.purge();
  const bool early = orders_at(edge + 100ms);
  const bool later = orders_at(edge + kCooldown);
  report_fault({.fault = "order log purged while the service runs",
                .promise = "it still knows its orders, and goes on",
                .figure = "no two of a key within 60 s",
                .measured = fmt::format("{} orders; {}, {}", engine_.size(),
                                        early ? "one too early" : "none too early",
                                        later ? "the next when its time came" : "no next one"),
                .held = !early && later && broken_cooldowns().empty()});
}

TEST_F(BehindTheOrderLog, ALogThatIsMadeAnewGivesNoSecondOrder) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(service_->wait_ready());
  const UnixMs edge = next_edge();
  EXPECT_TRUE(orders_at(edge - 100ms));
  EXPECT_TRUE(orders_at(edge - 100ms, "ETHUSDT"));
  log_.remove();
  EXPECT_FALSE(orders_at(edge + 50ms));
  log_.make();
  // An order that finds it out itself ends: what the one before held of it nobody knows.
  ASSERT_TRUE(
      eventually([&] { return service_->metric("rts_order_log_last_sequence") == 0; }, kSoon));
  ASSERT_TRUE(service_->wait_ready()) << service_->get("/ready").body;
  const bool early = orders_at(edge + 100ms) || orders_at(edge + 100ms, "ETHUSDT");
  const bool later = orders_at(edge + kCooldown) && orders_at(edge + kCooldown, "ETHUSDT");
  report_fault({.fault = "order log deleted and made anew while the service runs",
                .promise = "it still knows its orders, and goes on",
                .figure = "no two of a key within 60 s",
                .measured = fmt::format("{} orders; {}, {}", engine_.size(),
                                        early ? "one too early" : "none too early",
                                        later ? "the next when its time came" : "no next one"),
                .held = !early && later && broken_cooldowns().empty()});
}

// What is no order of ours counts for nothing; what looks like one holds back, and is not sent.
TEST_F(BehindTheOrderLog, AStrangersEntriesLeadToNoOrder) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(service_->wait_ready());
  const UnixMs edge = next_edge();
  const auto order_text = [&](const std::string& symbol, UnixMs at) {
    EngineRun run(configured({{"RISK_PRICE_BAND_PERCENT", "0"}}));
    run.frame(BookText{.symbol = symbol, .at_ms = at.time_since_epoch().count()}.frame());
    return run.orders().at(0);
  };
  const auto store = [&](const std::string& text) { exchange_.publish(kOrderLogTopic, text); };
  store("");
  store("{");
  store(R"({"order_id":"1"})");
  store(std::string(100'000, 'x'));
  store(order_text("BNBUSDT", to_ms(now_ns()) + 24h));  // would hold back for a day
  store(order_text("ETHUSDT", edge - 100ms));
  constexpr double kOdd = 5;
  exchange_.publish("orders.intents.stored", "{}", {{"Nats-Sequence", "999999999999"}});
  exchange_.publish("orders.intents.stored", "{}", {{"Nats-Sequence", "-1"}});
  ASSERT_TRUE(exchange_.flush());
  const auto odd = [&] { return service_->metric("rts_order_log_odd_entries_total"); };
  EXPECT_TRUE(eventually([&] { return odd() == kOdd; }, kSoon)) << odd();

  int wrong = 0;
  if (orders_at(edge + 100ms, "ETHUSDT")) ++wrong;  // the stranger's holds it back
  if (!orders_at(edge + 100ms, "BNBUSDT")) ++wrong;
  ASSERT_NO_FATAL_FAILURE(restart(SIGKILL));
  EXPECT_TRUE(eventually([&] { return odd() == kOdd; }, kSoon)) << odd();
  if (orders_at(edge + 200ms, "ETHUSDT") || orders_at(edge + 200ms, "BNBUSDT")) ++wrong;
  if (!orders_at(edge + 2 * kCooldown, "ETHUSDT")) ++wrong;
  report_fault(
      {.fault = "a stranger writes to the order log and to .stored",
       .promise = "no order of ours counts for nothing; one that may be of ours holds back",
       .figure = "no order too early, over a restart too; counted",
       .measured = fmt::format("{} entries counted as odd; {} orders; {} wrong", odd(),
                               engine_.size(), wrong),
       .held = wrong == 0 && odd() == kOdd && broken_cooldowns().empty()});
}

// Nobody is there who knows what the log has had.
TEST_F(BehindTheOrderLog, ARestartBehindAPurgedLogIsInDoubt) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(service_->wait_ready());
  const UnixMs edge = next_edge();
  EXPECT_TRUE(orders_at(edge - 100ms));
  log_.purge();
  service_->process().signal(SIGKILL);
  ASSERT_TRUE(service_->process().wait(kSoon));
  start();
  (void)service_->wait_ready(2s);
  const bool early = orders_at(edge + 100ms);
  report_fault({.fault = "order log purged, service restarted",
                .promise = "in doubt no order",
                .figure = "no two of a key within 60 s",
                .measured = early ? "one too early" : "none too early",
                .held = !early && broken_cooldowns().empty()});
}

}  // namespace
}  // namespace rts::test
