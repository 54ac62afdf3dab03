// From our options to a connection, and what goes wrong on the way. Private to this room; helper
// threads only: files are read, and it takes as long as it takes.
#pragma once

#include <string>
#include <string_view>

#include <rts/base/result.hpp>

#include "nats/client.hpp"
#include "nats/endpoint.hpp"
#include "nats/handles.hpp"
#include "nats/link.hpp"

namespace rts::nats {

// Connects to one address with url, name, credentials (their files read now), TLS and time-outs.
// The connection neither reconnects nor pings by itself; it reports to link, or is driven by
// nats.c's own threads when that is null. The error says why not: the name of a setting or what the
// broker says, never a secret or a path.
Result<ConnectionPtr, std::string> dial(const ClientOptions& ours, const Endpoint& endpoint,
                                        Link* link);

// What the broker has complained of last on this connection; empty when of nothing. Refused
// subjects come by this way only. Lives until the next complaint. Any thread.
std::string_view complaint(natsConnection* connection);

// The id that the broker has given itself when it started; empty when it has not said one. Loop
// thread.
std::string server_id(natsConnection* connection);

}  // namespace rts::nats
