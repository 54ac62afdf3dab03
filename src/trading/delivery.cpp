#include <rts/trading/delivery.hpp>

namespace rts {

using Finding = CircuitBreaker::Finding;

std::string_view to_string(OrderResult result) noexcept {
  switch (result) {
    case OrderResult::confirmed:
      return "confirmed";
    case OrderResult::unconfirmed:
      return "unconfirmed";
    case OrderResult::duplicate:
      return "duplicate";
    case OrderResult::no_responders:
      return "no_responders";
    case OrderResult::rejected:
      return "rejected";
    case OrderResult::expired:
      return "expired";
    case OrderResult::disconnected:
      return "disconnected";
    case OrderResult::circuit_open:
      return "circuit_open";
    case OrderResult::buffer_full:
      return "buffer_full";
    case OrderResult::ambiguous:
      return "ambiguous";
    case OrderResult::dry_run:
      return "dry_run";
  }
  return "";
}

Ruling judge(DeliveryMode mode, AttemptEnd end, bool in_doubt) noexcept {
  const bool core = mode == DeliveryMode::core;
  switch (end) {
    case AttemptEnd::acknowledged:
      return {OrderResult::confirmed, Finding::success};
    case AttemptEnd::duplicate:
      return {OrderResult::duplicate, Finding::success};
    case AttemptEnd::refused:
      // The path works: somebody has answered. And no earlier attempt was stored.
      return {OrderResult::rejected, Finding::success};
    case AttemptEnd::refused_unseen:
      return {in_doubt ? OrderResult::ambiguous : OrderResult::rejected, Finding::success};
    case AttemptEnd::no_responders:
      // Of this attempt it is certain that nobody has it; not of an earlier one in doubt.
      if (!in_doubt) return {OrderResult::no_responders, Finding::failure};
      if (core) return {OrderResult::ambiguous, Finding::failure};  // never repeated
      return {std::nullopt, Finding::failure};
    case AttemptEnd::timed_out:
      if (core) return {OrderResult::unconfirmed, Finding::success};  // silence is no failure there
      return {std::nullopt, Finding::failure};
    case AttemptEnd::unproven:
      if (core) return {OrderResult::ambiguous, Finding::nothing};
      return {std::nullopt, Finding::failure};
    case AttemptEnd::connection_lost:
      if (core) return {OrderResult::ambiguous, Finding::nothing};
      return {std::nullopt, Finding::nothing};
    case AttemptEnd::denied:
      return {in_doubt ? OrderResult::ambiguous : OrderResult::rejected, Finding::failure};
    case AttemptEnd::denied_unsure:
      return {OrderResult::ambiguous, Finding::failure};
  }
  return {OrderResult::ambiguous, Finding::nothing};
}

void SilenceWatch::on_new_connection() noexcept {
  has_confirmed_ = false;
  unanswered_ = 0;
}

bool SilenceWatch::is_outage(AttemptEnd end) noexcept {
  switch (end) {
    case AttemptEnd::acknowledged:
      has_confirmed_ = true;
      unanswered_ = 0;
      return false;
    case AttemptEnd::duplicate:
    case AttemptEnd::refused:
    case AttemptEnd::refused_unseen:
      unanswered_ = 0;
      return false;
    case AttemptEnd::timed_out:
      if (!has_confirmed_ || limit_ == 0) return false;
      return ++unanswered_ >= limit_;
    case AttemptEnd::no_responders:  // these say nothing of who does not answer
    case AttemptEnd::unproven:
    case AttemptEnd::connection_lost:
    case AttemptEnd::denied:
    case AttemptEnd::denied_unsure:
      return false;
  }
  return false;
}

}  // namespace rts
