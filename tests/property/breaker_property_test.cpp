// What holds of the circuit breaker in any sequence of attempts, signals and time, and that it
// agrees with a model of another make: a history of eras, of which everything is computed anew.
#include <algorithm>
#include <string>
#include <vector>

#include <rts/trading/breaker.hpp>

#include "property/property.hpp"

namespace rts {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using TimePoint = CircuitBreaker::TimePoint;

// An era is the time from one change of state to the next. There is no counter and no number of a
// period here: whether a signal counts follows from where in the history its attempt stands.
class History {
 public:
  struct Ticket {
    std::size_t era = 0;
    std::size_t attempt = 0;
  };

  explicit History(const CircuitBreaker::Policy& policy) : policy_(policy) {}

  void tick(TimePoint now) {
    if (state() == BreakerState::open && now - now_era().since >= policy_.recovery_timeout) {
      eras_.push_back({BreakerState::half_open, now, {}, {}});
    }
    if (probing() && now - now_era().attempts.back().at >= policy_.recovery_timeout) {
      now_era().attempts.back().over = true;
    }
  }

  std::optional<Ticket> admit(TimePoint now) {
    tick(now);
    if (state() == BreakerState::open || probing()) return {};
    now_era().attempts.push_back({now, false});
    return Ticket{eras_.size() - 1, now_era().attempts.size() - 1};
  }

  void report(const Ticket& ticket, BreakerSignal signal, TimePoint now) {
    if (ticket.era != eras_.size() - 1) return;
    Attempt& attempt = now_era().attempts[ticket.attempt];
    if (attempt.over) return;
    attempt.over = true;
    if (signal == BreakerSignal::none) return;
    now_era().signals.push_back(signal);
    const BreakerState next = next_state();
    if (next != state()) eras_.push_back({next, now, {}, {}});
  }

  [[nodiscard]] BreakerState state() const { return eras_.back().state; }
  [[nodiscard]] bool wants_probe() const {
    return state() == BreakerState::half_open && !probing();
  }
  [[nodiscard]] std::optional<TimePoint> recovers_at() const {
    if (state() != BreakerState::open) return {};
    return eras_.back().since + policy_.recovery_timeout;
  }
  [[nodiscard]] std::uint64_t entered(BreakerState state) const {
    return static_cast<std::uint64_t>(std::count_if(
        eras_.begin() + 1, eras_.end(), [&](const Era& era) { return era.state == state; }));
  }

 private:
  struct Attempt {
    TimePoint at;
    bool over = false;  // reported, or given up
  };
  struct Era {
    BreakerState state = BreakerState::closed;
    TimePoint since{};
    std::vector<Attempt> attempts;
    std::vector<BreakerSignal> signals;  // as they were reported
  };

  Era& now_era() { return eras_.back(); }
  [[nodiscard]] bool probing() const {
    const Era& era = eras_.back();
    return era.state == BreakerState::half_open && !era.attempts.empty() &&
           !era.attempts.back().over;
  }
  // What the signals of the era say about the state to be in.
  [[nodiscard]] BreakerState next_state() const {
    const auto& signals = eras_.back().signals;
    const bool succeeded = signals.back() == BreakerSignal::success;
    if (state() == BreakerState::half_open)
      return succeeded ? BreakerState::closed : BreakerState::open;
    const auto last_success = std::find(signals.rbegin(), signals.rend(), BreakerSignal::success);
    const bool tripped = signals.back() == BreakerSignal::outage ||
                         last_success - signals.rbegin() >= policy_.failure_threshold;
    return tripped ? BreakerState::open : BreakerState::closed;
  }

  CircuitBreaker::Policy policy_;
  std::vector<Era> eras_{Era{}};
};

class BreakerProperty : public test::Property {
 protected:
  struct Pending {
    CircuitBreaker::Permit permit;
    History::Ticket ticket;
  };
  struct Probe {
    TimePoint at;
    CircuitBreaker::Permit permit;
  };
  // One sequence: breaker and model side by side, and what happened to them.
  struct Run {
    explicit Run(const CircuitBreaker::Policy& given)
        : policy(given), breaker(given), model(given) {}
    CircuitBreaker::Policy policy;
    CircuitBreaker breaker;
    History model;
    TimePoint now{};
    std::vector<Pending> pending;
    std::vector<Probe> probes;  // under way in this HALF_OPEN, by the test's own accounts
    std::string script;
  };

  Run random_run() {
    Run run({.failure_threshold = between(1, 5), .recovery_timeout = seconds(between(1, 90))});
    run.now = nanoseconds(between(0, 1'000'000'000'000));
    failure_weight_ = pick(10);
    return run;
  }

  // Often exactly to a boundary, or one nanosecond off it.
  void pass_time(Run& run) {
    const nanoseconds recovery = run.policy.recovery_timeout;
    nanoseconds step{};
    switch (pick(4)) {
      case 0: step = nanoseconds(between(0, 2)); break;
      case 1: step = recovery + nanoseconds(between(-1, 1)); break;
      case 2:
        step = run.breaker.recovers_at().value_or(run.now) - run.now - nanoseconds(between(0, 1));
        break;
      default: step = nanoseconds(between(0, recovery.count() * 5 / 4));
    }
    run.now += std::max(step, nanoseconds(0));
    run.script += fmt::format(" {}ns", run.now.count());
  }

  void admit(Run& run) {
    run.script += " admit";
    const BreakerState before = run.breaker.state();
    const auto recovers_at = run.breaker.recovers_at();
    const auto permit = run.breaker.admit(run.now);
    const auto ticket = run.model.admit(run.now);
    ASSERT_EQ(permit.has_value(), ticket.has_value());
    if (!permit) {
      ASSERT_NE(run.breaker.state(), BreakerState::closed) << "closed admits everything";
      return;
    }
    ASSERT_NE(run.breaker.state(), BreakerState::open) << "open admits nothing";
    if (before == BreakerState::open) {
      ASSERT_LE(*recovers_at, run.now) << "nothing before its time";
    }
    run.pending.push_back({*permit, *ticket});
    if (run.breaker.state() != BreakerState::half_open) return;
    for (const Probe& probe : run.probes) {
      ASSERT_GE(run.now - probe.at, run.policy.recovery_timeout) << "two probes under way";
    }
    run.probes.assign(1, {run.now, *permit});
  }

  void report(Run& run) {
    if (run.pending.empty()) return;
    const std::size_t i = pick(2) == 0 ? run.pending.size() - 1 : pick(run.pending.size());
    const Pending chosen = run.pending[i];
    run.pending.erase(run.pending.begin() + static_cast<std::ptrdiff_t>(i));
    const std::uint64_t dice = pick(12);
    const BreakerSignal signal = dice == 11               ? BreakerSignal::outage
                                 : dice == 10             ? BreakerSignal::none
                                 : dice < failure_weight_ ? BreakerSignal::failure
                                                          : BreakerSignal::success;
    run.script += fmt::format(" end#{}={}", i, static_cast<int>(signal));
    const BreakerState before = run.breaker.state();
    run.breaker.report(chosen.permit, signal, run.now);
    run.model.report(chosen.ticket, signal, run.now);
    const auto is_chosen = [&](const Probe& probe) {
      return probe.permit.period == chosen.permit.period;
    };
    const bool was_probe = std::any_of(run.probes.begin(), run.probes.end(), is_chosen);
    if (before == BreakerState::half_open && run.breaker.state() != before) {
      ASSERT_TRUE(was_probe) << "only the one probe decides";
    }
    if (before == BreakerState::open) {
      ASSERT_EQ(run.breaker.state(), before) << "no signal ends open";
    }
    if (was_probe) run.probes.clear();
  }

  void step(Run& run) {
    switch (pick(8)) {
      case 0:
        run.script += " advance";
        run.breaker.advance(run.now);
        run.model.tick(run.now);
        return;
      case 1:
      case 2: return pass_time(run);
      case 3:
      case 4: return report(run);
      default: return admit(run);
    }
  }

  static void expect_agreement(const Run& run) {
    ASSERT_EQ(run.breaker.state(), run.model.state());
    ASSERT_EQ(run.breaker.wants_probe(), run.model.wants_probe());
    ASSERT_EQ(run.breaker.recovers_at(), run.model.recovers_at());
    for (const BreakerState state : all_of<BreakerState>) {
      ASSERT_EQ(run.breaker.entered()[index_of(state)], run.model.entered(state));
    }
  }

  // Whatever got lost: somebody who keeps asking is admitted within two recovery time-outs.
  static void expect_not_stuck(const Run& run) {
    CircuitBreaker breaker = run.breaker;
    const nanoseconds recovery = run.policy.recovery_timeout;
    const nanoseconds pause = recovery / 8;
    bool admitted = false;
    for (nanoseconds waited{}; !admitted && waited <= 2 * recovery; waited += pause) {
      admitted = breaker.admit(run.now + waited).has_value();
    }
    ASSERT_TRUE(admitted) << "stuck";
    breaker = run.breaker;
    breaker.advance(run.now + recovery);
    ASSERT_TRUE(breaker.state() == BreakerState::closed || breaker.wants_probe())
        << "nobody probes";
  }

  std::uint64_t failure_weight_ = 0;  // of 11
};

TEST_F(BreakerProperty, AgreesWithAModelAndKeepsItsPromisesInAnySequence) {
  constexpr int kSequences = 100'000;
  CircuitBreaker::Entered visited{};
  for (int i = 0; i < kSequences; ++i) {
    Run run = random_run();
    const std::uint64_t steps = 20 + pick(60);
    for (std::uint64_t n = 0; n < steps && !HasFatalFailure(); ++n) {
      step(run);
      if (!HasFatalFailure()) expect_agreement(run);
    }
    if (!HasFatalFailure()) expect_not_stuck(run);
    ASSERT_FALSE(HasFatalFailure())
        << "sequence " << i << ", threshold " << run.policy.failure_threshold << ", recovery "
        << run.policy.recovery_timeout.count() << " s:" << run.script;
    for (const BreakerState state : all_of<BreakerState>) {
      visited[index_of(state)] += run.breaker.entered()[index_of(state)];
    }
  }
  // A test that never leaves CLOSED would agree about nothing.
  for (const std::uint64_t times : visited) EXPECT_GT(times, kSequences / 10);
}

}  // namespace
}  // namespace rts
