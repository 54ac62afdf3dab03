// The four callbacks by which nats.c asks an event loop to watch a socket. Private to this room.
//
// nats.c calls them with the connection's lock held and on whatever thread it is working in: attach
// on the connecting one, the others on the loop thread or, while a subscription drains, on a thread
// of its own. So they record and post, nothing else. After the connection is closed none comes.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "nats/handles.hpp"

namespace rts::nats {

// Where the callbacks record. Must outlive the connection it is given to.
struct Link {
  // A duplicate of the connection's socket, ours to close: nats.c 3.4.1 closes its own whenever it
  // likes. 3.9.2 and later leave that to us, and it is done when they detach.
  UniqueFd socket;
  natsConnection* connection = nullptr;
  natsSock library_socket = -1;
  std::atomic<bool> write_wanted = false;
  std::atomic<bool> detached = false;

  // Set by the loop thread before it uses the connection. `wake` is for requests from elsewhere.
  std::thread::id loop_thread;
  std::function<void()> wake;
};

// Makes connections from these options report to link.
natsStatus attach_to(natsOptions* options, Link& link);

}  // namespace rts::nats
