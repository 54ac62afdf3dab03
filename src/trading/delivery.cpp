#include <cassert>

#include <rts/trading/delivery.hpp>

namespace rts {

Judgement judge(DeliveryMode mode, AttemptResult result, bool in_doubt) noexcept {
  const bool core = mode == DeliveryMode::core;
  // May have arrived: core never repeats, a stream is asked again.
  const auto unknown = core ? std::optional(OrderResult::ambiguous) : std::nullopt;
  // This attempt has certainly not arrived; of an earlier one in doubt that says nothing.
  const auto not_arrived = [&](OrderResult known) { return in_doubt ? unknown : known; };
  switch (result) {
    case AttemptResult::acknowledged: return {OrderResult::confirmed, BreakerSignal::success};
    case AttemptResult::duplicate: return {OrderResult::duplicate, BreakerSignal::success};
    case AttemptResult::refused:
      // The path works: somebody has answered. And no earlier attempt was stored.
      return {OrderResult::rejected, BreakerSignal::success};
    case AttemptResult::refused_unseen:
      return {in_doubt ? OrderResult::ambiguous : OrderResult::rejected, BreakerSignal::success};
    case AttemptResult::no_responders:
      return {not_arrived(OrderResult::no_responders), BreakerSignal::failure};
    case AttemptResult::timed_out:
      if (core) return {OrderResult::unconfirmed, BreakerSignal::success};  // silence is allowed
      return {std::nullopt, BreakerSignal::failure};
    case AttemptResult::arrival_unproven:
      return {unknown, core ? BreakerSignal::none : BreakerSignal::failure};
    case AttemptResult::connection_lost: return {unknown, BreakerSignal::none};
    case AttemptResult::denied:
      return {in_doubt ? OrderResult::ambiguous : OrderResult::rejected, BreakerSignal::failure};
    case AttemptResult::denied_unsure: return {OrderResult::ambiguous, BreakerSignal::failure};
    // An attempt that was not made for want of a connection says nothing of the path.
    case AttemptResult::disconnected:
      return {not_arrived(OrderResult::disconnected), BreakerSignal::none};
    case AttemptResult::buffer_full:
      return {not_arrived(OrderResult::buffer_full), BreakerSignal::none};
    case AttemptResult::path_unproven:
      return {not_arrived(OrderResult::expired), BreakerSignal::none};
    case AttemptResult::unsendable:
      return {not_arrived(OrderResult::rejected), BreakerSignal::failure};
  }
  return {OrderResult::ambiguous, BreakerSignal::none};
}

SilenceWatch::SilenceWatch(std::int64_t limit) noexcept : limit_(limit) { assert(limit >= 0); }

void SilenceWatch::on_new_connection() noexcept {
  has_confirmed_ = false;
  unanswered_ = 0;
}

bool SilenceWatch::is_outage(AttemptResult result) noexcept {
  if (is_answer(result)) {
    has_confirmed_ = has_confirmed_ || result == AttemptResult::acknowledged;
    unanswered_ = 0;
  }
  // The other results say nothing of who does not answer.
  const bool is_silence = result == AttemptResult::timed_out && has_confirmed_ && limit_ > 0;
  return is_silence && ++unanswered_ >= limit_;
}

}  // namespace rts
