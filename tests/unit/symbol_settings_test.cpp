// Settings of single symbols, NAME__SYMBOL: which there are, that they are held to the same rules,
// which value counts, and that they are shown wherever settings are.
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <rts/config/render.hpp>
#include <rts/config/settings.hpp>

#include "commands/command_line.hpp"
#include "support/engine_run.hpp"
#include "support/setting_edges.hpp"

namespace rts::config {
namespace {

using test::configured;
using test::given;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Problems problems_of(const std::vector<Given>& environment, const std::vector<Given>& flags = {}) {
  const auto loaded = load(environment, flags);
  return loaded ? Problems{} : loaded.error();
}

std::string for_btc(const Setting& setting) { return std::string(setting.name) + "__BTCUSDT"; }

const SymbolParameters& values_of(const Configuration& configuration, std::string_view symbol) {
  return configuration.settings.engine.of(*Symbol::from(symbol));
}

// SPEC §5: "every setting of the three strategies, SIGNAL_*, RISK_STOP_LOSS_PERCENT,
// RISK_TAKE_PROFIT_PERCENT and TRADING_ORDER_NOTIONAL".
bool specified_per_symbol(const Setting& setting) {
  const std::string_view name = setting.name;
  return setting.group == Group::orderbook_skew || setting.group == Group::trade_momentum ||
         setting.group == Group::ticker_velocity || name.starts_with("SIGNAL_") ||
         name == "RISK_STOP_LOSS_PERCENT" || name == "RISK_TAKE_PROFIT_PERCENT" ||
         name == "TRADING_ORDER_NOTIONAL";
}

TEST(SymbolSettings, AreThoseOfTheSpecification) {
  for (const Setting& setting : table()) {
    EXPECT_EQ(setting.per_symbol, specified_per_symbol(setting)) << setting.name;
  }
}

TEST(SymbolSettings, AreHeldToTheRangesOfTheirSetting) {
  for (const Setting& setting : table()) {
    if (!setting.per_symbol) continue;
    const std::string name = for_btc(setting);
    for (const std::string& value : test::edges_of(setting).outside) {
      EXPECT_THAT(problems_of({{name, value}}),
                  testing::Contains(StartsWith(name + "='" + value + "': not accepted; give " +
                                               accepted_values(setting))));
    }
    for (const std::string& value : test::edges_of(setting).inside) {
      EXPECT_THAT(problems_of({{name, value}}), Not(testing::Contains(HasSubstr("not accepted"))))
          << name << "=" << value;
    }
  }
}

TEST(SymbolSettings, OfOtherRowsAreNone) {
  for (const Setting& setting : table()) {
    if (setting.per_symbol) continue;
    EXPECT_THAT(problems_of({{for_btc(setting), setting.default_text()}}),
                ElementsAre(HasSubstr(fmt::format("{}: {} is the same for all symbols",
                                                  for_btc(setting), setting.name))));
  }
}

TEST(SymbolSettings, CountForTheirSymbolAndForNoOther) {
  const auto configuration = configured({{"TRADING_ORDER_NOTIONAL", "200"},
                                         {"TRADING_ORDER_NOTIONAL__BTCUSDT", "50"},
                                         {"SIGNAL_COOLDOWN_SECONDS__BTCUSDT", "7"},
                                         {"STRATEGY_ENABLED_TICKER_VELOCITY__ETHUSDT", "false"}});
  const SymbolParameters& btc = values_of(configuration, "BTCUSDT");
  EXPECT_EQ(btc.terms.size.order.value(), 50);
  EXPECT_EQ(btc.terms.cooldown.count(), 7);
  EXPECT_TRUE(btc.enabled[rts::index_of(StrategyId::ticker_velocity)]);
  const SymbolParameters& eth = values_of(configuration, "ETHUSDT");
  EXPECT_EQ(eth.terms.size.order.value(), 200);
  EXPECT_EQ(eth.terms.cooldown.count(), 900);
  EXPECT_FALSE(eth.enabled[rts::index_of(StrategyId::ticker_velocity)]);
  EXPECT_EQ(configuration.settings.engine.defaults.terms.size.order.value(), 200);
  const SymbolParameters& bnb = values_of(configuration, "BNBUSDT");
  EXPECT_EQ(bnb.terms.size.order.value(), 200);
  EXPECT_EQ(bnb.terms.cooldown.count(), 900);
  EXPECT_TRUE(bnb.enabled[rts::index_of(StrategyId::ticker_velocity)]);
}

TEST(SymbolSettings, AreOfASymbolInAnyCaseAndAlphabet) {
  const auto configuration = configured({{"TRADING_SYMBOLS", "btcusdt,牛来USDT"},
                                         {"TRADING_QUANTITY_STEPS", "牛来usdt:1"},
                                         {"TRADING_ORDER_NOTIONAL__btcUsdt", "50"},
                                         {"TRADING_ORDER_NOTIONAL__牛来usdt", "60"}});
  EXPECT_EQ(values_of(configuration, "BTCUSDT").terms.size.order.value(), 50);
  EXPECT_EQ(values_of(configuration, "牛来USDT").terms.size.order.value(), 60);
}

TEST(SymbolSettings, OfNoSymbolAreRefused) {
  for (const char* symbol : {"", "A B", "BTC/USDT", "BTC\"", "'BTC'", "*", "A\tB"}) {
    const std::string name = std::string("TRADING_ORDER_NOTIONAL__") + symbol;
    EXPECT_THAT(problems_of({{name, "50"}}), ElementsAre(HasSubstr("is no symbol"))) << name;
  }
}

TEST(SymbolSettings, GivenTwiceInDifferentCasesAreRefused) {
  EXPECT_THAT(problems_of(given({{"TRADING_ORDER_NOTIONAL__BTCUSDT", "50"},
                                 {"TRADING_ORDER_NOTIONAL__btcusdt", "60"}})),
              ElementsAre(HasSubstr("TRADING_ORDER_NOTIONAL__BTCUSDT is given twice")));
}

TEST(SymbolSettings, BeatTheSettingItselfAndFlagsBeatTheEnvironment) {
  const auto loaded = load(
      given({{"TRADING_ORDER_NOTIONAL__BTCUSDT", "50"}, {"TRADING_ORDER_NOTIONAL__ETHUSDT", "51"}}),
      given({{"TRADING_ORDER_NOTIONAL", "200"}, {"TRADING_ORDER_NOTIONAL__btcusdt", "60"}}));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(values_of(loaded.value(), "BTCUSDT").terms.size.order.value(), 60);
  EXPECT_EQ(values_of(loaded.value(), "ETHUSDT").terms.size.order.value(), 51);
  EXPECT_EQ(values_of(loaded.value(), "BNBUSDT").terms.size.order.value(), 200);
  const auto own = test::own_values(loaded.value());
  ASSERT_EQ(own.size(), 2U);
  EXPECT_EQ(own[0].origin, Origin::flag);
  EXPECT_EQ(own[1].origin, Origin::environment);
}

TEST(SymbolSettings, AreFlagsToo) {
  const std::vector<std::string> words{"check", "--trading-order-notional--btcusdt", "50",
                                       "--ticker-velocity-time-window--ABC_260925USDT=70"};
  const auto flags = commands::parse_command_line(words).settings;
  ASSERT_EQ(flags.size(), 2U);
  EXPECT_EQ(flags[0].name, "TRADING_ORDER_NOTIONAL__btcusdt");
  EXPECT_EQ(flags[1].name, "TICKER_VELOCITY_TIME_WINDOW__ABC_260925USDT");
  const auto loaded = load(given({{"TRADING_SYMBOLS", "*"}}), flags);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(values_of(loaded.value(), "BTCUSDT").terms.size.order.value(), 50);
  EXPECT_EQ(values_of(loaded.value(), "ABC_260925USDT").ticker_velocity.time_window.count(), 70);
}

TEST(SymbolSettings, OfSecretsAreNotTakenAsFlags) {
  const std::vector<std::string> words{"check", "--nats-token--btcusdt", "canary"};
  try {
    static_cast<void>(commands::parse_command_line(words));
    ADD_FAILURE() << "accepted";
  } catch (const commands::CommandError& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("canary")));
  }
}

struct Across {
  std::vector<Given> environment;
  std::vector<const char*> problems;  // parts of them, in their order
};

TEST(SymbolSettings, AreHeldToTheRulesAcrossSettingsWithTheSymbolsOwnValues) {
  const Across rows[] = {
      {given({{"TRADE_MOMENTUM_SELL_THRESHOLD__BTCUSDT", "0.6"}}), {}},
      {given({{"TRADE_MOMENTUM_SELL_THRESHOLD__BTCUSDT", "0.7"}}),
       {"TRADE_MOMENTUM_SELL_THRESHOLD__BTCUSDT=0.7: must be below "
        "TRADE_MOMENTUM_BUY_THRESHOLD=0.7"}},
      {given({{"TRADE_MOMENTUM_SELL_THRESHOLD__BTCUSDT", "0.7"},
              {"TRADE_MOMENTUM_BUY_THRESHOLD__BTCUSDT", "0.8"}}),
       {}},
      {given({{"TRADE_MOMENTUM_SELL_THRESHOLD__BTCUSDT", "0.7"},
              {"TRADE_MOMENTUM_BUY_THRESHOLD__ETHUSDT", "0.8"}}),
       {"TRADE_MOMENTUM_SELL_THRESHOLD__BTCUSDT"}},
      {given({{"ORDERBOOK_SKEW_BUY_THRESHOLD__BTCUSDT", "0.5"}}),
       {"ORDERBOOK_SKEW_SELL_THRESHOLD=0.8: must be below "
        "ORDERBOOK_SKEW_BUY_THRESHOLD__BTCUSDT=0.5"}},
      {given({{"TICKER_VELOCITY_BUY_THRESHOLD__BTCUSDT", "-1"}}),
       {"TICKER_VELOCITY_SELL_THRESHOLD=-0.5: must be below"}},
      {given({{"TRADE_MOMENTUM_PRICE_WEIGHT__BTCUSDT", "0.5"}}),
       {"TRADE_MOMENTUM_PRICE_WEIGHT__BTCUSDT, TRADE_MOMENTUM_QUANTITY_WEIGHT, "
        "TRADE_MOMENTUM_MAKER_WEIGHT: sum to 1.1"}},
      {given({{"TRADE_MOMENTUM_PRICE_WEIGHT__BTCUSDT", "0.5"},
              {"TRADE_MOMENTUM_MAKER_WEIGHT__BTCUSDT", "0.2"}}),
       {}},
      // What is wrong for all is said once, not for each symbol.
      {given({{"TRADE_MOMENTUM_PRICE_WEIGHT", "0.5"}, {"SIGNAL_MIN_CONFIDENCE__BTCUSDT", "0.7"}}),
       {"TRADE_MOMENTUM_PRICE_WEIGHT, "}},
      // What was not accepted is not compared.
      {given({{"TRADE_MOMENTUM_SELL_THRESHOLD__BTCUSDT", "7"}}),
       {"TRADE_MOMENTUM_SELL_THRESHOLD__BTCUSDT='7': not accepted"}},
      {given({{"TRADE_MOMENTUM_SELL_THRESHOLD__BTCUSDT", "0.7"},
              {"TRADE_MOMENTUM_BUY_THRESHOLD", "x"}}),
       {"TRADE_MOMENTUM_BUY_THRESHOLD='x': not accepted"}},
  };
  for (const Across& row : rows) {
    std::string what;
    for (const Given& item : row.environment) what += item.name + "=" + item.value + " ";
    const Problems problems = problems_of(row.environment);
    ASSERT_EQ(problems.size(), row.problems.size()) << what << testing::PrintToString(problems);
    for (std::size_t i = 0; i < problems.size(); ++i) {
      EXPECT_THAT(problems[i], HasSubstr(row.problems[i])) << what;
    }
  }
}

// --- Shown --------------------------------------------------------------------------------------

Configuration two_symbols() {
  return configured({{"TRADING_SYMBOLS", "BTCUSDT,牛来USDT"},
                     {"TRADE_MOMENTUM_WINDOW__BTCUSDT", "50"},
                     {"TRADE_MOMENTUM_WINDOW__牛来USDT", "60"},
                     {"RISK_STOP_LOSS_PERCENT__BTCUSDT", "1.5"}});
}

TEST(SymbolSettings, AreShownAsTextBehindTheirSettingWithTheirOrigin) {
  EXPECT_THAT(render(two_symbols(), Format::text),
              testing::ContainsRegex("TRADE_MOMENTUM_WINDOW +100 +default, live\n"
                                     "TRADE_MOMENTUM_WINDOW__BTCUSDT +50 +environment, live\n"
                                     "TRADE_MOMENTUM_WINDOW__牛来USDT +60 +environment, live\n"));
}

TEST(SymbolSettings, AreMembersOfTheJsonThatInfoShowsToo) {
  const std::string text = render(two_symbols(), Format::json);
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  ASSERT_EQ(parser.parse(text).get(root), simdjson::SUCCESS) << text;
  EXPECT_EQ(root.size(), table().size() + 3);
  std::string_view value;
  ASSERT_EQ(root.at_key("RISK_STOP_LOSS_PERCENT__BTCUSDT").at_key("value").get(value),
            simdjson::SUCCESS);
  EXPECT_EQ(value, "1.5");
  ASSERT_EQ(root.at_key("TRADE_MOMENTUM_WINDOW__牛来USDT").at_key("origin").get(value),
            simdjson::SUCCESS);
  EXPECT_EQ(value, "environment");
}

TEST(SymbolSettings, AreLinesOfTheEnvironmentThatLoadAgain) {
  const Configuration configuration = two_symbols();
  std::vector<Given> environment;
  std::istringstream lines(render(configuration, Format::env));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    environment.push_back({line.substr(0, equals), line.substr(equals + 1)});
  }
  const Configuration again = configured(environment);
  EXPECT_EQ(render(again, Format::env), render(configuration, Format::env));
  EXPECT_EQ(values_of(again, "牛来USDT").trade_momentum.window, 60);
}

// A ConfigMap's keys are letters, digits, '-', '_' and '.'; what else a name has is said.
TEST(SymbolSettings, AreKeysOfTheConfigMapWhereItTakesThem) {
  const std::string text = render(two_symbols(), Format::configmap);
  EXPECT_THAT(text, HasSubstr("\n  TRADE_MOMENTUM_WINDOW__BTCUSDT: \"50\"\n"));
  EXPECT_THAT(text, HasSubstr("\n  # TRADE_MOMENTUM_WINDOW__牛来USDT: "));
  EXPECT_THAT(text, Not(HasSubstr("\n  TRADE_MOMENTUM_WINDOW__牛来USDT")));
}

TEST(SymbolSettings, ArePartOfTheFingerprint) {
  const std::string all = fingerprint(configured({}));
  const std::string one = fingerprint(configured({{"TRADING_ORDER_NOTIONAL__BTCUSDT", "50"}}));
  EXPECT_NE(one, all);
  EXPECT_EQ(fingerprint(configured({{"TRADING_ORDER_NOTIONAL__btcusdt", "50"}})), one);
  EXPECT_NE(fingerprint(configured({{"TRADING_ORDER_NOTIONAL__ETHUSDT", "50"}})), one);
}

TEST(SymbolSettings, AreMarkedInTheDocumentAndInTheHelp) {
  std::istringstream page(render(configured({}), Format::markdown));
  std::size_t marked = 0;
  for (std::string line; std::getline(page, line);) {
    const bool is_marked = line.find("*Per symbol.*") != std::string::npos;
    marked += is_marked ? 1U : 0U;
    if (!line.starts_with("| `")) continue;
    const std::string name = line.substr(3, line.find('`', 3) - 3);
    EXPECT_EQ(is_marked, find(name)->per_symbol) << name;
  }
  EXPECT_GT(marked, 20U);
  EXPECT_THAT(help_text(), HasSubstr("default: 100; live; per symbol]"));
}

}  // namespace
}  // namespace rts::config
