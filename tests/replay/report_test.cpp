// `replay --report` and `sweep --report`: the document on the page says what the engine and the
// other outputs say, and what it advises comes true.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/base/text.hpp>
#include <rts/config/render.hpp>

#include "commands/command_line.hpp"
#include "support/engine_run.hpp"
#include "support/rapidjson.hpp"
#include "support/scratch_files.hpp"
#include "support/seeded_market.hpp"

namespace rts::commands {
namespace {

using testing::HasSubstr;

std::vector<config::Given> lively() {
  return test::given({{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                      {"SIGNAL_COOLDOWN_SECONDS", "5"},
                      {"RISK_MAX_DAILY_SIGNALS", "60"},
                      {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
                      {"TICKER_VELOCITY_TIME_WINDOW", "20"},
                      {"TRADE_MOMENTUM_WINDOW", "10"}});
}

class Report : public testing::Test {
 protected:
  // The document of the page that this command writes.
  rapidjson::Document document_of(const std::string& command,
                                  const std::vector<std::string>& options = {}) {
    std::vector<std::string> words{command,    "--quiet",   "--force",
                                   "--report", page_path(), recording_path()};
    words.insert(words.end(), options.begin(), options.end());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const ExitCode code = run_command(parse_command_line(words), test::configured(lively()));
    testing::internal::GetCapturedStdout();
    const std::string messages = testing::internal::GetCapturedStderr();
    EXPECT_EQ(code, ExitCode::ok) << messages;
    const std::string page = test::read_file(page_path());
    const std::string begin = R"(id="document">)";
    const std::size_t from = page.find(begin) + begin.size();
    rapidjson::Document document;
    document.Parse(page.substr(from, page.find("</script", from) - from).c_str());
    EXPECT_FALSE(document.HasParseError());
    return document;
  }

  // The same recording by settings of which one is another.
  [[nodiscard]] Tally tally_with(const std::string& name, const std::string& value) const {
    std::vector<config::Given> settings = lively();
    std::erase_if(settings, [&](const config::Given& given) { return given.name == name; });
    if (!name.empty()) settings.push_back({name, value});
    test::EngineRun run(test::configured(settings));
    run.lines(frames_);
    return run.tally();
  }

  [[nodiscard]] std::string recording_path() const { return files_.path("recording"); }
  [[nodiscard]] std::string page_path() const { return files_.path("report.html"); }

 private:
  std::string text() const {
    std::string text;
    for (const std::string& frame : frames_) text += frame + "\n";
    return text;
  }

  test::ScratchFiles files_;
  std::vector<std::string> frames_ = test::SeededMarket(1).frames(3'000);
  std::string recording_ = files_.write("recording", text());
};

std::uint64_t orders_in(const Tally& tally) {
  std::uint64_t orders = 0;
  for (const StrategyId strategy : all_of<StrategyId>) {
    orders += tally.count(strategy, Outcome::signal_buy);
    orders += tally.count(strategy, Outcome::signal_sell);
  }
  return orders;
}

std::uint64_t sum_of(const rapidjson::Value& numbers) {
  std::uint64_t sum = 0;
  for (const auto& number : numbers.GetArray()) sum += number.GetUint64();
  return sum;
}

TEST_F(Report, OfAReplayCountsWhatTheEngineCounts) {
  const auto document = document_of("replay", {"--orders", "/dev/null"});
  const Tally tally = tally_with("", "");
  EXPECT_STREQ(document["kind"].GetString(), "replay");
  const auto& quality = document["quality"];
  EXPECT_EQ(quality["frames"].GetUint64(), tally.frames());
  EXPECT_EQ(quality["events"].GetUint64(), tally.events());
  std::uint64_t accounted = 0;
  for (const auto& refused : quality["refused"].GetArray())
    accounted += refused["events"].GetUint64();
  for (const StrategyId strategy : all_of<StrategyId>) {
    const auto& funnel = document["funnel"][std::string(to_string(strategy)).c_str()];
    EXPECT_EQ(funnel["events"].GetUint64(), tally.events(strategy));
    for (const auto& row : funnel["outcomes"].GetArray()) accounted += row["events"].GetUint64();
    const auto& hours = document["hours"][std::string(to_string(strategy)).c_str()];
    EXPECT_EQ(sum_of(hours["orders"]), tally.count(strategy, Outcome::signal_buy) +
                                           tally.count(strategy, Outcome::signal_sell));
    EXPECT_EQ(sum_of(hours["cut"]), tally.count(strategy, Outcome::daily_limit));
  }
  EXPECT_EQ(accounted, tally.events());
  std::uint64_t of_symbols = 0;
  for (const auto& symbol : quality["symbols"].GetArray())
    of_symbols += symbol["events"].GetUint64();
  EXPECT_EQ(of_symbols, tally.events());  // nothing is refused in this market
  std::uint64_t ordered = 0;
  for (const auto& group : document["markouts"]["groups"].GetArray()) {
    ordered += group["orders"].GetUint64();
  }
  EXPECT_EQ(ordered, orders_in(tally));
  EXPECT_GT(document["paper"]["curve"].Size(), 1U);
}

TEST_F(Report, SaysHowToGetItAgainByTheHashThatTheServiceHas) {
  const auto document = document_of("replay", {"--orders", "/dev/null"});
  const auto& made = document["made"];
  EXPECT_EQ(std::string(made["settings_hash"].GetString()),
            config::fingerprint(test::configured(lively())));
  EXPECT_THAT(made["command"].GetString(), HasSubstr(" --signal-cooldown-seconds=5 "));
  EXPECT_STREQ(made["settings"]["SIGNAL_COOLDOWN_SECONDS"]["origin"].GetString(), "environment");
}

// Each hint is followed: then there is more of what it promises, and less of the end it is about.
TEST_F(Report, WhatAHintPromisesComesTrue) {
  const auto document = document_of("replay", {"--orders", "/dev/null"});
  const Tally before = tally_with("", "");
  std::size_t followed = 0;
  for (const StrategyId strategy : all_of<StrategyId>) {
    const auto& funnel = document["funnel"][std::string(to_string(strategy)).c_str()];
    for (const auto& row : funnel["outcomes"].GetArray()) {
      const std::string end = row["outcome"].GetString();
      const auto outcome =
          std::ranges::find_if(all_of<Outcome>, [&](Outcome one) { return to_string(one) == end; });
      for (const auto& hint : row["hints"].GetArray()) {
        const std::string sentence = hint["sentence"].GetString();
        double value = *parse_as<double>(hint["value"].GetString());
        // Beyond the value where it says below or above, else at it.
        if (sentence.find(" below ") != std::string::npos) value -= 1e-6 * std::abs(value);
        if (sentence.find(" above ") != std::string::npos) value += 1e-6 * std::abs(value);
        const Tally after = tally_with(hint["setting"].GetString(), fmt::format("{:.12g}", value));
        EXPECT_LT(after.count(strategy, *outcome), before.count(strategy, *outcome)) << sentence;
        ++followed;
      }
    }
  }
  EXPECT_GE(followed, 8U);
}

TEST_F(Report, SensitivityIsWhatAReplayWithThatSettingGives) {
  const auto document = document_of("replay", {"--orders", "/dev/null"});
  const auto& sensitivity = document["sensitivity"];
  EXPECT_EQ(sensitivity["configured"]["orders"].GetUint64(), orders_in(tally_with("", "")));
  std::size_t tried = 0, refused = 0, same = 0;
  for (const auto& setting : sensitivity["settings"].GetArray()) {
    for (const auto& nudge : setting["nudges"].GetArray()) {
      const std::string state = nudge["state"].GetString();
      if (state == "refused") ++refused;
      if (state == "same") ++same;
      if (state != "tried") continue;
      ++tried;
      const Tally tally = tally_with(setting["setting"].GetString(), nudge["value"].GetString());
      EXPECT_EQ(nudge["orders"].GetUint64(), orders_in(tally)) << setting["setting"].GetString();
    }
  }
  EXPECT_GE(tried, 30U);
  EXPECT_EQ(refused, 6U);  // the weights of trade_momentum sum to 1
  EXPECT_GE(same, 2U);     // a value of 0 stays 0
}

TEST_F(Report, OfASweepSaysTheBestAndHowManyWereTried) {
  const auto document =
      document_of("sweep", {"--vary", "SIGNAL_COOLDOWN_SECONDS=1,5,60", "--vary",
                            "TRADE_MOMENTUM_BUY_THRESHOLD=0.5,0.7", "--walk-forward",
                            "train=2m,test=1m", "--threads", "2"});
  EXPECT_STREQ(document["kind"].GetString(), "sweep");
  EXPECT_EQ(document["trials"].GetUint64(), 7U);
  EXPECT_THAT(document["verdict"]["sentence"].GetString(), HasSubstr("the best of 7 settings"));
  EXPECT_EQ(document["quality"]["events"].GetUint64(), 3'000U);
  EXPECT_EQ(document["quality"]["symbols"].Size(), 2U);
  ASSERT_EQ(document["ranked"].Size(), 7U);
  const auto& best = document["ranked"][0]["score"];
  for (const auto& one : document["ranked"].GetArray()) {
    EXPECT_LE(one["score"]["pnl"].GetDouble(), best["pnl"].GetDouble());
    const std::string cooldown = one["score"]["values"]["SIGNAL_COOLDOWN_SECONDS"].GetString();
    if (one["score"]["trial"].GetUint64() == 0) continue;
    std::uint64_t found = 0;
    for (const auto& cell : document["heat_map"]["cells"].GetArray()) {
      const auto& labels = document["heat_map"]["x"]["labels"];
      if (cell["trial"] != one["score"]["trial"]) continue;
      EXPECT_EQ(cell["value"].GetDouble(), one["score"]["pnl"].GetDouble());
      EXPECT_EQ(std::string(labels[cell["x"].GetUint()].GetString()), cooldown);
      ++found;
    }
    EXPECT_EQ(found, 1U);
  }
  EXPECT_EQ(sum_of(best["orders_by_hour"]), best["orders"].GetUint64());
  EXPECT_GE(document["walk_forward"]["folds"].Size(), 3U);
}

TEST_F(Report, DoesNotOverwriteWhatIsThere) {
  document_of("replay", {"--orders", "/dev/null"});
  const std::string before = test::read_file(page_path());
  for (const std::string command : {"replay", "sweep"}) {
    std::vector<std::string> words{command, "--report", page_path(), recording_path()};
    if (command == "sweep") words.insert(words.end(), {"--vary", "SIGNAL_COOLDOWN_SECONDS=1,5"});
    testing::internal::CaptureStderr();
    const ExitCode code = run_command(parse_command_line(words), test::configured(lively()));
    EXPECT_NE(code, ExitCode::ok);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--force"));
    EXPECT_EQ(test::read_file(page_path()), before);
  }
}

}  // namespace
}  // namespace rts::commands
