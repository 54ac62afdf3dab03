#include "nats/session.hpp"

#include <thread>
#include <utility>

#include <boost/asio/post.hpp>
#include <sys/socket.h>

#include "nats/sockets.hpp"

namespace rts::nats {

using boost::system::error_code;

Session::Session(boost::asio::io_context& io, Outcome outcome, Events events)
    : io_(io),
      link_(std::move(outcome.link)),
      connection_(std::move(outcome.connection)),
      server_(std::move(outcome.server)),
      events_(std::move(events)),
      socket_(io) {}

Session::~Session() {
  cut();
}

void Session::start() {
  link_->loop_thread = std::this_thread::get_id();
  // nats.c holds the connection's lock here and the connection is open, hence so is the loop.
  link_->wake = [&io = io_, weak = weak_from_this()] {
    boost::asio::post(io, [weak] {
      if (const auto self = weak.lock()) self->flush();
    });
  };
  set_nonblocking(link_->socket.get(), true);  // the watchdog may have slowed it down
  socket_.assign(link_->socket.release());
  wait_readable(1);
}

std::size_t Session::blocked_bytes() const {
  if (!blocked_) return 0;
  const int bytes = natsConnection_Buffered(connection_.get());
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Session::wait_readable(int bytes) {
  if (bytes != readable_at_) set_readable_at(socket_.native_handle(), bytes);
  readable_at_ = bytes;
  socket_.async_wait(socket_.wait_read, [self = shared_from_this()](error_code error) {
    if (error || !self->open_) return;
    // When what is wanted has been waited for and is not there, the stream has ended.
    if (const int wanted = self->bytes_wanted(); wanted > self->readable_at_) {
      self->wait_readable(wanted);
      return;
    }
    natsConnection_ProcessReadEvent(self->connection_.get());
    self->events_.readable();
    self->flush();  // answers to the broker's pings
    if (self->open_) self->wait_readable(1);
  });
}

// How many bytes have to be there before nats.c may read; 0: what is there will do. Of a TLS record
// that is not whole it would wait for the rest, on this thread and without a deadline.
int Session::bytes_wanted() {
  const int fd = socket_.native_handle();
  if (!tls_) tls_ = begins_tls_record(fd);
  return tls_.value_or(false) ? bytes_of_partial_tls_record(fd) : 0;
}

void Session::wait_writable() {
  blocked_ = true;
  socket_.async_wait(socket_.wait_write, [self = shared_from_this()](error_code error) {
    self->blocked_ = false;
    if (!error) self->flush();
  });
}

void Session::flush() {
  if (open_ && !blocked_ && !link_->detached && link_->write_wanted) {
    // With TLS nats.c would wait inside for room, on this thread, until the connection breaks.
    const bool waits = tls_.value_or(true) && !is_writable(socket_.native_handle());
    if (!waits) natsConnection_ProcessWriteEvent(connection_.get());
    if (!link_->detached && link_->write_wanted) wait_writable();
  }
  lose_if_detached();
}

void Session::lose_if_detached() {
  if (!open_ || !link_->detached) return;
  open_ = false;
  error_code ignored;
  socket_.close(ignored);
  boost::asio::post(io_, [self = shared_from_this()] {
    if (!self->silent_) self->events_.lost();
  });
}

void Session::close() {
  if (socket_.is_open()) deliver_after_close(socket_.native_handle());
  end();
}

void Session::cut() {
  if (socket_.is_open()) discard_unsent(socket_.native_handle());
  end();
}

void Session::end() {
  silent_ = true;
  if (!open_) return;
  open_ = false;
  if (socket_.is_open()) ::shutdown(socket_.native_handle(), SHUT_RDWR);
  // The failing write makes nats.c close by itself, which never waits.
  natsConnection_ProcessWriteEvent(connection_.get());
  if (!link_->detached) natsConnection_ProcessReadEvent(connection_.get());
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace rts::nats
