// Orders as values and as text (SPEC §4): side, protection, lifetime and ids, and both formats key
// by key in the specification's order.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <rts/trading/order.hpp>

#include "support/order_schema.hpp"

namespace rts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr UnixMs kNoon{milliseconds(1'721'390'400'000)};  // 2024-07-19T12:00:00Z

// Possible ones: a ratio of 1.5, a momentum of -0.75, a velocity of 1 %/min over 60 s.
Indicators indicators(StrategyId strategy) {
  const auto of = [](double a, double b, double c, double d) -> Indicators {
    return {*Indicator::from(a), *Indicator::from(b), *Indicator::from(c), *Indicator::from(d)};
  };
  if (strategy == StrategyId::orderbook_skew) return of(3, 2, 1.5, 0.25);
  if (strategy == StrategyId::trade_momentum) return of(-0.75, -0.625, -0.5, -1);
  return of(1, 1, 60, 0);
}

struct Parts {
  StrategyId strategy = StrategyId::orderbook_skew;
  std::string_view symbol = "BTCUSDT";
  Side side = Side::buy;
  UnixMs at = kNoon;
  EventId event_id{'u', 42};
  double price = 100;
  double confidence = 0.75;
  std::optional<UnixMs> aged_at = std::nullopt;  // `at` where it is not said
};

// With the protection that the gate gives it.
Order order_of(const OrderTerms& terms, const Parts& parts = {}) {
  const Price price = *Price::from(parts.price);
  const Price current = *Price::from(parts.price + 0.5);
  OrderSource source{order_id({parts.strategy, parts.side, parts.symbol, parts.at, parts.event_id},
                              terms.cooldown),
                     parts.strategy,
                     parts.symbol,
                     parts.at,
                     parts.aged_at.value_or(parts.at),
                     parts.event_id,
                     {parts.side, price, current, *Confidence::from(parts.confidence)},
                     indicators(parts.strategy),
                     *Decimal::parse("0.029"),
                     {}};
  if (!is_reduce_only(terms, parts.side)) source.protection = protection(terms, parts.side, price);
  return make_order(terms, source);
}

std::string text(const Order& order, OrderFormat format) {
  std::string out;
  append_json(out, order, format);
  EXPECT_EQ(rts::test::schema_error(out, format), "") << out;
  return out;
}

std::string id_text(const Order& order) {
  const UuidText id = to_text(order.id);
  return std::string(id.begin(), id.end());
}

// ---- Ids

TEST(OrderId, KnownAnswers) {
  struct Case {
    Parts parts;
    seconds cooldown;
    std::string_view id;
  };
  for (const auto& c : std::vector<Case>{
           // 23:59:42.864 lies in the bucket that begins at 23:45.
           {{StrategyId::trade_momentum,
             "ETHUSDT",
             Side::buy,
             UnixMs(milliseconds(1'721'347'182'864)),
             {'t', 4217898102}},
            seconds(900),
            "3eade307-080f-5c00-98c4-764ac65bee94"},
           {{StrategyId::trade_momentum,
             "BTCUSDT",
             Side::sell,
             UnixMs(milliseconds(1'721'347'209'062)),
             {'t', 5182007621}},
            seconds(900),
            "ab9dcddd-14da-512a-8b2d-707505670b7e"},
           {{StrategyId::orderbook_skew, "ETHUSDT", Side::buy, kNoon, {'u', 4984028392371}},
            seconds(0),
            "03db7470-98c0-51db-bc3e-c756494ae646"},
           {{StrategyId::ticker_velocity, "BTCUSDT", Side::buy, kNoon, {'E', 1721347269840}},
            seconds(0),
            "9f0e5888-f56b-524e-a811-687457302bbb"},
       }) {
    OrderTerms terms;
    terms.cooldown = c.cooldown;
    EXPECT_EQ(id_text(order_of(terms, c.parts)), c.id);
  }
}

TEST(OrderId, IsTheSameWithinABucketAndOfAnyEventInIt) {
  const OrderTerms terms;
  const auto at = [&](milliseconds after, std::uint64_t number) {
    return order_of(terms, {.at = kNoon + after, .event_id = {'u', number}}).id;
  };
  EXPECT_EQ(at(milliseconds(0), 1), at(milliseconds(899'999), 2));
  EXPECT_NE(at(milliseconds(899'999), 1), at(milliseconds(900'000), 1));
  EXPECT_NE(at(milliseconds(0), 1), at(milliseconds(-1), 1));
  EXPECT_EQ(order_id({StrategyId::orderbook_skew, Side::buy, "BTCUSDT", kNoon, {'u', 42}},
                     milliseconds(1)),
            make_order_id("orderbook_skew|BTCUSDT|BUY|1721390400000"))
      << "the shortest bucket";
}

TEST(OrderId, WithoutCooldownIsTheEvents) {
  OrderTerms terms;
  terms.cooldown = seconds(0);
  const auto of = [&](const Parts& parts) { return order_of(terms, parts).id; };
  EXPECT_EQ(of({}), make_order_id("orderbook_skew|BTCUSDT|BUY|u:42"));
  EXPECT_EQ(of({.at = kNoon + seconds(5)}), of({})) << "the time is not in it";
  EXPECT_NE(of({.event_id = {'u', 43}}), of({}));
  EXPECT_NE(of({.event_id = {'t', 42}}), of({}));
  EXPECT_EQ(of({.event_id = {'a', 9'223'372'036'854'775'807U}}),
            make_order_id("orderbook_skew|BTCUSDT|BUY|a:9223372036854775807"));
}

TEST(OrderId, DiffersByStrategySymbolAndSide) {
  const auto of = [](const Parts& parts) { return order_of({}, parts).id; };
  EXPECT_NE(of({.strategy = StrategyId::trade_momentum}), of({}));
  EXPECT_NE(of({.symbol = "ETHUSDT"}), of({}));
  EXPECT_NE(of({.side = Side::sell}), of({}));
  const std::string longest(63, 'X');
  EXPECT_EQ(of({.strategy = StrategyId::ticker_velocity, .symbol = longest, .side = Side::sell}),
            make_order_id("ticker_velocity|" + longest + "|SELL|1721390400000"));
}

// ---- What the terms decide

TEST(Order, OfABuyOpensLong) {
  for (const bool shorts : {true, false}) {
    OrderTerms terms;
    terms.sells = shorts ? Sells::open_short : Sells::close_long;
    terms.leverage = 20;
    const Order order = order_of(terms);
    EXPECT_FALSE(order.reduce_only);
    EXPECT_EQ(order.leverage, 20);
    ASSERT_TRUE(order.protection.has_value());
    EXPECT_EQ(order.protection->stop_loss.value(), 100 * (1 - 2.0 / 100));
    EXPECT_EQ(order.protection->take_profit.value(), 100 * (1 + 4.0 / 100));
    EXPECT_EQ(order.at, kNoon);
    EXPECT_EQ(order.valid_until, kNoon + seconds(5));
  }
}

TEST(Order, OfASellOpensShortWithMirroredProtection) {
  const Order order = order_of({}, {.side = Side::sell});
  EXPECT_FALSE(order.reduce_only);
  ASSERT_TRUE(order.protection.has_value());
  EXPECT_EQ(order.protection->stop_loss.value(), 100 * (1 + 2.0 / 100));
  EXPECT_EQ(order.protection->take_profit.value(), 100 * (1 - 4.0 / 100));
  EXPECT_EQ(order.valid_until, kNoon + seconds(5));
}

TEST(Order, OfASellOnlyClosesWhenShortsAreOff) {
  OrderTerms terms;
  terms.sells = Sells::close_long;
  const Order order = order_of(terms, {.side = Side::sell});
  EXPECT_TRUE(order.reduce_only);
  EXPECT_FALSE(order.protection.has_value());
  EXPECT_EQ(order.valid_until, kNoon + seconds(30));
}

TEST(Order, LivesFromItsAgeTimeAndIsDatedByTheEvent) {
  const Parts aged{.aged_at = kNoon - milliseconds(4321)};
  const Order buy = order_of({}, aged);
  EXPECT_EQ(buy.at, kNoon);
  EXPECT_EQ(buy.valid_until, kNoon - milliseconds(4321) + seconds(5));
  OrderTerms closing;
  closing.sells = Sells::close_long;
  const Order sell = order_of(closing, {.side = Side::sell, .aged_at = kNoon - seconds(7)});
  EXPECT_EQ(sell.valid_until, kNoon + seconds(23));
}

TEST(Order, TakesPercentsAndLifetimesFromTheTerms) {
  OrderTerms terms;
  terms.stop_loss_percent = 12.5;
  terms.take_profit_percent = 50;
  terms.ttl = seconds(7);
  terms.reduce_only_ttl = seconds(99);
  const Order buy = order_of(terms);
  EXPECT_EQ(buy.protection->stop_loss.value(), 87.5);
  EXPECT_EQ(buy.protection->take_profit.value(), 150);
  EXPECT_EQ(buy.valid_until, kNoon + seconds(7));
  const Order sell = order_of(terms, {.side = Side::sell});
  EXPECT_EQ(sell.protection->stop_loss.value(), 112.5);
  EXPECT_EQ(sell.protection->take_profit.value(), 50);
  terms.sells = Sells::close_long;
  EXPECT_EQ(order_of(terms, {.side = Side::sell}).valid_until, kNoon + seconds(99));
}

// ---- trade_order

std::string with_id(const Order& order, std::string_view rest) {
  return R"({"order_id":")" + id_text(order) + R"(","signal_id":")" + id_text(order) + "\"" +
         std::string(rest);
}

TEST(OrderFormat, TradeOrderOfABuy) {
  const Order order = order_of({});
  EXPECT_EQ(
      text(order, OrderFormat::trade_order),
      with_id(order, R"(,"symbol":"BTCUSDT","side":"BUY","order_type":"MARKET","quantity":0.029,)"
                     R"("price":100,"current_price":100.5,"time_in_force":"GTC",)"
                     R"("position_type":"LONG","leverage":1,"reduce_only":false,)"
                     R"("close_on_trigger":false,"strategy_name":"orderbook_skew",)"
                     R"("confidence_score":0.75,"stop_loss":98,"take_profit":104,)"
                     R"("timestamp":"2024-07-19T12:00:00.000+00:00",)"
                     R"("valid_until":"2024-07-19T12:00:05.000+00:00",)"
                     R"("metadata":{"schema":"trade_order.v1","event_id":"u:42",)"
                     R"("indicators":{"bid_volume":3,"ask_volume":2,"ratio":1.5,)"
                     R"("spread_percent":0.25}}})"));
}

TEST(OrderFormat, TradeOrderOfAShort) {
  const Order order = order_of({}, {.strategy = StrategyId::trade_momentum,
                                    .side = Side::sell,
                                    .at = kNoon + milliseconds(191'109),
                                    .event_id = {'t', 7}});
  EXPECT_EQ(
      text(order, OrderFormat::trade_order),
      with_id(order, R"(,"symbol":"BTCUSDT","side":"SELL","order_type":"MARKET","quantity":0.029,)"
                     R"("price":100,"current_price":100.5,"time_in_force":"GTC",)"
                     R"("position_type":"SHORT","leverage":1,"reduce_only":false,)"
                     R"("close_on_trigger":false,"strategy_name":"trade_momentum",)"
                     R"("confidence_score":0.75,"stop_loss":102,"take_profit":96,)"
                     R"("timestamp":"2024-07-19T12:03:11.109+00:00",)"
                     R"("valid_until":"2024-07-19T12:03:16.109+00:00",)"
                     R"("metadata":{"schema":"trade_order.v1","event_id":"t:7",)"
                     R"("indicators":{"momentum":-0.75,"price_score":-0.625,"quantity_score":-0.5,)"
                     R"("maker_score":-1}}})"));
}

TEST(OrderFormat, TradeOrderThatOnlyCloses) {
  OrderTerms terms;
  terms.sells = Sells::close_long;
  Order order = order_of(terms, {.strategy = StrategyId::ticker_velocity,
                                 .side = Side::sell,
                                 .event_id = {'E', 1721390400000}});
  order.correlation_id = "6f1c2a9e-4f0a-4b0e-9a53-3f1f6f0c7f11";
  EXPECT_EQ(
      text(order, OrderFormat::trade_order),
      with_id(order, R"(,"symbol":"BTCUSDT","side":"SELL","order_type":"MARKET","quantity":0.029,)"
                     R"("price":100,"current_price":100.5,"time_in_force":"GTC",)"
                     R"("position_type":"LONG","leverage":1,"reduce_only":true,)"
                     R"("close_on_trigger":false,"strategy_name":"ticker_velocity",)"
                     R"("confidence_score":0.75,)"
                     R"("timestamp":"2024-07-19T12:00:00.000+00:00",)"
                     R"("valid_until":"2024-07-19T12:00:30.000+00:00",)"
                     R"("metadata":{"schema":"trade_order.v1","event_id":"E:1721390400000",)"
                     R"("correlation_id":"6f1c2a9e-4f0a-4b0e-9a53-3f1f6f0c7f11",)"
                     R"("indicators":{"velocity":1,"price_change_percent":1,)"
                     R"("window_seconds":60}}})"));
}

// ---- signal

TEST(OrderFormat, SignalOfABuy) {
  Order order = order_of({});
  order.correlation_id = "m-1";
  EXPECT_EQ(text(order, OrderFormat::signal),
            R"({"id":")" + id_text(order) + R"(","signal_id":")" + id_text(order) +
                R"(","strategy_id":"orderbook_skew","strategy":"orderbook_skew",)"
                R"("strategy_mode":"deterministic","symbol":"BTCUSDT","action":"buy",)"
                R"("confidence":0.75,"strength":"strong","price":100,"quantity":0.029,)"
                R"("current_price":100.5,"source":"realtime-strategies","timeframe":"tick",)"
                R"("order_type":"market","time_in_force":"GTC","stop_loss":98,"take_profit":104,)"
                R"("timestamp":"2024-07-19T12:00:00.000+00:00",)"
                R"("metadata":{"schema":"signal.v1","event_id":"u:42","correlation_id":"m-1",)"
                R"("indicators":{"bid_volume":3,"ask_volume":2,"ratio":1.5,)"
                R"("spread_percent":0.25}}})");
}

TEST(OrderFormat, SignalCarriesTheTraceContextWhereItIsOne) {
  const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  Order order = order_of({}, {});
  const std::string without = text(order, OrderFormat::signal);
  order.traceparent = traceparent;
  EXPECT_EQ(text(order, OrderFormat::signal), without.substr(0, without.size() - 1) +
                                                  R"(,"_otel_trace_context":{"traceparent":")" +
                                                  traceparent + "\"}}");
  EXPECT_EQ(text(order, OrderFormat::trade_order).find("_otel"), std::string::npos);
  order.traceparent = "00-nonsense";
  EXPECT_EQ(text(order, OrderFormat::signal), without);
}

TEST(Traceparent, HasTheFormOfW3cTraceContext) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_TRUE(is_traceparent(good));
  EXPECT_FALSE(is_traceparent(""));
  EXPECT_FALSE(is_traceparent(good + "0"));
  EXPECT_FALSE(is_traceparent(good.substr(1)));
  EXPECT_FALSE(is_traceparent("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(is_traceparent("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  // The neighbours of 0, 9, a and f.
  for (const char c : {'/', ':', '`', 'g'}) {
    EXPECT_FALSE(is_traceparent(good.substr(0, good.size() - 1) + c)) << c;
  }
}

TEST(OrderFormat, SignalSaysBuyOrSell) {
  const auto action = [](Side side) {
    const std::string signal = text(order_of({}, {.side = side}), OrderFormat::signal);
    const std::size_t at = signal.find("\"action\":\"") + 10;
    return signal.substr(at, signal.find('"', at) - at);
  };
  EXPECT_EQ(action(Side::buy), "buy");
  EXPECT_EQ(action(Side::sell), "sell");
}

TEST(OrderFormat, SignalStrengthHasThreeBoundaries) {
  struct Case {
    double confidence;
    std::string_view strength;
  };
  for (const auto& [confidence, strength] : std::vector<Case>{{0.95, "extreme"},
                                                              {0.9, "extreme"},
                                                              {0.8999999, "strong"},
                                                              {0.7, "strong"},
                                                              {0.6999999, "medium"},
                                                              {0.5, "medium"},
                                                              {0.4999999, "weak"},
                                                              {0, "weak"}}) {
    const std::string signal = text(order_of({}, {.confidence = confidence}), OrderFormat::signal);
    EXPECT_NE(signal.find("\"strength\":\"" + std::string(strength) + "\""), std::string::npos)
        << confidence << " " << signal;
  }
}

// ---- Text

TEST(OrderFormat, AppendsAndNeverClears) {
  const Order order = order_of({});
  std::string out = "before ";
  append_json(out, order, OrderFormat::trade_order);
  EXPECT_EQ(out, "before " + text(order, OrderFormat::trade_order));
  EXPECT_EQ(out.find('\n'), std::string::npos);
}

TEST(OrderFormat, EscapesWhatCameFromOutside) {
  Order order = order_of({}, {.symbol = "\xE7\x89\x9BUSDT"});
  order.correlation_id = "a\"b\\c\nd\x01\xFF";
  const std::string out = text(order, OrderFormat::trade_order);
  EXPECT_NE(out.find("\"symbol\":\"\xE7\x89\x9BUSDT\""), std::string::npos) << out;
  EXPECT_NE(out.find(R"("correlation_id":"a\"b\\c\nd\u0001)"
                     "\xEF\xBF\xBD\""),
            std::string::npos)
      << out;
}

TEST(OrderFormat, NumbersAreTheShortestThatReadBackTheSame) {
  Order order = order_of({}, {.price = 0.1 + 0.2});
  order.quantity = *Decimal::parse("0.30000");
  const std::string out = text(order, OrderFormat::trade_order);
  EXPECT_NE(out.find("\"price\":0.30000000000000004,"), std::string::npos) << out;
  EXPECT_NE(out.find("\"quantity\":0.3,"), std::string::npos) << out;
}

}  // namespace
}  // namespace rts
