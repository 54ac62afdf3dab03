// One live connection: what arrives on it, what leaves on it, and everything that is known of it
// and ends with it. Private to this room; loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/circular_buffer.hpp>

#include "nats/adapter.hpp"
#include "nats/inbox.hpp"
#include "nats/messages.hpp"
#include "nats/requests.hpp"

namespace rts::nats {

// Subjects that the broker has refused us on a connection, which is made anew 8 heartbeat intervals
// after the first. The oldest is forgotten when the list is full; publishing to it is then tried
// again.
inline constexpr std::size_t kMaxDeniedSubjects = 64;

// What outlives a connection and is used by each. The client owns it.
struct ClientState {
  const ClientOptions options;
  const ClientCallbacks callbacks;
  Requests requests{};
  Status status{};  // counters of all connections, and the last error
  bool draining = false;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::milliseconds;

  // `on_end` is told once why the connection is of no use any more; its owner then lets go of it.
  // Precondition: the result holds a connection.
  Connection(boost::asio::io_context& io, ConnectResult result, ClientState& client,
             std::function<void(std::string error)> on_end);

  // Subscribes, and sends the heartbeat that comes back when the broker has handled that.
  void start();
  // Likewise, to the data; nothing happens the second time, or behind a drain. False: nats.c
  // refuses.
  bool subscribe_to_data();

  bool open() const { return adapter_->open(); }
  const Address& address() const { return adapter_->address(); }
  bool has_alternative() const { return adapter_->has_alternative(); }
  // The broker has answered to what we asked for, if only by refusing it.
  bool heard() const { return hears_commands_ || refused_; }
  void describe(Status& status) const;

  // As those of Client.
  PublishResult publish(const Outgoing& message);
  PublishResult request(const Outgoing& message, Milliseconds timeout, ReplyHandler on_reply,
                        Milliseconds arrive_within);
  PublishResult repeat(std::uint64_t number, const Outgoing& message, Milliseconds arrive_within);
  PublishResult round_trip(Milliseconds timeout, ReplyHandler on_reply);

  // A round trip also on a path on which nothing else would be sent.
  PublishResult flush(Milliseconds timeout, ReplyHandler on_reply);

  // Ends the data subscription; `done` runs when what had come meanwhile is delivered.
  void drain(std::function<void()> done);

  // Both end it. What is still under way is delivered, or thrown away.
  void close() { adapter_->close(); }
  void cut() { adapter_->cut(); }

  std::uint64_t dropped_by_library() const;

 private:
  bool subscribe(SubscriptionPtr& subscription, const std::string& subject,
                 const std::string& queue_group = {});
  // Receiving.
  void readable();
  void deliver_messages();
  bool take_status(natsMsg* message);
  void handle_inbox(const std::vector<MessagePtr>& replies);
  void confirm_subscriptions();
  void check_complaint();
  // Watching the path to the broker.
  bool send_heartbeat();
  void set_timer();
  void set_timer(Clock::time_point at);
  void due();
  void check_drained();
  void fail(std::string_view reason);
  void lost();
  // Sending.
  bool answering() const;
  std::optional<PublishResult> obstacle(std::string_view subject, std::size_t bytes) const;
  PublishResult enqueue(const Outgoing& message, const std::string& reply_to = {});
  PublishResult write(const Outgoing& message, const std::string& reply_to = {});
  PublishResult send_request(std::uint64_t number, const Outgoing& message, Milliseconds within);
  template <typename Send>
  PublishResult await(std::string_view subject, Milliseconds timeout, ReplyHandler on_reply,
                      Send send);

  ClientState& client_;
  std::function<void(std::string error)> on_end_;
  std::shared_ptr<AsioAdapter> adapter_;
  SubscriptionPtr data_;
  std::vector<SubscriptionPtr> commands_;
  SubscriptionPtr replies_;  // everything below the inbox's name
  Inbox inbox_;
  // For the next heartbeat, the earliest time-out of a request and the earliest time by which one
  // has to have arrived.
  boost::asio::steady_timer timer_;
  Clock::time_point heartbeat_at_{};

  std::string server_id_;
  std::string complaint_;                                           // the broker's last
  bool refused_ = false;                                            // a subscription
  boost::circular_buffer<std::string> denied_{kMaxDeniedSubjects};  // we may not publish to these
  Clock::time_point ask_again_at_ = Clock::time_point::max();       // for what was refused
  bool hears_commands_ = false;       // the first heartbeat has come back
  bool hears_data_ = false;           // the one behind the subscription has come back
  std::uint64_t data_heartbeat_ = 0;  // the number of that one; 0: nothing was subscribed to yet
  bool lame_duck_ = false;            // the broker has said that it will shut down

  std::vector<MessagePtr> messages_;  // of the last read; at most what its 128 KiB hold
  std::size_t message_bytes_ = 0;
  RetiredMessages retired_;        // those before, and what was sent
  std::function<void()> drained_;  // while the data subscription ends
};

}  // namespace rts::nats
