// The command line: what is understood, what is refused and how it is said.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/config/render.hpp>

#include "commands/command_line.hpp"
#include "research/archive.hpp"

namespace rts::commands {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Words = std::vector<std::string>;

Invocation parsed(const Words& words) {
  try {
    return parse_command_line(words);
  } catch (const CommandError& error) {
    ADD_FAILURE() << testing::PrintToString(words) << ": " << error.what();
    return {};
  }
}

std::string refusal(const Words& words) {
  try {
    static_cast<void>(parse_command_line(words));
    return "accepted";
  } catch (const CommandError& error) {
    EXPECT_EQ(error.code, ExitCode::usage);
    return error.what();
  }
}

std::string command_of(const Words& words) {
  const Invocation invocation = parsed(words);
  return invocation.command == nullptr ? "none" : std::string(invocation.command->name);
}

struct Understood {
  Words words;
  const char* command;
};

TEST(CommandLine, NamesTheCommandFirst) {
  const std::vector<Understood> rows{{{}, "none"},
                                     {{"run"}, "run"},
                                     {{"replay"}, "replay"},
                                     {{"simulate"}, "simulate"},
                                     {{"check"}, "check"},
                                     {{"config"}, "config"},
                                     {{"pause"}, "pause"},
                                     {{"resume"}, "resume"},
                                     {{"set"}, "set"},
                                     {{"unset"}, "unset"},
                                     {{"doctor"}, "doctor"},
                                     {{"settings"}, "settings"},
                                     {{"explain"}, "explain"},
                                     {{"top"}, "top"},
                                     {{"health"}, "health"},
                                     {{"version"}, "version"},
                                     {{"--version"}, "version"},
                                     {{"--help"}, "none"},
                                     {{"-h"}, "none"},
                                     {{"help"}, "help"},
                                     {{"completion"}, "completion"}};
  for (const auto& [words, command] : rows) EXPECT_EQ(command_of(words), command);
}

// `run` trades: it has to be named.
TEST(CommandLine, StartsNothingWithoutACommand) {
  EXPECT_TRUE(parsed({}).help);
  EXPECT_EQ(parsed({}).command, nullptr);
  for (const Words& words :
       {Words{"--nats-url", "nats://a"}, {"--trading-leverage=2"}, {"--dry-run-mode"}, {"-"}}) {
    EXPECT_THAT(refusal(words), HasSubstr("name the command first")) << words.front();
  }
  EXPECT_THAT(refusal({"--nats-url=nats://u:canary@a"}), Not(HasSubstr("canary")));
}

struct Misspelt {
  Words words;
  const char* meant;
};

TEST(CommandLine, NamesTheNearestByLettersForWhatIsMisspelt) {
  const std::vector<Misspelt> rows{
      {{"replay", "--order", "x"}, "--orders"},
      {{"replay", "--ordres=x"}, "--orders"},
      {{"replay", "-orders", "x"}, "--orders"},
      {{"replay", "--Counts", "x"}, "--counts"},
      {{"replay", "--qiuet"}, "--quiet"},
      {{"simulate", "--forec"}, "--force"},
      {{"run", "--hlep"}, "--help"},
      {{"run", "--nats-ulr", "x"}, "--nats-url"},
      {{"run", "--nats_url", "x"}, "--nats-url"},
      {{"run", "--NATS-URL", "x"}, "--nats-url"},
      {{"run", "--NATS_URL=x"}, "--nats-url"},
      {{"run", "--orders-format", "x"}, "--order-format"},
      {{"run", "--dryrun-mode", "true"}, "--dry-run-mode"},
      {{"check", "--tradng-symbols", "x"}, "--trading-symbols"},
      {{"check", "--signal-cooldown", "1"}, "--signal-cooldown-seconds"},
      {{"check", "--orderbook-skew-min-spred", "0"}, "--orderbook-skew-min-spread-percent"},
      {{"relpay"}, "replay"},
      {{"RUN"}, "run"},
      {{"conf"}, "config"},
      {{"helth"}, "health"}};
  for (const auto& [words, meant] : rows) {
    EXPECT_THAT(refusal(words), HasSubstr(fmt::format("; did you mean '{}'?", meant)));
  }
}

TEST(CommandLine, NamesNothingWhereNothingIsNear) {
  for (const Words& words : {Words{"fly"},
                             {""},
                             {"frobnicate"},
                             {"run", "--fast"},
                             {"run", "--"},
                             {"replay", "-v"},
                             {"version", "--trading-leverage", "1"},
                             {"run", "--quiet"}}) {
    EXPECT_THAT(refusal(words), AllOf(Not("accepted"), Not(HasSubstr("did you mean"))));
  }
}

TEST(CommandLine, NeverOffersASecretForAFlag) {
  EXPECT_THAT(refusal({"run", "--nats-tokn", "x"}), Not(HasSubstr("--nats-token")));
}

TEST(CommandLine, TakesAValueBehindAnEqualsSignOrAsTheNextWord) {
  for (const Words& words :
       {Words{"replay", "--counts=c.json"}, {"replay", "--counts", "c.json"}}) {
    const Invocation invocation = parsed(words);
    EXPECT_EQ(invocation.option("counts").value_or("none"), "c.json");
    EXPECT_TRUE(invocation.has("counts"));
    EXPECT_FALSE(invocation.has("orders"));
    EXPECT_EQ(invocation.option("orders").value_or("none"), "none");
  }
}

// The last one counts, but where each of them means something.
TEST(CommandLine, KeepsAllValuesOfAnOptionThatIsRepeated) {
  const Invocation invocation = parsed({"top", "--url", "a", "--once", "--url=b", "--once"});
  EXPECT_THAT(invocation.all_of_option("url"), ElementsAre("a", "b"));
  EXPECT_EQ(invocation.option("url").value_or("none"), "b");
  EXPECT_TRUE(invocation.has("once"));
  EXPECT_THAT(invocation.all_of_option("symbol"), IsEmpty());
}

TEST(CommandLine, TakesAnEmptyValueAndAValueWithEqualsSigns) {
  EXPECT_EQ(parsed({"replay", "--counts="}).option("counts").value_or("none"), "");
  EXPECT_EQ(parsed({"replay", "--counts=a=b"}).option("counts").value_or("none"), "a=b");
  EXPECT_EQ(parsed({"replay", "--counts", ""}).option("counts").value_or("none"), "");
}

TEST(CommandLine, TakesProvisionsOptions) {
  const Invocation invocation =
      parsed({"provision", "--stream=A", "--daily-cap", "0", "--replicas", "3", "--dry-run",
              "--json", "--permissions", "--order-log-topic", "a.log"});
  EXPECT_EQ(invocation.option("stream").value_or("none"), "A");
  EXPECT_EQ(invocation.option("daily-cap").value_or("none"), "0");
  EXPECT_EQ(invocation.option("replicas").value_or("none"), "3");
  for (const char* name : {"dry-run", "json", "permissions"}) EXPECT_TRUE(invocation.has(name));
  EXPECT_EQ(invocation.settings.size(), 1U);
  EXPECT_THAT(refusal({"provision", "ORDERS"}), HasSubstr("unexpected argument 'ORDERS'"));
}

TEST(CommandLine, TakesNegativeNumbersAsValues) {
  const Invocation invocation = parsed({"check", "--trade-momentum-sell-threshold", "-0.5"});
  ASSERT_EQ(invocation.settings.size(), 1U);
  EXPECT_EQ(invocation.settings[0].name, "TRADE_MOMENTUM_SELL_THRESHOLD");
  EXPECT_EQ(invocation.settings[0].value, "-0.5");
}

TEST(CommandLine, ReadsWholeNumbersWithinTheirRange) {
  const auto frames = [](const Words& words) {
    return parsed(words).whole_number("frames", {1, 10}).value_or(7);
  };
  EXPECT_EQ(frames({"simulate"}), 7U);
  EXPECT_EQ(frames({"simulate", "--frames", "1"}), 1U);
  EXPECT_EQ(frames({"simulate", "--frames=10"}), 10U);
  for (const char* text :
       {"0", "11", "-1", "+1", " 1", "1.5", "many", "", "1x", "18446744073709551616"}) {
    try {
      frames({"simulate", "--frames", text});
      ADD_FAILURE() << text;
    } catch (const CommandError& error) {
      EXPECT_EQ(error.code, ExitCode::usage);
      EXPECT_EQ(error.what(),
                fmt::format("--frames takes a whole number from 1 to 10, not '{}'", text));
    }
  }
}

TEST(CommandLine, CollectsFilesAndStandardInputInTheirOrder) {
  const Invocation invocation =
      parsed({"replay", "a.ndjson", "--quiet", "-", "b.ndjson.gz", "--trading-leverage=2"});
  EXPECT_THAT(invocation.arguments, ElementsAre("a.ndjson", "-", "b.ndjson.gz"));
  EXPECT_TRUE(invocation.has("quiet"));
  EXPECT_EQ(invocation.settings.size(), 1U);
}

TEST(CommandLine, KnowsAFlagForEverySettingThatIsNoSecret) {
  for (const config::Setting& setting : config::table()) {
    const std::string flag = config::flag_name(setting);
    if (setting.is_secret()) continue;
    const Invocation invocation = parsed({"run", flag, "value"});
    ASSERT_EQ(invocation.settings.size(), 1U) << flag;
    EXPECT_EQ(invocation.settings[0].name, setting.name);
    EXPECT_EQ(invocation.settings[0].value, "value");
  }
}

TEST(CommandLine, RefusesSecretsAsFlagsWithoutRepeatingThem) {
  for (const config::Setting& setting : config::table()) {
    if (!setting.is_secret()) continue;
    const std::string flag = config::flag_name(setting);
    for (const Words& words : {Words{"run", flag, "canary"}, {"run", flag + "=canary"}}) {
      EXPECT_THAT(refusal(words),
                  AllOf(HasSubstr(flag), HasSubstr(std::string(setting.name)),
                        HasSubstr("secrets are not taken"), Not(HasSubstr("canary"))));
    }
  }
}

struct Refused {
  Words words;
  const char* because;
};

TEST(CommandLine, RefusesWhatMakesNoSense) {
  const std::vector<Refused> rows{
      {{"frobnicate"}, "unknown command 'frobnicate'"},
      {{"RUN"}, "unknown command 'RUN'"},
      {{""}, "unknown command ''"},
      {{"run", "--nats-ulr", "x"}, "unknown option '--nats-ulr'"},
      {{"run", "--nats-ulr=x"}, "unknown option '--nats-ulr'"},
      {{"run", "--quiet"}, "unknown option '--quiet'"},
      {{"run", "file"}, "unexpected argument 'file'"},
      {{"config", "-"}, "unexpected argument '-'"},
      {{"replay", "-v"}, "unexpected argument '-v'"},
      {{"replay", "--counts"}, "--counts needs a value: FILE"},
      {{"run", "--trading-leverage"},
       "--trading-leverage needs a value: a whole number from 1 to 125"},
      {{"config", "--format=yaml"},
       "--format takes text, json, env, markdown, configmap, not 'yaml'"},
      {{"pause", "--strategy", "x"},
       "--strategy takes orderbook_skew, trade_momentum, ticker_velocity, all, not 'x'"},
      {{"run", "--color", "green"}, "--color takes auto, always, never, not 'green'"},
      {{"run", "--quiet"}, "see `realtime-strategies run --help`"},
      {{"run", "file"}, "see `realtime-strategies run --help`"},
      {{"check", "-x"}, "see `realtime-strategies check --help`"},
      {{"replay", "--quiet=yes"}, "--quiet takes no value"},
      {{"replay", "--"}, "unknown option '--'"},
      {{"version", "--trading-leverage", "1"}, "unknown option '--trading-leverage'"},
  };
  for (const auto& [words, because] : rows) {
    EXPECT_THAT(refusal(words), HasSubstr(because)) << testing::PrintToString(words);
    EXPECT_THAT(refusal(words), Not(HasSubstr("\n")));
  }
}

TEST(CommandLine, HelpAfterACommandIsThatCommandsHelp) {
  for (const Command* const row : kCommands) {
    const Command& command = *row;
    const Invocation invocation = parsed({std::string(command.name), "--help"});
    EXPECT_TRUE(invocation.help);
    EXPECT_EQ(invocation.command, &command);
    EXPECT_TRUE(parsed({std::string(command.name), "-h"}).help);
  }
  EXPECT_TRUE(parsed({"--help"}).help);
}

// The example's own words, without the program and variables in front of it, are understood.
TEST(CommandHelp, ExamplesAreUnderstood) {
  for (const Command* const row : kCommands) {
    const Command& command = *row;
    Words words;
    std::string word;
    for (const char c : std::string(command.example) + " ") {
      if (c != ' ') {
        word += c;
        continue;
      }
      const bool assignment = words.empty() && word.find('=') != std::string::npos;
      if (!assignment) words.push_back(word);
      word.clear();
    }
    ASSERT_EQ(words.front(), "realtime-strategies");
    words.erase(words.begin());
    EXPECT_EQ(command_of(words), command.name);
  }
}

// They are written out in the tables of options, where the help and the completion find them.
TEST(CommandOptions, ThatTakeOneOfAListTakeAllOfIt) {
  for (const std::string_view format : names_of<config::Format>) {
    EXPECT_EQ(parsed({"config", "--format", std::string(format)}).option("format"), format);
  }
  for (const std::string_view strategy : names_of<StrategyId>) {
    const Words words{"pause", "--strategy", std::string(strategy)};
    EXPECT_EQ(parsed(words).option("strategy"), strategy);
  }
  for (const std::string_view kind : names_of<research::ArchiveKind>) {
    EXPECT_EQ(parsed({"import", "--kind", std::string(kind)}).option("kind"), kind);
  }
  const std::string_view formats = find_option(kConfig, "--format")->value;
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(formats, '|')) + 1,
            count_of<config::Format>);
}

TEST(CommandOptions, DoNotHideASettingsFlag) {
  for (const Command* const row : kCommands) {
    const Command& command = *row;
    for (const Option& option : command.options) {
      for (const config::Setting& setting : config::table()) {
        EXPECT_NE(option.name, config::flag_name(setting)) << command.name;
      }
    }
  }
}

}  // namespace
}  // namespace rts::commands
