#include <algorithm>

#include <rts/engine/history.hpp>

namespace rts {

// Field by field, for it is the place of an older one that is written into.
void describe(const EventRecord& record, PastDecision& past) noexcept {
  past.order.reset();
  if (const Refused* const refused = record.refused()) {
    past.strategy = *strategy_of(record.kind);
    past.at = refused->at;
    past.end = refused->reason;
    past.indicators = {};
    past.measure = refused->measure;
    past.signal.reset();
    return;
  }
  const Decision& decision = *record.decision();
  past.strategy = decision.strategy;
  past.at = decision.at;
  past.end = decision.outcome;
  past.indicators = decision.indicators;
  past.measure = decision.measure;
  past.signal = decision.signal;
  if (decision.order) past.order = {decision.order->id, decision.order->quantity, {}};
}

History::History(const SymbolTable& symbols)
    : symbols_(symbols), lines_(symbols.capacity() * count_of<StrategyId>), orders_(kOrders) {}

void History::add(const Step& step, UnixMs received_at) {
  for (const EventRecord& record : step.events) {
    const Refused* const refused = record.refused();
    if (refused != nullptr && (!refused->symbol_index || is_ignored(refused->reason))) continue;
    const Decision* const decision = record.decision();
    Line& line = refused == nullptr ? line_of(decision->symbol_index, decision->strategy)
                                    : line_of(*refused->symbol_index, *strategy_of(record.kind));
    const PastDecision* const before = line.recent.newest();
    PastDecision& past = line.recent.next();
    describe(record, past);
    past.number = ++newest_;
    if (past.at == UnixMs()) past.at = received_at;
    const bool goes_on = before != nullptr && before->end == past.end;
    past.in_a_row = goes_on ? before->in_a_row + 1 : 1;
    past.since = goes_on ? before->since : past.at;
    if (before != nullptr && !goes_on) line.runs.next() = *before;
    if (past.order) orders_.push_back({line.symbol, past});
  }
}

// Made when the first event comes. The number may have been another symbol's until then.
History::Line& History::line_of(std::size_t symbol_index, StrategyId strategy) {
  Line& line = lines_[symbol_index * count_of<StrategyId> + index_of(strategy)];
  const Symbol& symbol = symbols_.at(symbol_index);
  if (line.symbol != symbol) line = {symbol, Ring(kRecent), Ring(kRuns)};
  return line;
}

void History::add(const Order& order, OrderResult result) noexcept {
  const auto note = [&](PastDecision& past) {
    if (past.order && past.order->id == order.id) past.order->result = result;
  };
  for (Found& found : orders_) note(found.decision);
  const auto index = symbols_.find(order.symbol);
  if (!index) return;
  Line& line = lines_[*index * count_of<StrategyId> + index_of(order.strategy)];
  for (PastDecision& past : line.recent.held()) note(past);
  for (PastDecision& past : line.runs.held()) note(past);
}

void History::add_pause(Switch which, std::optional<StrategyId> strategy, bool paused,
                        std::string_view by) {
  const std::size_t place = strategy ? index_of(*strategy) : count_of<StrategyId>;
  Pause& pause = pauses_[static_cast<std::size_t>(which)][place];
  const bool is_paused = pause.to == UINT64_MAX;
  if (paused && !is_paused) pause = {newest_ + 1, UINT64_MAX, std::string(by)};
  if (!paused && is_paused) pause.to = newest_ + 1;
}

std::string_view History::paused_by(const PastDecision& decision) const noexcept {
  for (const Pauses& pauses : pauses_) {
    for (const Pause* pause : {&pauses[index_of(decision.strategy)], &pauses.back()}) {
      if (decision.number >= pause->from && decision.number < pause->to) return pause->by;
    }
  }
  return {};
}

std::vector<History::Found> History::find(const Query& query) const {
  struct Place {
    const Symbol* symbol;
    const PastDecision* decision;
  };
  std::vector<Place> places;
  const auto take = [&](const Symbol& symbol, const PastDecision& past) {
    const bool fits = (!query.symbol || symbol == *query.symbol) &&
                      (!query.strategy || past.strategy == *query.strategy) &&
                      (!query.end || past.end == *query.end);
    if (fits) places.push_back({&symbol, &past});
  };
  for (const Line& line : lines_) {
    std::uint64_t oldest = newest_;
    for (const PastDecision& past : line.recent.held()) {
      take(line.symbol, past);
      oldest = std::min(oldest, past.number);
    }
    for (const PastDecision& past : line.runs.held()) {
      if (past.number < oldest) take(line.symbol, past);
    }
  }
  for (const auto& [symbol, past] : orders_) take(symbol, past);
  const auto number = [](const Place& place) { return place.decision->number; };
  const auto keep_last = [&](std::size_t most) {
    if (places.size() <= most) return;
    const auto first = places.end() - static_cast<std::ptrdiff_t>(most);
    std::ranges::nth_element(places, first, {}, number);
    places.erase(places.begin(), first);
  };
  keep_last(query.last + orders_.size());  // an order may be there twice
  std::ranges::sort(places, {}, number);
  const auto twice = std::unique(places.begin(), places.end(), [&](const auto& a, const auto& b) {
    return number(a) == number(b);
  });
  places.erase(twice, places.end());
  keep_last(query.last);
  std::ranges::sort(places, {}, number);
  std::vector<Found> found;
  found.reserve(places.size());
  for (const auto& [symbol, past] : places) found.push_back({*symbol, *past});
  return found;
}

}  // namespace rts
