// The settings table tests itself: its defaults and ranges are SPEC §5's, what is just outside is
// refused, everything wrong is said at once, and no secret is ever said.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/config/broker_url.hpp>
#include <rts/config/render.hpp>
#include <rts/config/settings.hpp>

#include "support/engine_run.hpp"
#include "support/setting_edges.hpp"

namespace rts::config {
namespace {

using test::given;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Problems problems_of(const std::vector<Given>& environment, const std::vector<Given>& flags = {}) {
  const auto loaded = load(environment, flags);
  return loaded ? Problems{} : loaded.error();
}

// Whether the value itself is refused; rules across settings do not count.
bool refuses(std::string_view name, std::string_view value) {
  const auto problems = problems_of({{std::string(name), std::string(value)}});
  return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
    return problem.starts_with(fmt::format("{}=", name)) &&
           problem.find("not accepted") != std::string::npos;
  });
}

std::size_t index_of(std::string_view name) {
  return static_cast<std::size_t>(find(name) - table().data());
}

// --- Defaults -----------------------------------------------------------------------------------

struct Default {
  const char* name;
  const char* value;
};
constexpr Default kSpecDefaults[] = {
    {"NATS_URL", "nats://localhost:4222"},
    {"NATS_CONSUMER_TOPIC", "binance.websocket.data"},
    {"NATS_PUBLISHER_TOPIC", "tradeengine.orders"},
    {"NATS_CONSUMER_GROUP", "realtime-strategies-group"},
    {"NATS_CONSUMER_NAME", "realtime-strategies"},
    {"NATS_JETSTREAM_DOMAIN", ""},
    {"NATS_USER", ""},
    {"NATS_USER_FILE", ""},
    {"NATS_PASSWORD", ""},
    {"NATS_PASSWORD_FILE", ""},
    {"NATS_TOKEN", ""},
    {"NATS_TOKEN_FILE", ""},
    {"NATS_CREDS_FILE", ""},
    {"NATS_NKEY_SEED_FILE", ""},
    {"NATS_TLS_CA_FILE", ""},
    {"NATS_TLS_CERT_FILE", ""},
    {"NATS_TLS_KEY_FILE", ""},
    {"TRADING_SYMBOLS", "BTCUSDT,ETHUSDT,BNBUSDT"},
    {"TRADING_ENABLE_SHORTS", "true"},
    {"TRADING_LEVERAGE", "1"},
    {"TRADING_ORDER_NOTIONAL", "100"},
    {"TRADING_MIN_POSITION_SIZE", "10"},
    {"TRADING_MAX_POSITION_SIZE", "1000"},
    {"TRADING_QUANTITY_STEP", "0.001"},
    {"TRADING_QUANTITY_STEPS", "BTCUSDT:0.001,ETHUSDT:0.001,BNBUSDT:0.01"},
    {"TRADING_QUOTE_ASSETS", "USDT"},
    {"TRADING_MIN_NOTIONALS", "BTCUSDT:100,ETHUSDT:20,BNBUSDT:5"},
    {"TRADING_INSTRUMENTS_FILE", ""},
    {"STRATEGY_ENABLED_ORDERBOOK_SKEW", "true"},
    {"STRATEGY_ENABLED_TRADE_MOMENTUM", "true"},
    {"STRATEGY_ENABLED_TICKER_VELOCITY", "true"},
    {"ORDERBOOK_SKEW_TOP_LEVELS", "5"},
    {"ORDERBOOK_SKEW_BUY_THRESHOLD", "1.2"},
    {"ORDERBOOK_SKEW_SELL_THRESHOLD", "0.8"},
    {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0.1"},
    {"ORDERBOOK_SKEW_MAX_SPREAD_PERCENT", "0"},
    {"TRADE_MOMENTUM_PRICE_WEIGHT", "0.4"},
    {"TRADE_MOMENTUM_QUANTITY_WEIGHT", "0.3"},
    {"TRADE_MOMENTUM_MAKER_WEIGHT", "0.3"},
    {"TRADE_MOMENTUM_BUY_THRESHOLD", "0.7"},
    {"TRADE_MOMENTUM_SELL_THRESHOLD", "-0.7"},
    {"TRADE_MOMENTUM_MIN_QUANTITY", "0.001"},
    {"TRADE_MOMENTUM_WINDOW", "100"},
    {"TRADE_MOMENTUM_MAX_GAP_SECONDS", "60"},
    {"TRADE_MOMENTUM_PRICE_SCALE_PERCENT", "0.05"},
    {"TRADE_MOMENTUM_QUANTITY_MULTIPLE", "5"},
    {"TICKER_VELOCITY_TIME_WINDOW", "60"},
    {"TICKER_VELOCITY_BUY_THRESHOLD", "0.5"},
    {"TICKER_VELOCITY_SELL_THRESHOLD", "-0.5"},
    {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0.1"},
    {"SIGNAL_COOLDOWN_SECONDS", "900"},
    {"SIGNAL_MIN_CONFIDENCE", "0.6"},
    {"RISK_MAX_DAILY_SIGNALS", "50"},
    {"RISK_MAX_ORDERS_PER_MINUTE", "30"},
    {"RISK_PRICE_BAND_PERCENT", "5"},
    {"RISK_STOP_LOSS_PERCENT", "2"},
    {"RISK_TAKE_PROFIT_PERCENT", "4"},
    {"ORDER_FORMAT", "trade_order"},
    {"ORDER_DELIVERY", "core"},
    {"ORDER_LOG_TOPIC", "orders.intents"},
    {"ORDER_TTL_SECONDS", "5"},
    {"ORDER_TTL_REDUCE_ONLY_SECONDS", "30"},
    {"ORDER_ACK_TIMEOUT_MS", "1000"},
    {"ORDER_SILENCE_LIMIT", "3"},
    {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "5"},
    {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "60"},
    {"MESSAGE_TTL_SECONDS", "60"},
    {"HEALTH_CHECK_HOST", "0.0.0.0"},
    {"HEALTH_CHECK_PORT", "8080"},
    {"DRY_RUN_MODE", "false"},
    {"TRADING_PAUSED", "false"},
    {"LOG_LEVEL", "INFO"},
    {"LOG_FORMAT", "auto"},
    {"DEBUG_MODE", "false"},
    {"ENVIRONMENT", "production"},
    {"SHUTDOWN_TIMEOUT_SECONDS", "20"},
    {"CONTROL_TOPIC", "realtime-strategies.control"},
    {"CONTROL_BUCKET", "realtime-strategies"},
    {"ALLOW_UNKNOWN_ENV", "false"},
};

TEST(SettingsDefaults, AreThoseOfTheSpecification) {
  for (const auto& [name, value] : kSpecDefaults) {
    const Setting* const setting = find(name);
    ASSERT_NE(setting, nullptr) << name;
    EXPECT_EQ(setting->default_text(), value) << name;
  }
}

TEST(SettingsDefaults, BelongToSettingsOfTheSpecificationOnly) {
  for (const Setting& setting : table()) {
    EXPECT_TRUE(std::any_of(std::begin(kSpecDefaults), std::end(kSpecDefaults),
                            [&](const Default& row) { return row.name == setting.name; }))
        << setting.name << " is not in SPEC §5";
  }
}

TEST(SettingsDefaults, AreAcceptedAndAreTheirOwnOrigin) {
  const auto loaded = load({}, {});
  ASSERT_TRUE(loaded);
  const Configuration& configuration = loaded.value();
  EXPECT_THAT(configuration.values, Each(testing::Field(&Value::origin, Origin::fallback)));
  EXPECT_THAT(configuration.warnings, IsEmpty());
  for (std::size_t i = 0; i < table().size(); ++i) {
    EXPECT_EQ(configuration.values[i].text, table()[i].default_text()) << table()[i].name;
  }
}

TEST(SettingsDefaults, GivenExplicitlyChangeNothingButTheOrigin) {
  std::vector<Given> environment;
  for (const auto& [name, value] : kSpecDefaults) environment.push_back({name, value});
  const auto configuration = test::configured(environment);
  EXPECT_THAT(configuration.values, Each(testing::Field(&Value::origin, Origin::environment)));
  EXPECT_EQ(test::row_texts(configuration), test::row_texts(load({}, {}).value()));
}

TEST(SettingsDefaults, AreTheEnginesOwnDefaults) {
  const EngineParameters built;
  const auto loaded = engine_parameters(load({}, {}).value().settings, Clock::replay);
  EXPECT_EQ(loaded.message_ttl, built.message_ttl);
  EXPECT_EQ(loaded.defaults.enabled, built.defaults.enabled);
  EXPECT_EQ(loaded.defaults.orderbook_skew.top_levels, built.defaults.orderbook_skew.top_levels);
  EXPECT_EQ(loaded.defaults.orderbook_skew.min_spread_percent,
            built.defaults.orderbook_skew.min_spread_percent);
  EXPECT_EQ(loaded.defaults.trade_momentum.window, built.defaults.trade_momentum.window);
  EXPECT_EQ(loaded.defaults.trade_momentum.quantity_multiple,
            built.defaults.trade_momentum.quantity_multiple);
  EXPECT_EQ(loaded.defaults.ticker_velocity.time_window,
            built.defaults.ticker_velocity.time_window);
  EXPECT_EQ(loaded.defaults.terms.cooldown, built.defaults.terms.cooldown);
  EXPECT_EQ(loaded.gate.max_daily_signals, built.gate.max_daily_signals);
  EXPECT_EQ(loaded.gate.max_orders_per_minute, built.gate.max_orders_per_minute);
  EXPECT_EQ(loaded.defaults.terms.size.order, built.defaults.terms.size.order);
  EXPECT_EQ(loaded.defaults.terms.size.maximum, built.defaults.terms.size.maximum);
  EXPECT_EQ(loaded.defaults.terms.ttl, built.defaults.terms.ttl);
  EXPECT_EQ(loaded.defaults.terms.reduce_only_ttl, built.defaults.terms.reduce_only_ttl);
  EXPECT_EQ(loaded.defaults.terms.stop_loss_percent, built.defaults.terms.stop_loss_percent);
  EXPECT_EQ(loaded.defaults.terms.take_profit_percent, built.defaults.terms.take_profit_percent);
  EXPECT_EQ(loaded.paused, built.paused);
}

// --- What follows from several settings --------------------------------------------------------

TEST(SettingsDerived, FollowFromSeveralSettings) {
  using std::chrono::seconds;
  const auto settings = test::configured({{"NATS_PUBLISHER_TOPIC", "orders.{strategy}"},
                                          {"ORDER_LOG_TOPIC", "log"},
                                          {"SIGNAL_COOLDOWN_SECONDS", "7"},
                                          {"ORDER_TTL_SECONDS", "40"},
                                          {"ORDER_ACK_TIMEOUT_MS", "250"},
                                          {"ORDER_FORMAT", "signal"},
                                          {"TRADING_ENABLE_SHORTS", "false"},
                                          {"LOG_LEVEL", "ERROR"},
                                          {"DEBUG_MODE", "true"},
                                          {"ENVIRONMENT", "staging"}})
                            .settings;
  EXPECT_EQ(settings.stream.subject, "log");
  EXPECT_EQ(settings.stream.forward_topic, "orders.{strategy}");
  EXPECT_EQ(settings.stream.cooldown, seconds(7));
  EXPECT_EQ(settings.stream.order_life, seconds(40));
  EXPECT_EQ(settings.delivery.breaker.probe_timeout, std::chrono::milliseconds(1250));
  EXPECT_EQ(settings.log.level, LogLevel::debug);
  EXPECT_FALSE(settings.engine.refuse_simulation);
  for (const char* symbol : {"BTCUSDT", "ADAUSDT"}) {
    EXPECT_EQ(settings.engine.of(*Symbol::from(symbol)).terms.sells, Sells::refused) << symbol;
  }
  EXPECT_TRUE(test::configured({{"ENVIRONMENT", "Production"}}).settings.engine.refuse_simulation);
}

TEST(SettingsDerived, AProbeThroughTheOrderLogIsWaitedForAsLongAsAnOrderLives) {
  const auto settings = test::configured({{"ORDER_DELIVERY", "jetstream"},
                                          {"ORDER_TTL_SECONDS", "40"},
                                          {"ORDER_ACK_TIMEOUT_MS", "250"}})
                            .settings;
  EXPECT_EQ(settings.delivery.breaker.probe_timeout, std::chrono::milliseconds(41'250));
}

// Else two replicas could have one id stored twice, two hours apart.
TEST(SettingsDerived, TheStreamRemembersForTheLongestCooldownOfAnySymbol) {
  const auto settings = test::configured({{"SIGNAL_COOLDOWN_SECONDS", "900"},
                                          {"SIGNAL_COOLDOWN_SECONDS__ETHUSDT", "60"},
                                          {"SIGNAL_COOLDOWN_SECONDS__BTCUSDT", "7200"}})
                            .settings;
  EXPECT_EQ(settings.stream.cooldown, std::chrono::seconds(7200));
}

// --- Ranges -------------------------------------------------------------------------------------

struct Range {
  const char* name;
  std::vector<const char*> inside, outside;
};

// SPEC §5's ranges, written out, so that a wrong range in the code is seen.
std::vector<Range> spec_ranges() {
  const char* const tiny = "1e-300";
  return {
      {"TRADING_LEVERAGE", {"1", "125"}, {"0", "126", "-1", "1.5", "", "x", "1 "}},
      {"TRADING_ORDER_NOTIONAL", {tiny, "1e9"}, {"0", "-1", "", "inf", "nan", "1e999"}},
      {"TRADING_MIN_POSITION_SIZE", {tiny, "1000"}, {"0", "-0.1"}},
      {"TRADING_MAX_POSITION_SIZE", {"10", "1e12"}, {"0", "-1"}},
      {"TRADING_QUANTITY_STEP",
       {"0.001", "1", "10.50", "0.000000000000000001"},
       {"0", "0.000", "-1", "1e-3", ".5", "5.", "", "+1", "1,5"}},
      {"TRADING_QUANTITY_STEPS",
       {"", "BTCUSDT:1", "a:0.1, b:2"},
       {"BTCUSDT", "BTCUSDT:0", "BTCUSDT:-1", ":1", "BTCUSDT:1,", "BTCUSDT:1,,ETHUSDT:1"}},
      {"TRADING_QUOTE_ASSETS", {"USDT", "usdt, USDC"}, {"", "USDT,", "US DT", "*"}},
      {"TRADING_MIN_NOTIONALS",
       {"", "BTCUSDT:100", "a:0.1, b:2"},
       {"BTCUSDT", "BTCUSDT:0", "BTCUSDT:-1", ":1", "BTCUSDT:1,", "BTCUSDT:1e3"}},
      {"TRADING_INSTRUMENTS_FILE", {"", "/etc/exchangeInfo.json"}, {"a\nb"}},
      {"ORDERBOOK_SKEW_TOP_LEVELS", {"1", "20"}, {"0", "21", "-5"}},
      {"ORDERBOOK_SKEW_BUY_THRESHOLD", {tiny, "1000"}, {"0", "-1"}},
      {"ORDERBOOK_SKEW_SELL_THRESHOLD", {tiny, "1"}, {"0", "-1"}},
      {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", {"0", "50"}, {"-0.0001"}},
      {"ORDERBOOK_SKEW_MAX_SPREAD_PERCENT", {"0", "50"}, {"-0.0001"}},
      {"TRADE_MOMENTUM_PRICE_WEIGHT", {"0", "1"}, {"-0.0001", "1.0001"}},
      {"TRADE_MOMENTUM_QUANTITY_WEIGHT", {"0", "1"}, {"-0.0001", "1.0001"}},
      {"TRADE_MOMENTUM_MAKER_WEIGHT", {"0", "1"}, {"-0.0001", "1.0001"}},
      {"TRADE_MOMENTUM_BUY_THRESHOLD", {"-1", "1"}, {"-1.0001", "1.0001"}},
      {"TRADE_MOMENTUM_SELL_THRESHOLD", {"-1", "1"}, {"-1.0001", "1.0001"}},
      {"TRADE_MOMENTUM_MIN_QUANTITY", {"0", "1000"}, {"-0.0001"}},
      {"TRADE_MOMENTUM_WINDOW", {"2", "10000"}, {"1", "10001", "0", "2.5"}},
      {"TRADE_MOMENTUM_MAX_GAP_SECONDS", {"0", "86400"}, {"-1", "86401", "1.5"}},
      {"TRADE_MOMENTUM_PRICE_SCALE_PERCENT", {tiny, "100"}, {"0", "-1"}},
      {"TRADE_MOMENTUM_QUANTITY_MULTIPLE", {tiny, "100"}, {"0", "-1"}},
      {"TICKER_VELOCITY_TIME_WINDOW", {"1", "3600"}, {"0", "3601", "60s"}},
      {"TICKER_VELOCITY_BUY_THRESHOLD", {"-1000", "1000"}, {"nan", "inf", ""}},
      {"TICKER_VELOCITY_SELL_THRESHOLD", {"-1000", "1000"}, {"nan", "-inf", ""}},
      {"TICKER_VELOCITY_MIN_PRICE_CHANGE", {"0", "50"}, {"-0.0001"}},
      {"SIGNAL_COOLDOWN_SECONDS", {"0", "86400"}, {"-1", "86401"}},
      {"SIGNAL_MIN_CONFIDENCE", {"0", "1"}, {"-0.0001", "1.0001"}},
      {"RISK_MAX_DAILY_SIGNALS", {"0", "1000000"}, {"-1", "0.5"}},
      {"RISK_MAX_ORDERS_PER_MINUTE", {"0", "1000000"}, {"-1", "0.5"}},
      {"RISK_PRICE_BAND_PERCENT", {"0", "99.9"}, {"-0.0001"}},
      {"RISK_STOP_LOSS_PERCENT", {tiny, "99.999"}, {"0", "100", "-1"}},
      {"RISK_TAKE_PROFIT_PERCENT", {tiny, "99.999"}, {"0", "100", "-1"}},
      {"ORDER_FORMAT", {"trade_order", "signal", "SIGNAL"}, {"", "json", "trade_orders"}},
      {"ORDER_DELIVERY", {"core", "jetstream"}, {"", "nats", "at-least-once"}},
      {"ORDER_TTL_SECONDS", {"1", "86400"}, {"0", "86401"}},
      {"ORDER_TTL_REDUCE_ONLY_SECONDS", {"1", "86400"}, {"0", "86401"}},
      {"ORDER_ACK_TIMEOUT_MS", {"10", "60000"}, {"9", "60001"}},
      {"ORDER_SILENCE_LIMIT", {"0", "1000"}, {"-1", "1001"}},
      {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", {"1", "1000"}, {"0", "-1"}},
      {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", {"1", "3600"}, {"0", "-1"}},
      {"MESSAGE_TTL_SECONDS", {"0", "86400"}, {"-1"}},
      {"HEALTH_CHECK_PORT", {"1", "65535"}, {"-1", "65536", "http"}},
      {"HEALTH_CHECK_HOST", {"127.0.0.1", "::"}, {""}},
      {"LOG_LEVEL", {"DEBUG", "info", "Warning", "warn", "ERROR"}, {"", "LOUD"}},
      {"LOG_FORMAT", {"auto", "json", "text"}, {"", "xml"}},
      {"ENVIRONMENT", {"staging"}, {""}},
      {"TRADING_SYMBOLS",
       {"*", "BTCUSDT", "btcusdt, ETHUSDT", "牛来USDT"},
       {"", ",", "BTCUSDT,", "A,,B"}},
      {"NATS_CONSUMER_NAME", {"x"}, {""}},
      {"NATS_JETSTREAM_DOMAIN", {"", "hub", "eu-1"}, {"a.b", "*", ">", "a b"}},
      {"ORDER_LOG_TOPIC",
       {"log", "orders.intents"},
       {"", "a.*", "a.>", "a..b", "a b", "a.{strategy}", "a.}"}},
      {"CONTROL_BUCKET",
       {"", "realtime-strategies", "A_1"},
       {"a.b", "a b", "*", ">", "a/b", "\xE7\x89\x9B"}},
      {"NATS_CONSUMER_GROUP", {"", "group"}, {}},
  };
}

TEST(SettingsRanges, AcceptWhatTheSpecificationAccepts) {
  for (const Range& range : spec_ranges()) {
    for (const char* value : range.inside) {
      EXPECT_FALSE(refuses(range.name, value)) << range.name << "=" << value;
    }
  }
}

TEST(SettingsRanges, RefuseWhatTheSpecificationRefuses) {
  for (const Range& range : spec_ranges()) {
    for (const char* value : range.outside) {
      EXPECT_TRUE(refuses(range.name, value)) << range.name << "='" << value << "'";
    }
  }
}

TEST(SettingsRanges, StandWhereTheTableSaysOnBothSides) {
  for (const Setting& setting : table()) {
    const test::SettingEdges edges = test::edges_of(setting);
    EXPECT_FALSE(edges.inside.empty()) << setting.name;
    for (const auto& value : edges.inside) {
      EXPECT_FALSE(refuses(setting.name, value)) << setting.name << "=" << value;
    }
    for (const auto& value : edges.outside) {
      EXPECT_TRUE(refuses(setting.name, value)) << setting.name << "='" << value << "'";
    }
  }
}

TEST(SettingsRanges, AreSaidWithNameValueAndDefault) {
  EXPECT_THAT(problems_of(given({{"TRADING_LEVERAGE", "126"}})),
              ElementsAre("TRADING_LEVERAGE='126': not accepted; give a whole number from 1 to 125 "
                          "(default: 1)."));
}

struct Subject {
  const char* text;
  bool publish, consume;
};
constexpr Subject kSubjects[] = {
    {"orders", true, true},
    {"a.b.c", true, true},
    {"orders.>", false, true},
    {"orders.*", false, true},
    {"*", false, true},
    {">", false, true},
    {"a.*.c", false, true},
    {"a>b", false, true},
    {"a.>.c", false, false},
    {"", false, false},
    {".a", false, false},
    {"a.", false, false},
    {"a..b", false, false},
    {".", false, false},
    {"a b", false, false},
    {" a", false, false},
    {"a\t", false, false},
    {"a\nb", false, false},
    {"orders-\xE7\x89\x9B", true, true},
    {"a.{strategy}", true, true},
    {"{strategy}", true, true},
    {"a.{strategy}.b", true, true},
    {"a.{strategy}s", false, true},
    {"a.{Strategy}", false, true},
    {"a.{symbol}", false, true},
    {"{strategy}.{strategy}", false, true},
    {"a.{strategy", false, true},
};

TEST(SettingsSubjects, PublishingTakesNoWildcardWhitespaceOrEmptyToken) {
  for (const Subject& subject : kSubjects) {
    EXPECT_EQ(!refuses("NATS_PUBLISHER_TOPIC", subject.text), subject.publish) << subject.text;
    EXPECT_EQ(!refuses("NATS_CONSUMER_TOPIC", subject.text), subject.consume) << subject.text;
  }
}

// --- Rules across settings ----------------------------------------------------------------------

struct Across {
  std::vector<Given> environment;
  const char* problem;  // begins so; null: accepted
};

std::vector<Across> across() {
  const auto weights = [](const char* price, const char* quantity, const char* maker) {
    return given({{"TRADE_MOMENTUM_PRICE_WEIGHT", price},
                  {"TRADE_MOMENTUM_QUANTITY_WEIGHT", quantity},
                  {"TRADE_MOMENTUM_MAKER_WEIGHT", maker}});
  };
  const auto thresholds = [](const char* family, const char* sell, const char* buy) {
    return std::vector<Given>{{fmt::format("{}_SELL_THRESHOLD", family), sell},
                              {fmt::format("{}_BUY_THRESHOLD", family), buy}};
  };
  const auto sizes = [](const char* minimum, const char* maximum) {
    return given({{"TRADING_MIN_POSITION_SIZE", minimum}, {"TRADING_MAX_POSITION_SIZE", maximum}});
  };
  const char* const weight = "TRADE_MOMENTUM_PRICE_WEIGHT";
  return {
      {weights("0.4", "0.3", "0.3"), nullptr},
      {weights("0.4", "0.3", "0.301"), nullptr},
      {weights("0.4", "0.3", "0.299"), nullptr},
      {weights("0.4", "0.3", "0.30101"), weight},
      {weights("0.4", "0.3", "0.29899"), weight},
      {weights("1", "0", "0"), nullptr},
      {weights("0", "0", "0"), weight},
      {weights("1", "1", "1"), weight},
      {thresholds("ORDERBOOK_SKEW", "1", "1.0000001"), nullptr},
      {thresholds("ORDERBOOK_SKEW", "1", "1"), "ORDERBOOK_SKEW_SELL_THRESHOLD="},
      {thresholds("ORDERBOOK_SKEW", "1.2", "0.8"), "ORDERBOOK_SKEW_SELL_THRESHOLD="},
      {thresholds("TRADE_MOMENTUM", "-0.0001", "0"), nullptr},
      {thresholds("TRADE_MOMENTUM", "0", "0"), "TRADE_MOMENTUM_SELL_THRESHOLD="},
      {thresholds("TICKER_VELOCITY", "2", "2.5"), nullptr},
      {thresholds("TICKER_VELOCITY", "2.5", "2.5"), "TICKER_VELOCITY_SELL_THRESHOLD="},
      {sizes("100", "100"), nullptr},
      {sizes("100.0001", "100"), "TRADING_MIN_POSITION_SIZE="},
  };
}

TEST(SettingsAcross, AreHeldExactlyAtTheirBoundaries) {
  for (const Across& row : across()) {
    std::string what;
    for (const Given& item : row.environment) what += item.name + "=" + item.value + " ";
    const Problems problems = problems_of(row.environment);
    if (row.problem == nullptr) {
      EXPECT_THAT(problems, IsEmpty()) << what;
    } else {
      EXPECT_THAT(problems, ElementsAre(StartsWith(row.problem))) << what;
    }
  }
}

// --- Loading ------------------------------------------------------------------------------------

TEST(SettingsLoading, PrefersFlagsToTheEnvironmentToDefaults) {
  const std::vector<Given> environment = given({{"TRADING_LEVERAGE", "2"}, {"LOG_LEVEL", "ERROR"}});
  const auto loaded = load(environment, given({{"TRADING_LEVERAGE", "3"}}));
  ASSERT_TRUE(loaded);
  const Configuration& configuration = loaded.value();
  EXPECT_EQ(configuration.settings.engine.defaults.terms.leverage, 3);
  EXPECT_EQ(configuration.settings.log.level, LogLevel::error);
  EXPECT_EQ(configuration.settings.log.format, LogFormat::automatic);
  EXPECT_EQ(to_string(configuration.values[index_of("TRADING_LEVERAGE")].origin), "flag");
  EXPECT_EQ(to_string(configuration.values[index_of("LOG_LEVEL")].origin), "environment");
  EXPECT_EQ(to_string(configuration.values[index_of("LOG_FORMAT")].origin), "default");
}

TEST(SettingsLoading, AGoodFlagHealsABadVariable) {
  EXPECT_THAT(problems_of(given({{"TRADING_LEVERAGE", "0"}}), given({{"TRADING_LEVERAGE", "3"}})),
              IsEmpty());
}

TEST(SettingsLoading, SaysEverythingThatIsWrongAtOnce) {
  const Problems problems = problems_of(
      given({{"TRADING_LEVERAGE", "0"}, {"NATS_URL", "http://x"}, {"TRADING_LEVERGE", "1"}}),
      given({{"LOG_LEVEL", "LOUD"}}));
  EXPECT_THAT(problems, testing::UnorderedElementsAre(StartsWith("TRADING_LEVERAGE='0'"),
                                                      StartsWith("NATS_URL=***"),
                                                      StartsWith("TRADING_LEVERGE: unknown"),
                                                      StartsWith("LOG_LEVEL='LOUD'")));
}

TEST(SettingsLoading, ReportsEveryRowOfTheTableWhenAllAreWrong) {
  std::vector<Given> environment;
  for (const Setting& setting : table()) {
    if (!refuses(setting.name, "\x01,")) continue;  // some texts accept anything
    environment.push_back({std::string(setting.name), "\x01,"});
  }
  EXPECT_GT(environment.size(), 50U);
  EXPECT_EQ(problems_of(environment).size(), environment.size());
}

TEST(SettingsLoading, PassesOverNamesThatAreNotOurs) {
  EXPECT_THAT(problems_of(given({{"PATH", "/bin"}, {"HOME", ""}, {"natsurl", "x"}, {"", "x"}})),
              IsEmpty());
}

struct Misspelt {
  const char* name;
  const char* nearest;
};
constexpr Misspelt kMisspelt[] = {
    {"TRADING_LEVERGE", "TRADING_LEVERAGE"},
    {"TRADING_SYMBOL", "TRADING_SYMBOLS"},
    {"NATS_URLS", "NATS_URL"},
    {"RISK_STOPLOSS_PERCENT", "RISK_STOP_LOSS_PERCENT"},
    {"SIGNAL_COOLDOWN", "SIGNAL_COOLDOWN_SECONDS"},
    {"ORDER_FORMATT", "ORDER_FORMAT"},
    {"STRATEGY_ENABLED_ORDERBOOK_SKEWS", "STRATEGY_ENABLED_ORDERBOOK_SKEW"},
    {"MESSAGE_TTL_SECOND", "MESSAGE_TTL_SECONDS"},
    {"HEALTH_CHECK_PROT", "HEALTH_CHECK_PORT"},
    {"SHUTDOWN_TIMEOUT", "SHUTDOWN_TIMEOUT_SECONDS"},
    {"CIRCUIT_BREAKER_THRESHOLD", "CIRCUIT_BREAKER_FAILURE_THRESHOLD"},
};

TEST(SettingsUnknown, AreRefusedWithTheNearestName) {
  for (const auto& [name, nearest] : kMisspelt) {
    EXPECT_THAT(problems_of(given({{name, "1"}})),
                ElementsAre(AllOf(StartsWith(std::string(name) + ": unknown"),
                                  HasSubstr(std::string("did you mean ") + nearest + "?"))));
  }
}

TEST(SettingsUnknown, AreWarningsWhenUnknownNamesAreAllowed) {
  const auto configuration =
      test::configured({{"TRADING_LEVERGE", "1"}, {"ALLOW_UNKNOWN_ENV", "true"}});
  EXPECT_THAT(configuration.warnings, ElementsAre(HasSubstr("did you mean TRADING_LEVERAGE?")));
}

TEST(SettingsUnknown, NeverQuoteTheirValue) {
  EXPECT_THAT(problems_of(given({{"NATS_PASSWRD", "canary"}})),
              ElementsAre(Not(HasSubstr("canary"))));
}

TEST(SettingsUnknown, ExceptWhatKubernetesSetsForServices) {
  for (const char* name :
       {"NATS_SERVICE_HOST", "NATS_SERVICE_PORT", "NATS_SERVICE_PORT_CLIENT", "NATS_PORT",
        "NATS_PORT_4222_TCP", "NATS_PORT_4222_TCP_ADDR", "NATS_PORT_4222_TCP_PORT",
        "NATS_PORT_4222_TCP_PROTO", "NATS_PORT_4222_UDP", "ORDER_BOOK_SERVICE_HOST",
        "TRADING_ENGINE_PORT_8080_TCP", "SIGNAL_HUB_PORT_9_SCTP_ADDR"}) {
    EXPECT_THAT(problems_of(given({{name, "tcp://10.0.0.1:4222"}})), IsEmpty()) << name;
  }
  for (const char* name : {"NATS_PORTS", "NATS_PORT_TCP", "NATS_PORT_4222", "NATS_SERVICE"}) {
    EXPECT_THAT(problems_of(given({{name, "x"}})), testing::SizeIs(1)) << name;
  }
}

// --- Credentials --------------------------------------------------------------------------------

// What has to be set along with a setting.
constexpr std::pair<const char*, const char*> kPartners[] = {
    {"NATS_USER", "NATS_PASSWORD"},
    {"NATS_USER_FILE", "NATS_PASSWORD"},
    {"NATS_PASSWORD", "NATS_USER"},
    {"NATS_PASSWORD_FILE", "NATS_USER"},
    {"NATS_TLS_CERT_FILE", "NATS_TLS_KEY_FILE"},
    {"NATS_TLS_KEY_FILE", "NATS_TLS_CERT_FILE"}};

struct Login {
  std::vector<const char*> names;     // each set to "canary"
  std::vector<const char*> problems;  // each begins so
};

const std::vector<Login>& logins() {
  static const std::vector<Login> rows{
      {{}, {}},
      {{"NATS_USER", "NATS_PASSWORD"}, {}},
      {{"NATS_USER_FILE", "NATS_PASSWORD"}, {}},
      {{"NATS_USER", "NATS_PASSWORD_FILE"}, {}},
      {{"NATS_USER_FILE", "NATS_PASSWORD_FILE"}, {}},
      {{"NATS_TOKEN"}, {}},
      {{"NATS_TOKEN_FILE"}, {}},
      {{"NATS_CREDS_FILE"}, {}},
      {{"NATS_NKEY_SEED_FILE"}, {}},
      {{"NATS_TLS_CA_FILE"}, {}},
      {{"NATS_TLS_CERT_FILE", "NATS_TLS_KEY_FILE"}, {}},
      {{"NATS_TOKEN", "NATS_TLS_CA_FILE", "NATS_TLS_CERT_FILE", "NATS_TLS_KEY_FILE"}, {}},
      {{"NATS_USER"}, {"NATS_USER or NATS_USER_FILE: given without NATS_PASSWORD"}},
      {{"NATS_USER_FILE"}, {"NATS_USER or NATS_USER_FILE: given without NATS_PASSWORD"}},
      {{"NATS_PASSWORD"}, {"NATS_PASSWORD or NATS_PASSWORD_FILE: given without NATS_USER"}},
      {{"NATS_PASSWORD_FILE"}, {"NATS_PASSWORD or NATS_PASSWORD_FILE: given without NATS_USER"}},
      {{"NATS_TLS_CERT_FILE"}, {"NATS_TLS_CERT_FILE: given without NATS_TLS_KEY_FILE"}},
      {{"NATS_TLS_KEY_FILE"}, {"NATS_TLS_KEY_FILE: given without NATS_TLS_CERT_FILE"}},
      {{"NATS_USER", "NATS_USER_FILE", "NATS_PASSWORD"}, {"NATS_USER: set together"}},
      {{"NATS_USER", "NATS_PASSWORD", "NATS_PASSWORD_FILE"}, {"NATS_PASSWORD: set together"}},
      {{"NATS_TOKEN", "NATS_TOKEN_FILE"}, {"NATS_TOKEN: set together"}},
      {{"NATS_USER", "NATS_PASSWORD", "NATS_TOKEN"},
       {"NATS_USER with NATS_PASSWORD, NATS_TOKEN: more than one way"}},
      {{"NATS_TOKEN_FILE", "NATS_CREDS_FILE"}, {"NATS_TOKEN, NATS_CREDS_FILE: more than one way"}},
      {{"NATS_CREDS_FILE", "NATS_NKEY_SEED_FILE"},
       {"NATS_CREDS_FILE, NATS_NKEY_SEED_FILE: more than one way"}},
      {{"NATS_USER_FILE", "NATS_TOKEN", "NATS_TOKEN_FILE", "NATS_TLS_KEY_FILE"},
       {"NATS_USER or NATS_USER_FILE: given without", "NATS_TOKEN: set together",
        "NATS_TLS_KEY_FILE: given without", "NATS_USER with NATS_PASSWORD, NATS_TOKEN: more"}}};
  return rows;
}

TEST(SettingsCredentials, AreSaidOnceAndWhollyAndOnlyTheirNamesAreQuoted) {
  for (const Login& row : logins()) {
    std::vector<Given> environment;
    for (const char* name : row.names) environment.push_back({name, "canary"});
    SCOPED_TRACE(testing::PrintToString(row.names));
    const Problems problems = problems_of(environment);
    ASSERT_EQ(problems.size(), row.problems.size()) << testing::PrintToString(problems);
    for (const char* problem : row.problems) {
      EXPECT_THAT(problems, testing::Contains(StartsWith(problem)));
    }
    EXPECT_THAT(problems, Each(Not(HasSubstr("canary"))));
  }
}

TEST(SettingsCredentials, ThatAreRefusedAreNotAlsoMissing) {
  EXPECT_THAT(
      problems_of(given({{"NATS_USER", "u"}, {"NATS_PASSWORD", "a\"canary"}})),
      ElementsAre(AllOf(StartsWith("NATS_PASSWORD=***: not accepted"), Not(HasSubstr("canary")))));
}

TEST(SettingsCredentials, InFilesAreNotLookedForWhenSettingsAreLoaded) {
  EXPECT_THAT(problems_of(given({{"NATS_CREDS_FILE", "/does/not/exist"}})), IsEmpty());
}

// --- Secrets ------------------------------------------------------------------------------------

// Everything anyone may ever see of a configuration.
std::string shown(const std::vector<Given>& environment) {
  std::string text;
  const auto loaded = load(environment, {});
  if (!loaded) {
    for (const std::string& problem : loaded.error()) text += problem + "\n";
    return text;
  }
  for (const std::string& warning : loaded.value().warnings) text += warning + "\n";
  for (const Value& value : loaded.value().values) text += value.text + "\n";
  for (const Format format :
       {Format::text, Format::json, Format::env, Format::markdown, Format::configmap}) {
    text += render(loaded.value(), format);
  }
  return text;
}

TEST(SettingsSecrets, AreNeverShown) {
  int secrets = 0;
  for (const Setting& setting : table()) {
    if (!setting.is_secret()) continue;
    ++secrets;
    const Given secret{std::string(setting.name), "canary"};
    EXPECT_THAT(shown({secret}), Not(HasSubstr("canary"))) << setting.name;
    EXPECT_THAT(shown({secret, {"TRADING_LEVERAGE", "0"}}), Not(HasSubstr("canary")))
        << setting.name;
    EXPECT_THAT(shown({secret, {"TRADING_MIN_POSITION_SIZE", "5000"}}), Not(HasSubstr("canary")))
        << setting.name;
  }
  EXPECT_EQ(secrets, 11);
}

TEST(SettingsSecrets, AreShownAsStarsWhenTheyAreSetAndEmptyWhenTheyAreNot) {
  for (const Setting& setting : table()) {
    if (!setting.is_secret()) continue;
    std::vector<Given> environment{{std::string(setting.name), "canary"}};
    for (const auto& [name, partner] : kPartners) {
      if (setting.name == name) environment.push_back({partner, "x"});
    }
    const Configuration set = test::configured(environment);
    EXPECT_EQ(set.values[index_of(setting.name)].text, "***") << setting.name;
    EXPECT_TRUE(set.values[index_of(setting.name)].redacted) << setting.name;
    const Configuration unset = test::configured({});
    EXPECT_EQ(unset.values[index_of(setting.name)].text, "") << setting.name;
    EXPECT_FALSE(unset.values[index_of(setting.name)].redacted) << setting.name;
    EXPECT_THAT(render(set, Format::text),
                testing::ContainsRegex(std::string(setting.name) + " +[*][*][*] +environment"));
    EXPECT_THAT(
        render(set, Format::json),
        HasSubstr(fmt::format(R"("{}":{{"value":"***","origin":"environment"}})", setting.name)));
    for (const Format format : {Format::env, Format::configmap}) {
      EXPECT_THAT(render(set, format), Not(HasSubstr(std::string(setting.name) + "=")));
      EXPECT_THAT(render(set, format), Not(HasSubstr(std::string(setting.name) + ":")));
    }
  }
}

TEST(SettingsSecrets, ReachTheirMemberAsTheyWereGiven) {
  const struct {
    const char* name;
    const Secret& (*member)(const Credentials&);
  } rows[] = {
      {"NATS_USER", [](const Credentials& c) -> const Secret& { return c.user.value; }},
      {"NATS_USER_FILE", [](const Credentials& c) -> const Secret& { return c.user.file; }},
      {"NATS_PASSWORD", [](const Credentials& c) -> const Secret& { return c.password.value; }},
      {"NATS_PASSWORD_FILE", [](const Credentials& c) -> const Secret& { return c.password.file; }},
      {"NATS_TOKEN", [](const Credentials& c) -> const Secret& { return c.token.value; }},
      {"NATS_TOKEN_FILE", [](const Credentials& c) -> const Secret& { return c.token.file; }},
      {"NATS_CREDS_FILE", [](const Credentials& c) -> const Secret& { return c.creds_file; }},
      {"NATS_NKEY_SEED_FILE",
       [](const Credentials& c) -> const Secret& { return c.nkey_seed_file; }},
      {"NATS_TLS_CA_FILE", [](const Credentials& c) -> const Secret& { return c.tls_ca_file; }},
      {"NATS_TLS_CERT_FILE", [](const Credentials& c) -> const Secret& { return c.tls_cert_file; }},
      {"NATS_TLS_KEY_FILE", [](const Credentials& c) -> const Secret& { return c.tls_key_file; }},
  };
  for (const auto& row : rows) {
    std::vector<Given> environment{{row.name, "/a canary"}};
    for (const auto& [name, partner] : kPartners) {
      if (row.name == std::string_view(name)) environment.push_back({partner, "x"});
    }
    const Configuration configuration = test::configured(environment);
    EXPECT_EQ(row.member(configuration.settings.broker.credentials).reveal(), "/a canary")
        << row.name;
  }
}

constexpr const char* kUrlsWithSecrets[] = {
    "nats://user:canary@host:4222",
    "nats://canary@host",
    "tls://canary:x@host:4222",
    "canary@host",
    "user:canary@host:4222",
    "nats://user:canary@canary@host:4222",
    "nats://user:can/canary@host:4222",
    "nats://user:canary://canary@host:4222",
    "nats://user:c%40canary@host",
    "nats://user:canary@host:4222,tls://other:canary@second:4222",
    "nats://plain:4222, nats://user:canary@second",
    "http://user:canary@host",
    "NATS://user:canary@host",
    "nats://user:canary@host:99999",
    "nats://user:canary@",
    "nats://user:canary @host",
    "nats:/user:canary@host",
    "nats://user:canary@host:4222,",
    "nats://user:canary@[::1]:4222",
};

TEST(SettingsSecrets, InUrlsAreNeverShown) {
  for (const char* url : kUrlsWithSecrets) {
    EXPECT_THAT(shown(given({{"NATS_URL", url}})), Not(HasSubstr("canary"))) << url;
    EXPECT_THAT(shown(given({{"NATS_URL", url}, {"TRADING_LEVERAGE", "0"}})),
                Not(HasSubstr("canary")))
        << url;
  }
}

TEST(SettingsSecrets, InUrlsAreReplacedByStarsAndTheRestStays) {
  EXPECT_EQ(without_userinfo("nats://user:pass@host:4222"), "nats://***@host:4222");
  EXPECT_EQ(without_userinfo("nats://a:1,tls://t@b:2"), "nats://a:1,tls://***@b:2");
  EXPECT_EQ(without_userinfo("host:4222"), "host:4222");
}

}  // namespace
}  // namespace rts::config
