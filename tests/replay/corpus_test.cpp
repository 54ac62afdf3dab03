// Recorded market data and what SPEC gives for it: orders and counts must come out the same. The
// recordings are not part of the repository; where they are absent the tests are skipped.
#include <chrono>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/json_compare.hpp>

#include "commands/input.hpp"
#include "research/order_evaluator.hpp"
#include "support/engine_run.hpp"
#include "support/env_file.hpp"
#include "support/paths.hpp"
#include "support/scratch_files.hpp"

namespace rts {
namespace {

namespace fs = std::filesystem;

fs::path corpus() { return test::corpus_root(); }

struct Case {
  const char* name;  // of the expected files
  const char* recording;
  std::vector<config::Given> settings;

  // gtest names the parameter so, instead of printing its bytes.
  friend void PrintTo(const Case& test_case, std::ostream* out) { *out << test_case.name; }
};

std::vector<Case> cases() {
  const char* const feed = "feed_usdm_20240719.ndjson.gz";
  return {
      {"feed_defaults", feed, {}},
      {"session_defaults", "session_usdm_20240719_first40k.log.gz", {}},
      {"feed_skew0_cooldown60", feed,
       test::given({{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                    {"SIGNAL_COOLDOWN_SECONDS", "60"},
                    {"TICKER_VELOCITY_BUY_THRESHOLD", "0.1"},
                    {"TICKER_VELOCITY_SELL_THRESHOLD", "-0.1"},
                    {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0.02"}})},
      {"feed_no_limits", feed,
       test::given({{"TICKER_VELOCITY_BUY_THRESHOLD", "0.1"},
                    {"TICKER_VELOCITY_SELL_THRESHOLD", "-0.1"},
                    {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0.02"},
                    {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                    {"SIGNAL_COOLDOWN_SECONDS", "0"},
                    {"RISK_MAX_DAILY_SIGNALS", "0"},
                    {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
                    {"TRADING_ENABLE_SHORTS", "false"}})},
      {"relay_skew0", "relay_spot_20240809_first3k.ndjson.gz",
       test::given(
           {{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"}, {"SIGNAL_COOLDOWN_SECONDS", "30"}})},
      {"edge", "edge_frames.tsv", {}},
  };
}

std::vector<std::string> lines_of(const fs::path& path) {
  commands::LineReader reader(path);
  std::vector<std::string> lines;
  while (const auto line = reader.next()) lines.emplace_back(*line);
  EXPECT_EQ(reader.error(), "");
  return lines;
}

// A line of edge_frames.tsv is a label, a TAB and the frame.
std::string_view frame_in(const Case& test_case, std::string_view line) {
  if (!fs::path(test_case.recording).string().ends_with(".tsv")) return line;
  return line.substr(line.find('\t') + 1);
}

// `expected`.orders.ndjson, or that with .gz, and `expected`.counts.json.
void expect_orders_and_counts(const test::EngineRun& run, const fs::path& expected) {
  const fs::path plain = expected.string() + ".orders.ndjson";
  const auto orders = lines_of(fs::exists(plain) ? plain : fs::path(plain.string() + ".gz"));
  ASSERT_EQ(run.orders().size(), orders.size());
  for (std::size_t i = 0; i < orders.size(); ++i) {
    EXPECT_THAT(wire::json_differences(orders[i], run.orders()[i]), testing::IsEmpty())
        << "order " << i + 1;
  }
  const std::string counts = test::read_file(expected.string() + ".counts.json");
  EXPECT_THAT(wire::json_differences(counts, run.tally().to_json(), 100), testing::IsEmpty());
  EXPECT_EQ(test::accounted_events(run.tally()), run.tally().events());
}

class Corpus : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (fs::exists(corpus() / GetParam().recording)) return;
    GTEST_SKIP() << "no recordings at " << corpus() << "; set RTS_CORPUS to their folder";
  }
};

TEST_P(Corpus, GivesTheExpectedOrdersAndCounts) {
  const Case& test_case = GetParam();
  test::EngineRun run(test::configured(test_case.settings));
  commands::LineReader reader(corpus() / test_case.recording);
  while (const auto line = reader.next()) run.line(frame_in(test_case, *line));
  EXPECT_EQ(reader.error(), "");
  expect_orders_and_counts(run, corpus() / "expected" / test_case.name);
}

// What orders of a real market come to: every number is one, and every order is accounted for.
TEST_P(Corpus, OrdersComeToNumbersThatAddUp) {
  const Case& test_case = GetParam();
  Engine engine(
      config::engine_parameters(test::configured(test_case.settings).settings, Clock::replay));
  research::OrderEvaluator evaluator({.latency = std::chrono::milliseconds{100}}, 1);
  commands::LineReader reader(corpus() / test_case.recording);
  std::uint64_t orders = 0;
  while (const auto line = reader.next()) {
    const auto recorded = wire::parse_recorded_line(frame_in(test_case, *line));
    if (!recorded) continue;
    for (const EventRecord& record : engine.step(recorded->frame, recorded->received_at).events) {
      const Decision* decision = record.decision();
      if (decision == nullptr) continue;
      evaluator.see(decision->symbol_index, decision->at, decision->quote);
      if (!decision->order) continue;
      evaluator.take(research::account_order(0, *decision));
      ++orders;
    }
  }
  evaluator.finish();
  std::uint64_t evaluated = 0;
  for (const auto& group : evaluator.markouts().result(0).groups) {
    evaluated += group.orders;
    for (const auto& [estimate, unknown, without_spread, block_length, edge] : group.horizons) {
      EXPECT_EQ(estimate.gross.samples + unknown, group.orders);
      for (const auto& interval : {estimate.gross, estimate.net, estimate.hit_rate}) {
        EXPECT_TRUE(std::isfinite(interval.mean));
        EXPECT_LE(interval.low, interval.mean);
        EXPECT_LE(interval.mean, interval.high);
      }
    }
  }
  EXPECT_EQ(evaluated, orders);
  const auto paper = evaluator.paper()->result(0);
  EXPECT_EQ(paper.total.orders + paper.unfilled, orders);
  EXPECT_TRUE(std::isfinite(paper.equity));
  EXPECT_NEAR(paper.total.equity(), paper.equity, 1e-9 * paper.total.turnover);
}

// Small inputs after public reports of people who run such services: each gave an order that nobody
// should send, or none where one was due.
TEST(FieldReports, EachGivesTheExpectedOrdersAndCounts) {
  const fs::path folder = corpus() / "field";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << "no field reports at " << folder << "; set RTS_CORPUS to the folder above";
  }
  int reports = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".env") continue;
    const fs::path report = fs::path(entry.path()).replace_extension();
    SCOPED_TRACE(report.filename().string());
    test::EngineRun run(test::configured(test::env_file(entry.path())));
    run.lines(lines_of(report.string() + ".ndjson"));
    expect_orders_and_counts(run, report);
    ++reports;
  }
  EXPECT_GT(reports, 0);
}

INSTANTIATE_TEST_SUITE_P(Recordings, Corpus, testing::ValuesIn(cases()),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace rts
