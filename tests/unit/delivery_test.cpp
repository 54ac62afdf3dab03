// The rules of delivery, row by row as SPEC §6 has them, and what must hold of every row whatever
// else changes.
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rts/trading/delivery.hpp>

namespace rts {
namespace {

using Finding = CircuitBreaker::Finding;
using enum AttemptEnd;

constexpr auto kCore = DeliveryMode::core;
constexpr auto kStream = DeliveryMode::jetstream;
constexpr bool kInDoubt = true;
constexpr bool kNoDoubt = false;

struct Row {
  DeliveryMode mode;
  AttemptEnd end;
  bool in_doubt;
  std::string_view result;  // "again": publish the same id once more
  Finding finding;
};

constexpr Row kTable[] = {
    {kCore, acknowledged, kNoDoubt, "confirmed", Finding::success},
    {kCore, duplicate, kNoDoubt, "duplicate", Finding::success},
    {kCore, refused, kNoDoubt, "rejected", Finding::success},
    {kCore, refused_unseen, kNoDoubt, "rejected", Finding::success},
    {kCore, no_responders, kNoDoubt, "no_responders", Finding::failure},
    {kCore, timed_out, kNoDoubt, "unconfirmed", Finding::success},
    {kCore, unproven, kNoDoubt, "ambiguous", Finding::nothing},
    {kCore, connection_lost, kNoDoubt, "ambiguous", Finding::nothing},
    {kCore, denied, kNoDoubt, "rejected", Finding::failure},
    {kCore, denied_unsure, kNoDoubt, "ambiguous", Finding::failure},

    // Nothing is sent twice there, so nothing earlier can be in doubt; were it, honesty decides.
    {kCore, acknowledged, kInDoubt, "confirmed", Finding::success},
    {kCore, duplicate, kInDoubt, "duplicate", Finding::success},
    {kCore, refused, kInDoubt, "rejected", Finding::success},
    {kCore, refused_unseen, kInDoubt, "ambiguous", Finding::success},
    {kCore, no_responders, kInDoubt, "ambiguous", Finding::failure},
    {kCore, timed_out, kInDoubt, "unconfirmed", Finding::success},
    {kCore, unproven, kInDoubt, "ambiguous", Finding::nothing},
    {kCore, connection_lost, kInDoubt, "ambiguous", Finding::nothing},
    {kCore, denied, kInDoubt, "ambiguous", Finding::failure},
    {kCore, denied_unsure, kInDoubt, "ambiguous", Finding::failure},

    {kStream, acknowledged, kNoDoubt, "confirmed", Finding::success},
    {kStream, duplicate, kNoDoubt, "duplicate", Finding::success},
    {kStream, refused, kNoDoubt, "rejected", Finding::success},
    {kStream, refused_unseen, kNoDoubt, "rejected", Finding::success},
    {kStream, no_responders, kNoDoubt, "no_responders", Finding::failure},
    {kStream, timed_out, kNoDoubt, "again", Finding::failure},
    {kStream, unproven, kNoDoubt, "again", Finding::failure},
    {kStream, connection_lost, kNoDoubt, "again", Finding::nothing},
    {kStream, denied, kNoDoubt, "rejected", Finding::failure},
    {kStream, denied_unsure, kNoDoubt, "ambiguous", Finding::failure},

    {kStream, acknowledged, kInDoubt, "confirmed", Finding::success},
    {kStream, duplicate, kInDoubt, "duplicate", Finding::success},
    {kStream, refused, kInDoubt, "rejected", Finding::success},
    {kStream, refused_unseen, kInDoubt, "ambiguous", Finding::success},
    {kStream, no_responders, kInDoubt, "again", Finding::failure},
    {kStream, timed_out, kInDoubt, "again", Finding::failure},
    {kStream, unproven, kInDoubt, "again", Finding::failure},
    {kStream, connection_lost, kInDoubt, "again", Finding::nothing},
    {kStream, denied, kInDoubt, "ambiguous", Finding::failure},
    {kStream, denied_unsure, kInDoubt, "ambiguous", Finding::failure},
};

std::string text_of(const Ruling& ruling) {
  return ruling.result ? std::string(to_string(*ruling.result)) : "again";
}

std::string place_of(DeliveryMode mode, AttemptEnd end, bool in_doubt) {
  return std::string(mode == kCore ? "core" : "jetstream") + ", end " +
         std::to_string(static_cast<int>(end)) + (in_doubt ? ", in doubt" : "");
}

// Calls what(mode, end, in_doubt, ruling) for all there are.
template <typename What>
void for_every_ruling(const What& what) {
  for (const DeliveryMode mode : {kCore, kStream}) {
    for (const AttemptEnd end : kAttemptEnds) {
      for (const bool in_doubt : {kNoDoubt, kInDoubt}) {
        SCOPED_TRACE(place_of(mode, end, in_doubt));
        what(mode, end, in_doubt, judge(mode, end, in_doubt));
      }
    }
  }
}

TEST(Delivery, RulesAsTheTableSays) {
  for (const Row& row : kTable) {
    SCOPED_TRACE(place_of(row.mode, row.end, row.in_doubt));
    const Ruling ruling = judge(row.mode, row.end, row.in_doubt);
    EXPECT_EQ(text_of(ruling), row.result);
    EXPECT_EQ(ruling.finding, row.finding);
  }
}

TEST(Delivery, TheTableHasEveryCaseOnce) {
  std::multiset<std::string> cases;
  for (const Row& row : kTable) cases.insert(place_of(row.mode, row.end, row.in_doubt));
  for_every_ruling([&](DeliveryMode mode, AttemptEnd end, bool in_doubt, const Ruling&) {
    EXPECT_EQ(cases.count(place_of(mode, end, in_doubt)), 1U);
  });
  EXPECT_EQ(cases.size(), 40U);
}

// Found by this test: `no_responders` in doubt asked for another attempt in core mode too.
TEST(Delivery, CoreNeverRepeats) {
  for_every_ruling([](DeliveryMode mode, AttemptEnd, bool, const Ruling& ruling) {
    EXPECT_TRUE(ruling.result.has_value() || mode != kCore);
  });
}

TEST(Delivery, AStreamIsAskedAgainOnlyWhenTheOrderMayHaveArrived) {
  for_every_ruling([](DeliveryMode, AttemptEnd end, bool in_doubt, const Ruling& ruling) {
    if (ruling.result) return;
    EXPECT_TRUE(end == timed_out || end == unproven || end == connection_lost ||
                (end == no_responders && in_doubt));
  });
}

TEST(Delivery, WhatIsInDoubtIsNotCalledUndelivered) {
  for_every_ruling([](DeliveryMode, AttemptEnd end, bool in_doubt, const Ruling& ruling) {
    if (!in_doubt || end == refused) return;  // that knows of all attempts
    EXPECT_NE(ruling.result, OrderResult::no_responders);
    EXPECT_NE(ruling.result, OrderResult::rejected);
  });
}

// The rest is decided without an attempt: by the clock, the connection, the breaker or the
// settings.
TEST(Delivery, NoAttemptEndsInWhatIsDecidedWithoutOne) {
  const std::set<OrderResult> of_attempts{OrderResult::confirmed, OrderResult::unconfirmed,
                                          OrderResult::duplicate, OrderResult::no_responders,
                                          OrderResult::rejected,  OrderResult::ambiguous};
  std::set<OrderResult> seen;
  for_every_ruling([&](DeliveryMode, AttemptEnd, bool, const Ruling& ruling) {
    if (ruling.result) seen.insert(*ruling.result);
  });
  EXPECT_EQ(seen, of_attempts);
}

// A value of no name can only come from a defect; money is then in doubt, and nothing is repeated.
TEST(Delivery, AnEndOfNoNameIsAmbiguous) {
  const auto beyond = static_cast<AttemptEnd>(kAttemptEnds.size());
  for (const DeliveryMode mode : {kCore, kStream}) {
    EXPECT_EQ(judge(mode, beyond, kNoDoubt).result, OrderResult::ambiguous);
    EXPECT_EQ(judge(mode, beyond, kNoDoubt).finding, Finding::nothing);
  }
}

TEST(OrderResults, AreListedCompletelyAndInOrder) {
  const std::vector<std::string_view> names{
      "confirmed",    "unconfirmed",  "duplicate",   "no_responders", "rejected", "expired",
      "disconnected", "circuit_open", "buffer_full", "ambiguous",     "dry_run"};
  ASSERT_EQ(kOrderResults.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kOrderResults[i]), i);
    EXPECT_EQ(to_string(kOrderResults[i]), names[i]);
  }
  // The next value has no name: there is none that the list leaves out.
  EXPECT_EQ(to_string(static_cast<OrderResult>(kOrderResults.size())), "");
}

TEST(OrderResults, AreNamedUniquely) {
  std::set<std::string_view> names;
  for (const OrderResult result : kOrderResults) names.insert(to_string(result));
  EXPECT_EQ(names.size(), kOrderResults.size());
  EXPECT_EQ(names.count(""), 0U);
}

TEST(AttemptEnds, AreListedInOrder) {
  for (std::size_t i = 0; i < kAttemptEnds.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kAttemptEnds[i]), i);
  }
}

// --- Silence ------------------------------------------------------------------------------------

// The place in the row, from 1, of the first end that is an outage; 0: none.
std::size_t first_outage(std::int64_t limit, const std::vector<AttemptEnd>& ends) {
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
  for (const AttemptEnd answer : {acknowledged, duplicate, refused, refused_unseen}) {
    EXPECT_EQ(first_outage(2, {acknowledged, timed_out, answer, timed_out, timed_out}), 5U);
  }
}

TEST(SilenceWatch, WhatIsNeitherAnAnswerNorASilenceCountsForNothing) {
  for (const AttemptEnd other : {no_responders, unproven, connection_lost, denied, denied_unsure}) {
    EXPECT_EQ(first_outage(2, {acknowledged, timed_out, other, timed_out}), 4U);
    EXPECT_EQ(first_outage(1, {acknowledged, other, other}), 0U);
  }
}

// The real one answers what it refuses and nothing else.
TEST(SilenceWatch, OfAnEngineThatConfirmsNothingSilenceSaysNothing) {
  const std::vector<AttemptEnd> silent(50, timed_out);
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
