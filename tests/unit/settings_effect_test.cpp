// A setting exists only if a test sees its effect: each row gives a setting two values, sends the
// same frames through config::engine_parameters and Engine::step, and names what differs.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_run.hpp"
#include "support/market_text.hpp"

namespace rts {
namespace {

using test::BookText;
using test::given;
using test::kMidnightMs;
using test::TickerText;
using test::TradeText;
using testing::HasSubstr;
using testing::Not;

struct Effect {
  const char* setting;
  const char* value_a;
  const char* value_b;
  std::vector<config::Given> others;
  std::vector<std::string> lines;
  std::string seen_with_a, seen_with_b;  // parts of the orders, or "last=" and the last fate
  Clock clock = Clock::replay;
};

// The orders, one a line, and how the last event ended.
std::string result(const Effect& row, const char* value) {
  auto environment = row.others;
  environment.push_back({row.setting, value});
  // A lone book has no reference price.
  if (row.setting != std::string("RISK_PRICE_BAND_PERCENT")) {
    environment.push_back({"RISK_PRICE_BAND_PERCENT", "0"});
  }
  test::EngineRun run(test::configured(environment), row.clock);
  run.lines(row.lines);
  return run.orders_text() + "last=" + run.last() + ";";
}

const std::string kBuy = "last=signal_buy;";
const std::string kSell = "last=signal_sell;";
const std::string kNeutral = "last=neutral;";

std::string buy_book() {
  return BookText{}.frame();
}  // bid 99 × 3, ask 100 × 1
std::string sell_book() {
  return BookText{.bids = {{99, 1}}, .asks = {{100, 3}}}.frame();
}
std::vector<std::string> two_buy_books(std::int64_t apart_ms) {
  return {buy_book(), BookText{.id = 2, .at_ms = kMidnightMs + apart_ms}.frame()};
}

// Two trades of 1 at 100 make the means of a window of 2; the third is scored against them.
std::vector<std::string> trades(const TradeText& third) {
  TradeText last = third;
  last.id = 3;
  return {TradeText{.id = 1}.frame(), TradeText{.id = 2}.frame(), last.frame()};
}
std::vector<std::string> rising_trades() {
  return trades({.price = 101, .quantity = 5});
}
std::vector<std::string> falling_trades() {
  return trades({.price = 99, .quantity = 5, .buyer_is_maker = true});
}
// Price score −1, quantity score 0.5, maker score 1: each weight shows on its own.
std::vector<std::string> mixed_trades() {
  return trades({.price = 99, .quantity = 2.5});
}

// 100, and ten seconds later another price: 6 × the change in percent per minute.
std::vector<std::string> tickers(double later_price) {
  return {TickerText{}.frame(),
          TickerText{.at_ms = kMidnightMs + 10'000, .price = later_price}.frame()};
}

std::vector<config::Given> window_2() {
  return given({{"TRADE_MOMENTUM_WINDOW", "2"}});
}
std::vector<config::Given> mixed_settings() {
  return given({{"TRADE_MOMENTUM_WINDOW", "2"}, {"TRADE_MOMENTUM_BUY_THRESHOLD", "0"}});
}
std::vector<config::Given> window_10s() {
  return given({{"TICKER_VELOCITY_TIME_WINDOW", "10"}});
}
std::vector<config::Given> no_cooldown() {
  return given({{"SIGNAL_COOLDOWN_SECONDS", "0"}});
}

std::vector<Effect> trading_effects() {
  const std::string other = BookText{.symbol = "SOLUSDT"}.frame();
  return {
      {"TRADING_SYMBOLS", "BTCUSDT", "ETHUSDT", {}, {buy_book()}, kBuy, "last=symbol_not_traded;"},
      {"TRADING_ENABLE_SHORTS",
       "true",
       "false",
       {},
       {sell_book()},
       R"("position_type":"SHORT")",
       R"("position_type":"LONG","leverage":1,"reduce_only":true)"},
      {"TRADING_LEVERAGE", "1", "125", {}, {buy_book()}, R"("leverage":1,)", R"("leverage":125,)"},
      {"TRADING_ORDER_NOTIONAL",
       "100",
       "200",
       {},
       {buy_book()},
       R"("quantity":1,)",
       R"("quantity":2,)"},
      {"TRADING_MIN_POSITION_SIZE",
       "10",
       "300",
       {},
       {buy_book()},
       R"("quantity":1,)",
       R"("quantity":3,)"},
      {"TRADING_MAX_POSITION_SIZE",
       "1000",
       "50",
       {},
       {buy_book()},
       R"("quantity":1,)",
       R"("quantity":0.5,)"},
      {"TRADING_QUANTITY_STEP",
       "0.001",
       "3",
       given({{"TRADING_SYMBOLS", "*"}}),
       {other},
       R"("quantity":1,)",
       R"("quantity":3,)"},
      {"TRADING_QUANTITY_STEPS",
       "",
       "ETHUSDT:2,BTCUSDT:3",
       {},
       {buy_book()},
       R"("quantity":1,)",
       R"("quantity":3,)"},
      {"TRADING_PAUSED", "false", "true", {}, {buy_book()}, kBuy, "last=paused;"},
  };
}

std::vector<Effect> skew_effects() {
  const auto deep = BookText{.bids = {{99, 3}, {98, 1}}, .asks = {{100, 1}, {101, 10}}}.frame();
  return {
      {"STRATEGY_ENABLED_ORDERBOOK_SKEW",
       "true",
       "false",
       {},
       {buy_book()},
       kBuy,
       "last=disabled;"},
      {"ORDERBOOK_SKEW_TOP_LEVELS",
       "1",
       "2",
       {},
       {deep},
       R"("bid_volume":3,"ask_volume":1,)",
       R"("bid_volume":4,"ask_volume":11,)"},
      {"ORDERBOOK_SKEW_BUY_THRESHOLD", "1.2", "3", {}, {buy_book()}, kBuy, kNeutral},
      {"ORDERBOOK_SKEW_SELL_THRESHOLD", "0.8", "0.3", {}, {sell_book()}, kSell, kNeutral},
      {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT",
       "0.1",
       "1.1",
       {},
       {buy_book()},
       kBuy,
       "last=spread_below_minimum;"},
      {"ORDERBOOK_SKEW_MAX_SPREAD_PERCENT",
       "0",
       "1",
       {},
       {buy_book()},
       kBuy,
       "last=spread_above_maximum;"},
  };
}

std::vector<Effect> momentum_effects() {
  // With weights 0.4, 0.3, 0.3: momentum −0.4 + 0.15 + 0.3 = 0.05, confidence 0.65 + 0.2 · 0.05.
  const std::string mixed = R"("confidence_score":0.66,)";
  return {
      {"STRATEGY_ENABLED_TRADE_MOMENTUM", "true", "false", window_2(), rising_trades(), kBuy,
       "last=disabled;"},
      {"TRADE_MOMENTUM_PRICE_WEIGHT", "0.4", "0.4008", mixed_settings(), mixed_trades(), mixed,
       R"("confidence_score":0.65984,)"},
      {"TRADE_MOMENTUM_QUANTITY_WEIGHT", "0.3", "0.3008", mixed_settings(), mixed_trades(), mixed,
       R"("confidence_score":0.66008,)"},
      {"TRADE_MOMENTUM_MAKER_WEIGHT", "0.3", "0.3008", mixed_settings(), mixed_trades(), mixed,
       R"("confidence_score":0.66016)"},
      {"TRADE_MOMENTUM_BUY_THRESHOLD", "0.7", "1", window_2(), rising_trades(), kBuy, kNeutral},
      {"TRADE_MOMENTUM_SELL_THRESHOLD", "-0.7", "-1", window_2(), falling_trades(), kSell,
       kNeutral},
      {"TRADE_MOMENTUM_MIN_QUANTITY", "0.001", "5.1", window_2(), rising_trades(), kBuy,
       "last=below_min_quantity;"},
      {"TRADE_MOMENTUM_WINDOW", "2", "3", {}, rising_trades(), kBuy, "last=warming_up;"},
      {"TRADE_MOMENTUM_PRICE_SCALE_PERCENT", "0.05", "2", window_2(), rising_trades(),
       R"("price_score":1,)", R"("price_score":0.5,)"},
      {"TRADE_MOMENTUM_QUANTITY_MULTIPLE", "5", "50", window_2(), rising_trades(),
       R"("quantity_score":1,)", R"("quantity_score":0.1,)"},
  };
}

std::vector<Effect> velocity_effects() {
  return {
      {"STRATEGY_ENABLED_TICKER_VELOCITY", "true", "false", window_10s(), tickers(101), kBuy,
       "last=disabled;"},
      {"TICKER_VELOCITY_TIME_WINDOW", "10", "11", {}, tickers(101), kBuy, "last=warming_up;"},
      {"TICKER_VELOCITY_BUY_THRESHOLD", "5.9", "6.1", window_10s(), tickers(101), kBuy, kNeutral},
      {"TICKER_VELOCITY_SELL_THRESHOLD", "-5.9", "-6.1", window_10s(), tickers(99), kSell,
       kNeutral},
      {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0.9", "1.1", window_10s(), tickers(101), kBuy,
       "last=below_min_price_change;"},
  };
}

std::vector<Effect> risk_effects() {
  const std::vector<std::string> far{TradeText{.price = 100}.frame(),
                                     BookText{.bids = {{102, 3}}, .asks = {{103, 1}}}.frame()};
  const std::string stale_line =
      std::to_string(kMidnightMs + 61'000) + "000000 " + BookText{}.frame();
  return {
      {"SIGNAL_COOLDOWN_SECONDS", "900", "0", {}, two_buy_books(1000), "last=cooldown;", kBuy},
      {"SIGNAL_MIN_CONFIDENCE", "0.95", "0.951", {}, {buy_book()}, kBuy, "last=low_confidence;"},
      {"RISK_MAX_DAILY_SIGNALS", "2", "1", no_cooldown(), two_buy_books(61'000), kBuy,
       "last=daily_limit;"},
      {"RISK_MAX_ORDERS_PER_MINUTE", "2", "1", no_cooldown(), two_buy_books(1000), kBuy,
       "last=rate_limit;"},
      {"RISK_PRICE_BAND_PERCENT", "3.1", "2.9", {}, far, kBuy, "last=price_band;"},
      {"RISK_STOP_LOSS_PERCENT",
       "2",
       "3",
       {},
       {buy_book()},
       R"("stop_loss":98,)",
       R"("stop_loss":97,)"},
      {"RISK_TAKE_PROFIT_PERCENT",
       "4",
       "5",
       {},
       {buy_book()},
       R"("take_profit":104,)",
       R"("take_profit":105,)"},
      {"ORDER_FORMAT", "trade_order", "signal", {}, {buy_book()}, "trade_order.v1", "signal.v1"},
      {"ORDER_TTL_SECONDS",
       "5",
       "6",
       {},
       {buy_book()},
       "valid_until\":\"2024-07-19T00:00:05.000",
       "valid_until\":\"2024-07-19T00:00:06.000"},
      {"ORDER_TTL_REDUCE_ONLY_SECONDS",
       "30",
       "31",
       given({{"TRADING_ENABLE_SHORTS", "false"}}),
       {sell_book()},
       "valid_until\":\"2024-07-19T00:00:30.000",
       "valid_until\":\"2024-07-19T00:00:31.000"},
      {"MESSAGE_TTL_SECONDS", "61", "60", {}, {stale_line}, kBuy, "last=stale;", Clock::live},
      {"MESSAGE_TTL_SECONDS", "0", "60", {}, {stale_line}, kBuy, "last=stale;", Clock::live},
  };
}

std::vector<Effect> effects() {
  std::vector<Effect> all;
  for (const auto& rows : {trading_effects(), skew_effects(), momentum_effects(),
                           velocity_effects(), risk_effects()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

// What the engine does not know of: the shell's settings, whose effect the shell's tests see.
constexpr const char* kOfTheShell[] = {"NATS_URL",
                                       "NATS_CONSUMER_TOPIC",
                                       "NATS_PUBLISHER_TOPIC",
                                       "NATS_CONSUMER_GROUP",
                                       "NATS_CONSUMER_NAME",
                                       "NATS_USER",
                                       "NATS_USER_FILE",
                                       "NATS_PASSWORD",
                                       "NATS_PASSWORD_FILE",
                                       "NATS_TOKEN",
                                       "NATS_TOKEN_FILE",
                                       "NATS_CREDS_FILE",
                                       "NATS_NKEY_SEED_FILE",
                                       "NATS_TLS_CA_FILE",
                                       "NATS_TLS_CERT_FILE",
                                       "NATS_TLS_KEY_FILE",
                                       "ORDER_DELIVERY",
                                       "ORDER_ACK_TIMEOUT_MS",
                                       "CIRCUIT_BREAKER_FAILURE_THRESHOLD",
                                       "CIRCUIT_BREAKER_RECOVERY_TIMEOUT",
                                       "HEALTH_CHECK_HOST",
                                       "HEALTH_CHECK_PORT",
                                       "DRY_RUN_MODE",
                                       "LOG_LEVEL",
                                       "LOG_FORMAT",
                                       "DEBUG_MODE",
                                       "ENVIRONMENT",
                                       "SHUTDOWN_TIMEOUT_SECONDS",
                                       "CONTROL_TOPIC",
                                       "ALLOW_UNKNOWN_ENV"};

TEST(SettingsEffect, OfEachValueIsSeenInOrdersOrOutcomes) {
  for (const Effect& row : effects()) {
    SCOPED_TRACE(std::string(row.setting) + ": " + row.value_a + " or " + row.value_b);
    const std::string with_a = result(row, row.value_a);
    const std::string with_b = result(row, row.value_b);
    EXPECT_THAT(with_a, HasSubstr(row.seen_with_a));
    EXPECT_THAT(with_a, Not(HasSubstr(row.seen_with_b)));
    EXPECT_THAT(with_b, HasSubstr(row.seen_with_b));
    EXPECT_THAT(with_b, Not(HasSubstr(row.seen_with_a)));
  }
}

TEST(SettingsEffect, IsKnownOfEverySetting) {
  const auto rows = effects();
  for (const config::Setting& setting : config::table()) {
    const bool seen = std::any_of(rows.begin(), rows.end(),
                                  [&](const Effect& row) { return row.setting == setting.name; });
    const bool elsewhere = std::find(std::begin(kOfTheShell), std::end(kOfTheShell),
                                     setting.name) != std::end(kOfTheShell);
    EXPECT_NE(seen, elsewhere) << setting.name << " needs a row here";
  }
}

}  // namespace
}  // namespace rts
