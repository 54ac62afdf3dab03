// What each symbol costs at a moment of event time, as its feed has it: the mid of its books while
// it has any, else the price of its last trade or ticker. Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/market/events.hpp>

namespace rts::research {

// A symbol's price at a moment.
struct Spot {
  UnixMs at;               // event time that it was seen at; never runs backwards
  double mid = 0;          // quote currency; 0: nothing was seen yet
  double half_spread = 0;  // quote currency; 0: its feed has no books
};

class QuoteBoard {
 public:
  // While its last book is not older than that, a symbol's other prices are passed over: they are
  // on one side of the mid.
  static constexpr std::chrono::seconds kMaxBookAge{60};

  // What the symbol costs after this event. Lives until the next call.
  const Spot& see(std::size_t symbol_index, UnixMs at, const Quote& quote);

  // Of a symbol that nothing was seen of, mid is 0.
  [[nodiscard]] Spot at(std::size_t symbol_index) const noexcept {
    return symbol_index < entries_.size() ? entries_[symbol_index].spot : Spot{};
  }

 private:
  struct Entry {
    Spot spot;
    UnixMs book_at = UnixMs::min();  // of the last book
  };

  std::vector<Entry> entries_;  // by symbol index
};

}  // namespace rts::research
