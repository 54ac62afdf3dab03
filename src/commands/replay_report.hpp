// The report of a replay: what is collected for it along the recordings, and its document. Memory
// is bounded, whatever their length. Thread: its owner's, but for the sweep's of the sensitivity.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/json_writer.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/wire/frame.hpp>

#include "commands/command_line.hpp"
#include "commands/evaluation.hpp"
#include "research/data_quality.hpp"
#include "research/decision_counts.hpp"
#include "research/sensitivity.hpp"
#include "research/symbol_numbers.hpp"

namespace rts::commands {

// Whether the orders of a replay were worth it.
struct ReportVerdict {
  research::Edge edge = research::Edge::too_little_data;
  std::string sentence;
};
// By the best of all means that have enough blocks of time. Where one has an edge, the one whose
// interval is highest. Example: "More came back than it cost: orders of trade momentum after 1 min
// gave +3.21 bp (95 %: +1.02 to +5.40) after costs of 8.90 bp."
[[nodiscard]] ReportVerdict verdict_of(const research::AccountMarkouts& markouts);

// Which other value of a setting would have let one event more through.
struct Hint {
  std::string setting;          // NAME, or NAME__SYMBOL
  std::string_view comparison;  // "below", "above", "of at most" or "of at least"
  std::string value;            // rounded so that the sentence stays true
  std::string_view gives;       // "would have given a signal more"

  [[nodiscard]] std::string sentence() const;
};
// Empty where no value that the setting takes would have. `nearest`: by which the events of this
// end missed the limit least. `side`: of a score that was neutral, the threshold that is meant.
[[nodiscard]] std::optional<Hint> hint_of(StrategyId strategy, Outcome outcome, Side side,
                                          const research::Miss& nearest,
                                          const config::Configuration& configuration);

class ReplayReport {
 public:
  // All outlive it.
  ReplayReport(const Invocation& invocation, const std::vector<std::string>& recordings,
               const config::Configuration& configuration, const EvaluationTerms& terms);

  // Each frame, for the other settings that are tried on it.
  void read(const wire::RecordedFrame& frame) { sensitivity_.read(frame); }
  // And each decision, in the order of the recording. `symbols` are the engine's.
  void take(const SymbolTable& symbols, const Decision& decision);
  // Once, behind the last.
  void finish() { sensitivity_.finish(); }

  struct Outcomes {
    const Tally& tally;
    const Evaluation& evaluation;
    std::uint64_t log_entries = 0;
  };
  // After finish(). Some seconds of work.
  [[nodiscard]] std::string document(const Outcomes& outcomes) const;

 private:
  void append_hours(JsonWriter& json) const;
  void append_funnel(JsonWriter& json, const Tally& tally) const;
  void append_outcome(JsonWriter& json, StrategyId strategy, Outcome outcome,
                      std::uint64_t count) const;
  void append_indicators(JsonWriter& json) const;
  void append_sensitivity(JsonWriter& json) const;
  void append_nudge(JsonWriter& json, const research::Nudge& nudge) const;

  const Invocation& invocation_;
  const std::vector<std::string>& recordings_;
  const config::Configuration& configuration_;
  research::SymbolNumbers numbers_;
  research::DataQuality quality_;
  research::DecisionCounts counts_;
  research::Sensitivity sensitivity_;
};

}  // namespace rts::commands
