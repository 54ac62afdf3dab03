#include "service/nats_transport.hpp"

#include <array>
#include <span>
#include <utility>

namespace rts::service {
namespace {

std::optional<AttemptResult> problem_of(nats::PublishResult result) noexcept {
  switch (result) {
    case nats::PublishResult::sent: return {};
    case nats::PublishResult::disconnected: return AttemptResult::disconnected;
    case nats::PublishResult::unproven: return AttemptResult::path_unproven;
    case nats::PublishResult::buffer_full: return AttemptResult::buffer_full;
    case nats::PublishResult::failed: return AttemptResult::unsendable;
    case nats::PublishResult::denied: return AttemptResult::denied;
  }
  return AttemptResult::unsendable;
}

Reply reply_of(const nats::Reply& reply) {
  switch (reply.kind) {
    case nats::Reply::Kind::answered: return reply.payload;
    case nats::Reply::Kind::no_responders: return Failure{AttemptResult::no_responders};
    case nats::Reply::Kind::timed_out:
      return Failure{reply.arrived ? AttemptResult::timed_out : AttemptResult::arrival_unproven};
    case nats::Reply::Kind::connection_lost: return Failure{AttemptResult::connection_lost};
    case nats::Reply::Kind::denied:
      return Failure{reply.certain ? AttemptResult::denied : AttemptResult::denied_unsure};
  }
  return Failure{AttemptResult::connection_lost};
}

}  // namespace

std::optional<AttemptResult> NatsTransport::send(OrderNumber number, const OrderMessage& message,
                                                 ReplyHandler on_reply) {
  const bool has_correlation =
      !message.correlation_id.empty() && nats::is_header_value(message.correlation_id);
  const std::array<nats::Header, 4> all{
      nats::Header{"Nats-Msg-Id", message.id}, nats::Header{"Content-Type", "application/json"},
      nats::Header{"Correlation-Id", has_correlation ? message.correlation_id : message.id},
      nats::Header{"traceparent", message.traceparent}};
  const auto headers = std::span(all).first(all.size() - (message.traceparent.empty() ? 1 : 0));
  const nats::Outgoing outgoing{message.subject, message.payload, headers};
  if (const auto open = open_requests_.find(number); open != open_requests_.end()) {
    return problem_of(client_.repeat(open->second, outgoing, message.life));
  }
  auto handler = [this, number, on_reply = std::move(on_reply)](const nats::Reply& reply) {
    // Kept before the handler runs, which may send the order again.
    if (reply.kind == nats::Reply::Kind::connection_lost) {
      open_requests_.erase(number);
    } else {
      open_requests_[number] = reply.number;
    }
    if (on_reply(reply_of(reply))) return nats::AfterReply::keep_waiting;
    open_requests_.erase(number);
    return nats::AfterReply::done;
  };
  return problem_of(
      client_.request(outgoing, message.answer_timeout, std::move(handler), message.life));
}

std::optional<AttemptResult> NatsTransport::round_trip(std::chrono::milliseconds timeout,
                                                       ReplyHandler on_reply) {
  return problem_of(
      client_.round_trip(timeout, [on_reply = std::move(on_reply)](const nats::Reply& reply) {
        return on_reply(reply_of(reply)) ? nats::AfterReply::keep_waiting : nats::AfterReply::done;
      }));
}

OrderTransport::Status NatsTransport::status() const {
  const nats::Status now = client_.status();
  return {now.connected, now.takes_headers, now.reconnects};
}

UnixMs LoopClock::now() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

SteadyTime LoopClock::steady_now() const { return std::chrono::steady_clock::now(); }

void LoopClock::wake_at(SteadyTime at, std::function<void()> wake) {
  timer_.expires_at(at);
  timer_.async_wait([wake = std::move(wake)](boost::system::error_code error) {
    if (!error) wake();
  });
}

}  // namespace rts::service
