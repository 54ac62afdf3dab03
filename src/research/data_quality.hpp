// Data quality: what a recording has of each symbol, how long its feed was silent, and how much its
// price moves. Memory is bounded, whatever the length of the recording. Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>
#include <rts/market/events.hpp>

#include "research/fills.hpp"
#include "research/quote_board.hpp"
#include "research/statistics.hpp"
#include "research/sweep.hpp"

namespace rts::research {

// Of a symbol, in event time.
struct SymbolQuality {
  Symbol symbol;
  std::uint64_t events = 0;  // that were evaluated
  UnixMs first, last;
  std::uint64_t gaps = 0;                    // silences of more than kMaxSilence
  std::chrono::milliseconds longest_gap{0};  // of these
  UnixMs longest_gap_from{};                 // meaningful where there is a gap
  // √(mean r² · 1440) in percent a day, r = the change from the last mid of a minute to that of the
  // next, in percent; minutes without a price make no pair. Example: 0.1 % up and down by turns:
  // 0.1 · √1440 = 3.79 % a day.
  Interval volatility{};
};

class DataQuality {
 public:
  static constexpr std::size_t kMaxSymbols = 1'000;

  // An event that was evaluated, with the symbol's number; numbers count from 0 as they come.
  void see(std::size_t number, const Symbol& symbol, UnixMs at, const Quote& quote);

  // By number, at most kMaxSymbols. Some milliseconds of work a symbol.
  [[nodiscard]] std::vector<SymbolQuality> symbols() const;
  // Of symbols beyond kMaxSymbols, which are only counted.
  [[nodiscard]] std::uint64_t events_of_others() const noexcept { return events_of_others_; }
  // Event time of the first and the last event; meaningful where there was one.
  [[nodiscard]] UnixMs first() const noexcept { return first_; }
  [[nodiscard]] UnixMs last() const noexcept { return last_; }
  [[nodiscard]] bool is_empty() const noexcept { return first_ > last_; }

 private:
  struct Minute {
    std::int64_t number = 0;  // since 1970
    double mid = 0;           // the last of it
  };
  struct Row {
    SymbolQuality quality;
    std::optional<Minute> before{}, present{};
    BlockSums squares;  // of the changes, in basis points²
  };

  static void see_price(Row& row, const Spot& spot);
  static void end_minute(Row& row);

  QuoteBoard board_;
  std::vector<Row> rows_;  // by number
  std::uint64_t events_of_others_ = 0;
  UnixMs first_ = UnixMs::max(), last_ = UnixMs::min();
};

// An observer of a sweep that shows `quality` what `inner` sees. Both outlive it; of one sweep only
// one bench is watched, for each sees the whole market.
[[nodiscard]] std::unique_ptr<Observer> watched(std::unique_ptr<Observer> inner,
                                                DataQuality& quality);

}  // namespace rts::research
