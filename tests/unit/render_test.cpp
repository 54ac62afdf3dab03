// The settings table as text: every format parses as what it claims to be and says the same values.
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <rts/base/utf8.hpp>
#include <rts/config/render.hpp>

#include "support/engine_run.hpp"

namespace rts::config {
namespace {

using test::configured;
using test::given;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Fingerprint, IsTheSameForTheSameSettingsAndNotForOthers) {
  const std::string defaults = fingerprint(configured({}));
  EXPECT_EQ(defaults.size(), 16U);
  EXPECT_EQ(fingerprint(configured({{"LOG_LEVEL", "INFO"}})), defaults) << "said, not changed";
  EXPECT_EQ(fingerprint(configured({{"NATS_TOKEN", "a"}})),
            fingerprint(configured({{"NATS_TOKEN", "b"}})))
      << "a secret is not shown, not even so";
  const auto other = fingerprint(configured({{"SIGNAL_COOLDOWN_SECONDS", "901"}}));
  EXPECT_NE(other, defaults);
  const std::vector<Given> live{{"signal_cooldown_seconds", "901"}};
  EXPECT_EQ(fingerprint(configured({}), live), other) << "by the control log";
}

bool is_exported(const Setting& setting) { return !setting.is_secret(); }

// Values that need every kind of quoting there is.
Configuration odd_configuration() {
  return configured({{"TRADING_SYMBOLS", "*"},
                     {"NATS_CONSUMER_TOPIC", "binance.>"},
                     {"NATS_CONSUMER_GROUP", ""},
                     {"NATS_CONSUMER_NAME", "it's a name with $dollar"},
                     {"ENVIRONMENT", "a;b|c&d \"e\" \\ and 牛"},
                     {"TRADE_MOMENTUM_SELL_THRESHOLD", "-0.55"},
                     {"TRADING_QUANTITY_STEPS", ""}});
}

TEST(RenderFormats, AreKnownByName) {
  EXPECT_EQ(from_string<Format>("text"), Format::text);
  EXPECT_EQ(from_string<Format>("json"), Format::json);
  EXPECT_EQ(from_string<Format>("env"), Format::env);
  EXPECT_EQ(from_string<Format>("markdown"), Format::markdown);
  EXPECT_EQ(from_string<Format>("configmap"), Format::configmap);
  EXPECT_EQ(from_string<Format>("yaml"), std::nullopt);
  EXPECT_EQ(from_string<Format>(""), std::nullopt);
}

TEST(RenderJson, HoldsEverySettingWithItsValueAndOrigin) {
  const Configuration configuration = odd_configuration();
  const std::string text = render(configuration, Format::json);
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  ASSERT_EQ(parser.parse(text).get(root), simdjson::SUCCESS) << text;
  EXPECT_EQ(root.size(), table().size());
  for (std::size_t i = 0; i < table().size(); ++i) {
    simdjson::dom::object entry;
    ASSERT_EQ(root.at_key(table()[i].name).get(entry), simdjson::SUCCESS) << table()[i].name;
    std::string_view value;
    std::string_view origin;
    ASSERT_EQ(entry.at_key("value").get(value), simdjson::SUCCESS);
    ASSERT_EQ(entry.at_key("origin").get(origin), simdjson::SUCCESS);
    EXPECT_EQ(value, configuration.values[i].text) << table()[i].name;
    EXPECT_EQ(origin, to_string(configuration.values[i].origin)) << table()[i].name;
  }
}

TEST(RenderJson, ShowsWhatTheControlLogHasChangedInItsPlace) {
  const Configuration configuration = configured({{"TRADING_ORDER_NOTIONAL__ETHUSDT", "61"}});
  std::string text;
  JsonWriter json(text);
  append_settings(json, configuration,
                  std::vector<Given>{{"RISK_MAX_DAILY_SIGNALS", "7"},
                                     {"TRADING_ORDER_NOTIONAL__ethusdt", "71"},
                                     {"TRADING_ORDER_NOTIONAL__BTCUSDT", "72"}});
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  ASSERT_EQ(parser.parse(text).get(root), simdjson::SUCCESS) << text;
  EXPECT_EQ(root.size(), configuration.values.size() + 1);
  for (const auto& [name, value] : {std::pair{"RISK_MAX_DAILY_SIGNALS", "7"},
                                    {"TRADING_ORDER_NOTIONAL__ETHUSDT", "71"},
                                    {"TRADING_ORDER_NOTIONAL__BTCUSDT", "72"}}) {
    EXPECT_THAT(text, HasSubstr(fmt::format(R"("{}":{{"value":"{}","origin":"control log"}})", name,
                                            value)));
  }
  EXPECT_THAT(text, Not(HasSubstr(R"("61")")));
}

TEST(RenderEnv, ReadBackAsItStandsGivesTheSameSettings) {
  const Configuration configuration = odd_configuration();
  std::vector<Given> environment;
  for (const std::string& line : lines_of(render(configuration, Format::env))) {
    const std::size_t equals = line.find('=');
    ASSERT_NE(equals, std::string::npos) << line;
    environment.push_back({line.substr(0, equals), line.substr(equals + 1)});
  }
  const auto again = load(environment, {});
  ASSERT_TRUE(again) << testing::PrintToString(again.error());
  EXPECT_EQ(test::row_texts(again.value()), test::row_texts(configuration));
  EXPECT_EQ(again.value().settings.engine.symbols.size(),
            configuration.settings.engine.symbols.size());
}

TEST(RenderEnv, HoldsEveryRowButSecretsAndReservedOnes) {
  const auto lines = lines_of(render(configured({}), Format::env));
  std::size_t line = 0;
  for (const Setting& setting : table()) {
    if (!is_exported(setting)) continue;
    ASSERT_LT(line, lines.size());
    EXPECT_THAT(lines[line++], StartsWith(std::string(setting.name) + "="));
  }
  EXPECT_EQ(line, lines.size());
}

// Values that no loader accepts, or only in lists: whoever shows them is safe all the same.
Configuration hostile_configuration(std::string_view value) {
  Configuration configuration = configured({});
  for (Value& shown : configuration.values) shown.text = value;
  return configuration;
}

TEST(RenderFormats, WriteTheSameNumberOfLinesWhateverTheValues) {
  for (const Format format : {Format::text, Format::json, Format::env, Format::configmap}) {
    const auto usual = lines_of(render(configured({}), format)).size();
    for (const std::string_view value : {"a\nNATS_URL=x", "a\r\nb", "\x1B[2J", "\x7F",
                                         "\xC2\x9B"
                                         "2J",
                                         "\xC2\x85"
                                         "A=b",
                                         "\xE2\x80\xA8"
                                         "A=b",
                                         "\xE2\x80\xAE", "\n", "\xFF"}) {
      const std::string text = render(hostile_configuration(value), format);
      const auto lines = lines_of(text);
      EXPECT_EQ(lines.size(), usual) << printable(value);
      for (const std::string& line : lines) {
        for (std::string_view rest = line; !rest.empty();) {
          ASSERT_FALSE(take_character(rest).is_control) << printable(line);
        }
      }
    }
  }
}

TEST(RenderFormats, NeverMeetATextWithAControlCharacterForItIsRefused) {
  for (const Setting& setting : table()) {
    if (!std::holds_alternative<Text>(setting.rule)) continue;
    for (const char* value : {"a\nNATS_URL=x", "a\x1B[2J", "a\xC2\x9B", "a\x7F", "a\xFF"}) {
      const auto loaded = load(given({{std::string(setting.name), value}}), {});
      EXPECT_FALSE(loaded) << setting.name << "=" << printable(value);
    }
  }
}

TEST(RenderEnv, WritesTheLineEndsOfAListAsBlanks) {
  const Configuration folded = configured({{"TRADING_SYMBOLS", "BTCUSDT,\n\tETHUSDT\r\n"}});
  const std::string text = render(folded, Format::env);
  EXPECT_THAT(text, HasSubstr("TRADING_SYMBOLS=BTCUSDT,  ETHUSDT  \n"));
}

TEST(RenderConfigMap, IsOneWithAQuotedTextForEveryRowButSecretsAndReservedOnes) {
  const Configuration configuration = odd_configuration();
  const auto lines = lines_of(render(configuration, Format::configmap));
  const std::vector<std::string> head{"apiVersion: v1", "kind: ConfigMap",
                                      "metadata:", "  name: petrosa-realtime-strategies", "data:"};
  ASSERT_GT(lines.size(), head.size());
  EXPECT_EQ(std::vector<std::string>(lines.begin(), lines.begin() + 5), head);
  std::size_t line = head.size();
  for (std::size_t i = 0; i < table().size(); ++i) {
    if (!is_exported(table()[i])) continue;
    ASSERT_LT(line, lines.size());
    const std::string prefix = fmt::format("  {}: ", table()[i].name);
    ASSERT_THAT(lines[line], StartsWith(prefix));
    simdjson::dom::parser parser;
    std::string_view value;
    ASSERT_EQ(parser.parse(lines[line].substr(prefix.size())).get(value), simdjson::SUCCESS)
        << lines[line];
    EXPECT_EQ(value, configuration.values[i].text);
    ++line;
  }
  EXPECT_EQ(line, lines.size());
}

TEST(RenderConfigMap, LoadsAgainAsAnEnvironment) {
  std::vector<Given> environment;
  const Configuration configuration = odd_configuration();
  for (std::size_t i = 0; i < table().size(); ++i) {
    if (!is_exported(table()[i])) continue;
    environment.push_back({std::string(table()[i].name), configuration.values[i].text});
  }
  EXPECT_EQ(test::row_texts(configured(environment)), test::row_texts(configuration));
}

TEST(RenderText, ShowsEverySettingWithItsOriginUnderItsGroup) {
  const std::string text = render(configured({{"TRADING_LEVERAGE", "7"}}), Format::text);
  EXPECT_THAT(text, HasSubstr("# Trading\n"));
  for (const Setting& setting : table()) EXPECT_THAT(text, HasSubstr(std::string(setting.name)));
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("TRADING_LEVERAGE ")) {
      EXPECT_THAT(line, testing::ContainsRegex("TRADING_LEVERAGE +7 +environment$"));
    }
  }
}

TEST(RenderMarkdown, HasOneRowASettingWithDefaultRangeAndMeaning) {
  const auto lines = lines_of(render(configured({}), Format::markdown));
  for (const Setting& setting : table()) {
    const std::string begin = fmt::format("| `{}` | ", setting.name);
    const auto rows = std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.starts_with(begin) &&
             line.find(fmt::format("| {} |", accepted_values(setting))) != std::string::npos &&
             line.find(setting.help) != std::string::npos &&
             line.find(setting.default_text()) != std::string::npos;
    });
    EXPECT_EQ(rows, 1) << setting.name;
  }
}

TEST(RenderMarkdown, IsTheSameWhateverIsConfigured) {
  EXPECT_EQ(render(odd_configuration(), Format::markdown),
            render(configured({}), Format::markdown));
}

TEST(RenderHelp, NamesEveryFlagAndForSecretsTheVariableOnly) {
  const std::string help = help_text();
  for (const Setting& setting : table()) {
    EXPECT_THAT(help, HasSubstr(std::string(setting.name)));
    EXPECT_THAT(help, HasSubstr(std::string(setting.help)));
    if (setting.is_secret()) {
      EXPECT_THAT(help, Not(HasSubstr(flag_name(setting) + " ")));
    } else {
      EXPECT_THAT(help, HasSubstr(flag_name(setting) + " ("));
    }
  }
}

}  // namespace
}  // namespace rts::config
