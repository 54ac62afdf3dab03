// Revisions of the settings: each holds for every event at or after its time and for no other,
// and what the strategies remember fits the values that are in force.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/engine/engine.hpp>
#include <rts/engine/schedule.hpp>

#include "support/endings.hpp"
#include "support/frames.hpp"

namespace rts {
namespace {

using namespace rts::test;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

using Parameters = EngineParameters;

// No cooldown: every signal becomes an order.
Parameters eager() {
  Parameters parameters = usual_parameters();
  parameters.defaults.trade_momentum.window = 2;
  parameters.defaults.terms.cooldown = seconds(0);
  return parameters;
}

template <class Change>
SettingsRevision revision(std::int64_t from_ms, Change change) {
  SettingsRevision revised{kNoon + milliseconds(from_ms), eager()};
  change(revised.parameters);
  return revised;
}
void never_buy(Parameters& p) { p.defaults.orderbook_skew.buy_threshold = 1000; }

std::string book_at(std::int64_t ms, std::uint64_t id) {
  return book_frame({.at_ms = kNoonMs + ms, .id = id});
}
// The way the frame's event ends, without whose way that is.
std::string end_of(Engine& engine, const std::string& frame) {
  const std::string whole = ending(engine, frame);
  return whole.substr(whole.find('/') + 1);
}

TEST(EngineRevision, HoldsFromItsTimeOnWhateverComesFirst) {
  Engine engine(eager());
  engine.hear(revision(1000, never_buy));
  EXPECT_EQ(end_of(engine, book_at(0, 1)), "signal_buy");
  EXPECT_EQ(end_of(engine, book_at(1000, 2)), "neutral") << "at its time";
  EXPECT_EQ(end_of(engine, book_at(999, 3)), "signal_buy") << "older, and later";
  EXPECT_EQ(end_of(engine, book_at(5000, 4)), "neutral");
}

TEST(EngineRevision, AtATimeIsTheLastOneInTheLogsOrder) {
  Engine engine(eager());
  engine.hear(revision(1000, never_buy));
  engine.hear(revision(3000, never_buy));
  engine.hear(revision(2000, [](Parameters&) {}));
  std::vector<std::string> ends;
  for (const std::int64_t at : {0, 1000, 1999, 2000, 3000, 9000}) {
    ends.push_back(end_of(engine, book_at(at, static_cast<std::uint64_t>(at) + 1)));
  }
  EXPECT_THAT(ends, ElementsAre("signal_buy", "neutral", "neutral", "signal_buy", "signal_buy",
                                "signal_buy"))
      << "that of 3000 was written before that of 2000, and is over";
}

TEST(EngineRevision, ChangesTheGatesLimitsAndTheBandOfPrices) {
  Engine engine(eager());
  engine.hear(revision(1000, [](Parameters& p) { p.gate.max_orders_per_minute = 1; }));
  EXPECT_EQ(end_of(engine, book_at(0, 1)), "signal_buy");
  EXPECT_EQ(end_of(engine, book_at(1000, 2)), "rate_limit");
  EXPECT_EQ(end_of(engine, book_at(999, 3)), "signal_buy");

  Engine banded(eager());
  banded.hear(revision(1000, [](Parameters& p) { p.gate.price_band_percent = 1; }));
  const auto wild = [](std::int64_t ms) {
    return ticker({.at_ms = kNoonMs + ms, .price = "150"}).json();
  };
  EXPECT_EQ(end_of(banded, ticker({.at_ms = kNoonMs - 1})), "warming_up");
  EXPECT_EQ(end_of(banded, wild(0)), "warming_up");
  EXPECT_EQ(end_of(banded, ticker({.at_ms = kNoonMs + 1000})), "outlier");
}

TEST(EngineRevision, IsOfASymbolWhereThatHasItsOwn) {
  Engine engine(eager());
  engine.hear(revision(0, [](Parameters& p) {
    p.per_symbol.push_back({*Symbol::from("ETHUSDT"), p.defaults});
    p.per_symbol[0].parameters.orderbook_skew.buy_threshold = 1000;
  }));
  EXPECT_EQ(end_of(engine, book_at(0, 1)), "signal_buy");
  EXPECT_EQ(end_of(engine, combined("ethusdt@depth20", futures_book({.symbol = "ETHUSDT"}))),
            "neutral");
}

TEST(EngineRevision, ChangesWhatAnOrderIsMadeOf) {
  Engine engine(eager());
  engine.hear(
      revision(0, [](Parameters& p) { p.defaults.terms.size.order = *Notional::from(500); }));
  const Step step = engine.step(book_at(0, 1), std::nullopt);
  EXPECT_EQ(step.events.back().decision()->order->quantity.to_string(), "4.99");
  EXPECT_TRUE(engine.is_enabled(StrategyId::orderbook_skew));
}

// --- What the strategies remember ---------------------------------------------------------------

std::string trade_of_second(std::int64_t second, const std::string& price = "100") {
  return trade({.at_ms = kNoonMs + second * 1000,
                .id = static_cast<std::uint64_t>(second) + 1,
                .price = price});
}
std::string ticker_of_second(std::int64_t second, const std::string& price = "100") {
  return ticker({.at_ms = kNoonMs + second * 1000, .price = price});
}
auto window_of(int trades) {
  return [trades](Parameters& p) { p.defaults.trade_momentum.window = trades; };
}
auto seconds_of(int window) {
  return [window](Parameters& p) { p.defaults.ticker_velocity.time_window = seconds(window); };
}

TEST(EngineRevision, ALongerWindowOfTradesWarmsUpUntilItHoldsAsMany) {
  Engine engine(eager());
  engine.hear(revision(4000, window_of(6)));
  std::vector<std::string> ends;
  for (int i = 0; i < 10; ++i) ends.push_back(end_of(engine, trade_of_second(i)));
  const std::string warming = "warming_up";
  EXPECT_THAT(ends, ElementsAre(warming, warming, "neutral", "neutral", warming, warming, warming,
                                warming, "neutral", "neutral"));
}

// As a window that was never longer: the mean is that of the last two.
TEST(EngineRevision, AShorterWindowOfTradesIsCutAtOnce) {
  Parameters four = eager();
  four.defaults.trade_momentum.window = 4;
  Engine engine(four);
  Engine fresh(eager());
  engine.hear(revision(6000, window_of(2)));
  std::string last, expected;
  for (int i = 0; i < 7; ++i) {
    const std::string frame = trade_of_second(i, i < 4 ? "90" : "100");
    last = end_of(engine, frame);
    if (i >= 4) expected = end_of(fresh, frame);
  }
  EXPECT_EQ(last, expected);
  EXPECT_EQ(last, "neutral") << "of 100 against 100; against four it would be a signal";
}

TEST(EngineRevision, ALongerTimeWindowWarmsUpUntilItIsKnown) {
  Engine engine(eager());
  engine.hear(revision(100'000, seconds_of(120)));
  std::int64_t warm_at = -1;
  for (std::int64_t second = 0; second <= 200; second += 10) {
    const std::string end = end_of(engine, ticker_of_second(second));
    EXPECT_EQ(end == "warming_up", second < 60 || (second >= 100 && second < 150)) << second;
    if (second >= 100 && warm_at < 0 && end != "warming_up") warm_at = second;
  }
  EXPECT_EQ(warm_at, 150) << "what was before 30 had been forgotten";
}

TEST(EngineRevision, AShorterTimeWindowIsWarmAtOnce) {
  Engine engine(eager());
  engine.hear(revision(100'000, seconds_of(20)));
  for (std::int64_t second = 0; second <= 200; second += 10) {
    EXPECT_EQ(end_of(engine, ticker_of_second(second)) == "warming_up", second < 60) << second;
  }
}

TEST(EngineRevision, AStrategyThatIsSwitchedOnAgainWarmsUp) {
  constexpr auto off = [](Parameters& p) { p.defaults.enabled = {false, false, false}; };
  Engine engine(eager());
  engine.hear(revision(4000, off));
  engine.hear(revision(6000, [](Parameters&) {}));
  std::vector<std::string> ends;
  for (int i = 0; i < 9; ++i) ends.push_back(end_of(engine, trade_of_second(i)));
  const std::string warming = "warming_up";
  EXPECT_THAT(ends, ElementsAre(warming, warming, "neutral", "neutral", "disabled", "disabled",
                                warming, warming, "neutral"));
  EXPECT_EQ(end_of(engine, ticker_of_second(0)), warming);
  EXPECT_EQ(end_of(engine, ticker_of_second(5)), "disabled");
  EXPECT_EQ(end_of(engine, ticker_of_second(61)), warming) << "61 s after the first, not the last";
}

TEST(EngineRevision, AWindowOfTickersIsForgottenWhileItsStrategyIsSwitchedOff) {
  Engine engine(eager());
  engine.hear(revision(4000, [](Parameters& p) { p.defaults.enabled = {false, false, false}; }));
  engine.hear(revision(6000, [](Parameters&) {}));
  EXPECT_EQ(end_of(engine, ticker_of_second(3)), "warming_up");
  EXPECT_EQ(end_of(engine, ticker_of_second(5)), "disabled");
  EXPECT_EQ(end_of(engine, ticker_of_second(63)), "warming_up") << "a window behind the first";
}

// 200 s of silence leave one sample, and the time since the first.
TEST(EngineRevision, OfOtherSettingsLeavesWhatIsKnownOfPricesAsItIs) {
  Engine engine(eager());
  engine.hear(revision(150'000, never_buy));
  engine.step(ticker_of_second(0), std::nullopt);
  engine.step(ticker_of_second(100), std::nullopt);
  const Step step = engine.step(ticker_of_second(200), std::nullopt);
  EXPECT_EQ(step.events.back().decision()->measure.value, 200);
}

TEST(EngineRevision, AnOrderPassesStillByTheLimitsOfItsTime) {
  Engine engine(eager());
  engine.hear(revision(1000, [](Parameters& p) { p.gate.max_orders_per_minute = 1; }));
  const Step step = engine.step(book_at(0, 1), std::nullopt);
  const Order& made = *step.events.back().decision()->order;
  const CountedOrder order{made.id, made.strategy, Side::buy, *Symbol::from("BTCUSDT"), made.at};
  CountedOrder others = order;
  others.id = make_order_id("another's");
  engine.hear(others);
  EXPECT_EQ(end_of(engine, book_at(1000, 2)), "rate_limit");
  EXPECT_TRUE(engine.passes_still(order)) << "there was no limit at its time";
}

TEST(EngineRevision, ThatChangesNothingLeavesTheWindowsAsTheyAre) {
  Engine engine(eager());
  for (int i = 0; i < 3; ++i) engine.step(trade_of_second(i), std::nullopt);
  engine.hear(revision(3000, [](Parameters&) {}));
  EXPECT_EQ(end_of(engine, trade_of_second(3)), "neutral");
}

// --- Pauses of the log --------------------------------------------------------------------------

TEST(EnginePause, OfTheLogAndOfTheProcessHoldEachOnItsOwn) {
  using enum StrategyId;
  Engine engine(eager());
  engine.hear_pause(std::nullopt, true);
  engine.hear_pause(orderbook_skew, false);
  EXPECT_TRUE(engine.is_paused(orderbook_skew)) << "the key for all of them still holds it";
  EXPECT_EQ(end_of(engine, book_at(0, 1)), "paused");
  engine.set_paused(false);
  EXPECT_TRUE(engine.is_paused(orderbook_skew));
  engine.hear_pause(std::nullopt, false);
  EXPECT_FALSE(engine.is_paused(orderbook_skew));
  engine.hear_pause(trade_momentum, true);
  EXPECT_TRUE(engine.is_paused(trade_momentum));
  EXPECT_FALSE(engine.is_paused(orderbook_skew));
  engine.set_paused(true);
  engine.hear_pause(trade_momentum, false);
  EXPECT_TRUE(engine.is_paused(trade_momentum)) << "by the process";
  engine.set_paused(trade_momentum, false);
  EXPECT_FALSE(engine.is_paused(trade_momentum));
}

// --- Schedule -----------------------------------------------------------------------------------

TEST(Schedule, HoldsAtMost64RevisionsAndTheOldestLeaves) {
  Schedule schedule{eager()};
  const auto at = [](std::int64_t ms) { return kNoon + milliseconds(ms); };
  for (std::int64_t i = 1; i <= 65; ++i) schedule.hear({at(i), eager()});
  EXPECT_EQ(schedule.at(at(1)).number, 0U) << "the first has left";
  for (std::int64_t i = 2; i <= 65; ++i) {
    EXPECT_EQ(schedule.at(at(i)).number, static_cast<std::uint64_t>(i));
  }
  EXPECT_EQ(schedule.at(at(1000)).number, 65U);
  EXPECT_EQ(schedule.at(UnixMs{}).number, 0U);
  schedule.hear({UnixMs{}, eager()});
  EXPECT_EQ(schedule.at(at(65)).number, 66U) << "it takes the place of all after it";
  EXPECT_EQ(schedule.at(UnixMs{} - milliseconds(1)).number, 0U);
}

TEST(Schedule, TheFirstLeavesTooWhenOneBeginsBeforeIt) {
  Schedule schedule{eager()};
  schedule.hear({kNoon, eager()});
  schedule.hear({kNoon - milliseconds(1), eager()});
  EXPECT_EQ(schedule.at(kNoon).number, 2U);
}

TEST(Schedule, OfThoseThatBeginAtOneTimeHoldsTheLastAlone) {
  Schedule schedule{eager()};
  schedule.hear({kNoon, eager()});
  const UnixMs later = kNoon + milliseconds(1);
  for (std::size_t i = 0; i < Schedule::kMaxRevisions; ++i) schedule.hear({later, eager()});
  EXPECT_EQ(schedule.at(kNoon).number, 1U) << "they have not pushed it out";
  EXPECT_EQ(schedule.at(later).number, 65U);
}

}  // namespace
}  // namespace rts
