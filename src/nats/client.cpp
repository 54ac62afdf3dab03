#include "nats/client.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "nats/connector.hpp"
#include "nats/dial.hpp"
#include "nats/inbox.hpp"
#include "nats/outgoing.hpp"
#include "nats/retired.hpp"
#include "nats/session.hpp"
#include "nats/subjects.hpp"

namespace rts::nats {
namespace {

using Clock = std::chrono::steady_clock;
using boost::system::error_code;

constexpr std::size_t kMessagesPerCallback = 64;
constexpr std::size_t kUsualMessagesPerRead = 2048;
constexpr auto kWatchdogPoll = std::chrono::milliseconds(100);
constexpr auto kFenceDelay = std::chrono::milliseconds(1);
constexpr auto kDrainPoll = std::chrono::milliseconds(1);
constexpr std::int64_t kDrainTimeoutMs = 10'000;
// What the broker refused is asked for again, on a new connection, after so many heartbeats.
constexpr int kRefusedHeartbeats = 8;

const char* header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK ? value : nullptr;
}

Message view_of(natsMsg* message) {
  const char* const traceparent = header_of(message, "traceparent");
  const char* data = natsMsg_GetData(message);
  const auto size = static_cast<std::size_t>(natsMsg_GetDataLength(message));
  return {.subject = natsMsg_GetSubject(message),
          .payload = data == nullptr ? std::string_view{} : std::string_view{data, size},
          .traceparent = traceparent == nullptr ? std::string_view{} : traceparent};
}

// Not from a publisher but from a broker, about the subscription: "NATS/1.0 100 Idle Heartbeat".
bool is_status(natsMsg* message) {
  return natsMsg_GetDataLength(message) == 0 && header_of(message, "Status") != nullptr;
}

// Takes what one read has left in the subscription's list and says how many bytes that is, headers
// included. NextMsg never waits here. `on_status` gets the messages that are none to the
// subscriber; null for "no responders" (503), which nats.c keeps to itself.
template <typename OnStatus>
std::size_t take_pending(natsSubscription* subscription, std::vector<MessagePtr>& messages,
                         OnStatus on_status) {
  int count = 0;
  int bytes = 0;
  if (subscription == nullptr ||
      natsSubscription_GetPending(subscription, &count, &bytes) != NATS_OK) {
    return 0;
  }
  for (; count > 0; --count) {
    natsMsg* message = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&message, subscription, 0);
    if (status == NATS_NO_RESPONDERS) on_status(nullptr);
    if (status != NATS_OK) continue;
    messages.emplace_back(message);
    if (!is_status(message)) continue;
    on_status(message);
    messages.pop_back();
  }
  return static_cast<std::size_t>(bytes);
}

// `'Permissions Violation for Publish to "orders"'` → orders; empty when the text is something
// else.
std::string_view denied_subject(std::string_view broker_error) {
  constexpr std::string_view kBefore = "for Publish to \"";
  const std::size_t begin = broker_error.find(kBefore);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = broker_error.substr(begin + kBefore.size());
  return rest.substr(0, rest.find('"'));
}

}  // namespace

// Connecting and backing off until there is a connection; when it is lost, backing off again;
// closed in the end. One of connector_, session_ and the armed timer_ is what moves it on. Handlers
// that may outlive us hold us weakly.
class Client::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, ClientOptions options, Callbacks callbacks)
      : io_(io),
        options_(std::move(options)),
        callbacks_(std::move(callbacks)),
        random_(std::random_device{}()),
        timer_(io),
        drain_timer_(io),
        request_timer_(io),
        fence_timer_(io),
        arrival_timer_(io),
        inbox_([this](std::string_view subject) {
          if (callbacks_.on_unexpected_reply) callbacks_.on_unexpected_reply(subject);
        }) {
    messages_.reserve(kUsualMessagesPerRead);
  }

  void start() { connect(); }
  void abandon();
  void forget_requests() { inbox_.forget_requests(); }
  PublishResult publish(std::string_view subject, std::string_view payload,
                        std::span<const Header> headers);
  PublishResult request(std::string_view subject, std::string_view payload,
                        std::span<const Header> headers, std::chrono::milliseconds timeout,
                        ReplyHandler on_reply, Life life);
  PublishResult repeat(std::uint64_t number, std::string_view subject, std::string_view payload,
                       std::span<const Header> headers, Life life);
  PublishResult round_trip(std::chrono::milliseconds timeout, ReplyHandler on_reply);
  Status status() const;
  void drain(std::function<void()> done);
  void close(std::function<void(bool)> done);

 private:
  // Connecting.
  void connect();
  void watch_connect();
  void connect_done(Outcome outcome);
  void back_off();
  // Connected.
  void connected(Outcome outcome);
  bool subscribe();
  SubscriptionPtr subscribe_to(const std::string& subject, const std::string& queue_group);
  void readable();
  void deliver_messages();
  void deliver_commands();
  void take_status(natsMsg* message);
  void answer_flow_control();
  void handle_inbox();
  void check_broker_error();
  void send_heartbeat();
  void wait_heartbeat();
  void heartbeat_due();
  void rebuild(const std::string& reason);
  void lost();
  void ended(std::string error);
  void drop_session();
  // Publishing.
  std::optional<PublishResult> can_send(std::string_view subject, std::size_t bytes) const;
  template <typename Send>
  PublishResult await(std::string_view subject, std::chrono::milliseconds timeout,
                      ReplyHandler on_reply, Send send);
  PublishResult send_fenced(std::uint64_t number, std::string_view subject,
                            std::string_view payload, std::span<const Header> headers, Life life);
  bool enqueue_fence();
  void send_fence();
  void watch_arrivals(Clock::time_point next);
  void arrival_due();
  PublishResult enqueue(std::string_view subject, const char* reply_to, std::string_view payload,
                        std::span<const Header> headers);
  PublishResult written(PublishResult enqueued);
  void wait_for_replies();
  void replies_overdue();
  // Ending.
  void poll_drain();
  void finish_drain();
  void close_overdue();
  void finish_close(bool flushed);

  std::uint64_t dropped_now() const;
  void set_error(std::string error);
  void notify() {
    if (callbacks_.on_status_change) callbacks_.on_status_change();
  }
  bool is_connected() const { return session_ && session_->open(); }
  bool is_answering() const {
    return is_connected() &&
           inbox_.heartbeat().unanswered_for(Clock::now()) < options_.proof_patience;
  }

  // A handler that does nothing once we are gone.
  template <typename... Arguments>
  auto weakly(void (Impl::*method)(Arguments...)) {
    return [weak = weak_from_this(), method](Arguments... arguments) {
      if (const auto self = weak.lock()) ((*self).*method)(std::move(arguments)...);
    };
  }
  template <typename Duration>
  void after(boost::asio::steady_timer& timer, Duration delay, void (Impl::*method)()) {
    timer.expires_after(delay);
    timer.async_wait([run = weakly(method)](error_code error) {
      if (!error) run();
    });
  }

  boost::asio::io_context& io_;
  const ClientOptions options_;
  const Callbacks callbacks_;
  std::minstd_rand random_;
  boost::asio::steady_timer timer_;  // watchdog, back-off or heartbeat, whichever the state wants
  boost::asio::steady_timer drain_timer_;
  boost::asio::steady_timer request_timer_;  // the earliest time-out of a request
  boost::asio::steady_timer fence_timer_;
  boost::asio::steady_timer arrival_timer_;

  std::unique_ptr<Connector> connector_;
  int failed_rounds_ = 0;
  std::uint64_t connections_ = 0;
  std::string last_error_;

  // Of the present connection; see drop_session().
  std::shared_ptr<Session> session_;
  SubscriptionPtr data_;
  SubscriptionPtr commands_;
  SubscriptionPtr replies_;  // everything below inbox_
  Inbox inbox_;
  std::string fence_;  // the subject of the one that is still to be sent
  std::string server_id_;
  std::string broker_error_;
  int refused_heartbeats_ = 0;
  std::optional<Clock::time_point> arrivals_watched_;  // when arrival_timer_ is up
  bool refused_ = false;                               // a subscription
  std::vector<std::string> denied_;                    // subjects we may not publish to
  bool proven_ = false;                                // the first round trip has come back

  std::uint64_t dropped_before_ = 0;  // by the library, on earlier connections
  std::uint64_t status_messages_ = 0;
  std::vector<std::string> flow_control_;  // of the last read: where an answer is awaited
  std::vector<MessagePtr> messages_;       // of the last read; at most what its 128 KiB hold
  std::size_t message_bytes_ = 0;
  RetiredMessages retired_;  // those before, and what was sent
  MessageBuilder builder_;

  bool draining_ = false;
  std::function<void()> drained_;
  bool closing_ = false;
  std::uint64_t flush_number_ = 0;  // the heartbeat whose return ends close()
  bool all_arrived_ = false;        // it has returned
  std::function<void(bool)> closed_;
};

// ---- Connecting ---------------------------------------------------------------------------------

void Client::Impl::connect() {
  if (closing_) return;
  connector_ = std::make_unique<Connector>(io_, options_, weakly(&Impl::connect_done));
  watch_connect();
}

void Client::Impl::watch_connect() {
  if (!connector_ || closing_) return;
  connector_->check_watchdog();
  after(timer_, kWatchdogPoll, &Impl::watch_connect);
}

void Client::Impl::connect_done(Outcome outcome) {
  connector_.reset();
  timer_.cancel();
  if (closing_) {
    finish_close(false);
  } else if (outcome.connection) {
    connected(std::move(outcome));
  } else {
    back_off();
    set_error(std::move(outcome.error));
  }
}

void Client::Impl::back_off() {
  auto limit = options_.backoff_min;
  for (int i = 0; i < failed_rounds_ && limit < options_.backoff_max; ++i) limit += limit / 10;
  limit = std::min(limit, options_.backoff_max);
  ++failed_rounds_;
  const auto jittered =
      std::uniform_int_distribution<std::int64_t>(limit.count() / 2, limit.count())(random_);
  after(timer_, std::chrono::milliseconds(jittered), &Impl::connect);
}

// ---- Connected ----------------------------------------------------------------------------------

void Client::Impl::connected(Outcome outcome) {
  ++connections_;
  session_ = std::make_shared<Session>(
      io_, std::move(outcome),
      Session::Events{.readable = weakly(&Impl::readable), .lost = weakly(&Impl::lost)});
  server_id_ = server_id(session_->connection());
  session_->start();
  if (!subscribe()) {
    rebuild("subscribing failed");
    return;
  }
  send_heartbeat();  // comes back after the broker has handled the subscriptions
  wait_heartbeat();
  notify();
}

bool Client::Impl::subscribe() {
  inbox_.open(new_inbox(inbox_prefix(options_.consumer_name)));
  if (inbox_.name().empty()) return false;
  replies_ = subscribe_to(inbox_.name() + ".>", "");
  if (!replies_) return false;
  if (!options_.control_subject.empty()) {
    commands_ = subscribe_to(options_.control_subject, "");
    if (!commands_) return false;
  }
  if (options_.subject.empty() || draining_) return true;
  data_ = subscribe_to(options_.subject, options_.queue_group);
  return data_ != nullptr;
}

SubscriptionPtr Client::Impl::subscribe_to(const std::string& subject,
                                           const std::string& queue_group) {
  natsSubscription* raw = nullptr;
  natsConnection* connection = session_->connection();
  const natsStatus status = queue_group.empty()
                                ? natsConnection_SubscribeSync(&raw, connection, subject.c_str())
                                : natsConnection_QueueSubscribeSync(
                                      &raw, connection, subject.c_str(), queue_group.c_str());
  return SubscriptionPtr(status == NATS_OK ? raw : nullptr);
}

void Client::Impl::readable() {
  deliver_commands();  // first: a pause holds for the frames that came with it
  deliver_messages();
  if (!is_connected()) return;
  check_broker_error();
  if (is_connected()) handle_inbox();
}

void Client::Impl::deliver_commands() {
  std::vector<MessagePtr> commands;
  take_pending(commands_.get(), commands, [this](natsMsg* message) { take_status(message); });
  for (const MessagePtr& command : commands) callbacks_.on_control(view_of(command.get()));
}

void Client::Impl::deliver_messages() {
  // All are taken before the first is shown: a publish in the callback may end the connection, and
  // with it the list, but not what had already arrived.
  retired_.add_all(messages_, message_bytes_);
  message_bytes_ =
      take_pending(data_.get(), messages_, [this](natsMsg* message) { take_status(message); });
  std::array<Message, kMessagesPerCallback> views;
  for (std::size_t begin = 0; begin < messages_.size(); begin += views.size()) {
    const std::size_t count = std::min(views.size(), messages_.size() - begin);
    for (std::size_t i = 0; i < count; ++i) views[i] = view_of(messages_[begin + i].get());
    callbacks_.on_messages({views.data(), count});
  }
  answer_flow_control();
}

// A push consumer that is not answered stands still; one that does says where it awaits the answer
// with every heartbeat.
void Client::Impl::take_status(natsMsg* message) {
  ++status_messages_;
  const char* const code = message == nullptr ? "503" : header_of(message, "Status");
  if (code == std::string_view("100")) {
    for (const char* subject :
         {natsMsg_GetReply(message), header_of(message, "Nats-Consumer-Stalled")}) {
      if (subject != nullptr) flow_control_.emplace_back(subject);
    }
  } else if (callbacks_.on_status_message) {
    const char* const words = message == nullptr ? nullptr : header_of(message, "Description");
    callbacks_.on_status_message(words == nullptr ? code : fmt::format("{} {}", code, words));
  }
}

void Client::Impl::answer_flow_control() {
  for (const std::string& subject : std::exchange(flow_control_, {})) {
    (void)publish(subject, "", {});  // else it asks again
  }
}

void Client::Impl::handle_inbox() {
  int count = 0;
  int bytes = 0;
  if (natsSubscription_GetPending(replies_.get(), &count, &bytes) != NATS_OK) count = 0;
  for (; count > 0; --count) {
    natsMsg* raw = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&raw, replies_.get(), 0);
    MessagePtr message(raw);
    if (status == NATS_NO_RESPONDERS) {
      inbox_.take_no_responders();
    } else if (status == NATS_OK) {
      const Message view = view_of(message.get());
      inbox_.take(view.subject, view.payload, Clock::now());
      retired_.add(std::move(message), static_cast<std::size_t>(std::exchange(bytes, 0)));
    }
    if (!is_connected()) return;  // a handler's publish has just found out
  }
  if (closing_ && inbox_.heartbeat().last_returned() >= flush_number_) {
    finish_close(true);
    return;
  }
  if (proven_ || !inbox_.heartbeat().any_returned()) return;
  proven_ = true;
  failed_rounds_ = 0;
  if (!refused_) last_error_.clear();
  notify();
}

// Errors that do not end the connection, chiefly refused subscriptions, are only told to a callback
// on a library thread; but their text stays with the connection, so the loop can look for itself.
void Client::Impl::check_broker_error() {
  const std::string_view text = complaint(session_->connection());
  if (text.empty() || broker_error_ == text) return;
  broker_error_ = text;
  if (broker_error_.find("for Subscription") != std::string::npos) {
    refused_ = true;
    failed_rounds_ = 0;
  }
  set_error(fmt::format("{}: {}", session_->server(), broker_error_));
  // The same words said again could not be told apart: one denial holds until the next connection,
  // which is not far.
  if (const std::string subject(denied_subject(broker_error_)); !subject.empty()) {
    denied_.push_back(subject);
    inbox_.requests().deny(subject);
  }
}

void Client::Impl::send_heartbeat() {
  const std::string subject = inbox_.next_heartbeat(Clock::now());
  if (natsConnection_Publish(session_->connection(), subject.c_str(), "", 0) == NATS_OK) {
    session_->flush();
  }
}

void Client::Impl::wait_heartbeat() {
  after(timer_, options_.heartbeat_interval, &Impl::heartbeat_due);
}

void Client::Impl::heartbeat_due() {
  if (!is_connected()) return;  // lost() is on its way
  const auto unanswered = inbox_.heartbeat().unanswered_for(Clock::now());
  if (unanswered >= options_.peer_patience) {
    rebuild(fmt::format("no heartbeat has come back for {} ms", unanswered.count()));
  } else if ((refused_ || !denied_.empty()) && ++refused_heartbeats_ >= kRefusedHeartbeats) {
    rebuild(refused_ ? "subscription refused" : "publishing refused");
  } else {
    send_heartbeat();
    wait_heartbeat();
  }
}

void Client::Impl::rebuild(const std::string& reason) {
  std::string error = fmt::format("{}: {}", session_->server(), reason);
  if (!broker_error_.empty()) error += fmt::format(" ({})", broker_error_);
  drop_session();
  ended(std::move(error));
}

// nats.c has closed the connection: the peer is gone, or the broker has sent us away.
void Client::Impl::lost() {
  if (!session_) return;
  const std::string_view text = complaint(session_->connection());
  std::string error =
      fmt::format("{}: {}", session_->server(), text.empty() ? "connection lost" : text);
  drop_session();
  ended(std::move(error));
}

// The one path after every connection, however it ended.
void Client::Impl::ended(std::string error) {
  if (draining_) finish_drain();
  if (closing_) {
    finish_close(false);
    return;
  }
  back_off();
  last_error_ = std::move(error);
  notify();
}

void Client::Impl::drop_session() {
  if (!session_) return;
  dropped_before_ += dropped_now();
  // Before the subscriptions go, so that they need not say good-bye.
  if (all_arrived_) {
    session_->close();
  } else {
    session_->cut();
  }
  data_.reset();
  commands_.reset();
  replies_.reset();
  session_.reset();
  fence_.clear();
  arrival_timer_.cancel();
  arrivals_watched_.reset();
  broker_error_.clear();
  refused_heartbeats_ = 0;
  refused_ = false;
  denied_.clear();
  proven_ = false;
  inbox_.close();
}

// ---- Publishing and looking ---------------------------------------------------------------------

PublishResult Client::Impl::publish(std::string_view subject, std::string_view payload,
                                    std::span<const Header> headers) {
  const auto obstacle = can_send(subject, wire_size(subject, payload, headers));
  return obstacle ? *obstacle : written(enqueue(subject, nullptr, payload, headers));
}

PublishResult Client::Impl::request(std::string_view subject, std::string_view payload,
                                    std::span<const Header> headers,
                                    std::chrono::milliseconds timeout, ReplyHandler on_reply,
                                    Life life) {
  return await(subject, timeout, std::move(on_reply), [&](std::uint64_t number) {
    return send_fenced(number, subject, payload, headers, life);
  });
}

PublishResult Client::Impl::repeat(std::uint64_t number, std::string_view subject,
                                   std::string_view payload, std::span<const Header> headers,
                                   Life life) {
  const PublishResult result = send_fenced(number, subject, payload, headers, life);
  if (result == PublishResult::sent) {
    inbox_.requests().renew(number, Clock::now());
    wait_for_replies();
  }
  return result;
}

PublishResult Client::Impl::round_trip(std::chrono::milliseconds timeout, ReplyHandler on_reply) {
  return await("", timeout, std::move(on_reply), [&](std::uint64_t number) {
    (void)enqueue_fence();
    return publish(inbox_.reply_subject(number), "", {});
  });
}

// A request is on the table before it is on the wire; what was not sent is taken back.
template <typename Send>
PublishResult Client::Impl::await(std::string_view subject, std::chrono::milliseconds timeout,
                                  ReplyHandler on_reply, Send send) {
  Requests& requests = inbox_.requests();
  if (requests.size() >= options_.max_requests) return PublishResult::buffer_full;
  const std::uint64_t number = requests.add(subject, Clock::now(), timeout, std::move(on_reply));
  const PublishResult result = send(number);
  if (result == PublishResult::sent) {
    wait_for_replies();
  } else {
    requests.forget(number);
  }
  return result;
}

// The fence leaves a moment after its request, or right before the next one: the broker answers the
// two together, and would often wake us for the fence before it hands the request on.
PublishResult Client::Impl::send_fenced(std::uint64_t number, std::string_view subject,
                                        std::string_view payload, std::span<const Header> headers,
                                        Life life) {
  const std::size_t fence_bytes = wire_size(inbox_.name(), "", {});
  const auto obstacle = can_send(subject, wire_size(subject, payload, headers) + fence_bytes);
  if (obstacle) return *obstacle;
  const auto now = Clock::now();
  if (inbox_.heartbeat().unproven_for(now) >= life) return PublishResult::unproven;
  if (inbox_.arrivals().size() >= options_.max_requests) return PublishResult::buffer_full;
  if (!enqueue_fence()) return PublishResult::failed;  // it would be told what is said of this one
  const std::string reply_to = inbox_.reply_subject(number);
  const PublishResult result = written(enqueue(subject, reply_to.c_str(), payload, headers));
  if (result != PublishResult::sent) return result;
  const auto arrive_by = life == kUnlimited ? Clock::time_point::max() : now + life;
  fence_ = inbox_.next_fence(number, arrive_by);
  after(fence_timer_, kFenceDelay, &Impl::send_fence);
  if (life != kUnlimited) watch_arrivals(arrive_by);
  return result;
}

// False when nothing may be requested before it, which has to be tried again.
bool Client::Impl::enqueue_fence() {
  if (!fence_.empty() && enqueue(fence_, nullptr, "", {}) != PublishResult::sent) return false;
  fence_.clear();
  return true;
}

void Client::Impl::send_fence() {
  if (!is_connected()) return;
  if (!enqueue_fence()) after(fence_timer_, kFenceDelay, &Impl::send_fence);
  session_->flush();
}

void Client::Impl::watch_arrivals(Clock::time_point next) {
  if (arrivals_watched_ && *arrivals_watched_ <= next) return;
  arrivals_watched_ = next;
  arrival_timer_.expires_at(next);
  arrival_timer_.async_wait([run = weakly(&Impl::arrival_due)](error_code error) {
    if (!error) run();
  });
}

// Most often all have arrived long since. What has not is cut off here, or it would arrive whenever
// the path goes on.
void Client::Impl::arrival_due() {
  arrivals_watched_.reset();
  const auto next = inbox_.arrivals().earliest();
  if (!next || !is_connected()) return;
  if (*next > Clock::now()) {
    watch_arrivals(*next);
  } else {
    rebuild("a message is not known to have arrived within its life");
  }
}

void Client::Impl::wait_for_replies() {
  const auto deadline = inbox_.requests().next_deadline();
  if (!deadline || request_timer_.expiry() == *deadline) return;
  request_timer_.expires_at(*deadline);
  request_timer_.async_wait([run = weakly(&Impl::replies_overdue)](error_code error) {
    if (!error) run();
  });
}

void Client::Impl::replies_overdue() {
  inbox_.requests().expire(Clock::now());
  wait_for_replies();
}

std::optional<PublishResult> Client::Impl::can_send(std::string_view subject,
                                                    std::size_t bytes) const {
  if (!is_answering() || closing_) return PublishResult::disconnected;
  if (!valid_subject(subject)) return PublishResult::failed;
  if (std::find(denied_.begin(), denied_.end(), subject) != denied_.end()) {
    return PublishResult::denied;
  }
  if (session_->blocked_bytes() + bytes > options_.max_buffered_bytes) {
    return PublishResult::buffer_full;
  }
  return {};
}

// Gives a message to nats.c, which writes it when it is flushed.
PublishResult Client::Impl::enqueue(std::string_view subject, const char* reply_to,
                                    std::string_view payload, std::span<const Header> headers) {
  MessagePtr message = builder_.build(subject, reply_to, payload, headers);
  if (!message) return PublishResult::failed;
  const natsStatus status = natsConnection_PublishMsg(session_->connection(), message.get());
  retired_.add(std::move(message), wire_size(subject, payload, headers));
  if (status == NATS_CONNECTION_CLOSED) return PublishResult::disconnected;
  return status == NATS_OK ? PublishResult::sent : PublishResult::failed;
}

PublishResult Client::Impl::written(PublishResult enqueued) {
  if (enqueued != PublishResult::sent) return enqueued;
  session_->flush();
  return is_connected() ? PublishResult::sent : PublishResult::disconnected;
}

Status Client::Impl::status() const {
  Status status;
  status.reconnects = connections_ > 0 ? connections_ - 1 : 0;
  status.messages_dropped_by_library = dropped_before_ + dropped_now();
  status.unexpected_replies = inbox_.unexpected();
  status.status_messages = status_messages_;
  status.last_error = last_error_;
  if (!is_connected()) return status;
  status.connected = true;
  status.answering = is_answering();
  status.takes_headers = natsConnection_HasHeaderSupport(session_->connection()) == NATS_OK;
  status.subscribed = proven_ && !refused_ && !draining_;
  status.buffered_bytes = session_->blocked_bytes();
  status.heartbeat_rtt = inbox_.heartbeat().round_trip();
  status.server = session_->server();
  status.server_id = server_id_;
  return status;
}

std::uint64_t Client::Impl::dropped_now() const {
  std::int64_t dropped = 0;
  if (!data_ || natsSubscription_GetDropped(data_.get(), &dropped) != NATS_OK) return 0;
  return static_cast<std::uint64_t>(dropped);
}

void Client::Impl::set_error(std::string error) {
  if (last_error_ == error) return;
  last_error_ = std::move(error);
  notify();
}

// ---- Ending -------------------------------------------------------------------------------------

void Client::Impl::drain(std::function<void()> done) {
  draining_ = true;
  drained_ = std::move(done);
  if (data_ && natsSubscription_DrainTimeout(data_.get(), kDrainTimeoutMs) != NATS_OK) {
    data_.reset();  // the connection has just ended
  }
  after(drain_timer_, kDrainPoll, &Impl::poll_drain);
}

// nats.c says UNSUB and waits for the answer on a thread of its own, while we go on reading.
void Client::Impl::poll_drain() {
  if (!drained_) return;
  if (data_ && is_connected() &&
      natsSubscription_DrainCompletionStatus(data_.get()) == NATS_ILLEGAL_STATE) {
    deliver_messages();
    after(drain_timer_, kDrainPoll, &Impl::poll_drain);
  } else {
    finish_drain();
  }
}

void Client::Impl::finish_drain() {
  data_.reset();
  if (drained_) boost::asio::post(io_, std::exchange(drained_, nullptr));
}

void Client::Impl::close(std::function<void(bool)> done) {
  closing_ = true;
  closed_ = std::move(done);
  if (is_connected()) {
    send_heartbeat();
    flush_number_ = inbox_.heartbeat().last_sent();
  } else if (connector_) {
    connector_->give_up();
  } else {
    finish_close(false);
    return;
  }
  after(timer_, options_.proof_patience, &Impl::close_overdue);
}

void Client::Impl::close_overdue() {
  finish_close(false);
}

void Client::Impl::finish_close(bool flushed) {
  all_arrived_ = flushed;
  abandon();
  if (draining_) finish_drain();
  if (!closed_) return;
  boost::asio::post(io_, [done = std::exchange(closed_, nullptr), flushed] { done(flushed); });
}

void Client::Impl::abandon() {
  closing_ = true;
  timer_.cancel();
  drain_timer_.cancel();
  request_timer_.cancel();
  fence_timer_.cancel();
  connector_.reset();
  drop_session();
}

// ---- The door -----------------------------------------------------------------------------------

Client::Client(boost::asio::io_context& io, ClientOptions options, Callbacks callbacks)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(callbacks))) {}

Client::~Client() {
  impl_->forget_requests();  // who made them may be gone already
  impl_->abandon();
}

void Client::start() {
  impl_->start();
}

PublishResult Client::publish(std::string_view subject, std::string_view payload,
                              std::span<const Header> headers) {
  return impl_->publish(subject, payload, headers);
}

PublishResult Client::request(std::string_view subject, std::string_view payload,
                              std::span<const Header> headers, std::chrono::milliseconds timeout,
                              ReplyHandler on_reply, Life life) {
  return impl_->request(subject, payload, headers, timeout, std::move(on_reply), life);
}

PublishResult Client::repeat(std::uint64_t number, std::string_view subject,
                             std::string_view payload, std::span<const Header> headers, Life life) {
  return impl_->repeat(number, subject, payload, headers, life);
}

PublishResult Client::round_trip(std::chrono::milliseconds timeout, ReplyHandler on_reply) {
  return impl_->round_trip(timeout, std::move(on_reply));
}

Status Client::status() const {
  return impl_->status();
}

void Client::drain(std::function<void()> done) {
  impl_->drain(std::move(done));
}

void Client::close(std::function<void(bool)> done) {
  impl_->close(std::move(done));
}

}  // namespace rts::nats
