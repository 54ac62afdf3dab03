#include "service/publisher.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <rts/trading/order_subject.hpp>
#include <rts/wire/answer.hpp>

namespace rts::service {
namespace {

using std::chrono::steady_clock;
using Finding = CircuitBreaker::Finding;

// Between two looks at orders that are to be sent again when the way is free.
constexpr auto kRetryInterval = std::chrono::milliseconds(100);
// So long a half-open breaker waits for an order to try, before it tries a round trip instead.
constexpr auto kProbeGrace = std::chrono::seconds(1);
constexpr std::size_t kUsualOrderBytes = 4096;

CircuitBreaker::TimePoint monotonic_now() {
  return steady_clock::now().time_since_epoch();
}

// What it means that an attempt could not be sent: for an order that is in no doubt.
OrderResult result_of(nats::PublishResult result) noexcept {
  switch (result) {
    case nats::PublishResult::disconnected:
      return OrderResult::disconnected;
    case nats::PublishResult::buffer_full:
      return OrderResult::buffer_full;
    case nats::PublishResult::unproven:
      return OrderResult::expired;
    case nats::PublishResult::sent:
    case nats::PublishResult::failed:
    case nats::PublishResult::denied:
      break;
  }
  return OrderResult::rejected;
}

// A stream looks for the id before it finds itself full (10077) or the message too long (10054).
AttemptEnd refusal(std::uint64_t code) noexcept {
  return code == 10077 || code == 10054 ? AttemptEnd::refused : AttemptEnd::refused_unseen;
}

bool is_answer(AttemptEnd end) noexcept {
  return end == AttemptEnd::acknowledged || end == AttemptEnd::duplicate ||
         end == AttemptEnd::refused || end == AttemptEnd::refused_unseen;
}

// An attempt that was not made for want of a connection is none.
Finding finding_of(nats::PublishResult result) noexcept {
  const bool error = result == nats::PublishResult::failed || result == nats::PublishResult::denied;
  return error ? Finding::failure : Finding::nothing;
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

// What is to be said of an order that did not leave.
std::string_view detail_of(nats::PublishResult result) noexcept {
  switch (result) {
    case nats::PublishResult::denied:
      return kDenied;
    case nats::PublishResult::failed:
      return kUnsendable;
    case nats::PublishResult::unproven:
      return kUnproven;
    case nats::PublishResult::sent:
    case nats::PublishResult::disconnected:
    case nats::PublishResult::buffer_full:
      break;
  }
  return "";
}

}  // namespace

// How an attempt ended, and what its answer says.
struct Publisher::Ending {
  AttemptEnd end;
  std::string detail;
};

Publisher::Publisher(boost::asio::io_context& io, nats::Client& client, PublisherOptions options,
                     Callbacks callbacks)
    : client_(client),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      breaker_(options_.breaker),
      retry_timer_(io),
      breaker_timer_(io) {
  payload_.reserve(kUsualOrderBytes);
  for (std::string& subject : order_subjects(options_.subject)) {
    destinations_.push_back({std::move(subject), SilenceWatch(options_.silence_limit)});
  }
}

Publisher::Destination& Publisher::destination_of(const InFlight& order) {
  const auto strategy = static_cast<std::size_t>(order.order.strategy);
  return destinations_[destinations_.size() == 1 ? 0 : strategy];
}

// --- Sending ------------------------------------------------------------------------------------

void Publisher::publish(const Order& order, std::string_view header_traceparent,
                        SteadyTime received_at) {
  if (options_.dry_run) return refuse(order, OrderResult::dry_run);
  if (callbacks_.now() >= order.valid_until) {
    return refuse(order, OrderResult::expired);
  }
  if (in_flight_.size() >= options_.max_in_flight) return refuse(order, OrderResult::buffer_full);
  const auto permit = admit();
  if (!permit) return refuse(order, OrderResult::circuit_open);

  const Key key = ++last_key_;
  InFlight& taken = take_in(order, header_traceparent, key);
  const nats::PublishResult result = send(key, taken, payload_, *permit);
  if (result == nats::PublishResult::sent) {
    callbacks_.on_sent(received_at);
    return;
  }
  const bool for_headers = result == nats::PublishResult::failed && !client_.status().takes_headers;
  end(key, result_of(result), {}, for_headers ? kHeaderless : detail_of(result));
}

Publisher::InFlight& Publisher::take_in(const Order& order, std::string_view header_traceparent,
                                        Key key) {
  InFlight& taken = in_flight_[key];
  taken.order = order;
  taken.symbol = order.symbol;
  taken.correlation_id = order.correlation_id;
  if (is_traceparent(header_traceparent)) {
    taken.traceparent = header_traceparent;
  } else if (is_traceparent(order.traceparent)) {
    taken.traceparent = order.traceparent;
  }
  taken.order.symbol = taken.symbol;
  taken.order.correlation_id = taken.correlation_id;
  taken.order.traceparent = taken.traceparent;
  payload_.clear();
  append_json(payload_, order, options_.format);  // as replay writes it, which sees no NATS header
  if (options_.mode == DeliveryMode::jetstream) taken.payload = payload_;
  return taken;
}

nats::PublishResult Publisher::send(Key key, InFlight& order, std::string_view payload,
                                    CircuitBreaker::Permit permit) {
  const UuidText id_text = to_text(order.order.id);
  const std::string_view id(id_text.data(), id_text.size());
  const bool has_correlation =
      !order.correlation_id.empty() && nats::is_header_value(order.correlation_id);
  const std::array<nats::Header, 4> headers{
      nats::Header{"Nats-Msg-Id", id}, nats::Header{"Content-Type", "application/json"},
      nats::Header{"Correlation-Id", has_correlation ? std::string_view(order.correlation_id) : id},
      nats::Header{"traceparent", order.traceparent}};
  const std::size_t used = order.traceparent.empty() ? headers.size() - 1 : headers.size();
  order.waiting = false;
  order.sent_at = steady_clock::now();
  const auto sent_headers = std::span(headers).first(used);
  const std::chrono::milliseconds life = order.order.valid_until - callbacks_.now();
  Destination& destination = destination_of(order);
  const nats::PublishResult result =
      order.request != 0
          ? client_.repeat(order.request, destination.subject, payload, sent_headers, life)
          : client_.request(
                destination.subject, payload, sent_headers, options_.ack_timeout,
                [this, key](const nats::Reply& reply) { return on_reply(key, reply); }, life);
  if (result == nats::PublishResult::sent) {
    order.permit = permit;
    if (++order.attempts > 1) ++repeats_;
  } else {
    found(permit, finding_of(result));
    if (result == nats::PublishResult::denied) destination.path = Path::denied;
  }
  return result;
}

// --- Answers ------------------------------------------------------------------------------------

// While an order is in doubt its request stays, so that a late acknowledgement still counts.
nats::AfterReply Publisher::on_reply(Key key, const nats::Reply& reply) {
  const auto entry = in_flight_.find(key);
  if (entry == in_flight_.end()) return nats::AfterReply::done;
  InFlight& order = entry->second;
  order.request = reply.kind == nats::Reply::Kind::connection_lost ? 0 : reply.number;
  const bool waits_already = order.waiting && reply.kind == nats::Reply::Kind::timed_out;
  const auto ending = waits_already ? std::nullopt : read(order, reply);
  if (ending) conclude(key, order, *ending);
  return in_flight_.contains(key) ? nats::AfterReply::keep_waiting : nats::AfterReply::done;
}

// Empty: that was no answer to an order; the right one may still come.
std::optional<Publisher::Ending> Publisher::read(const InFlight& order, const nats::Reply& reply) {
  switch (reply.kind) {
    case nats::Reply::Kind::no_responders:
      return Ending{AttemptEnd::no_responders,
                    fmt::format("nobody listens on {}", destination_of(order).subject)};
    case nats::Reply::Kind::timed_out:
      return Ending{reply.arrived ? AttemptEnd::timed_out : AttemptEnd::unproven, ""};
    case nats::Reply::Kind::connection_lost:
      return Ending{AttemptEnd::connection_lost, ""};
    case nats::Reply::Kind::denied:
      return Ending{reply.certain ? AttemptEnd::denied : AttemptEnd::denied_unsure,
                    std::string(kDenied)};
    case nats::Reply::Kind::answered:
      break;
  }
  const auto answer = wire::parse_answer(reply.payload);
  if (!answer) {
    ++odd_answers_;
    callbacks_.on_odd_answer(reply.payload);
    return {};
  }
  if (const auto* ack = std::get_if<wire::PubAck>(&*answer)) {
    return Ending{ack->duplicate ? AttemptEnd::duplicate : AttemptEnd::acknowledged,
                  fmt::format("stream {}, sequence {}", ack->stream, ack->sequence)};
  }
  if (const auto* error = std::get_if<wire::StreamError>(&*answer)) {
    return Ending{refusal(error->code), fmt::format("{} ({})", error->description, error->code)};
  }
  // Of JetStream only the stream's word counts.
  if (options_.mode == DeliveryMode::jetstream) return {};
  const auto& status = std::get<wire::EngineStatus>(*answer);
  return Ending{status.refused ? AttemptEnd::refused : AttemptEnd::acknowledged, words_of(status)};
}

void Publisher::conclude(Key key, InFlight& order, const Ending& ending) {
  const auto waited = steady_clock::now() - order.sent_at;
  Ruling ruling = judge(options_.mode, ending.end, order.in_doubt);
  std::string_view detail = ending.detail;
  if (options_.mode == DeliveryMode::core && destination_of(order).silence.is_outage(ending.end)) {
    ruling.finding = Finding::outage;
    detail = kWentSilent;
  }
  if (const auto permit = std::exchange(order.permit, std::nullopt)) {
    found(*permit, ruling.finding);
  }
  if (ending.end == AttemptEnd::denied || ending.end == AttemptEnd::denied_unsure) {
    destination_of(order).path = Path::denied;
  }
  if (ruling.result) {
    return end(key, *ruling.result, is_answer(ending.end) ? std::optional(waited) : std::nullopt,
               detail);
  }
  order.in_doubt = true;
  if (ending.end == AttemptEnd::timed_out || ending.end == AttemptEnd::unproven) {
    send_again(key);
  } else {
    wait_to_send_again(order);
  }
}

// --- Sending again ------------------------------------------------------------------------------

void Publisher::send_again(Key key) {
  InFlight& order = in_flight_.at(key);
  if (callbacks_.now() >= order.order.valid_until) {
    return end(key, OrderResult::expired, {}, "not acknowledged until valid_until");
  }
  if (callbacks_.is_paused(order.order.strategy)) {
    return end(key, OrderResult::ambiguous, {}, "paused before it was acknowledged");
  }
  const auto permit = admit();
  if (!permit) return wait_to_send_again(order);
  const nats::PublishResult result = send(key, order, order.payload, *permit);
  if (result == nats::PublishResult::sent) return;
  if (result == nats::PublishResult::denied) {
    return end(key, OrderResult::ambiguous, {}, kDenied);
  }
  wait_to_send_again(order);
}

void Publisher::wait_to_send_again(InFlight& order) {
  order.waiting = true;
  if (std::exchange(retrying_, true)) return;
  retry_timer_.expires_after(kRetryInterval);
  retry_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    retrying_ = false;
    send_all_again();
  });
}

void Publisher::send_all_again() {
  std::vector<Key> waiting;
  for (const auto& [key, order] : in_flight_) {
    if (order.waiting) waiting.push_back(key);
  }
  for (const Key key : waiting) send_again(key);
}

void Publisher::on_connection_change() {
  const nats::Status now = client_.status();
  if (!now.connected || connection_ == now.reconnects) return;
  connection_ = now.reconnects;
  for (Destination& destination : destinations_) {
    destination.silence.on_new_connection();
    if (destination.path != Path::denied) destination.path = Path::untried;
  }
}

void Publisher::on_stream_looked() {
  for (Destination& destination : destinations_) {
    if (destination.path == Path::unheard) destination.path = Path::untried;
  }
}

// --- Ending -------------------------------------------------------------------------------------

void Publisher::end(Key key, OrderResult result,
                    std::optional<std::chrono::nanoseconds> answered_in, std::string_view detail) {
  const auto node = in_flight_.extract(key);
  const InFlight& order = node.mapped();
  Destination& destination = destination_of(order);
  if (answered_in || result == OrderResult::unconfirmed) {
    destination.path = Path::fine;
  } else if (result == OrderResult::no_responders) {
    destination.path = Path::unheard;
  }
  callbacks_.on_result({order.order, result, order.attempts, answered_in, detail});
  if (finished_ && in_flight_.empty()) std::exchange(finished_, nullptr)();
}

// An order that was not even tried.
void Publisher::refuse(const Order& order, OrderResult result) {
  callbacks_.on_result({order, result, 0, std::nullopt, ""});
}

std::string Publisher::path_problem() const {
  if (options_.dry_run) return "";
  const nats::Status broker = client_.status();
  if (broker.connected && !broker.takes_headers) return std::string(kHeaderless);
  std::string problem;
  for (const Destination& to : destinations_) {
    if (to.path == Path::untried || to.path == Path::fine) continue;
    problem += problem.empty() ? "" : "; ";
    problem +=
        to.path == Path::unheard
            ? fmt::format("nobody listens on {}", to.subject)
            : fmt::format("the broker refuses us {}; no order has got through since", to.subject);
  }
  return problem;
}

bool Publisher::path_tried() const {
  return options_.mode == DeliveryMode::jetstream ||
         std::any_of(
             destinations_.begin(), destinations_.end(),
             [](const Destination& destination) { return destination.path != Path::untried; });
}

void Publisher::finish(std::function<void()> done) {
  finished_ = std::move(done);
  if (in_flight_.empty()) std::exchange(finished_, nullptr)();
}

void Publisher::abandon() {
  retry_timer_.cancel();
  breaker_timer_.cancel();
  finished_ = nullptr;
  while (!in_flight_.empty()) {
    end(in_flight_.begin()->first, OrderResult::ambiguous, {}, "shut down before it was answered");
  }
}

Publisher::Stats Publisher::stats() const {
  Stats stats{.breaker = breaker_.state(),
              .in_flight = in_flight_.size(),
              .repeats = repeats_,
              .odd_answers = odd_answers_};
  for (const auto state : CircuitBreaker::kStates) {
    stats.breaker_entered[static_cast<std::size_t>(state)] = breaker_.entered(state);
  }
  return stats;
}

// --- The circuit breaker ------------------------------------------------------------------------

std::optional<CircuitBreaker::Permit> Publisher::admit() {
  const auto permit = breaker_.admit(monotonic_now());
  watch_breaker();
  return permit;
}

void Publisher::found(CircuitBreaker::Permit permit, Finding finding) {
  breaker_.report(permit, finding, monotonic_now());
  watch_breaker();
}

// Tells of a change, and wakes when the next may be due.
void Publisher::watch_breaker() {
  const CircuitBreaker::State state = breaker_.state();
  if (state == breaker_before_) return;
  breaker_before_ = state;
  callbacks_.on_breaker(state);
  if (state == CircuitBreaker::State::closed) {
    breaker_timer_.cancel();
    return;
  }
  const auto recovers_at = breaker_.recovers_at();
  breaker_timer_.expires_at(recovers_at ? steady_clock::time_point(*recovers_at)
                                        : steady_clock::now() + kProbeGrace);
  breaker_due();
}

void Publisher::breaker_due() {
  breaker_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    breaker_.advance(monotonic_now());
    if (breaker_.state() == breaker_before_) {
      if (breaker_.wants_probe()) probe();
      if (breaker_.state() == CircuitBreaker::State::closed) return;
      breaker_timer_.expires_after(kProbeGrace);
      breaker_due();
    } else {
      watch_breaker();
    }
  });
}

// Nobody had an order to try with.
void Publisher::probe() {
  const auto permit = admit();
  if (!permit) return;
  const auto result =
      client_.round_trip(options_.ack_timeout, [this, permit = *permit](const nats::Reply& reply) {
        found(permit, reply.kind == nats::Reply::Kind::answered    ? Finding::success
                      : reply.kind == nats::Reply::Kind::timed_out ? Finding::failure
                                                                   : Finding::nothing);
        return nats::AfterReply::done;
      });
  if (result != nats::PublishResult::sent) found(*permit, finding_of(result));
}

}  // namespace rts::service
