#include "research/quote_board.hpp"

#include <algorithm>

namespace rts::research {

const Spot& QuoteBoard::see(std::size_t symbol_index, UnixMs at, const Quote& quote) {
  if (symbol_index >= entries_.size()) entries_.resize(symbol_index + 1);
  Entry& entry = entries_[symbol_index];
  Spot& spot = entry.spot;
  spot.at = std::max(spot.at, at);
  if (quote.is_of_book()) {
    entry.book_at = spot.at;
    spot.mid = quote.mid();
    spot.half_spread = (quote.ask.value() - quote.bid.value()) / 2;
  } else if (entry.book_at == UnixMs::min() || spot.at - entry.book_at > kMaxBookAge) {
    spot.mid = quote.mid();
  }
  return spot;
}

}  // namespace rts::research
