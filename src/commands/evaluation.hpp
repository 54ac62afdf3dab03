// What the orders of a recording have come to, as the command line asks for it: its options, and
// how markouts and a paper account are shown as text and written as JSON. No mean is shown without
// its interval. Thread: one.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/json_writer.hpp>
#include <rts/base/symbol.hpp>
#include <rts/engine/engine.hpp>
#include <rts/wire/funding.hpp>

#include "commands/command_line.hpp"
#include "research/order_evaluator.hpp"

namespace rts::commands {

inline constexpr Option kMarkoutsOption{"--markouts", "",
                                        "prices 1 s to 1 h after each order, after costs"};
inline constexpr Option kPaperOption{"--paper", "", "an account that fills every order as a taker"};
inline constexpr Option kEvaluationOption{"--evaluation", "FILE", "write both as JSON"};
inline constexpr Option kFeeOption{"--fee-bp", "X", "fee of a fill, basis points of its worth (4)"};
inline constexpr Option kLatencyOption{"--latency-ms", "N",
                                       "from an order's event to its fill (0)"};
inline constexpr Option kFundingOption{"--funding", "FILE",
                                       "the venue's funding rates; repeatable"};

// By what orders are evaluated: --fee-bp, --latency-ms, --funding.
struct EvaluationTerms {
  research::OrderEvaluator::Terms orders;
  std::vector<wire::FundingEntry> funding{};
};

// Reads the files of --funding. Throws CommandError.
[[nodiscard]] EvaluationTerms evaluation_terms(const Invocation& invocation);

// What the options ask for.
struct EvaluationRequest {
  EvaluationTerms terms;
  bool prints_markouts = false;
  bool prints_paper = false;
  bool is_written = false;
  bool is_reported = false;  // on a page, see ReplayReport
};

// Empty where nothing is asked for. As evaluation_terms().
[[nodiscard]] std::optional<EvaluationRequest> evaluation_request(const Invocation& invocation);

// "1 s", "15 min".
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);
// "too little data": a code as people read it.
[[nodiscard]] std::string words(std::string_view code);
// "+1.20 [-0.30, +2.70]"; without bounds "+1.20 [one block]", without samples "none".
[[nodiscard]] std::string interval_text(const research::Interval& interval);
// {"mean":1.2,"low":-0.3,"high":2.7,"samples":120,"blocks":40}; what is not known is null.
void write_json(JsonWriter& json, const research::Interval& interval);

// As members of an object that is open. Symbols are by number; of markouts that are of all symbols
// together it is empty.
void write_markouts(JsonWriter& json, const research::AccountMarkouts& markouts,
                    const std::vector<Symbol>& symbols);
void write_paper(JsonWriter& json, const research::AccountResult& result);
void write_terms(JsonWriter& json, const EvaluationTerms& terms);

// The evaluation of one engine's decisions.
class Evaluation {
 public:
  explicit Evaluation(EvaluationRequest request);

  // Every decision, in the order of the recording. `symbols` are the engine's.
  void take(const SymbolTable& symbols, const Decision& decision);
  // Once, behind the last decision.
  void finish() { evaluator_.finish(); }

  // What was asked for, on standard error.
  void print() const;
  [[nodiscard]] std::string to_json() const;

  [[nodiscard]] const EvaluationTerms& terms() const noexcept { return request_.terms; }
  [[nodiscard]] const research::OrderEvaluator& evaluator() const noexcept { return evaluator_; }

 private:
  void print_markouts() const;
  void print_paper() const;

  EvaluationRequest request_;
  research::OrderEvaluator evaluator_;
};

}  // namespace rts::commands
