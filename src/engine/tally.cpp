#include <map>
#include <numeric>

#include <fmt/ranges.h>

#include <rts/engine/tally.hpp>

namespace rts {

void Tally::add(const Step& step) noexcept {
  ++frames_;
  for (const EventRecord& record : step.events) {
    const auto kind = index_of(record.kind);
    ++events_;
    ++by_kind_[kind];
    if (const Decision* decision = record.decision()) {
      ++outcomes_[index_of(decision->strategy)][index_of(decision->outcome)];
    } else {
      ++reasons_[kind][index_of(*record.reason())];
    }
  }
}

std::uint64_t Tally::count(Reason reason) const noexcept {
  std::uint64_t sum = 0;
  for (const EventKind kind : all_of<EventKind>) sum += count(kind, reason);
  return sum;
}

std::uint64_t Tally::events(StrategyId strategy) const noexcept {
  const auto& outcomes = outcomes_[index_of(strategy)];
  return std::reduce(outcomes.begin(), outcomes.end());
}

std::string Tally::to_json() const {
  using Counts = std::map<std::string, std::uint64_t>;
  Counts frames{{"events", events_}, {"frames", frames_}};
  Counts outcomes;
  const auto add = [](Counts& counts, auto group, auto name, std::uint64_t count) {
    if (count > 0) counts.emplace(fmt::format("{}/{}", group, name), count);
  };
  for (const Reason reason : all_of<Reason>) {
    add(frames, disposition(reason), to_string(reason), count(reason));
  }
  for (const StrategyId strategy : all_of<StrategyId>) {
    for (const Outcome outcome : all_of<Outcome>) {
      add(outcomes, to_string(strategy), to_string(outcome), count(strategy, outcome));
    }
  }
  return fmt::format("{{\"frames\": {}, \"outcomes\": {}}}\n", frames, outcomes);
}

}  // namespace rts
