#include "nats/client.hpp"

#include <algorithm>
#include <cassert>
#include <random>
#include <utility>

#include <boost/asio/post.hpp>

#include "nats/connection.hpp"
#include "nats/connector.hpp"
#include "nats/weakly.hpp"

namespace rts::nats {
namespace {

// How soon it is seen that a round of attempts has ended: at once at first, then ever less often.
constexpr std::chrono::milliseconds kMinConnectPoll{2};
constexpr std::chrono::milliseconds kMaxConnectPoll{100};

}  // namespace

// Connecting and backing off until there is a connection; when it is lost, backing off again;
// closed in the end. One of connector_, connection_ and the armed timer_ is what moves it on.
class Client::Impl : public std::enable_shared_from_this<Impl> {
 public:
  using Clock = std::chrono::steady_clock;

  Impl(boost::asio::io_context& io, ClientOptions options, ClientCallbacks callbacks)
      : state_{std::move(options), std::move(callbacks)},
        io_(io),
        random_(std::random_device{}()),
        timer_(io) {
    assert(state_.options.heartbeat_interval.count() > 0 && state_.options.max_requests > 0);
    assert(state_.options.backoff_min.count() > 0 && state_.options.connect_timeout.count() > 0);
    assert(state_.options.command_subjects.empty() || state_.callbacks.on_command);
  }

  // Null when there is nothing to publish on.
  Connection* usable() const { return closing_ ? nullptr : connection_.get(); }

  Status status() const {
    Status status = state_.status;
    if (connection_) connection_->describe(status);
    return status;
  }

  // ---- Connecting

  void connect() {
    if (closing_) return;
    assert(!connector_ && !connection_);
    connector_ = std::make_unique<Connector>(state_.options, std::exchange(avoided_, {}));
    connecting_since_ = Clock::now();
    call_after(timer_, kMinConnectPoll, this, &Impl::poll_connector);
  }

  void poll_connector() {
    if (!connector_) return;
    if (auto result = connector_->poll()) {
      connector_.reset();
      return connect_done(std::move(*result));
    }
    const auto delay = std::clamp<Clock::duration>((Clock::now() - connecting_since_) / 4,
                                                   kMinConnectPoll, kMaxConnectPoll);
    call_after(timer_, delay, this, &Impl::poll_connector);
  }

  void connect_done(ConnectResult result) {
    if (!result.connection) {
      back_off();
      if (state_.status.last_error == result.error) return;
      state_.status.last_error = std::move(result.error);
      return state_.callbacks.on_status_change();
    }
    if (std::exchange(was_connected_, true)) ++state_.status.reconnects;
    connection_ = std::make_shared<Connection>(io_, std::move(result), state_,
                                               weakly(this, &Impl::connection_ended));
    const auto kept = connection_;  // it may end, and be let go, while it starts
    kept->start();
    if (connection_) state_.callbacks.on_status_change();
  }

  void back_off() {
    const ClientOptions& options = state_.options;
    auto limit = options.backoff_min;
    for (int i = 0; i < failed_rounds_ && limit < options.backoff_max; ++i) limit += limit / 10;
    limit = std::min(limit, options.backoff_max);
    ++failed_rounds_;
    const auto jittered =
        std::uniform_int_distribution<std::int64_t>(limit.count() / 2, limit.count())(random_);
    call_after(timer_, std::chrono::milliseconds(jittered), this, &Impl::connect);
  }

  // The one path after every connection, however it ended.
  void connection_ended(std::string error) {
    if (!connection_) return;
    if (connection_->heard()) failed_rounds_ = 0;
    drop_connection();
    finish_drain();
    if (closing_) return finish_close(false);
    if (avoided_ == Address()) {
      back_off();
    } else {
      connect();
    }
    state_.status.last_error = std::move(error);
    state_.callbacks.on_status_change();
  }

  // The handlers of its requests are told, and find no connection any more.
  void drop_connection() {
    if (!connection_) return;
    const auto connection = std::exchange(connection_, nullptr);
    state_.status.messages_dropped_by_library += connection->dropped_by_library();
    connection->cut();
    state_.requests.end_all(Reply::Kind::connection_lost);
  }

  void move_on(std::string reason) {
    if (!connection_ || closing_ || state_.draining || !connection_->has_alternative()) return;
    avoided_ = connection_->address();
    connection_->drain([this, reason = std::move(reason), connection = connection_.get()] {
      if (connection == connection_.get()) connection_ended(reason);
    });
  }

  // ---- Ending

  void drain(std::function<void()> done) {
    assert(!state_.draining && !closing_);
    state_.draining = true;
    drained_ = std::move(done);
    if (!connection_) return finish_drain();
    connection_->drain(weakly(this, &Impl::finish_drain));
  }

  void finish_drain() {
    if (drained_) boost::asio::post(io_, std::exchange(drained_, nullptr));
  }

  void close(std::function<void(bool)> done) {
    assert(!closing_);
    closing_ = true;
    closed_ = std::move(done);
    if (!connection_) return finish_close(false);
    const auto result =
        connection_->flush(state_.options.heartbeat_timeout, [this](const Reply& reply) {
          const bool flushed = reply.kind == Reply::Kind::answered;
          if (flushed) connection_->close();
          finish_close(flushed);
          return AfterReply::done;
        });
    if (result != PublishResult::sent) finish_close(false);
  }

  void finish_close(bool flushed) {
    abandon();
    finish_drain();
    if (!closed_) return;
    boost::asio::post(io_, [done = std::exchange(closed_, nullptr), flushed] { done(flushed); });
  }

  void abandon() {
    closing_ = true;
    timer_.cancel();
    connector_.reset();
    drop_connection();
  }

  // Drops the requests without telling those who made them, who may be gone.
  void forget_requests() { state_.requests = {}; }

 private:
  ClientState state_;
  boost::asio::io_context& io_;
  std::minstd_rand random_;
  boost::asio::steady_timer timer_;  // the next look at the connector, or the end of the back-off

  std::unique_ptr<Connector> connector_;
  Clock::time_point connecting_since_{};
  int failed_rounds_ = 0;
  std::shared_ptr<Connection> connection_;
  bool was_connected_ = false;
  Address avoided_;  // in the next round the last to be tried

  std::function<void()> drained_;
  bool closing_ = false;
  std::function<void(bool)> closed_;
};

Client::Client(boost::asio::io_context& io, ClientOptions options, Callbacks callbacks)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(callbacks))) {}

Client::~Client() {
  impl_->forget_requests();
  impl_->abandon();
}

void Client::start() { impl_->connect(); }

void Client::subscribe() {
  // Where it fails the connection has ended, which it will tell.
  if (Connection* const connection = impl_->usable()) (void)connection->subscribe_to_data();
}

PublishResult Client::publish(const Outgoing& message) {
  Connection* const connection = impl_->usable();
  return connection == nullptr ? PublishResult::disconnected : connection->publish(message);
}

PublishResult Client::request(const Outgoing& message, std::chrono::milliseconds timeout,
                              ReplyHandler on_reply, std::chrono::milliseconds arrive_within) {
  Connection* const connection = impl_->usable();
  if (connection == nullptr) return PublishResult::disconnected;
  return connection->request(message, timeout, std::move(on_reply), arrive_within);
}

PublishResult Client::repeat(std::uint64_t number, const Outgoing& message,
                             std::chrono::milliseconds arrive_within) {
  assert(number != 0);
  Connection* const connection = impl_->usable();
  if (connection == nullptr) return PublishResult::disconnected;
  return connection->repeat(number, message, arrive_within);
}

PublishResult Client::round_trip(std::chrono::milliseconds timeout, ReplyHandler on_reply) {
  Connection* const connection = impl_->usable();
  if (connection == nullptr) return PublishResult::disconnected;
  return connection->round_trip(timeout, std::move(on_reply));
}

Status Client::status() const { return impl_->status(); }

void Client::move_on(std::string_view reason) { impl_->move_on(std::string(reason)); }

void Client::drain(std::function<void()> done) { impl_->drain(std::move(done)); }

void Client::close(std::function<void(bool)> done) { impl_->close(std::move(done)); }

}  // namespace rts::nats
