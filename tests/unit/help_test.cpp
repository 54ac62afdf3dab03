// What the command line says of itself: help on one screen, completion, the manual page.
#include "commands/help.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <rts/config/settings.hpp>

namespace rts::commands {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

using Words = std::vector<std::string>;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// The text as if its lines had not been broken.
std::string in_one_line(const std::string& text) {
  std::istringstream stream(text);
  std::string line;
  for (std::string word; stream >> word;) line += word + ' ';
  return line;
}

// --- Help ---------------------------------------------------------------------------------------

// Of a command with more options than a screen has room for, each is on a line of its own.
TEST(CommandHelp, OfACommandFitsAScreen) {
  constexpr std::size_t kScreen = 24, kLinesBeside = 16;
  for (const Command* const command : kCommands) {
    const auto lines = lines_of(help_text(*command));
    EXPECT_LE(lines.size(), std::max(kScreen, command->options.size() + kLinesBeside))
        << command->name;
    for (const std::string& line : lines) EXPECT_LE(columns(line), 80U) << line;
  }
}

TEST(CommandHelp, ListsEveryCommandOnALine) {
  const auto lines = lines_of(help_text());
  for (const Command* const command : kCommands) {
    EXPECT_THAT(lines, Contains(AllOf(StartsWith(fmt::format("  {} ", command->name)),
                                      HasSubstr(std::string(command->summary)))));
  }
  for (const std::string& line : lines) EXPECT_LE(columns(line), 80U) << line;
}

TEST(CommandHelp, OfACommandShowsItsExampleItsOptionsAndWhereSettingsAre) {
  for (const Command* const command : kCommands) {
    const std::string help = in_one_line(help_text(*command));
    EXPECT_THAT(help, HasSubstr("example: " + std::string(command->example)));
    EXPECT_THAT(help, HasSubstr("usage: realtime-strategies " + std::string(command->name)));
    EXPECT_THAT(help, HasSubstr(in_one_line(std::string(command->summary))));
    EXPECT_THAT(help, HasSubstr("--color auto|always|never"));
    for (const Option& option : command->options) {
      EXPECT_THAT(help, AllOf(HasSubstr(std::string(option.name)),
                              HasSubstr(in_one_line(std::string(option.help)))));
    }
    EXPECT_EQ(help.find("help settings` has them all") != std::string::npos,
              command->needs != Needs::nothing);
    EXPECT_THAT(help, Not(HasSubstr("--trading-leverage")));
  }
}

TEST(CommandHelp, NamesTheExitCodes) {
  for (const char* code : {"0 ", "1 ", "64", "65", "69", "70", "74", "78"}) {
    EXPECT_THAT(help_text(), HasSubstr(code));
  }
}

// --- `help TOPIC` -------------------------------------------------------------------------------

struct Told {
  std::string out, err;
  ExitCode code;
};

Told told(Words words, const std::vector<config::Given>& environment = {}) {
  words.insert(words.begin(), "help");
  Invocation invocation = parse_command_line(words);
  invocation.environment = environment;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const ExitCode code = run_command(invocation, {});
  std::string out = testing::internal::GetCapturedStdout();
  return {std::move(out), testing::internal::GetCapturedStderr(), code};
}

TEST(Help, OfACommandIsWhatTheCommandSays) {
  EXPECT_EQ(told({}).out, help_text());
  EXPECT_EQ(told({"replay"}).out, help_text(kReplay));
  EXPECT_EQ(told({"help"}).out, help_text(kHelp));
}

TEST(Help, OfAGroupHasItsSettingsOnly) {
  for (const char* name :
       {"orderbook_skew", "orderbook-skew", "Order-book skew", "ORDERBOOK_SKEW"}) {
    const std::string out = told({"settings", name}).out;
    for (const config::Setting& setting : config::table()) {
      EXPECT_EQ(out.find(fmt::format("({})\n", setting.name)) != std::string::npos,
                setting.group == config::Group::orderbook_skew)
          << name << " " << setting.name;
    }
  }
  const std::string all = told({"settings"}).out;
  for (const config::Setting& setting : config::table()) {
    EXPECT_THAT(all, HasSubstr(std::string(setting.name)));
  }
}

TEST(Help, OfASettingHasAllAboutItAndWhatHoldsHere) {
  const std::vector<config::Given> environment{{"SIGNAL_COOLDOWN_SECONDS", "60"},
                                               {"SIGNAL_COOLDOWN_SECONDS__BTCUSDT", "30"}};
  for (const char* name : {"SIGNAL_COOLDOWN_SECONDS", "signal_cooldown_seconds",
                           "signal-cooldown-seconds", "SIGNAL_COOLDOWN_SECONDS__BTCUSDT"}) {
    const Told about = told({"settings", name}, environment);
    EXPECT_EQ(about.code, ExitCode::ok) << about.err;
    EXPECT_THAT(
        in_one_line(about.out),
        AllOf(HasSubstr("accepted a whole number from 0 to 86400"), HasSubstr("default 900"),
              HasSubstr("flag --signal-cooldown-seconds"), HasSubstr("per symbol yes"),
              HasSubstr("live yes"), HasSubstr("SIGNAL_COOLDOWN_SECONDS=60 from environment"),
              HasSubstr("SIGNAL_COOLDOWN_SECONDS__BTCUSDT=30 from environment")));
  }
  EXPECT_THAT(in_one_line(told({"settings", "TRADING_LEVERAGE"}).out),
              AllOf(HasSubstr("per symbol no"), HasSubstr("live no"),
                    HasSubstr("TRADING_LEVERAGE=1 from default")));
}

TEST(Help, ShowsNoSecretAndNoFlagForOne) {
  const std::string out = told({"settings", "NATS_TOKEN"}, {{"NATS_TOKEN", "canary"}}).out;
  EXPECT_THAT(out, AllOf(HasSubstr("NATS_TOKEN=*** from environment"), Not(HasSubstr("canary")),
                         Not(HasSubstr("--nats-token"))));
}

TEST(Help, AnswersWhereTheSettingsAreWrong) {
  const Told about = told({"settings", "TRADING_LEVERAGE"}, {{"TRADING_LEVERAGE", "0"}});
  EXPECT_EQ(about.code, ExitCode::ok);
  EXPECT_THAT(in_one_line(about.out), HasSubstr("here not known: the settings are wrong"));
}

TEST(Help, OfWhatIsUnknownNamesWhatIsNear) {
  const std::vector<std::pair<Words, std::string>> rows{
      {{"relpay"}, "did you mean 'replay'?"},
      {{"settings", "TRADING_LEVERAG"}, "did you mean TRADING_LEVERAGE?"},
      {{"settings", "TRADING_LEVRAGE"}, "did you mean TRADING_LEVERAGE?"},
      {{"settings", "cooldown"}, "did you mean SIGNAL_COOLDOWN_SECONDS?"},
      {{"settings", "min_spread"}, "did you mean ORDERBOOK_SKEW_MIN_SPREAD_PERCENT?"},
      {{"settings", "xyzzy"}, "of nats, trading, orderbook_skew"},
      {{"settings", ""}, "see `realtime-strategies help settings`"},
      {{"settings", "MAX_MEMORY_MB"}, "is of the Python service"},
      {{"settings", "risk", "orders"}, "give one group or one setting, not 2"},
      {{"run", "check"}, "give one command, not 2"},
      {{"run", "--json"}, "--json is for `help settings`"}};
  for (const auto& [words, because] : rows) {
    const Told about = told(words);
    EXPECT_EQ(about.code, ExitCode::usage) << because;
    EXPECT_THAT(about.err, HasSubstr(because));
  }
}

TEST(Help, OfSettingsIsTheTableAsJson) {
  simdjson::dom::parser parser;
  simdjson::dom::array rows;
  const std::string all = told({"settings", "--json"}).out;
  ASSERT_EQ(parser.parse(all)["settings"].get(rows), simdjson::SUCCESS) << all;
  EXPECT_EQ(rows.size(), config::table().size());
  const std::string one =
      told({"settings", "trading_leverage", "--json"}, {{"TRADING_LEVERAGE", "3"}}).out;
  EXPECT_EQ(parser.parse(one).error(), simdjson::SUCCESS) << one;
  EXPECT_THAT(one,
              AllOf(StartsWith(R"({"settings":[{"name":"TRADING_LEVERAGE","group":"trading",)"),
                    HasSubstr(R"("default":"1")"), HasSubstr(R"("flag":"--trading-leverage")"),
                    HasSubstr(R"("live":false,"per_symbol":false,"values":{"TRADING_LEVERAGE")"
                              R"(:{"value":"3","origin":"environment"}}}]})")));
}

// --- Completion ---------------------------------------------------------------------------------

// Without descriptions.
Words offered(const Words& words) {
  Words found = completions(words);
  for (std::string& candidate : found) candidate = candidate.substr(0, candidate.find('\t'));
  return found;
}

TEST(Completion, OffersEveryCommand) {
  const Words found = offered({""});
  for (const Command* const command : kCommands) {
    EXPECT_THAT(found, Contains(std::string(command->name)));
  }
  EXPECT_THAT(offered({"conf"}), ElementsAre("config"));
  EXPECT_THAT(offered({"--v"}), ElementsAre("--version"));
  EXPECT_THAT(offered({}), IsEmpty());
}

// And nothing that it refuses.
TEST(Completion, OffersTheOptionsThatACommandTakes) {
  for (const Command* const command : kCommands) {
    EXPECT_EQ(Words(offered({std::string(command->name), "-"})), option_names(*command))
        << command->name;
  }
  EXPECT_THAT(offered({"run", "--nats-t"}), IsEmpty()) << "secrets have no flag";
}

TEST(Completion, OffersWhatAnOptionTakes) {
  const Words formats{"text", "json", "env", "markdown", "configmap"};
  EXPECT_EQ(offered({"config", "--format", ""}), formats);
  EXPECT_THAT(offered({"config", "--format", "j"}), ElementsAre("json"));
  EXPECT_THAT(offered({"config", "--format=j"}), ElementsAre("--format=json"));
  EXPECT_THAT(offered({"config", "--format", "=", "j"}), ElementsAre("--format=json"));
  EXPECT_THAT(offered({"config", "--format", "="}), Contains("--format=text"));
  EXPECT_THAT(offered({"run", "--color", "a"}), ElementsAre("auto", "always"));
  EXPECT_THAT(offered({"run", "--order-delivery", ""}), ElementsAre("core", "jetstream"));
  EXPECT_THAT(offered({"run", "--dry-run-mode", ""}), ElementsAre("true", "false"));
  EXPECT_THAT(offered({"replay", "--strategy-enabled-orderbook-skew--btcusdt", "t"}),
              ElementsAre("true"));
  EXPECT_THAT(offered({"simulate", "--seed", ""}), IsEmpty());
  EXPECT_THAT(offered({"replay", "--quiet", "--co"}), Contains("--counts")) << "a switch";
  for (const Words& words : {Words{"replay", ""},
                             {"replay", "a", ""},
                             {"replay", "--orders", "x"},
                             {"replay", "--orders=x"},
                             {"check", ""},
                             {"check", "--from", ""},
                             {"run", "--trading-instruments-file", ""}}) {
    EXPECT_THAT(offered(words), ElementsAre(std::string(kFiles))) << testing::PrintToString(words);
  }
}

TEST(Completion, OffersLiveSettingsAndTheirValues) {
  const Words live = offered({"unset", ""});
  for (const config::Setting& setting : config::table()) {
    EXPECT_EQ(std::ranges::count(live, setting.name), setting.live ? 1 : 0) << setting.name;
  }
  EXPECT_THAT(offered({"set", "SIGNAL_C"}), ElementsAre("SIGNAL_COOLDOWN_SECONDS="));
  EXPECT_THAT(offered({"set", "STRATEGY_ENABLED_TRADE_MOMENTUM__BTCUSDT", "=", "f"}),
              ElementsAre("STRATEGY_ENABLED_TRADE_MOMENTUM__BTCUSDT=false"));
  EXPECT_THAT(offered({"set", "NOTHING="}), IsEmpty());
}

TEST(Completion, OffersTopicsOfHelp) {
  EXPECT_THAT(offered({"help", "re"}), ElementsAre("replay", "record", "resume"));
  EXPECT_THAT(offered({"help", "ma"}), ElementsAre("man"));
  EXPECT_THAT(offered({"help", "settings", "ri"}), ElementsAre("risk"));
  EXPECT_THAT(offered({"help", "settings", "TRADING_L"}), ElementsAre("TRADING_LEVERAGE"));
  EXPECT_THAT(offered({"help", "run", ""}), IsEmpty());
}

TEST(Completion, OffersNothingWhereNothingIsKnown) {
  for (const Words& words : {Words{"fly", ""}, {"fly"}, {"run", ""}, {"config", "x"}, {"", ""}}) {
    EXPECT_THAT(offered(words), IsEmpty()) << testing::PrintToString(words);
  }
}

// --- The manual page ----------------------------------------------------------------------------

TEST(Manual, HasEveryCommandOptionAndSetting) {
  std::string page = manual_page();
  for (std::size_t at = 0; (at = page.find("\\-", at)) != std::string::npos;) page.erase(at, 1);
  for (const Command* const command : kCommands) {
    EXPECT_THAT(page, HasSubstr(fmt::format("\n.SS {}", command->name)));
    for (const Option& option : command->options) {
      EXPECT_THAT(page, HasSubstr(fmt::format("\\fB{}", option.name)));
    }
  }
  for (const config::Setting& setting : config::table()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("\n\\fB{}\\fR\n", setting.name)));
  }
}

// Whatever the tables hold: no line but the macros that are meant begins as one, and all is ASCII.
TEST(Manual, HasNoAccidentalRequest) {
  for (const std::string& line : lines_of(manual_page())) {
    EXPECT_THAT(line, Not(StartsWith("'")));
    EXPECT_TRUE(std::ranges::all_of(line, [](unsigned char c) { return c >= ' ' && c < 0x7F; }))
        << line;
    if (!line.starts_with('.')) continue;
    const std::string macro = line.substr(0, line.find(' '));
    EXPECT_THAT((Words{".\\\"", ".TH", ".SH", ".SS", ".TP", ".PP", ".RS", ".RE", ".nf", ".fi"}),
                Contains(macro));
  }
}

}  // namespace
}  // namespace rts::commands
