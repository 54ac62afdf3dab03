// The gate (SPEC §4): each rule on both sides of its boundary, their order, and that only an
// accepted signal moves a counter.
#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rts/trading/gate.hpp>

namespace rts {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr UnixMs kNoon{milliseconds(1'721'390'400'000)};  // 2024-07-19T12:00:00Z
constexpr UnixMs kMidnight = kNoon + hours(12);           // of the next day

const Symbol& symbol(std::size_t index) {
  static const std::vector<Symbol> kSymbols{*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT"),
                                            *Symbol::from("BNBUSDT"), *Symbol::from("SOLUSDT")};
  return kSymbols.at(index);
}

// Every limit off; a test turns on the one it is about.
struct Limits {
  GateLimits gate{.price_band_percent = 0, .max_daily_signals = 0, .max_orders_per_minute = 0};
  OrderTerms terms{.min_confidence = 0, .cooldown = seconds(0)};
};

// A gate, and the terms that its requests are held to.
struct TestGate {
  explicit TestGate(const Limits& limits = {}) : gate(limits.gate, 4), terms(limits.terms) {}

  Gate gate;
  OrderTerms terms;
};

struct Ask {
  StrategyId strategy = StrategyId::orderbook_skew;
  std::size_t symbol = 0;
  Side side = Side::buy;
  UnixMs at = kNoon;
  double price = 100;
  double confidence = 0.7;
  std::string_view step = "0.001";
  std::uint64_t event_id = 42;
  std::optional<ReferencePrice> reference = std::nullopt;
};

Result<Gate::Pass, Gate::Refusal> pass_of(TestGate& gate, const Ask& ask) {
  const Price price = *Price::from(ask.price);
  const Signal signal{ask.side, price, price, *Confidence::from(ask.confidence)};
  gate.terms.instrument.quantity_step = *Decimal::parse(ask.step);
  return gate.gate.pass({ask.strategy,
                         ask.symbol,
                         symbol(ask.symbol),
                         gate.terms,
                         signal,
                         ask.at,
                         {'u', ask.event_id},
                         ask.reference});
}

// "pass" or the outcome.
std::string answer(TestGate& gate, const Ask& ask) {
  const auto passed = pass_of(gate, ask);
  return passed ? "pass" : std::string(to_string(passed.error().outcome));
}

TestGate gate_with(void (*change)(Limits&)) {
  Limits limits;
  change(limits);
  return TestGate(limits);
}

Result<Gate::Pass, Gate::Refusal> pass_at_3424_99(const OrderTerms& terms, Side side) {
  Gate gate({.price_band_percent = 0}, 1);
  const Price price = *Price::from(3424.99);
  const Signal signal{side, price, price, *Confidence::from(0.7)};
  return gate.pass({StrategyId::trade_momentum, 0, symbol(0), terms, signal, kNoon, {}, {}});
}

TEST(Gate, LetsPassWithTheQuantityAndTheProtection) {
  const auto buy = pass_at_3424_99({}, Side::buy);
  ASSERT_TRUE(buy.ok());
  EXPECT_EQ(buy.value().quantity.to_string(), "0.029");
  ASSERT_TRUE(buy.value().protection.has_value());
  EXPECT_EQ(buy.value().protection->stop_loss.value(), 3424.99 * (1 - 2.0 / 100));
  EXPECT_EQ(buy.value().protection->take_profit.value(), 3424.99 * (1 + 4.0 / 100));
  const auto sell = pass_at_3424_99({}, Side::sell);
  ASSERT_TRUE(sell.ok() && sell.value().protection);
  EXPECT_EQ(sell.value().protection->stop_loss.value(), 3424.99 * (1 + 2.0 / 100));
}

TEST(Gate, LetsAClosingOrderPassWithoutProtection) {
  OrderTerms terms;
  terms.sells = Sells::close_long;
  const auto sell = pass_at_3424_99(terms, Side::sell);
  ASSERT_TRUE(sell.ok());
  EXPECT_EQ(sell.value().quantity.to_string(), "0.029");
  EXPECT_FALSE(sell.value().protection.has_value());
  EXPECT_TRUE(pass_at_3424_99(terms, Side::buy).value().protection.has_value());
}

// In doubt, an opening order is not sent: one without both its stops is not one.
TEST(Gate, RefusesAnOpeningOrderWhoseStopsAreNoPrices) {
  OrderTerms terms;
  terms.instrument.tick = *Decimal::parse("100000");
  EXPECT_EQ(pass_at_3424_99(terms, Side::buy).error().outcome, Outcome::size_limit)
      << "less than half a tick";
  terms.sells = Sells::close_long;
  EXPECT_TRUE(pass_at_3424_99(terms, Side::sell).ok()) << "it needs none";
}

TEST(Gate, RefusesASellThatMayNotOpenAndCannotSayThatItCloses) {
  for (const auto& [sells, sell] :
       {std::pair(Sells::open_short, "pass"), std::pair(Sells::close_long, "pass"),
        std::pair(Sells::refused, "shorts_disabled")}) {
    TestGate gate;
    gate.terms.sells = sells;
    EXPECT_EQ(answer(gate, {.side = Side::sell}), sell);
    EXPECT_EQ(answer(gate, {.side = Side::buy}), "pass");
  }
}

TEST(Gate, RefusesConfidenceBelowTheMinimumAndNotOnIt) {
  TestGate gate = gate_with([](auto& l) { l.terms.min_confidence = 0.75; });
  EXPECT_EQ(answer(gate, {.confidence = 0.75}), "pass");
  EXPECT_EQ(answer(gate, {.confidence = std::nextafter(0.75, 0)}), "low_confidence");
  EXPECT_EQ(answer(gate, {.confidence = std::nextafter(0.75, 1)}), "pass");
  EXPECT_EQ(answer(gate, {.confidence = 0}), "low_confidence");
  TestGate off;
  EXPECT_EQ(answer(off, {.confidence = 0}), "pass");
  TestGate sure = gate_with([](auto& l) { l.terms.min_confidence = 1; });
  EXPECT_EQ(answer(sure, {.confidence = 0.95}), "low_confidence");
}

ReferencePrice reference(double price, UnixMs at = kNoon) { return {*Price::from(price), at}; }

TEST(Gate, RefusesPricesBeyondTheBandAndNotOnIt) {
  TestGate gate = gate_with([](auto& l) { l.gate.price_band_percent = 5; });
  for (const auto& [price, expected] :
       std::vector<std::pair<double, std::string>>{{100, "pass"},
                                                   {105, "pass"},
                                                   {105.01, "price_band"},
                                                   {95, "pass"},
                                                   {94.99, "price_band"},
                                                   {200, "price_band"},
                                                   {1, "price_band"}}) {
    EXPECT_EQ(answer(gate, {.price = price, .reference = reference(100)}), expected) << price;
  }
  EXPECT_EQ(answer(gate, {}), "no_reference") << "nothing to hold it against";
  TestGate off;
  EXPECT_EQ(answer(off, {.price = 200, .reference = reference(100)}), "pass") << "0 is off";
  EXPECT_EQ(answer(off, {}), "pass");
}

TEST(Gate, ABandMayBeNarrowerThanAPercent) {
  TestGate gate = gate_with([](auto& l) { l.gate.price_band_percent = 0.5; });
  EXPECT_EQ(answer(gate, {.price = 100.5, .reference = reference(100)}), "pass");
  EXPECT_EQ(answer(gate, {.price = 100.51, .reference = reference(100)}), "price_band");
}

TEST(Gate, HoldsPricesOnlyAgainstAFreshReference) {
  TestGate gate = gate_with([](auto& l) { l.gate.price_band_percent = 5; });
  const auto of_age = [&](double price, milliseconds age) {
    return answer(gate, {.price = price, .reference = reference(100, kNoon - age)});
  };
  EXPECT_EQ(of_age(100, seconds(60)), "pass");
  EXPECT_EQ(of_age(100, seconds(60) + milliseconds(1)), "no_reference");
  EXPECT_EQ(of_age(200, milliseconds(0)), "price_band");
  EXPECT_EQ(of_age(200, seconds(60)), "price_band");
  EXPECT_EQ(of_age(200, seconds(60) + milliseconds(1)), "no_reference");
  EXPECT_EQ(of_age(200, -hours(1)), "price_band") << "a reference that is newer is not old";
}

TEST(Gate, SaysHowOldTheReferenceIsThatItWants) {
  TestGate gate = gate_with([](auto& l) { l.gate.price_band_percent = 5; });
  const auto refused = [&](const Ask& ask) { return pass_of(gate, ask).error(); };
  const Measure old = refused({.reference = reference(100, kNoon - seconds(61))}).measure;
  EXPECT_EQ(old.value, 61);
  EXPECT_EQ(old.limit, 60);
  EXPECT_EQ(refused({}).measure.value, 0) << "there is none";
  EXPECT_EQ(refused({}).measure.limit, 60);
}

TEST(Gate, MeasuresNothingWhereNoNumberDecides) {
  TestGate gate;
  gate.gate.set_paused(true);
  const Measure none = pass_of(gate, {}).error().measure;
  EXPECT_EQ(none.value, 0);
  EXPECT_EQ(none.limit, 0);
  EXPECT_EQ(none.other, 0);
}

TEST(Gate, CoolsDownUntilTheNextBucketAndTheFullDistance) {
  struct Case {
    std::string name;
    UnixMs first;
    UnixMs second;
    std::string expected;
  };
  // Buckets of 900 s begin at 12:00, 12:15, …
  for (const auto& c : std::vector<Case>{
           {"same instant", kNoon, kNoon, "cooldown"},
           {"same bucket", kNoon, kNoon + seconds(899), "cooldown"},
           {"next bucket, full distance", kNoon, kNoon + seconds(900), "pass"},
           {"one ms short of both", kNoon, kNoon + seconds(900) - milliseconds(1), "cooldown"},
           {"next bucket, too near", kNoon + seconds(899), kNoon + seconds(900), "cooldown"},
           {"next bucket, a ms too near", kNoon + seconds(1),
            kNoon + seconds(901) - milliseconds(1), "cooldown"},
           {"next bucket, just far enough", kNoon + seconds(1), kNoon + seconds(901), "pass"},
           {"older event", kNoon, kNoon - hours(5), "cooldown"},
           {"next day", kNoon, kNoon + hours(24), "pass"},
       }) {
    TestGate gate = gate_with([](auto& l) { l.terms.cooldown = seconds(900); });
    ASSERT_EQ(answer(gate, {.at = c.first}), "pass");
    EXPECT_EQ(answer(gate, {.at = c.second}), c.expected) << c.name;
  }
}

TEST(Gate, CoolsDownPerStrategySymbolAndSide) {
  TestGate gate = gate_with([](auto& l) { l.terms.cooldown = seconds(900); });
  for (const StrategyId strategy : all_of<StrategyId>) {
    for (const std::size_t symbol : {std::size_t{0}, std::size_t{3}}) {
      for (const Side side : {Side::buy, Side::sell}) {
        EXPECT_EQ(answer(gate, {strategy, symbol, side}), "pass");
        EXPECT_EQ(answer(gate, {strategy, symbol, side}), "cooldown");
      }
    }
  }
}

TEST(Gate, ANumberThatStandsForAnotherSymbolHasNoLastOrder) {
  TestGate gate = gate_with([](auto& l) { l.terms.cooldown = seconds(900); });
  for (const std::size_t symbol : {std::size_t{0}, std::size_t{1}}) {
    for (const Side side : {Side::buy, Side::sell}) {
      ASSERT_EQ(answer(gate, {.symbol = symbol, .side = side}), "pass");
    }
  }
  gate.gate.place(1, symbol(3));
  EXPECT_EQ(answer(gate, {.symbol = 0}), "cooldown");
  EXPECT_EQ(answer(gate, {.symbol = 1}), "pass");
  EXPECT_EQ(answer(gate, {.symbol = 1, .side = Side::sell}), "pass");
}

// The cooldown is the symbol's own, as all its terms are.
TEST(Gate, CoolsDownAsLongAsTheTermsSay) {
  TestGate gate = gate_with([](auto& l) { l.terms.cooldown = seconds(900); });
  EXPECT_EQ(answer(gate, {}), "pass");
  EXPECT_EQ(answer(gate, {.symbol = 1}), "pass");
  const UnixMs later = kNoon + seconds(60);
  EXPECT_EQ(answer(gate, {.at = later}), "cooldown");
  gate.terms.cooldown = seconds(60);
  EXPECT_EQ(answer(gate, {.symbol = 1, .at = later}), "pass");
}

TEST(Gate, CooldownOfZeroIsOff) {
  TestGate gate;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(answer(gate, {}), "pass");
  EXPECT_EQ(answer(gate, {.at = kNoon - hours(5)}), "pass") << "of an older event, too";
}

TEST(Gate, CooldownIsNotMovedByWhatItRefuses) {
  TestGate gate = gate_with([](auto& l) { l.terms.cooldown = seconds(900); });
  EXPECT_EQ(answer(gate, {.at = kNoon}), "pass");
  EXPECT_EQ(answer(gate, {.at = kNoon + seconds(800)}), "cooldown");
  EXPECT_EQ(answer(gate, {.at = kNoon + seconds(900)}), "pass") << "counted from the order";
}

TEST(Gate, LimitsEachStrategyPerUtcDay) {
  TestGate gate = gate_with([](auto& l) { l.gate.max_daily_signals = 2; });
  EXPECT_EQ(answer(gate, {}), "pass");
  EXPECT_EQ(answer(gate, {.symbol = 1, .side = Side::sell}), "pass");
  EXPECT_EQ(answer(gate, {.symbol = 2}), "daily_limit") << "over all symbols and sides";
  EXPECT_EQ(answer(gate, {.strategy = StrategyId::trade_momentum}), "pass") << "each its own";
  EXPECT_EQ(answer(gate, {.at = kMidnight - milliseconds(1)}), "daily_limit");
  EXPECT_EQ(answer(gate, {.at = kMidnight}), "pass") << "a new day";
  EXPECT_EQ(answer(gate, {.at = kMidnight}), "pass");
  EXPECT_EQ(answer(gate, {.at = kMidnight}), "daily_limit");
  EXPECT_EQ(answer(gate, {.at = kMidnight + hours(24 * 30)}), "pass") << "days may be skipped";
}

TEST(Gate, DayNeverRunsBackwards) {
  TestGate gate = gate_with([](auto& l) { l.gate.max_daily_signals = 2; });
  EXPECT_EQ(answer(gate, {.at = kMidnight}), "pass");
  EXPECT_EQ(answer(gate, {.at = kMidnight - hours(1)}), "pass") << "counts to the current day";
  EXPECT_EQ(answer(gate, {.at = kMidnight}), "daily_limit");
  EXPECT_EQ(answer(gate, {.at = kMidnight - hours(1)}), "daily_limit");
  EXPECT_EQ(answer(gate, {.at = kMidnight + hours(24)}), "pass");
}

TEST(Gate, LimitsAllStrategiesTogetherPerUtcMinute) {
  TestGate gate = gate_with([](auto& l) { l.gate.max_orders_per_minute = 3; });
  for (const StrategyId strategy : all_of<StrategyId>) {
    EXPECT_EQ(answer(gate, {.strategy = strategy}), "pass");
  }
  EXPECT_EQ(answer(gate, {}), "rate_limit");
  EXPECT_EQ(answer(gate, {.symbol = 1, .at = kNoon + milliseconds(59'999)}), "rate_limit");
  EXPECT_EQ(answer(gate, {.at = kNoon + minutes(1)}), "pass") << "a new minute";
}

TEST(Gate, MinuteNeverRunsBackwards) {
  TestGate gate = gate_with([](auto& l) { l.gate.max_orders_per_minute = 2; });
  EXPECT_EQ(answer(gate, {.at = kNoon}), "pass");
  EXPECT_EQ(answer(gate, {.at = kNoon - minutes(1)}), "pass") << "counts to the current minute";
  EXPECT_EQ(answer(gate, {.at = kNoon}), "rate_limit");
  EXPECT_EQ(answer(gate, {.at = kNoon - minutes(2)}), "rate_limit");
  EXPECT_EQ(answer(gate, {.at = kNoon + minutes(1)}), "pass");
}

TEST(Gate, LimitsOfZeroAreOff) {
  TestGate gate;
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(answer(gate, {}), "pass");
}

CountedOrder order_of(const Ask& ask, std::chrono::seconds cooldown) {
  const OrderName name{
      ask.strategy, ask.side, symbol(ask.symbol).text(), ask.at, {'u', ask.event_id}};
  return {order_id(name, cooldown), ask.strategy, ask.side, symbol(ask.symbol), ask.at};
}

TEST(Gate, CountsWhatTheOrderLogHas) {
  TestGate gate = gate_with([](auto& l) {
    l.terms.cooldown = seconds(900);
    l.gate.max_daily_signals = 2;
    l.gate.max_orders_per_minute = 3;
  });
  gate.gate.hear(order_of({.at = kNoon - minutes(1)}, seconds(900)), 0);
  EXPECT_EQ(answer(gate, {}), "cooldown") << "another process has made the last order";
  EXPECT_EQ(answer(gate, {.symbol = 1}), "pass");
  EXPECT_EQ(answer(gate, {.symbol = 2}), "daily_limit");
  gate.gate.hear(order_of({StrategyId::trade_momentum, 3}, seconds(900)), std::nullopt);
  EXPECT_EQ(answer(gate, {StrategyId::trade_momentum, 1}), "pass");
  EXPECT_EQ(answer(gate, {StrategyId::ticker_velocity, 2}), "rate_limit");
}

// It is the order that made the entry, and the stream will say so.
TEST(Gate, LetsAnOrderPassThatTheLogHasAlready) {
  TestGate gate = gate_with([](auto& l) {
    l.terms.cooldown = seconds(900);
    l.gate.max_daily_signals = 1;
  });
  gate.gate.hear(order_of({}, seconds(900)), 0);
  EXPECT_EQ(answer(gate, {}), "pass");
  EXPECT_EQ(answer(gate, {}), "cooldown") << "now it is our own";
  EXPECT_EQ(answer(gate, {.symbol = 1}), "daily_limit") << "it has counted once";

  TestGate without = gate_with([](auto& l) { l.gate.max_daily_signals = 1; });
  without.gate.hear(order_of({.event_id = 7}, seconds(0)), 0);
  EXPECT_EQ(answer(without, {.event_id = 8}), "daily_limit");
  EXPECT_EQ(answer(without, {.event_id = 7}), "pass");
}

TEST(Gate, WhatTheLogHasIsStillHeldToTheOtherRules) {
  TestGate gate = gate_with([](auto& l) {
    l.terms.cooldown = seconds(900);
    l.terms.min_confidence = 0.6;
  });
  gate.gate.hear(order_of({}, seconds(900)), 0);
  gate.gate.set_paused(true);
  EXPECT_EQ(answer(gate, {}), "paused");
  gate.gate.set_paused(false);
  EXPECT_EQ(answer(gate, {.confidence = 0.5}), "low_confidence");
  EXPECT_EQ(answer(gate, {.price = 1'000'001}), "size_limit");
  EXPECT_EQ(answer(gate, {}), "pass");
}

TEST(Gate, SaysOfAnOrderThatAnotherProcessHasStoredThatItIsDone) {
  for (const seconds cooldown : {seconds(900), seconds(0)}) {
    TestGate gate = gate_with([](auto&) {});
    gate.terms.cooldown = cooldown;
    gate.gate.hear(order_of({.event_id = 42}, cooldown), 0);
    EXPECT_TRUE(pass_of(gate, {.event_id = 42}).value().in_log);
    EXPECT_FALSE(pass_of(gate, {.symbol = 1, .event_id = 43}).value().in_log);
  }
}

// Between its signal and its being stored others may be stored.
TEST(Gate, AsksAnewWhetherAnOrderPassesByWhatOthersHaveStored) {
  struct Row {
    const char* what;
    Ask other;  // that is stored meanwhile
    bool passes;
  };
  const Ask own;
  for (const auto& [what, other, passes] : std::vector<Row>{
           {"nothing but itself", own, true},
           {"of another day and key", {.symbol = 1, .at = kNoon - hours(24)}, true},
           {"of its key, before it", {.at = kNoon - minutes(10), .event_id = 7}, false},
           {"of its key, after it", {.at = kNoon + minutes(20), .event_id = 7}, false},
           {"of its key, long before", {.at = kNoon - hours(13), .event_id = 7}, true},
           {"of its strategy's day", {.symbol = 1}, false},
           {"of its minute", {StrategyId::trade_momentum, 1}, false}}) {
    TestGate gate = gate_with([](auto& l) {
      l.terms.cooldown = seconds(900);
      l.gate.max_daily_signals = 1;
      l.gate.max_orders_per_minute = 1;
    });
    const CountedOrder order = order_of(own, seconds(900));
    ASSERT_EQ(answer(gate, own), "pass");
    EXPECT_TRUE(gate.gate.passes_still(order, seconds(900), 0));
    gate.gate.hear(order_of(other, seconds(900)), other.symbol);
    EXPECT_EQ(gate.gate.passes_still(order, seconds(900), 0), passes) << what;
    // What does not pass counts no more: but for what the log has, the next may pass.
    Ask next{StrategyId::ticker_velocity, 2};
    next.at = kNoon + hours(24);
    EXPECT_EQ(answer(gate, next), "pass");
  }
}

TEST(Gate, NoOrderPassesStillWhileItCoolsDownFromAnothers) {
  TestGate gate;
  ASSERT_EQ(answer(gate, {}), "pass");
  const CountedOrder order = order_of({}, seconds(0));
  gate.gate.hear(order_of({.at = kNoon - minutes(10), .event_id = 7}, seconds(0)), 0);
  EXPECT_TRUE(gate.gate.passes_still(order, seconds(600), 0));
  EXPECT_FALSE(gate.gate.passes_still(order, seconds(601), 0));
}

TEST(Gate, NoOrderPassesStillWhilePaused) {
  TestGate gate;
  ASSERT_EQ(answer(gate, {}), "pass");
  gate.gate.set_paused(StrategyId::orderbook_skew, true);
  EXPECT_FALSE(gate.gate.passes_still(order_of({}, seconds(0)), seconds(0), 0));
}

TEST(Gate, RefusesASizeThatIsImpossible) {
  TestGate gate;
  EXPECT_EQ(answer(gate, {.price = 1'000'000}), "pass") << "one step of 0.001 costs 1000";
  EXPECT_EQ(answer(gate, {.price = 1'000'001}), "size_limit");
  gate.terms.instrument.min_notional = 2000;
  EXPECT_EQ(answer(gate, {.price = 100}), "size_limit") << "what the venue takes is too much";
  gate.terms.instrument.min_notional = 1000;
  EXPECT_EQ(answer(gate, {.price = 100}), "pass");
  EXPECT_EQ(answer(gate, {.step = "1000"}), "size_limit");
}

TEST(Gate, MovesItsCountersForAcceptedSignalsOnly) {
  Limits limits;
  limits.terms.min_confidence = 0.6;
  limits.gate.price_band_percent = 5;
  limits.terms.cooldown = seconds(900);
  limits.gate.max_daily_signals = 1;
  limits.gate.max_orders_per_minute = 1;
  TestGate gate(limits);
  gate.gate.set_paused(true);
  EXPECT_EQ(answer(gate, {}), "paused");
  gate.gate.set_paused(false);
  gate.terms.sells = Sells::refused;
  EXPECT_EQ(answer(gate, {.side = Side::sell}), "shorts_disabled");
  gate.terms.sells = Sells::open_short;
  const auto near = reference(100);
  EXPECT_EQ(answer(gate, {.confidence = 0.5, .reference = near}), "low_confidence");
  EXPECT_EQ(answer(gate, {}), "no_reference");
  EXPECT_EQ(answer(gate, {.reference = reference(1)}), "price_band");
  EXPECT_EQ(answer(gate, {.step = "1000", .reference = near}), "size_limit");
  EXPECT_EQ(answer(gate, {.reference = near}), "pass") << "six refusals have used nothing up";
  EXPECT_EQ(answer(gate, {.reference = near}), "cooldown");
  const auto momentum = StrategyId::trade_momentum;
  EXPECT_EQ(answer(gate, {.strategy = momentum, .reference = near}), "rate_limit");
  const UnixMs later = kNoon + minutes(1);
  EXPECT_EQ(answer(gate, {.strategy = momentum, .at = later, .reference = near}), "pass")
      << "the refusal by the minute has not moved the day or the cooldown";
}

TEST(Gate, RefusalByTheDayMovesNeitherMinuteNorCooldown) {
  Limits limits;
  limits.terms.cooldown = seconds(60);
  limits.gate.max_daily_signals = 1;
  limits.gate.max_orders_per_minute = 1;
  TestGate gate(limits);
  EXPECT_EQ(answer(gate, {}), "pass");
  const UnixMs later = kNoon + minutes(5);
  EXPECT_EQ(answer(gate, {.symbol = 1, .at = later}), "daily_limit");
  EXPECT_EQ(answer(gate, {.strategy = StrategyId::ticker_velocity, .at = later}), "pass");
  EXPECT_EQ(answer(gate, {.symbol = 1, .at = kMidnight}), "pass");
}

// A request that breaks every rule from `first_broken` on ends in that rule.
TEST(Gate, AsksInTheOrderOfTheSpecification) {
  const std::vector<std::string> order{"paused",     "shorts_disabled", "low_confidence",
                                       "price_band", "cooldown",        "daily_limit",
                                       "rate_limit", "size_limit",      "pass"};
  for (const bool without_reference : {false, true}) {
    for (std::size_t first_broken = 0; first_broken < order.size(); ++first_broken) {
      const auto broken = [&](std::size_t rule) {
        return rule >= first_broken && first_broken < order.size() - 1;
      };
      Limits limits;
      limits.terms.min_confidence = 0.6;
      limits.gate.price_band_percent = 5;
      if (broken(4)) limits.terms.cooldown = seconds(900);
      if (broken(5)) limits.gate.max_daily_signals = 1;
      if (broken(6)) limits.gate.max_orders_per_minute = 1;
      TestGate gate(limits);
      if (first_broken < 8) {
        ASSERT_EQ(answer(gate, {.side = Side::sell, .reference = reference(100)}), "pass");
      }
      gate.gate.set_paused(broken(0));
      if (broken(1)) gate.terms.sells = Sells::refused;
      const auto far = without_reference ? std::nullopt : std::optional(reference(1));
      const Ask ask{.side = Side::sell,
                    .confidence = broken(2) ? 0.5 : 0.7,
                    .step = broken(7) ? "1000" : "0.001",
                    .reference = broken(3) ? far : reference(100)};
      const bool asks_reference = without_reference && first_broken == 3;
      EXPECT_EQ(answer(gate, ask), asks_reference ? "no_reference" : order[first_broken]);
    }
  }
}

TEST(Gate, PausesAllOrOneStrategy) {
  TestGate gate;
  gate.gate.set_paused(StrategyId::trade_momentum, true);
  EXPECT_EQ(answer(gate, {.strategy = StrategyId::trade_momentum}), "paused");
  EXPECT_EQ(answer(gate, {.strategy = StrategyId::orderbook_skew}), "pass");
  gate.gate.set_paused(true);
  EXPECT_EQ(answer(gate, {.strategy = StrategyId::orderbook_skew}), "paused");
  gate.gate.set_paused(StrategyId::orderbook_skew, false);
  EXPECT_EQ(answer(gate, {.strategy = StrategyId::orderbook_skew}), "pass");
  EXPECT_EQ(answer(gate, {.strategy = StrategyId::ticker_velocity}), "paused");
  gate.gate.set_paused(false);
  for (const StrategyId strategy : all_of<StrategyId>) {
    EXPECT_FALSE(gate.gate.is_paused(strategy));
    EXPECT_EQ(answer(gate, {.strategy = strategy}), "pass");
  }
}

TEST(ReferencePrice, DistanceIsInPercentOfTheReference) {
  EXPECT_EQ(reference(100).distance_percent(*Price::from(105)), 5);
  EXPECT_EQ(reference(100).distance_percent(*Price::from(95)), 5);
  EXPECT_EQ(reference(200).distance_percent(*Price::from(100)), 50);
  EXPECT_EQ(reference(100).distance_percent(*Price::from(100)), 0);
  EXPECT_TRUE(reference(100).is_fresh(kNoon + seconds(60)));
  EXPECT_FALSE(reference(100).is_fresh(kNoon + milliseconds(60'001)));
}

}  // namespace
}  // namespace rts
