// One TCP connection that nats.c runs on our loop, from handshake to close. Private to this room;
// loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "nats/connector.hpp"

namespace rts::nats {

class Session : public std::enable_shared_from_this<Session> {
 public:
  struct Events {
    std::function<void()> readable;  // nats.c has taken in what one read gave
    std::function<void()> lost;      // once, posted: the connection has ended by itself
  };

  // The outcome holds a connection.
  Session(boost::asio::io_context& io, Outcome outcome, Events events);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;

  void start();

  natsConnection* connection() const { return connection_.get(); }
  const std::string& server() const { return server_; }
  bool open() const { return open_; }

  // Bytes that wait because the socket was full when it was last asked.
  std::size_t blocked_bytes() const;

  // Writes what nats.c has buffered, now if the socket takes it, else when it does. To be called
  // after everything that makes nats.c write.
  void flush();

  // Ends the connection without flushing (nats.c's own close would wait for bytes that only this
  // thread can read). What the kernel has taken it still delivers. No event follows.
  void close();
  // The same, but what the kernel has not got through is thrown away: it would try for seconds.
  void cut();

 private:
  void end();
  void wait_readable(int bytes);  // until so many are there
  int bytes_wanted();
  void wait_writable();
  void lose_if_detached();

  boost::asio::io_context& io_;
  std::unique_ptr<Link> link_;  // outlives connection_
  ConnectionPtr connection_;
  std::string server_;
  Events events_;
  boost::asio::posix::stream_descriptor socket_;
  bool open_ = true;
  bool blocked_ = false;     // a wait for writability is under way
  bool silent_ = false;      // closed by us: no more events
  int readable_at_ = 1;      // bytes, as the socket knows it
  std::optional<bool> tls_;  // known when the first byte has come
};

}  // namespace rts::nats
