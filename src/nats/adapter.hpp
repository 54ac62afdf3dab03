// Asio as the event loop of nats.c ("event-loop adapter" there): one TCP connection from handshake
// to close. Private to this room; loop thread, but for Link's callbacks.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "nats/handles.hpp"

namespace rts::nats {

// Where the four callbacks record by which nats.c asks an event loop to watch a socket. nats.c
// calls them with the connection's lock held and on whatever thread it is working in: attach on the
// connecting one, the others on the loop thread or, while a subscription drains, on a thread of its
// own. So they record and post, nothing else. After the connection is closed none comes.
// Must outlive the connection it is given to.
struct Link {
  // A duplicate of the connection's socket, ours to close: nats.c 3.4.1 closes its own whenever it
  // likes. 3.9.2 and later leave that to us, and it is done when they detach.
  UniqueFd socket;
  natsConnection* connection = nullptr;
  natsSock library_socket = -1;
  std::atomic<bool> write_wanted = false;
  std::atomic<bool> detached = false;
  const std::uintptr_t number = next_number();  // by which the broker's last words are remembered

  // Set by the loop thread before it uses the connection. `wake` is for requests from elsewhere.
  std::thread::id loop_thread;
  std::function<void()> wake;

 private:
  static std::uintptr_t next_number() {
    static std::atomic<std::uintptr_t> last = 0;
    return ++last;
  }
};

// Makes connections from these options report to link.
natsStatus attach_to(natsOptions* options, Link& link);

using Address = boost::asio::ip::tcp::endpoint;

// What an attempt to connect ends with: a connection, or none and an error without secrets.
struct ConnectResult {
  std::unique_ptr<Link> link{};  // before its user: the connection is destroyed first
  ConnectionPtr connection{};
  std::string server{};  // scheme, host and port
  std::string error{};
  Address address{};             // that was dialled
  bool has_alternative = false;  // the urls have other addresses
};

class AsioAdapter : public std::enable_shared_from_this<AsioAdapter> {
 public:
  struct Events {
    std::function<void()> readable;  // nats.c has taken in what one read gave
    std::function<void()> lost;      // once, posted: the connection has ended by itself
  };

  // Precondition: the result holds a connection.
  AsioAdapter(boost::asio::io_context& io, ConnectResult result);
  ~AsioAdapter();
  AsioAdapter(const AsioAdapter&) = delete;
  AsioAdapter& operator=(const AsioAdapter&) = delete;
  AsioAdapter(AsioAdapter&&) = delete;
  AsioAdapter& operator=(AsioAdapter&&) = delete;

  void start(Events events);

  natsConnection* connection() const { return result_.connection.get(); }
  const std::string& server() const { return result_.server; }
  const Address& address() const { return result_.address; }
  bool has_alternative() const { return result_.has_alternative; }
  bool open() const { return open_; }

  // Bytes that wait because the socket was full when it was last asked.
  std::size_t blocked_bytes() const;

  // What the broker has complained of last; empty when of nothing. Refused subjects are told in
  // this way only. Lives until the next complaint.
  std::string_view complaint() const;
  // The broker has said that it will shut down.
  bool lame_duck() const;

  // Writes what nats.c has buffered, now if the socket takes it, else when it does. To be called
  // after everything that makes nats.c write.
  void flush();

  // Ends the connection without flushing (nats.c's own close would wait for bytes that only this
  // thread can read). What the kernel has taken it still delivers. No event follows.
  void close();
  // The same, but what has not got through is thrown away: the kernel would try for seconds.
  void cut();

 private:
  void end();
  void wait_readable(int bytes);  // until so many are there, or the stream has ended
  int bytes_wanted();
  void wait_writable();
  void lose_if_detached();

  boost::asio::io_context& io_;
  ConnectResult result_;
  Link& link_;
  Events events_;
  boost::asio::ip::tcp::socket socket_;
  bool open_ = true;
  bool blocked_ = false;     // a wait for writability is under way
  bool silent_ = false;      // closed by us: no more events
  int readable_at_ = 1;      // bytes, as the socket knows it
  std::optional<bool> tls_;  // known when the first byte has come
};

}  // namespace rts::nats
