// What the publisher needs of the world, made real: the NATS client and the loop's time. Thread:
// the loop's.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "nats/client.hpp"
#include "service/publisher.hpp"

namespace rts::service {

// `client` must outlive it, and not call its handlers any more once it is gone.
class NatsTransport final : public OrderTransport {
 public:
  explicit NatsTransport(nats::Client& client) : client_(client) {}

  std::optional<AttemptResult> send(OrderNumber number, const OrderMessage& message,
                                    ReplyHandler on_reply) override;
  std::optional<AttemptResult> round_trip(std::chrono::milliseconds timeout,
                                          ReplyHandler on_reply) override;
  Status status() const override;

 private:
  nats::Client& client_;
  // The client's requests that have had a reply and wait for another. It tells a request's number
  // with its reply; a lost connection ends the request, and the order is then sent with a new one.
  std::map<OrderNumber, std::uint64_t> open_requests_;
};

class LoopClock final : public OrderClock {
 public:
  explicit LoopClock(boost::asio::io_context& io) : timer_(io) {}

  UnixMs now() const override;
  SteadyTime steady_now() const override;
  void wake_at(SteadyTime at, std::function<void()> wake) override;

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace rts::service
