// The table of faults: each end-to-end test of a promise of docs/DELIVERY.md or of a limit says
// what it did, what was promised and what it measured. `make e2e` prints the rows as one table.
//
// The figures are those of the release build. Builds that are slow on purpose (sanitizers, counters
// of coverage, no optimisation) get their time limits loosened, here and nowhere else.
#pragma once

#include <chrono>
#include <string>

namespace rts::test {

#if defined(RTS_SANITIZED) || defined(RTS_COUNTED)
inline constexpr int kSlowBuildFactor = 5;
#elif !defined(__OPTIMIZE__)
inline constexpr int kSlowBuildFactor = 2;
#else
inline constexpr int kSlowBuildFactor = 1;
#endif

// Sanitizers keep what was freed and shadow what is used: their memory says nothing of ours.
#ifdef RTS_SANITIZED
inline constexpr bool kMemoryIsOurs = false;
#else
inline constexpr bool kMemoryIsOurs = true;
#endif

// A limit of the release build as this build has to keep it: a duration, a share, a count.
template <class Limit>
[[nodiscard]] constexpr Limit loosened(Limit limit) {
  return limit * kSlowBuildFactor;
}
// A load of the release build as this build can bear it.
template <class Load>
[[nodiscard]] constexpr Load lightened(Load load) {
  return load / kSlowBuildFactor;
}

struct FaultRow {
  std::string fault;     // what was done to the service
  std::string promise;   // what it keeps doing
  std::string figure;    // how well, as promised
  std::string measured;  // how well, in this run
  bool held = false;
};

// Fails the running test when the promise was not held, prints the row, and appends it as a line of
// JSON to the file that RTS_FAULT_REPORT names, when it is set; docs/RELIABILITY.md is made of
// such.
void report_fault(const FaultRow& row);

// "12.3 ms", "1.25 s": for `measured`.
[[nodiscard]] std::string text_of(std::chrono::nanoseconds duration);

}  // namespace rts::test
