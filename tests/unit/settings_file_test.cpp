// Settings in files that are not deployed yet: what is read, what is complained of, and where.
#include "commands/settings_file.hpp"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/command_line.hpp"

namespace rts::commands {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// "1 NAME=value" for each that was read.
std::vector<std::string> read_from(const FoundSettings& found) {
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < found.given.size(); ++i) {
    rows.push_back(
        fmt::format("{} {}={}", found.lines[i], found.given[i].name, found.given[i].value));
  }
  return rows;
}

std::vector<std::string> said(const std::vector<Complaint>& complaints) {
  std::vector<std::string> rows;
  for (const auto& [line, text] : complaints) rows.push_back(fmt::format("{} {}", line, text));
  return rows;
}

TEST(EnvFile, IsReadAsDockerDoes) {
  const FoundSettings found = parse_env_file(
      "# comment\n\nTRADING_LEVERAGE=3\n  LOG_LEVEL=INFO\n#X=1\nENVIRONMENT=a=b # c\nNATS_USER=\n");
  EXPECT_THAT(read_from(found), ElementsAre("3 TRADING_LEVERAGE=3", "4 LOG_LEVEL=INFO",
                                            "6 ENVIRONMENT=a=b # c", "7 NATS_USER="));
  EXPECT_THAT(said(found.problems), IsEmpty());
  EXPECT_THAT(said(found.warnings), IsEmpty());
  EXPECT_TRUE(found.has_settings());
}

TEST(EnvFile, SaysTheLineOfWhatIsNoSetting) {
  const FoundSettings found = parse_env_file("A=1\nexport B=2\nC\nA=3\nD =1\n");
  EXPECT_THAT(read_from(found), ElementsAre("1 A=1"));
  EXPECT_THAT(said(found.problems),
              ElementsAre(HasSubstr("2 this line: is no NAME=value"), HasSubstr("3 this line"),
                          HasSubstr("4 A: is given twice"), HasSubstr("5 this line")));
  EXPECT_FALSE(found.has_settings());
}

// What is no NAME=value may hold a secret anywhere; a `=` may be of the secret, too.
TEST(EnvFile, NeverQuotesWhatMayBeASecret) {
  for (const char* line : {"NATS_PASSWORD: canary", "export NATS_TOKEN canary",
                           "NATS_PASSWORD canary==", "NATS_TOKEN:canary==", "NATS_PASSWORD\tcanary",
                           "canary", "canary/+==", "'NATS_TOKEN=canary'", "NATS_TOKEN;canary=",
                           "NATS_PASSWORD =canary", "=canary", "NATS_PASSWORD=canary"}) {
    const FoundSettings found = parse_env_file(fmt::format("{0}\n{0}\n", line));
    ASSERT_FALSE(found.problems.empty()) << line;
    for (const std::string& text : said(found.problems)) {
      EXPECT_THAT(text, testing::Not(HasSubstr("canary"))) << line;
    }
  }
  EXPECT_THAT(
      said(parse_env_file("NATS_PASSWORD: canary\n").problems),
      ElementsAre("1 NATS_PASSWORD: is no NAME=value, without blanks around =; write it so."));
}

TEST(EnvFile, WarnsOfQuotesThatArePartOfTheValue) {
  const FoundSettings found =
      parse_env_file("LOG_LEVEL=\"INFO\"\nENVIRONMENT='x'\nFOREIGN='x'\nLOG_FORMAT='\n");
  EXPECT_THAT(said(found.warnings),
              ElementsAre(HasSubstr("1 LOG_LEVEL: the quotes"), HasSubstr("2 ENVIRONMENT: the")));
  EXPECT_THAT(read_from(found), testing::Contains("1 LOG_LEVEL=\"INFO\""));
}

TEST(FoundSettings, KnowTheLineOfWhatLoadingSays) {
  const FoundSettings found =
      parse_env_file("TRADING_LEVERAGE=0\nSIGNAL_COOLDOWN_SECONDS__btcusdt=x\nNATS_USER=a\n");
  EXPECT_EQ(found.line_of("TRADING_LEVERAGE='0': not accepted"), 1U);
  EXPECT_EQ(found.line_of("SIGNAL_COOLDOWN_SECONDS__BTCUSDT='x': not accepted"), 2U);
  EXPECT_EQ(found.line_of("NATS_USER or NATS_USER_FILE: given without"), 3U);
  EXPECT_EQ(found.line_of("ADAUSDT: has no step"), 0U);
  EXPECT_EQ(found.line_of(""), 0U);
}

std::vector<FoundSettings> maps(const std::string& text) {
  return parse_config_maps("x.yaml", text);
}

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(maps(text));
    return "accepted";
  } catch (const CommandError& error) {
    EXPECT_EQ(error.code, ExitCode::bad_input);
    return error.what();
  }
}

TEST(ConfigMaps, AreReadFromAllDocumentsAndNothingElseIs) {
  const auto found = maps(
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  TRADING_LEVERAGE: \"3\"\n"
      "---\nkind: Secret\nmetadata: {name: s}\nstringData: {NATS_TOKEN: x}\n"
      "---\n# nothing\n---\nkind: ConfigMap\nmetadata: {name: two}\ndata: {LOG_LEVEL: INFO}\n"
      "---\nkind: List\nitems:\n- kind: ConfigMap\n  data:\n    A: |\n      b\n      c\n"
      "- kind: Service\n---\nkind: ConfigMap\n---\n- kind\n--- text\n");
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].name, "ConfigMap one");
  EXPECT_THAT(read_from(found[0]), ElementsAre("6 TRADING_LEVERAGE=3"));
  EXPECT_EQ(found[1].name, "ConfigMap two");
  EXPECT_THAT(read_from(found[1]), ElementsAre("16 LOG_LEVEL=INFO"));
  EXPECT_EQ(found[2].name, "ConfigMap without a name");
  EXPECT_THAT(read_from(found[2]), ElementsAre("22 A=b\nc\n"));
  EXPECT_THAT(read_from(found[3]), IsEmpty());
}

// Where Kubernetes takes texts only, and YAML has types.
TEST(ConfigMaps, WithWhatIsNoTextAreComplainedOf) {
  const auto is_text = [](const std::string& value) {
    const auto found = maps(fmt::format("kind: ConfigMap\ndata:\n  X: {}\n", value));
    return found.at(0).problems.empty();
  };
  for (const char* value : {"3",    "-1",  "+1",    "0.5",  "1e3",   ".5",   "5.",  "0x1F",
                            "0o17", "010", "1_000", "true", "False", "YES",  "no",  "on",
                            "Off",  "y",   "N",     ".inf", "-.INF", ".nan", "[1]", "{a: b}"}) {
    EXPECT_FALSE(is_text(value)) << value;
  }
  for (const char* value :
       {"'3'", "\"true\"", "|\n    3", "a", "BTCUSDT:0.001,ETHUSDT:1", "nats://a:4222", "0.0.0.0",
        "'*'", "~", "", "null", "1:2", "--5", "0x", "0xZ", "inf", "1 2", "!!str 3", "yesterday"}) {
    EXPECT_TRUE(is_text(value)) << value;
  }
}

TEST(ConfigMaps, TakeNothingForAnEmptyText) {
  const auto found = maps("kind: ConfigMap\ndata:\n  NATS_CONSUMER_GROUP:\n  B: ~\n  C: ''\n");
  EXPECT_THAT(read_from(found.at(0)), ElementsAre("3 NATS_CONSUMER_GROUP=", "4 B=", "5 C="));
}

TEST(ConfigMaps, AreWarnedOfWithASecretAndRefusedWithAKeyTwice) {
  const auto found =
      maps("kind: ConfigMap\ndata:\n  NATS_TOKEN: canary\n  NATS_TOKEN_FILE: a\n  A: b\n  A: c\n");
  EXPECT_THAT(said(found.at(0).warnings), ElementsAre(HasSubstr("3 NATS_TOKEN: is a secret")));
  EXPECT_THAT(said(found.at(0).problems), ElementsAre(HasSubstr("6 A: is given twice")));
}

// As the API gives it: the items say no kind.
TEST(ConfigMaps, AreReadFromAListOfThem) {
  const auto found = maps(
      "kind: ConfigMapList\nitems:\n- metadata: {name: a}\n  data: {LOG_LEVEL: INFO}\n"
      "- metadata: {name: b}\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "ConfigMap a");
  EXPECT_THAT(read_from(found[0]), ElementsAre("4 LOG_LEVEL=INFO"));
  EXPECT_EQ(found[1].name, "ConfigMap b");
  EXPECT_THAT(refusal("kind: List\nitems:\n- data: {A: b}\n"), HasSubstr("has no ConfigMap"));
}

TEST(ConfigMaps, NeverHaveASecretQuoted) {
  for (const char* data :
       {"{NATS_PASSWORD:canary, A: b}", "{NATS_PASSWORD canary: a}", "{'NATS_TOKEN=canary': a}",
        "{NATS_TOKEN: [canary]}", "[NATS_TOKEN=canary]"}) {
    const auto found = maps(fmt::format("kind: ConfigMap\ndata: {}\n", data));
    const auto problems = said(found.at(0).problems);
    EXPECT_THAT(problems, testing::SizeIs(1)) << data;
    for (const std::string& text : problems) {
      EXPECT_THAT(text, testing::Not(HasSubstr("canary"))) << data;
    }
  }
  for (const char* data :
       {"{NATS_TOKEN: *canary}", "{NATS_TOKEN: \"\\canary\"}", "{NATS_TOKEN: 'canary}"}) {
    EXPECT_THAT(refusal(fmt::format("kind: ConfigMap\ndata: {}\n", data)),
                testing::AllOf(HasSubstr("x.yaml:"), testing::Not(HasSubstr("canary"))));
  }
  EXPECT_THAT(refusal("kind: \"\\%\"\n"), testing::EndsWith("unknown escape character"));
}

TEST(ConfigMaps, OfWhatIsNoneSayWhy) {
  EXPECT_THAT(refusal(""), HasSubstr("x.yaml: has no ConfigMap"));
  EXPECT_THAT(refusal("kind: Secret\n"), HasSubstr("has no ConfigMap"));
  EXPECT_THAT(refusal("just text"), HasSubstr("has no ConfigMap"));
  EXPECT_THAT(refusal("TRADING_LEVERAGE=3\nLOG_LEVEL=INFO\n"), HasSubstr("has no ConfigMap"));
  EXPECT_THAT(refusal("kind: ConfigMap\ndata: {\n"), HasSubstr("x.yaml:3: is no YAML"));
  EXPECT_THAT(refusal("a: *b\n"), HasSubstr("x.yaml:1: is no YAML"));
  EXPECT_THAT(refusal(std::string(200'000, '[')), HasSubstr("is no YAML"));
  // yaml-cpp finds the same empty document there for ever.
  EXPECT_THAT(refusal("kind: ConfigMap\n---\n,\n"), HasSubstr("x.yaml:3: is no YAML"));
  const auto list = maps("kind: ConfigMap\ndata: [a]\n");
  EXPECT_THAT(said(list.at(0).problems), ElementsAre(HasSubstr("2 data: is no mapping")));
}

// Of Jobs and Pods, whichever way the image is told what to run; the first that runs it counts.
TEST(ProvisionArguments, AreThoseOfTheContainerThatRunsIt) {
  const std::string template_of = "spec: {template: {spec: {containers: [";
  const std::string job = "kind: Job\n" + template_of;
  using Words = std::vector<std::string>;
  for (const auto& [text, words] : std::vector<std::pair<std::string, Words>>{
           {job + "{args: [provision, --stream, RTS]}]}}}\n", {"--stream", "RTS"}},
           {job + "{command: [rts, provision], args: [--stream=RTS]}]}}}\n", {"--stream=RTS"}},
           {job + "{args: [check]}, {args: [provision, --replicas, \"3\"]}]}}}\n",
            {"--replicas", "3"}},
           {"kind: Pod\nspec: {containers: [{args: [provision, -x]}]}\n", {"-x"}},
           {"kind: List\nitems:\n- kind: Job\n  " + template_of + "{args: [provision, a]}]}}}\n",
            {"a"}},
           {fmt::format("{0}{1}---\n{0}{2}", job, "{args: [provision, a]}]}}}\n",
                        "{args: [provision, b]}]}}}\n"),
            {"a"}},
           {job + "{args: [provision]}]}}}\n", {}},
           {job + "{args: [run, a]}]}}}\n", {}},
           {"kind: Deployment\n" + template_of + "{args: [provision, a]}]}}}\n", {}},
           {"kind: Job\n", {}},
           {"kind: Job\nspec: {template: text}\n", {}},
           {job + "text, {args: text}, {args: [[provision, a]]}]}}}\n", {}}}) {
    EXPECT_EQ(provision_arguments("x.yaml", text), words) << text;
  }
}

// Each is nine of the one before: written out they would be 10^20 bytes.
TEST(ConfigMaps, AreNotBlownUpByAliases) {
  std::string text = "kind: ConfigMap\na0: &a0 [x]\n";
  for (int i = 1; i < 20; ++i) {
    text += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 9; ++j) text += fmt::format("*a{},", i - 1);
    text += "]\n";
  }
  EXPECT_THAT(read_from(maps(text + "data: {A: *a19}\n").at(0)), IsEmpty());
}

}  // namespace
}  // namespace rts::commands
