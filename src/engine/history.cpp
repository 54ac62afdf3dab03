#include <algorithm>

#include <rts/engine/history.hpp>

namespace rts {
namespace {

// Field by field, for it is the place of an older one that is written into.
void describe_event(const EventRecord& record, PastEvent& past) noexcept {
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
}

std::optional<PastDecision::Ordered> ordered(const Decision* decision) noexcept {
  if (decision == nullptr || !decision->order) return std::nullopt;
  return PastDecision::Ordered{decision->order->id, decision->order->quantity, {}};
}

bool is_order(const End& end) noexcept {
  const auto* const outcome = std::get_if<Outcome>(&end);
  return outcome != nullptr && is_signal(*outcome);
}

}  // namespace

void describe(const EventRecord& record, PastDecision& past) noexcept {
  describe_event(record, past);
  past.order = ordered(record.decision());
}

void continue_row(const PastEvent* before, PastEvent& past) noexcept {
  const bool goes_on = before != nullptr && before->end == past.end;
  past.in_a_row = goes_on ? before->in_a_row + 1 : 1;
  past.since = goes_on ? before->since : past.at;
}

History::History(const SymbolTable& symbols)
    : symbols_(symbols), lines_(symbols.capacity() * count_of<StrategyId>), orders_(kOrders) {}

void History::add(const Step& step, UnixMs received_at, std::chrono::milliseconds clock) {
  for (const EventRecord& record : step.events) {
    const Refused* const refused = record.refused();
    if (refused != nullptr && (!refused->symbol_index || is_ignored(refused->reason))) continue;
    const Decision* const decision = record.decision();
    Line& line = refused == nullptr ? line_of(decision->symbol_index, decision->strategy)
                                    : line_of(*refused->symbol_index, *strategy_of(record.kind));
    const PastEvent* const before = line.recent.newest();
    PastEvent& past = line.recent.next();
    describe_event(record, past);
    line.funnel->add(past.end, clock);
    past.number = ++newest_;
    if (past.at == UnixMs()) past.at = received_at;
    continue_row(before, past);
    if (before != nullptr && past.in_a_row == 1) line.runs.next() = *before;
    if (is_order(past.end)) orders_.push_back({line.symbol, {past, ordered(decision)}});
  }
}

// Made when the first event comes. The number may have been another symbol's until then.
History::Line& History::line_of(std::size_t symbol_index, StrategyId strategy) {
  Line& line = lines_[symbol_index * count_of<StrategyId> + index_of(strategy)];
  const Symbol& symbol = symbols_.at(symbol_index);
  const std::size_t part = symbol_index < kSymbols ? 1 : kPart;
  if (line.symbol != symbol) {
    line = {symbol, Ring(kRecent / part), Ring(kRuns / part), std::make_unique<Funnel>()};
  }
  return line;
}

const Funnel* History::funnel(const Symbol& symbol, StrategyId strategy) const noexcept {
  const auto number = symbols_.find(symbol.text());
  if (!number) return nullptr;
  const Line& line = lines_[*number * count_of<StrategyId> + index_of(strategy)];
  return line.symbol == symbol ? line.funnel.get() : nullptr;
}

void History::add(const Order& order, OrderResult result) noexcept {
  const auto found = std::find_if(orders_.rbegin(), orders_.rend(), [&](const Found& one) {
    return one.decision.order->id == order.id && !one.decision.order->result;
  });
  if (found != orders_.rend()) found->decision.order->result = result;
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

std::string History::paused_by(StrategyId strategy) const {
  std::string all;
  for (const Pauses& pauses : pauses_) {
    for (const Pause* pause : {&pauses[index_of(strategy)], &pauses.back()}) {
      if (pause->to != UINT64_MAX) continue;
      all += (all.empty() ? "" : "; ") + pause->by;
    }
  }
  return all;
}

std::vector<History::Found> History::find(const Query& query) const {
  struct Place {
    const Symbol* symbol;
    const PastEvent* event;
    const PastDecision* order;
  };
  const auto is_newer = [](const Place& a, const Place& b) {
    return a.event->number > b.event->number;
  };
  std::vector<Place> places;  // a heap, the oldest in front
  const auto take = [&](const Place& place) {
    if (query.end && place.event->end != *query.end) return;
    if (places.size() == query.last) {
      if (places.empty() || !is_newer(place, places.front())) return;
      std::ranges::pop_heap(places, is_newer);
      places.pop_back();
    }
    places.push_back(place);
    std::ranges::push_heap(places, is_newer);
  };
  const auto is_asked_for = [&](const Symbol& symbol, StrategyId strategy) {
    return (!query.strategy || strategy == *query.strategy) &&
           (!query.symbol || symbol == *query.symbol);
  };
  for (const auto& [symbol, past] : orders_) {
    if (is_asked_for(symbol, past.strategy)) take({&symbol, &past, &past});
  }
  for (std::size_t i = 0; i < lines_.size() && !query.only_orders; ++i) {
    const Line& line = lines_[i];
    if (!is_asked_for(line.symbol, all_of<StrategyId>[i % count_of<StrategyId>])) continue;
    std::uint64_t oldest = newest_;
    for (const PastEvent& past : line.recent.held()) {
      if (!is_order(past.end)) take({&line.symbol, &past, nullptr});
      oldest = std::min(oldest, past.number);
    }
    for (const PastEvent& past : line.runs.held()) {
      if (past.number < oldest && !is_order(past.end)) take({&line.symbol, &past, nullptr});
    }
  }
  std::ranges::sort(places, {}, [](const Place& place) { return place.event->number; });
  std::vector<Found> found;
  found.reserve(places.size());
  for (const auto& [symbol, event, order] : places) {
    found.push_back({*symbol, order == nullptr ? PastDecision{*event, {}} : *order});
  }
  return found;
}

}  // namespace rts
