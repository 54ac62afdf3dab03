#include "research/order_evaluator.hpp"

#include <algorithm>

namespace rts::research {

OrderEvaluator::OrderEvaluator(const Terms& terms, std::size_t accounts)
    : terms_(terms),
      waiting_(terms.latency),
      markouts_({terms.fee_bp, Grouping::by_strategy}, accounts) {
  if (terms.by_symbol) {
    by_symbol_.emplace(Markouts::Terms{terms.fee_bp, Grouping::by_strategy_and_symbol}, accounts);
  }
  if (terms.has_paper) paper_.emplace(PaperAccounts::Terms{terms.fee_bp}, accounts);
}

std::size_t OrderEvaluator::number_of(std::size_t engine_index, const Symbol& symbol) {
  const std::size_t known = symbols().size();
  const std::size_t number = numbers_.of(engine_index, symbol);
  if (number == known && paper_) paper_->set_funding(number, symbol, funding_);
  return number;
}

void OrderEvaluator::see(std::size_t symbol_index, UnixMs at, const Quote& quote) {
  const Spot before = board_.at(symbol_index);
  settle(symbol_index, std::max(at, before.at), before);
  const Spot& now = board_.see(symbol_index, at, quote);
  if (paper_) paper_->see(symbol_index, now);
  symbols_ = std::max(symbols_, symbol_index + 1);
  end_ = std::max(end_.value_or(now.at), now.at);
}

void OrderEvaluator::take(const AccountOrder& order) {
  waiting_.add(order, board_.at(order.symbol_index).at);
}

// Fills first: what is due some time after them may be due as well.
void OrderEvaluator::settle(std::size_t symbol_index, UnixMs before, const Spot& spot) {
  const auto fill = [this](const Fill& filled) {
    markouts_.fill(filled);
    if (by_symbol_) by_symbol_->fill(filled);
    if (paper_) paper_->fill(filled);
  };
  const auto count_unfilled = [this](const AccountOrder& order) {
    markouts_.count_unfilled(order);
    if (by_symbol_) by_symbol_->count_unfilled(order);
    if (paper_) paper_->count_unfilled(order);
  };
  waiting_.settle(symbol_index, before, spot, fill, count_unfilled);
  markouts_.settle(symbol_index, before, spot);
  if (by_symbol_) by_symbol_->settle(symbol_index, before, spot);
}

void OrderEvaluator::finish() {
  if (!end_) return;
  for (std::size_t symbol_index = 0; symbol_index < symbols_; ++symbol_index) {
    settle(symbol_index, *end_ + std::chrono::milliseconds{1}, board_.at(symbol_index));
    settle(symbol_index, UnixMs::max(), Spot{});  // what would be known later only
  }
  if (paper_) paper_->finish(*end_);
}

}  // namespace rts::research
