// The rules of delivery, row by row as SPEC §6 has them, and what must hold of every row whatever
// else changes.
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/trading/delivery.hpp>

namespace rts {
namespace {

using enum AttemptResult;

constexpr auto kCore = DeliveryMode::core;
constexpr auto kStream = DeliveryMode::jetstream;
constexpr bool kInDoubt = true;
constexpr bool kNoDoubt = false;

struct Row {
  DeliveryMode mode;
  AttemptResult attempt;
  bool in_doubt;
  std::string_view result;  // "again": publish the same id once more
  BreakerSignal signal;
};

constexpr Row kTable[] = {
    {kCore, acknowledged, kNoDoubt, "confirmed", BreakerSignal::success},
    {kCore, duplicate, kNoDoubt, "duplicate", BreakerSignal::success},
    {kCore, refused, kNoDoubt, "rejected", BreakerSignal::success},
    {kCore, refused_unseen, kNoDoubt, "rejected", BreakerSignal::success},
    {kCore, no_responders, kNoDoubt, "no_responders", BreakerSignal::failure},
    {kCore, timed_out, kNoDoubt, "unconfirmed", BreakerSignal::success},
    {kCore, arrival_unproven, kNoDoubt, "ambiguous", BreakerSignal::none},
    {kCore, connection_lost, kNoDoubt, "ambiguous", BreakerSignal::none},
    {kCore, denied, kNoDoubt, "rejected", BreakerSignal::failure},
    {kCore, denied_unsure, kNoDoubt, "ambiguous", BreakerSignal::failure},
    {kCore, disconnected, kNoDoubt, "disconnected", BreakerSignal::none},
    {kCore, buffer_full, kNoDoubt, "buffer_full", BreakerSignal::none},
    {kCore, path_unproven, kNoDoubt, "expired", BreakerSignal::none},
    {kCore, unsendable, kNoDoubt, "rejected", BreakerSignal::failure},

    // Nothing is sent twice there, so nothing earlier can be in doubt; were it, honesty decides.
    {kCore, acknowledged, kInDoubt, "confirmed", BreakerSignal::success},
    {kCore, duplicate, kInDoubt, "duplicate", BreakerSignal::success},
    {kCore, refused, kInDoubt, "rejected", BreakerSignal::success},
    {kCore, refused_unseen, kInDoubt, "ambiguous", BreakerSignal::success},
    {kCore, no_responders, kInDoubt, "ambiguous", BreakerSignal::failure},
    {kCore, timed_out, kInDoubt, "unconfirmed", BreakerSignal::success},
    {kCore, arrival_unproven, kInDoubt, "ambiguous", BreakerSignal::none},
    {kCore, connection_lost, kInDoubt, "ambiguous", BreakerSignal::none},
    {kCore, denied, kInDoubt, "ambiguous", BreakerSignal::failure},
    {kCore, denied_unsure, kInDoubt, "ambiguous", BreakerSignal::failure},
    {kCore, disconnected, kInDoubt, "ambiguous", BreakerSignal::none},
    {kCore, buffer_full, kInDoubt, "ambiguous", BreakerSignal::none},
    {kCore, path_unproven, kInDoubt, "ambiguous", BreakerSignal::none},
    {kCore, unsendable, kInDoubt, "ambiguous", BreakerSignal::failure},

    {kStream, acknowledged, kNoDoubt, "confirmed", BreakerSignal::success},
    {kStream, duplicate, kNoDoubt, "duplicate", BreakerSignal::success},
    {kStream, refused, kNoDoubt, "rejected", BreakerSignal::success},
    {kStream, refused_unseen, kNoDoubt, "rejected", BreakerSignal::success},
    {kStream, no_responders, kNoDoubt, "no_responders", BreakerSignal::failure},
    {kStream, timed_out, kNoDoubt, "again", BreakerSignal::failure},
    {kStream, arrival_unproven, kNoDoubt, "again", BreakerSignal::failure},
    {kStream, connection_lost, kNoDoubt, "again", BreakerSignal::none},
    {kStream, denied, kNoDoubt, "rejected", BreakerSignal::failure},
    {kStream, denied_unsure, kNoDoubt, "ambiguous", BreakerSignal::failure},
    {kStream, disconnected, kNoDoubt, "disconnected", BreakerSignal::none},
    {kStream, buffer_full, kNoDoubt, "buffer_full", BreakerSignal::none},
    {kStream, path_unproven, kNoDoubt, "expired", BreakerSignal::none},
    {kStream, unsendable, kNoDoubt, "rejected", BreakerSignal::failure},

    {kStream, acknowledged, kInDoubt, "confirmed", BreakerSignal::success},
    {kStream, duplicate, kInDoubt, "duplicate", BreakerSignal::success},
    {kStream, refused, kInDoubt, "rejected", BreakerSignal::success},
    {kStream, refused_unseen, kInDoubt, "ambiguous", BreakerSignal::success},
    {kStream, no_responders, kInDoubt, "again", BreakerSignal::failure},
    {kStream, timed_out, kInDoubt, "again", BreakerSignal::failure},
    {kStream, arrival_unproven, kInDoubt, "again", BreakerSignal::failure},
    {kStream, connection_lost, kInDoubt, "again", BreakerSignal::none},
    {kStream, denied, kInDoubt, "ambiguous", BreakerSignal::failure},
    {kStream, denied_unsure, kInDoubt, "ambiguous", BreakerSignal::failure},
    {kStream, disconnected, kInDoubt, "again", BreakerSignal::none},
    {kStream, buffer_full, kInDoubt, "again", BreakerSignal::none},
    {kStream, path_unproven, kInDoubt, "again", BreakerSignal::none},
    {kStream, unsendable, kInDoubt, "again", BreakerSignal::failure},
};

std::string text_of(const Judgement& judgement) {
  return judgement.result ? std::string(to_string(*judgement.result)) : "again";
}

std::string place_of(DeliveryMode mode, AttemptResult attempt, bool in_doubt) {
  return std::string(mode == kCore ? "core" : "jetstream") + ", " +
         std::to_string(static_cast<int>(attempt)) + (in_doubt ? ", in doubt" : "");
}

// Calls what(mode, attempt, in_doubt, judgement) for all there are.
template <typename What>
void for_every_judgement(const What& what) {
  for (const DeliveryMode mode : {kCore, kStream}) {
    for (const AttemptResult attempt : all_of<AttemptResult>) {
      for (const bool in_doubt : {kNoDoubt, kInDoubt}) {
        SCOPED_TRACE(place_of(mode, attempt, in_doubt));
        what(mode, attempt, in_doubt, judge(mode, attempt, in_doubt));
      }
    }
  }
}

TEST(Delivery, RulesAsTheTableSays) {
  for (const Row& row : kTable) {
    SCOPED_TRACE(place_of(row.mode, row.attempt, row.in_doubt));
    const Judgement judgement = judge(row.mode, row.attempt, row.in_doubt);
    EXPECT_EQ(text_of(judgement), row.result);
    EXPECT_EQ(judgement.signal, row.signal);
  }
}

TEST(Delivery, TheTableHasEveryCaseOnce) {
  std::multiset<std::string> cases;
  for (const Row& row : kTable) cases.insert(place_of(row.mode, row.attempt, row.in_doubt));
  for_every_judgement(
      [&](DeliveryMode mode, AttemptResult attempt, bool in_doubt, const Judgement&) {
        EXPECT_EQ(cases.count(place_of(mode, attempt, in_doubt)), 1U);
      });
  EXPECT_EQ(cases.size(), 56U);
}

// Found by this test: `no_responders` in doubt asked for another attempt in core mode too.
TEST(Delivery, CoreNeverRepeats) {
  for_every_judgement([](DeliveryMode mode, AttemptResult, bool, const Judgement& judgement) {
    EXPECT_TRUE(judgement.result.has_value() || mode != kCore);
  });
}

TEST(Delivery, AStreamIsAskedAgainOnlyWhenTheOrderMayHaveArrived) {
  for_every_judgement([](DeliveryMode, AttemptResult attempt, bool in_doubt,
                         const Judgement& judgement) {
    if (judgement.result) return;
    EXPECT_TRUE(attempt == timed_out || attempt == arrival_unproven || attempt == connection_lost ||
                (in_doubt && (attempt == no_responders || attempt >= disconnected)));
  });
}

TEST(Delivery, WhatIsInDoubtIsNotCalledUndelivered) {
  for_every_judgement(
      [](DeliveryMode, AttemptResult attempt, bool in_doubt, const Judgement& judgement) {
        if (!in_doubt || attempt == refused) return;  // that knows of all attempts
        EXPECT_NE(judgement.result, OrderResult::no_responders);
        EXPECT_NE(judgement.result, OrderResult::rejected);
        EXPECT_NE(judgement.result, OrderResult::disconnected);
        EXPECT_NE(judgement.result, OrderResult::buffer_full);
        EXPECT_NE(judgement.result, OrderResult::expired);
      });
}

// The rest is decided without an attempt: by the breaker or the settings.
TEST(Delivery, NoAttemptEndsInWhatIsDecidedWithoutOne) {
  std::set<OrderResult> of_attempts(all_of<OrderResult>.begin(), all_of<OrderResult>.end());
  of_attempts.erase(OrderResult::circuit_open);
  of_attempts.erase(OrderResult::dry_run);
  std::set<OrderResult> seen;
  for_every_judgement([&](DeliveryMode, AttemptResult, bool, const Judgement& judgement) {
    if (judgement.result) seen.insert(*judgement.result);
  });
  EXPECT_EQ(seen, of_attempts);
}

// An order that was not sent, and was not before, has ended: the publisher relies on it.
TEST(Delivery, AFirstAttemptThatWasNotSentIsTheLast) {
  for_every_judgement(
      [](DeliveryMode, AttemptResult attempt, bool in_doubt, const Judgement& made) {
        EXPECT_TRUE(attempt < disconnected || in_doubt || made.result.has_value());
      });
}

// A value of no name can only come from a defect; money is then in doubt, and nothing is repeated.
TEST(Delivery, AResultOfNoNameIsAmbiguous) {
  const auto beyond = static_cast<AttemptResult>(count_of<AttemptResult>);
  for (const DeliveryMode mode : {kCore, kStream}) {
    EXPECT_EQ(judge(mode, beyond, kNoDoubt).result, OrderResult::ambiguous);
    EXPECT_EQ(judge(mode, beyond, kNoDoubt).signal, BreakerSignal::none);
  }
}

// Metrics, logs and documents have these names.
TEST(OrderResults, AreNamedAsTheyAreShown) {
  EXPECT_THAT(names_of<OrderResult>,
              testing::ElementsAre("confirmed", "unconfirmed", "duplicate", "no_responders",
                                   "rejected", "expired", "disconnected", "circuit_open",
                                   "buffer_full", "ambiguous", "dry_run"));
}

// --- Silence ------------------------------------------------------------------------------------

// The place in the row, from 1, of the first attempt that is an outage; 0: none.
std::size_t first_outage(std::int64_t limit, const std::vector<AttemptResult>& ends) {
  SilenceWatch watch(limit);
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (watch.is_outage(ends[i])) return i + 1;
  }
  return 0;
}

TEST(SilenceWatch, SoManyInARowAfterAConfirmationAreAnOutage) {
  EXPECT_EQ(first_outage(3, {acknowledged, timed_out, timed_out, timed_out}), 4U);
  EXPECT_EQ(first_outage(3, {acknowledged, timed_out, timed_out}), 0U);
  EXPECT_EQ(first_outage(1, {acknowledged, timed_out}), 2U);
}

TEST(SilenceWatch, AnyAnswerBetweenStartsTheCountAnew) {
  for (const AttemptResult answer : {acknowledged, duplicate, refused, refused_unseen}) {
    EXPECT_EQ(first_outage(2, {acknowledged, timed_out, answer, timed_out, timed_out}), 5U);
  }
}

TEST(SilenceWatch, WhatIsNeitherAnAnswerNorASilenceCountsForNothing) {
  for (const AttemptResult other :
       {no_responders, arrival_unproven, connection_lost, denied, denied_unsure, disconnected,
        buffer_full, path_unproven, unsendable}) {
    EXPECT_EQ(first_outage(2, {acknowledged, timed_out, other, timed_out}), 4U);
    EXPECT_EQ(first_outage(1, {acknowledged, other, other}), 0U);
  }
}

// The real one answers what it refuses and nothing else.
TEST(SilenceWatch, OfAnEngineThatConfirmsNothingSilenceSaysNothing) {
  const std::vector<AttemptResult> silent(50, timed_out);
  EXPECT_EQ(first_outage(1, silent), 0U);
  EXPECT_EQ(first_outage(1, {refused, timed_out, duplicate, timed_out, refused_unseen, timed_out}),
            0U);
}

TEST(SilenceWatch, WithALimitOfZeroSilenceSaysNothing) {
  EXPECT_EQ(first_outage(0, {acknowledged, timed_out, timed_out, timed_out, timed_out}), 0U);
}

TEST(SilenceWatch, EveryFurtherSilenceIsAnOutageToo) {
  SilenceWatch watch(2);
  EXPECT_FALSE(watch.is_outage(acknowledged));
  EXPECT_FALSE(watch.is_outage(timed_out));
  EXPECT_TRUE(watch.is_outage(timed_out));
  EXPECT_TRUE(watch.is_outage(timed_out));
}

TEST(SilenceWatch, OfANewConnectionNothingIsKnown) {
  SilenceWatch watch(1);
  EXPECT_FALSE(watch.is_outage(acknowledged));
  watch.on_new_connection();
  EXPECT_FALSE(watch.is_outage(timed_out));
  EXPECT_FALSE(watch.is_outage(acknowledged));
  EXPECT_TRUE(watch.is_outage(timed_out));
}

}  // namespace
}  // namespace rts
