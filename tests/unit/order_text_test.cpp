// Orders as lines for people: what a reader of a demonstration sees of both formats, and of what
// is no order.
#include <string>

#include <gtest/gtest.h>

#include <rts/trading/order.hpp>
#include <rts/wire/answer.hpp>

namespace rts::wire {
namespace {

Order order(Side side) {
  const Indicators indicators{*Indicator::from(3), *Indicator::from(2), *Indicator::from(1.5),
                              *Indicator::from(0.25)};
  constexpr UnixMs kAt{std::chrono::milliseconds(1'721'390'591'109)};
  const OrderTerms terms;
  const Price price = *Price::from(63'940);
  const OrderSource source{
      order_id({StrategyId::orderbook_skew, side, "BTCUSDT", kAt, {'u', 42}}, terms.cooldown),
      StrategyId::orderbook_skew,
      "BTCUSDT",
      kAt,
      kAt,
      EventId{'u', 42},
      {side, price, *Price::from(63'940.5), *Confidence::from(0.75)},
      indicators,
      *Decimal::parse("0.002"),
      protection(terms, side, price)};
  return make_order(terms, source);
}

TEST(OrderText, SaysWhatIsBoughtInOneLineWhateverTheFormat) {
  for (const OrderFormat format : {OrderFormat::trade_order, OrderFormat::signal}) {
    std::string json;
    append_json(json, order(Side::buy), format);
    EXPECT_EQ(order_text(json),
              "12:03:11.109  BUY  0.002 BTCUSDT at 63940  orderbook_skew, confidence 75 %, stop "
              "62661.2, target 66497.6");
  }
}

TEST(OrderText, SaysWhatIsSoldLikewise) {
  for (const OrderFormat format : {OrderFormat::trade_order, OrderFormat::signal}) {
    std::string json;
    append_json(json, order(Side::sell), format);
    EXPECT_EQ(order_text(json),
              "12:03:11.109  SELL 0.002 BTCUSDT at 63940  orderbook_skew, confidence 75 %, stop "
              "65218.8, target 61382.4");
  }
}

TEST(OrderText, ShowsNoTimeOfDayWhereThereIsOnlyADate) {
  EXPECT_EQ(order_text(R"({"symbol":"ETHUSDT","timestamp":"2024-07-19"})"),
            order_text(R"({"symbol":"ETHUSDT"})"));
}

TEST(OrderText, SaysThatAnOrderOnlyCloses) {
  EXPECT_EQ(order_text(R"({"side":"SELL","symbol":"ETHUSDT","quantity":0.03,"price":3425.1,)"
                       R"("reduce_only":true,"strategy_name":"trade_momentum",)"
                       R"("confidence_score":0.8,"timestamp":"2024-07-19T12:03:11.109+00:00"})"),
            "12:03:11.109  SELL 0.03 ETHUSDT at 3425.1  trade_momentum, confidence 80 %, reduce "
            "only");
}

TEST(OrderText, ShowsWhatIsNoOrderAsItIs) {
  EXPECT_EQ(order_text(""), "no order: ");
  EXPECT_EQ(order_text("hello"), "no order: hello");
  EXPECT_EQ(order_text(R"({"status":"accepted"})"), R"(no order: {"status":"accepted"})");
  EXPECT_EQ(order_text(R"({"symbol":7})"), R"(no order: {"symbol":7})");
}

TEST(OrderText, SendsNoControlCharacterToATerminal) {
  for (const char* payload : {"\x1b[2J", R"({"symbol":"\u001b[2J"})", R"({"symbol":"\u009b2J"})",
                              "a\nb", R"({"symbol":"a\nb"})"}) {
    for (const char c : order_text(payload)) {
      EXPECT_GE(static_cast<unsigned char>(c), 0x20) << payload;
      EXPECT_NE(static_cast<unsigned char>(c), 0x9b) << payload;
    }
  }
}

}  // namespace
}  // namespace rts::wire
