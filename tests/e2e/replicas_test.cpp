// Exactly once over replicas: a broker with the order log, real replicas, and a subscriber of the
// order subject as the TradeEngine is one. What has to arrive is computed without them: by `replay`
// of the same frames, or by an engine in this process.
//
// With NATS_CONSUMER_GROUP= every replica sees every frame and remembers the same orders, those of
// the log: any number of them, whenever each was started, gives the orders of one. In the queue
// group they share the frames, and each decides on a part of the market: which orders they give
// then nobody knows beforehand, but never more than the limits allow.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/fault_report.hpp"
#include "support/known_orders.hpp"
#include "support/market_text.hpp"
#include "support/nats_server.hpp"
#include "support/order_log.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"
#include "support/scratch_files.hpp"
#include "support/sink.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFrameSubject = "binance.websocket.data";
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

// --- Markets ------------------------------------------------------------------------------------

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

Environment bucketed_settings() {
  return {{"STRATEGY_ENABLED_TRADE_MOMENTUM", "false"},
          {"STRATEGY_ENABLED_TICKER_VELOCITY", "false"},
          {"SIGNAL_COOLDOWN_SECONDS", "1"},
          {"RISK_MAX_DAILY_SIGNALS", "0"},
          {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
          {"MESSAGE_TTL_SECONDS", "7200"},
          {"ORDER_TTL_SECONDS", "7200"}};
}

// All that a long market's decisions depend on stays on, and the daily limit bites. The event times
// run ahead of the clock's pace, from minutes ago on: such settings need a long life.
Environment long_settings() {
  Environment settings = lively_settings();
  settings["SIGNAL_COOLDOWN_SECONDS"] = "20";
  settings["RISK_MAX_DAILY_SIGNALS"] = "30";
  settings["MESSAGE_TTL_SECONDS"] = settings["ORDER_TTL_SECONDS"] = "7200";
  return settings;
}
Frames long_market() { return lively_market(kSeed, 70'000, 2ms); }
// An order takes up to 0.3 s to be stored when many replicas have a burst of them at once, and has
// to be, before the cooldown is over.
constexpr int kLongMarketPace = lightened(14'000);  // frames a second

// The ids of the orders that `replay` gives for a recording of the frames, in its order.
OrderIds replayed_ids(const Environment& settings, const Frames& frames) {
  const ScratchFiles files;
  std::string recording;
  for (const std::string& frame : frames) recording.append(frame).push_back('\n');
  const RunResult replay =
      run_binary({"replay", files.write("market.log", recording)}, with_test_defaults(settings));
  EXPECT_EQ(replay.exit_code, 0) << replay.err;
  OrderIds ids;
  std::istringstream orders(replay.out);
  for (std::string order; std::getline(orders, order);) ids.push_back(read_order(order, {}).id);
  return ids;
}

// --- The scene -----------------------------------------------------------------------------------

std::string result_label(const char* result) { return fmt::format(R"(result="{}")", result); }

std::size_t count(const Daemon& replica, const char* metric, const std::string& labels = "") {
  return static_cast<std::size_t>(replica.metric(metric, labels));
}

class ReplicasBehindTheStream : public testing::Test {
 protected:
  using Replica = std::unique_ptr<Daemon>;

  // Makes the order log. `settings` are the replicas'.
  void begin(Environment settings, std::int64_t daily_cap = -1) {
    settings_ = std::move(settings);
    settings_["NATS_URL"] = broker_.url();
    settings_["ORDER_DELIVERY"] = "jetstream";
    log_.make({.max_messages = daily_cap});
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

  // At a pace, or as fast as they are handled: a broker drops a client that is too far behind.
  void publish(const Frames& frames, int frames_per_second = 1'000'000) {
    constexpr std::size_t kAhead = 4000;
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      std::this_thread::sleep_until(begin + i * 1'000'000us / frames_per_second);
      for (const Deadline deadline(kSoon);
           i % (kAhead / 2) == 0 && handled_by_all() + kAhead < i && !deadline.expired();) {
        std::this_thread::sleep_for(10ms);  // asking costs them time
      }
      exchange_.publish(kFrameSubject, frames[i]);
    }
    ASSERT_TRUE(exchange_.flush());
  }
  // Until each has evaluated so many frames and knows what became of its orders.
  void await_frames(std::size_t frames) const {
    for (const Replica& replica : replicas_) {
      ASSERT_TRUE(eventually([&] { return count(*replica, kHandled) >= frames; }, kSoon));
      EXPECT_EQ(count(*replica, kHandled), frames);
      EXPECT_TRUE(replica->wait_settled(kSoon));
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
    ASSERT_TRUE(engine_.wait_subscribed(kSoon));
  }

  // What has come to the TradeEngine, each order valid and under its own id.
  [[nodiscard]] OrderIds delivered() const {
    OrderIds ids;
    for (const ArrivedOrder& order : engine_.orders()) {
      EXPECT_TRUE(order.valid) << order.id;
      ids.push_back(order.id);
    }
    return ids;
  }
  [[nodiscard]] OrderIds stored() {
    OrderIds ids;
    for (const StoredOrder& stored : log_.orders()) {
      EXPECT_TRUE(stored.order.valid) << stored.sequence;
      ids.push_back(stored.order.id);
    }
    return ids;
  }
  [[nodiscard]] bool wait_for_more_orders(std::size_t more) const {
    return engine_.wait_for(engine_.size() + more, kSoon);
  }

  NatsServer broker_{NatsServer::kJetStream};
  OrderLogAdmin log_{broker_.url()};
  Environment settings_;
  Sink engine_{broker_.url(), kTradeEngine, Answer::accepted};
  Peer exchange_{broker_.url()};  // the frames
  std::vector<Replica> replicas_;

 private:
  // Frames that are behind everybody.
  [[nodiscard]] std::size_t handled_by_all() const {
    if (!settings_.contains("NATS_CONSUMER_GROUP")) return sum(kHandled);
    std::size_t least = std::numeric_limits<std::size_t>::max();
    for (const Replica& replica : replicas_) least = std::min(least, count(*replica, kHandled));
    return least;
  }
};

// --- Replicas that see every frame ---------------------------------------------------------------

class RedundantReplicas : public ReplicasBehindTheStream,
                          public testing::WithParamInterface<std::size_t> {
 protected:
  // Every replica's orders all ended well: sent by it, or found stored by another or earlier.
  void expect_each_sent_or_duplicate(std::size_t orders) const {
    for (const Replica& replica : replicas_) {
      EXPECT_EQ(count(*replica, "rts_orders_total"), orders);
      std::map<std::string, std::string> odd;
      for (const auto& [id, result] : order_results(*replica)) {
        if (result != "confirmed" && result != "unconfirmed" && result != "duplicate") {
          odd.emplace(id, result);
        }
      }
      EXPECT_THAT(odd, testing::IsEmpty());
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Of, RedundantReplicas, testing::Values(1U, 2U, 3U, 5U),
                         [](const auto& of) { return std::to_string(of.param); });

TEST_P(RedundantReplicas, DeliverTogetherWhatReplayGives) {
  ASSERT_NO_FATAL_FAILURE(begin(long_settings()));
  every_replica_sees_every_frame();
  start_all(GetParam());
  const Frames frames = long_market();
  const OrderIds expected = replayed_ids(settings_, frames);
  ASSERT_GT(expected.size(), 80U);

  publish(frames, kLongMarketPace);
  await_frames(frames.size());
  expect_each_sent_or_duplicate(expected.size());
  EXPECT_GT(sum("rts_decisions_total", R"(outcome="daily_limit")"), 0U);
  const std::size_t confirmed = orders("confirmed");
  const std::size_t duplicate = orders("duplicate");
  retire();

  const Judgement seen = judge(delivered(), expected);
  const Judgement stored = judge(this->stored(), expected);
  report_fault(
      {.fault =
           fmt::format("{} replicas without queue group, {} frames", GetParam(), frames.size()),
       .promise = "the same orders as of one",
       .figure = "set equality with replay; duplicates 0; each id stored once",
       .measured = fmt::format("{}; stored {}; confirmed {} + duplicate {}", seen.text(),
                               stored.delivered, confirmed, duplicate),
       .held = seen.exactly_once() && stored.exactly_once() && confirmed == expected.size() &&
               duplicate == (GetParam() - 1) * expected.size()});
}

// An order whose PubAck is lost is sent a little later: the frames are paced, and the cooldown is
// long enough that no later order of its key comes first. That the TradeEngine's own answers are
// late now and then, on a loaded machine, is no subject here.
TEST_P(RedundantReplicas, DeliverTheSameThoughPubAcksAreLost) {
  constexpr double kLostShare = 0.3;
  Environment settings = lively_settings();
  settings["SIGNAL_COOLDOWN_SECONDS"] = "5";
  settings["ORDER_ACK_TIMEOUT_MS"] = std::to_string(loosened(100));
  settings["ORDER_TTL_SECONDS"] = "60";  // of which the oldest have 40 left
  settings["ORDER_SILENCE_LIMIT"] = "0";
  ASSERT_NO_FATAL_FAILURE(begin(settings));
  every_replica_sees_every_frame();
  std::vector<std::unique_ptr<Proxy>> paths;
  while (replicas_.size() < GetParam()) {
    const auto& path = paths.emplace_back(std::make_unique<Proxy>(broker_.port()));
    path->eat_acks({.share = kLostShare, .seed = kSeed + replicas_.size(), .only_pub_acks = true});
    replicas_.push_back(start(path->url()));
  }
  const Frames frames = lively_market(kSeed + 1);
  const OrderIds expected = decided_ids(settings_, frames);
  ASSERT_GT(expected.size(), 50U);

  publish(frames, lightened(1000));
  await_frames(frames.size());
  expect_each_sent_or_duplicate(expected.size());
  const std::size_t repeats = sum("rts_order_repeats_total");
  const std::size_t confirmed = orders("confirmed");
  const std::size_t duplicate = orders("duplicate");
  std::uint64_t eaten = 0;
  for (const auto& path : paths) eaten += path->acks_eaten();
  retire();

  const Judgement seen = judge(delivered(), expected);
  const Judgement stored = judge(this->stored(), expected);
  report_fault(
      {.fault = fmt::format("30 % of PubAcks lost, {} replicas", GetParam()),
       .promise = "the log tells who has stored it, and that one sends it",
       .figure = "each id once in the stream; duplicates 0; set equality",
       .measured = fmt::format("{} PubAcks lost; {}; stored {}; repeats {}; confirmed {} + "
                               "duplicate {}",
                               eaten, seen.text(), stored.delivered, repeats, confirmed, duplicate),
       .held = seen.exactly_once() && stored.exactly_once() && eaten > 0});
}

// --- Replicas that come and go -------------------------------------------------------------------

// Publishes frames at a steady pace, from a thread of its own, to the last.
class PacedFeed {
 public:
  PacedFeed(const std::string& url, const Frames& frames, int frames_per_second)
      : exchange_(url), thread_([this, &frames, frames_per_second] {
          const auto begin = std::chrono::steady_clock::now();
          while (!stopping_ && published_ < frames.size()) {
            exchange_.publish(kFrameSubject, frames[published_]);
            std::this_thread::sleep_until(begin + ++published_ * 1'000'000us / frames_per_second);
          }
        }) {}
  ~PacedFeed() {
    stopping_ = true;
    finish();
  }
  PacedFeed(const PacedFeed&) = delete;
  PacedFeed& operator=(const PacedFeed&) = delete;
  PacedFeed(PacedFeed&&) = delete;
  PacedFeed& operator=(PacedFeed&&) = delete;

  [[nodiscard]] std::size_t published() const { return published_; }
  // The broker has all of it when this returns.
  void finish() {
    if (thread_.joinable()) thread_.join();
    EXPECT_TRUE(exchange_.flush());
  }

 private:
  Peer exchange_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> published_{0};
  std::thread thread_;  // last: it uses the others
};

class ComingAndGoing : public ReplicasBehindTheStream {
 protected:
  static constexpr int kFramesPerSecond = lightened(4000);
  // 3 s of event time; the longest window is of 2 s, or of 10 trades of a symbol.
  static constexpr std::size_t kWarm = 1500;  // frames

  [[nodiscard]] Replica start_warm() const {
    Replica replica = start();
    EXPECT_TRUE(eventually([&] { return count(*replica, kHandled) >= kWarm; }, kSoon));
    return replica;
  }
  void kill(Replica& replica) {
    replica->process().signal(SIGKILL);
    ASSERT_TRUE(replica->process().wait(kSoon));
    for (const auto& [id, result] : order_results(*replica)) {
      if (result == "confirmed") sent_by_killed_.insert(id);
    }
  }
  // Of what is not delivered: what a killed process has stored last. What a process has sent shows
  // its name.
  [[nodiscard]] std::size_t lost_with_the_killed(const OrderIds& missing) {
    const std::vector<StoredOrder> all = log_.orders();
    std::set<std::string> killed;
    for (const StoredOrder& stored : all) {
      if (sent_by_killed_.contains(stored.order.id)) killed.insert(stored.sender);
    }
    return static_cast<std::size_t>(std::ranges::count_if(all, [&](const StoredOrder& stored) {
      return killed.contains(stored.sender) && std::ranges::count(missing, stored.order.id) > 0;
    }));
  }

 private:
  std::set<std::string> sent_by_killed_;
};

// At any moment somebody who is warm sees the frame. Found in CI: who has just become warm may be
// faster than those who store the order of a frame that it has not seen; decided_ids() says how
// that counts.
TEST_F(ComingAndGoing, ReplicasThatAreAddedKilledAndReplacedChangeNoOrder) {
  Environment settings = long_settings();
  settings["RISK_MAX_DAILY_SIGNALS"] = "0";  // there are orders to the end
  ASSERT_NO_FATAL_FAILURE(begin(settings));
  every_replica_sees_every_frame();
  const Frames frames = long_market();
  const OrderIds replayed = replayed_ids(settings_, frames);
  ASSERT_EQ(decided_ids(settings_, frames), replayed);
  start_all(2);
  PacedFeed feed(broker_.url(), frames, kFramesPerSecond);

  replicas_.push_back(start_warm());
  constexpr std::size_t kKills = 3;
  for (std::size_t i = 0; i < kKills; ++i) {
    ASSERT_TRUE(wait_for_more_orders(1));
    Replica& replica = replicas_[i % replicas_.size()];
    ASSERT_NO_FATAL_FAILURE(kill(replica));
    replica = start_warm();
  }
  for (Replica& replica : replicas_) {
    Replica fresh = start_warm();
    EXPECT_EQ(replica->terminate(kSoon), 0);
    replica = std::move(fresh);
  }
  while (replicas_.size() > 1) {
    EXPECT_EQ(replicas_.back()->terminate(kSoon), 0);
    replicas_.pop_back();
  }
  EXPECT_LT(feed.published(), frames.size()) << "the feed was over before the test";
  feed.finish();
  retire();

  std::map<std::string, UnixMs> stored_at;
  for (const StoredOrder& of : log_.orders()) stored_at.emplace(of.order.id, of.order.timestamp);
  const OrderIds expected = decided_ids(settings_, frames, stored_at);
  const Judgement seen = judge(delivered(), expected);
  const Judgement stored = judge(this->stored(), expected);
  const std::size_t lost = lost_with_the_killed(seen.missing);
  report_fault({.fault = fmt::format("replicas added, killed ({} times), replaced one by one, "
                                     "scaled back",
                                     kKills),
                .promise = "the same orders as of one",
                .figure = "set equality with replay; missing only what a killed one had stored",
                .measured = fmt::format("{} frames; {}; stored {}; stored by a killed one and not "
                                        "sent {}; else than from the start on {}",
                                        frames.size(), seen.text(), stored.delivered, lost,
                                        judge(expected, replayed).unknown.size()),
                .held = seen.duplicates == 0 && seen.unknown.empty() &&
                        seen.missing.size() == lost && stored.exactly_once()});
}

// --- Replicas that share the frames --------------------------------------------------------------

TEST_F(ReplicasBehindTheStream, InAQueueGroupKeepCooldownAndLimitsTogether) {
  Environment settings = long_settings();
  settings["RISK_MAX_ORDERS_PER_MINUTE"] = "40";
  ASSERT_NO_FATAL_FAILURE(begin(settings));
  start_all(3);
  const Frames frames = long_market();
  publish(frames, kLongMarketPace);
  ASSERT_TRUE(eventually([&] { return sum(kHandled) >= frames.size(); }, kSoon));
  for (const Replica& replica : replicas_) {
    EXPECT_TRUE(replica->wait_settled());
    replica->expect_accounts_balance();
    EXPECT_GT(count(*replica, kHandled), 0U);
  }
  for (const char* outcome : {"cooldown", "daily_limit", "rate_limit"}) {
    EXPECT_GT(sum("rts_decisions_total", fmt::format(R"(outcome="{}")", outcome)), 0U) << outcome;
  }
  const std::size_t handled = sum(kHandled);
  const std::size_t decided = sum("rts_orders_total");
  const std::size_t confirmed = orders("confirmed");
  const std::size_t duplicate = orders("duplicate");
  const std::size_t superseded = orders("superseded");
  EXPECT_EQ(decided, confirmed + duplicate + superseded);
  retire();

  const OrderIds ids = delivered();
  std::vector<ArrivedOrder> in_log_order;
  for (const StoredOrder& stored : log_.orders()) {
    if (std::ranges::count(ids, stored.order.id) > 0) in_log_order.push_back(stored.order);
  }
  const std::string broken =
      broken_limits(in_log_order, {.cooldown = 20s, .per_day = 30, .per_minute = 40});
  EXPECT_EQ(broken, "");
  const Judgement seen = judge(ids, stored());
  report_fault(
      {.fault = fmt::format("3 replicas in the queue group, {} frames", frames.size()),
       .promise = "each frame handled by one; cooldown, day and minute as of one",
       .figure = "frames handled = published; no two of a key within 20 s; never over 30 a "
                 "strategy's day, 40 a minute",
       .measured = fmt::format("{} of {} frames; stored {}, delivered {}, duplicates {}; confirmed "
                               "{} + duplicate {} + superseded {}; {}",
                               handled, frames.size(), seen.expected, seen.delivered,
                               seen.duplicates, confirmed, duplicate, superseded,
                               broken.empty() ? "no limit broken" : "LIMITS BROKEN"),
       .held = handled == frames.size() && broken.empty() && seen.duplicates == 0 &&
               seen.unknown.empty() && confirmed == seen.delivered});
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
    for (const Replica& replica : replicas_) EXPECT_TRUE(replica->wait_settled(kSoon));
    const std::size_t decided = sum("rts_orders_total");
    const std::size_t confirmed = orders("confirmed");
    const std::size_t duplicate = orders("duplicate");
    const std::size_t superseded = orders("superseded");
    const std::size_t rejected = orders("rejected");
    EXPECT_EQ(decided, confirmed + duplicate + superseded + rejected);
    EXPECT_TRUE(eventually([&] { return refused_by_the_limit() == rejected; }, kSoon));
    expect_all_ready();
    retire();
    const Judgement seen = judge(delivered(), wanted);
    const Judgement stored = judge(this->stored(), wanted);
    report_fault(
        {.fault = fault,
         .promise = "the daily cap of the cluster is exact; /ready stays 200",
         .figure = fmt::format("delivered {}, the rest rejected (10077) or duplicate", kCap),
         .measured = fmt::format("ids {}, orders {}; delivered {}, duplicates {}, stored {}; "
                                 "confirmed {}, duplicate {}, superseded {}, rejected {}",
                                 expected_.size(), decided, seen.delivered, seen.duplicates,
                                 stored.delivered, confirmed, duplicate, superseded, rejected),
         .held = seen.delivered == kCap && seen.duplicates == 0 && seen.unknown.empty() &&
                 stored.delivered == kCap && confirmed == kCap && rejected > 0});
  }

  Frames frames_;
  OrderIds expected_;
};

// Each replica sends the orders in the same sequence, so what is stored is its beginning.
TEST_F(DailyCap, IsExactOverRedundantReplicas) {
  ASSERT_NO_FATAL_FAILURE(begin(bucketed_settings(), kCap));
  every_replica_sees_every_frame();
  start_all(3);
  ASSERT_NO_FATAL_FAILURE(publish_many_signals());
  await_frames(frames_.size());
  EXPECT_EQ(orders("duplicate"), 2 * kCap);
  EXPECT_EQ(orders("rejected"), 3 * (expected_.size() - kCap));
  const OrderIds first(expected_.begin(), expected_.begin() + kCap);
  EXPECT_EQ(stored(), first);
  expect_the_cap_and_report("daily cap of 7, 3 replicas without queue group", first);
}

TEST_F(DailyCap, IsExactOverReplicasThatShareTheFrames) {
  ASSERT_NO_FATAL_FAILURE(begin(bucketed_settings(), kCap));
  start_all(3);
  ASSERT_NO_FATAL_FAILURE(publish_many_signals());
  ASSERT_TRUE(eventually([&] { return sum(kHandled) >= frames_.size(); }, kSoon));
  for (const Replica& replica : replicas_) replica->expect_accounts_balance();
  expect_the_cap_and_report("daily cap of 7, 3 replicas in the queue group", expected_);
}

}  // namespace
}  // namespace rts::test
