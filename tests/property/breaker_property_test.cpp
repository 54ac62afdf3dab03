// What holds of the circuit breaker in any sequence of attempts, findings and time, and that it
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
using State = CircuitBreaker::State;
using Finding = CircuitBreaker::Finding;
using TimePoint = CircuitBreaker::TimePoint;

// An era is the time from one change of state to the next. There is no counter and no number of a
// period here: whether a finding counts follows from where in the history its attempt stands.
class History {
 public:
  struct Ticket {
    std::size_t era = 0;
    std::size_t attempt = 0;
  };

  explicit History(const CircuitBreaker::Policy& policy) : policy_(policy) {}

  void tick(TimePoint now) {
    if (state() == State::open && now - now_era().since >= policy_.recovery_timeout) {
      eras_.push_back({State::half_open, now, {}, {}});
    }
    if (probing() && now - now_era().attempts.back().at >= policy_.recovery_timeout) {
      now_era().attempts.back().over = true;
    }
  }

  std::optional<Ticket> admit(TimePoint now) {
    tick(now);
    if (state() == State::open || probing()) return {};
    now_era().attempts.push_back({now, false});
    return Ticket{eras_.size() - 1, now_era().attempts.size() - 1};
  }

  void report(const Ticket& ticket, Finding finding, TimePoint now) {
    if (ticket.era != eras_.size() - 1) return;
    Attempt& attempt = now_era().attempts[ticket.attempt];
    if (attempt.over) return;
    attempt.over = true;
    if (finding == Finding::nothing) return;
    now_era().findings.push_back(finding);
    const State next = verdict();
    if (next != state()) eras_.push_back({next, now, {}, {}});
  }

  [[nodiscard]] State state() const { return eras_.back().state; }
  [[nodiscard]] bool wants_probe() const { return state() == State::half_open && !probing(); }
  [[nodiscard]] std::optional<TimePoint> recovers_at() const {
    if (state() != State::open) return {};
    return eras_.back().since + policy_.recovery_timeout;
  }
  [[nodiscard]] std::uint64_t entered(State state) const {
    return static_cast<std::uint64_t>(std::count_if(
        eras_.begin() + 1, eras_.end(), [&](const Era& era) { return era.state == state; }));
  }

 private:
  struct Attempt {
    TimePoint at;
    bool over = false;  // reported, or given up
  };
  struct Era {
    State state = State::closed;
    TimePoint since{};
    std::vector<Attempt> attempts;
    std::vector<Finding> findings;  // as they were reported
  };

  Era& now_era() { return eras_.back(); }
  [[nodiscard]] bool probing() const {
    const Era& era = eras_.back();
    return era.state == State::half_open && !era.attempts.empty() && !era.attempts.back().over;
  }
  // What the findings of the era say about the state to be in.
  [[nodiscard]] State verdict() const {
    const auto& findings = eras_.back().findings;
    const bool succeeded = findings.back() == Finding::success;
    if (state() == State::half_open) return succeeded ? State::closed : State::open;
    const auto last_success = std::find(findings.rbegin(), findings.rend(), Finding::success);
    const bool tripped = findings.back() == Finding::outage ||
                         last_success - findings.rbegin() >= policy_.failure_threshold;
    return tripped ? State::open : State::closed;
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
      case 0:
        step = nanoseconds(between(0, 2));
        break;
      case 1:
        step = recovery + nanoseconds(between(-1, 1));
        break;
      case 2:
        step = run.breaker.recovers_at().value_or(run.now) - run.now - nanoseconds(between(0, 1));
        break;
      default:
        step = nanoseconds(between(0, recovery.count() * 5 / 4));
    }
    run.now += std::max(step, nanoseconds(0));
    run.script += fmt::format(" {}ns", run.now.count());
  }

  void admit(Run& run) {
    run.script += " admit";
    const State before = run.breaker.state();
    const auto recovers_at = run.breaker.recovers_at();
    const auto permit = run.breaker.admit(run.now);
    const auto ticket = run.model.admit(run.now);
    ASSERT_EQ(permit.has_value(), ticket.has_value());
    if (!permit) {
      ASSERT_NE(run.breaker.state(), State::closed) << "closed admits everything";
      return;
    }
    ASSERT_NE(run.breaker.state(), State::open) << "open admits nothing";
    if (before == State::open) {
      ASSERT_LE(*recovers_at, run.now) << "nothing before its time";
    }
    run.pending.push_back({*permit, *ticket});
    if (run.breaker.state() != State::half_open) return;
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
    const Finding finding = dice == 11               ? Finding::outage
                            : dice == 10             ? Finding::nothing
                            : dice < failure_weight_ ? Finding::failure
                                                     : Finding::success;
    run.script += fmt::format(" end#{}={}", i, static_cast<int>(finding));
    const State before = run.breaker.state();
    run.breaker.report(chosen.permit, finding, run.now);
    run.model.report(chosen.ticket, finding, run.now);
    const auto is_chosen = [&](const Probe& probe) {
      return probe.permit.period == chosen.permit.period;
    };
    const bool was_probe = std::any_of(run.probes.begin(), run.probes.end(), is_chosen);
    if (before == State::half_open && run.breaker.state() != before) {
      ASSERT_TRUE(was_probe) << "only the one probe decides";
    }
    if (before == State::open) {
      ASSERT_EQ(run.breaker.state(), before) << "no finding ends open";
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
      case 2:
        return pass_time(run);
      case 3:
      case 4:
        return report(run);
      default:
        return admit(run);
    }
  }

  static void expect_agreement(const Run& run) {
    ASSERT_EQ(run.breaker.state(), run.model.state());
    ASSERT_EQ(run.breaker.wants_probe(), run.model.wants_probe());
    ASSERT_EQ(run.breaker.recovers_at(), run.model.recovers_at());
    for (const State state : CircuitBreaker::kStates) {
      ASSERT_EQ(run.breaker.entered(state), run.model.entered(state));
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
    ASSERT_TRUE(breaker.state() == State::closed || breaker.wants_probe()) << "nobody probes";
  }

  std::uint64_t failure_weight_ = 0;  // of 11
};

TEST_F(BreakerProperty, AgreesWithAModelAndKeepsItsPromisesInAnySequence) {
  constexpr int kSequences = 100'000;
  std::array<std::uint64_t, CircuitBreaker::kStates.size()> visited{};
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
    for (const State state : CircuitBreaker::kStates) {
      visited[static_cast<std::size_t>(state)] += run.breaker.entered(state);
    }
  }
  // A test that never leaves CLOSED would agree about nothing.
  for (const std::uint64_t times : visited) EXPECT_GT(times, kSequences / 10);
}

}  // namespace
}  // namespace rts
