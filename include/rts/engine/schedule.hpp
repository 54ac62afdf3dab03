// Schedule: which parameters are in force at an event's time: those that the process was started
// with, until a revision of the control log's settings takes their place (SPEC §6). Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/engine/parameters.hpp>

namespace rts {

struct SettingsRevision {
  UnixMs effective_from;        // event time, > UnixMs::min()
  EngineParameters parameters;  // of these the defaults, those per symbol and the gate's limits
};

class Schedule {
 public:
  static constexpr std::size_t kMaxRevisions = 64;  // of more the oldest leave

  struct InForce {
    std::uint64_t number = 0;  // tells it from all others; 0: what the process was started with
    UnixMs from = UnixMs::min();
    EngineParameters parameters;
  };

  explicit Schedule(const EngineParameters& start) : entries_{{.parameters = start}} {}

  // The next revision, in the log's order.
  void hear(SettingsRevision revision);

  // The last revision in the log's order that is in effect at this event time. Lives until the
  // next is heard.
  [[nodiscard]] const InForce& at(UnixMs at) noexcept {
    if (at < from_ || at >= until_) look_up(at);
    return entries_[current_];
  }
  // What was asked for last.
  [[nodiscard]] const InForce& current() const noexcept { return entries_[current_]; }

 private:
  void look_up(UnixMs at) noexcept;

  std::vector<InForce> entries_;  // by the time they begin; the first has none
  std::uint64_t heard_ = 0;
  std::size_t current_ = 0;
  UnixMs from_ = UnixMs::min(), until_ = UnixMs::max();  // where the current one is in force
};

}  // namespace rts
