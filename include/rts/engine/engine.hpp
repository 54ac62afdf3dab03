// Engine: frames in, decisions out. The orders are a pure function of the frames, their receive
// times, the parameters and what is heard of the logs: live and replay run this same code. No I/O,
// no clock, no allocation after warm-up (a symbol's first events make room for its context, an
// entry of the log for itself). Not thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/engine/intake.hpp>
#include <rts/engine/parameters.hpp>
#include <rts/engine/reason.hpp>
#include <rts/engine/schedule.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/trading/gate.hpp>
#include <rts/trading/order.hpp>
#include <rts/wire/frame.hpp>

namespace rts {

// What became of one event that was evaluated: the strategy's verdict, with the gate's outcome
// where there is a signal. The signal is what the strategy wanted, also where the gate refused it.
struct Decision : Verdict {
  StrategyId strategy = StrategyId::orderbook_skew;
  std::size_t symbol_index = 0;
  UnixMs at;                   // event time
  Quote quote;                 // of the event
  std::optional<Order> order;  // exactly when is_signal(outcome)
  bool in_log = false;         // another process has stored the order
};

// Why one event was not evaluated, and what had been known of it by then.
struct Refused : Subject {
  Reason reason = Reason::malformed;
};

// What became of one event: it was refused for a reason, or it was decided upon.
struct EventRecord {
  EventKind kind = EventKind::unknown;
  std::variant<Refused, Decision> fate{};

  [[nodiscard]] const Decision* decision() const noexcept { return std::get_if<Decision>(&fate); }
  [[nodiscard]] const Refused* refused() const noexcept { return std::get_if<Refused>(&fate); }
  [[nodiscard]] const Reason* reason() const noexcept {
    return refused() == nullptr ? nullptr : &refused()->reason;
  }
};

// The one strategy that looks at events of this kind; empty: none does.
[[nodiscard]] std::optional<StrategyId> strategy_of(EventKind kind) noexcept;

// What an event of this kind is refused for before anything else is asked of it; empty: nothing.
[[nodiscard]] std::optional<Reason> refusal_of(EventKind kind) noexcept;
[[nodiscard]] Reason reason_of(wire::FrameError error) noexcept;

// What one frame led to: at least one event, in the order they stand in the frame.
struct Step {
  std::span<const EventRecord> events;  // lives until the next step
  bool is_simulated = false;            // the frame says that its market is made up
};

class Engine {
 public:
  explicit Engine(const EngineParameters& parameters);

  // `frame` is copied; it may be anything. `received_at` is required when the clock is live, and
  // empty in a recording without receive times.
  Step step(std::string_view frame, std::optional<UnixNs> received_at);

  // Kill switch of this process: frames are still consumed and counted, nothing is ordered.
  void set_paused(bool paused) noexcept { gate_.set_paused(paused); }
  void set_paused(StrategyId strategy, bool paused) noexcept { gate_.set_paused(strategy, paused); }
  [[nodiscard]] bool is_paused(StrategyId strategy) const noexcept {
    return gate_.is_paused(strategy);
  }

  // What is heard of the control log. A pause holds beside the switch of this process; of one
  // strategy, or of all. A revision holds for every event at or after its time, and for no other,
  // whenever it is heard before that: late events are still decided by the values before it.
  void hear_pause(std::optional<StrategyId> strategy, bool paused) noexcept {
    gate_.hear_pause(strategy, paused);
  }
  void hear(SettingsRevision revision) { schedule_.hear(std::move(revision)); }
  // What is heard of the order log counts as the own orders do: an entry, in the log's order.
  void hear(const CountedOrder& order) {
    gate_.hear(order, intake_.symbols().find(order.symbol.text()));
  }

  // Whether an order that a decision has led to would pass the gate still, by what has been heard
  // since. One that would not counts no more, unless the log has it.
  [[nodiscard]] bool passes_still(const CountedOrder& order);

  // Of symbols without parameters of their own, at the time of the last event.
  [[nodiscard]] bool is_enabled(StrategyId strategy) const noexcept {
    return schedule_.current().parameters.defaults.enabled[index_of(strategy)];
  }
  [[nodiscard]] const SymbolTable& symbols() const noexcept { return intake_.symbols(); }
  // See Intake::last_admitted: the event that is being decided, or was last.
  [[nodiscard]] const MarketEvent& last_event() const noexcept { return intake_.last_admitted(); }

 private:
  // A symbol's strategies, and what they remember of it: bounded, rebuilt from the stream, never
  // persisted.
  struct SymbolContext {
    SymbolParameters parameters;
    std::uint64_t revision = 0;  // that they are of
    TradeWindow trades;
    TickerWindow prices;
  };

  void evaluate(const MarketEvent& event, Decision& decision);
  [[nodiscard]] static Verdict consult(const MarketEvent& event, SymbolContext& context);
  [[nodiscard]] SymbolContext& context_of(const MarketEvent& event);
  static void forget(const MarketData& data, SymbolContext& context) noexcept;
  static void change(SymbolContext& context, const SymbolParameters& parameters);

  EngineParameters parameters_;
  Schedule schedule_;
  wire::FrameReader reader_;
  Intake intake_;
  Gate gate_;
  std::vector<SymbolContext> contexts_;  // by symbol index
  std::vector<EventRecord> records_;     // of the current step
};

}  // namespace rts
