// `replay --why`: what is said of a moment, from what a real engine makes of hand-made frames.
#include "commands/why.hpp"

#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_run.hpp"
#include "support/frames.hpp"
#include "support/rapidjson.hpp"
#include "support/seeded_market.hpp"

namespace rts::commands {
namespace {

using test::book_frame;
using test::combined;
using test::configured;
using test::futures_book;
using test::given;
using test::kNoon;
using test::kNoonMs;
using test::SeededMarket;
using test::ticker;
using test::trade;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Environment = std::vector<config::Given>;
using Frames = std::vector<std::string>;

std::string book_at(std::int64_t ms, std::string ask, std::string bid_volume,
                    std::string ask_volume) {
  return book_frame({.at_ms = kNoonMs + ms,
                     .id = static_cast<std::uint64_t>(ms) + 1,
                     .bids = {{"100", std::move(bid_volume)}},
                     .asks = {{std::move(ask), std::move(ask_volume)}}});
}
std::string trade_at(std::int64_t ms, std::string price = "100", std::string quantity = "1") {
  return trade({.at_ms = kNoonMs + ms,
                .id = static_cast<std::uint64_t>(ms) + 1,
                .price = std::move(price),
                .quantity = std::move(quantity)});
}
std::string ticker_at(std::int64_t ms, std::string price = "100") {
  return ticker({.at_ms = kNoonMs + ms, .price = std::move(price)});
}

// "BTCUSDT@1721390400000".
std::string moment_at(std::int64_t ms, std::string_view symbol = "BTCUSDT") {
  return fmt::format("{}@{}", symbol, kNoonMs + ms);
}

// A replay of frames that is asked about one moment.
class Asked {
 public:
  Asked(const Environment& environment, const std::string& moment)
      : configuration_(configured(environment)),
        engine_(config::engine_parameters(configuration_.settings, Clock::replay)),
        why_({moment}, configuration_, engine_) {}

  void play(const Frames& frames) {
    for (const std::string& frame : frames) why_.add(engine_.step(frame, {}), {});
  }
  [[nodiscard]] Answer answer() { return why_.answers().front(); }
  [[nodiscard]] std::string text() { return why_.text(answer()); }
  [[nodiscard]] std::string json() { return why_.json(answer()); }
  [[nodiscard]] std::string problem() { return why_.problem_with(answer().moment); }
  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] Why& why() { return why_; }

 private:
  config::Configuration configuration_;
  Engine engine_;
  Why why_;
};

std::string text_of(const Environment& environment, const Frames& frames, std::int64_t moment_ms) {
  Asked asked(environment, moment_at(moment_ms));
  asked.play(frames);
  return asked.text();
}

// --- The moment ---------------------------------------------------------------------------------

TEST(Moment, TakesIsoTimesAndMilliseconds) {
  for (const std::string time :
       {"2024-07-19T12:00:00", "2024-07-19T12:00:00.000", "2024-07-19 12:00:00Z",
        "2024-07-19T14:00:00+02:00", "2024-07-19T12:00", "1721390400000"}) {
    const Moment moment = parse_moment("btcusdt@" + time);
    EXPECT_EQ(moment.symbol.text(), "BTCUSDT") << time;
    EXPECT_EQ(moment.at, kNoon) << time;
  }
  EXPECT_EQ(parse_moment("BTCUSDT@2024-07-19T12:00:00.109").at,
            kNoon + std::chrono::milliseconds(109));
}

TEST(Moment, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "@", "BTCUSDT", "BTCUSDT@", "@1721390400000", "BTCUSDT@noon", "BTCUSDT@-1", "BTCUSDT@0",
        "BTC USDT@1721390400000", "BTCUSDT@2024-07-19T25:00:00", "BTCUSDT@1721390400000ms"}) {
    EXPECT_THROW(static_cast<void>(parse_moment(text)), CommandError) << text;
  }
}

// --- What each strategy said --------------------------------------------------------------------

struct Case {
  std::string strategy, outcome;
  Environment environment;
  Frames frames;  // the last one is half a second before the moment
  std::int64_t moment_ms;
  std::string sentence, inputs, held_against;  // the latter two may be empty
};

const config::Given kNoBand{"RISK_PRICE_BAND_PERCENT", "0"};
const config::Given kWindow{"TRADE_MOMENTUM_WINDOW", "2"};
const config::Given kTime{"TICKER_VELOCITY_TIME_WINDOW", "10"};

const std::vector<Case> kCases{
    {"orderbook_skew",
     "neutral",
     {},
     {book_at(0, "100.2", "1", "1")},
     500,
     "ratio 1: it buys above 1.2, 0.2 away, and sells below 0.8, 0.2 away; "
     "ORDERBOOK_SKEW_BUY_THRESHOLD and ORDERBOOK_SKEW_SELL_THRESHOLD decide that",
     "bid_volume 1, ask_volume 1, ratio 1, spread_percent 0.2",
     "ratio 1: buys above 1.2, 0.2 away (16.67 %); sells below 0.8, 0.2 away (25 %)"},
    {"orderbook_skew",
     "spread_below_minimum",
     {},
     {book_at(0, "100.05", "3", "2")},
     500,
     "spread 0.05 % is below the minimum of 0.1 %: it would have to be 2 times as wide; "
     "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT=0 lets it through",
     "bid_volume 3, ask_volume 2, ratio 1.5, spread_percent 0.05",
     "measured 0.05 %: at least 0.1 %, 0.05 % away (50 %)"},
    {"orderbook_skew",
     "cooldown",
     {kNoBand},
     {book_at(0, "100.2", "3", "2"), book_at(1000, "100.2", "3", "2")},
     1500,
     "BUY at 100.2 was wanted, but the last one was 1 s before, and 900 s have to lie between: "
     "899 s to go; SIGNAL_COOLDOWN_SECONDS decides that",
     "bid_volume 3, ask_volume 2, ratio 1.5, spread_percent 0.2",
     "measured 1 s: at least 900 s, 899 s away (99.89 %)"},
    {"orderbook_skew",
     "signal_buy",
     {kNoBand},
     {book_at(0, "100.2", "3", "2")},
     500,
     "BUY 0.999 at 100.2: ratio 1.5 is above 1.2; order",
     "bid_volume 3, ask_volume 2, ratio 1.5, spread_percent 0.2",
     "ratio 1.5: buys above 1.2, passed by 0.3 (25 %); sells below 0.8, 0.7 away (87.5 %)"},

    {"trade_momentum",
     "neutral",
     {kWindow},
     {trade_at(0), trade_at(1000), trade_at(2000)},
     2500,
     "momentum 0.36: it buys above 0.7, 0.34 away, and sells below -0.7, 1.06 away; "
     "TRADE_MOMENTUM_BUY_THRESHOLD and TRADE_MOMENTUM_SELL_THRESHOLD decide that",
     "momentum 0.36, price_score 0, quantity_score 0.2, maker_score 1",
     "momentum 0.36: buys above 0.7, 0.34 away (48.57 %); sells below -0.7, 1.06 away (151.4 %)"},
    {"trade_momentum",
     "below_min_quantity",
     {},
     {trade_at(0, "100", "0.0005")},
     500,
     "quantity 0.0005 is below the minimum of 0.001; TRADE_MOMENTUM_MIN_QUANTITY=0 counts every "
     "trade",
     "",
     "measured 0.0005: at least 0.001, 0.0005 away (50 %)"},
    {"trade_momentum",
     "warming_up",
     {},
     {trade_at(0), trade_at(1000)},
     1500,
     "1 of the 100 trades before it that it takes are known: 99 more are needed; "
     "TRADE_MOMENTUM_WINDOW decides that (2 in a row since 2024-07-19T12:00:00.000Z)",
     "",
     "measured 1 trades: at least 100 trades, 99 trades away (99 %)"},
    {"trade_momentum",
     "signal_buy",
     {kWindow},
     {trade_at(0), trade_at(1000), trade_at(2000, "100.1", "5")},
     2500,
     "BUY 1 at 100.1: momentum 1 is above 0.7; order",
     "momentum 1, price_score 1, quantity_score 1, maker_score 1",
     "momentum 1: buys above 0.7, passed by 0.3 (42.86 %); sells below -0.7, 1.7 away (242.9 %)"},
    {"trade_momentum",
     "cooldown",
     {kWindow},
     {trade_at(0), trade_at(1000), trade_at(2000, "100.1", "5"), trade_at(3000, "100.2", "15")},
     3500,
     "BUY at 100.2 was wanted, but the last one was 1 s before, and 900 s have to lie between: "
     "899 s to go; SIGNAL_COOLDOWN_SECONDS decides that",
     "momentum 1, price_score 1, quantity_score 1, maker_score 1",
     "measured 1 s: at least 900 s, 899 s away (99.89 %)"},

    {"ticker_velocity",
     "warming_up",
     {kTime},
     {ticker_at(0), ticker_at(4000)},
     4500,
     "tickers are known for 4 s of the 10 s that it takes: 6 s more are needed; "
     "TICKER_VELOCITY_TIME_WINDOW decides that (2 in a row since 2024-07-19T12:00:00.000Z)",
     "",
     "measured 4 s: at least 10 s, 6 s away (60 %)"},
    {"ticker_velocity",
     "below_min_price_change",
     {kTime},
     {ticker_at(0), ticker_at(10000, "100.05")},
     10500,
     "the price has changed by 0.05 %, less than the minimum of 0.1 %, in 10 s: it would have to "
     "be 2 times as much; TICKER_VELOCITY_MIN_PRICE_CHANGE=0 lets it through",
     "velocity 0.3, price_change_percent 0.05, window_seconds 10",
     "measured 0.05 %: at least 0.1 %, 0.05 % away (50 %)"},
    {"ticker_velocity",
     "neutral",
     {kTime, {"TICKER_VELOCITY_BUY_THRESHOLD", "1.5"}},
     {ticker_at(0), ticker_at(10000, "100.2")},
     10500,
     "velocity 1.2 % a minute: it buys above 1.5, 0.3 away, and sells below -0.5, 1.7 away; "
     "TICKER_VELOCITY_BUY_THRESHOLD and TICKER_VELOCITY_SELL_THRESHOLD decide that",
     "velocity 1.2, price_change_percent 0.2, window_seconds 10",
     "velocity 1.2 % a minute: buys above 1.5 % a minute, 0.3 % a minute away (20 %); sells below "
     "-0.5 % a minute, 1.7 % a minute away (340 %)"},
    {"ticker_velocity",
     "signal_sell",
     {kTime},
     {ticker_at(0), ticker_at(10000, "99.8")},
     10500,
     "SELL 1.003 at 99.8: velocity -1.2 % a minute is below -0.5; order",
     "velocity -1.2, price_change_percent -0.2, window_seconds 10",
     "velocity -1.2 % a minute: buys above 0.5 % a minute, 1.7 % a minute away (340 %); sells "
     "below -0.5 % a minute, passed by 0.7 % a minute (140 %)"},
    {"ticker_velocity",
     "cooldown",
     {kTime},
     {ticker_at(0), ticker_at(5000), ticker_at(10000, "99.8"), ticker_at(15000, "99.6")},
     15500,
     "SELL at 99.6 was wanted, but the last one was 5 s before, and 900 s have to lie between: "
     "895 s to go; SIGNAL_COOLDOWN_SECONDS decides that",
     "velocity -2.4, price_change_percent -0.4, window_seconds 10",
     "measured 5 s: at least 900 s, 895 s away (99.44 %)"},
};

TEST(Why, SaysOfEachStrategyWhatItDecidedByWhichNumbers) {
  for (const Case& one : kCases) {
    const std::string text = text_of(one.environment, one.frames, one.moment_ms);
    std::string expected =
        fmt::format("  {}\n    0.5 s before: {} BTCUSDT {} {}: {}", one.strategy,
                    rfc3339(kNoon + std::chrono::milliseconds(one.moment_ms - 500)), one.strategy,
                    one.outcome, one.sentence);
    EXPECT_THAT(text, HasSubstr(expected));
    if (!one.inputs.empty()) {
      EXPECT_THAT(text, HasSubstr("      inputs: " + one.inputs + "\n"));
    }
    EXPECT_EQ(text.find("inputs:") == std::string::npos, one.inputs.empty()) << text;
    EXPECT_THAT(text, HasSubstr("      held against: " + one.held_against + "\n"));
  }
}

TEST(Why, SaysOfASwitchedOffStrategyNoNumbers) {
  const std::string text =
      text_of({{"STRATEGY_ENABLED_ORDERBOOK_SKEW", "false"}}, {book_at(0, "100.2", "3", "2")}, 0);
  EXPECT_THAT(text, AllOf(HasSubstr("at it: 2024-07-19T12:00:00.000Z BTCUSDT orderbook_skew "
                                    "disabled: orderbook_skew is switched off;"),
                          Not(HasSubstr("held against")), Not(HasSubstr("inputs"))));
}

TEST(Why, SaysOfAnOrderThatItWasDecidedAndNotSent) {
  EXPECT_THAT(text_of({kNoBand}, {book_at(0, "100.2", "3", "2")}, 0),
              HasSubstr("order decided, not sent\n"));
}

// --- Which decisions ----------------------------------------------------------------------------

TEST(Why, TakesTheDecisionAtTheMomentAndTheNextOneBehindIt) {
  const Frames frames{book_at(0, "100.2", "1", "1"), book_at(100, "100.2", "1.1", "1"),
                      book_at(200, "100.2", "1.2", "1"), book_at(300, "100.2", "1.3", "1")};
  struct Row {
    std::int64_t moment_ms;
    std::string before, after;
  };
  for (const auto& [moment, before, after] : std::vector<Row>{
           {100, "at it: 2024-07-19T12:00:00.100Z", "0.1 s after: 2024-07-19T12:00:00.200Z"},
           {199, "0.099 s before: 2024-07-19T12:00:00.100Z",
            "0.001 s after: 2024-07-19T12:00:00.200Z"},
           {0, "at it: 2024-07-19T12:00:00.000Z", "0.1 s after: 2024-07-19T12:00:00.100Z"},
           {300, "at it: 2024-07-19T12:00:00.300Z", "no decision after the moment"}}) {
    EXPECT_THAT(text_of({}, frames, moment),
                AllOf(HasSubstr("    " + before), HasSubstr("    " + after)))
        << moment;
  }
}

TEST(Why, GoesByEventTimeNotByWhatCameLast) {
  const auto late = [](std::string event, std::int64_t ms) {
    return ticker({.event = std::move(event), .at_ms = kNoonMs + ms});
  };
  // A better source may follow a lesser one with an earlier time.
  const std::string text = text_of(
      {}, {late("24hrMiniTicker", 0), late("24hrMiniTicker", 5000), late("24hrTicker", 3000)},
      2000);
  EXPECT_THAT(text, AllOf(HasSubstr("    2 s before: 2024-07-19T12:00:00.000Z"),
                          HasSubstr("    1 s after: 2024-07-19T12:00:03.000Z")));
}

TEST(Why, LeavesOtherSymbolsOut) {
  Asked asked({}, moment_at(500));
  asked.play({trade_at(0), trade({.symbol = "ETHUSDT", .at_ms = kNoonMs + 400, .price = "7"})});
  EXPECT_THAT(asked.text(), AllOf(HasSubstr("    0.5 s before: 2024-07-19T12:00:00.000Z BTCUSDT"),
                                  HasSubstr("reference price: 100 of"), Not(HasSubstr("ETHUSDT"))));
}

TEST(Why, CountsRowsAsTheHistoryDoes) {
  // An event that was dropped ends the row.
  const Frames frames{trade_at(0), trade_at(100), trade_at(100), trade_at(200), trade_at(300)};
  Asked asked({}, moment_at(300));
  asked.play(frames);
  const auto before = asked.answer().strategies[index_of(StrategyId::trade_momentum)].before;

  Engine engine(config::engine_parameters(configured({}).settings, Clock::replay));
  History history(engine.symbols());
  for (const std::string& frame : frames) history.add(engine.step(frame, {}), {}, {});
  const PastDecision known = history.find({.last = 1}).front().decision;

  ASSERT_TRUE(before);
  EXPECT_EQ(before->in_a_row, 2U);
  EXPECT_EQ(before->in_a_row, known.in_a_row);
  EXPECT_EQ(before->since, known.since);
  EXPECT_EQ(before->number, known.number);
}

// --- The gate -----------------------------------------------------------------------------------

const Environment kOrders{kNoBand, {"SIGNAL_COOLDOWN_SECONDS", "60"}};

TEST(Why, SaysWhatTheGateKnewAtTheMoment) {
  // An order a minute, of which two are before the moment; the third is behind it.
  const Frames frames{book_at(0, "100.2", "3", "2"), book_at(60'000, "100.2", "3", "2"),
                      book_at(120'000, "100.2", "3", "2")};
  const std::string text = text_of(kOrders, frames, 70'000);
  EXPECT_THAT(text, HasSubstr("    orderbook_skew: not paused, 2 of 50 orders of the UTC day; BUY "
                              "cools down, 50 s of 60 s left after the order of "
                              "2024-07-19T12:01:00.000Z; SELL free, no order before\n"));
  EXPECT_THAT(text, HasSubstr("    trade_momentum: not paused, 0 of 50 orders of the UTC day;"));
  EXPECT_THAT(text, HasSubstr("    all strategies: 1 of 30 orders of the UTC minute\n"));
}

TEST(Why, SaysWhenACooldownIsOver) {
  const Frames frames{book_at(0, "100.2", "3", "2"), book_at(90'000, "100.2", "1", "1")};
  EXPECT_THAT(text_of(kOrders, frames, 60'000),
              HasSubstr("BUY free after the order of 2024-07-19T12:00:00.000Z;"));
  EXPECT_THAT(text_of(kOrders, frames, 59'999), HasSubstr("BUY cools down, 0.001 s of 60 s left"));
}

TEST(Why, SaysThatALimitIsOff) {
  const Environment off{kNoBand, {"RISK_MAX_DAILY_SIGNALS", "0"}};
  EXPECT_THAT(text_of(off, {book_at(0, "100.2", "3", "2")}, 0),
              HasSubstr("orderbook_skew: not paused, 1 orders (no limit) of the UTC day"));
}

TEST(Why, CountsOrdersOfOtherSymbolsInTheDayButNotInTheCooldown) {
  Asked asked(kOrders, moment_at(0, "ETHUSDT"));
  asked.play({book_at(0, "100.2", "3", "2"),
              combined("ethusdt@depth20@100ms", futures_book({.symbol = "ETHUSDT",
                                                              .bids = {{"100", "1"}},
                                                              .asks = {{"100.2", "1"}}}))});
  EXPECT_THAT(asked.text(), HasSubstr("orderbook_skew: not paused, 1 of 50 orders of the UTC day; "
                                      "BUY free, no order before"));
}

TEST(Why, CountsWhatWasHeardOfTheOrderLogOnceAndUpToTheMoment) {
  const Symbol symbol = *Symbol::from("BTCUSDT");
  const auto order = [&](std::int64_t ms, unsigned char id) {
    CountedOrder one{
        {}, StrategyId::trade_momentum, Side::sell, symbol, kNoon + std::chrono::milliseconds(ms)};
    one.id.data[0] = id;
    return one;
  };
  Asked asked({}, moment_at(500));
  for (const CountedOrder& one : {order(100, 1), order(100, 1), order(501, 2)})
    asked.why().hear(one);
  asked.play({trade_at(0), trade_at(1000)});
  asked.why().hear(order(200, 3));  // when the moment was over
  EXPECT_THAT(
      asked.text(),
      AllOf(HasSubstr("trade_momentum: not paused, 1 of 50 orders of the UTC day; BUY free, "
                      "no order before; SELL cools down, 899.6 s of 900 s left after the "
                      "order of 2024-07-19T12:00:00.100Z"),
            HasSubstr("all strategies: 1 of 30 orders of the UTC minute")));
}

TEST(Why, SaysWhoIsPausedAtTheMomentOnly) {
  Asked asked({kNoBand}, moment_at(500));
  asked.engine().hear_pause(StrategyId::orderbook_skew, true);
  asked.play({book_at(0, "100.2", "3", "2"), trade_at(600)});
  asked.engine().hear_pause(StrategyId::orderbook_skew, false);
  EXPECT_THAT(asked.text(), AllOf(HasSubstr("paused: BUY at 100.2 was wanted, but orders were "
                                            "paused by the control log\n"),
                                  HasSubstr("    orderbook_skew: paused, 0 of 50"),
                                  HasSubstr("    trade_momentum: not paused, 0 of 50")));

  EXPECT_THAT(text_of({kNoBand, {"TRADING_PAUSED", "true"}}, {book_at(0, "100.2", "3", "2")}, 0),
              AllOf(HasSubstr("paused by TRADING_PAUSED at the start\n"),
                    HasSubstr("    ticker_velocity: paused, 0 of 50")));
}

TEST(Why, GoesByTheSettingsInForceAtTheMoment) {
  const auto configuration = configured({});
  const Environment values{{"SIGNAL_COOLDOWN_SECONDS", "30"}, {"RISK_MAX_DAILY_SIGNALS", "7"}};
  const SettingsRevision revision{kNoon + std::chrono::seconds(1),
                                  config::with_live_values(configuration, values).value()};
  for (const auto& [moment_ms, limit] :
       std::vector<std::pair<std::int64_t, int>>{{999, 50}, {1000, 7}}) {
    Asked asked({}, moment_at(moment_ms));
    asked.why().hear(revision, values);
    asked.play({trade_at(0), trade_at(2000)});
    EXPECT_EQ(asked.answer().limits.max_daily_signals, limit);
    EXPECT_EQ(asked.answer().cooldown, std::chrono::seconds(limit == 7 ? 30 : 900));
  }
}

TEST(Why, AnEventWithAFarClockDoesNotEndTheMoment) {
  // Its receipt says that the event's time is an hour off: what is heard behind it still counts.
  Asked asked({}, moment_at(500));
  asked.why().add(asked.engine().step(trade_at(3'600'000), kNoon), kNoon);
  asked.engine().hear_pause(std::nullopt, true);
  asked.play({ticker_at(0), ticker_at(1000)});
  EXPECT_TRUE(asked.answer().strategies[0].is_paused);
}

// The gate has said of each refusal what it was held against: the answer has to agree with it.
TEST(Why, KnowsOfTheGateWhatTheGateSaid) {
  const auto configuration = configured(given({{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                                               {"RISK_PRICE_BAND_PERCENT", "0"},
                                               {"SIGNAL_COOLDOWN_SECONDS", "5"},
                                               {"TRADE_MOMENTUM_WINDOW", "10"},
                                               {"RISK_MAX_DAILY_SIGNALS", "9"}}));
  const Frames frames = SeededMarket(1).frames(1'500);
  struct Refused {
    StrategyId strategy;
    Side side;
    Outcome outcome;
    double value;
  };
  std::vector<Refused> refused;
  std::vector<std::string> moments;
  Engine first(config::engine_parameters(configuration.settings, Clock::replay));
  for (const std::string& frame : frames) {
    for (const EventRecord& record : first.step(frame, {}).events) {
      const Decision* const decision = record.decision();
      if (decision == nullptr ||
          (decision->outcome != Outcome::cooldown && decision->outcome != Outcome::daily_limit)) {
        continue;
      }
      moments.push_back(fmt::format("{}@{}", first.symbols().at(decision->symbol_index).text(),
                                    decision->at.time_since_epoch().count()));
      refused.push_back(
          {decision->strategy, decision->signal->side, decision->outcome, decision->measure.value});
    }
  }
  Engine engine(config::engine_parameters(configuration.settings, Clock::replay));
  Why why(moments, configuration, engine);
  for (const std::string& frame : frames) why.add(engine.step(frame, {}), {});
  const auto answers = why.answers();

  std::array<int, count_of<Outcome>> compared{};
  for (std::size_t i = 0; i < refused.size(); ++i) {
    const auto& [strategy, side, outcome, value] = refused[i];
    const Answer::OfStrategy& said = answers[i].strategies[index_of(strategy)];
    const auto last = said.last_order[index_of(side)];
    // An order of the same millisecond may have come behind it.
    if (last && *last == answers[i].moment.at) continue;
    ++compared[index_of(outcome)];
    if (outcome == Outcome::daily_limit) {
      EXPECT_EQ(static_cast<double>(said.orders_of_day), value) << moments[i];
    } else if (value >= 0) {
      ASSERT_TRUE(last) << moments[i];
      EXPECT_EQ(in_seconds(answers[i].moment.at - *last), value) << moments[i];
    }
  }
  EXPECT_GT(compared[index_of(Outcome::cooldown)], 20);
  EXPECT_GT(compared[index_of(Outcome::daily_limit)], 20);
}

// --- The reference price ------------------------------------------------------------------------

TEST(Why, SaysTheReferencePriceAndWhetherItIsFresh) {
  const Frames frames{trade_at(0, "100.5"), ticker_at(500, "100.25"), trade_at(100'000, "101")};
  EXPECT_THAT(text_of({}, frames, 700),
              HasSubstr("reference price: 100.25 of "
                        "2024-07-19T12:00:00.500Z, 0.2 s before: fresh\n"));
  EXPECT_THAT(text_of({}, frames, 60'501), HasSubstr(", 60.001 s before: too old\n"));
  EXPECT_THAT(text_of({}, {book_at(0, "100.2", "1", "1")}, 0),
              HasSubstr("reference price: none: no trade or ticker of it came before\n"));
}

// --- Refusals -----------------------------------------------------------------------------------

TEST(Why, SaysWhatWasRefusedAroundTheMoment) {
  const Frames frames{trade_at(0),   trade_at(0),          trade_at(500),
                      trade_at(500), trade_at(600, "200"), trade_at(2000)};
  const std::string text = text_of({}, frames, 500);
  EXPECT_THAT(text,
              HasSubstr("    2 trade as out_of_order: dropped from 2024-07-19T12:00:00.000Z to "
                        "2024-07-19T12:00:00.500Z: its id is not above the last one"));
  EXPECT_THAT(text, HasSubstr("    1 trade as outlier: dropped from 2024-07-19T12:00:00.600Z to "
                              "2024-07-19T12:00:00.600Z: the price is far from the last one, and "
                              "none has agreed with it yet: 100 % away, more than 5 %"));
  EXPECT_THAT(text_of({}, frames, 1601), HasSubstr("  refused within 1 s: nothing\n"));
  EXPECT_THAT(text_of({}, frames, 1600), HasSubstr("outlier"));
}

TEST(Why, SaysWhatWasRefusedBeforeItsSymbolWasLookedAt) {
  const std::string diff = combined("btcusdt@depth@100ms", futures_book({.at_ms = kNoonMs}));
  EXPECT_THAT(text_of({}, {trade_at(0), diff, diff, trade_at(100)}, 0),
              HasSubstr("    2 book as diff_depth: ignored from 2024-07-19T12:00:00.000Z to "
                        "2024-07-19T12:00:00.000Z (its symbol was not looked at): only partial "
                        "books are books"));
}

TEST(Why, LeavesRefusalsOfOtherSymbolsOut) {
  const std::string eth = trade({.symbol = "ETHUSDT"});
  EXPECT_THAT(text_of({}, {trade_at(0), eth, eth}, 0),
              HasSubstr("  refused within 1 s: nothing\n"));
}

// --- No answer ----------------------------------------------------------------------------------

TEST(Why, SaysWhichTimesAndSymbolsThereAre) {
  const Frames frames{trade_at(0), trade({.symbol = "ETHUSDT", .at_ms = kNoonMs + 100})};
  const std::string span = "from 2024-07-19T12:00:00.000Z to 2024-07-19T12:00:00.100Z";
  struct Row {
    std::string moment, problem;
  };
  for (const auto& [moment, problem] : std::vector<Row>{
           {moment_at(0), ""},
           {moment_at(100), ""},
           {moment_at(-1), "the moment is outside of the recording, which is " + span},
           {moment_at(101), "the moment is outside of the recording, which is " + span},
           {moment_at(0, "BNBUSDT"),
            "the recording has no event of BNBUSDT; it has BTCUSDT, ETHUSDT, " + span},
           {moment_at(0, "XRPUSDT"),
            "the recording has no event of XRPUSDT that counts, for TRADING_SYMBOLS does not have "
            "it; it has BTCUSDT, ETHUSDT, " +
                span}}) {
    Asked asked({}, moment);
    asked.play(frames);
    EXPECT_EQ(asked.problem(), problem) << moment;
  }
  Asked empty({}, moment_at(0));
  empty.play({trade_at(0, "NaN")});
  EXPECT_EQ(empty.problem(), "the recording has no event that was evaluated");
}

// --- For programs -------------------------------------------------------------------------------

TEST(Why, HasTheSameAsJson) {
  Asked asked({kNoBand}, moment_at(100));
  asked.play(
      {trade_at(0), book_at(50, "100.2", "1", "1"), book_at(150, "100.2", "3", "2"), trade_at(0)});
  const std::string json = asked.json();
  EXPECT_THAT(json, StartsWith(R"({"symbol":"BTCUSDT","time":"2024-07-19T12:00:00.100Z",)"
                               R"("strategies":{"orderbook_skew":{"before":{"away_ms":-50,)"
                               R"("held_against":[{"name":"buys above","limit":1.2,"distance":)"));
  for (const std::string_view part :
       {R"("decision":{"number":2,"time":"2024-07-19T12:00:00.050Z","symbol":"BTCUSDT",)",
        R"("after":{"away_ms":50,)", R"("passed":true})", R"("result":"dry_run")",
        R"("gate":{"paused":false,"orders_of_day":0,"last_buy":null,"buy_cooldown_left_ms":0,)",
        R"("ticker_velocity":{"before":null,"after":null,)",
        R"("limits":{"orders_of_minute":0,"max_orders_per_minute":30,"max_daily_signals":50,)",
        R"("reference_price":{"price":100,"time":"2024-07-19T12:00:00.000Z","fresh":true})",
        R"("refused":[{"kind":"trade","reason":"out_of_order","disposition":"dropped",)"}) {
    EXPECT_THAT(json, HasSubstr(part));
  }
  rapidjson::Document document;
  EXPECT_FALSE(document.Parse(json.c_str()).HasParseError()) << json;
}

}  // namespace
}  // namespace rts::commands
