// Intake: the rules of SPEC §2 that stand between an event as sent and an event the strategies may
// see, in their order; the first that fails decides. Owns what those rules remember of each symbol:
// the sequence ids, the reference price and a suspect one. Not thread-safe.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include <rts/base/result.hpp>
#include <rts/base/symbol.hpp>
#include <rts/base/text.hpp>
#include <rts/base/time.hpp>
#include <rts/engine/parameters.hpp>
#include <rts/engine/reason.hpp>
#include <rts/engine/schedule.hpp>
#include <rts/market/events.hpp>
#include <rts/trading/order.hpp>
#include <rts/wire/frame.hpp>

namespace rts {

// How far something may be in the future, by the clock of whoever looks.
inline constexpr std::chrono::seconds kMaxAheadOfClock{10};

// Which symbols are traded, and the small number each is known by.
class SymbolTable {
 public:
  // Empty list = every symbol that comes, up to EngineParameters::kMaxSymbols.
  explicit SymbolTable(const std::vector<Symbol>& symbols);

  // By a name as it was sent, in whatever case.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept;
  [[nodiscard]] bool can_add() const noexcept { return open_ && symbols_.size() < capacity_; }
  // Precondition: there is room, and the symbol is new.
  std::size_t add(const Symbol& symbol);
  // Gives the number of one symbol to another. Precondition: there is such a number, and the other
  // symbol has none.
  void replace(std::size_t index, const Symbol& symbol);
  // Whether symbols are taken as they come.
  [[nodiscard]] bool is_open() const noexcept { return open_; }

  [[nodiscard]] std::size_t size() const noexcept { return symbols_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  // Lives as long as the table.
  [[nodiscard]] const Symbol& at(std::size_t index) const noexcept {
    assert(index < symbols_.size());
    return symbols_[index];
  }

 private:
  // The hash leaves out the bit that tells a letter's case. Other characters that differ in this
  // bit only share a hash: the comparison tells them apart.
  struct AnyCase {
    [[nodiscard]] std::size_t operator()(std::string_view name) const noexcept {
      return fnv1a(name, 'a' ^ 'A');
    }
    [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const noexcept {
      return same_but_for_case(a, b);
    }
  };

  std::vector<Symbol> symbols_;  // never reallocates: views of its texts are handed out
  // The keys are views into symbols_.
  std::unordered_map<std::string_view, std::size_t, AnyCase, AnyCase> index_;
  std::size_t capacity_;
  bool open_;
};

using MarketData = std::variant<Book, Trade, Ticker>;

[[nodiscard]] Quote quote_of(const MarketData& data) noexcept;

// An event that has passed every rule. A book's levels live as long as the wire event.
struct MarketEvent {
  std::size_t symbol_index = 0;
  bool is_first = false;  // of its symbol since the symbol has this number
  UnixMs at;              // event time
  UnixMs aged_at;         // age time: what it shows is as old as that
  EventId id;
  MarketData data{Ticker{}};
  std::optional<ReferencePrice> reference;  // the symbol's last accepted trade or ticker before it
  const Schedule::InForce* in_force = nullptr;  // what decides about it
};

// What is known of an event before it is admitted. A field that is not known is as it is made.
struct Subject {
  std::optional<std::size_t> symbol_index{};
  UnixMs at{};        // event time
  Measure measure{};  // stale and future: seconds of age or ahead, and the most; outlier: percent
                      // from the reference price, and the band
};

class Intake {
 public:
  // Both must outlive the intake.
  Intake(const EngineParameters& parameters, Schedule& schedule);

  // To be called before the first event of a frame. A symbol's number that this frame has used is
  // given to another symbol in a later frame only: a frame's decisions keep their symbols' names.
  void begin_frame() noexcept { ++frame_; }

  // `received_at` is empty only for a recording without receive times. What is admitted lives until
  // the next call.
  [[nodiscard]] Result<const MarketEvent*, Reason> admit(const wire::WireEvent& event,
                                                         const wire::Envelope& envelope,
                                                         std::optional<UnixNs> received_at);

  // The symbol, time and id are those of the event that was admitted last, also after a call that
  // admitted none; before the first, its time is 0.
  [[nodiscard]] const MarketEvent& last_admitted() const noexcept { return admitted_; }

  // Of the event that was not admitted last.
  [[nodiscard]] const Subject& subject() const noexcept { return subject_; }

  [[nodiscard]] const SymbolTable& symbols() const noexcept { return symbols_; }

 private:
  struct SequenceState {
    std::uint64_t id = 0;
    UnixMs at;         // of the last event that passed
    UnixMs newest_at;  // of all that have
  };
  struct SymbolState {
    bool is_traded = true;  // as the parameters say
    std::array<std::optional<SequenceState>, count_of<wire::Sequence>> sequences;
    std::optional<ReferencePrice> reference;
    std::optional<ReferencePrice> suspect;  // the last price, an outlier or the reference
    UnixMs last_seen;                       // newest event time that was accepted
    std::uint64_t last_frame = 0;           // in which an event passed; 0: in none yet
  };
  // The number of an event's symbol; empty: new_symbol_ may get one.
  using Place = std::optional<std::size_t>;
  struct Times {
    UnixMs at;
    UnixMs aged_at;
  };

  [[nodiscard]] Result<Place, Reason> identify(const wire::WireEvent& event,
                                               const wire::Envelope& envelope) noexcept;
  [[nodiscard]] Result<Times, Reason> times(const wire::WireEvent& event,
                                            const wire::Envelope& envelope,
                                            std::optional<UnixNs> received_at) noexcept;
  [[nodiscard]] bool may_get_number(const Result<Times, Reason>& times) noexcept;
  [[nodiscard]] bool price_fits(Place place, UnixMs at, const Book& book) const noexcept;
  [[nodiscard]] static bool refuse_outlier(SymbolState& state, Price price, UnixMs at,
                                           double band_percent) noexcept;
  [[nodiscard]] std::optional<std::size_t> unused_place(UnixMs now) noexcept;
  std::size_t give_number(UnixMs at);

  const EngineParameters& parameters_;
  Schedule& schedule_;
  SymbolTable symbols_;
  std::vector<SymbolState> states_;  // by symbol index
  UnixMs none_unused_before_;        // until then no place of a full table can be free
  std::uint64_t frame_ = 0;          // counts the frames
  Iso8601Reader timestamps_;
  Symbol new_symbol_;  // of the present event, when it has no number yet
  MarketEvent admitted_;
  Subject subject_;  // of the present event
};

}  // namespace rts
