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

#include <rts/base/enum_names.hpp>

namespace rts {

BOOST_DEFINE_FIXED_ENUM_CLASS(BreakerState, std::uint8_t, closed, open, half_open)

// What an attempt says about the path: `none` when it was not made, or its end is unknown;
// `outage` when enough has been seen: that opens at once, whatever the threshold.
BOOST_DEFINE_FIXED_ENUM_CLASS(BreakerSignal, std::uint8_t, success, failure, outage, none)

class CircuitBreaker {
 public:
  using TimePoint = std::chrono::nanoseconds;  // of a monotonic clock, since any fixed moment

  struct Policy {
    std::int64_t failure_threshold = 5;         // >= 1
    std::chrono::seconds recovery_timeout{60};  // > 0
    // How late a probe's signal may come; at least recovery_timeout is waited for it.
    std::chrono::milliseconds probe_timeout{0};
  };

  // Permission for one attempt. Its signal counts only while the breaker is in the period in which
  // the permission was given: a signal that comes later says nothing about the present.
  struct Permit {
    std::uint64_t period = 0;
  };

  explicit CircuitBreaker(const Policy& policy) noexcept;

  // A permit, or none: the breaker is open, or half-open with its one probe under way. A probe
  // whose signal is missing for too long (Policy) is given up, and another may follow.
  [[nodiscard]] std::optional<Permit> admit(TimePoint now) noexcept;

  // Each permit is to be reported once.
  void report(Permit permit, BreakerSignal signal, TimePoint now) noexcept;

  // Turns OPEN into HALF_OPEN and gives up a lost probe when their time has come; admit() does so
  // by itself.
  void advance(TimePoint now) noexcept;

  // What has failed may work again: OPEN turns HALF_OPEN before its time.
  void retry_now() noexcept {
    if (state_ == BreakerState::open) enter(BreakerState::half_open);
  }

  [[nodiscard]] BreakerState state() const noexcept { return state_; }
  // When OPEN turns HALF_OPEN; empty in the other states.
  [[nodiscard]] std::optional<TimePoint> recovers_at() const noexcept;
  // HALF_OPEN, and no probe is under way.
  [[nodiscard]] bool wants_probe() const noexcept {
    return state_ == BreakerState::half_open && !probe_since_;
  }
  // How often each state has been entered; CLOSED at the start does not count.
  using Entered = std::array<std::uint64_t, count_of<BreakerState>>;
  [[nodiscard]] const Entered& entered() const noexcept { return entered_; }

 private:
  void enter(BreakerState state) noexcept;

  Policy policy_;
  BreakerState state_ = BreakerState::closed;
  std::uint64_t period_ = 0;
  std::int64_t failures_ = 0;             // consecutive, while closed
  TimePoint opened_at_{};                 // while open
  std::optional<TimePoint> probe_since_;  // while half-open
  Entered entered_{};
};

}  // namespace rts
