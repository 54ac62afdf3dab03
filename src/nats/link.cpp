#include "nats/link.hpp"

#include <fcntl.h>

#include "nats/sockets.hpp"

namespace rts::nats {
namespace {

natsStatus on_attach(void** user_data, void* loop, natsConnection* connection, natsSock socket) {
  auto* link = static_cast<Link*>(loop);
  link->connection = connection;
  link->library_socket = socket;
  link->socket = UniqueFd(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
  *user_data = link;
  return link->socket && tune_socket(link->socket.get()) ? NATS_OK : NATS_SYS_ERROR;
}

// Only ever asks to stop reading: attaching means to start, and detaching follows at once.
natsStatus on_read(void*, bool) {
  return NATS_OK;
}

natsStatus on_write(void* user_data, bool wanted) {
  auto* link = static_cast<Link*>(user_data);
  link->write_wanted = wanted;
  if (wanted && std::this_thread::get_id() != link->loop_thread) link->wake();
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

}  // namespace

natsStatus attach_to(natsOptions* options, Link& link) {
  return natsOptions_SetEventLoop(options, &link, on_attach, on_read, on_write, on_detach);
}

}  // namespace rts::nats
