// What `sweep` says: its table, CSV, JSON and the settings that it has chosen. Texts only; nothing
// is written here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rts/base/json_writer.hpp>
#include <rts/base/time.hpp>
#include <rts/config/settings.hpp>

#include "commands/evaluation.hpp"
#include "research/scoreboard.hpp"
#include "research/sweep.hpp"
#include "research/variation.hpp"
#include "research/walk_forward.hpp"

namespace rts::commands {

// "1s" … "60m", by place in research::kHorizons.
inline constexpr std::array<std::string_view, research::kHorizons.size()> kHorizonNames{
    "1s", "10s", "1m", "5m", "15m", "60m"};

// Orders a day that are wanted, both included.
struct Target {
  double least = 0, most = 0;
};

struct SweepPlan {
  std::vector<research::Variation> variations{};
  std::optional<std::uint64_t> drawn{};  // at random, so many; else all of them
  std::uint64_t seed = 1;
  research::Objective by = research::Objective::pnl;
  std::size_t horizon = 2;  // of research::kHorizons
  std::optional<Target> target{};
  std::optional<research::WalkForwardPlan> walk_forward{};
  std::chrono::seconds period{0};  // that walk_forward counts in
  std::size_t top = 20;
  std::size_t threads = 1;
  EvaluationTerms evaluation{};
  bool is_reported = false;  // on a page, see SweepReport
};

struct SweepResult {
  const config::Configuration& configuration;
  const SweepPlan& plan;
  const std::vector<research::Trial>& trials;  // the first has the settings as they are
  std::vector<research::Score> ranked{};       // best first; with a target those that meet it first
  std::size_t meeting = 0;                     // of these, how many meet the target
  research::WalkForward walk_forward{};
  std::optional<std::pair<UnixMs, UnixMs>> span{};  // event time
  std::uint64_t frames = 0, events = 0, refused = 0;
  std::uint64_t invalid = 0;        // combinations that the settings' rules refuse
  std::string first_invalid{};      // why the first is
  std::uint64_t log_entries = 0;    // of the recordings, which were passed over
  std::optional<double> read_part;  // of the recordings, where it was interrupted

  // Of event time.
  [[nodiscard]] double days() const noexcept;
  [[nodiscard]] double orders_a_day(const research::Score& score) const noexcept;
};

// The value that a trial has of a setting that is varied: its own, or as it is configured.
[[nodiscard]] std::string value_in(const SweepResult& result, const research::Trial& trial,
                                   const std::string& name);

[[nodiscard]] std::string sweep_table(const SweepResult& result);
[[nodiscard]] std::string sweep_csv(const SweepResult& result);
[[nodiscard]] std::string sweep_json(const SweepResult& result);
// What sweep_json() has of one trial, and of the walk-forward that was asked for.
void write_score(JsonWriter& json, const SweepResult& result, const research::Score& score);
void write_walk_forward(JsonWriter& json, const SweepResult& result);
// Settings of the best trial, as `check FILE.env` and `replay` take them; each with its evidence.
// Precondition: something is ranked.
[[nodiscard]] std::string sweep_env(const SweepResult& result);

}  // namespace rts::commands
