// Intake: the rules of SPEC §2 that stand between an event as sent and an event the strategies may
// see, in their order; the first that fails decides. Owns what those rules remember of each symbol:
// the sequence ids, the reference price and a suspect one. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include <rts/base/result.hpp>
#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>
#include <rts/engine/parameters.hpp>
#include <rts/engine/reason.hpp>
#include <rts/market/events.hpp>
#include <rts/trading/order.hpp>
#include <rts/wire/frame.hpp>

namespace rts {

// Which symbols are traded, and the small number each is known by.
class SymbolTable {
 public:
  // Empty list = every symbol that comes, up to EngineParameters::kMaxSymbols.
  explicit SymbolTable(const std::vector<Symbol>& symbols);

  // By a name as it was sent, in whatever case.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept;
  [[nodiscard]] bool can_add() const noexcept;
  // Precondition: can_add().
  std::size_t add(const Symbol& symbol);
  // Gives the number of one symbol to another.
  void replace(std::size_t index, const Symbol& symbol);
  // How often that has happened: who keeps something by number compares.
  [[nodiscard]] std::uint64_t replacements() const noexcept { return replacements_; }
  // Whether symbols are taken as they come.
  [[nodiscard]] bool is_open() const noexcept { return open_; }

  [[nodiscard]] std::size_t size() const noexcept { return symbols_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  // Lives as long as the table.
  [[nodiscard]] const Symbol& at(std::size_t index) const noexcept { return symbols_[index]; }

 private:
  struct Hash {
    [[nodiscard]] std::size_t operator()(std::string_view name) const noexcept;
  };
  struct Same {
    [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const noexcept {
      return same_but_for_case(a, b);
    }
  };

  std::vector<Symbol> symbols_;  // never reallocates: views of its texts are handed out
  std::unordered_map<std::string_view, std::size_t, Hash, Same> index_;  // views into symbols_
  std::size_t capacity_;
  bool open_;
  std::uint64_t replacements_ = 0;
};

using MarketData = std::variant<Book, Trade, Ticker>;

// An event that has passed every rule. The book's sides live as long as the wire event.
struct MarketEvent {
  std::size_t symbol_index = 0;
  bool replaces_symbol = false;  // until now the number was another symbol's
  UnixMs at;                     // event time
  UnixMs aged_at;                // age time: what it shows is as old as that
  EventId id;
  MarketData data{Ticker{}};
  std::optional<ReferencePrice> reference;  // the symbol's last accepted trade or ticker before it
};

class Intake {
 public:
  explicit Intake(const EngineParameters& parameters);

  // To be called before the first event of a frame: what a frame says of a symbol is said under its
  // name, so no place that the frame has used is given away before the next.
  void begin_frame() noexcept { ++frame_; }

  // `received_at` is empty only for a recording without receive times. What is admitted lives until
  // the next call.
  [[nodiscard]] Result<const MarketEvent*, Reason> admit(const wire::WireEvent& event,
                                                         const wire::Envelope& envelope,
                                                         std::optional<UnixNs> received_at);

  [[nodiscard]] const SymbolTable& symbols() const noexcept { return symbols_; }

 private:
  struct SequenceState {
    std::uint64_t id = 0;
    UnixMs at;         // of the last event that passed
    UnixMs newest_at;  // of all that have
    bool begun = false;
  };
  struct SymbolState {
    std::array<SequenceState, count_of<wire::Sequence>> sequences;
    std::optional<ReferencePrice> reference;
    std::optional<ReferencePrice> suspect;  // the last outlier, until a price is accepted
    UnixMs last_seen;                       // newest event time that was accepted
    std::uint64_t last_frame = 0;           // in which an event passed
  };
  // The number of an event's symbol; empty: newcomer_ may be given one.
  using Place = std::optional<std::size_t>;
  struct Times {
    UnixMs at;
    UnixMs aged_at;
  };
  using Received = std::optional<UnixNs>;

  [[nodiscard]] Result<Place, Reason> identify(const wire::WireEvent& event,
                                               const wire::Envelope& envelope,
                                               Received received_at) noexcept;
  [[nodiscard]] bool may_be_traded(std::string_view name) const noexcept;
  [[nodiscard]] Result<Times, Reason> times(const wire::WireEvent& event,
                                            const wire::Envelope& envelope,
                                            Received received_at) noexcept;
  [[nodiscard]] bool vouches_for(Place place, UnixMs at, const Book& book) const noexcept;
  [[nodiscard]] bool refuse_outlier(SymbolState& state, Price price, UnixMs at) const noexcept;
  [[nodiscard]] std::optional<std::size_t> abandoned_place(UnixMs now) noexcept;
  std::size_t settle(UnixMs at);

  Clock clock_;
  std::chrono::milliseconds message_ttl_;
  double price_band_percent_;  // 0 = off
  std::vector<std::string> quote_assets_;
  bool trades_unnamed_;             // symbols without parameters of their own
  std::vector<Symbol> exceptions_;  // of those with: for which it is the other way; sorted by text
  SymbolTable symbols_;
  std::vector<SymbolState> states_;  // by symbol index
  UnixMs none_abandoned_before_;     // before that time no place of a full table is free
  std::uint64_t frame_ = 0;          // the number of the present one
  Iso8601Reader timestamps_;
  Symbol newcomer_;  // of the event at hand, where it has no number yet
  MarketEvent admitted_;
};

}  // namespace rts
