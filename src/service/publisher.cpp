#include "service/publisher.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/trading/order_subject.hpp>
#include <rts/wire/answer.hpp>

namespace rts::service {
namespace {

// Between two looks at orders that are to be sent again when the way is free.
constexpr auto kRetryInterval = std::chrono::milliseconds(100);
// So long a half-open breaker waits for an order to try, before it tries a round trip instead.
constexpr auto kProbeInterval = std::chrono::seconds(1);
constexpr std::size_t kUsualOrderBytes = 1024;

// A stream looks for the id before it finds itself full (10077) or the message too long (10054).
AttemptResult refusal(std::uint64_t code) noexcept {
  return code == 10077 || code == 10054 ? AttemptResult::refused : AttemptResult::refused_unseen;
}

bool is_denial(AttemptResult result) noexcept {
  return result == AttemptResult::denied || result == AttemptResult::denied_unsure;
}

bool is_silence(AttemptResult result) noexcept {
  return result == AttemptResult::timed_out || result == AttemptResult::arrival_unproven;
}

// The TradeEngine's word, as the log shows it: "status processed, result rejected: no margin".
std::string words_of(const wire::EngineStatus& answer) {
  std::string words;
  if (!answer.status.empty()) words = fmt::format("status {}", answer.status);
  if (!answer.result_status.empty()) {
    words += fmt::format("{}result {}", words.empty() ? "" : ", ", answer.result_status);
  }
  if (!answer.reason.empty()) words += fmt::format(": {}", answer.reason);
  return words;
}

constexpr std::string_view kDenied = "the broker refuses us the order subject";
constexpr std::string_view kWentSilent =
    "who has confirmed orders before answers no more; ORDER_SILENCE_LIMIT opens the breaker";
constexpr std::string_view kUnsendable = "the message cannot be sent";
constexpr std::string_view kHeaderless =
    "the broker takes no headers, and every order has some: switch them on there, or update it";
constexpr std::string_view kUnproven =
    "the path to the broker has been unproven for longer than the order is good for";

}  // namespace

Publisher::Publisher(OrderTransport& transport, DeliveryParameters parameters, Callbacks callbacks)
    : transport_(transport),
      parameters_(std::move(parameters)),
      callbacks_(std::move(callbacks)),
      breaker_(parameters_.breaker) {
  for (std::string& subject : order_subjects(parameters_.subject)) {
    destinations_.push_back({std::move(subject), SilenceWatch(parameters_.silence_limit)});
  }
}

Publisher::Destination& Publisher::destination_of(StrategyId strategy) {
  return destinations_[destinations_.size() == 1 ? 0 : index_of(strategy)];
}

// --- Sending ------------------------------------------------------------------------------------

void Publisher::publish(const Order& order, std::string_view header_traceparent,
                        SteadyTime received_at) {
  const auto refuse = [&](OrderResult result) {
    callbacks_.on_result({order, result, 0, std::nullopt, ""});
  };
  if (parameters_.dry_run) return refuse(OrderResult::dry_run);
  if (now() >= order.valid_until) return refuse(OrderResult::expired);
  if (in_flight_.size() >= parameters_.max_in_flight) return refuse(OrderResult::buffer_full);
  const auto permit = admit();
  if (!permit) return refuse(OrderResult::circuit_open);
  attempt(take_in(order, header_traceparent, received_at), *permit);
}

Publisher::InFlight& Publisher::take_in(const Order& order, std::string_view header_traceparent,
                                        SteadyTime received_at) {
  const UuidText id = to_text(order.id);
  InFlight& taken = in_flight_[++last_number_];
  taken.number = last_number_;
  taken.received_at = received_at;
  taken.message = {.subject = destination_of(order.strategy).subject,
                   .id = std::string(id.data(), id.size()),
                   .correlation_id = std::string(order.correlation_id),
                   .answer_timeout = parameters_.ack_timeout};
  for (const std::string_view trace : {order.traceparent, header_traceparent}) {
    if (is_traceparent(trace)) taken.message.traceparent = trace;  // the header's, if it is one
  }
  taken.message.payload.reserve(kUsualOrderBytes);
  // As replay writes it, which sees no NATS header.
  append_json(taken.message.payload, order, parameters_.format);
  taken.symbol = order.symbol;
  taken.order = order;
  taken.order.symbol = taken.symbol;
  taken.order.correlation_id = taken.message.correlation_id;
  taken.order.traceparent = taken.message.traceparent;
  return taken;
}

void Publisher::attempt(InFlight& order, CircuitBreaker::Permit permit) {
  order.state = order.attempts == 0 ? OrderState::first_attempt : OrderState::retrying;
  order.permit = permit;
  order.sent_at = transport_.steady_now();
  order.message.life = order.order.valid_until - now();
  const auto problem = transport_.send(
      order.number, order.message,
      [this, number = order.number](const Reply& reply) { return on_reply(number, reply); });
  if (problem) return conclude(order, *problem, detail_of(order, *problem));
  if (++order.attempts == 1) {
    callbacks_.on_sent(order.received_at);
  } else {
    ++repeats_;
  }
}

// --- Answers ------------------------------------------------------------------------------------

// While an order is in doubt another reply is awaited, so that a late acknowledgement still counts.
nats::AfterReply Publisher::on_reply(OrderNumber number, const Reply& reply) {
  const auto entry = in_flight_.find(number);
  if (entry == in_flight_.end()) return nats::AfterReply::done;
  InFlight& order = entry->second;
  if (reply) {
    on_answer(order, reply.value());
  } else if (order.state != OrderState::waiting_to_retry || !is_silence(reply.error())) {
    conclude(order, reply.error(), detail_of(order, reply.error()));
  }
  return in_flight_.contains(number) ? nats::AfterReply::keep_waiting : nats::AfterReply::done;
}

// What is no answer to an order changes nothing: the right one may still come.
void Publisher::on_answer(InFlight& order, std::string_view payload) {
  const auto answer = wire::parse_answer(payload);
  if (!answer) {
    ++odd_answers_;
    callbacks_.on_odd_answer(payload);
  } else if (const auto* ack = std::get_if<wire::PubAck>(&*answer)) {
    conclude(order, ack->duplicate ? AttemptResult::duplicate : AttemptResult::acknowledged,
             fmt::format("stream {}, sequence {}", ack->stream, ack->sequence));
  } else if (const auto* error = std::get_if<wire::StreamError>(&*answer)) {
    conclude(order, refusal(error->code), fmt::format("{} ({})", error->description, error->code));
  } else if (parameters_.mode == DeliveryMode::core) {  // else only the stream's word counts
    const auto& status = std::get<wire::EngineStatus>(*answer);
    conclude(order, status.refused ? AttemptResult::refused : AttemptResult::acknowledged,
             words_of(status));
  }
}

void Publisher::conclude(InFlight& order, AttemptResult result, std::string_view detail) {
  Destination& to = destination_of(order.order.strategy);
  const bool in_doubt = order.state != OrderState::first_attempt;
  Judgement judgement = judge(parameters_.mode, result, in_doubt);
  if (parameters_.mode == DeliveryMode::core && to.silence.is_outage(result)) {
    judgement.signal = BreakerSignal::outage;
    detail = kWentSilent;
  }
  if (order.state != OrderState::waiting_to_retry) report(order.permit, judgement.signal);
  if (is_denial(result)) to.path = Path::denied;
  if (is_answer(result)) order.answered_in = transport_.steady_now() - order.sent_at;
  if (judgement.result) return end(order, *judgement.result, detail);
  order.state = OrderState::waiting_to_retry;
  if (is_silence(result)) {
    retry(order);
  } else {
    retry_soon();
  }
}

std::string Publisher::detail_of(const InFlight& order, AttemptResult result) const {
  if (result == AttemptResult::no_responders) {
    return fmt::format("nobody listens on {}", order.message.subject);
  }
  if (result == AttemptResult::path_unproven) return std::string(kUnproven);
  if (is_denial(result)) return std::string(kDenied);
  if (result != AttemptResult::unsendable) return "";
  return std::string(transport_.status().takes_headers ? kUnsendable : kHeaderless);
}

// --- Retries ------------------------------------------------------------------------------------

void Publisher::retry(InFlight& order) {
  if (now() >= order.order.valid_until) {
    return end(order, OrderResult::expired, "not acknowledged until valid_until");
  }
  if (callbacks_.is_paused(order.order.strategy)) {
    return end(order, OrderResult::ambiguous, "paused before it was acknowledged");
  }
  if (const auto permit = admit()) {
    attempt(order, *permit);
  } else {
    retry_soon();
  }
}

void Publisher::retry_soon() {
  if (std::exchange(retry_is_set_, true)) return;
  transport_.wake_at(transport_.steady_now() + kRetryInterval, [this] {
    retry_is_set_ = false;
    for (auto next = in_flight_.begin(); next != in_flight_.end();) {
      InFlight& order = (next++)->second;  // may end now, and no other can: see send()
      if (order.state == OrderState::waiting_to_retry) retry(order);
    }
  });
}

// --- The path -----------------------------------------------------------------------------------

void Publisher::on_connection_change() {
  const nats::Status now = transport_.status();
  if (!now.connected || std::exchange(reconnects_, now.reconnects) == now.reconnects) return;
  for (Destination& to : destinations_) {
    to.silence.on_new_connection();
    if (to.path != Path::denied) to.path = Path::unknown;
  }
}

void Publisher::on_stream_looked() {
  for (Destination& to : destinations_) {
    if (to.path == Path::no_responders) to.path = Path::unknown;
  }
}

std::string Publisher::path_problem() const {
  if (parameters_.dry_run) return "";
  const nats::Status broker = transport_.status();
  if (broker.connected && !broker.takes_headers) return std::string(kHeaderless);
  std::vector<std::string> problems;
  for (const auto& [subject, silence, path] : destinations_) {
    if (path == Path::no_responders) {
      problems.push_back(fmt::format("nobody listens on {}", subject));
    } else if (path == Path::denied) {
      problems.push_back(
          fmt::format("the broker refuses us {}; no order has got through since", subject));
    }
  }
  return fmt::format("{}", fmt::join(problems, "; "));
}

Publisher::Status Publisher::status() const {
  const bool any_tried = std::ranges::any_of(
      destinations_, [](const Destination& to) { return to.path != Path::unknown; });
  return {.breaker = breaker_.state(),
          .breaker_entered = breaker_.entered(),
          .in_flight = in_flight_.size(),
          .repeats = repeats_,
          .odd_answers = odd_answers_,
          .path_problem = path_problem(),
          .path_tried = any_tried || parameters_.mode == DeliveryMode::jetstream};
}

// --- Ending -------------------------------------------------------------------------------------

void Publisher::end(InFlight& order, OrderResult result, std::string_view detail) {
  Path& path = destination_of(order.order.strategy).path;
  if (order.answered_in || result == OrderResult::unconfirmed) {
    path = Path::works;
  } else if (result == OrderResult::no_responders) {
    path = Path::no_responders;
  }
  const auto ended = in_flight_.extract(order.number);
  callbacks_.on_result({order.order, result, order.attempts, order.answered_in, detail});
  if (finished_ && in_flight_.empty()) std::exchange(finished_, nullptr)();
}

void Publisher::finish(std::function<void()> done) {
  finished_ = std::move(done);
  if (in_flight_.empty()) std::exchange(finished_, nullptr)();
}

void Publisher::abandon() {
  finished_ = nullptr;
  while (!in_flight_.empty()) {
    end(in_flight_.begin()->second, OrderResult::ambiguous, "shut down before it was answered");
  }
}

// --- The circuit breaker ------------------------------------------------------------------------

std::optional<CircuitBreaker::Permit> Publisher::admit() {
  const auto permit = breaker_.admit(transport_.steady_now().time_since_epoch());
  on_breaker_used();
  return permit;
}

void Publisher::report(CircuitBreaker::Permit permit, BreakerSignal signal) {
  breaker_.report(permit, signal, transport_.steady_now().time_since_epoch());
  on_breaker_used();
}

// Tells of a change.
void Publisher::on_breaker_used() {
  const BreakerState state = breaker_.state();
  if (state == std::exchange(breaker_before_, state)) return;
  callbacks_.on_breaker(state);
  if (state == BreakerState::closed) return;
  const auto recovers_at = breaker_.recovers_at();
  look_at_breaker(recovers_at ? SteadyTime(*recovers_at)
                              : transport_.steady_now() + kProbeInterval);
}

// And again every second while it is not closed, unless it changes: that sets another time.
void Publisher::look_at_breaker(SteadyTime at) {
  breaker_look_at_ = at;
  transport_.wake_at(at, [this, at] {
    if (breaker_look_at_ != at) return;
    breaker_.advance(transport_.steady_now().time_since_epoch());
    on_breaker_used();
    if (breaker_look_at_ == at && breaker_.wants_probe()) probe();
    if (breaker_look_at_ == at && breaker_.state() != BreakerState::closed) {
      look_at_breaker(transport_.steady_now() + kProbeInterval);
    }
  });
}

// No order has come to try with. A round trip has to come back, as a stream's acknowledgement has.
void Publisher::probe() {
  const auto permit = admit();
  if (!permit) return;
  const auto signal_of = [](AttemptResult result) {
    return judge(DeliveryMode::jetstream, result, false).signal;
  };
  const auto problem = transport_.round_trip(
      parameters_.ack_timeout, [this, permit = *permit, signal_of](const Reply& reply) {
        report(permit, reply ? BreakerSignal::success : signal_of(reply.error()));
        return nats::AfterReply::done;
      });
  if (problem) report(*permit, signal_of(*problem));
}

}  // namespace rts::service
