// History: what became of the last events of each symbol and strategy, by which numbers, and how
// many ended how; the answer to "why was there no order?". It keeps what the log of every decision
// says: decisions, and events that were dropped. A fold over steps, bounded as the symbols are;
// nothing is allocated after a symbol's first events. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/circular_buffer.hpp>

#include <rts/base/decimal.hpp>
#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>
#include <rts/base/uuid.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/funnel.hpp>
#include <rts/trading/delivery.hpp>

namespace rts {

// What is kept of a decision, or of an event that was dropped before it.
struct PastEvent {
  std::uint64_t number = 0;  // of all in the order they came, from 1; 0: it is in no history
  UnixMs at;                 // event time; the receive time where that is not known
  StrategyId strategy = StrategyId::orderbook_skew;
  End end = Outcome::neutral;
  Indicators indicators{};
  Measure measure{};
  std::optional<Signal> signal{};
  std::uint64_t in_a_row = 1;  // so many have ended so, this one the last
  UnixMs since;                // event time of the first of these
};

// And of the order that it has become.
struct PastDecision : PastEvent {
  struct Ordered {
    Uuid id{};
    Decimal quantity;
    std::optional<OrderResult> result{};
  };
  std::optional<Ordered> order{};
};

// Takes over what became of an event; its number and the run that it is of are left as they are.
// Precondition: a strategy looks at events of this kind.
void describe(const EventRecord& record, PastDecision& past) noexcept;

// Whether it ends as the one before it of its symbol and strategy has ended, and since when they
// do; null: there is none before. Precondition: its end and its time are known.
void continue_row(const PastEvent* before, PastEvent& past) noexcept;

class History {
 public:
  static constexpr std::size_t kRecent = 20;    // of each symbol and strategy: the last ones,
  static constexpr std::size_t kRuns = 12;      // the last one of each run that ended alike
  static constexpr std::size_t kSymbols = 100;  // (so for the first symbols; for those behind them
  static constexpr std::size_t kPart = 4;       // this part of both),
  static constexpr std::size_t kOrders = 256;   // and of all together the last orders

  explicit History(const SymbolTable& symbols);

  // Takes decisions, and of what was dropped that of symbols that have a number. What is ignored is
  // expected traffic. `clock`: the time of receipt by the funnels' clock.
  void add(const Step& step, UnixMs received_at, std::chrono::milliseconds clock);
  // The number of the last one that was taken; 0: there is none.
  [[nodiscard]] std::uint64_t newest() const noexcept { return newest_; }
  // How an order has ended: the last one of its id of which that is not known yet, for an order
  // that ended without being sent may be decided upon again.
  void add(const Order& order, OrderResult result) noexcept;

  // A switch that pauses: of the process, for each strategy; or of the control log, likewise and
  // for all of them (no strategy).
  enum class Switch : std::uint8_t { process, control_log };
  // `by`: who or what has turned it; "me@here: maintenance".
  void add_pause(Switch which, std::optional<StrategyId> strategy, bool paused,
                 std::string_view by);
  // Who had paused the strategy when this was decided; empty when that is not known any more.
  [[nodiscard]] std::string_view paused_by(const PastDecision& decision) const noexcept;
  // All who pause the strategy now; empty: nobody does.
  [[nodiscard]] std::string paused_by(StrategyId strategy) const;
  // Null before the first event of the symbol that this strategy looks at.
  [[nodiscard]] const Funnel* funnel(const Symbol& symbol, StrategyId strategy) const noexcept;

  struct Query {
    std::optional<Symbol> symbol{};
    std::optional<StrategyId> strategy{};
    std::optional<End> end{};
    bool only_orders = false;    // either signal, whatever became of its order
    std::size_t last = kRecent;  // at most so many, the newest
  };
  struct Found {
    Symbol symbol;
    PastDecision decision;
  };
  // In the order they came.
  [[nodiscard]] std::vector<Found> find(const Query& query) const;

 private:
  // The last so many, each written where it stays: boost::circular_buffer would copy it in.
  class Ring {
   public:
    Ring() = default;
    explicit Ring(std::size_t most) : most_(most) { held_.reserve(most); }

    // The place of the next one; it holds what was the oldest when it is full.
    [[nodiscard]] PastEvent& next() {
      const bool is_full = held_.size() == most_;
      newest_ = !is_full ? held_.size() : newest_ + 1 == most_ ? 0 : newest_ + 1;
      return is_full ? held_[newest_] : held_.emplace_back();
    }
    // Null when there is none.
    [[nodiscard]] const PastEvent* newest() const noexcept {
      return held_.empty() ? nullptr : &held_[newest_];
    }
    // In no order.
    [[nodiscard]] const std::vector<PastEvent>& held() const noexcept { return held_; }

   private:
    std::vector<PastEvent> held_;
    std::size_t most_ = 0, newest_ = 0;
  };
  struct Line {
    Symbol symbol;  // the number may have been another's before
    Ring recent, runs;
    std::unique_ptr<Funnel> funnel;
  };
  static constexpr std::size_t kMaxBytes =
      count_of<StrategyId> * ((kSymbols + (EngineParameters::kMaxSymbols - kSymbols) / kPart) *
                                  (kRecent + kRuns) * sizeof(PastEvent) +
                              EngineParameters::kMaxSymbols * (sizeof(Line) + sizeof(Funnel))) +
      kOrders * sizeof(Found);
  static_assert(kRecent % kPart == 0 && kRuns % kPart == 0 && kMaxBytes <= 5'500'000,
                "bytes at most; SPEC §8 has 24 MiB for the whole process");
  struct Pause {
    std::uint64_t from = 0, to = 0;  // numbers of decisions, `to` excluded
    std::string by;
  };
  // All strategies are the one behind the others.
  using Pauses = std::array<Pause, count_of<StrategyId> + 1>;

  Line& line_of(std::size_t symbol_index, StrategyId strategy);

  const SymbolTable& symbols_;
  std::vector<Line> lines_;  // by symbol index and strategy
  boost::circular_buffer<Found> orders_;
  std::array<Pauses, 2> pauses_{};  // by switch
  std::uint64_t newest_ = 0;        // number
};

}  // namespace rts
