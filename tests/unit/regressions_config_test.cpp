// Bugs that were found in settings, rendering, input and replay: each test is named after one and
// quotes the sentence it stands on.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/config/render.hpp>
#include <rts/config/settings.hpp>

#include "commands/command_line.hpp"
#include "commands/input.hpp"
#include "support/engine_run.hpp"
#include "support/market_text.hpp"
#include "support/scratch_files.hpp"

namespace rts {
namespace {

using test::given;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

config::Problems problems_of(const std::vector<config::Given>& environment) {
  const auto loaded = config::load(environment, {});
  return loaded ? config::Problems{} : loaded.error();
}

std::string shown(const std::vector<config::Given>& environment) {
  const auto loaded = config::load(environment, {});
  if (!loaded) return testing::PrintToString(loaded.error());
  return render(loaded.value(), config::Format::text) +
         render(loaded.value(), config::Format::json);
}

// SPEC §5: "comma list; userinfo is a secret".
TEST(RegressionConfig, APasswordWithACommaIsNotShown) {
  EXPECT_THAT(shown(given({{"NATS_URL", "nats://user:canary,rest@host:4222"}})),
              Not(HasSubstr("canary")));
  EXPECT_THAT(shown(given({{"NATS_URL", "nats://user:1234,rest@host:4222"}})),
              Not(HasSubstr("1234")));
}

// SPEC §5: "userinfo is a secret".
TEST(RegressionConfig, APasswordWithASchemeInItIsNotShown) {
  EXPECT_THAT(shown(given({{"NATS_URL", "user:canary://x@host:4222"}})), Not(HasSubstr("canary")));
}

// SPEC §5: "Every bad value is reported at once".
TEST(RegressionConfig, ARuleAcrossSettingsIsReportedTogetherWithABadValueElsewhere) {
  const auto problems = problems_of(given({{"LOG_LEVEL", "LOUD"},
                                           {"TRADING_MIN_POSITION_SIZE", "5000"},
                                           {"ORDERBOOK_SKEW_SELL_THRESHOLD", "2"}}));
  EXPECT_THAT(problems, Contains(StartsWith("LOG_LEVEL=")));
  EXPECT_THAT(problems, Contains(StartsWith("TRADING_MIN_POSITION_SIZE=")));
  EXPECT_THAT(problems, Contains(StartsWith("ORDERBOOK_SKEW_SELL_THRESHOLD=")));
}

// SPEC §5: "an unknown name with one of our prefixes is an error that names the nearest known one".
// Someone who writes DRY_RUN=true believes that nothing is published.
TEST(RegressionConfig, AMisspeltDryRunIsRefused) {
  EXPECT_THAT(problems_of(given({{"DRY_RUN", "true"}})), Contains(HasSubstr("DRY_RUN_MODE")));
  EXPECT_THAT(problems_of(given({{"CONTROL_TOPICS", "x"}})), Contains(HasSubstr("CONTROL_TOPIC?")));
}

// SPEC §5: "names the nearest known one"; MESSAGE_TTL is the beginning of one.
TEST(RegressionConfig, TheNearestNameOfABeginningIsTheNameThatBeginsSo) {
  EXPECT_THAT(problems_of(given({{"MESSAGE_TTL", "60"}})),
              Contains(HasSubstr("did you mean MESSAGE_TTL_SECONDS?")));
}

// render.hpp: "env: a file for `env` or docker". Docker takes NAME=value as it stands, quotes
// included, and '*' in quotes is then a symbol that nobody trades.
TEST(RegressionConfig, EnvOutputIsReadByDockerAsItWasMeant) {
  const auto configuration = test::configured(
      {{"TRADING_SYMBOLS", "*"}, {"NATS_CONSUMER_TOPIC", "binance.>"}, {"ENVIRONMENT", "a b"}});
  std::istringstream text(render(configuration, config::Format::env));
  std::vector<config::Given> environment;
  for (std::string line; std::getline(text, line);) {
    const std::size_t equals = line.find('=');
    environment.push_back({line.substr(0, equals), line.substr(equals + 1)});
  }
  EXPECT_EQ(test::row_texts(test::configured(environment)), test::row_texts(configuration));
}

// What is exported is fed back: a URL without its password would connect as the user "***".
TEST(RegressionConfig, ABrokerUrlWithAPasswordIsSaidInsteadOfExported) {
  const auto configuration = test::configured({{"NATS_URL", "nats://u:canary@host:4222"}});
  for (const auto format : {config::Format::env, config::Format::configmap}) {
    const std::string text = render(configuration, format);
    EXPECT_THAT(text, HasSubstr("# NATS_URL holds a secret"));
    EXPECT_THAT(text, Not(testing::AnyOf(HasSubstr("canary"), HasSubstr("NATS_URL="),
                                         HasSubstr("NATS_URL:"), HasSubstr("***"))));
  }
}

// SPEC §5 "docs/CONFIGURATION.md": a bar inside a cell is a fifth column.
TEST(RegressionConfig, MarkdownRowsHaveFourCells) {
  std::istringstream text(render(test::configured({}), config::Format::markdown));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("| `")) continue;
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++bars;
    }
    EXPECT_EQ(bars, 5U) << line;
  }
}

std::string numbered_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("{:09}\n", i);
  return text;
}

// What a reader gets of a file, and what it says at the end.
struct Read {
  std::string text, error;
};
Read read_all(const std::string& path) {
  commands::LineReader reader(path);
  Read read;
  while (const auto line = reader.next()) read.text.append(*line).append("\n");
  read.error = reader.error();
  return read;
}

// SPEC §2: recordings are "optionally gzip or zstd". The writer of this one was killed after a
// flush: all of its blocks are whole, yet the decoded bytes that did not fit the reader's buffer of
// 262,144 stay inside the decompressor when the file ends.
TEST(RegressionInput, AZstdRecordingWithoutItsEndIsReadUpToTheLastFlush) {
  const test::ScratchFiles files;
  const std::string text = numbered_lines(30'000);
  const std::string whole = test::zstd(text + "x", 100'000);
  const std::string without_last_block = whole.substr(0, whole.size() - 4);
  const Read read = read_all(files.write("recording.zst", without_last_block));
  EXPECT_THAT(read.error, HasSubstr("truncated"));
  EXPECT_EQ(read.text.size(), text.size());
}

// SPEC §7: exit code "65 bad input data". An expected file that is not there is no comparison that
// failed, and the line that says so must not drown in a dozen "unexpected" orders.
TEST(RegressionReplay, AnExpectedFileThatCannotBeReadIsBadInputAndIsSaid) {
  const test::ScratchFiles files;
  std::string recording;
  for (int i = 1; i <= 12; ++i) recording += test::BookText{.id = i}.frame() + "\n";
  const std::vector<std::string> words{"replay",
                                       "--quiet",
                                       "--expect",
                                       files.path("missing"),
                                       "--orders",
                                       files.path("orders"),
                                       files.write("recording", recording)};
  const auto invocation = commands::parse_command_line(words);
  testing::internal::CaptureStderr();
  const auto code = commands::run_command(
      invocation,
      test::configured({{"SIGNAL_COOLDOWN_SECONDS", "0"}, {"RISK_PRICE_BAND_PERCENT", "0"}}));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("No such file"));
  EXPECT_EQ(code, ExitCode::bad_input);
}

// frame.hpp: "frames of any content are safe"; engine.hpp: "it may be anything". A default
// string_view has no data at all, and memcpy may not be given a null pointer (UBSan says so).
TEST(RegressionEngine, AFrameOfNothingIsMalformed) {
  test::EngineRun run(test::configured({}));
  run.frame(std::string_view{});
  EXPECT_EQ(run.last(), "malformed");
}

}  // namespace
}  // namespace rts
