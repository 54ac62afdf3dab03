#include <cassert>

#include <rts/trading/delivery.hpp>

namespace rts {

namespace {

Judgement judge_forwarding(AttemptResult result) noexcept {
  using enum AttemptResult;
  const auto end = [](OrderResult order, BreakerSignal signal) {
    return Judgement{Judgement::Next::end, order, signal};
  };
  switch (result) {
    case acknowledged: return end(OrderResult::confirmed, BreakerSignal::success);
    // A stream that listens there, too.
    case duplicate: return end(OrderResult::duplicate, BreakerSignal::success);
    // The path works: somebody has answered.
    case refused:
    case overtaken:
    case pending:
    case failed: return end(OrderResult::rejected, BreakerSignal::success);
    case no_responders: return end(OrderResult::no_responders, BreakerSignal::failure);
    // Silence is allowed.
    case timed_out: return end(OrderResult::unconfirmed, BreakerSignal::success);
    // It may have arrived, and is not repeated.
    case arrival_unproven:
    case connection_lost: return end(OrderResult::ambiguous, BreakerSignal::none);
    case denied: return end(OrderResult::rejected, BreakerSignal::failure);
    case denied_unsure: return end(OrderResult::ambiguous, BreakerSignal::failure);
    // What was not sent for want of a connection says nothing of the path.
    case disconnected: return end(OrderResult::disconnected, BreakerSignal::none);
    case buffer_full: return end(OrderResult::buffer_full, BreakerSignal::none);
    case path_unproven: return end(OrderResult::expired, BreakerSignal::none);
    case unsendable: return end(OrderResult::rejected, BreakerSignal::failure);
  }
  return {};
}

}  // namespace

AttemptResult result_of_error(std::uint64_t code) noexcept {
  switch (code) {
    case 10071: return AttemptResult::overtaken;
    case 10008:  // the cluster has no leader now
    case 10158: return AttemptResult::pending;
    case 10054:                                 // longer than the stream takes
    case 10077: return AttemptResult::refused;  // as many as it takes
    default: return AttemptResult::failed;
  }
}

bool is_storage_full(std::uint64_t code) noexcept {
  switch (code) {
    case 10002:               // of the account
    case 10023:               // of the broker
    case 10028:               // memory
    case 10047: return true;  // files
    default: return false;
  }
}

bool is_unclear(AttemptResult result) noexcept {
  using enum AttemptResult;
  return result == pending || result == timed_out || result == arrival_unproven ||
         result == connection_lost || result == denied_unsure;
}

Judgement judge(DeliveryStep step, AttemptResult result, bool in_doubt) noexcept {
  using enum AttemptResult;
  using Next = Judgement::Next;
  if (step == DeliveryStep::forwarding) return judge_forwarding(result);
  if (result == acknowledged) return {.next = Next::forward};
  if (result == duplicate || result == overtaken) return {.next = Next::read_log};
  // A stream has looked for the id before it found itself full.
  if (result == refused) return {Next::end, OrderResult::rejected, BreakerSignal::success};
  // Nobody listens while a leader is elected. What may be stored, by this attempt or an earlier
  // one, the log will show.
  if (result == no_responders || in_doubt || is_unclear(result)) return {.next = Next::ask_again};
  if (result == failed) return {Next::end, OrderResult::rejected, BreakerSignal::failure};
  return judge_forwarding(result);  // it was not sent
}

SilenceWatch::SilenceWatch(std::int64_t limit) noexcept : limit_(limit) { assert(limit >= 0); }

// The unanswered are counted behind the next confirmation, which sets them to 0.
void SilenceWatch::on_new_connection() noexcept { has_confirmed_ = false; }

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
