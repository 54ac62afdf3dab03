// A NATS connection that lives on one Asio loop and is rebuilt for ever: receive in batches,
// publish and request without blocking, drain, close.
//
// Thread: everything here, the constructor and destructor included, belongs to the one thread that
// runs the io_context (io_context{1}), and so do all callbacks. Inside, one helper thread exists
// while a connection is being made; it shares nothing but its result.
// Lifetime: the io_context outlives the Client. A callback must not destroy the Client.
// Source: nats.c 3.4.1 in event-loop mode; docs/ARCHITECTURE.md says why it is driven this way.
#pragma once

#include <memory>

#include <boost/asio/io_context.hpp>

#include "nats/types.hpp"

namespace rts::nats {

class Client {
 public:
  using Callbacks = ClientCallbacks;

  // Preconditions: times and limits of the options are above 0; on_command is there when a command
  // subject is.
  Client(boost::asio::io_context& io, ClientOptions options, Callbacks callbacks);
  // Cuts the connection at once; what is still buffered is lost (close() first). Bounded: at most
  // about 0.1 s when a connection attempt is hanging.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&&) = delete;
  Client& operator=(Client&&) = delete;

  // Returns at once and connects for ever, with or without a broker there. Once only.
  void start();

  // To the data, where the options leave it to this call: until the connection ends, and not once
  // it is drained. Without a connection nothing happens.
  void subscribe();

  // Never blocks and keeps nothing for a later connection. Writes to the socket before it returns
  // when the socket takes it.
  [[nodiscard]] PublishResult publish(const Outgoing& message);

  // As publish(), with a reply address. `buffer_full` also says that max_requests are waiting, for
  // a reply or for the confirmation that they have arrived.
  // `arrive_within`: it leaves only when a round trip that began more recently than that has come
  // back. When it is not known to have arrived in this time, the connection is cut and what is
  // still on our side of it thrown away, so that it never arrives. What another machine has taken
  // (a proxy, a broker that stands still) cannot be called back.
  [[nodiscard]] PublishResult request(const Outgoing& message, std::chrono::milliseconds timeout,
                                      ReplyHandler on_reply,
                                      std::chrono::milliseconds arrive_within = kUnlimited);

  // Sends a request again that waits still, so that the answer to either is the answer. Only from
  // its handler, or after that has kept it waiting, on the same connection. Precondition: the
  // number is of a Reply, hence not 0.
  [[nodiscard]] PublishResult repeat(std::uint64_t number, const Outgoing& message,
                                     std::chrono::milliseconds arrive_within = kUnlimited);

  // A message to ourselves through the broker: `answered` proves that all sent before has arrived.
  [[nodiscard]] PublishResult round_trip(std::chrono::milliseconds timeout, ReplyHandler on_reply);

  [[nodiscard]] Status status() const;

  // Ends the connection, when what has arrived is delivered, and tries the addresses of all urls
  // again, this one last. Without another address it stays.
  void move_on(std::string_view reason);

  // Ends the data subscription. What the broker had already sent or assigned to us is delivered
  // first, then `done` runs (also when the connection is lost meanwhile). Publishing goes on, and a
  // later connection subscribes to nothing. Once only, not after close().
  void drain(std::function<void()> done);

  // Ends everything. While connected it waits for one round trip, at most heartbeat_timeout;
  // `flushed` says that it came back, so that every publish that was `sent` reached the broker.
  // Once only; publish() then answers `disconnected`.
  void close(std::function<void(bool flushed)> done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rts::nats
