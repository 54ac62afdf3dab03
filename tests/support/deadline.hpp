// Waiting in tests: for an event, with a deadline, never for a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace rts::test {

// A moment by which something has to have happened.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(Clock::duration from_now) : at_(Clock::now() + from_now) {}

  Clock::time_point at() const { return at_; }
  bool expired() const { return Clock::now() >= at_; }
  // Never negative.
  std::chrono::milliseconds remaining() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at_ - Clock::now());
    return left.count() > 0 ? left : std::chrono::milliseconds(0);
  }

 private:
  Clock::time_point at_;
};

// Asks the predicate every millisecond until it says yes; false when the deadline came first.
template <typename Predicate>
[[nodiscard]] bool eventually(Predicate predicate, std::chrono::steady_clock::duration limit) {
  const Deadline deadline(limit);
  while (!predicate()) {
    if (deadline.expired()) return predicate();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// Asks the predicate every 50 ms for so long; false as soon as it says no. For what must go on
// holding, and for faults that last.
template <typename Predicate>
[[nodiscard]] bool throughout(std::chrono::steady_clock::duration length, Predicate predicate) {
  const Deadline end(length);
  while (predicate()) {
    if (end.expired()) return true;
    std::this_thread::sleep_for(std::min(end.remaining(), std::chrono::milliseconds(50)));
  }
  return false;
}

// Time since its construction.
class Stopwatch {
 public:
  [[nodiscard]] std::chrono::steady_clock::duration passed() const {
    return std::chrono::steady_clock::now() - begun_;
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace rts::test
