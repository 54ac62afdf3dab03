// One control log for all replicas: a pause outlives them, other settings hold from the same event
// on, and where the log cannot be read or says nonsense, in doubt no order leaves.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/control_log.hpp>
#include <rts/wire/stream_info.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/fault_report.hpp"
#include "support/frames.hpp"
#include "support/known_orders.hpp"
#include "support/log_stream.hpp"
#include "support/nats_server.hpp"
#include "support/order_service.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/responder.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFrameSubject = "binance.websocket.data";
constexpr const char* kBucket = "realtime-strategies";
constexpr auto kSoon = loosened(15s);

using Orders = std::vector<std::string>;  // as they are written

// Replicas that all see every frame, behind both logs; each skewed book makes an order.
class UnderTheControlLog : public testing::Test {
 protected:
  using Replica = std::unique_ptr<Daemon>;

  void begin(const Environment& more = {}) {
    settings_ = logged_settings(
        broker_.url(), with({{"NATS_CONSUMER_GROUP", ""}, {"CONTROL_BUCKET", kBucket}}, more));
    ASSERT_NO_FATAL_FAILURE(run({"provision"}));
  }
  [[nodiscard]] Replica start() const {
    auto replica = std::make_unique<Daemon>(settings_);
    EXPECT_TRUE(replica->wait_ready()) << replica->get("/ready").body;
    return replica;
  }
  void start_all(std::size_t count) {
    while (replicas_.size() < count) replicas_.push_back(start());
  }
  void run(const std::vector<std::string>& words) const {
    const RunResult result = run_binary(words, settings_);
    ASSERT_EQ(result.exit_code, 0) << words.front() << ": " << result.err;
  }
  template <class Holds>
  [[nodiscard]] bool all(Holds holds) const {
    return eventually([&] { return std::ranges::all_of(replicas_, holds); }, kSoon);
  }
  [[nodiscard]] bool all_have(double value, const char* metric, const char* labels = "") const {
    return all([&](const Replica& one) { return one->metric(metric, labels) == value; });
  }
  // Books to buy at, each of a time of its own.
  void publish_books(int count) {
    for (int i = 0; i < count; ++i) {
      exchange_.publish(kFrameSubject, book_frame({.at_ms = now_ms(), .id = ++id_}));
    }
    ASSERT_TRUE(exchange_.flush());
  }
  // How many orders come of so many books.
  [[nodiscard]] std::size_t orders_of(int books) {
    const std::size_t before = engine_.received().size();
    std::vector<double> frames;
    const auto received = [](const Replica& one) {
      return one->metric("rts_frames_received_total");
    };
    std::ranges::transform(replicas_, std::back_inserter(frames), received);
    publish_books(books);
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      EXPECT_TRUE(eventually([&] { return received(replicas_[i]) == frames[i] + books; }, kSoon));
      EXPECT_TRUE(replicas_[i]->wait_settled(kSoon));
      replicas_[i]->expect_accounts_balance();
    }
    // What was sent to the engine is there a moment later.
    (void)engine_.wait_for(before + static_cast<std::size_t>(books), 200ms);
    return engine_.received().size() - before;
  }
  void write(const std::string& key, std::string_view value) {
    exchange_.publish(bucket_subject(kBucket, key), value);
    ASSERT_TRUE(exchange_.flush());
  }

  NatsServer broker_{NatsServer::kJetStream};
  OrderLogStream admin_{broker_.url()};
  Environment settings_;
  Responder engine_{broker_.url(), "tradeengine.orders", always(R"({"status":"accepted"})")};
  Peer exchange_{broker_.url()};
  std::vector<Replica> replicas_;

 private:
  std::uint64_t id_ = 0;
};

// --- A pause ------------------------------------------------------------------------------------

TEST_F(UnderTheControlLog, APauseOutlivesACrashAndHoldsForAReplicaThatStartsLater) {
  constexpr int kBooks = 50;
  ASSERT_NO_FATAL_FAILURE(begin());
  start_all(1);
  EXPECT_EQ(orders_of(1), 1U);
  ASSERT_NO_FATAL_FAILURE(run({"pause", "--reason", "strange prices"}));
  ASSERT_TRUE(all_have(3, "rts_trading_paused"));
  std::size_t while_paused = orders_of(kBooks);
  replicas_[0]->process().signal(SIGKILL);
  ASSERT_TRUE(replicas_[0]->process().wait(kSoon));
  replicas_[0] = start();
  while_paused += orders_of(kBooks);
  start_all(2);
  while_paused += orders_of(kBooks);
  EXPECT_TRUE(all_have(3, "rts_trading_paused"));
  ASSERT_NO_FATAL_FAILURE(run({"resume"}));
  ASSERT_TRUE(all_have(0, "rts_trading_paused"));
  const std::size_t after = orders_of(kBooks);
  report_fault({.fault = "paused, SIGKILL, restarted, one more replica",
                .promise = "the pause holds until it is resumed",
                .figure = "no order before, all after",
                .measured = fmt::format("{} books while paused: {} orders; {} after: {}",
                                        3 * kBooks, while_paused, kBooks, after),
                .held = while_paused == 0 && after == kBooks});
}

// --- Other settings -----------------------------------------------------------------------------

// A market of the next 12 s.
constexpr auto kApart = loosened(1ms);
constexpr std::size_t kFrames = 12s / kApart;
Frames market_from(UnixMs at) {
  simulation::Market market(configured(std::vector<config::Given>{}).settings.engine.symbols,
                            20'240'719);
  Frames frames;
  while (frames.size() < kFrames) frames.emplace_back(market.next_frame(at += kApart));
  return frames;
}

// The orders that `replay` gives for the frames, with a line before them, in an order of ours.
Orders replayed(const Environment& settings, const std::string& line, const Frames& frames) {
  const ScratchFiles files;
  std::string recording = line + "\n";
  for (const std::string& frame : frames) recording.append(frame).push_back('\n');
  const RunResult replay =
      run_binary({"replay", files.write("market.log", recording)}, with_test_defaults(settings));
  EXPECT_EQ(replay.exit_code, 0) << replay.err;
  Orders orders;
  std::istringstream lines(replay.out);
  for (std::string order; std::getline(lines, order);) orders.push_back(order);
  std::ranges::sort(orders);
  return orders;
}

UnixMs time_of(const std::string& order) { return read_order(order, {}).timestamp; }

class SettingsUnderLoad : public UnderTheControlLog {
 protected:
  // The bucket's last value of a key.
  [[nodiscard]] std::string stored(std::string_view key) const {
    const std::string answer = admin_.ask(fmt::format("$JS.API.STREAM.MSG.GET.KV_{}", kBucket),
                                          wire::last_message_request(bucket_subject(kBucket, key)));
    const auto message = wire::parse_stored_message(answer);
    EXPECT_TRUE(message.ok()) << answer;
    return message ? message.value().data : "";
  }
  [[nodiscard]] Orders delivered() const {
    Orders orders;
    for (const Request& order : engine_.received()) orders.push_back(order.payload);
    std::ranges::sort(orders);
    return orders;
  }
};

TEST_F(SettingsUnderLoad, HoldFromTheSameEventOnOnThreeReplicas) {
  Environment lively = lively_settings();
  lively["SIGNAL_COOLDOWN_SECONDS"] = "2";
  lively["RISK_MAX_DAILY_SIGNALS"] = "0";
  ASSERT_NO_FATAL_FAILURE(begin(lively));
  start_all(3);
  const UnixMs begun = to_ms(now_ns()) + 500ms;
  const Frames frames = market_from(begun);
  const std::array set{"set",
                       "SIGNAL_COOLDOWN_SECONDS=3",
                       "TRADING_ORDER_NOTIONAL=300",
                       "TRADE_MOMENTUM_WINDOW=15",
                       "RISK_STOP_LOSS_PERCENT=3",
                       "--in",
                       "4"};
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::this_thread::sleep_until(begun + (i + 1) * kApart);
    exchange_.publish(kFrameSubject, frames[i]);
    if (i == frames.size() / 6) {
      ASSERT_NO_FATAL_FAILURE(run({set.begin(), set.end()}));
    }
  }
  ASSERT_TRUE(exchange_.flush());
  ASSERT_TRUE(all_have(static_cast<double>(frames.size()), "rts_frames_received_total"));
  for (const Replica& replica : replicas_) {
    EXPECT_TRUE(replica->wait_settled(kSoon));
    EXPECT_THAT(replica->get("/info").body,
                testing::AllOf(testing::HasSubstr(R"("in_force":true,"values":{)"),
                               testing::HasSubstr(R"({"value":"300","origin":"control log"})")));
    EXPECT_EQ(replica->terminate(kSoon), 0);
  }

  const std::string revision = stored(wire::kSettingsKey);
  const auto value = wire::parse_settings_value(revision);
  ASSERT_TRUE(value) << revision;
  const auto is_before = [&](const std::string& order) {
    return time_of(order) < value->effective_from;
  };
  const Orders expected = replayed(settings_, "# settings " + revision, frames);
  const Orders old = replayed(settings_, "# nothing", frames);
  const Orders orders = delivered();
  // Of those that old values would have given too: all before, and none behind it.
  Orders of_old_values;
  std::ranges::set_intersection(orders, old, std::back_inserter(of_old_values));
  const auto before = std::ranges::count_if(orders, is_before);
  const auto after = std::ssize(orders) - before;
  EXPECT_GT(before, 10);
  EXPECT_GT(after, 5);
  EXPECT_EQ(std::ranges::count_if(old, is_before), before);
  EXPECT_TRUE(std::ranges::all_of(of_old_values, is_before));
  EXPECT_EQ(std::ssize(of_old_values), before);
  report_fault({.fault = fmt::format("set while 3 replicas run, {} frames/s", 1s / kApart),
                .promise = "old values before effective_from, new ones from it on, by event time",
                .figure = "the orders are replay's of frames and revision, byte for byte",
                .measured = fmt::format("{} before, {} from it on; expected {}, delivered {}, {}",
                                        before, after, expected.size(), orders.size(),
                                        orders == expected ? "equal" : "NOT EQUAL"),
                .held = orders == expected && std::ssize(of_old_values) == before});
}

// --- What is done to the log --------------------------------------------------------------------

TEST_F(UnderTheControlLog, ABucketThatIsDeletedIsInDoubt) {
  constexpr int kBooks = 20;
  ASSERT_NO_FATAL_FAILURE(begin());
  start_all(2);
  EXPECT_EQ(orders_of(kBooks), kBooks);
  EXPECT_THAT(admin_.ask(fmt::format("$JS.API.STREAM.DELETE.KV_{}", kBucket)),
              testing::HasSubstr(R"("success":true)"));
  ASSERT_TRUE(all_have(0, "rts_check_ok", R"(check="control_log")"));
  const std::size_t without = orders_of(kBooks);
  for (const Replica& replica : replicas_) {
    EXPECT_EQ(replica->metric("rts_orders_total", R"(result="disconnected")"), kBooks);
  }
  ASSERT_NO_FATAL_FAILURE(run({"provision"}));
  ASSERT_TRUE(all([](const Replica& one) { return one->ready(); }));
  const std::size_t after = orders_of(kBooks);
  report_fault({.fault = "bucket of the control log deleted while 2 replicas run",
                .promise = "in doubt no order; goes on when it is there again",
                .figure = "no order without it, each after",
                .measured = fmt::format("{} books without it: {} orders; {} after: {}", kBooks,
                                        without, kBooks, after),
                .held = without == 0 && after == kBooks});
}

TEST_F(UnderTheControlLog, NonsenseIsCountedAndStopsNobody) {
  constexpr int kBooks = 20;
  ASSERT_NO_FATAL_FAILURE(begin());
  start_all(2);
  const UnixMs now = to_ms(now_ns());
  const std::array settings{std::string("{"), to_json(wire::SettingsValue{now, {{"NO_SUCH", "1"}}}),
                            to_json(wire::SettingsValue{now, {{"SIGNAL_MIN_CONFIDENCE", "2"}}}),
                            to_json(wire::SettingsValue{now + 8760h, {}})};
  ASSERT_NO_FATAL_FAILURE(write("pause", "nonsense"));
  ASSERT_NO_FATAL_FAILURE(write("no_key_of_ours", "{}"));
  for (const std::string& value : settings) ASSERT_NO_FATAL_FAILURE(write("settings", value));
  constexpr double kOdd = 6;
  EXPECT_TRUE(all_have(kOdd, "rts_control_log_odd_entries_total"));
  const bool is_shown = all_have(0, "rts_check_ok", R"(check="control_log")");
  const std::size_t orders = orders_of(kBooks);
  replicas_.push_back(std::make_unique<Daemon>(settings_));
  EXPECT_TRUE(all_have(kOdd, "rts_control_log_odd_entries_total"));
  ASSERT_NO_FATAL_FAILURE(run({"set", "SIGNAL_MIN_CONFIDENCE=0.5"}));
  const bool is_fine = all([](const Replica& one) { return one->ready(); });
  report_fault(
      {.fault = "a stranger writes to the control log",
       .promise = "passed over, counted and shown; an accepted revision ends it",
       .figure = "orders as without it; /ready says why",
       .measured = fmt::format(
           "{} entries counted by each of 3; {} books: {} orders; {}", kOdd, kBooks, orders,
           is_shown && is_fine ? "shown until the next revision" : "NOT SHOWN AS IT IS"),
       .held = orders == kBooks && is_shown && is_fine});
}

}  // namespace
}  // namespace rts::test
