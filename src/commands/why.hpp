// `replay --why SYMBOL@TIME`: what each strategy made of a symbol around a moment, what the gate
// knew then, and what was refused beside it. Fed with what the engine is fed with and with what it
// says; bounded, whatever the recording. One thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <rts/base/json_writer.hpp>
#include <rts/config/explanation.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/history.hpp>
#include <rts/trading/order_memory.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

struct Moment {
  Symbol symbol;
  UnixMs at;
};

// "BTCUSDT@2024-07-19T12:03:11": ISO 8601, in UTC where it has no offset; or ms since 1970. Throws
// CommandError.
[[nodiscard]] Moment parse_moment(const std::string& text);

// What has come of a moment.
struct Answer {
  // Orders of the replay count as what they are: decided, not sent.
  struct OfStrategy {
    std::optional<PastDecision> before;  // the last decision at the moment or before it
    std::optional<PastDecision> after;   // and the first one behind it
    bool is_paused = false;
    std::array<std::optional<UnixMs>, count_of<Side>> last_order{};
    std::int64_t orders_of_day = 0;
  };
  // Events that ended alike.
  struct Refusals {
    bool is_known_symbol = true;  // else the symbol had not been looked at when they were refused
    EventKind kind = EventKind::unknown;
    Reason reason = Reason::malformed;
    std::uint64_t count = 0;
    UnixMs first, last;      // their times
    PastDecision nearest{};  // where the symbol is known
  };

  Moment moment;
  std::array<OfStrategy, count_of<StrategyId>> strategies{};
  std::int64_t orders_of_minute = 0;          // of all strategies and symbols
  GateLimits limits{};                        // in force at the moment,
  std::chrono::milliseconds cooldown{};       // as this is
  std::optional<ReferencePrice> reference{};  // the last one at the moment or before it
  std::vector<Refusals> refused{};            // within kAround of the moment
};

class Why {
 public:
  static constexpr std::chrono::seconds kAround{1};

  // Moments as parse_moment() has them, which throws. The configuration and the engine, whose
  // parameters are of it, must outlive this.
  Why(const std::vector<std::string>& moments, const config::Configuration& configuration,
      const Engine& engine);

  // What the engine has just said of a frame.
  void add(const Step& step, std::optional<UnixNs> received_at);
  // What the engine hears. A pause it knows itself.
  void hear(const CountedOrder& order);
  void hear(const SettingsRevision& revision, std::vector<config::Given> values);

  // Call when everything has been added. One answer a moment, in the order they were given.
  [[nodiscard]] std::vector<Answer> answers();
  // Why there is no answer to a moment, and which there are; empty: there is one.
  [[nodiscard]] std::string problem_with(const Moment& moment) const;

  // For people, several lines; and one object.
  [[nodiscard]] std::string text(const Answer& answer) const;
  [[nodiscard]] std::string json(const Answer& answer) const;

 private:
  struct Question {
    Answer answer;
    std::array<std::optional<PastEvent>, count_of<StrategyId>> last{};  // of the rows
    OrderMemory orders{2};  // with event times up to the moment; of its symbol, and all others
    bool is_over = false;   // the recording has gone on
  };
  struct LiveValues {
    UnixMs from;
    std::vector<config::Given> values;
  };

  [[nodiscard]] const Symbol* symbol_of(const EventRecord& record) const noexcept;
  [[nodiscard]] std::optional<UnixMs> time_of(const EventRecord& record,
                                              std::optional<UnixNs> received_at) const noexcept;
  void add(const EventRecord& record, UnixMs at, Question& question) const;
  void add(const Order& order, Question& question) const;
  static void add(const Decision& decision, const PastDecision& past, EventKind kind,
                  Answer& answer);
  static void add_refused(const EventRecord& record, UnixMs at, const PastDecision* past,
                          Answer& answer);
  void settle(Question& question);
  [[nodiscard]] config::Circumstances around(const PastDecision& past) const;
  [[nodiscard]] std::string known_symbols() const;

  [[nodiscard]] std::string text_of(const Moment& moment, const PastDecision& past) const;
  [[nodiscard]] std::string explained(const Answer& answer, const Answer::Refusals& refused) const;
  void append_decision(JsonWriter& json, const Moment& moment,
                       const std::optional<PastDecision>& past) const;
  void append_refused(JsonWriter& json, const Answer& answer) const;

  const config::Configuration& configuration_;
  const Engine& engine_;
  Schedule schedule_;             // as the engine has it
  std::vector<LiveValues> live_;  // in the order they were heard
  std::vector<Question> questions_;
  std::uint64_t number_ = 0;                          // of the last event, as History counts
  std::optional<UnixMs> last_at_;                     // time of the last event that has one
  UnixMs from_ = UnixMs::max(), to_ = UnixMs::min();  // of what was decided
  std::set<std::string, std::less<>> symbols_;        // whose events came
};

enum class AnswerFormat : std::uint8_t { text, json };

// Prints the answers, and says of which moments there is none: then it is false.
[[nodiscard]] bool print_answers(Why& why, AnswerFormat format);

}  // namespace rts::commands
