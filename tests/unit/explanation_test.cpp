// The sentences: for every way in which an event can end, from what a real engine says of frames.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/config/explanation.hpp>
#include <rts/wire/json_compare.hpp>

#include "support/engine_run.hpp"
#include "support/frames.hpp"

namespace rts::config {
namespace {

using namespace rts::test;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Case {
  std::vector<config::Given> settings;
  std::vector<std::string> frames;
  std::string sentence;
};

constexpr std::int64_t kSecond = 1000;

// What is said of the last event.
History::Found last_of(const Configuration& configuration, const std::vector<std::string>& frames,
                       Clock clock = Clock::replay, UnixMs received_at = kNoon) {
  Engine engine(engine_parameters(configuration.settings, clock));
  History history(engine.symbols());
  for (const std::string& frame : frames) {
    history.add(engine.step(frame, received_at), received_at, {});
  }
  auto found = history.find({.last = 1});
  if (!found.empty()) return found.front();
  ADD_FAILURE() << "no decision";
  return {};
}

std::string book_at(std::int64_t seconds, std::string bid, std::string ask, std::string bid_volume,
                    std::string ask_volume) {
  return book_frame({.at_ms = kNoonMs + seconds * kSecond,
                     .id = static_cast<std::uint64_t>(seconds) + 1,
                     .bids = {{std::move(bid), std::move(bid_volume)}},
                     .asks = {{std::move(ask), std::move(ask_volume)}}});
}
std::string buy_at(std::int64_t seconds) { return book_at(seconds, "100", "100.2", "3", "2"); }
std::string sell_at(std::int64_t seconds) { return book_at(seconds, "100", "100.2", "2", "3"); }
std::string trade_at(std::int64_t seconds, std::string price = "100", std::string quantity = "1") {
  return trade({.at_ms = kNoonMs + seconds * kSecond,
                .id = static_cast<std::uint64_t>(seconds) + 1,
                .price = std::move(price),
                .quantity = std::move(quantity)});
}
std::string ticker_at(std::int64_t seconds, std::string price) {
  return ticker({.at_ms = kNoonMs + seconds * kSecond, .price = std::move(price)});
}

std::string ticker_after(std::int64_t milliseconds, std::string price = "100") {
  return ticker({.at_ms = kNoonMs + milliseconds, .price = std::move(price)});
}
// Of another kind than those, so that it may be late.
std::string mini_ticker_at(std::int64_t seconds) {
  return ticker({.event = "24hrMiniTicker", .at_ms = kNoonMs + seconds * kSecond});
}
// The second of two, whatever its time.
std::string buy_after(std::int64_t milliseconds) {
  return book_frame({.at_ms = kNoonMs + milliseconds,
                     .id = 1000,
                     .bids = {{"100", "3"}},
                     .asks = {{"100.2", "2"}}});
}

const config::Given kNoBand{"RISK_PRICE_BAND_PERCENT", "0"};
const config::Given kNoCooldown{"SIGNAL_COOLDOWN_SECONDS", "0"};

const std::vector<Case> kVerdicts{
    {{},
     {book_at(0, "50000", "50000.1", "1", "1")},
     "spread 0.0002 % is below the minimum of 0.1 %: it would have to be 500 times as wide; "
     "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT=0 lets it through"},
    {{{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT__BTCUSDT", "0.4"}},
     {buy_at(0)},
     "spread 0.2 % is below the minimum of 0.4 %: it would have to be 2 times as wide; "
     "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT__BTCUSDT=0 lets it through"},
    {{{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0.2001"}},
     {book_at(0, "100", "100.20009", "1", "1")},
     "spread 0.20009 % is below the minimum of 0.2001 %: it would have to be 1.00005 times as "
     "wide; "
     "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT=0 lets it through"},
    {{},
     {book_at(0, "110000", "110000.1", "1", "1")},
     "spread 0.00009091 % is below the minimum of 0.1 %: it would have to be 1100 times as wide; "
     "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT=0 lets it through"},
    {{{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0.00005"}},
     {book_at(0, "110000", "110000.01", "1", "1")},
     "spread 0.000009091 % is below the minimum of 0.00005 %: it would have to be 5.5 times as "
     "wide; ORDERBOOK_SKEW_MIN_SPREAD_PERCENT=0 lets it through"},
    {{{"ORDERBOOK_SKEW_MAX_SPREAD_PERCENT", "0.1"}},
     {buy_at(0)},
     "spread 0.2 % is above the maximum of 0.1 %: it is 2 times as wide; "
     "ORDERBOOK_SKEW_MAX_SPREAD_PERCENT=0 lets it through"},
    {{},
     {book_at(0, "100", "100.2", "1", "1")},
     "ratio 1: it buys above 1.2, 0.2 away, and sells below 0.8, 0.2 away; "
     "ORDERBOOK_SKEW_BUY_THRESHOLD and ORDERBOOK_SKEW_SELL_THRESHOLD decide that"},
    {{},
     {book_at(0, "100", "100.2", "1.2", "1")},
     "ratio 1.2: it buys above 1.2, 0 away, and sells below 0.8, 0.4 away; "
     "ORDERBOOK_SKEW_BUY_THRESHOLD and ORDERBOOK_SKEW_SELL_THRESHOLD decide that"},
    {{{"STRATEGY_ENABLED_ORDERBOOK_SKEW", "false"}},
     {buy_at(0)},
     "orderbook_skew is switched off; STRATEGY_ENABLED_ORDERBOOK_SKEW=true switches it on"},

    {{},
     {trade_at(0, "100", "0.0005")},
     "quantity 0.0005 is below the minimum of 0.001; TRADE_MOMENTUM_MIN_QUANTITY=0 counts every "
     "trade"},
    {{},
     {trade_at(0), trade_at(1)},
     "1 of the 100 trades before it that it takes are known: 99 more are needed; "
     "TRADE_MOMENTUM_WINDOW decides that"},
    {{{"TRADE_MOMENTUM_WINDOW", "2"}},
     {trade_at(0), trade_at(1), trade_at(76)},
     "0 of the 2 trades before it that it takes are known, for it follows a silence of 75 s: 2 "
     "more "
     "are needed; TRADE_MOMENTUM_MAX_GAP_SECONDS decides that"},
    {{{"TRADE_MOMENTUM_WINDOW", "2"}},
     {trade_at(0), trade_at(1), trade_at(2)},
     "momentum 0.36: it buys above 0.7, 0.34 away, and sells below -0.7, 1.06 away; "
     "TRADE_MOMENTUM_BUY_THRESHOLD and TRADE_MOMENTUM_SELL_THRESHOLD decide that"},
    {{{"STRATEGY_ENABLED_TRADE_MOMENTUM", "false"}},
     {trade_at(0)},
     "trade_momentum is switched off; STRATEGY_ENABLED_TRADE_MOMENTUM=true switches it on"},

    {{},
     {ticker_at(0, "100"), ticker_at(37, "101")},
     "tickers are known for 37 s of the 60 s that it takes: 23 s more are needed; "
     "TICKER_VELOCITY_TIME_WINDOW decides that"},
    {{},
     {ticker_at(0, "100"), ticker_at(80, "100"), ticker_at(100, "101")},
     "tickers come too seldom: those of the last 60 s lie 20 s apart, less than 80 %; "
     "TICKER_VELOCITY_TIME_WINDOW decides that"},
    {{},
     {ticker_after(0), ticker_after(59'999)},
     "tickers are known for 59.999 s of the 60 s that it takes: 0.001 s more are needed; "
     "TICKER_VELOCITY_TIME_WINDOW decides that"},
    {{},
     {ticker_after(0), ticker_after(52'001), ticker_after(100'000)},
     "tickers come too seldom: those of the last 60 s lie 47.999 s apart, less than 80 %; "
     "TICKER_VELOCITY_TIME_WINDOW decides that"},
    {{},
     {ticker_after(2000), mini_ticker_at(0)},
     "tickers are known for 0 s of the 60 s that it takes: 60 s more are needed; "
     "TICKER_VELOCITY_TIME_WINDOW decides that"},
    {{},
     {ticker_at(0, "100"), ticker_at(60, "99.95")},
     "the price has changed by 0.05 %, less than the minimum of 0.1 %, in 60 s: it would have to "
     "be 2 "
     "times as much; TICKER_VELOCITY_MIN_PRICE_CHANGE=0 lets it through"},
    {{},
     {ticker_at(0, "100"), ticker_at(60, "100")},
     "the price has changed by 0 %, less than the minimum of 0.1 %, in 60 s; "
     "TICKER_VELOCITY_MIN_PRICE_CHANGE=0 lets it through"},
    {{},
     {ticker_at(0, "100"), ticker_at(60, "100.2")},
     "velocity 0.2 % a minute: it buys above 0.5, 0.3 away, and sells below -0.5, 0.7 away; "
     "TICKER_VELOCITY_BUY_THRESHOLD and TICKER_VELOCITY_SELL_THRESHOLD decide that"},
    {{{"STRATEGY_ENABLED_TICKER_VELOCITY", "false"}},
     {ticker_at(0, "100")},
     "ticker_velocity is switched off; STRATEGY_ENABLED_TICKER_VELOCITY=true switches it on"}};

const std::vector<Case> kRefusals{
    {{{"TRADING_PAUSED", "true"}}, {buy_at(0)}, "BUY at 100.2 was wanted, but orders were paused"},
    {{{"TRADING_ENABLE_SHORTS", "false"}, {"ORDER_FORMAT", "signal"}},
     {sell_at(0)},
     "SELL at 100 was wanted, but it may only close, and the format of the orders cannot say so; "
     "TRADING_ENABLE_SHORTS decides that"},
    {{{"SIGNAL_MIN_CONFIDENCE", "0.8"}},
     {buy_at(0)},
     "BUY at 100.2 was wanted, but its confidence 0.75 is below the minimum of 0.8; "
     "SIGNAL_MIN_CONFIDENCE decides that"},
    {{},
     {buy_at(0)},
     "BUY at 100.2 was wanted, but no trade or ticker came in the 60 s before it, nor since the "
     "start; RISK_PRICE_BAND_PERCENT decides that"},
    {{},
     {trade_at(0), buy_at(75)},
     "BUY at 100.2 was wanted, but no trade or ticker came in the 60 s before it: the last one "
     "came "
     "75 s before; RISK_PRICE_BAND_PERCENT decides that"},
    {{},
     {trade_at(0), buy_after(60'001)},
     "BUY at 100.2 was wanted, but no trade or ticker came in the 60 s before it: the last one "
     "came "
     "60.001 s before; RISK_PRICE_BAND_PERCENT decides that"},
    {{},
     {trade_at(0, "90"), buy_at(1)},
     "BUY at 100.2 was wanted, but that is 11.33 % from the last price, more than 5 %; "
     "RISK_PRICE_BAND_PERCENT decides that"},
    {{kNoBand},
     {buy_at(0), buy_at(300)},
     "BUY at 100.2 was wanted, but the last one was 300 s before, and 900 s have to lie between: "
     "600 "
     "s to go; SIGNAL_COOLDOWN_SECONDS decides that"},
    {{kNoBand},
     {buy_at(0), buy_after(899'999)},
     "BUY at 100.2 was wanted, but the last one was 899.999 s before, and 900 s have to lie "
     "between: 0.001 s to go; SIGNAL_COOLDOWN_SECONDS decides that"},
    {{kNoBand},
     {buy_at(2), buy_after(0)},
     "BUY at 100.2 was wanted, but the last one is 2 s younger than this event, and 900 s have to "
     "lie between: 902 s to go; SIGNAL_COOLDOWN_SECONDS decides that"},
    {{kNoBand, kNoCooldown, {"RISK_MAX_DAILY_SIGNALS", "2"}},
     {buy_at(0), buy_at(1), buy_at(2)},
     "BUY at 100.2 was wanted, but the strategy's orders of this UTC day are used up: 2 of 2; "
     "RISK_MAX_DAILY_SIGNALS decides that"},
    {{kNoBand, kNoCooldown, {"RISK_MAX_ORDERS_PER_MINUTE", "1"}},
     {buy_at(0), sell_at(1)},
     "SELL at 100 was wanted, but the orders of this UTC minute are used up: 1 of 1; "
     "RISK_MAX_ORDERS_PER_MINUTE decides that"},
    {{kNoBand},
     {book_at(0, "9980000", "9999700", "3", "2")},
     "BUY at 9999700 was wanted, but the least that can be ordered, 0.001, is worth 9999.7, more "
     "than "
     "1000; TRADING_MAX_POSITION_SIZE decides that"},
    {{kNoBand},
     {buy_at(0)},
     "BUY 0.999 at 100.2: ratio 1.5 is above 1.2; order ID: its result is not known yet"},
    {{kNoBand},
     {sell_at(0)},
     "SELL 1 at 100: ratio 0.6667 is below 0.8; order ID: its result is not known yet"}};

const std::vector<Case> kDropped{
    {{},
     {trade_at(0), trade_at(1, "120")},
     "the price is far from the last one, and none has agreed with it yet: 20 % away, more than 5 "
     "%; "
     "RISK_PRICE_BAND_PERCENT decides that"},
    {{},
     {trade_at(0), trade_at(0)},
     "its id is not above the last one: it came twice, or after a later one"}};

// With "ID" in place of an order's.
std::string without_id(std::string sentence) {
  constexpr std::string_view kBefore = "; order ";
  constexpr std::size_t kIdBytes = 36;
  const std::size_t at = sentence.find(kBefore);
  if (at != std::string::npos) sentence.replace(at + kBefore.size(), kIdBytes, "ID");
  return sentence;
}

TEST(Explanation, SaysWhatAPersonWouldFromTheNumbersOfTheEngine) {
  std::set<std::pair<StrategyId, Outcome>> said;
  for (const auto* cases : {&kVerdicts, &kRefusals, &kDropped}) {
    for (const auto& [settings, frames, expected] : *cases) {
      const Configuration configuration = configured(settings);
      const History::Found found = last_of(configuration, frames);
      const std::string text = sentence(found, {configuration});
      EXPECT_EQ(without_id(text), expected);
      const auto* const outcome = std::get_if<Outcome>(&found.decision.end);
      if (outcome != nullptr) said.insert({found.decision.strategy, *outcome});
    }
  }
  // Of each strategy what only it can say, and of the gate all there is.
  for (const StrategyId strategy : all_of<StrategyId>) {
    for (const Outcome outcome : all_of<Outcome>) {
      const bool is_of_gate = outcome > Outcome::neutral;
      if (!can_end_in(strategy, outcome)) continue;
      EXPECT_TRUE(said.contains({is_of_gate ? StrategyId::orderbook_skew : strategy, outcome}))
          << to_string(strategy) << ' ' << to_string(outcome);
    }
  }
}

TEST(Explanation, NamesTheSettingOfEachWayInWhichAnOrderHasNoSize) {
  struct Row {
    std::vector<config::Given> settings;
    Instrument instrument;
    std::string frame, fact;
  };
  const std::string buy = book_at(0, "99.8", "100", "3", "2");
  const std::string sell = book_at(0, "100", "100.2", "2", "3");
  const Decimal half = *Decimal::parse("0.5"), five = *Decimal::parse("5");
  const Row rows[] = {
      {{{"TRADING_ORDER_NOTIONAL", "1000"}},
       {.max_notional = 500},
       buy,
       "10 is worth 1000, more than the 500 that the venue takes at once; TRADING_ORDER_NOTIONAL"},
      {{},
       {.quantity_step = *Decimal::parse("20"), .max_notional = 500},
       buy,
       "the least that can be ordered, 20, is worth 2000, more than 1000; "
       "TRADING_MAX_POSITION_SIZE"},
      {{},
       {.max_quantity = half},
       buy,
       "1 is more than the 0.5 that the venue takes at once; TRADING_ORDER_NOTIONAL"},
      {{},
       {.tick = five},
       buy,
       "its stop-loss, 2 away, would in ticks of 5 be no price or the entry itself; "
       "RISK_STOP_LOSS_PERCENT"},
      {{{"RISK_STOP_LOSS_PERCENT", "4"}, {"RISK_TAKE_PROFIT_PERCENT", "2"}},
       {.tick = five},
       sell,
       "its take-profit, 2 away, would in ticks of 5 be no price or the entry itself; "
       "RISK_TAKE_PROFIT_PERCENT"},
      {{},
       {.tick = *Decimal::parse("1000")},
       sell,
       "its stop-loss, 2 away, would in ticks of 1000 be no price or the entry itself; "
       "RISK_STOP_LOSS_PERCENT"}};
  for (const auto& [settings, instrument, frame, fact] : rows) {
    Configuration configuration = configured(settings);
    EngineParameters& engine = configuration.settings.engine;
    engine.gate.price_band_percent = 0;
    engine.defaults.terms.instrument = instrument;
    for (NamedParameters& named : engine.per_symbol) named.parameters.terms.instrument = instrument;
    EXPECT_THAT(sentence(last_of(configuration, {frame}), {configuration}),
                testing::EndsWith(" at 100 was wanted, but " + fact + " decides that"));
  }
}

// The control log's values are in force too.
TEST(Explanation, NamesTheValueThatASymbolHasOfItsOwnByTheControlLog) {
  const Configuration configuration = configured(std::vector<config::Given>{});
  const History::Found found = last_of(configuration, {book_at(0, "50000", "50000.1", "1", "1")});
  const auto named = [&](std::string name) {
    const std::vector<config::Given> live{{std::move(name), "0.2"}};
    return sentence(found, {configuration, {}, live});
  };
  EXPECT_THAT(named("ORDERBOOK_SKEW_MIN_SPREAD_PERCENT__btcusdt"),
              HasSubstr("; ORDERBOOK_SKEW_MIN_SPREAD_PERCENT__BTCUSDT=0"));
  for (const char* other :
       {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT__ETHUSDT"}) {
    EXPECT_THAT(named(other), HasSubstr("; ORDERBOOK_SKEW_MIN_SPREAD_PERCENT=0")) << other;
  }
}

TEST(Explanation, SaysHowOldAnEventIsThatIsNotTradedOn) {
  const Configuration configuration = configured(std::vector<config::Given>{});
  const auto say = [&](std::chrono::milliseconds later) {
    return sentence(last_of(configuration, {trade_at(0)}, Clock::live, kNoon + later),
                    {configuration});
  };
  EXPECT_EQ(say(std::chrono::seconds(75)),
            "the event is too old: 75 s, more than 60 s; MESSAGE_TTL_SECONDS decides that");
  EXPECT_EQ(say(std::chrono::milliseconds(-12'500)),
            "the event is of the future: one of the clocks is wrong: 12.5 s, more than 10 s");
  EXPECT_THAT(say(std::chrono::milliseconds(60'001)), HasSubstr(": 60.001 s, more than 60 s;"));
  EXPECT_THAT(say(std::chrono::milliseconds(-10'001)), HasSubstr(": 10.001 s, more than 10 s"));
}

TEST(Explanation, NamesWhoHadPaused) {
  const Configuration configuration =
      configured(std::vector<config::Given>{{"TRADING_PAUSED", "true"}});
  const History::Found found = last_of(configuration, {buy_at(0)});
  EXPECT_EQ(sentence(found, {configuration, "me@here in the control log: maintenance"}),
            "BUY at 100.2 was wanted, but orders were paused by me@here in the control log: "
            "maintenance");
}

TEST(Explanation, SaysWhatBecameOfAnOrder) {
  const Configuration configuration = configured(std::vector{kNoBand});
  History::Found found = last_of(configuration, {buy_at(0)});
  std::set<std::string_view> meanings;
  for (const OrderResult result : all_of<OrderResult>) {
    found.decision.order->result = result;
    EXPECT_THAT(meaning(result), Not(IsEmpty()));
    meanings.insert(meaning(result));
    EXPECT_THAT(sentence(found, {configuration}), HasSubstr(std::string(meaning(result))));
  }
  EXPECT_EQ(meanings.size(), count_of<OrderResult>) << "each its own";
  EXPECT_EQ(meaning(OrderResult::superseded),
            "order not sent: what others have stored, a pause or a new order log holds it back");
}

// Whatever the numbers are, also none at all.
TEST(Explanation, HasASentenceForEveryEndAndNeverSaysNoNumber) {
  const Configuration configuration = configured(std::vector<config::Given>{});
  std::vector<End> ends;
  for (const Outcome outcome : all_of<Outcome>) ends.emplace_back(outcome);
  for (const Reason reason : all_of<Reason>) ends.emplace_back(reason);
  for (const StrategyId strategy : all_of<StrategyId>) {
    for (const End& end : ends) {
      const auto* const outcome = std::get_if<Outcome>(&end);
      if (outcome != nullptr && !can_end_in(strategy, *outcome)) continue;
      History::Found found{*Symbol::from("BTCUSDT"), {}};
      found.decision.strategy = strategy;
      found.decision.end = end;
      const std::string text = sentence(found, {configuration});
      EXPECT_THAT(text, Not(IsEmpty())) << to_string(end);
      EXPECT_EQ(advice(strategy, end).empty(), outcome != nullptr && is_signal(*outcome));
      std::string json;
      JsonWriter writer(json);
      append_json(writer, found, {configuration});
      EXPECT_THAT(wire::json_differences(json, json), IsEmpty()) << json;
      // Of what the gate has refused there is a signal, and of what it has passed an order.
      const bool passes = outcome != nullptr && is_signal(*outcome);
      if (passes || (outcome != nullptr && *outcome > Outcome::neutral)) {
        found.decision.signal = make_signal(Side::buy, *Price::from(100), *Price::from(100), 0.7);
      }
      if (passes) found.decision.order = PastDecision::Ordered{};
      for (const Measure& measure : {Measure{}, Measure{1, 2, 3}, Measure{2, 1, 0}}) {
        found.decision.measure = measure;
        const std::string said = sentence(found, {configuration});
        EXPECT_THAT(
            said, AllOf(Not(HasSubstr("infinitely")), Not(HasSubstr("nan")), Not(HasSubstr("{}"))))
            << to_string(end);
        EXPECT_EQ(said.find("order 00000000-") != std::string::npos, passes) << said;
      }
      EXPECT_THAT(text, Not(HasSubstr("infinitely"))) << to_string(end);
    }
  }
}

TEST(Explanation, GivesTheNumbersAsJson) {
  const Configuration configuration = configured(std::vector{kNoBand});
  const auto json_of = [&](const std::string& frame) {
    std::string json;
    JsonWriter writer(json);
    append_json(writer, last_of(configuration, {frame}), {configuration});
    return json;
  };
  EXPECT_EQ(
      json_of(book_at(0, "100", "100.5", "1", "1")),
      R"({"number":1,"time":"2024-07-19T12:00:00.000Z","symbol":"BTCUSDT",)"
      R"("strategy":"orderbook_skew","outcome":"neutral","inputs":{"bid_volume":1,"ask_volume":1,)"
      R"("ratio":1,"spread_percent":0.5},"measured":1,"thresholds":[1.2,0.8],)"
      R"("distance":0.19999999999999996,"settings":["ORDERBOOK_SKEW_BUY_THRESHOLD",)"
      R"("ORDERBOOK_SKEW_SELL_THRESHOLD"],"signal":null,"order":null,"in_a_row":1,)"
      R"("since":"2024-07-19T12:00:00.000Z","sentence":"ratio 1: it buys above 1.2, 0.2 away, and )"
      R"(sells below 0.8, 0.2 away; ORDERBOOK_SKEW_BUY_THRESHOLD and )"
      R"(ORDERBOOK_SKEW_SELL_THRESHOLD decide that"})");
  EXPECT_THAT(json_of(buy_at(0)),
              AllOf(HasSubstr(R"("signal":{"side":"BUY","price":100.2,"confidence":0.75})"),
                    HasSubstr(R"(","quantity":0.999,"result":null})")));
  EXPECT_THAT(json_of(sell_at(0)), HasSubstr(R"("thresholds":[1.2,0.8],"distance":0.1333)"));
  // What was not computed is not there.
  EXPECT_THAT(json_of(trade_at(0)), AllOf(HasSubstr(R"("inputs":{},"measured":0,)"),
                                          HasSubstr(R"("thresholds":[100],"distance":100)")));
  EXPECT_THAT(json_of(trade_at(0).replace(trade_at(0).find("\"p\":\"100"), 8, "\"p\":\"x00")),
              HasSubstr(R"("outcome":"bad_number","inputs":{},"measured":null,"thresholds":[],)"
                        R"("distance":null,"settings":[])"));
}

TEST(Explanation, GivesNumbersThatSayWhatTheSentenceDoes) {
  const auto json_of = [](const Configuration& configuration,
                          const std::vector<std::string>& frames, std::string_view paused_by = "") {
    std::string json;
    JsonWriter writer(json);
    append_json(writer, last_of(configuration, frames), {configuration, paused_by});
    return json;
  };
  const Configuration plain = configured(std::vector<config::Given>{});
  EXPECT_THAT(json_of(plain, {ticker_at(0, "100"), ticker_at(80, "100"), ticker_at(100, "101")}),
              HasSubstr(R"("measured":20,"thresholds":[48],"distance":28)"));
  EXPECT_THAT(json_of(plain, {ticker_after(2000), mini_ticker_at(0)}),
              HasSubstr(R"("measured":0,"thresholds":[60],"distance":60)"));
  EXPECT_THAT(json_of(plain, {buy_at(0)}),
              HasSubstr(R"("measured":null,"thresholds":[60],"distance":null)"));
  EXPECT_THAT(json_of(plain, {trade_at(0), buy_at(75)}),
              HasSubstr(R"("measured":75,"thresholds":[60],"distance":15)"));
  const Configuration paused = configured(std::vector<config::Given>{{"TRADING_PAUSED", "true"}});
  for (const std::string_view by : {"SIGUSR1", "me in the control log: test", ""}) {
    EXPECT_THAT(json_of(paused, {buy_at(0)}, by), HasSubstr(R"("settings":[])")) << by;
  }
  EXPECT_THAT(json_of(paused, {buy_at(0)}, "TRADING_PAUSED at the start"),
              HasSubstr(R"("settings":["TRADING_PAUSED"])"));
}

TEST(Explanation, OfALineIsOneLineWhateverIsQuoted) {
  const Configuration configuration =
      configured(std::vector<config::Given>{{"TRADING_PAUSED", "true"}});
  const History::Found found = last_of(configuration, {buy_at(0), buy_at(1)});
  const std::string line = line_of(found, {configuration, "\x1b[31m\nme"});
  EXPECT_THAT(line,
              testing::StartsWith("2024-07-19T12:00:01.000Z BTCUSDT orderbook_skew paused: "));
  EXPECT_THAT(line, testing::EndsWith(" (2 in a row since 2024-07-19T12:00:00.000Z)"));
  EXPECT_THAT(line, AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\x1b"))));
}

// The names are the table's, wherever a value is.
TEST(SettingOf, FindsTheRowOfEveryValue) {
  for (const Setting& setting : table()) {
    EXPECT_EQ(&setting_of(setting.address), &setting) << setting.name;
  }
}

TEST(DecidingSettings, AreNamedForWhatTheyDecide) {
  using enum Outcome;
  const auto name = [](StrategyId strategy, const End& end) {
    return std::string(deciding_settings(strategy, end).at(0)->name);
  };
  EXPECT_EQ(name(StrategyId::orderbook_skew, cooldown), "SIGNAL_COOLDOWN_SECONDS");
  EXPECT_EQ(name(StrategyId::trade_momentum, warming_up), "TRADE_MOMENTUM_WINDOW");
  EXPECT_EQ(name(StrategyId::ticker_velocity, warming_up), "TICKER_VELOCITY_TIME_WINDOW");
  EXPECT_EQ(name(StrategyId::ticker_velocity, signal_sell), "TICKER_VELOCITY_SELL_THRESHOLD");
  EXPECT_EQ(name(StrategyId::trade_momentum, Reason::symbol_not_traded), "TRADING_SYMBOLS");
  EXPECT_THAT(deciding_settings(StrategyId::trade_momentum, Reason::out_of_order), IsEmpty());
}

}  // namespace
}  // namespace rts::config
