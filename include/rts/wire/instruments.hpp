// What a venue takes of each symbol, as its exchangeInfo answer says it (Binance spot and USD-M):
// an answer's text → the instruments it lists. Synchronous, some 10 ms for the largest answers; it
// allocates a few times the text's size while it reads. Any thread. Source: Binance's public API
// documentation, "Exchange Information" and "Filters".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/decimal.hpp>
#include <rts/base/result.hpp>
#include <rts/base/symbol.hpp>

namespace rts::wire {

inline constexpr std::size_t kMaxInstrumentsBytes = std::size_t{10} << 20U;

// What a market order of a symbol has to keep to. A zero says that the venue sets no such rule.
struct ListedInstrument {
  Symbol symbol;
  std::string status;                  // "TRADING", "BREAK", "SETTLING", …
  std::string quote_asset;             // "USDT"
  std::string margin_asset;            // empty on spot
  Decimal quantity_step;               // base asset: the coarser of LOT_SIZE and MARKET_LOT_SIZE
  Decimal min_quantity, max_quantity;  // base asset: the stricter of the two
  Decimal min_notional, max_notional;  // quote asset, of MIN_NOTIONAL and NOTIONAL
  Decimal tick;                        // quote asset, of PRICE_FILTER
  // Why this entry cannot be traded by, as a sentence's end ("LOT_SIZE has a stepSize of 'x'");
  // empty: it was understood.
  std::string fault;
};

// The instruments in their order; of a symbol listed twice the first counts. A byte-order mark in
// front is passed over. The error says what the text is not, as a sentence's end: "is not JSON".
[[nodiscard]] Result<std::vector<ListedInstrument>, std::string> parse_instruments(
    std::string_view text);

}  // namespace rts::wire
