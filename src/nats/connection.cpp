#include "nats/connection.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include <rts/trading/stream_plan.hpp>

#include "nats/subjects.hpp"
#include "nats/weakly.hpp"

namespace rts::nats {
namespace {

constexpr std::size_t kMessagesPerCallback = 64;
constexpr std::size_t kUsualMessagesPerRead = 2048;
constexpr auto kHeartbeatDelay = std::chrono::milliseconds(1);  // behind a request
constexpr auto kDrainPoll = std::chrono::milliseconds(1);
constexpr std::int64_t kDrainTimeoutMs = 10'000;
// What the broker refused is asked for again, on a new connection, after so many intervals.
constexpr int kRefusedIntervals = 8;
// Where JetStream awaits the answers to its flow control. No message may make us publish elsewhere.
constexpr std::string_view kFlowControl = "$JS.FC.";
constexpr std::string_view kInboxes = "_INBOX.";

// `'Permissions Violation for Publish to "orders"'` → orders; empty when the text is something
// else. Likewise "for Subscription to".
std::string_view denied_subject(std::string_view complaint,
                                std::string_view before = "for Publish to \"") {
  const std::size_t begin = complaint.find(before);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = complaint.substr(begin + before.size());
  return rest.substr(0, rest.find('"'));
}

std::string server_id_of(natsConnection* connection) {
  std::array<char, 128> id{};  // a public NKey is 56 characters
  if (natsConnection_GetConnectedServerId(connection, id.data(), id.size()) != NATS_OK) return {};
  return id.data();
}

}  // namespace

Connection::Connection(boost::asio::io_context& io, ConnectResult result, ClientState& client,
                       std::function<void(std::string error)> on_end)
    : client_(client),
      on_end_(std::move(on_end)),
      adapter_(std::make_shared<AsioAdapter>(io, std::move(result))),
      inbox_(new_inbox(inbox_prefix(client.options.consumer_name)), client.requests,
             [&client](std::string_view subject) {
               ++client.status.unexpected_replies;
               client.callbacks.on_unexpected_reply(subject);
             }),
      timer_(io),
      server_id_(server_id_of(adapter_->connection())) {
  messages_.reserve(kUsualMessagesPerRead);
}

void Connection::start() {
  adapter_->start(
      {.readable = weakly(this, &Connection::readable), .lost = weakly(this, &Connection::lost)});
  const ClientOptions& options = client_.options;
  const auto subscribe_to_all = [this](const std::vector<std::string>& subjects) {
    return std::ranges::all_of(subjects, [this](const std::string& subject) {
      return subscribe(commands_.emplace_back(), subject);
    });
  };
  // Those first that may be refused: of several refusals at once the last is heard of.
  const bool subscribed = !inbox_.name().empty() && subscribe_to_all(options.optional_subjects) &&
                          subscribe(replies_, inbox_.name() + ".>") &&
                          subscribe_to_all(options.command_subjects);
  if (!subscribed) return fail("subscribing failed");
  if (!options.subscribes_when_told) {
    if (!subscribe_to_data()) fail("subscribing failed");
    return;
  }
  send_heartbeat();
  adapter_->flush();
  set_timer();
}

bool Connection::subscribe_to_data() {
  if (data_heartbeat_ != 0 || drained_ || !open()) return true;
  const ClientOptions& options = client_.options;
  if (!client_.draining && !subscribe(data_, options.subject, options.queue_group)) return false;
  send_heartbeat();
  data_heartbeat_ = inbox_.last_sent();
  adapter_->flush();
  set_timer();
  return true;
}

// To nothing when the subject is empty.
bool Connection::subscribe(SubscriptionPtr& subscription, const std::string& subject,
                           const std::string& queue_group) {
  if (subject.empty()) return true;
  natsSubscription* raw = nullptr;
  natsConnection* const connection = adapter_->connection();
  if (queue_group.empty()) {
    natsConnection_SubscribeSync(&raw, connection, subject.c_str());
  } else {
    natsConnection_QueueSubscribeSync(&raw, connection, subject.c_str(), queue_group.c_str());
  }
  subscription.reset(raw);
  return raw != nullptr;
}

void Connection::describe(Status& status) const {
  status.messages_dropped_by_library += dropped_by_library();
  if (!open()) return;
  status.connected = true;
  status.answering = answering();
  status.takes_headers = natsConnection_HasHeaderSupport(adapter_->connection()) == NATS_OK;
  status.refused = refused_;
  status.hears_commands = hears_commands_ && !refused_;
  status.subscribed = hears_data_ && !refused_ && !client_.draining;
  status.buffered_bytes = adapter_->blocked_bytes();
  status.lame_duck = lame_duck_;
  status.max_payload = natsConnection_GetMaxPayload(adapter_->connection());
  status.server = adapter_->server();
  status.server_id = server_id_;
}

std::uint64_t Connection::dropped_by_library() const {
  std::int64_t dropped = 0;
  if (!data_ || natsSubscription_GetDropped(data_.get(), &dropped) != NATS_OK) return 0;
  return static_cast<std::uint64_t>(dropped);
}

// ---- Receiving ----------------------------------------------------------------------------------

// All that has arrived is taken before any of it is handed out: a publish in a callback may end the
// connection, and with it the lists, but not what had already come.
void Connection::readable() {
  std::vector<MessagePtr> replies;
  std::vector<MessagePtr> commands;
  const std::size_t reply_bytes = take_pending(replies_.get(), replies);
  for (const SubscriptionPtr& subscription : commands_) take_pending(subscription.get(), commands);
  retired_.add_all(messages_, message_bytes_);
  message_bytes_ = take_pending(data_.get(), messages_);
  // First: a pause holds for the frames that came with it.
  for (const MessagePtr& command : commands) {
    if (!take_status(command.get())) client_.callbacks.on_command(command_view_of(command.get()));
  }
  deliver_messages();
  if (open()) check_complaint();
  handle_inbox(replies);
  retired_.add_all(replies, reply_bytes);
}

void Connection::deliver_messages() {
  std::erase_if(messages_,
                [this](const MessagePtr& message) { return take_status(message.get()); });
  std::array<Message, kMessagesPerCallback> views;
  for (std::size_t begin = 0; begin < messages_.size(); begin += views.size()) {
    const std::size_t count = std::min(views.size(), messages_.size() - begin);
    for (std::size_t i = 0; i < count; ++i) views[i] = view_of(messages_[begin + i].get());
    client_.callbacks.on_messages({views.data(), count});
  }
}

// Whether a message is not from a publisher but from a broker, about the subscription: "NATS/1.0
// 100 Idle Heartbeat". A push consumer that is not answered stands still; one that does says where
// it awaits the answer with every heartbeat.
bool Connection::take_status(natsMsg* message) {
  const char* code = "503";
  if (message != nullptr) {
    code = natsMsg_GetDataLength(message) == 0 ? header_of(message, "Status") : nullptr;
  }
  if (code == nullptr) return false;
  ++client_.status.status_messages;
  if (code == std::string_view("100")) {
    for (const char* subject :
         {natsMsg_GetReply(message), header_of(message, "Nats-Consumer-Stalled")}) {
      if (subject != nullptr && std::string_view(subject).starts_with(kFlowControl)) {
        (void)publish({subject, ""});  // if it cannot be sent, it is asked for again
      }
    }
  } else {
    const char* const words = message == nullptr ? nullptr : header_of(message, "Description");
    client_.callbacks.on_status_message(words == nullptr ? code
                                                         : fmt::format("{} {}", code, words));
  }
  return true;
}

void Connection::handle_inbox(const std::vector<MessagePtr>& replies) {
  for (const MessagePtr& reply : replies) {
    if (reply) {
      const Message view = view_of(reply.get());
      inbox_.take(view.subject, view.payload);
    } else {
      inbox_.take_no_responders();
    }
  }
  if (open()) confirm_subscriptions();
}

void Connection::confirm_subscriptions() {
  const std::uint64_t returned = inbox_.last_returned();
  const bool hears_data = data_heartbeat_ != 0 && returned >= data_heartbeat_;
  if (returned == 0 || (hears_commands_ && hears_data == hears_data_)) return;
  hears_commands_ = true;
  hears_data_ = hears_data;
  if (!refused_) client_.status.last_error.clear();
  client_.callbacks.on_status_change();
}

// Errors that do not end the connection, chiefly refused subscriptions, are only told to a callback
// on a library thread; but their text stays with the connection, so the loop can look for itself.
void Connection::check_complaint() {
  const std::string_view text = adapter_->complaint();
  if (text.empty() || complaint_ == text) return;
  complaint_ = text;
  if (complaint_.find("for Subscription") != std::string::npos) {
    const std::string_view subject = denied_subject(complaint_, "for Subscription to \"");
    refused_ = refused_ || std::ranges::count(client_.options.optional_subjects, subject) == 0;
  }
  std::string error = fmt::format("{}: {}", adapter_->server(), complaint_);
  if (client_.status.last_error != error) {
    client_.status.last_error = std::move(error);
    client_.callbacks.on_status_change();
  }
  const std::string subject(denied_subject(complaint_));
  // An answer that somebody has asked for to where we may not publish is his loss.
  if (subject.starts_with(kInboxes) && !subject.starts_with(inbox_.name())) return;
  const bool is_optional =
      std::ranges::any_of(client_.options.optional_subjects,
                          [&](const std::string& optional) { return covers(optional, subject); });
  if (refused_ || (!subject.empty() && !is_optional)) {
    const auto pause = kRefusedIntervals * client_.options.heartbeat_interval;
    ask_again_at_ = std::min(ask_again_at_, Clock::now() + pause);
  }
  if (subject.empty()) return;
  // The same words said again could not be told apart: one denial holds until the next connection,
  // which is not far, but for what is optional.
  denied_.push_back(subject);
  client_.requests.deny(subject);
}

// ---- Watching the path to the broker ------------------------------------------------------------

// One that could not be sent is awaited as well: where none leaves, the connection has to end.
bool Connection::send_heartbeat() {
  const auto now = Clock::now();
  heartbeat_at_ = now + client_.options.heartbeat_interval;
  const std::string subject = inbox_.next_heartbeat();
  inbox_.heartbeat_sent(now);
  return natsConnection_Publish(adapter_->connection(), subject.c_str(), "", 0) == NATS_OK;
}

void Connection::set_timer() {
  const auto reply = client_.requests.next_deadline().value_or(Clock::time_point::max());
  call_at(timer_, std::min({heartbeat_at_, reply, inbox_.first_arrival()}), this, &Connection::due);
}

// Not later than at that time.
void Connection::set_timer(Clock::time_point at) {
  if (timer_.expiry() > at) call_at(timer_, at, this, &Connection::due);
}

void Connection::due() {
  const auto now = Clock::now();
  client_.requests.expire(now);
  if (drained_ && open()) check_drained();
  if (!open()) return;
  // Most often all have arrived long since. What has not is cut off here, or it would arrive
  // whenever the path goes on.
  if (inbox_.first_arrival() <= now) {
    return fail("a message is not known to have arrived within its life");
  }
  const auto unanswered = inbox_.unanswered_for(now);
  if (unanswered >= client_.options.reconnect_timeout) {
    return fail(fmt::format("no heartbeat has come back for {} ms", unanswered.count()));
  }
  if (ask_again_at_ <= now) return fail(refused_ ? "subscription refused" : "publishing refused");
  if (heartbeat_at_ <= now) {
    send_heartbeat();
    adapter_->flush();
    if (!lame_duck_ && adapter_->lame_duck()) {
      lame_duck_ = true;
      client_.callbacks.on_status_change();
    }
  }
  set_timer();
  if (drained_) set_timer(now + kDrainPoll);
}

void Connection::fail(std::string_view reason) {
  std::string error = fmt::format("{}: {}", adapter_->server(), reason);
  if (!complaint_.empty()) error += fmt::format(" ({})", complaint_);
  on_end_(std::move(error));
}

// nats.c has closed the connection: the peer is gone, or the broker has sent us away.
void Connection::lost() {
  const std::string_view text = adapter_->complaint();
  on_end_(fmt::format("{}: {}", adapter_->server(), text.empty() ? "connection lost" : text));
}

// ---- Sending ------------------------------------------------------------------------------------

bool Connection::answering() const {
  return open() && inbox_.unanswered_for(Clock::now()) < client_.options.heartbeat_timeout;
}

std::optional<PublishResult> Connection::obstacle(std::string_view subject,
                                                  std::size_t bytes) const {
  if (!answering()) return PublishResult::disconnected;
  if (!valid_subject(subject)) return PublishResult::failed;
  if (std::find(denied_.begin(), denied_.end(), subject) != denied_.end()) {
    return PublishResult::denied;
  }
  if (adapter_->blocked_bytes() + bytes > client_.options.max_buffered_bytes) {
    return PublishResult::buffer_full;
  }
  return {};
}

// Gives a message to nats.c, which writes it when it is flushed.
PublishResult Connection::enqueue(const Outgoing& message, const std::string& reply_to) {
  MessagePtr built = build_message(message, reply_to);
  if (!built) return PublishResult::failed;
  const natsStatus status = natsConnection_PublishMsg(adapter_->connection(), built.get());
  retired_.add(std::move(built), wire_size(message));
  if (status == NATS_CONNECTION_CLOSED) return PublishResult::disconnected;
  return status == NATS_OK ? PublishResult::sent : PublishResult::failed;
}

PublishResult Connection::write(const Outgoing& message, const std::string& reply_to) {
  const PublishResult enqueued = enqueue(message, reply_to);
  if (enqueued != PublishResult::sent) return enqueued;
  adapter_->flush();
  return open() ? PublishResult::sent : PublishResult::disconnected;
}

PublishResult Connection::publish(const Outgoing& message) {
  const auto problem = obstacle(message.subject, wire_size(message));
  return problem ? *problem : write(message);
}

PublishResult Connection::request(const Outgoing& message, Milliseconds timeout,
                                  ReplyHandler on_reply, Milliseconds arrive_within) {
  if (client_.requests.size() >= client_.options.max_requests) return PublishResult::buffer_full;
  return await(message.subject, timeout, std::move(on_reply),
               [&](std::uint64_t number) { return send_request(number, message, arrive_within); });
}

PublishResult Connection::repeat(std::uint64_t number, const Outgoing& message,
                                 Milliseconds arrive_within) {
  const PublishResult result = send_request(number, message, arrive_within);
  if (result == PublishResult::sent) client_.requests.renew(number, Clock::now());
  return result;
}

PublishResult Connection::round_trip(Milliseconds timeout, ReplyHandler on_reply) {
  if (client_.requests.size() >= client_.options.max_requests) return PublishResult::buffer_full;
  const auto problem = obstacle(inbox_.name(), wire_size({inbox_.name(), ""}));
  return problem ? *problem : flush(timeout, std::move(on_reply));
}

PublishResult Connection::flush(Milliseconds timeout, ReplyHandler on_reply) {
  return await("", timeout, std::move(on_reply), [this](std::uint64_t number) {
    if (inbox_.heartbeat_has_to_follow()) send_heartbeat();
    return write({inbox_.reply_subject(number), ""});
  });
}

// A request is on the table before it is on the wire; what was not sent is taken back.
template <typename Send>
PublishResult Connection::await(std::string_view subject, Milliseconds timeout,
                                ReplyHandler on_reply, Send send) {
  Requests& requests = client_.requests;
  const auto now = Clock::now();
  const std::uint64_t number = requests.add(subject, now, timeout, std::move(on_reply));
  const PublishResult result = send(number);
  if (result == PublishResult::sent) {
    set_timer(now + timeout);
  } else {
    requests.forget(number);
  }
  return result;
}

// The heartbeat behind it leaves a moment later, or right before the next request: the broker
// answers the two together, and would often wake us for the heartbeat before it hands the request
// on.
PublishResult Connection::send_request(std::uint64_t number, const Outgoing& message,
                                       Milliseconds within) {
  const std::size_t heartbeat_bytes = wire_size({inbox_.name(), ""});
  const auto problem = obstacle(message.subject, wire_size(message) + heartbeat_bytes);
  if (problem) return *problem;
  const auto now = Clock::now();
  if (inbox_.unconfirmed_for(now) >= within) return PublishResult::unproven;
  if (inbox_.unanswered() >= client_.options.max_requests) return PublishResult::buffer_full;
  // Else the one before would be told what the broker says of this one.
  if (inbox_.heartbeat_has_to_follow() && !send_heartbeat()) return PublishResult::failed;
  const PublishResult result = write(message, inbox_.reply_subject(number));
  if (result != PublishResult::sent) return result;
  inbox_.request_sent(number, now, within == kUnlimited ? Clock::time_point::max() : now + within);
  heartbeat_at_ = std::min(heartbeat_at_, now + kHeartbeatDelay);
  set_timer(heartbeat_at_);
  return result;
}

// ---- Ending -------------------------------------------------------------------------------------

void Connection::drain(std::function<void()> done) {
  drained_ = std::move(done);
  if (data_ && natsSubscription_DrainTimeout(data_.get(), kDrainTimeoutMs) != NATS_OK) {
    data_.reset();  // the connection has just ended
  }
  set_timer(Clock::now() + kDrainPoll);
}

// nats.c says UNSUB and waits for the answer on a thread of its own, while we go on reading.
void Connection::check_drained() {
  if (data_ && natsSubscription_DrainCompletionStatus(data_.get()) == NATS_ILLEGAL_STATE) {
    return readable();
  }
  data_.reset();
  std::exchange(drained_, nullptr)();
}

}  // namespace rts::nats
