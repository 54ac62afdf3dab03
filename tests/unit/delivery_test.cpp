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

using Next = Judgement::Next;

constexpr bool kInDoubt = true;
constexpr bool kNoDoubt = false;

struct Row {
  AttemptResult attempt;
  // "read_log", "ask_again", "forward", or how the order ends.
  std::string_view storing, storing_in_doubt, forwarding;
  BreakerSignal storing_signal, forwarding_signal;  // of an order that ends so, without doubt
};

constexpr auto kGood = BreakerSignal::success;
constexpr auto kBad = BreakerSignal::failure;
constexpr auto kNone = BreakerSignal::none;

// clang-format off
constexpr Row kTable[] = {
    {acknowledged, "forward", "forward", "confirmed", kNone, kGood},
    {duplicate, "read_log", "read_log", "duplicate", kNone, kGood},
    {refused, "rejected", "rejected", "rejected", kGood, kGood},
    {overtaken, "read_log", "read_log", "rejected", kNone, kGood},
    {pending, "ask_again", "ask_again", "rejected", kNone, kGood},
    {failed, "rejected", "ask_again", "rejected", kBad, kGood},
    {no_responders, "ask_again", "ask_again", "no_responders", kNone, kBad},
    {timed_out, "ask_again", "ask_again", "unconfirmed", kNone, kGood},
    {arrival_unproven, "ask_again", "ask_again", "ambiguous", kNone, kNone},
    {connection_lost, "ask_again", "ask_again", "ambiguous", kNone, kNone},
    {denied, "rejected", "ask_again", "rejected", kBad, kBad},
    {denied_unsure, "ask_again", "ask_again", "ambiguous", kNone, kBad},
    {disconnected, "disconnected", "ask_again", "disconnected", kNone, kNone},
    {buffer_full, "buffer_full", "ask_again", "buffer_full", kNone, kNone},
    {path_unproven, "expired", "ask_again", "expired", kNone, kNone},
    {unsendable, "rejected", "ask_again", "rejected", kBad, kBad},
};
// clang-format on

std::string_view text_of(const Judgement& judgement) {
  switch (judgement.next) {
    case Next::end: return to_string(judgement.result);
    case Next::forward: return "forward";
    case Next::ask_again: return "ask_again";
    case Next::read_log: return "read_log";
  }
  return "";
}

TEST(Delivery, RulesAsTheTableSays) {
  ASSERT_EQ(std::size(kTable), count_of<AttemptResult>);
  for (const Row& row : kTable) {
    SCOPED_TRACE(to_string(row.attempt));
    const Judgement stored = judge(DeliveryStep::storing, row.attempt, kNoDoubt);
    const Judgement forwarded = judge(DeliveryStep::forwarding, row.attempt, kNoDoubt);
    EXPECT_EQ(text_of(stored), row.storing);
    EXPECT_EQ(stored.signal, row.storing_signal);
    EXPECT_EQ(text_of(judge(DeliveryStep::storing, row.attempt, kInDoubt)), row.storing_in_doubt);
    EXPECT_EQ(text_of(forwarded), row.forwarding);
    EXPECT_EQ(forwarded.signal, row.forwarding_signal);
  }
}

TEST(Delivery, TheTableHasEveryResultOnce) {
  std::set<AttemptResult> results;
  for (const Row& row : kTable) results.insert(row.attempt);
  EXPECT_EQ(results.size(), count_of<AttemptResult>);
}

// What reaches the TradeEngine is sent once, whatever is said of it.
TEST(Delivery, WhatIsForwardedIsNeverRepeated) {
  for (const AttemptResult attempt : all_of<AttemptResult>) {
    for (const bool in_doubt : {kNoDoubt, kInDoubt}) {
      EXPECT_EQ(judge(DeliveryStep::forwarding, attempt, in_doubt).next, Next::end)
          << to_string(attempt);
    }
  }
}

// While it may be stored yet, no attempt ends an order but one that knows of all before it.
TEST(Delivery, WhatMayBeStoredYetIsAskedForAgain) {
  for (const AttemptResult attempt : all_of<AttemptResult>) {
    const bool ends = judge(DeliveryStep::storing, attempt, kInDoubt).next == Next::end;
    EXPECT_EQ(ends, attempt == refused) << to_string(attempt);
    if (is_unclear(attempt)) {
      EXPECT_NE(judge(DeliveryStep::storing, attempt, kNoDoubt).next, Next::end)
          << to_string(attempt);
    }
  }
}

// By the codes of nats-server 2.9 to 2.14.
TEST(Delivery, KnowsAStreamsErrorsByTheirCodes) {
  EXPECT_EQ(result_of_error(10071), overtaken);  // wrong last sequence
  EXPECT_EQ(result_of_error(10158), pending);    // a copy is being committed
  EXPECT_EQ(result_of_error(10008), pending);    // the cluster is not there now
  EXPECT_EQ(result_of_error(10077), refused);    // maximum messages exceeded
  EXPECT_EQ(result_of_error(10054), refused);    // message size exceeds maximum allowed
  for (const std::uint64_t no_storage : {10002U, 10023U, 10028U, 10047U}) {
    EXPECT_EQ(result_of_error(no_storage), failed) << no_storage;
    EXPECT_TRUE(is_storage_full(no_storage)) << no_storage;
  }
  for (const std::uint64_t other : {0U, 1U, 10060U}) {
    EXPECT_EQ(result_of_error(other), failed) << other;
    EXPECT_FALSE(is_storage_full(other)) << other;
  }
}

// The rest is decided without an attempt: by the breaker, the settings or the log.
TEST(Delivery, NoAttemptEndsInWhatIsDecidedWithoutOne) {
  std::set<OrderResult> of_attempts(all_of<OrderResult>.begin(), all_of<OrderResult>.end());
  of_attempts.erase(OrderResult::circuit_open);
  of_attempts.erase(OrderResult::dry_run);
  of_attempts.erase(OrderResult::superseded);
  std::set<OrderResult> seen;
  for (const AttemptResult attempt : all_of<AttemptResult>) {
    seen.insert(judge(DeliveryStep::forwarding, attempt, kNoDoubt).result);
  }
  EXPECT_EQ(seen, of_attempts);
}

// An order that was not sent, and was not before, has ended.
TEST(Delivery, AFirstAttemptThatWasNotSentIsTheLast) {
  for (const AttemptResult attempt : all_of<AttemptResult>) {
    if (attempt < disconnected) continue;
    EXPECT_EQ(judge(DeliveryStep::storing, attempt, kNoDoubt).next, Next::end);
  }
}

// A value of no name can only come from a defect; money is then in doubt, and nothing is repeated.
TEST(Delivery, AResultOfNoNameIsAmbiguous) {
  const auto beyond = static_cast<AttemptResult>(count_of<AttemptResult>);
  for (const DeliveryStep step : all_of<DeliveryStep>) {
    EXPECT_EQ(judge(step, beyond, kNoDoubt).result, OrderResult::ambiguous);
    EXPECT_EQ(judge(step, beyond, kNoDoubt).signal, BreakerSignal::none);
  }
}

// Metrics, logs and documents have these names.
TEST(OrderResults, AreNamedAsTheyAreShown) {
  EXPECT_THAT(names_of<OrderResult>,
              testing::ElementsAre("confirmed", "unconfirmed", "duplicate", "superseded",
                                   "no_responders", "rejected", "expired", "disconnected",
                                   "circuit_open", "buffer_full", "ambiguous", "dry_run"));
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
  for (const AttemptResult answer : {acknowledged, duplicate, refused, overtaken, failed}) {
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
  EXPECT_EQ(first_outage(1, {refused, timed_out, duplicate, timed_out, failed, timed_out}), 0U);
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
