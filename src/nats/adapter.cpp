#include "nats/adapter.hpp"

#include <array>
#include <cassert>
#include <mutex>
#include <set>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "nats/sockets.hpp"

namespace rts::nats {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

// TLS, RFC 8446 §5.1: a byte for the type, two for the version, two for the length of the rest.
// NATS itself begins with a letter.
constexpr std::size_t kRecordHeaderBytes = 5;
constexpr unsigned char kFirstRecordType = 20;  // change_cipher_spec
constexpr unsigned char kLastRecordType = 23;   // application_data

natsStatus on_attach(void** user_data, void* loop, natsConnection* connection, natsSock socket) {
  auto* link = static_cast<Link*>(loop);
  link->connection = connection;
  link->library_socket = socket;
  link->socket = UniqueFd(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
  *user_data = link;
  return link->socket && tune_socket(link->socket.get()) ? NATS_OK : NATS_SYS_ERROR;
}

// Only ever asks to stop reading: attaching means to start, and detaching follows at once.
natsStatus on_read(void*, bool) { return NATS_OK; }

natsStatus on_write(void* user_data, bool wanted) {
  auto* link = static_cast<Link*>(user_data);
  link->write_wanted = wanted;
  if (wanted && link->wake && std::this_thread::get_id() != link->loop_thread) link->wake();
  return NATS_OK;
}

natsStatus on_detach(void* user_data) {
  auto* link = static_cast<Link*>(user_data);
#if NATS_VERSION_NUMBER >= 0x030902
  natsConnection_ProcessCloseEvent(&link->library_socket);
#endif
#if NATS_VERSION_NUMBER >= 0x030B00
  natsConnection_ProcessDetachedEvent(link->connection);
#endif
  link->detached = true;  // last: the loop may then free the link
  return NATS_OK;
}

// The connections whose brokers will shut down. nats.c tells it on a thread of its own, when the
// connection may be gone: so all that it is given is a number.
struct LameDucks {
  std::mutex mutex;
  std::set<std::uintptr_t> numbers;
};
LameDucks& lame_ducks() {
  static LameDucks all;
  return all;
}

void on_lame_duck(natsConnection*, void* number) {
  const std::scoped_lock lock(lame_ducks().mutex);
  lame_ducks().numbers.insert(reinterpret_cast<std::uintptr_t>(number));
}

// Whether the socket takes more: at least a third of its buffer is free.
bool is_writable(int fd) {
  pollfd descriptor{fd, POLLOUT, 0};
  return ::poll(&descriptor, 1, 0) == 1;
}

}  // namespace

natsStatus attach_to(natsOptions* options, Link& link) {
  // It is a number that comes back, and points to nothing.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  natsOptions_SetLameDuckModeCB(options, on_lame_duck, reinterpret_cast<void*>(link.number));
  return natsOptions_SetEventLoop(options, &link, on_attach, on_read, on_write, on_detach);
}

AsioAdapter::AsioAdapter(boost::asio::io_context& io, ConnectResult result)
    : io_(io), result_(std::move(result)), link_(*result_.link), socket_(io) {
  assert(result_.connection);
}

AsioAdapter::~AsioAdapter() {
  cut();
  const std::scoped_lock lock(lame_ducks().mutex);
  lame_ducks().numbers.erase(link_.number);
}

void AsioAdapter::start(Events events) {
  events_ = std::move(events);
  link_.loop_thread = std::this_thread::get_id();
  // nats.c holds the connection's lock here and the connection is open, hence so is the loop.
  link_.wake = [&io = io_, weak = weak_from_this()] {
    boost::asio::post(io, [weak] {
      if (const auto self = weak.lock()) self->flush();
    });
  };
  socket_.assign(tcp::v4(), link_.socket.release());  // which version of IP does not matter here
  socket_.non_blocking(true);                         // the watchdog may have slowed it down
  wait_readable(1);
}

std::size_t AsioAdapter::blocked_bytes() const {
  const int bytes = blocked_ ? natsConnection_Buffered(connection()) : 0;
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::string_view AsioAdapter::complaint() const {
  const char* text = nullptr;
  if (natsConnection_GetLastError(connection(), &text) == NATS_OK || text == nullptr) return {};
  return text;
}

bool AsioAdapter::lame_duck() const {
  const std::scoped_lock lock(lame_ducks().mutex);
  return lame_ducks().numbers.contains(link_.number);
}

void AsioAdapter::wait_readable(int bytes) {
  error_code ignored;
  if (bytes != readable_at_) socket_.set_option(tcp::socket::receive_low_watermark(bytes), ignored);
  readable_at_ = bytes;
  socket_.async_wait(socket_.wait_read, [self = shared_from_this()](error_code error) {
    if (error || !self->open_) return;
    // When what is wanted has been waited for and is not there, the stream has ended.
    if (const int wanted = self->bytes_wanted(); wanted > self->readable_at_) {
      self->wait_readable(wanted);
      return;
    }
    natsConnection_ProcessReadEvent(self->connection());
    self->events_.readable();
    self->flush();  // answers to the broker's pings
    if (self->open_) self->wait_readable(1);
  });
}

// How many bytes have to be there before nats.c may read; 0: what is there will do. Of a TLS record
// that is not whole it would wait for the rest, on this thread and without a deadline.
int AsioAdapter::bytes_wanted() {
  if (tls_ == false) return 0;
  std::array<unsigned char, kRecordHeaderBytes> header{};
  error_code ignored;
  const std::size_t there =
      socket_.receive(boost::asio::buffer(header), tcp::socket::message_peek, ignored);
  if (!tls_ && there > 0) tls_ = header[0] >= kFirstRecordType && header[0] <= kLastRecordType;
  if (!tls_.value_or(false)) return 0;
  if (there < kRecordHeaderBytes) return kRecordHeaderBytes;
  const std::size_t record = kRecordHeaderBytes + (std::size_t{header[3]} << 8U) + header[4];
  return socket_.available(ignored) >= record ? 0 : static_cast<int>(record);
}

void AsioAdapter::wait_writable() {
  blocked_ = true;
  socket_.async_wait(socket_.wait_write, [self = shared_from_this()](error_code error) {
    self->blocked_ = false;
    if (!error) self->flush();
  });
}

void AsioAdapter::flush() {
  if (open_ && !blocked_ && !link_.detached && link_.write_wanted) {
    // With TLS nats.c would wait inside for room, on this thread, until the connection breaks.
    const bool waits = tls_.value_or(true) && !is_writable(socket_.native_handle());
    if (!waits) natsConnection_ProcessWriteEvent(connection());
    if (!link_.detached && link_.write_wanted) wait_writable();
  }
  lose_if_detached();
}

void AsioAdapter::lose_if_detached() {
  if (!open_ || !link_.detached) return;
  open_ = false;
  error_code ignored;
  socket_.close(ignored);
  boost::asio::post(io_, [self = shared_from_this()] {
    if (!self->silent_) self->events_.lost();
  });
}

void AsioAdapter::close() {
  if (socket_.is_open()) deliver_after_close(socket_.native_handle());
  end();
}

void AsioAdapter::cut() {
  if (socket_.is_open()) discard_unsent(socket_.native_handle());
  end();
}

void AsioAdapter::end() {
  silent_ = true;
  if (!open_) return;
  open_ = false;
  if (socket_.is_open()) ::shutdown(socket_.native_handle(), SHUT_RDWR);
  // The failing write makes nats.c close by itself, which never waits.
  natsConnection_ProcessWriteEvent(connection());
  if (!link_.detached) natsConnection_ProcessReadEvent(connection());
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace rts::nats
