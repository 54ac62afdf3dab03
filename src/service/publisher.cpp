#include "service/publisher.hpp"

#include <algorithm>
#include <utility>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/trading/order_subject.hpp>
#include <rts/wire/answer.hpp>

namespace rts::service {
namespace {

// Between two looks at orders that wait: for the way to be free, or for the log.
constexpr auto kRetryInterval = std::chrono::milliseconds(100);
// So long a half-open breaker waits for an order to try, before it tries a round trip instead.
constexpr auto kProbeInterval = std::chrono::seconds(1);
constexpr std::size_t kUsualOrderBytes = 1024;

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
constexpr std::string_view kLogUnread = "the order log has not been read";
constexpr std::string_view kStoredByOther = "another process has stored it";
constexpr std::string_view kStoredUnseen = "the log knows it, and does not show who has stored it";
constexpr std::string_view kNewLog = "the order log was made anew meanwhile";
constexpr std::string_view kStoredTooLate = "stored, but not before valid_until";
constexpr std::string_view kPaused = "stored, but paused before it was sent";
constexpr std::string_view kSuperseded =
    "what others have stored, or a pause, holds it back by now";
constexpr std::string_view kWentSilent =
    "who has confirmed orders before answers no more; ORDER_SILENCE_LIMIT opens the breaker";
constexpr std::string_view kUnsendable = "the message cannot be sent";
constexpr std::string_view kHeaderless =
    "the broker takes no headers, and every order has some: switch them on there, or update it";
constexpr std::string_view kUnproven =
    "the path to the broker has been unproven for longer than the order is good for";

}  // namespace

std::string new_process_id() { return boost::uuids::to_string(boost::uuids::random_generator()()); }

Publisher::Publisher(OrderTransport& transport, OrderLog& log, DeliveryParameters parameters,
                     Callbacks callbacks, std::string sender)
    : transport_(transport),
      log_(log),
      parameters_(std::move(parameters)),
      callbacks_(std::move(callbacks)),
      breaker_(parameters_.breaker),
      sender_(std::move(sender)) {
  for (std::string& subject : order_subjects(parameters_.subject)) {
    destinations_.push_back({std::move(subject), SilenceWatch(parameters_.silence_limit)});
  }
}

Publisher::Destination& Publisher::destination_of(StrategyId strategy) {
  return destinations_[destinations_.size() == 1 ? 0 : index_of(strategy)];
}

// --- Sending ------------------------------------------------------------------------------------

void Publisher::publish(const Order& order, std::string_view header_traceparent,
                        SteadyTime received_at, bool in_log) {
  const auto refuse = [&](OrderResult result, std::string_view detail = "") {
    callbacks_.on_result({order, result, 0, std::nullopt, detail});
  };
  if (parameters_.dry_run) return refuse(OrderResult::dry_run);
  if (stores() && in_log) return refuse(OrderResult::duplicate, kStoredByOther);
  if (now() >= order.valid_until) return refuse(OrderResult::expired);
  if (const auto reason = unread_log(); !reason.empty()) {
    return refuse(OrderResult::disconnected, reason);
  }
  if (in_flight_.size() >= parameters_.max_in_flight) return refuse(OrderResult::buffer_full);
  const auto permit = admit_order();
  if (!permit) return refuse(OrderResult::circuit_open);
  InFlight& taken = take_in(order, header_traceparent, received_at, *permit);
  stores() ? store(taken) : forward(taken);
}

std::string_view Publisher::unread_log() const {
  const auto reason = callbacks_.held_back_by();
  return reason.empty() && stores() && !log_.is_read() ? kLogUnread : reason;
}

Publisher::InFlight& Publisher::take_in(const Order& order, std::string_view header_traceparent,
                                        SteadyTime received_at, CircuitBreaker::Permit permit) {
  const UuidText id = to_text(order.id);
  InFlight& taken = in_flight_[++last_number_];
  taken.number = last_number_;
  taken.received_at = received_at;
  taken.permit = permit;
  taken.message = {.id = std::string(id.data(), id.size()),
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

// What is in flight counts as stored, so that several can be on their way at once.
void Publisher::store(InFlight& order) {
  order.state = OrderState::storing;
  order.others_heard = others_heard_;
  order.message.sender = sender_;
  order.message.expected_sequence = std::max(log_.last(), expected_sequence_);
  expected_sequence_ = order.message.expected_sequence + 1;
  send(order);
}

// Under a new number: a late answer to an attempt at storing is none of the TradeEngine.
void Publisher::forward(InFlight& stored) {
  auto node = in_flight_.extract(stored.number);
  node.key() = node.mapped().number = ++last_number_;
  InFlight& order = in_flight_.insert(std::move(node)).position->second;
  order.state = OrderState::forwarding;
  order.message.sender = {};
  if (now() >= order.order.valid_until) {
    return end(order, OrderResult::expired, BreakerSignal::success, kStoredTooLate);
  }
  if (callbacks_.is_paused(order.order.strategy)) {
    return end(order, OrderResult::superseded, BreakerSignal::success, kPaused);
  }
  send(order);
}

void Publisher::send(InFlight& order) {
  order.sent_at = transport_.steady_now();
  order.answered_in.reset();
  order.message.subject = order.state == OrderState::forwarding
                              ? destination_of(order.order.strategy).subject
                              : parameters_.log_subject;
  order.message.life = order.order.valid_until - now();
  const auto problem = transport_.send(
      order.number, order.message,
      [this, number = order.number](const Reply& reply) { return on_reply(number, reply); });
  if (problem) return conclude(order, *problem, detail_of(order, *problem));
  if (++order.attempts == 1) {
    callbacks_.on_sent(order.received_at);
  } else if (order.state == OrderState::storing) {
    ++repeats_;
  }
}

// --- Answers ------------------------------------------------------------------------------------

// While an order is in doubt another reply is awaited, so that a late acknowledgement still counts.
nats::AfterReply Publisher::on_reply(OrderNumber number, const Reply& reply) {
  const auto entry = in_flight_.find(number);
  if (entry == in_flight_.end()) return nats::AfterReply::done;
  InFlight& order = entry->second;
  const bool is_awaited =
      order.state == OrderState::storing || order.state == OrderState::forwarding;
  if (reply) {
    on_answer(order, reply.value());
  } else if (is_awaited || !is_silence(reply.error())) {
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
    on_ack(order, *ack);
  } else if (const auto* error = std::get_if<wire::StreamError>(&*answer)) {
    conclude(order, result_of_error(error->code),
             fmt::format("{} ({}){}", error->description, error->code,
                         is_storage_full(error->code) ? ": JetStream has no storage left" : ""));
  } else if (order.state == OrderState::forwarding) {  // the log has no engine
    const auto& status = std::get<wire::EngineStatus>(*answer);
    conclude(order, status.refused ? AttemptResult::refused : AttemptResult::acknowledged,
             words_of(status));
  }
}

void Publisher::on_ack(InFlight& order, const wire::PubAck& ack) {
  const auto result = !ack.duplicate      ? AttemptResult::acknowledged
                      : ack.sequence == 0 ? AttemptResult::pending
                                          : AttemptResult::duplicate;
  const bool stores = order.state != OrderState::forwarding;
  if (stores && result == AttemptResult::duplicate) order.known_to_stream = true;
  if (stores && result == AttemptResult::acknowledged) {
    log_problem_.clear();
    // Stored behind something that we have not read, or by another stream: the log has to tell.
    if (ack.sequence != log_.last() + 1) {
      order.known_to_stream = true;
      return read_log(order);
    }
    callbacks_.on_stored(order.order, ack.sequence);
    // It was sent behind an own one in whose place another's was stored.
    if (order.others_heard != others_heard_) {
      order.stored = Stored::by_us;
      return settle(order);
    }
  }
  conclude(order, result, fmt::format("stream {}, sequence {}", ack.stream, ack.sequence));
}

void Publisher::conclude(InFlight& order, AttemptResult result, std::string_view detail) {
  if (is_answer(result)) order.answered_in = transport_.steady_now() - order.sent_at;
  if (order.state == OrderState::forwarding) {
    conclude_forwarding(order, result, detail);
  } else {
    conclude_storing(order, result, detail);
  }
}

void Publisher::conclude_forwarding(InFlight& order, AttemptResult result,
                                    std::string_view detail) {
  Judgement judgement = judge(DeliveryStep::forwarding, result, false);
  Destination& to = destination_of(order.order.strategy);
  if (to.silence.is_outage(result)) {
    judgement.signal = BreakerSignal::outage;
    detail = kWentSilent;
  }
  if (is_denial(result)) {
    to.path = Path::denied;
  } else if (result == AttemptResult::no_responders) {
    to.path = Path::no_responders;
  } else if (is_answer(result) || result == AttemptResult::timed_out) {
    to.path = Path::works;
  }
  end(order, judgement.result, judgement.signal, detail);
}

void Publisher::conclude_storing(InFlight& order, AttemptResult result, std::string_view detail) {
  using Next = Judgement::Next;
  const bool in_doubt = order.doubtful && *order.doubtful >= log_.last();
  const Judgement judgement = judge(DeliveryStep::storing, result, in_doubt);
  if (result < AttemptResult::disconnected) order.overtaken = result == AttemptResult::overtaken;
  if (result != AttemptResult::pending) {
    order.pending_since.reset();
  } else if (!order.pending_since) {
    order.pending_since = transport_.steady_now();
    order.last_when_pending = log_.last();
  }
  if (judgement.next != Next::forward) expected_sequence_ = 0;
  if (is_unclear(result)) {
    order.doubtful = std::max(order.doubtful.value_or(0), order.message.expected_sequence);
  }
  switch (judgement.next) {
    case Next::end:
      if (result == AttemptResult::failed || is_denial(result)) {
        log_problem_ = fmt::format("the order log takes no order: {}", detail);
      }
      // Too late to be tried again.
      if (result == AttemptResult::path_unproven && order.attempts > 0) return expire(order);
      return end(order, judgement.result, judgement.signal, detail);
    case Next::forward: return forward(order);
    case Next::read_log: return read_log(order);
    case Next::ask_again:
      if (result == AttemptResult::no_responders) log_.read_on();  // it may be gone
      return is_silence(result) ? ask_again(order) : wait_to_ask(order);
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

// --- The order log ------------------------------------------------------------------------------

void Publisher::on_log_entry(const Uuid& id, std::string_view sender) {
  if (sender != sender_) ++others_heard_;
  for (auto& [number, order] : in_flight_) {
    if (order.order.id == id) order.stored = sender == sender_ ? Stored::by_us : Stored::by_other;
  }
}

void Publisher::on_log_read(std::uint64_t reading) {
  expected_sequence_ = 0;
  const bool is_new = log_.generation() != std::exchange(log_generation_, log_.generation());
  for_each_in_flight([this, reading, is_new](InFlight& order) {
    if (order.state == OrderState::forwarding) return;
    // What the one before held of it nobody knows any more.
    if (is_new && order.stored == Stored::no) {
      return end(order, OrderResult::superseded, BreakerSignal::success, kNewLog);
    }
    const bool is_told = order.state == OrderState::reading_log && order.awaited_reading <= reading;
    if (order.stored != Stored::no || is_told) settle(order);
  });
  if (awaited_reading_ == 0 || reading < awaited_reading_) return;
  awaited_reading_ = 0;
  breaker_.retry_now();
  on_breaker_used();
}

void Publisher::read_log(InFlight& order) {
  order.state = OrderState::reading_log;
  order.awaited_reading = log_.read_on();
  look_at_waiting();
}

// The log has told what became of it.
void Publisher::settle(InFlight& order) {
  if (order.stored == Stored::by_other || (order.stored == Stored::no && order.known_to_stream)) {
    return end(order, OrderResult::duplicate, BreakerSignal::success,
               order.stored == Stored::no ? kStoredUnseen : kStoredByOther);
  }
  if (order.stored == Stored::no) {
    // What we have read is not what it was compared with: not at once, or it would go round.
    if (log_.last() != order.message.expected_sequence) return ask_again(order);
    order.overtaken = false;
    return wait_to_ask(order);
  }
  // It may have been stored behind others that we had not read then.
  if (callbacks_.passes_still(order.order)) return forward(order);
  end(order, OrderResult::superseded, BreakerSignal::success, kSuperseded);
}

void Publisher::ask_again(InFlight& order) {
  if (now() >= order.order.valid_until) return expire(order);
  if (!log_.is_read()) return wait_to_ask(order);
  if (callbacks_.passes_still(order.order)) return store(order);
  end(order, OrderResult::superseded, BreakerSignal::success, kSuperseded);
}

void Publisher::wait_to_ask(InFlight& order) {
  order.state = OrderState::asking_again;
  look_at_waiting();
}

// Not stored until valid_until. Where others were faster each time nothing is broken, nor where the
// log has gone on while it called this one pending: an election may leave several such orders,
// which all end at once, seconds after the new leader has begun to store others. A breaker that
// this opens may try one order a second: it is the log that was away, and a leader has been elected
// within seconds. As long as that order asks, no other does, but for what admit_order() says.
void Publisher::expire(InFlight& order) {
  const bool was_open = breaker_.state() == BreakerState::open;
  const bool log_works =
      order.overtaken || (order.pending_since && log_.last() > order.last_when_pending);
  end(order, OrderResult::expired, log_works ? BreakerSignal::success : BreakerSignal::failure,
      "not stored until valid_until");
  if (was_open || breaker_.state() != BreakerState::open) return;
  transport_.wake_at(transport_.steady_now() + kProbeInterval,
                     [this] { awaited_reading_ = log_.read_on(); });
}

void Publisher::look_at_waiting() {
  if (std::exchange(look_is_set_, true)) return;
  transport_.wake_at(transport_.steady_now() + kRetryInterval, [this] {
    look_is_set_ = false;
    for_each_in_flight([this](InFlight& order) {
      if (order.state == OrderState::asking_again) return ask_again(order);
      if (order.state != OrderState::reading_log) return;
      if (now() >= order.order.valid_until) return ask_again(order);
      look_at_waiting();
    });
  });
}

// Each may end, or get another number; no other can: see OrderTransport::send().
template <typename Visit>
void Publisher::for_each_in_flight(Visit visit) {
  const OrderNumber last = last_number_;
  for (auto next = in_flight_.begin(); next != in_flight_.end() && next->first <= last;) {
    visit((next++)->second);
  }
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

std::string Publisher::path_problem() const {
  if (parameters_.dry_run) return "";
  const nats::Status broker = transport_.status();
  if (broker.connected && !broker.takes_headers) return std::string(kHeaderless);
  if (broker.connected && broker.max_payload < kLargestOrderBytes) {
    return fmt::format("the broker takes {} bytes a message (max_payload), an order has up to {}",
                       broker.max_payload, kLargestOrderBytes);
  }
  std::vector<std::string> problems;
  for (const auto& [subject, silence, path] : destinations_) {
    if (path == Path::no_responders) {
      problems.push_back(fmt::format("nobody listens on {}", subject));
    } else if (path == Path::denied) {
      problems.push_back(
          fmt::format("the broker refuses us {}; no order has got through since", subject));
    }
  }
  if (!log_problem_.empty()) problems.push_back(log_problem_);
  return fmt::format("{}", fmt::join(problems, "; "));
}

Publisher::Status Publisher::status() const {
  const bool any_tried = std::ranges::any_of(
      destinations_, [](const Destination& to) { return to.path != Path::unknown; });
  const bool is_open = breaker_.state() == BreakerState::open;
  return {.breaker = breaker_.state(),
          .breaker_entered = breaker_.entered(),
          .in_flight = in_flight_.size(),
          .repeats = repeats_,
          .odd_answers = odd_answers_,
          .path_problem = path_problem(),
          .held_by = is_open ? "the circuit breaker is open"
                     : in_flight_.size() >= parameters_.max_in_flight ? "too many are in flight"
                                                                      : unread_log(),
          .path_tried = any_tried};
}

// --- Ending -------------------------------------------------------------------------------------

void Publisher::end(InFlight& order, OrderResult result, BreakerSignal signal,
                    std::string_view detail) {
  report(order.permit, signal);
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
    InFlight& order = in_flight_.begin()->second;
    const bool is_sent = order.state == OrderState::forwarding;
    end(order, is_sent ? OrderResult::ambiguous : OrderResult::expired, BreakerSignal::none,
        is_sent ? "shut down before it was answered" : "shut down before it was stored");
  }
}

// --- The circuit breaker ------------------------------------------------------------------------

std::optional<CircuitBreaker::Permit> Publisher::admit() {
  const auto permit = breaker_.admit(transport_.steady_now().time_since_epoch());
  on_breaker_used();
  return permit;
}

// What a leader had proposed before it lost its office nats-server 2.10 calls pending for as long
// as such an order lives. When it is the breaker's probe, and has been pending for a second, the
// new order may try in its place; its own end then says nothing.
std::optional<CircuitBreaker::Permit> Publisher::admit_order() {
  const auto permit = admit();
  if (permit || breaker_.state() != BreakerState::half_open) return permit;
  const SteadyTime now = transport_.steady_now();
  for (auto& [number, order] : in_flight_) {
    if (!order.pending_since || now - *order.pending_since < kProbeInterval) continue;
    report(std::exchange(order.permit, {}), BreakerSignal::none);
  }
  return admit();
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
    breaker_.advance(transport_.steady_now().time_since_epoch());
    on_breaker_used();
    if (breaker_look_at_ == at && breaker_.wants_probe()) probe();
    if (breaker_look_at_ == at && breaker_.state() != BreakerState::closed) {
      look_at_breaker(transport_.steady_now() + kProbeInterval);
    }
  });
}

// No order has come to try with. A round trip has to come back.
void Publisher::probe() {
  const auto permit = admit();
  if (!permit) return;
  const auto signal_of = [](AttemptResult result) {
    return is_silence(result) ? BreakerSignal::failure
                              : judge(DeliveryStep::forwarding, result, false).signal;
  };
  const auto problem = transport_.round_trip(
      parameters_.ack_timeout, [this, permit = *permit, signal_of](const Reply& reply) {
        report(permit, reply ? BreakerSignal::success : signal_of(reply.error()));
        return nats::AfterReply::done;
      });
  if (problem) report(*permit, signal_of(*problem));
}

}  // namespace rts::service
