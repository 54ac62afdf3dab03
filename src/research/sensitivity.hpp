// Sensitivity: what the orders would have come to with one setting a tenth smaller or larger, and
// all others as they are. Each is a trial of a sweep over the same frames. Thread: its owner's, but
// for the sweep's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rts/config/settings.hpp>
#include <rts/wire/frame.hpp>

#include "research/scoreboard.hpp"
#include "research/sweep.hpp"

namespace rts::research {

// A value of a setting that is a tenth off.
struct Nudge {
  std::string text;       // of the value, within what the rule allows
  bool differs = false;   // from the value as it is, which rounding and the rule may undo
  std::string refused{};  // why the settings do not go together so; empty: they do
  std::optional<std::size_t> trial;  // empty: it is not tried
};

// A live setting that is a number, or a symbol's own value of one.
struct NudgedSetting {
  std::string name;
  std::string text;             // as it is
  std::array<Nudge, 2> nudges;  // 0.9 and 1.1 times that
};

// value · factor as a setting's text, in what its rule allows: whole numbers are rounded to the
// nearest, others to six digits that count. Example: of 900, 810; of 0.7 with the most of 1, 0.77.
// Empty when the rule is not that of a number.
[[nodiscard]] std::optional<std::string> scaled(const config::Rule& rule, std::string_view text,
                                                double factor);

class Sensitivity {
 public:
  // Of more settings than that the rest is left out: symbols' own values may be many.
  static constexpr std::size_t kMaxSettings = 120;
  static constexpr std::size_t kHorizon = 2;  // of kHorizons: a minute

  Sensitivity(const config::Configuration& configuration, const OrderEvaluator::Terms& terms);

  // The next frame of the recordings.
  void read(const wire::RecordedFrame& frame) { sweep_->read(frame); }
  void finish();

  [[nodiscard]] const std::vector<NudgedSetting>& settings() const noexcept { return settings_; }
  // After finish(): of a trial; 0 has the settings as they are.
  [[nodiscard]] Score score(std::size_t trial) const { return scoreboard_->score(trial, kHorizon); }
  [[nodiscard]] std::size_t trials() const noexcept { return trials_.size(); }

 private:
  void add(const config::Configuration& configuration, const config::Value& value);

  std::vector<NudgedSetting> settings_;
  std::vector<Trial> trials_;
  std::optional<Scoreboard> scoreboard_;
  std::optional<Sweep> sweep_;
};

}  // namespace rts::research
