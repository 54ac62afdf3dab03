#include <algorithm>

#include <rts/trading/breaker.hpp>

namespace rts {

void CircuitBreaker::enter(State state) noexcept {
  state_ = state;
  ++period_;
  ++entered_[static_cast<std::size_t>(state)];
  failures_ = 0;
  probe_since_.reset();
}

void CircuitBreaker::advance(TimePoint now) noexcept {
  const auto patience = std::max<TimePoint>(policy_.recovery_timeout, policy_.probe_patience);
  if (state_ == State::open && now >= opened_at_ + policy_.recovery_timeout) {
    enter(State::half_open);
  } else if (probe_since_ && now >= *probe_since_ + patience) {
    probe_since_.reset();
    ++period_;  // what the lost probe may still report is late
  }
}

std::optional<CircuitBreaker::Permit> CircuitBreaker::admit(TimePoint now) noexcept {
  advance(now);
  if (state_ == State::open) return {};
  if (state_ == State::half_open) {
    if (probe_since_) return {};
    ++period_;  // of an earlier probe nothing is expected any more
    probe_since_ = now;
  }
  return Permit{period_};
}

void CircuitBreaker::report(Permit permit, Finding finding, TimePoint now) noexcept {
  if (permit.period != period_) return;
  switch (finding) {
    case Finding::success:
      failures_ = 0;
      if (state_ == State::half_open) enter(State::closed);
      return;
    case Finding::failure:
      if (state_ == State::closed && ++failures_ < policy_.failure_threshold) return;
      [[fallthrough]];
    case Finding::outage:
      enter(State::open);
      opened_at_ = now;
      return;
    case Finding::nothing:
      probe_since_.reset();
      return;
  }
}

std::optional<CircuitBreaker::TimePoint> CircuitBreaker::recovers_at() const noexcept {
  if (state_ != State::open) return {};
  return opened_at_ + policy_.recovery_timeout;
}

std::string_view to_string(CircuitBreaker::State state) noexcept {
  switch (state) {
    case CircuitBreaker::State::closed:
      return "closed";
    case CircuitBreaker::State::open:
      return "open";
    case CircuitBreaker::State::half_open:
      return "half_open";
  }
  return "";
}

}  // namespace rts
