// A setting exists only if a test sees its effect: each row gives a setting two values, sends the
// same frames through config::engine_parameters and Engine::step, and names what differs.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/input.hpp"
#include "support/engine_run.hpp"
#include "support/market_text.hpp"
#include "support/paths.hpp"
#include "support/scratch_files.hpp"

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
std::string result(const Effect& row, const std::vector<config::Given>& given) {
  auto environment = row.others;
  environment.insert(environment.end(), given.begin(), given.end());
  const auto loaded = config::load(environment, {}, commands::read_settings_file);
  if (!loaded) return testing::PrintToString(loaded.error());
  test::EngineRun run(loaded.value(), row.clock);
  run.lines(row.lines);
  return run.orders_text() + "last=" + run.last() + ";";
}

const std::string kBuy = "last=signal_buy;";
const std::string kSell = "last=signal_sell;";
const std::string kNeutral = "last=neutral;";

// Five levels a side, the best at 99 and 100, each with these quantities.
struct Depth {
  std::vector<double> bids{3, 3, 3, 3, 3};
  std::vector<double> asks{1, 1, 1, 1, 1};
};
std::string book(const Depth& depth, BookText text = {}) {
  const double best_bid = text.bids.front().price;
  const double best_ask = text.asks.front().price;
  text.bids.clear();
  text.asks.clear();
  for (std::size_t i = 0; i < depth.bids.size(); ++i) {
    const auto down = static_cast<double>(i);
    text.bids.push_back({best_bid - down, depth.bids[i]});
    text.asks.push_back({best_ask + down, depth.asks[i]});
  }
  return text.frame();
}
const Depth kMoreAsks{{1, 1, 1, 1, 1}, {3, 3, 3, 3, 3}};

// A trade that the band is held against, and the book behind it.
std::vector<std::string> with_reference(const std::string& frame) {
  return {TradeText{}.frame(), frame};
}
std::vector<std::string> buy_book() { return with_reference(book({})); }
std::vector<std::string> sell_book() { return with_reference(book(kMoreAsks)); }
std::vector<std::string> two_buy_books(std::int64_t apart_ms) {
  const std::int64_t later = kMidnightMs + apart_ms;
  return {TradeText{}.frame(), book({}), TradeText{.id = 2, .at_ms = later}.frame(),
          book({}, {.id = 2, .at_ms = later})};
}

// Two trades of 1 at 100 make the means of a window of 2; the third is scored against them.
std::vector<std::string> trades(const TradeText& third) {
  TradeText last = third;
  last.id = 3;
  return {TradeText{.id = 1}.frame(), TradeText{.id = 2}.frame(), last.frame()};
}
std::vector<std::string> rising_trades() { return trades({.price = 101, .quantity = 5}); }
std::vector<std::string> falling_trades() {
  return trades({.price = 99, .quantity = 5, .buyer_is_maker = true});
}
// Price score −1, quantity score 0.5, maker score 1: each weight shows on its own.
std::vector<std::string> mixed_trades() { return trades({.price = 99, .quantity = 2.5}); }

// 100, and ten seconds later another price: 6 × the change in percent per minute.
std::vector<std::string> tickers(double later_price) {
  return {TickerText{}.frame(),
          TickerText{.at_ms = kMidnightMs + 10'000, .price = later_price}.frame()};
}

std::vector<config::Given> window_2() { return given({{"TRADE_MOMENTUM_WINDOW", "2"}}); }
std::vector<config::Given> mixed_settings() {
  return given({{"TRADE_MOMENTUM_WINDOW", "2"}, {"TRADE_MOMENTUM_BUY_THRESHOLD", "0"}});
}
std::vector<config::Given> window_10s() { return given({{"TICKER_VELOCITY_TIME_WINDOW", "10"}}); }
std::vector<config::Given> no_cooldown() { return given({{"SIGNAL_COOLDOWN_SECONDS", "0"}}); }

std::vector<config::Given> no_band() { return given({{"RISK_PRICE_BAND_PERCENT", "0"}}); }

const std::string kSpotInstruments = test::source_root() + "/tests/data/exchange_info_spot.json";

std::vector<Effect> trading_effects() {
  const std::vector<std::string> other{TradeText{.symbol = "SOLUSDT"}.frame(),
                                       book({}, {.symbol = "SOLUSDT"})};
  const std::vector<std::string> luna{TradeText{.symbol = "LUNAUSDT"}.frame(),
                                      book({}, {.symbol = "LUNAUSDT"})};
  return {
      {"TRADING_SYMBOLS", "BTCUSDT", "ETHUSDT", {}, buy_book(), kBuy, "last=symbol_not_traded;"},
      {"TRADING_ENABLE_SHORTS",
       "true",
       "false",
       {},
       sell_book(),
       R"("position_type":"SHORT")",
       R"("position_type":"LONG","leverage":1,"reduce_only":true)"},
      {"TRADING_LEVERAGE", "1", "125", {}, buy_book(), R"("leverage":1,)", R"("leverage":125,)"},
      {"TRADING_ORDER_NOTIONAL",
       "100",
       "200",
       {},
       buy_book(),
       R"("quantity":1,)",
       R"("quantity":2,)"},
      {"TRADING_MIN_POSITION_SIZE",
       "10",
       "300",
       {},
       buy_book(),
       R"("quantity":1,)",
       R"("quantity":3,)"},
      {"TRADING_MAX_POSITION_SIZE", "1000", "50", given({{"TRADING_MIN_NOTIONALS", ""}}),
       buy_book(), R"("quantity":1,)", R"("quantity":0.5,)"},
      {"TRADING_QUANTITY_STEP", "0.001", "3", given({{"TRADING_SYMBOLS", "*"}}), other,
       R"("quantity":1,)", R"("quantity":3,)"},
      {"TRADING_QUANTITY_STEPS",
       "",
       "ETHUSDT:2,BTCUSDT:3",
       {},
       buy_book(),
       R"("quantity":1,)",
       R"("quantity":3,)"},
      {"TRADING_QUOTE_ASSETS", "USDT", "USDC", given({{"TRADING_SYMBOLS", "*"}}), buy_book(), kBuy,
       "last=symbol_not_traded;"},
      {"TRADING_MIN_NOTIONALS",
       "",
       "BTCUSDT:250",
       {},
       buy_book(),
       R"("quantity":1,)",
       R"("quantity":2.5,)"},
      {"TRADING_INSTRUMENTS_FILE", "", kSpotInstruments.c_str(),
       given({{"TRADING_SYMBOLS", "LUNAUSDT"}}), luna, kBuy, "last=symbol_not_traded;"},
      {"TRADING_PAUSED", "false", "true", {}, buy_book(), kBuy, "last=paused;"},
  };
}

std::vector<Effect> skew_effects() {
  const auto deep = with_reference(book({{3, 1, 1, 1, 1}, {1, 10, 1, 1, 1}}));
  return {
      {"STRATEGY_ENABLED_ORDERBOOK_SKEW", "true", "false", {}, buy_book(), kBuy, "last=disabled;"},
      {"ORDERBOOK_SKEW_TOP_LEVELS",
       "1",
       "2",
       {},
       deep,
       R"("bid_volume":3,"ask_volume":1,)",
       R"("bid_volume":4,"ask_volume":11,)"},
      {"ORDERBOOK_SKEW_BUY_THRESHOLD", "1.2", "3", {}, buy_book(), kBuy, kNeutral},
      {"ORDERBOOK_SKEW_SELL_THRESHOLD", "0.8", "0.3", {}, sell_book(), kSell, kNeutral},
      {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT",
       "0.1",
       "1.1",
       {},
       buy_book(),
       kBuy,
       "last=spread_below_minimum;"},
      {"ORDERBOOK_SKEW_MAX_SPREAD_PERCENT",
       "0",
       "1",
       {},
       buy_book(),
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
      {"TRADE_MOMENTUM_MAX_GAP_SECONDS", "10", "9", window_2(),
       trades({.at_ms = kMidnightMs + 10'000, .price = 101, .quantity = 5}), kBuy,
       "last=warming_up;"},
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
                                     book({}, {.bids = {{102, 0}}, .asks = {{103, 0}}})};
  const std::string stale_line = std::to_string(kMidnightMs + 61'000) + "000000 " + book({});
  return {
      {"SIGNAL_COOLDOWN_SECONDS", "900", "0", {}, two_buy_books(1000), "last=cooldown;", kBuy},
      {"SIGNAL_MIN_CONFIDENCE", "0.95", "0.951", {}, buy_book(), kBuy, "last=low_confidence;"},
      {"RISK_MAX_DAILY_SIGNALS", "2", "1", no_cooldown(), two_buy_books(61'000), kBuy,
       "last=daily_limit;"},
      {"RISK_MAX_ORDERS_PER_MINUTE", "2", "1", no_cooldown(), two_buy_books(1000), kBuy,
       "last=rate_limit;"},
      {"RISK_PRICE_BAND_PERCENT", "3.1", "2.9", {}, far, kBuy, "last=price_band;"},
      {"RISK_STOP_LOSS_PERCENT",
       "2",
       "3",
       {},
       buy_book(),
       R"("stop_loss":98,)",
       R"("stop_loss":97,)"},
      {"RISK_TAKE_PROFIT_PERCENT",
       "4",
       "5",
       {},
       buy_book(),
       R"("take_profit":104,)",
       R"("take_profit":105,)"},
      {"ORDER_FORMAT", "trade_order", "signal", {}, buy_book(), "trade_order.v1", "signal.v1"},
      {"ORDER_TTL_SECONDS",
       "5",
       "6",
       {},
       buy_book(),
       "valid_until\":\"2024-07-19T00:00:05.000",
       "valid_until\":\"2024-07-19T00:00:06.000"},
      {"ORDER_TTL_REDUCE_ONLY_SECONDS", "30", "31", given({{"TRADING_ENABLE_SHORTS", "false"}}),
       sell_book(), "valid_until\":\"2024-07-19T00:00:30.000",
       "valid_until\":\"2024-07-19T00:00:31.000"},
      {"MESSAGE_TTL_SECONDS",
       "61",
       "60",
       no_band(),
       {stale_line},
       kBuy,
       "last=stale;",
       Clock::live},
      {"MESSAGE_TTL_SECONDS", "0", "60", no_band(), {stale_line}, kBuy, "last=stale;", Clock::live},
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
                                       "NATS_JETSTREAM_DOMAIN",
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
                                       "ORDER_LOG_TOPIC",
                                       "ORDER_ACK_TIMEOUT_MS",
                                       "ORDER_SILENCE_LIMIT",
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
                                       "CONTROL_BUCKET",
                                       "ALLOW_UNKNOWN_ENV"};

void expect_first(const Effect& row, const std::vector<config::Given>& given) {
  const std::string seen = result(row, given);
  EXPECT_THAT(seen, HasSubstr(row.seen_with_a));
  EXPECT_THAT(seen, Not(HasSubstr(row.seen_with_b)));
}
void expect_second(const Effect& row, const std::vector<config::Given>& given) {
  const std::string seen = result(row, given);
  EXPECT_THAT(seen, HasSubstr(row.seen_with_b));
  EXPECT_THAT(seen, Not(HasSubstr(row.seen_with_a)));
}

TEST(SettingsEffect, OfEachValueIsSeenInOrdersOrOutcomes) {
  for (const Effect& row : effects()) {
    SCOPED_TRACE(std::string(row.setting) + ": " + row.value_a + " or " + row.value_b);
    expect_first(row, {{row.setting, row.value_a}});
    expect_second(row, {{row.setting, row.value_b}});
  }
}

// All of these events are of BTCUSDT: its own value counts, another symbol's does not.
TEST(SettingsEffect, OfASymbolsOwnValueIsSeenInItsOrdersOrOutcomes) {
  std::size_t rows = 0;
  for (const Effect& row : effects()) {
    if (!config::find(row.setting)->per_symbol) continue;
    SCOPED_TRACE(std::string(row.setting) + ": " + row.value_a + " or " + row.value_b);
    const std::string own = std::string(row.setting) + "__BTCUSDT";
    const std::string of_another = std::string(row.setting) + "__ETHUSDT";
    expect_second(row, {{row.setting, row.value_a}, {own, row.value_b}});
    expect_first(row, {{row.setting, row.value_b}, {own, row.value_a}});
    expect_first(row, {{row.setting, row.value_a}, {of_another, row.value_b}});
    ++rows;
  }
  EXPECT_GT(rows, 20U);
}

struct FilterEffect {
  const char* filters;  // of BTCUSDT in the venue's answer
  std::string seen;
};

// An order of 100 at 100, with stops at 98 and 104.
TEST(SettingsEffect, OfEachFilterOfTheInstrumentsFileIsSeenInOrders) {
  const std::string plain = R"("quantity":1,)";
  const FilterEffect rows[] = {
      {"", plain},
      {R"({"filterType":"LOT_SIZE","minQty":"0","maxQty":"0","stepSize":"0.3"})",
       R"("quantity":0.9,)"},
      {R"({"filterType":"LOT_SIZE","minQty":"2","maxQty":"0","stepSize":"0.1"})",
       R"("quantity":2,)"},
      {R"({"filterType":"LOT_SIZE","minQty":"0","maxQty":"0.5","stepSize":"0.1"})",
       "last=size_limit;"},
      {R"({"filterType":"MIN_NOTIONAL","notional":"300"})", R"("quantity":3,)"},
      {R"({"filterType":"MIN_NOTIONAL","notional":"5"})", plain},
      {R"({"filterType":"NOTIONAL","minNotional":"5","maxNotional":"50","applyMaxToMarket":true})",
       "last=size_limit;"},
      {R"({"filterType":"NOTIONAL","minNotional":"5","maxNotional":"50","applyMaxToMarket":false})",
       plain},
      {R"({"filterType":"PRICE_FILTER","tickSize":"0.3"})",
       R"("stop_loss":98.1,"take_profit":104.1,)"},
  };
  const test::ScratchFiles files;
  for (const FilterEffect& row : rows) {
    const std::string file = files.write(
        "instruments", std::string(R"({"symbols":[{"symbol":"BTCUSDT","status":"TRADING",)") +
                           R"("quoteAsset":"USDT","filters":[)" + row.filters + "]}]}");
    const Effect effect{"TRADING_INSTRUMENTS_FILE", "", "", {}, buy_book(), "", ""};
    EXPECT_THAT(result(effect, given({{"TRADING_INSTRUMENTS_FILE", file},
                                      {"TRADING_SYMBOLS", "BTCUSDT"},
                                      {"TRADING_QUANTITY_STEP", "0.001"},
                                      {"TRADING_MIN_NOTIONALS", "BTCUSDT:150"}})),
                HasSubstr(row.seen))
        << row.filters;
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
