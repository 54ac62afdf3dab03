// Exactly once over replicas: a broker with JetStream, the stream that `provision` makes, real
// replicas, and a plain subscriber of the republished subject as the TradeEngine sees it. What has
// to arrive is computed without them: an engine in this process decides on the same frames.
//
// With NATS_CONSUMER_GROUP= every replica sees every frame, so replicas that have been there from
// the first frame on are copies of that engine, whatever its decisions depend on. A replica that
// was started later is not: its means, windows and last orders are younger, and it may order what
// the others do not. Where replicas come and go, or share the frames, the market is therefore one
// whose decisions need no past: see bucketed_market().
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nats/nats.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/fault_report.hpp"
#include "support/known_orders.hpp"
#include "support/market_text.hpp"
#include "support/nats_server.hpp"
#include "support/order_schema.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFrameSubject = "binance.websocket.data";
constexpr const char* kIntents = "orders.intents";
constexpr const char* kTradeEngine = "tradeengine.orders";
constexpr const char* kHandled = "rts_frames_received_total";
constexpr auto kSoon = 30s;
constexpr std::uint64_t kSeed = 20'240'719;
// --- What is reported ----------------------------------------------------------------------------

// Orders as a set of ids against the set that was expected.
struct Judgement {
  std::size_t expected = 0;
  std::size_t delivered = 0;
  std::size_t duplicates = 0;
  OrderIds missing;
  OrderIds unknown;

  [[nodiscard]] bool exactly_once() const {
    return duplicates == 0 && missing.empty() && unknown.empty();
  }
  [[nodiscard]] std::string text() const {
    return fmt::format("expected {}, delivered {}, duplicates {}, missing {}, unknown {}", expected,
                       delivered, duplicates, missing.size(), unknown.size());
  }
};

Judgement judge(const OrderIds& delivered, const OrderIds& expected) {
  const std::set<std::string> wanted(expected.begin(), expected.end());
  const std::set<std::string> got(delivered.begin(), delivered.end());
  Judgement judgement{.expected = wanted.size(),
                      .delivered = delivered.size(),
                      .duplicates = delivered.size() - got.size(),
                      .missing = {},
                      .unknown = {}};
  std::set_difference(wanted.begin(), wanted.end(), got.begin(), got.end(),
                      std::back_inserter(judgement.missing));
  std::set_difference(got.begin(), got.end(), wanted.begin(), wanted.end(),
                      std::back_inserter(judgement.unknown));
  return judgement;
}

// --- The market of replicas that come and go -----------------------------------------------------

// Books of three symbols; with SIGNAL_COOLDOWN_SECONDS=1 each second of event time is a bucket. In
// every bucket each symbol has two books to buy at, two to sell at and a balanced one, in any
// order, and all of them have one event time. Then the decision for a bucket depends on that
// bucket's frames only, and whoever sees one of a pair orders the same id:
//  - orderbook_skew keeps no context, and without trades there is no reference price to be near to;
//  - from a bucket to any later one is at least the whole cooldown, wherever in a bucket a replica
//    began, so its gate lets the first signal of each bucket pass and none after it;
//  - the limits per day and minute, which count what a replica has ordered, are off;
//  - ids rise, so frames are in order for whoever sees only some of them.
// The event times run ahead of the clock's pace, from `from` on: such settings need a long life.
Frames bucketed_market(std::size_t buckets, UnixMs from) {
  std::mt19937_64 random(kSeed);
  constexpr std::array<double, 5> kBidsOverAsks{3, 3, 1, 1.0 / 3, 1.0 / 3};
  Frames frames;
  std::int64_t id = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    const std::size_t begin = frames.size();
    const auto at = from + std::chrono::seconds(bucket);
    std::vector<std::pair<std::string, double>> books;
    for (const char* symbol : {"BTCUSDT", "ETHUSDT", "BNBUSDT"}) {
      for (const double ratio : kBidsOverAsks) books.emplace_back(symbol, ratio);
    }
    while (frames.size() < begin + books.size()) {
      const std::size_t done = frames.size() - begin;
      std::swap(books[done], books[done + random() % (books.size() - done)]);
      BookText book{
          .symbol = books[done].first, .id = ++id, .at_ms = at.time_since_epoch().count()};
      book.bids = {{99, books[done].second}};
      book.asks = {{100, 1}};
      frames.push_back(book.frame());
    }
  }
  return frames;
}

// The past that a long market lies in, within the settings' long life.
constexpr auto kPast = 50min;

Environment bucketed_settings() {
  return {{"STRATEGY_ENABLED_TRADE_MOMENTUM", "false"},
          {"STRATEGY_ENABLED_TICKER_VELOCITY", "false"},
          {"SIGNAL_COOLDOWN_SECONDS", "1"},
          {"RISK_MAX_DAILY_SIGNALS", "0"},
          {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
          {"MESSAGE_TTL_SECONDS", "7200"},
          {"ORDER_TTL_SECONDS", "7200"}};
}

// Publishes frames at a steady pace, from a thread of its own, until it is stopped or out of them.
class PacedFeed {
 public:
  PacedFeed(const std::string& url, Frames frames, int frames_per_second)
      : frames_(std::move(frames)), exchange_(url), thread_([this, frames_per_second] {
          const auto begin = std::chrono::steady_clock::now();
          while (!stopping_ && published_ < frames_.size()) {
            exchange_.publish(kFrameSubject, frames_[published_]);
            std::this_thread::sleep_until(begin + ++published_ * 1'000'000us / frames_per_second);
          }
        }) {}
  ~PacedFeed() { stop(); }
  PacedFeed(const PacedFeed&) = delete;
  PacedFeed& operator=(const PacedFeed&) = delete;
  PacedFeed(PacedFeed&&) = delete;
  PacedFeed& operator=(PacedFeed&&) = delete;

  // What was published; the broker has all of it.
  Frames stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    EXPECT_TRUE(exchange_.flush());
    EXPECT_LT(published_, frames_.size()) << "the feed was over before the test";
    return {frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(published_.load())};
  }

 private:
  const Frames frames_;
  Peer exchange_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> published_{0};
  std::thread thread_;  // last: it uses the others
};

// --- The path that loses acknowledgements --------------------------------------------------------

// --- The scene -----------------------------------------------------------------------------------

// The ids of the orders that the stream holds, in its order, read with a client of its own.
OrderIds stored_ids(const std::string& url) {
  natsConnection* connection = nullptr;
  jsCtx* stream = nullptr;
  jsStreamInfo* info = nullptr;
  OrderIds ids;
  EXPECT_EQ(natsConnection_ConnectTo(&connection, url.c_str()), NATS_OK);
  EXPECT_EQ(natsConnection_JetStream(&stream, connection, nullptr), NATS_OK);
  EXPECT_EQ(js_GetStreamInfo(&info, stream, "ORDERS", nullptr, nullptr), NATS_OK);
  const std::uint64_t last = info == nullptr ? 0 : info->State.LastSeq;
  for (std::uint64_t sequence = 1; sequence <= last; ++sequence) {
    natsMsg* message = nullptr;
    const char* id = "";
    EXPECT_EQ(js_GetMsg(&message, stream, "ORDERS", sequence, nullptr, nullptr), NATS_OK);
    EXPECT_EQ(natsMsgHeader_Get(message, "Nats-Msg-Id", &id), NATS_OK);
    ids.emplace_back(id);
    natsMsg_Destroy(message);
  }
  jsStreamInfo_Destroy(info);
  jsCtx_Destroy(stream);
  natsConnection_Destroy(connection);
  return ids;
}

std::string result_label(const char* result) { return fmt::format(R"(result="{}")", result); }

std::size_t count(const Daemon& replica, const char* metric, const std::string& labels = "") {
  return static_cast<std::size_t>(replica.metric(metric, labels));
}

class ReplicasBehindTheStream : public testing::Test {
 protected:
  using Replica = std::unique_ptr<Daemon>;

  // Makes the stream and listens behind it. `settings` are the replicas' too.
  void provision(Environment settings, const std::string& daily_cap = "0") {
    settings_ = std::move(settings);
    settings_["NATS_URL"] = broker_.url();
    settings_["NATS_PUBLISHER_TOPIC"] = kIntents;
    settings_["ORDER_DELIVERY"] = "jetstream";
    const RunResult made = run_binary({"provision", "--daily-cap", daily_cap}, settings_);
    ASSERT_EQ(made.exit_code, 0) << made.out << made.err;
    engine_.subscribe(kTradeEngine);
  }

  [[nodiscard]] Replica start() const { return start(broker_.url()); }
  [[nodiscard]] Replica start(const std::string& url) const {
    Environment environment = settings_;
    environment["NATS_URL"] = url;
    auto replica = std::make_unique<Daemon>(environment);
    EXPECT_TRUE(replica->wait_ready()) << replica->get("/ready").body;
    return replica;
  }
  void start_all(std::size_t count) {
    while (replicas_.size() < count) replicas_.push_back(start());
  }
  void every_replica_sees_every_frame() { settings_["NATS_CONSUMER_GROUP"] = ""; }

  void publish(const Frames& frames, int frames_per_second = 100'000) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      std::this_thread::sleep_until(begin + i * 1'000'000us / frames_per_second);
      exchange_.publish(kFrameSubject, frames[i]);
    }
    ASSERT_TRUE(exchange_.flush());
  }
  // Until each has evaluated so many frames and knows what became of its orders.
  void await_frames(std::size_t frames) const {
    for (const Replica& replica : replicas_) {
      ASSERT_TRUE(eventually([&] { return count(*replica, kHandled) >= frames; }, kSoon));
      EXPECT_EQ(count(*replica, kHandled), frames);
      EXPECT_TRUE(eventually([&] { return count(*replica, "rts_orders_in_flight") == 0; }, kSoon));
      EXPECT_TRUE(replica->wait_settled());
      replica->expect_accounts_balance();
    }
  }
  // Counters over all replicas.
  [[nodiscard]] std::size_t sum(const char* metric, const std::string& labels = "") const {
    std::size_t total = 0;
    for (const Replica& replica : replicas_) total += count(*replica, metric, labels);
    return total;
  }
  [[nodiscard]] std::size_t orders(const char* result) const {
    return sum("rts_orders_total", result_label(result));
  }

  // Ends the replicas as an orchestrator does: what they have is evaluated and acknowledged. After
  // that nothing can come any more.
  void retire() {
    for (const Replica& replica : replicas_) EXPECT_EQ(replica->terminate(kSoon), 0);
    ASSERT_TRUE(engine_.flush());
  }

  // What came out behind the stream, each order valid and under its own id.
  [[nodiscard]] OrderIds delivered() const {
    OrderIds ids;
    for (const Received& order : engine_.received()) {
      const std::string id = order.headers.at("Nats-Msg-Id");
      EXPECT_EQ(schema_error(order.payload, OrderFormat::trade_order), "") << order.payload;
      EXPECT_TRUE(order.payload.starts_with(fmt::format(R"({{"order_id":"{}",)", id)));
      ids.push_back(id);
    }
    return ids;
  }
  [[nodiscard]] bool wait_for_more_orders(std::size_t more) const {
    return engine_.wait_for(engine_.received().size() + more, kSoon);
  }

  NatsServer broker_{"jetstream: enabled"};
  Environment settings_;
  Peer engine_{broker_.url()};    // the TradeEngine: a plain core subscriber
  Peer exchange_{broker_.url()};  // the frames
  std::vector<Replica> replicas_;
};

// --- Replicas that see every frame ---------------------------------------------------------------

class RedundantReplicas : public ReplicasBehindTheStream,
                          public testing::WithParamInterface<std::size_t> {
 protected:
  // Every replica's orders all ended well: stored by it, or found stored by another or earlier.
  void expect_each_confirmed_or_duplicate(std::size_t orders) const {
    for (const Replica& replica : replicas_) {
      EXPECT_EQ(count(*replica, "rts_orders_total", result_label("confirmed")) +
                    count(*replica, "rts_orders_total", result_label("duplicate")),
                orders);
      EXPECT_EQ(count(*replica, "rts_orders_total"), orders);
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Of, RedundantReplicas, testing::Values(1U, 2U, 5U),
                         [](const auto& of) { return std::to_string(of.param); });

TEST_P(RedundantReplicas, DeliverTogetherWhatOneEngineDecides) {
  ASSERT_NO_FATAL_FAILURE(provision(lively_settings()));
  every_replica_sees_every_frame();
  start_all(GetParam());
  const Frames frames = lively_market(kSeed);
  const OrderIds expected = decided_ids(settings_, frames);
  ASSERT_GT(expected.size(), 100U);

  publish(frames);
  await_frames(frames.size());
  expect_each_confirmed_or_duplicate(expected.size());
  const std::size_t confirmed = orders("confirmed");
  const std::size_t duplicate = orders("duplicate");
  retire();

  const Judgement seen = judge(delivered(), expected);
  const Judgement stored = judge(stored_ids(broker_.url()), expected);
  report_fault({.fault = fmt::format("{} replicas without queue group", GetParam()),
                .promise = "the same orders as of one",
                .figure = "set equality; duplicates at a core subscriber 0; each id stored once",
                .measured = fmt::format("{}; stored {}; confirmed {} + duplicate {}", seen.text(),
                                        stored.delivered, confirmed, duplicate),
                .held = seen.exactly_once() && stored.exactly_once() &&
                        confirmed == expected.size() &&
                        duplicate == (GetParam() - 1) * expected.size()});
}

// Of an order's attempts only the latest is listened for, so answers that always take longer than
// the time-out would never be heard. The frames are paced for the answers to be prompt.
// The circuit breaker would find, and rightly, that five orders in a row without an answer are a
// broken path, and hold the next back: its threshold is out of reach here, so that every order
// shows what becomes of it.
TEST_P(RedundantReplicas, DeliverTheSameThoughPubAcksAreLost) {
  constexpr double kLostShare = 0.3;
  Environment settings = lively_settings();
  settings["ORDER_ACK_TIMEOUT_MS"] = std::to_string(loosened(50));
  settings["ORDER_TTL_SECONDS"] = "60";  // of which the oldest have 40 left
  settings["CIRCUIT_BREAKER_FAILURE_THRESHOLD"] = "1000000";
  ASSERT_NO_FATAL_FAILURE(provision(settings));
  every_replica_sees_every_frame();
  std::vector<std::unique_ptr<Proxy>> paths;
  while (replicas_.size() < GetParam()) {
    const auto& path = paths.emplace_back(std::make_unique<Proxy>(broker_.port()));
    path->eat_acks({.share = kLostShare, .seed = kSeed + replicas_.size(), .only_pub_acks = true});
    replicas_.push_back(start(path->url()));
  }
  const Frames frames = lively_market(kSeed + 1);
  const OrderIds expected = decided_ids(settings_, frames);
  ASSERT_GT(expected.size(), 100U);

  publish(frames, lightened(2000));
  await_frames(frames.size());
  expect_each_confirmed_or_duplicate(expected.size());
  for (const Replica& replica : replicas_)
    EXPECT_GT(count(*replica, "rts_order_repeats_total"), 0U);
  const std::size_t repeats = sum("rts_order_repeats_total");
  const std::size_t confirmed = orders("confirmed");
  const std::size_t duplicate = orders("duplicate");
  retire();

  const Judgement seen = judge(delivered(), expected);
  const Judgement stored = judge(stored_ids(broker_.url()), expected);
  report_fault(
      {.fault = fmt::format("30 % of PubAcks lost, {} replicas", GetParam()),
       .promise = "same id again until valid_until",
       .figure = "each id once in the stream; duplicates 0; set equality",
       .measured = fmt::format("{}; stored {}; repeats {}; confirmed {} + duplicate {}",
                               seen.text(), stored.delivered, repeats, confirmed, duplicate),
       .held = seen.exactly_once() && stored.exactly_once() && repeats > 0});
}

// --- Replicas that come and go -------------------------------------------------------------------

class ComingAndGoing : public ReplicasBehindTheStream {
 protected:
  static constexpr int kFramesPerSecond = lightened(600);

  void begin(std::size_t count) {
    ASSERT_NO_FATAL_FAILURE(provision(bucketed_settings()));
    every_replica_sees_every_frame();
    start_all(count);
  }
  // Longer than any of these tests: about 48 minutes of event time in 72 s.
  [[nodiscard]] Frames long_market() const {
    return bucketed_market(2880, to_ms(now_ns()) - kPast);
  }
  // Equality holds exactly: at any moment somebody saw the frame, and whoever saw it decided the
  // same.
  void expect_set_equality(const Frames& frames, const std::string& fault,
                           const std::string& promise) {
    const OrderIds expected = decided_ids(settings_, frames);
    const auto all_there = [&] { return judge(delivered(), expected).missing.empty(); };
    EXPECT_TRUE(eventually(all_there, kSoon));
    retire();
    const Judgement seen = judge(delivered(), expected);
    const Judgement stored = judge(stored_ids(broker_.url()), expected);
    report_fault({.fault = fault,
                  .promise = promise,
                  .figure = "lost 0, duplicates 0, each id stored once",
                  .measured = fmt::format("{} frames; {}; stored {}", frames.size(), seen.text(),
                                          stored.delivered),
                  .held = seen.exactly_once() && stored.exactly_once()});
  }
};

TEST_F(ComingAndGoing, RollingRestartsLoseNothing) {
  ASSERT_NO_FATAL_FAILURE(begin(3));
  PacedFeed feed(broker_.url(), long_market(), kFramesPerSecond);
  constexpr std::size_t kRestarts = 6;
  for (std::size_t i = 0; i < kRestarts; ++i) {
    ASSERT_TRUE(wait_for_more_orders(100));
    Replica& replica = replicas_[i % replicas_.size()];
    EXPECT_EQ(replica->terminate(5s), 0);
    ASSERT_TRUE(wait_for_more_orders(30)) << "the others do not go on";
    replica = start();
  }
  ASSERT_TRUE(wait_for_more_orders(100));
  expect_set_equality(feed.stop(), fmt::format("3 replicas, {} rolling restarts", kRestarts),
                      "nothing is lost while one is up");
}

TEST_F(ComingAndGoing, AKilledReplicaLosesNothingWhileAnotherIsUp) {
  ASSERT_NO_FATAL_FAILURE(begin(2));
  PacedFeed feed(broker_.url(), long_market(), kFramesPerSecond);
  constexpr std::size_t kKills = 4;
  for (std::size_t i = 0; i < kKills; ++i) {
    ASSERT_TRUE(wait_for_more_orders(100));
    Replica& replica = replicas_[i % replicas_.size()];
    replica->process().signal(SIGKILL);
    ASSERT_TRUE(replica->process().wait(kSoon));
    ASSERT_TRUE(wait_for_more_orders(30)) << "the other does not go on";
    replica = start();
  }
  ASSERT_TRUE(wait_for_more_orders(100));
  expect_set_equality(feed.stop(), fmt::format("SIGKILL of one of 2 replicas, {} times", kKills),
                      "the other has the same orders");
}

// --- Replicas that share the frames --------------------------------------------------------------

// Each sees some of a bucket's frames. Two that each get one of the books to buy at both order, for
// neither knows of the other: the id of the bucket makes one order of the two.
TEST_F(ReplicasBehindTheStream, InAQueueGroupShareTheFramesAndCollapseTheBucketsById) {
  ASSERT_NO_FATAL_FAILURE(provision(bucketed_settings()));
  start_all(3);
  const Frames frames = bucketed_market(200, to_ms(now_ns()) - kPast);
  const OrderIds expected = decided_ids(settings_, frames);
  ASSERT_EQ(expected.size(), 200U * 6);
  publish(frames);
  ASSERT_TRUE(eventually([&] { return sum(kHandled) >= frames.size(); }, kSoon));
  for (const Replica& replica : replicas_) {
    EXPECT_TRUE(replica->wait_settled());
    replica->expect_accounts_balance();
    EXPECT_GT(count(*replica, kHandled), 0U);
  }
  const std::size_t handled = sum(kHandled);
  const std::size_t decided = sum("rts_orders_total");
  const std::size_t confirmed = orders("confirmed");
  const std::size_t duplicate = orders("duplicate");
  EXPECT_EQ(decided, confirmed + duplicate);
  EXPECT_GT(duplicate, 0U);
  retire();

  const Judgement seen = judge(delivered(), expected);
  const Judgement stored = judge(stored_ids(broker_.url()), expected);
  report_fault({.fault = "3 replicas in the queue group",
                .promise = "each frame handled by one, each bucket ordered once",
                .figure = "frames handled = published; set equality; duplicates 0",
                .measured = fmt::format(
                    "{} of {} frames; {}; stored {}; confirmed {} + duplicate {}", handled,
                    frames.size(), seen.text(), stored.delivered, confirmed, duplicate),
                .held = handled == frames.size() && seen.exactly_once() && stored.exactly_once() &&
                        confirmed == expected.size()});
}

// --- The cap of the cluster ----------------------------------------------------------------------

constexpr std::size_t kCap = 7;

class DailyCap : public ReplicasBehindTheStream {
 protected:
  void publish_many_signals() {
    frames_ = bucketed_market(10, to_ms(now_ns()) - 1min);
    expected_ = decided_ids(settings_, frames_);
    ASSERT_EQ(expected_.size(), 60U);
    publish(frames_);
  }
  // Every refusal is the stream's, for its limit. Daemon::log() reads the whole output.
  [[nodiscard]] std::size_t refused_by_the_limit() const {
    std::size_t refusals = 0;
    for (const Replica& replica : replicas_) {
      for (const std::string& line : replica->log("order")) {
        const bool refused = line.find(R"("result":"rejected")") != std::string::npos;
        if (refused && line.find("(10077)") != std::string::npos) ++refusals;
      }
    }
    return refusals;
  }
  // A reached cap is policy, not a fault: whoever watches /ready must not restart the replicas.
  void expect_all_ready() const {
    for (const Replica& replica : replicas_) {
      EXPECT_EQ(replica->get("/ready").status, 200U) << replica->get("/ready").body;
      EXPECT_EQ(replica->metric("rts_circuit_breaker_state", R"(state="closed")"), 1);
    }
  }
  void expect_the_cap_and_report(const std::string& fault, const OrderIds& wanted) {
    const std::size_t decided = sum("rts_orders_total");
    const std::size_t confirmed = orders("confirmed");
    const std::size_t duplicate = orders("duplicate");
    const std::size_t rejected = orders("rejected");
    EXPECT_EQ(decided, confirmed + duplicate + rejected);
    EXPECT_TRUE(eventually([&] { return refused_by_the_limit() == rejected; }, kSoon));
    expect_all_ready();
    retire();
    const Judgement seen = judge(delivered(), wanted);
    const Judgement stored = judge(stored_ids(broker_.url()), wanted);
    report_fault(
        {.fault = fault,
         .promise = "the daily cap of the cluster is exact; /ready stays 200",
         .figure = fmt::format("delivered {}, the rest rejected (10077) or duplicate", kCap),
         .measured = fmt::format("ids {}, orders {}; delivered {}, duplicates {}, stored {}; "
                                 "confirmed {}, duplicate {}, rejected {}",
                                 expected_.size(), decided, seen.delivered, seen.duplicates,
                                 stored.delivered, confirmed, duplicate, rejected),
         .held = seen.delivered == kCap && seen.duplicates == 0 && seen.unknown.empty() &&
                 stored.delivered == kCap && confirmed == kCap && rejected > 0});
  }

  Frames frames_;
  OrderIds expected_;
};

// Each replica sends the orders in the same sequence, so what is stored is its beginning.
TEST_F(DailyCap, IsExactOverRedundantReplicas) {
  ASSERT_NO_FATAL_FAILURE(provision(bucketed_settings(), std::to_string(kCap)));
  every_replica_sees_every_frame();
  start_all(3);
  ASSERT_NO_FATAL_FAILURE(publish_many_signals());
  await_frames(frames_.size());
  EXPECT_EQ(orders("duplicate"), 2 * kCap);
  EXPECT_EQ(orders("rejected"), 3 * (expected_.size() - kCap));
  const OrderIds first(expected_.begin(), expected_.begin() + kCap);
  expect_the_cap_and_report("daily cap of 7, 3 replicas without queue group", first);
  EXPECT_EQ(delivered(), first);
}

TEST_F(DailyCap, IsExactOverReplicasThatShareTheFrames) {
  ASSERT_NO_FATAL_FAILURE(provision(bucketed_settings(), std::to_string(kCap)));
  start_all(3);
  ASSERT_NO_FATAL_FAILURE(publish_many_signals());
  ASSERT_TRUE(eventually([&] { return sum(kHandled) >= frames_.size(); }, kSoon));
  for (const Replica& replica : replicas_) replica->expect_accounts_balance();
  expect_the_cap_and_report("daily cap of 7, 3 replicas in the queue group", expected_);
}

}  // namespace
}  // namespace rts::test
