// The circuit breaker: every arrow of its state machine, each boundary on both sides, and which
// signals count no more.
#include <string>

#include <gtest/gtest.h>

#include <rts/trading/breaker.hpp>

namespace rts {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using Permit = CircuitBreaker::Permit;
using TimePoint = CircuitBreaker::TimePoint;

constexpr nanoseconds kOne{1};
constexpr seconds kRecovery{60};
constexpr TimePoint kStart = seconds(1000);
constexpr TimePoint kRecovered = kStart + kRecovery;  // of a breaker that opened at kStart

// Five failures open it; it recovers after kRecovery.
class Breaker : public testing::Test {
 protected:
  // An attempt that the breaker has to admit.
  Permit attempt(TimePoint at) {
    const auto permit = breaker_.admit(at);
    EXPECT_TRUE(permit.has_value());
    return permit.value_or(Permit{~0ULL});
  }
  void attempt_and_end(BreakerSignal signal, TimePoint at) {
    breaker_.report(attempt(at), signal, at);
  }
  void attempt_and_end(int times, BreakerSignal signal, TimePoint at) {
    for (int i = 0; i < times; ++i) attempt_and_end(signal, at);
  }
  void open_at(TimePoint at) {
    attempt_and_end(5, BreakerSignal::failure, at);
    EXPECT_EQ(breaker_.state(), BreakerState::open);
  }
  void half_open() {
    open_at(kStart);
    breaker_.advance(kRecovered);
    EXPECT_EQ(breaker_.state(), BreakerState::half_open);
  }
  [[nodiscard]] BreakerState state() const { return breaker_.state(); }

  CircuitBreaker breaker_{{.failure_threshold = 5, .recovery_timeout = kRecovery}};
};

// --- CLOSED ----------------------------------------------------------------------------------

TEST_F(Breaker, StartsClosedAndAdmitsEverything) {
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_EQ(breaker_.recovers_at(), std::nullopt);
  EXPECT_FALSE(breaker_.wants_probe());
  for (int i = 0; i < 100; ++i) attempt(TimePoint{0});
  for (const BreakerState any : all_of<BreakerState>)
    EXPECT_EQ(breaker_.entered()[index_of(any)], 0U);
}

TEST_F(Breaker, StaysClosedOneFailureShortOfTheThreshold) {
  attempt_and_end(4, BreakerSignal::failure, kStart);
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_TRUE(breaker_.admit(kStart));
}

TEST_F(Breaker, OpensAtTheThreshold) {
  attempt_and_end(5, BreakerSignal::failure, kStart);
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_FALSE(breaker_.admit(kStart));
}

TEST_F(Breaker, AThresholdOfOneOpensAtTheFirstFailure) {
  CircuitBreaker breaker({.failure_threshold = 1, .recovery_timeout = kRecovery});
  breaker.report(*breaker.admit(kStart), BreakerSignal::failure, kStart);
  EXPECT_EQ(breaker.state(), BreakerState::open);
}

TEST_F(Breaker, ASuccessResetsTheCount) {
  attempt_and_end(4, BreakerSignal::failure, kStart);
  attempt_and_end(BreakerSignal::success, kStart);
  attempt_and_end(4, BreakerSignal::failure, kStart);
  EXPECT_EQ(state(), BreakerState::closed);
  attempt_and_end(BreakerSignal::failure, kStart);
  EXPECT_EQ(state(), BreakerState::open);
}

TEST_F(Breaker, NothingFoundNeitherCountsNorResets) {
  attempt_and_end(100, BreakerSignal::none, kStart);
  attempt_and_end(4, BreakerSignal::failure, kStart);
  attempt_and_end(100, BreakerSignal::none, kStart);
  EXPECT_EQ(state(), BreakerState::closed);
  attempt_and_end(BreakerSignal::failure, kStart);
  EXPECT_EQ(state(), BreakerState::open);
}

TEST_F(Breaker, FailuresFarApartAreConsecutiveStill) {
  for (int i = 0; i < 5; ++i) attempt_and_end(BreakerSignal::failure, kStart + i * kRecovery * 100);
  EXPECT_EQ(state(), BreakerState::open);
}

TEST_F(Breaker, CountsInTheOrderOfReportsNotOfPermits) {
  const Permit first = attempt(kStart);
  attempt_and_end(4, BreakerSignal::failure, kStart);
  breaker_.report(first, BreakerSignal::success, kStart);
  attempt_and_end(4, BreakerSignal::failure, kStart);
  EXPECT_EQ(state(), BreakerState::closed);
}

TEST_F(Breaker, OpensAtOnceOnAnOutage) {
  attempt_and_end(BreakerSignal::outage, kStart);
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_EQ(breaker_.recovers_at(), kRecovered);
  attempt_and_end(BreakerSignal::outage, kRecovered);
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_EQ(breaker_.recovers_at(), kRecovered + kRecovery);
}

// --- OPEN ------------------------------------------------------------------------------------

TEST_F(Breaker, RecoversARecoveryTimeoutAfterTheLastFailureNotTheFirst) {
  attempt_and_end(4, BreakerSignal::failure, kStart - seconds(30));
  const Permit last = attempt(kStart - seconds(10));
  breaker_.report(last, BreakerSignal::failure, kStart);
  EXPECT_EQ(breaker_.recovers_at(), kRecovered);
}

TEST_F(Breaker, OpenAdmitsNothingOneNanosecondBeforeItRecovers) {
  open_at(kStart);
  EXPECT_FALSE(breaker_.admit(kRecovered - kOne));
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_EQ(breaker_.recovers_at(), kRecovered);
  EXPECT_FALSE(breaker_.wants_probe());
}

TEST_F(Breaker, OpenAdmitsTheProbeExactlyWhenItRecovers) {
  open_at(kStart);
  EXPECT_TRUE(breaker_.admit(kRecovered));
  EXPECT_EQ(state(), BreakerState::half_open);
}

TEST_F(Breaker, AdvanceTurnsOpenIntoHalfOpenExactlyWhenItRecovers) {
  open_at(kStart);
  breaker_.advance(kRecovered - kOne);
  EXPECT_EQ(state(), BreakerState::open);
  breaker_.advance(kRecovered);
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_EQ(breaker_.recovers_at(), std::nullopt);
}

TEST_F(Breaker, ResultsOfAttemptsFromBeforeItOpenedAreIgnored) {
  for (const BreakerSignal late : {BreakerSignal::success, BreakerSignal::failure,
                                   BreakerSignal::outage, BreakerSignal::none}) {
    SCOPED_TRACE(static_cast<int>(late));
    CircuitBreaker breaker({.failure_threshold = 1, .recovery_timeout = kRecovery});
    const Permit slow = *breaker.admit(kStart);
    breaker.report(*breaker.admit(kStart), BreakerSignal::failure, kStart);
    breaker.report(slow, late, kStart + seconds(30));
    EXPECT_EQ(breaker.state(), BreakerState::open);
    EXPECT_EQ(breaker.recovers_at(), kRecovered);  // a late failure does not put it off either
  }
}

// --- HALF_OPEN -------------------------------------------------------------------------------

TEST_F(Breaker, HalfOpenAdmitsOneProbeOnly) {
  half_open();
  EXPECT_TRUE(breaker_.wants_probe());
  EXPECT_TRUE(breaker_.admit(kRecovered));
  EXPECT_FALSE(breaker_.wants_probe());
  EXPECT_FALSE(breaker_.admit(kRecovered));
  EXPECT_FALSE(breaker_.admit(kRecovered + kOne));
  EXPECT_EQ(state(), BreakerState::half_open);
}

TEST_F(Breaker, TheProbesSuccessCloses) {
  half_open();
  attempt_and_end(BreakerSignal::success, kRecovered);
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_FALSE(breaker_.wants_probe());
  for (int i = 0; i < 10; ++i) attempt(kRecovered);
}

TEST_F(Breaker, TheProbesFailureOpensForAWholeRecoveryTimeoutFromItsEnd) {
  half_open();
  const Permit probe = attempt(kRecovered);
  const TimePoint failed = kRecovered + seconds(1);
  breaker_.report(probe, BreakerSignal::failure, failed);
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_EQ(breaker_.recovers_at(), failed + kRecovery);
  EXPECT_FALSE(breaker_.wants_probe());
  EXPECT_FALSE(breaker_.admit(failed + kRecovery - kOne));
  EXPECT_TRUE(breaker_.admit(failed + kRecovery));
}

TEST_F(Breaker, NothingFoundFreesTheProbe) {
  half_open();
  attempt_and_end(BreakerSignal::none, kRecovered);
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_TRUE(breaker_.wants_probe());
  attempt_and_end(BreakerSignal::success, kRecovered);
  EXPECT_EQ(state(), BreakerState::closed);
}

TEST_F(Breaker, FailuresFromBeforeItOpenedDoNotCountAfterItHasClosed) {
  half_open();
  attempt_and_end(BreakerSignal::success, kRecovered);
  attempt_and_end(4, BreakerSignal::failure, kRecovered);
  EXPECT_EQ(state(), BreakerState::closed);
  attempt_and_end(BreakerSignal::failure, kRecovered);
  EXPECT_EQ(state(), BreakerState::open);
}

TEST_F(Breaker, ResultsFromClosedDoNotDecideForTheProbe) {
  const Permit slow = attempt(kStart);
  half_open();
  for (const bool probing : {false, true}) {
    if (probing) attempt(kRecovered);
    for (const BreakerSignal late : {BreakerSignal::success, BreakerSignal::failure,
                                     BreakerSignal::outage, BreakerSignal::none}) {
      breaker_.report(slow, late, kRecovered);
      EXPECT_EQ(state(), BreakerState::half_open);
      EXPECT_EQ(breaker_.wants_probe(), !probing);
    }
  }
}

TEST_F(Breaker, ResultsOfAnOlderPeriodAreIgnoredThoughTheSameStateHasComeAgain) {
  const Permit of_first_closed = attempt(kStart);
  half_open();
  attempt_and_end(BreakerSignal::success, kRecovered);
  attempt_and_end(4, BreakerSignal::failure, kRecovered);
  breaker_.report(of_first_closed, BreakerSignal::failure, kRecovered);
  EXPECT_EQ(state(), BreakerState::closed);  // not the fifth
  breaker_.report(of_first_closed, BreakerSignal::success, kRecovered);
  attempt_and_end(BreakerSignal::failure, kRecovered);
  EXPECT_EQ(state(), BreakerState::open);  // nor has it reset the count
}

TEST_F(Breaker, AProbeOfAnOlderHalfOpenIsIgnoredInTheNext) {
  half_open();
  const Permit lost = attempt(kRecovered);
  const TimePoint second = kRecovered + kRecovery;
  attempt_and_end(BreakerSignal::failure, second);
  attempt(second + kRecovery);
  breaker_.report(lost, BreakerSignal::success, second + kRecovery);
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_FALSE(breaker_.admit(second + kRecovery));
}

TEST_F(Breaker, ALostProbeIsGivenUpAfterAWholeRecoveryTimeout) {
  half_open();
  attempt(kRecovered);
  EXPECT_FALSE(breaker_.admit(kRecovered + kRecovery - kOne));
  EXPECT_TRUE(breaker_.admit(kRecovered + kRecovery));
  EXPECT_FALSE(breaker_.admit(kRecovered + kRecovery));  // for one other, not for all
  EXPECT_FALSE(breaker_.admit(kRecovered + 2 * kRecovery - kOne));
  EXPECT_TRUE(breaker_.admit(kRecovered + 2 * kRecovery));
}

TEST_F(Breaker, AProbeWhoseFindingMayComeLateIsGivenUpLater) {
  CircuitBreaker breaker(
      {.failure_threshold = 1, .recovery_timeout = kRecovery, .probe_timeout = seconds(90)});
  breaker.report(*breaker.admit(kStart), BreakerSignal::failure, kStart);
  const auto probe = breaker.admit(kRecovered);
  ASSERT_TRUE(probe);
  EXPECT_FALSE(breaker.admit(kRecovered + seconds(90) - kOne));
  breaker.report(*probe, BreakerSignal::failure, kRecovered + seconds(90) - kOne);
  EXPECT_EQ(breaker.state(), BreakerState::open);
  const TimePoint again = kRecovered + seconds(90) - kOne + kRecovery;
  ASSERT_TRUE(breaker.admit(again));
  EXPECT_TRUE(breaker.admit(again + seconds(90)));
}

TEST_F(Breaker, TheLateResultOfALostProbeIsIgnored) {
  half_open();
  const Permit lost = attempt(kRecovered);
  const TimePoint later = kRecovered + kRecovery;
  const Permit probe = attempt(later);
  for (const BreakerSignal late : {BreakerSignal::success, BreakerSignal::failure,
                                   BreakerSignal::outage, BreakerSignal::none}) {
    breaker_.report(lost, late, later);
    EXPECT_EQ(state(), BreakerState::half_open);
    EXPECT_FALSE(breaker_.admit(later));
  }
  breaker_.report(probe, BreakerSignal::success, later);
  EXPECT_EQ(state(), BreakerState::closed);
}

// Found by this test: only an order could replace a lost probe. Without one the breaker said for
// ever that somebody was trying, and the flush that probes when there are no orders never came.
TEST_F(Breaker, WantsAnotherProbeWhenOneIsLostAndNoOrderComes) {
  half_open();
  const Permit lost = attempt(kRecovered);
  breaker_.advance(kRecovered + kRecovery - kOne);
  EXPECT_FALSE(breaker_.wants_probe());
  breaker_.advance(kRecovered + kRecovery);
  EXPECT_TRUE(breaker_.wants_probe());
  breaker_.report(lost, BreakerSignal::success, kRecovered + kRecovery);
  EXPECT_EQ(state(), BreakerState::half_open);  // given up is given up
}

TEST_F(Breaker, AFreedProbeDoesNotDecideForTheNext) {
  half_open();
  const Permit freed = attempt(kRecovered);
  breaker_.report(freed, BreakerSignal::none, kRecovered);
  attempt(kRecovered);
  breaker_.report(freed, BreakerSignal::success,
                  kRecovered);  // a second report, against the contract
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_FALSE(breaker_.admit(kRecovered));
}

TEST_F(Breaker, ASecondReportOfTheDecidingProbeIsIgnored) {
  half_open();
  const Permit probe = attempt(kRecovered);
  breaker_.report(probe, BreakerSignal::success, kRecovered);
  breaker_.report(probe, BreakerSignal::failure, kRecovered);
  attempt_and_end(4, BreakerSignal::failure, kRecovered);
  EXPECT_EQ(state(), BreakerState::closed);
}

// --- What is shown ---------------------------------------------------------------------------

TEST_F(Breaker, CountsHowOftenEachStateIsEntered) {
  const auto entered = [&] {
    std::string text;
    for (const BreakerState any : all_of<BreakerState>) {
      text += std::string(to_string(any)) + " " +
              std::to_string(breaker_.entered()[index_of(any)]) + " ";
    }
    return text;
  };
  EXPECT_EQ(entered(), "closed 0 open 0 half_open 0 ");
  open_at(kStart);
  EXPECT_EQ(entered(), "closed 0 open 1 half_open 0 ");
  EXPECT_TRUE(breaker_.admit(kRecovered));
  EXPECT_EQ(entered(), "closed 0 open 1 half_open 1 ");
  attempt_and_end(BreakerSignal::failure,
                  kRecovered + kRecovery);  // another probe is no other state
  EXPECT_EQ(entered(), "closed 0 open 2 half_open 1 ");
  attempt_and_end(BreakerSignal::success, kRecovered + 3 * kRecovery);
  EXPECT_EQ(entered(), "closed 1 open 2 half_open 2 ");
}

TEST_F(Breaker, StatesAreNamedOnceEach) {
  EXPECT_EQ(to_string(BreakerState::closed), "closed");
  EXPECT_EQ(to_string(BreakerState::open), "open");
  EXPECT_EQ(to_string(BreakerState::half_open), "half_open");
}

TEST_F(Breaker, IsTriedBeforeItsTimeWhenItIsToldTo) {
  breaker_.retry_now();
  EXPECT_EQ(state(), BreakerState::closed) << "nothing to try";
  open_at(kStart);
  breaker_.retry_now();
  EXPECT_EQ(state(), BreakerState::half_open);
  attempt_and_end(BreakerSignal::success, kStart + kOne);
  EXPECT_EQ(state(), BreakerState::closed);
}

}  // namespace
}  // namespace rts
