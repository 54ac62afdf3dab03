// What the client of the broker takes and hands out. Values only: what is private in this room
// includes this header and not the client's, and so may who only needs the types.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/enum_names.hpp>
#include <rts/config/parameters.hpp>

namespace rts::nats {

using config::Credentials;

// The broker as the settings have it, and the limits of one client.
struct ClientOptions : config::BrokerParameters {
  std::string name{};  // connection name, as the broker's monitoring shows it
  // Besides the data, each message of these to each client: commands, and what streams tell.
  std::vector<std::string> command_subjects{};
  // Likewise; where the broker refuses them, nothing comes and nothing is said but last_error. Nor
  // does the connection end to ask again where it refuses a publish on one that they cover.
  std::vector<std::string> optional_subjects{};
  bool subscribes_when_told = false;  // to the data: on each connection by Client::subscribe()
  std::size_t max_buffered_bytes = 1U << 20U;  // of publishes that the socket does not take yet
  std::size_t max_requests = 8192;             // that await a reply at the same time

  std::chrono::milliseconds connect_timeout{2000};   // dial and the broker's greeting
  std::chrono::milliseconds connect_watchdog{3000};  // one address, handshake included
  std::chrono::milliseconds heartbeat_interval{500};
  // When a heartbeat is not back for so long, publish() answers `disconnected`, for what is sent
  // now may arrive late; after the second, longer time the connection is cut and made anew.
  std::chrono::milliseconds heartbeat_timeout{2000};
  std::chrono::milliseconds reconnect_timeout{5000};
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
  std::string_view reply_to{};   // empty: no answer is awaited
  void* source = nullptr;        // for header()
};

// The value of a message's header; empty without one. Lives as the message's views do.
[[nodiscard]] std::string_view header(const Message& message, const char* name);

// Whether a text may be the value of a header.
[[nodiscard]] bool is_header_value(std::string_view text);

// A header to send. The name must be non-empty printable ASCII without space and colon, the value
// printable ASCII. A header that breaks this rule is left out and the message goes without it: so
// no value, wherever it came from, can end its line and start another header.
struct Header {
  std::string_view name;
  std::string_view value;
};

// A message to send. A subject with spaces or control characters is refused. The views live until
// the call returns.
struct Outgoing {
  std::string_view subject;
  std::string_view payload;
  std::span<const Header> headers{};
};

enum class PublishResult {
  sent,          // given to the kernel or to the bounded write buffer; close() proves arrival
  disconnected,  // no connection, it broke on this message, or a heartbeat is not back for
                 // heartbeat_timeout: nothing is kept for later
  unproven,      // the last round trip that came back began longer ago than the message may take
  buffer_full,   // more than max_buffered_bytes would be waiting for the socket
  failed,        // the broker cannot take it: subject invalid, payload above its maximum, headers
                 // that it does not know
  denied,        // on this connection the broker has refused us this subject before
};

// clang-format off
BOOST_DEFINE_FIXED_ENUM_CLASS(ReplyKind, std::uint8_t,
  answered,
  no_responders,    // the broker: no client listens on the subject
  timed_out,        // may have arrived
  connection_lost,  // may have arrived
  denied            // the broker: no permission for the subject
)
// clang-format on

// How a request ended.
struct Reply {
  using Kind = ReplyKind;
  Kind kind = Kind::answered;
  std::string_view payload{};  // of an answer; lives until the handler returns
  std::uint64_t number = 0;    // of the request: for repeat()
  bool arrived = false;        // timed_out: the broker has it, and some client listens
  bool certain = true;         // denied: no other request waits that the broker may have meant
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

// A request without a limit to when it has to have arrived at the broker.
inline constexpr std::chrono::milliseconds kUnlimited = std::chrono::milliseconds::max();

struct Status {
  bool connected = false;
  // A round trip after subscribing has come back on this connection and no subscription was
  // refused: what the broker receives for us, we receive. (Also when no subject was asked for.)
  bool hears_commands = false;
  bool refused = false;          // connected, and the broker has refused a subscription
  bool subscribed = false;       // to the data as well
  bool answering = false;        // connected, and no heartbeat is missing for heartbeat_timeout
  bool takes_headers = false;    // connected, and the broker's INFO says so
  std::int64_t max_payload = 0;  // connected: bytes a message, as the broker's INFO says
  bool lame_duck = false;        // connected, and the broker says that it will shut down
  std::uint64_t reconnects = 0;  // connections made after the first
  std::size_t buffered_bytes = 0;
  std::uint64_t messages_dropped_by_library = 0;
  std::uint64_t unexpected_replies = 0;  // that no request awaits: late, twice or invented
  // On our subjects, from a broker instead of a publisher: heartbeats and flow control of a push
  // consumer (100), errors. They are no messages to anybody else here; flow control is answered.
  std::uint64_t status_messages = 0;
  std::string server;      // scheme, host and port of the connection; empty when there is none
  std::string server_id;   // which process answers there: a broker has a new one at each start
  std::string last_error;  // why we are not subscribed, or the broker's last complaint; no secrets
};

// All run on the loop's thread. None may destroy the client.
struct ClientCallbacks {
  // A few messages at a time (1 to 64), in the order of arrival. May publish. After each readiness
  // of the socket (at most 128 KiB) the loop gets its turn, so that a flood delays no other
  // handler.
  std::function<void(std::span<const Message>)> on_messages;
  // One message on the command subjects, before the messages of the same read. May publish.
  std::function<void(const Message&)> on_command{};
  // A reply to a request that does not wait (any more); Status::unexpected_replies counts them.
  std::function<void(std::string_view subject)> on_unexpected_reply = [](std::string_view) {};
  // One of Status::status_messages that is an error: "409 Consumer Deleted".
  std::function<void(std::string_view text)> on_status_message = [](std::string_view) {};
  // connected, hears_commands, subscribed or last_error has changed; never called from inside a
  // method here.
  std::function<void()> on_status_change = [] {};
};

}  // namespace rts::nats
