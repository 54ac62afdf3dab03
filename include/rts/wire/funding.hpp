// Funding rates of perpetual futures as people have them: the archive's CSV (data.binance.vision,
// `calc_time,funding_interval_hours,last_funding_rate`, the symbol in the file's name), a CSV with
// `symbol,fundingTime,fundingRate[,markPrice]`, or the API's answer (GET /fapi/v1/fundingRate), a
// JSON array of objects with these names. Times are milliseconds. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/result.hpp>
#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>

namespace rts::wire {

inline constexpr std::size_t kMaxFundingBytes = std::size_t{16} << 20U;

struct FundingEntry {
  Symbol symbol;
  UnixMs at;
  double rate = 0;  // −1 … 1; 0.0001 = 0.01 %: a LONG pays it when it is above 0
};

// What the archive's file names begin with: "2024/BTCUSDT-fundingRate-2024-07.csv" → BTCUSDT. Empty
// when the name begins with nothing that may be a symbol.
[[nodiscard]] std::optional<Symbol> symbol_of_file_name(std::string_view path);

// The entries in their order. `file_symbol` is of those that name none. A byte-order mark in front
// and blank lines are passed over. The error says what is wrong, as a sentence's end: "line 3 has
// no rate between −1 and 1".
[[nodiscard]] Result<std::vector<FundingEntry>, std::string> parse_funding(
    std::string_view text, const std::optional<Symbol>& file_symbol);

}  // namespace rts::wire
