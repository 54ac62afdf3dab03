// Waiting in tests: for an event, with a deadline, never for a time.
#pragma once

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

}  // namespace rts::test
