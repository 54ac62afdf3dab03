// Addresses of brokers, and what the kernel knows about our TCP sockets to them. Private to this
// room; any thread.
//
// nats.c 3.4.1 hands a connection's socket out only after the handshake, and a broker that goes
// silent inside the handshake makes it spin for ever on a socket that we have no name for. So we
// ask the kernel: a socket of this process that talks to an address of the attempt and has not been
// tuned is the attempt's. (In a process with two Clients on one broker a hung attempt may also cut
// one that the other is just making; it tries again.)
//
// We resolve names ourselves and give nats.c numbers: its own look-up could not be abandoned, and
// it has to be known which addresses an attempt may be talking to.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include <rts/config/broker_url.hpp>

namespace rts::nats {

struct Endpoint {
  config::BrokerUrl url;
  boost::asio::ip::tcp::endpoint address;
};

// Every address of all urls, in their order. `error` becomes why the last url that gave none did
// not. Blocks for as long as the resolver does: helper threads only.
std::vector<Endpoint> resolve(const std::vector<Secret>& urls, std::string& error);

// Of the sockets of this process that are in a handshake with one of the endpoints: makes reads
// wait for bytes, 100 ms at a time, where they answered "nothing there yet". nats.c then idles
// where it would spin a core. Who goes on to use the connection sets O_NONBLOCK again.
void slow_down_attempts(std::span<const Endpoint> endpoints);

// The same sockets: shuts them down, both ways; reads on them return at once.
void shut_down_attempts(std::span<const Endpoint> endpoints);

// Marks the socket as one whose handshake is over, and: no delay; a peer that acknowledges nothing
// for 2 s, or is silent for 4 s, is an error; when it is closed, also by the end of the process,
// what has not got through is thrown away. Without it the kernel would deliver stale orders after a
// partition heals. False when the kernel refuses.
bool tune_socket(int fd);

// After a close the kernel still delivers what it has.
void deliver_after_close(int fd);

// Throws away what the kernel has not got through, and resets the connection: not even a path that
// heals right then delivers any of it. The descriptors stay open.
void discard_unsent(int fd);

}  // namespace rts::nats
