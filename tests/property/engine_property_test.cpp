// What holds of the engine for any frames: it takes mutated, cut, spliced and invented ones without
// harm, every frame ends in at least one event and every event in one reason or outcome, orders are
// valid (EngineRun checks each) and no two have the same id.
#include <set>
#include <string>
#include <vector>

#include "property/property.hpp"
#include "support/engine_run.hpp"
#include "support/seeded_market.hpp"

namespace rts {
namespace {

using test::EngineRun;
using test::given;

std::vector<std::vector<config::Given>> several_settings() {
  return {given({}),
          given({{"TRADING_SYMBOLS", "*"},
                 {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                 {"SIGNAL_COOLDOWN_SECONDS", "1"},
                 {"TRADE_MOMENTUM_WINDOW", "2"},
                 {"TICKER_VELOCITY_TIME_WINDOW", "1"},
                 {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0"},
                 {"RISK_MAX_DAILY_SIGNALS", "0"},
                 {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
                 {"TRADING_QUANTITY_STEP", "0.00000001"}}),
          given({{"ORDER_FORMAT", "signal"},
                 {"TRADING_ENABLE_SHORTS", "false"},
                 {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                 {"SIGNAL_COOLDOWN_SECONDS", "5"},
                 {"RISK_PRICE_BAND_PERCENT", "0"}})};
}

class EngineProperty : public test::Property {
 protected:
  std::string mutated(const std::string& frame) {
    static const std::vector<std::string> kNumbers{"0",
                                                   "-1",
                                                   "1e400",
                                                   "1e-400",
                                                   "9223372036854775807",
                                                   "9223372036854775808",
                                                   "-0",
                                                   "1e308",
                                                   "5e-324",
                                                   "NaN",
                                                   "100000000000000",
                                                   "99999999999999",
                                                   "\"",
                                                   "null",
                                                   "[]",
                                                   "{}",
                                                   "\\u0000",
                                                   "1721347200000",
                                                   "1",
                                                   "64000.5",
                                                   "1.7e+308",
                                                   "01",
                                                   "true",
                                                   "\xE7\x89\x9B"};
    std::string text = frame;
    switch (pick(5)) {
      case 0:  // flipped bits
        for (std::uint64_t i = 0, n = 1 + pick(4); i < n; ++i) {
          char& c = text[pick(text.size())];
          c = static_cast<char>(c ^ static_cast<char>(1U << pick(8)));
        }
        return text;
      case 1: return text.substr(0, pick(text.size() + 1));  // cut
      case 2: {                                              // the tail of another frame
        const std::string other = market_.frame();
        return text.substr(0, pick(text.size())) + other.substr(pick(other.size()));
      }
      case 3: {  // another number, or something that is none
        std::size_t at = text.find_first_of("0123456789", pick(text.size()));
        if (at == std::string::npos) return text;
        const std::size_t end = text.find_first_not_of("0123456789.", at);
        return text.replace(at, end - at, kNumbers[pick(kNumbers.size())]);
      }
      default: return text.insert(pick(text.size()), kNumbers[pick(kNumbers.size())]);
    }
  }

  // Some JSON, from keys and values that matter to us.
  std::string random_json(int depth) {
    static const std::vector<std::string> kValues{"\"trade\"",
                                                  "\"depthUpdate\"",
                                                  "\"24hrTicker\"",
                                                  "\"BTCUSDT\"",
                                                  "\"100\"",
                                                  "\"1e3\"",
                                                  "1721347200000",
                                                  "1",
                                                  "true",
                                                  "false",
                                                  "null",
                                                  "\"MARKET\"",
                                                  "-1",
                                                  "1.5",
                                                  "\"\"",
                                                  "\"btcusdt@trade\"",
                                                  "\"btcusdt@depth20@100ms\"",
                                                  "[[\"1\",\"2\"]]",
                                                  "[[\"3\",\"4\"]]"};
    static const std::vector<std::string> kKeys{"e",         "s",
                                                "E",         "u",
                                                "t",         "a",
                                                "b",         "p",
                                                "q",         "m",
                                                "X",         "c",
                                                "stream",    "data",
                                                "bids",      "asks",
                                                "id",        "error",
                                                "code",      "msg",
                                                "z",         "lastUpdateId",
                                                "timestamp", "message_id",
                                                "result",    "_otel_trace_context"};
    const std::uint64_t kind = pick(10);
    if (depth == 0 || kind < 5) return kValues[pick(kValues.size())];
    std::string text;
    for (std::uint64_t i = 0, n = pick(8); i < n; ++i) {
      if (!text.empty()) text += ',';
      if (kind > 6) text += '"' + kKeys[pick(kKeys.size())] + "\":";
      text += random_json(depth - 1);
    }
    return kind > 6 ? "{" + text + "}" : "[" + text + "]";
  }

  test::SeededMarket& market() { return market_; }

 private:
  test::SeededMarket market_{test::property_seed()};
};

void expect_accounted(const EngineRun& run, std::uint64_t frames) {
  EXPECT_EQ(run.tally().frames(), frames);
  EXPECT_GE(run.tally().events(), frames);
  EXPECT_EQ(test::accounted_events(run.tally()), run.tally().events());
}

std::uint64_t signals(const Tally& tally) {
  std::uint64_t sum = 0;
  for (const StrategyId strategy : all_of<StrategyId>) {
    sum += tally.count(strategy, Outcome::signal_buy) + tally.count(strategy, Outcome::signal_sell);
  }
  return sum;
}

void expect_unique_ids(const EngineRun& run) {
  std::set<std::string> ids;
  for (const std::string& order : run.orders()) {
    const std::size_t at = order.find("id\":\"") + 5;
    EXPECT_TRUE(ids.insert(order.substr(at, 36)).second) << order;
  }
  EXPECT_EQ(ids.size(), signals(run.tally()));
}

TEST_F(EngineProperty, AccountsForEveryEventOfAnOrdinaryMarket) {
  for (const auto& settings : several_settings()) {
    EngineRun run(test::configured(settings));
    for (int i = 0; i < 5'000; ++i) run.frame(market().frame());
    expect_accounted(run, 5'000);
    expect_unique_ids(run);
  }
}

TEST_F(EngineProperty, TakesMutatedFramesBetweenGoodOnes) {
  for (const auto& settings : several_settings()) {
    EngineRun run(test::configured(settings));
    constexpr int kFrames = 10'000;
    for (int i = 0; i < kFrames; ++i) {
      const std::string frame = market().frame();
      run.frame(pick(3) == 0 ? frame : mutated(frame),
                pick(2) == 0 ? std::nullopt : std::optional(UnixNs(std::chrono::hours(480'000))));
    }
    expect_accounted(run, kFrames);
    expect_unique_ids(run);
  }
}

TEST_F(EngineProperty, TakesInventedJson) {
  for (const auto& settings : several_settings()) {
    EngineRun run(test::configured(settings));
    constexpr int kFrames = 20'000;
    for (int i = 0; i < kFrames; ++i) run.frame(random_json(4));
    expect_accounted(run, kFrames);
    expect_unique_ids(run);
  }
}

TEST_F(EngineProperty, TakesArraysOfGoodAndMutatedEvents) {
  const auto event_of = [](const std::string& frame) {
    const std::size_t data = frame.find("\"data\":") + 7;
    return frame.substr(data, frame.size() - data - 1);
  };
  EngineRun run(test::configured(several_settings()[1]));
  std::uint64_t events = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::string array;
    const std::uint64_t count = 1 + pick(10);
    for (std::uint64_t n = 0; n < count; ++n) {
      array += (n == 0 ? "[" : ",") + event_of(market().frame());
    }
    events += count;
    run.frame(array + "]");
    EXPECT_EQ(run.tally().events(), events) << "an event an element";
    run.frame(mutated(array + "]"));
    events = run.tally().events();
  }
  expect_accounted(run, 4'000);
  expect_unique_ids(run);
}

TEST_F(EngineProperty, RandomBytesAreMalformedWithoutHarm) {
  EngineRun run(test::configured({}));
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(1 + pick(200), '\0');
    for (char& c : bytes) c = static_cast<char>(pick(256));
    run.frame(bytes);
  }
  expect_accounted(run, 20'000);
  EXPECT_GE(run.tally().count(Reason::malformed), 19'900U);
}

// With a cooldown of 0 the id is the event's own: the same event gives the same id in every run.
TEST_F(EngineProperty, OrderIdsAreAFunctionOfTheDecision) {
  const auto settings = given({{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                               {"SIGNAL_COOLDOWN_SECONDS", "0"},
                               {"RISK_MAX_DAILY_SIGNALS", "0"},
                               {"RISK_MAX_ORDERS_PER_MINUTE", "0"}});
  const auto frames = market().frames(3'000);
  EngineRun whole(test::configured(settings));
  EngineRun later(test::configured(settings));
  whole.lines(frames);
  later.lines(std::vector<std::string>(frames.begin() + 1'500, frames.end()));
  expect_unique_ids(whole);
  std::set<std::string> known(whole.orders().begin(), whole.orders().end());
  std::size_t books = 0;
  for (const std::string& order : later.orders()) {
    if (order.find("orderbook_skew") == std::string::npos) continue;
    ++books;
    EXPECT_TRUE(known.contains(order)) << order;
  }
  EXPECT_GT(books, 100U);
}

}  // namespace
}  // namespace rts
