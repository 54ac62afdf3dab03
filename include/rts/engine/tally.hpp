// Tally: how many events ended how. The accounting identity of SPEC §1 holds after every step:
// events = Σ refused{reason} + Σ decisions{strategy, outcome}. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <rts/engine/engine.hpp>

namespace rts {

class Tally {
 public:
  void add(const Step& step) noexcept;

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  [[nodiscard]] std::uint64_t count(EventKind kind, Reason reason) const noexcept {
    return reasons_[index_of(kind)][index_of(reason)];
  }
  [[nodiscard]] std::uint64_t count(Reason reason) const noexcept;  // of all kinds
  [[nodiscard]] std::uint64_t count(StrategyId strategy, Outcome outcome) const noexcept {
    return outcomes_[index_of(strategy)][index_of(outcome)];
  }
  [[nodiscard]] std::uint64_t events(EventKind kind) const noexcept {
    return by_kind_[index_of(kind)];
  }
  [[nodiscard]] std::uint64_t events(StrategyId strategy) const noexcept;

  // {"frames": {"dropped/malformed": 1, …, "events": 2, "frames": 2}, "outcomes": {…}} with the
  // keys sorted and what never happened left out.
  [[nodiscard]] std::string to_json() const;

 private:
  std::uint64_t frames_ = 0;
  std::uint64_t events_ = 0;
  std::array<std::uint64_t, count_of<EventKind>> by_kind_{};
  std::array<std::array<std::uint64_t, count_of<Reason>>, count_of<EventKind>> reasons_{};
  std::array<std::array<std::uint64_t, count_of<Outcome>>, count_of<StrategyId>> outcomes_{};
};

}  // namespace rts
