// From our options to a connection, and what goes wrong on the way. Private to this room; helper
// threads only: files are read, and it takes as long as it takes.
#pragma once

#include "nats/adapter.hpp"
#include "nats/sockets.hpp"
#include "nats/types.hpp"

namespace rts::nats {

// Connects to one address with url, name, credentials (their files read now), TLS and time-outs.
// The connection neither reconnects nor pings by itself. The error says the server and why not: the
// name of a setting or what the broker says, never a secret or a path.
ConnectResult dial(const ClientOptions& ours, const Endpoint& endpoint);

}  // namespace rts::nats
