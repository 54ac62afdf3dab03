// What the orders of a recording would have come to: prices and orders in, in the order of the
// recording, and at its end markouts and paper accounts. One object, owned by one thread, serves
// any number of accounts: a price costs the same however many there are. Not thread-safe.
//
//   const auto number = evaluator.number_of(decision.symbol_index, symbol);
//   evaluator.see(number, decision.at, decision.quote);  // of every decision once
//   if (decision.order) evaluator.take(order);  // with that number, of every account
//   evaluator.finish();
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>
#include <rts/market/events.hpp>
#include <rts/wire/funding.hpp>

#include "research/fills.hpp"
#include "research/markouts.hpp"
#include "research/paper_accounts.hpp"
#include "research/quote_board.hpp"
#include "research/symbol_numbers.hpp"

namespace rts::research {

class OrderEvaluator {
 public:
  struct Terms {
    std::chrono::milliseconds latency{0};  // from an order's event to its fill, >= 0
    double fee_bp = 4;                     // of the notional, each side, >= 0
    bool by_symbol = false;                // markouts of each symbol besides those of all
    bool has_paper = true;                 // paper accounts besides markouts
  };

  OrderEvaluator(const Terms& terms, std::size_t accounts);

  // Of all symbols, before the first of them; the entries outlive it.
  void set_funding(std::span<const wire::FundingEntry> entries) noexcept { funding_ = entries; }

  // The number that stands for a symbol below: see SymbolNumbers. Of a new one the funding is set.
  [[nodiscard]] std::size_t number_of(std::size_t engine_index, const Symbol& symbol);
  // By that number.
  [[nodiscard]] const std::vector<Symbol>& symbols() const noexcept { return numbers_.symbols(); }

  // Once for each event that has a price, before its orders.
  void see(std::size_t symbol_index, UnixMs at, const Quote& quote);
  // An order at the event that was seen last of its symbol. O(log n) of the symbol's open lots.
  void take(const AccountOrder& order);
  // Once, behind the last event.
  void finish();

  [[nodiscard]] const Terms& terms() const noexcept { return terms_; }
  [[nodiscard]] const Markouts& markouts() const noexcept { return markouts_; }
  // Null unless they were asked for.
  [[nodiscard]] const Markouts* markouts_by_symbol() const noexcept {
    return by_symbol_ ? &*by_symbol_ : nullptr;
  }
  [[nodiscard]] PaperAccounts* paper() noexcept { return paper_ ? &*paper_ : nullptr; }
  [[nodiscard]] const PaperAccounts* paper() const noexcept { return paper_ ? &*paper_ : nullptr; }
  // The time of the last event; empty before the first.
  [[nodiscard]] std::optional<UnixMs> end() const noexcept { return end_; }

 private:
  void settle(std::size_t symbol_index, UnixMs before, const Spot& spot);

  Terms terms_;
  std::span<const wire::FundingEntry> funding_;
  SymbolNumbers numbers_;
  QuoteBoard board_;
  WaitingOrders waiting_;
  Markouts markouts_;
  std::optional<Markouts> by_symbol_;
  std::optional<PaperAccounts> paper_;
  std::size_t symbols_ = 0;  // that were seen have numbers below that
  std::optional<UnixMs> end_;
};

}  // namespace rts::research
