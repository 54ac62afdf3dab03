// Values of the control log over a configuration: which settings are live, that such values are
// held to the same rules and texts as those of the start, and what follows from them.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/config/render.hpp>
#include <rts/config/settings.hpp>

#include "support/engine_run.hpp"
#include "support/setting_edges.hpp"

namespace rts::config {
namespace {

using test::configured;
using test::given;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Problems problems_of(const Configuration& configuration, const std::vector<Given>& values) {
  const auto parameters = with_live_values(configuration, values);
  return parameters ? Problems{} : parameters.error();
}
EngineParameters parameters_of(const Configuration& configuration, test::Given values) {
  const auto parameters = with_live_values(configuration, given(values));
  EXPECT_TRUE(parameters.ok()) << (parameters ? "" : parameters.error().front());
  return parameters ? parameters.value() : EngineParameters{};
}

// SPEC §6: "strategy parameters, SIGNAL_*, RISK_*, sizes, per symbol too".
bool specified_live(const Setting& setting) {
  const std::string_view name = setting.name;
  return setting.group == Group::orderbook_skew || setting.group == Group::trade_momentum ||
         setting.group == Group::ticker_velocity || name.starts_with("SIGNAL_") ||
         name.starts_with("RISK_") || name == "TRADING_ORDER_NOTIONAL" ||
         name == "TRADING_MIN_POSITION_SIZE" || name == "TRADING_MAX_POSITION_SIZE";
}

TEST(LiveSettings, AreThoseOfTheSpecification) {
  const Configuration present = configured({});
  for (const Setting& setting : table()) {
    EXPECT_EQ(setting.live, specified_live(setting)) << setting.name;
    EXPECT_TRUE(setting.live || !setting.per_symbol) << setting.name;
    const auto problems =
        problems_of(present, {{std::string(setting.name), setting.default_text()}});
    if (setting.live) {
      EXPECT_THAT(problems, IsEmpty()) << setting.name;
    } else {
      EXPECT_THAT(problems, ElementsAre(HasSubstr(fmt::format(
                                "{}: does not change while the service runs", setting.name))));
    }
  }
}

TEST(LiveSettings, AreHeldToTheRulesAndTextsOfTheStart) {
  const Configuration present = configured({});
  for (const Setting& setting : table()) {
    if (!setting.live) continue;
    for (const std::string& value : test::edges_of(setting).outside) {
      const std::vector<Given> values{{std::string(setting.name), value}};
      const auto loaded = load(values, {});
      ASSERT_FALSE(loaded.ok()) << setting.name << value;
      EXPECT_EQ(problems_of(present, values), loaded.error());
    }
  }
}

// What an engine would be told that was started so.
TEST(LiveSettings, GiveWhatAStartWithThemGives) {
  const Configuration present = configured({{"TRADING_SYMBOLS", "BTCUSDT,ETHUSDT,ADAUSDT"},
                                            {"TRADING_ENABLE_SHORTS", "false"},
                                            {"TRADING_QUANTITY_STEPS", "ADAUSDT:5"},
                                            {"TRADE_MOMENTUM_WINDOW", "7"},
                                            {"SIGNAL_COOLDOWN_SECONDS__ETHUSDT", "8"},
                                            {"NATS_PASSWORD", "p"},
                                            {"NATS_USER", "u"}});
  const EngineParameters live = parameters_of(present, {{"SIGNAL_COOLDOWN_SECONDS", "60"},
                                                        {"TRADING_ORDER_NOTIONAL__adausdt", "33"},
                                                        {"TRADING_MAX_POSITION_SIZE", "2000"},
                                                        {"STRATEGY_ENABLED_ORDERBOOK_SKEW", "off"},
                                                        {"RISK_MAX_DAILY_SIGNALS", "5"}});
  EXPECT_EQ(live.symbols, present.settings.engine.symbols);
  EXPECT_EQ(live.gate.max_daily_signals, 5);
  EXPECT_FALSE(live.defaults.enabled[0]);
  EXPECT_EQ(live.defaults.trade_momentum.window, 7);
  const SymbolParameters& ada = live.of(*Symbol::from("ADAUSDT"));
  EXPECT_EQ(ada.terms.cooldown, std::chrono::seconds(60)) << "of all that have none of their own";
  EXPECT_EQ(ada.terms.size.order.value(), 33);
  EXPECT_EQ(ada.terms.size.maximum.value(), 2000);
  EXPECT_EQ(ada.terms.instrument.quantity_step.to_string(), "5") << "derived again";
  EXPECT_EQ(ada.terms.sells, Sells::close_long);
  EXPECT_FALSE(ada.enabled[0]);
  EXPECT_EQ(live.of(*Symbol::from("ETHUSDT")).terms.cooldown, std::chrono::seconds(8))
      << "a symbol's own value beats that for all";
  const EngineParameters none = parameters_of(present, {});
  EXPECT_EQ(none.defaults.terms.cooldown, std::chrono::seconds(900));
  EXPECT_EQ(none.per_symbol.size(), present.settings.engine.per_symbol.size());
}

TEST(LiveSettings, BeatFlagEnvironmentAndDefault) {
  const auto present =
      load(given({{"SIGNAL_MIN_CONFIDENCE", "0.5"}}), given({{"SIGNAL_MIN_CONFIDENCE", "0.55"}}));
  EXPECT_EQ(parameters_of(present.value(), {{"SIGNAL_MIN_CONFIDENCE", "0.7"}})
                .defaults.terms.min_confidence,
            0.7);
}

TEST(LiveSettings, AreAcceptedAllOrNoneAndEveryProblemIsSaid) {
  const Configuration present =
      configured({{"ALLOW_UNKNOWN_ENV", "true"}, {"TRADE_MOMENTUM_BUY_THRESHOLD", "0.2"}});
  EXPECT_THAT(
      problems_of(present, given({{"SIGNAL_MIN_CONFIDENCE", "2"},
                                  {"TRADING_LEVERAGE", "2"},
                                  {"TRADING_LEVERAGE__BTCUSDT", "2"},
                                  {"SIGNAL_MIN_CONFIDENC", "0.5"},
                                  {"PATH", "/"},
                                  {"SIGNAL_COOLDOWN_SECONDS__B C", "5"},
                                  {"TRADE_MOMENTUM_SELL_THRESHOLD", "0.3"},
                                  {"SIGNAL_COOLDOWN_SECONDS__ethusdt", "5"},
                                  {"SIGNAL_COOLDOWN_SECONDS__ETHUSDT", "6"}})),
      testing::UnorderedElementsAre(
          HasSubstr("SIGNAL_MIN_CONFIDENCE='2': not accepted; give a number >= 0 and <= 1"),
          HasSubstr("TRADING_LEVERAGE: does not change while the service runs"),
          HasSubstr("TRADING_LEVERAGE__BTCUSDT: TRADING_LEVERAGE is the same for all symbols"),
          HasSubstr("SIGNAL_MIN_CONFIDENC: unknown setting; did you mean SIGNAL_MIN_CONFIDENCE?"),
          HasSubstr("PATH: unknown setting. Remove it."), HasSubstr("is no symbol"),
          HasSubstr("TRADE_MOMENTUM_SELL_THRESHOLD=0.3: must be below TRADE_MOMENTUM_BUY_THRESHOLD"
                    "=0.2"),
          HasSubstr("SIGNAL_COOLDOWN_SECONDS__ETHUSDT is given twice")));
}

TEST(LiveSettings, AreMarkedWhereSettingsAreShown) {
  const Configuration present = configured({});
  EXPECT_THAT(render(present, Format::markdown), HasSubstr("order is worth, in quote currency. "
                                                           "*Live.* *Per symbol.* |"));
  EXPECT_THAT(render(present, Format::text), HasSubstr("default, live\n"));
  EXPECT_THAT(help_text(), HasSubstr("default: 50; live]"));
}

}  // namespace
}  // namespace rts::config
