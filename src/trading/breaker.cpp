#include <algorithm>
#include <cassert>

#include <rts/trading/breaker.hpp>

namespace rts {

CircuitBreaker::CircuitBreaker(const Policy& policy) noexcept : policy_(policy) {
  assert(policy.failure_threshold >= 1 && policy.recovery_timeout.count() > 0);
}

void CircuitBreaker::enter(BreakerState state) noexcept {
  state_ = state;
  ++period_;
  ++entered_[index_of(state)];
  probe_since_.reset();
}

void CircuitBreaker::advance(TimePoint now) noexcept {
  const auto timeout = std::max<TimePoint>(policy_.recovery_timeout, policy_.probe_timeout);
  if (state_ == BreakerState::open && now >= opened_at_ + policy_.recovery_timeout) {
    enter(BreakerState::half_open);
  } else if (probe_since_ && now >= *probe_since_ + timeout) {
    probe_since_.reset();
    ++period_;  // what the lost probe may still report is late
  }
}

std::optional<CircuitBreaker::Permit> CircuitBreaker::admit(TimePoint now) noexcept {
  advance(now);
  if (state_ == BreakerState::open || probe_since_) return {};
  if (state_ == BreakerState::half_open) {
    ++period_;  // of an earlier probe nothing is expected any more
    probe_since_ = now;
  }
  return Permit{period_};
}

void CircuitBreaker::report(Permit permit, BreakerSignal signal, TimePoint now) noexcept {
  if (permit.period != period_) return;
  switch (signal) {
    case BreakerSignal::success:
      failures_ = 0;
      if (state_ == BreakerState::half_open) enter(BreakerState::closed);
      return;
    case BreakerSignal::failure:
      if (state_ == BreakerState::closed && ++failures_ < policy_.failure_threshold) return;
      [[fallthrough]];
    case BreakerSignal::outage:
      enter(BreakerState::open);
      opened_at_ = now;
      return;
    case BreakerSignal::none: probe_since_.reset(); return;
  }
}

std::optional<CircuitBreaker::TimePoint> CircuitBreaker::recovers_at() const noexcept {
  if (state_ != BreakerState::open) return {};
  return opened_at_ + policy_.recovery_timeout;
}

}  // namespace rts
