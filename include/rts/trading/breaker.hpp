// Circuit breaker around publishing: after so many consecutive failures nothing is sent for a
// while, then exactly one probe decides. Pure: time is passed in. Not thread-safe.
//
//   CLOSED --N failures in a row--> OPEN --recovery time-out--> HALF_OPEN --probe ok--> CLOSED
//                                     ^------------------------probe failed--'
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rts {

class CircuitBreaker {
 public:
  using TimePoint = std::chrono::nanoseconds;  // of a monotonic clock, since any fixed moment

  struct Policy {
    std::int64_t failure_threshold = 5;         // >= 1
    std::chrono::seconds recovery_timeout{60};  // > 0
    // How late a probe's finding may come; at least recovery_timeout is waited for it.
    std::chrono::milliseconds probe_patience{0};
  };
  enum class State : std::uint8_t { closed, open, half_open };
  static constexpr std::array kStates{State::closed, State::open, State::half_open};

  // Permission for one attempt. Its finding counts only while the breaker is in the period in which
  // the permission was given: a result that comes later says nothing about the present.
  struct Permit {
    std::uint64_t period = 0;
  };
  // What an attempt says about the path: `nothing` when it was not made, or its end is unknown;
  // `outage` when enough has been seen: that opens at once, whatever the threshold.
  enum class Finding : std::uint8_t { success, failure, outage, nothing };

  explicit CircuitBreaker(const Policy& policy) noexcept : policy_(policy) {}

  // A permit, or none: the breaker is open, or half-open with its one probe under way. A probe
  // whose finding is missing for too long (Policy) is given up, and another may follow.
  [[nodiscard]] std::optional<Permit> admit(TimePoint now) noexcept;

  // Each permit is to be reported once.
  void report(Permit permit, Finding finding, TimePoint now) noexcept;

  // Turns OPEN into HALF_OPEN and gives up a lost probe when their time has come; admit() does so
  // by itself.
  void advance(TimePoint now) noexcept;

  [[nodiscard]] State state() const noexcept { return state_; }
  // When OPEN turns HALF_OPEN; empty in the other states.
  [[nodiscard]] std::optional<TimePoint> recovers_at() const noexcept;
  // HALF_OPEN, and nobody is trying.
  [[nodiscard]] bool wants_probe() const noexcept {
    return state_ == State::half_open && !probe_since_;
  }
  // How often the state has been entered; CLOSED at the start does not count.
  [[nodiscard]] std::uint64_t entered(State state) const noexcept {
    return entered_[static_cast<std::size_t>(state)];
  }

 private:
  void enter(State state) noexcept;

  Policy policy_;
  State state_ = State::closed;
  std::uint64_t period_ = 0;
  std::int64_t failures_ = 0;             // consecutive, while closed
  TimePoint opened_at_{};                 // while open
  std::optional<TimePoint> probe_since_;  // while half-open
  std::array<std::uint64_t, kStates.size()> entered_{};
};

[[nodiscard]] std::string_view to_string(CircuitBreaker::State state) noexcept;

}  // namespace rts
