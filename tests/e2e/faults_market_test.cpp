// The market, the relay and the strategies themselves go mad.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "e2e/scene.hpp"
#include "support/endings.hpp"
#include "support/frames.hpp"
#include "support/peer.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFrameSubject = "binance.websocket.data";
constexpr auto kSoon = loosened(15s);

// --- A strategy that wants to trade on everything

constexpr std::uint64_t kDailyLimit = 50;
constexpr std::uint64_t kMinuteLimit = 30;

Settings runaway_settings() {
  return {{"ORDERBOOK_SKEW_BUY_THRESHOLD", "1e-9"},
          {"ORDERBOOK_SKEW_SELL_THRESHOLD", "1e-10"},
          {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
          {"TRADE_MOMENTUM_BUY_THRESHOLD", "0"},
          {"TRADE_MOMENTUM_SELL_THRESHOLD", "-1e-9"},
          {"TRADE_MOMENTUM_WINDOW", "2"},
          {"TRADE_MOMENTUM_MIN_QUANTITY", "0"},
          {"TICKER_VELOCITY_BUY_THRESHOLD", "0"},
          {"TICKER_VELOCITY_SELL_THRESHOLD", "-1e-9"},
          {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0"},
          {"TICKER_VELOCITY_TIME_WINDOW", "60"},
          {"SIGNAL_COOLDOWN_SECONDS", "0"},
          {"SIGNAL_MIN_CONFIDENCE", "0"},
          {"RISK_MAX_DAILY_SIGNALS", std::to_string(kDailyLimit)},
          {"RISK_MAX_ORDERS_PER_MINUTE", std::to_string(kMinuteLimit)},
          // Hours of event time pass in seconds.
          {"MESSAGE_TTL_SECONDS", "0"},
          {"ORDER_TTL_SECONDS", "86400"},
          {"ORDER_TTL_REDUCE_ONLY_SECONDS", "86400"}};
}

constexpr auto kRunaway = 20min;

// Around the last midnight, so that a day ends among the events; near midnight just before now, for
// nothing may lie in the future, nor further back than an order lives.
UnixNs runaway_start(UnixNs now) {
  const UnixNs midnight = std::chrono::floor<std::chrono::days>(now);
  const bool is_near_midnight = now - midnight < 15min || now - midnight > 23h + 45min;
  return is_near_midnight ? now - kRunaway : midnight - kRunaway / 2;
}

// At ten to midnight the first half of the orders was once too old to be sent.
TEST(MarketFault, RunawayEventsAreNeitherAheadNorTooOldAtAnyTimeOfDay) {
  const UnixNs day = std::chrono::floor<std::chrono::days>(wall_clock());
  for (UnixNs now = day; now < day + 24h; now += 1min) {
    EXPECT_LE(runaway_start(now) + kRunaway, now);
    EXPECT_LT(now - runaway_start(now), 24h);
  }
}

TEST(MarketFault, RunawayStrategy) {
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Peer peer(broker.url());
  Daemon daemon(environment_of(runaway_settings(), broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  FrameSource source({.seed = 7, .rate = 10, .settings = runaway_settings()},
                     runaway_start(wall_clock()));
  ExpectedOrders expected;
  constexpr int kFrames = std::chrono::seconds(kRunaway).count() * 10;
  for (int i = 0; i < kFrames; ++i) {
    const FrameSource::Frame frame = source.next();
    for (const std::string& id : frame.order_ids) expected[id] = to_ms(frame.due);
    peer.publish(kFrameSubject, frame.text);
  }
  ASSERT_TRUE(peer.flush());
  const Verdict verdict = sink.settle(expected, {}, kSoon);
  ASSERT_TRUE(
      eventually([&] { return daemon.metric("rts_frames_received_total") == kFrames; }, kSoon));
  EXPECT_EQ(differences(source.tally(), Scrape(daemon.port())), "");
  daemon.expect_accounts_balance();

  // Counted once more without the Engine.
  std::map<std::int64_t, std::uint64_t> by_minute;
  std::map<std::pair<std::string, std::int64_t>, std::uint64_t> by_day;
  for (const ArrivedOrder& order : sink.orders()) {
    ++by_minute[utc_minute(order.timestamp)];
    ++by_day[{order.strategy, utc_day(order.timestamp)}];
  }
  std::uint64_t busiest_minute = 0;
  std::uint64_t busiest_day = 0;
  for (const auto& [minute, orders] : by_minute) busiest_minute = std::max(busiest_minute, orders);
  for (const auto& [day, orders] : by_day) busiest_day = std::max(busiest_day, orders);
  report_fault(
      {.fault = "runaway strategy: thresholds at 0, every event a signal",
       .promise = "limits hold",
       .figure =
           fmt::format("{} a minute and {} a strategy and day, exactly", kMinuteLimit, kDailyLimit),
       .measured =
           fmt::format("{} and {} at most; {}", busiest_minute, busiest_day, verdict.text()),
       .held = verdict.clean() && busiest_minute == kMinuteLimit && busiest_day == kDailyLimit});
}

// --- Frames bent at random

std::uint64_t mutated_frames() {
  const char* wanted = std::getenv("RTS_MUTATED_FRAMES");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : lightened(100'000);
}

// The most lines that one reason has in the log, by reason.
std::size_t most_drop_lines(const Daemon& daemon) {
  std::map<std::string, std::size_t> lines;
  std::size_t most = 0;
  for (const std::string& line : daemon.log("event_dropped")) {
    const std::string key = R"("reason":")";
    const std::size_t begin = line.find(key) + key.size();
    most = std::max(most, ++lines[line.substr(begin, line.find('"', begin) - begin)]);
  }
  return most;
}

TEST(MarketFault, MutatedFrames) {
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  FeedOptions options = memoryless_feed(25'000, 11);
  options.mutate_share = 1;
  Feed feed(broker.url(), options);
  Daemon daemon(environment_of(memoryless_settings(), broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  const std::uint64_t count = mutated_frames();
  const Stopwatch watch;
  EXPECT_TRUE(feed.publish(count));
  const bool all = eventually(
      [&] { return daemon.metric("rts_frames_received_total") == static_cast<double>(count); },
      kSoon);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(watch.passed());
  const Verdict verdict = sink.settle(feed.expected(), {}, kSoon);
  const Scrape scrape(daemon.port());
  const std::string wrong = differences(feed.tally(), scrape);
  EXPECT_EQ(wrong, "");
  EXPECT_EQ(scrape.accounts_problem(), "");
  const std::size_t lines = most_drop_lines(daemon);
  const auto most_lines = static_cast<std::size_t>(10 * (seconds.count() + 1));
  report_fault(
      {.fault = fmt::format("{} mutated frames through a real broker", count),
       .promise = "alive, each in one bucket",
       .figure = "all counted as an Engine counts them; log <= 10 lines/s per reason",
       .measured = fmt::format("{} {} differently; {} lines of one reason in {} s at most; {}",
                               scrape.sum("rts_frames_received_total"),
                               wrong.empty() ? "counted, none" : "counted, some", lines,
                               seconds.count(), verdict.text()),
       .held = all && wrong.empty() && scrape.accounts_problem().empty() && lines <= most_lines &&
               verdict.clean() && daemon.ready()});
  EXPECT_EQ(daemon.terminate(loosened(5s)), 0);
}

// --- Frames that are too much

struct Excess {
  std::string name;
  std::string frame;
  std::string ending;
};

std::vector<Excess> excesses() {
  constexpr std::size_t kMillion = 1'000'000;
  std::string objects;
  for (std::size_t i = 0; i < 200'000; ++i) objects += R"({"a":)";
  std::string levels;
  levels.reserve(kMillion * 10);
  for (std::size_t i = 0; i < kMillion; ++i) levels += R"(["1","1"],)";
  levels.pop_back();
  const std::string book =
      combined("btcusdt@depth20@100ms", futures_book().set("b", "[" + levels + "]").json());
  return {{"10^6 arrays deep", nested_arrays(kMillion / 2), "dropped/malformed"},
          {"10^6 brackets, none closed", std::string(kMillion, '['), "dropped/malformed"},
          {"200,000 objects deep", objects, "dropped/malformed"},
          {"64 MB", std::string(64'000'000, ' '), "dropped/too_large"},
          {"64 MB of a string", "\"" + std::string(64'000'000, 'x') + "\"", "dropped/too_large"},
          {"10^6 levels", book, "dropped/too_large"}};
}

std::chrono::nanoseconds thread_cpu() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

TEST(MarketFault, ExcessiveFrames) {
  std::chrono::nanoseconds slowest_median{0};
  std::chrono::nanoseconds slowest{0};
  bool right = true;
  for (const Excess& excess : excesses()) {
    Engine engine(usual_parameters());
    std::vector<std::chrono::nanoseconds> took;
    for (int i = 0; i < 21; ++i) {
      const auto before = thread_cpu();
      const std::string ended = ending(engine, excess.frame);
      took.push_back(thread_cpu() - before);
      EXPECT_EQ(ended, excess.ending) << excess.name;
      right = right && ended == excess.ending;
    }
    std::sort(took.begin(), took.end());
    std::printf("  %-28s %s, %s to %s\n", excess.name.c_str(), excess.ending.c_str(),
                text_of(took.front()).c_str(), text_of(took.back()).c_str());
    slowest_median = std::max(slowest_median, took[took.size() / 2]);
    slowest = std::max(slowest, took.back());
  }
  report_fault({.fault = "10^6-deep nesting, 64 MB frame, a million levels",
                .promise = "refused before work",
                .figure = "<= 1 ms each (median of 21)",
                .measured = fmt::format("{} of CPU at most ({} the slowest of all)",
                                        text_of(slowest_median), text_of(slowest)),
                .held = right && slowest_median <= loosened(1ms)});
}

// The broker's max_payload (1 MB unless set) keeps such frames away; where it does not, we do. A
// recording has no broker.
TEST(MarketFault, ExcessiveFramesThroughBrokerAndReplay) {
  NatsServer broker("max_payload: 8000000\nmax_pending: 67108864\n");
  Sink sink(broker.url(), kOrderSubject);
  Peer peer(broker.url());
  Daemon daemon(environment_of(memoryless_settings(), broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  constexpr int kFrames = 20;
  const std::string frame = "[" + std::string(7'900'000, ' ') + "]";
  // Each when the one before is counted: all at once are more than max_pending.
  for (int i = 0; i < kFrames; ++i) {
    ASSERT_TRUE(peer.publish(kFrameSubject, frame) && peer.flush());
    ASSERT_TRUE(eventually(
        [&] { return daemon.metric("rts_events_dropped_total", R"(reason="too_large")") == i + 1; },
        kSoon));
  }
  EXPECT_FALSE(peer.publish(kFrameSubject, std::string(8'000'001, ' ')));
  const bool ready = daemon.ready();
  daemon.expect_accounts_balance();

  const ScratchFiles files;
  const std::string recording =
      files.write("large.ndjson", std::string(64'000'000, 'x') + "\n" + book_frame() + "\n");
  const RunResult replay = run_binary({"replay", recording, "--counts", files.path("counts")});
  const std::string counts = read_file(files.path("counts"));
  const bool refused = counts.find(R"("dropped/too_large": 1)") != std::string::npos;
  report_fault({.fault = "8 MB frames through a broker that lets them; a 64 MB line in a recording",
                .promise = "refused, the next frame is read",
                .figure = "each dropped: too_large",
                .measured = fmt::format("{} of {} live, ready: {}; replay {}: the line {}", kFrames,
                                        kFrames, ready, replay.exit_code,
                                        refused ? "refused" : "not refused: " + counts),
                .held = ready && refused});
}

// --- Clocks and sequences

TEST(MarketFault, ClockJumpsStaleFutureSwappedAndDuplicateFrames) {
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  FeedOptions options = memoryless_feed(2000, 3);
  options.duplicate_share = 0.1;
  options.swap_share = 0.1;
  // "Now" is never before the newest event time: what is 9 s ahead would end the orders behind it.
  options.settings["ORDER_TTL_SECONDS"] = "30";
  Feed feed(broker.url(), options);
  Daemon daemon(environment_of(options.settings, broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  struct Phase {
    std::chrono::milliseconds shift;
    bool may_order;
  };
  constexpr std::size_t kLeftOver = 2;  // swapped and double frames of the phase before
  bool silent_when_due = true;
  // Within reach of the clock, older than MESSAGE_TTL_SECONDS, further ahead than 10 s, and back.
  for (const Phase& phase : {Phase{0s, true}, Phase{9s, true}, Phase{-70s, false}, Phase{-4s, true},
                             Phase{15s, false}, Phase{0s, true}}) {
    const std::uint64_t before = feed.expected().size();
    feed.shift(phase.shift);
    EXPECT_TRUE(feed.publish(lightened(1500)));
    const bool ordered = feed.expected().size() > before + kLeftOver;
    EXPECT_EQ(ordered, phase.may_order) << phase.shift.count();
    silent_when_due = silent_when_due && ordered == phase.may_order;
  }
  const Verdict verdict = sink.settle(feed.expected(), {}, kSoon);
  ASSERT_TRUE(eventually(
      [&] {
        return daemon.metric("rts_frames_received_total") == static_cast<double>(feed.published());
      },
      kSoon));
  const Scrape scrape(daemon.port());
  const std::string wrong = differences(feed.tally(), scrape);
  EXPECT_EQ(wrong, "");
  EXPECT_EQ(scrape.accounts_problem(), "");
  std::string counts;
  bool all_seen = true;
  for (const std::string_view reason : {"stale", "future", "out_of_order"}) {
    const double count =
        scrape.sum("rts_events_dropped_total", fmt::format("reason=\"{}\"", reason));
    counts += fmt::format("{} {}, ", reason, count);
    all_seen = all_seen && count > 0;
  }
  report_fault(
      {.fault = "clock jumps, stale, future, out-of-order, duplicate frames",
       .promise = "dropped with reason",
       .figure = "100 %",
       .measured = fmt::format("{}{}; {}", counts, wrong.empty() ? "all as they had to" : wrong,
                               verdict.text()),
       .held = silent_when_due && all_seen && wrong.empty() && verdict.clean()});
}

}  // namespace
}  // namespace rts::test
