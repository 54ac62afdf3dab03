// What the publisher and those who follow streams need of the world, made real: the NATS client and
// the loop's time. Thread: the loop's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/container/static_vector.hpp>

#include "nats/client.hpp"
#include "service/publisher.hpp"
#include "service/stream_follower.hpp"

namespace rts::service {

// `client` must outlive it, and not call its handlers any more once it is gone.
class NatsTransport final : public OrderTransport, public StreamTransport {
 public:
  NatsTransport(boost::asio::io_context& loop, nats::Client& client)
      : loop_(loop), client_(client) {}

  std::optional<AttemptResult> send(OrderNumber number, const OrderMessage& message,
                                    ReplyHandler on_reply) override {
    const bool has_correlation =
        !message.correlation_id.empty() && nats::is_header_value(message.correlation_id);
    const std::string expected = std::to_string(message.expected_sequence);
    boost::container::static_vector<nats::Header, 6> headers{
        {"Nats-Msg-Id", message.id},
        {"Content-Type", "application/json"},
        {"Correlation-Id", has_correlation ? message.correlation_id : message.id}};
    if (!message.traceparent.empty()) headers.push_back({"traceparent", message.traceparent});
    if (!message.sender.empty()) {
      headers.push_back({"Rts-Sender", message.sender});
      headers.push_back({"Nats-Expected-Last-Sequence", expected});
    }
    const nats::Outgoing outgoing{message.subject, message.payload, headers};
    if (const auto open = open_requests_.find(number); open != open_requests_.end()) {
      return problem_of(client_.repeat(open->second, outgoing, message.life));
    }
    auto handler = [this, number, on_reply = std::move(on_reply)](const nats::Reply& reply) {
      // Kept before the handler runs, which may send the order again.
      const bool has_ended = reply.kind == nats::Reply::Kind::connection_lost ||
                             reply.kind == nats::Reply::Kind::denied;
      if (has_ended) {
        open_requests_.erase(number);
      } else {
        open_requests_[number] = reply.number;
      }
      const nats::AfterReply after = on_reply(reply_of(reply));
      if (after == nats::AfterReply::done) open_requests_.erase(number);
      return after;
    };
    return problem_of(
        client_.request(outgoing, message.answer_timeout, std::move(handler), message.life));
  }

  std::optional<AttemptResult> round_trip(std::chrono::milliseconds timeout,
                                          ReplyHandler on_reply) override {
    auto handler = [on_reply = std::move(on_reply)](const nats::Reply& reply) {
      return on_reply(reply_of(reply));
    };
    return problem_of(client_.round_trip(timeout, std::move(handler)));
  }

  nats::PublishResult request(const nats::Outgoing& message, std::chrono::milliseconds timeout,
                              nats::ReplyHandler on_reply) override {
    return client_.request(message, timeout, std::move(on_reply));
  }

  nats::Status status() const override { return client_.status(); }
  UnixMs now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  void wake_at(SteadyTime at, std::function<void()> wake) override {
    const auto timer = std::make_shared<boost::asio::steady_timer>(loop_, at);
    timer->async_wait([timer, wake = std::move(wake)](boost::system::error_code) { wake(); });
  }

 private:
  static std::optional<AttemptResult> problem_of(nats::PublishResult result) noexcept {
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

  static Reply reply_of(const nats::Reply& reply) {
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

  boost::asio::io_context& loop_;
  nats::Client& client_;
  // The client's requests that have had a reply and wait for another. It tells a request's number
  // with its reply; a lost connection or a denial ends the request, and the order is then sent with
  // a new one.
  std::map<OrderNumber, std::uint64_t> open_requests_;
};

}  // namespace rts::service
