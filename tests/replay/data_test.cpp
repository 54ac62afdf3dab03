// The hand-made recordings of tests/data. Each frame says in its "_note" how its events end, as a
// reader of SPEC expects it; orders and counts are compared byte for byte with the files beside it.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/input.hpp"
#include "support/engine_run.hpp"
#include "support/env_file.hpp"
#include "support/paths.hpp"
#include "support/scratch_files.hpp"

namespace rts {
namespace {

namespace fs = std::filesystem;

fs::path data() { return fs::path(test::source_root()) / "tests/data"; }

// {"_note":"warming_up, out_of_order: an array"} → the two names. Empty without a note.
std::vector<std::string> noted_fates(std::string_view line) {
  constexpr std::string_view kKey = R"("_note":")";
  const std::size_t at = line.find(kKey);
  if (at == std::string_view::npos) return {};
  std::string_view note = line.substr(at + kKey.size());
  note = note.substr(0, note.find(':'));
  std::vector<std::string> fates;
  for (;;) {
    const std::size_t comma = note.find(", ");
    fates.emplace_back(note.substr(0, comma));
    if (comma == std::string_view::npos) return fates;
    note.remove_prefix(comma + 2);
  }
}

struct Replayed {
  std::string orders, counts;
  Tally tally;
  int wrong_notes = 0;
};

// One recording; compares each line's note with how its events really ended.
Replayed replayed(const std::string& name) {
  const auto configuration = test::configured(test::env_file(data() / (name + ".env")));
  Engine engine(config::engine_parameters(configuration.settings, Clock::replay));
  Replayed result;
  const fs::path plain = data() / (name + ".ndjson");
  commands::LineReader reader(fs::exists(plain) ? plain : fs::path(plain.string() + ".gz"));
  for (int number = 1; const auto line = reader.next(); ++number) {
    const auto recorded = wire::parse_recorded_line(*line);
    if (!recorded) continue;
    const Step step = engine.step(recorded->frame, recorded->received_at);
    result.tally.add(step);
    std::vector<std::string> fates;
    for (const EventRecord& record : step.events) {
      const Decision* decision = record.decision();
      fates.emplace_back(decision == nullptr ? to_string(*record.reason())
                                             : to_string(decision->outcome));
      if (decision == nullptr || !decision->order) continue;
      const auto format = configuration.settings.delivery.format;
      const std::size_t begin = result.orders.size();
      append_json(result.orders, *decision->order, format);
      EXPECT_EQ(test::schema_error(std::string_view(result.orders).substr(begin), format), "");
      result.orders += '\n';
    }
    const auto expected = noted_fates(*line);
    if (!expected.empty()) {
      EXPECT_EQ(fates, expected) << name << ", line " << number << ": " << line->substr(0, 300);
    }
  }
  EXPECT_EQ(reader.error(), "");
  result.counts = result.tally.to_json();
  return result;
}

constexpr const char* kRecordings[] = {"intake",  "outcomes",      "paused",
                                       "closing", "signal_format", "large"};

class RecordingOfOurs : public testing::TestWithParam<const char*> {};

// RTS_UPDATE_DATA=1 writes the expected files anew; read the difference before believing it.
TEST_P(RecordingOfOurs, GivesTheExpectedOrdersAndCounts) {
  const Replayed result = replayed(GetParam());
  const fs::path orders = data() / fmt::format("{}.orders.ndjson", GetParam());
  const fs::path counts = data() / fmt::format("{}.counts.json", GetParam());
  if (std::getenv("RTS_UPDATE_DATA") != nullptr) {
    std::ofstream(orders, std::ios::binary) << result.orders;
    std::ofstream(counts, std::ios::binary) << result.counts;
  }
  EXPECT_EQ(result.orders, test::read_file(orders));
  EXPECT_EQ(result.counts, test::read_file(counts));
  EXPECT_EQ(test::accounted_events(result.tally), result.tally.events());
}

INSTANTIATE_TEST_SUITE_P(All, RecordingOfOurs, testing::ValuesIn(kRecordings),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(RecordingsOfOurs, ShowEveryReasonOfAReplayAndEveryOutcome) {
  std::set<std::string> missing;
  for (const Reason reason : all_of<Reason>) missing.emplace(to_string(reason));
  for (const Outcome outcome : all_of<Outcome>) {
    missing.emplace(to_string(outcome));
  }
  for (const char* name : kRecordings) {
    const Tally tally = replayed(name).tally;
    for (const Reason reason : all_of<Reason>) {
      if (tally.count(reason) > 0) missing.erase(std::string(to_string(reason)));
    }
    for (const StrategyId strategy : all_of<StrategyId>) {
      for (const Outcome outcome : all_of<Outcome>) {
        if (tally.count(strategy, outcome) > 0) missing.erase(std::string(to_string(outcome)));
      }
    }
  }
  EXPECT_THAT(missing, testing::ElementsAre("future", "simulated", "stale"))
      << "those three are live only";
}

}  // namespace
}  // namespace rts
