// A NATS connection that lives on one Asio loop and is rebuilt for ever: receive in batches,
// publish and request without blocking, drain, close. The only door of this room.
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

#include <rts/config/parameters.hpp>

namespace rts::nats {

using config::Credentials;

// The broker as the settings have it, and the limits of one client.
struct ClientOptions : config::BrokerParameters {
  std::string name{};  // connection name, as the broker's monitoring shows it
  std::size_t max_buffered_bytes = 1U << 20U;  // of publishes that the socket does not take yet
  std::size_t max_requests = 8192;             // that await a reply at the same time

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
  unproven,      // the last round trip that came back began longer ago than the message is good for
  buffer_full,   // more than max_buffered_bytes would be waiting for the socket
  failed,        // the broker cannot take it: subject invalid, payload above its maximum, headers
                 // that it does not know
  denied,        // on this connection the broker has refused us this subject before
};

// How a request ended.
struct Reply {
  enum class Kind : std::uint8_t {
    answered,
    no_responders,    // the broker: nobody listens on the subject
    timed_out,        // may have arrived
    connection_lost,  // may have arrived
    denied,           // the broker: no permission for the subject
  } kind = Kind::answered;
  std::string_view payload;  // of an answer; lives until the handler returns
  std::uint64_t number = 0;  // of the request: for repeat()
  bool arrived = false;      // timed_out: the broker has it, and somebody listens
  bool certain = true;       // denied: not another request of that moment
};
enum class AfterReply : std::uint8_t {
  done,
  // The right answer may still come. After a time-out: for as long again. A connection that is lost
  // and a denial end a request whatever is said.
  keep_waiting,
};
// Runs once for each request that was `sent`, and once more each time it keeps waiting; never
// inside request(). May publish, request and repeat.
using ReplyHandler = std::function<AfterReply(const Reply&)>;

// How long a request is good for at the broker, from now. It leaves only on a path that was proven
// sound more recently than that; and when its arrival is not proven in this time, the connection is
// cut and what is still on our side of it thrown away, so that it never arrives. What another
// machine has taken (a proxy, a broker that stands still) cannot be called back.
using Life = std::chrono::milliseconds;
inline constexpr Life kUnlimited = Life::max();

struct Status {
  bool connected = false;
  // A round trip after subscribing has come back on this connection and no subscription was
  // refused: what the broker receives for us, we receive. (Also when no subject was asked for.)
  bool subscribed = false;
  bool answering = false;        // connected, and no heartbeat is missing for proof_patience
  bool takes_headers = false;    // connected, and the broker's INFO says so
  std::uint64_t reconnects = 0;  // connections made after the first
  std::size_t buffered_bytes = 0;
  std::uint64_t messages_dropped_by_library = 0;
  std::uint64_t unexpected_replies = 0;  // that no request awaits: late, twice or invented
  // On our subjects, from a broker instead of a publisher: heartbeats and flow control of a push
  // consumer (100), errors. They are no messages to anybody else here; flow control is answered.
  std::uint64_t status_messages = 0;
  std::optional<std::chrono::microseconds> heartbeat_rtt;  // of the last one on this connection
  std::string server;      // scheme, host and port of the connection; empty when there is none
  std::string server_id;   // which process answers there: a broker has a new one at each start
  std::string last_error;  // why we are not subscribed, or the broker's last complaint; no secrets
};

class Client {
 public:
  struct Callbacks {
    // A few messages at a time (1 to 64), in the order of arrival. May publish. After each
    // readiness of the socket (at most 128 KiB) the loop gets its turn, so a flood starves nobody.
    std::function<void(std::span<const Message>)> on_messages;
    // One message on the control subject. May publish.
    std::function<void(const Message&)> on_control{};
    // A reply to a request that does not wait (any more); Status::unexpected_replies counts them.
    std::function<void(std::string_view subject)> on_unexpected_reply{};
    // One of Status::status_messages that is an error: "409 Consumer Deleted".
    std::function<void(std::string_view text)> on_status_message{};
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

  // As publish(), with a reply address. `buffer_full` also says that max_requests are waiting, for
  // a reply or for the proof that they have arrived.
  [[nodiscard]] PublishResult request(std::string_view subject, std::string_view payload,
                                      std::span<const Header> headers,
                                      std::chrono::milliseconds timeout, ReplyHandler on_reply,
                                      Life life = kUnlimited);

  // Sends a request again that waits still, so that the answer to either is the answer. Only from
  // its handler, or after that has kept it waiting, on the same connection.
  [[nodiscard]] PublishResult repeat(std::uint64_t number, std::string_view subject,
                                     std::string_view payload, std::span<const Header> headers,
                                     Life life = kUnlimited);

  // A message to ourselves through the broker: `answered` proves that all sent before has arrived.
  [[nodiscard]] PublishResult round_trip(std::chrono::milliseconds timeout, ReplyHandler on_reply);

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
