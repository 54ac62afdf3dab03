// The schemas accept what the engine writes and refuse every kind of broken order.
#include "support/order_schema.hpp"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "support/engine_run.hpp"
#include "support/market_text.hpp"

namespace rts {
namespace {

using test::BookText;
using test::EngineRun;

enum class Kind : std::uint8_t { opening_buy, opening_sell, closing_sell };

// One order of orderbook_skew: a BUY at 100, or a SELL at 99.
std::string order_of(const char* format, Kind kind) {
  const bool closes = kind == Kind::closing_sell;
  EngineRun run(test::configured({{"ORDER_FORMAT", format},
                                  {"TRADING_ENABLE_SHORTS", closes ? "false" : "true"},
                                  {"RISK_PRICE_BAND_PERCENT", "0"}}));
  const BookText sell{.bids = {{99, 1}}, .asks = {{100, 3}}};
  run.line(kind == Kind::opening_buy ? BookText{}.frame() : sell.frame());
  EXPECT_EQ(run.orders().size(), 1U);
  return run.orders().empty() ? "" : run.orders().front();
}

struct Breakage {
  const char* what;
  const char* from;  // this part of the valid order …
  const char* to;    // … is replaced by this
};

std::string broken(std::string order, const Breakage& breakage) {
  const std::size_t at = order.find(breakage.from);
  EXPECT_NE(at, std::string::npos) << breakage.what << ": not in " << order;
  if (at == std::string::npos) return order;
  return order.replace(at, std::string(breakage.from).size(), breakage.to);
}

constexpr const char* kId = R"("signal_id":"4e511a2a-7ac4-5191-9216-de564495401b")";

constexpr Breakage kTradeOrderBreakages[] = {
    {"a key nobody knows", R"("side":"BUY")", R"("side":"BUY","note":"x")"},
    {"a key is missing", R"("time_in_force":"GTC",)", ""},
    {"side in lower case", R"("side":"BUY")", R"("side":"buy")"},
    {"side is null", R"("side":"BUY")", R"("side":null)"},
    {"a limit order", "MARKET", "LIMIT"},
    {"an empty symbol", R"("symbol":"BTCUSDT")", R"("symbol":"")"},
    {"quantity 0", R"("quantity":1,)", R"("quantity":0,)"},
    {"quantity as text", R"("quantity":1,)", R"("quantity":"1",)"},
    {"a negative price", R"("price":100,)", R"("price":-100,)"},
    {"current price 0", R"("current_price":99.5)", R"("current_price":0)"},
    {"leverage 0", R"("leverage":1)", R"("leverage":0)"},
    {"leverage 126", R"("leverage":1)", R"("leverage":126)"},
    {"a fraction of a leverage", R"("leverage":1)", R"("leverage":1.5)"},
    {"good till cancelled misspelt", "GTC", "GTX"},
    {"an unknown strategy", R"("strategy_name":"orderbook_skew")", R"("strategy_name":"skew")"},
    {"another strategy's name", R"("strategy_name":"orderbook_skew")",
     R"("strategy_name":"trade_momentum")"},
    {"confidence above the cap", R"("confidence_score":0.95)", R"("confidence_score":0.96)"},
    {"confidence below 0", R"("confidence_score":0.95)", R"("confidence_score":-0.01)"},
    {"a BUY on SHORT", R"("position_type":"LONG")", R"("position_type":"SHORT")"},
    {"a BUY that is reduce-only", R"("reduce_only":false)", R"("reduce_only":true)"},
    {"close on trigger", R"("close_on_trigger":false)", R"("close_on_trigger":true)"},
    {"an opening order without take profit", R"("take_profit":104,)", ""},
    {"an opening order without stop loss", R"("stop_loss":98,)", ""},
    {"stop loss 0", R"("stop_loss":98)", R"("stop_loss":0)"},
    {"a time without offset", "00.000+00:00\",\"valid_until", "00.000\",\"valid_until"},
    {"a time in Zulu notation", "00.000+00:00\",\"valid_until", "00.000Z\",\"valid_until"},
    {"month 13", R"("timestamp":"2024-07)", R"("timestamp":"2024-13)"},
    {"hour 24", "T00:00:05", "T24:00:05"},
    {"a random id", "-5191-", "-4191-"},
    {"an id in capitals", "4e511a2a-7ac4", "4E511A2A-7ac4"},
    {"an id that is too long", "4e511a2a-7ac4", "14e511a2a-7ac4"},
    {"another schema's name", "trade_order.v1", "signal.v1"},
    {"an event id of another strategy", R"("event_id":"u:1")", R"("event_id":"t:1")"},
    {"an event id without number", R"("event_id":"u:1")", R"("event_id":"u:")"},
    {"an empty correlation id", R"("event_id":"u:1")", R"("event_id":"u:1","correlation_id":"")"},
    {"an indicator is missing", R"("ratio":3,)", ""},
    {"another strategy's indicator", R"("ratio":3)", R"("momentum":3)"},
    {"an indicator is null", R"("ratio":3)", R"("ratio":null)"},
    {"indicators are a list", R"({"bid_volume")", R"([{"bid_volume")"},
    {"the end is cut off", "}}}", "}}"},
};

constexpr Breakage kSignalBreakages[] = {
    {"a key nobody knows", R"("action":"buy")", R"("action":"buy","note":"x")"},
    {"a key is missing", R"("timeframe":"tick",)", ""},
    {"an unknown action", R"("action":"buy")", R"("action":"hold")"},
    {"action in capitals", R"("action":"buy")", R"("action":"BUY")"},
    {"an action that closes", R"("action":"buy")", R"("action":"close")"},
    {"without protection", R"("stop_loss":98,"take_profit":104,)", ""},
    {"without stop loss", R"("stop_loss":98,)", ""},
    {"without take profit", R"("take_profit":104,)", ""},
    {"a trace context that is none", R"(}}})", R"(}},"_otel_trace_context":{"traceparent":"1"}})"},
    {"a trace context without one", R"(}}})", R"(}},"_otel_trace_context":{}})"},
    {"strength too low for the confidence", R"("strength":"extreme")", R"("strength":"strong")"},
    {"confidence too low for the strength", R"("confidence":0.95)", R"("confidence":0.89)"},
    {"another mode", "deterministic", "ml_light"},
    {"two strategies", R"("strategy":"orderbook_skew")", R"("strategy":"ticker_velocity")"},
    {"another source", "realtime-strategies", "manual"},
    {"another timeframe", R"("timeframe":"tick")", R"("timeframe":"1m")"},
    {"quantity 0", R"("quantity":1,)", R"("quantity":0,)"},
    {"price as text", R"("price":100,)", R"("price":"100",)"},
    {"a random id", "-5191-", "-4191-"},
    {"another schema's name", "signal.v1", "signal.v2"},
    {"the end is cut off", "}}}", "}}"},
};

TEST(OrderSchema, AcceptsAnOpeningTradeOrder) {
  const std::string order = order_of("trade_order", Kind::opening_buy);
  EXPECT_EQ(test::schema_error(order, OrderFormat::trade_order), "");
  EXPECT_NE(order.find(kId), std::string::npos) << "the tables below stand on this id: " << order;
}

TEST(OrderSchema, AcceptsAnOpeningSellAndAClosingOne) {
  for (const Kind kind : {Kind::opening_sell, Kind::closing_sell}) {
    EXPECT_EQ(test::schema_error(order_of("trade_order", kind), OrderFormat::trade_order), "");
  }
}

TEST(OrderSchema, AcceptsASignalToBuyAndToSell) {
  EXPECT_EQ(test::schema_error(order_of("signal", Kind::opening_buy), OrderFormat::signal), "");
  EXPECT_EQ(test::schema_error(order_of("signal", Kind::opening_sell), OrderFormat::signal), "");
}

TEST(OrderSchema, RefusesABrokenTradeOrder) {
  const std::string order = order_of("trade_order", Kind::opening_buy);
  for (const Breakage& breakage : kTradeOrderBreakages) {
    const std::string text = broken(order, breakage);
    EXPECT_NE(test::schema_error(text, OrderFormat::trade_order), "")
        << breakage.what << ": " << text;
  }
}

TEST(OrderSchema, RefusesABrokenSignal) {
  const std::string order = order_of("signal", Kind::opening_buy);
  for (const Breakage& breakage : kSignalBreakages) {
    const std::string text = broken(order, breakage);
    EXPECT_NE(test::schema_error(text, OrderFormat::signal), "") << breakage.what << ": " << text;
  }
}

TEST(OrderSchema, RefusesAClosingOrderWithProtection) {
  const std::string order = order_of("trade_order", Kind::closing_sell);
  const Breakage stop_loss{"with stop loss", R"("timestamp")", R"("stop_loss":98,"timestamp")"};
  const Breakage both{"with both", R"("timestamp")",
                      R"("stop_loss":98,"take_profit":104,"timestamp")"};
  EXPECT_NE(test::schema_error(broken(order, stop_loss), OrderFormat::trade_order), "");
  EXPECT_NE(test::schema_error(broken(order, both), OrderFormat::trade_order), "");
}

TEST(OrderSchema, DoesNotTakeOneFormatForTheOther) {
  EXPECT_NE(test::schema_error(order_of("trade_order", Kind::opening_buy), OrderFormat::signal),
            "");
  EXPECT_NE(test::schema_error(order_of("signal", Kind::opening_buy), OrderFormat::trade_order),
            "");
}

TEST(OrderSchema, SaysWhereAndWhy) {
  const std::string text = broken(order_of("trade_order", Kind::opening_buy),
                                  {"leverage 0", R"("leverage":1)", R"("leverage":0)"});
  EXPECT_EQ(test::schema_error(text, OrderFormat::trade_order),
            "/leverage: breaks 'minimum' of #/properties/leverage");
}

}  // namespace
}  // namespace rts
