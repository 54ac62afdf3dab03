// A NATS connection that lives on one Asio loop and is rebuilt for ever: receive in batches,
// publish without blocking, drain, close. The only door of this room.
//
// Thread: everything here, the constructor and destructor included, belongs to the one thread that
// runs the io_context (io_context{1}), and so do all callbacks. Inside, one helper thread exists
// while a connection is being made; it shares nothing but its result.
// Lifetime: the io_context outlives the Client. A callback must not destroy the Client.
// Source: nats.c 3.4.1 in event-loop mode; docs/ARCHITECTURE.md says why it is driven this way.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace rts::nats {

struct ClientOptions {
  // nats:// or tls:// (which forces TLS); may carry userinfo, which is never shown anywhere. Each
  // round tries all addresses of all urls in random order.
  std::vector<std::string> urls;
  std::string name;         // connection name, as the broker's monitoring shows it
  std::string subject;      // may have wildcards; empty: no data subscription
  std::string queue_group;  // empty: a plain subscription
  std::size_t max_buffered_bytes = 1U << 20U;  // of publishes that the socket does not take yet

  std::chrono::milliseconds connect_timeout{2000};   // dial and the broker's greeting
  std::chrono::milliseconds connect_watchdog{3000};  // one address, handshake included
  std::chrono::milliseconds heartbeat_interval{500};
  // A heartbeat not back for so long: publish() answers `disconnected`, for what is sent now may
  // arrive late; and after the second, longer time the connection is cut and rebuilt.
  std::chrono::milliseconds proof_patience{2000};
  std::chrono::milliseconds peer_patience{5000};
  // Between rounds: from min to max by a tenth each time, so that a broker that was gone for 20 s
  // is found within 2 s and one that stays away is left in peace; of which 50 to 100 % at random.
  std::chrono::milliseconds backoff_min{250};
  std::chrono::milliseconds backoff_max{5000};
};

// One received message. The views live until the callback returns.
struct Message {
  std::string_view subject;
  std::string_view payload;
  std::string_view traceparent;  // the NATS header of that name; empty when there is none
};

// Whether a text may be the value of a header.
[[nodiscard]] bool is_header_value(std::string_view text);

// A header to send. The name must be non-empty printable ASCII without space and colon, the value
// printable ASCII. A header that breaks this rule is left out and the message goes without it: so
// no value, wherever it came from, can end its line and start another header.
struct Header {
  std::string_view name;
  std::string_view value;
};

enum class PublishResult {
  sent,          // given to the kernel or to the bounded write buffer; close() proves arrival
  disconnected,  // no connection, it broke on this message, or a heartbeat is not back for
                 // proof_patience: nothing is kept for later
  buffer_full,   // more than max_buffered_bytes would be waiting for the socket
  failed,        // the broker cannot take it: subject invalid, payload above its maximum
};

struct Status {
  bool connected = false;
  // A round trip after subscribing has come back on this connection and no subscription was
  // refused: what the broker receives for us, we receive. (Also when no subject was asked for.)
  bool subscribed = false;
  bool answering = false;        // connected, and no heartbeat is missing for proof_patience
  std::uint64_t reconnects = 0;  // connections made after the first
  std::size_t buffered_bytes = 0;
  std::uint64_t messages_dropped_by_library = 0;
  std::optional<std::chrono::microseconds> heartbeat_rtt;  // of the last one on this connection
  std::string server;      // scheme, host and port of the connection; empty when there is none
  std::string last_error;  // why we are not subscribed, or the broker's last complaint; no secrets
};

class Client {
 public:
  struct Callbacks {
    // A few messages at a time (1 to 64), in the order of arrival. May publish. After each
    // readiness of the socket (at most 128 KiB) the loop gets its turn, so a flood starves nobody.
    std::function<void(std::span<const Message>)> on_messages;
    // connected, subscribed or last_error has changed; never called from inside a method here.
    std::function<void()> on_status_change;
  };

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

  // Never blocks and keeps nothing for a later connection. Writes to the socket before it returns
  // when the socket takes it. A subject with spaces or control characters is `failed`.
  [[nodiscard]] PublishResult publish(std::string_view subject, std::string_view payload,
                                      std::span<const Header> headers);

  [[nodiscard]] Status status() const;

  // Ends the data subscription. What the broker had already sent or assigned to us is delivered
  // first, then `done` runs (also when the connection is lost meanwhile). Publishing goes on, and a
  // later connection subscribes to nothing. Once only, not after close().
  void drain(std::function<void()> done);

  // Ends everything. While connected it waits for one round trip, at most proof_patience;
  // `flushed` says that it came back, so that every publish that was `sent` reached the broker.
  // Once only; publish() then answers `disconnected`.
  void close(std::function<void(bool flushed)> done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rts::nats
