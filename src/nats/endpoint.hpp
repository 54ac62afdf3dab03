// From a broker's url to addresses that can be dialled. Private to this room; any thread.
//
// We resolve names ourselves and give nats.c numbers: its own look-up could not be abandoned, and
// the watchdog has to know which addresses an attempt may be talking to (sockets.hpp).
#pragma once

#include <string>
#include <vector>

#include <sys/socket.h>

#include <rts/config/broker_url.hpp>

namespace rts::nats {

struct Endpoint {
  config::BrokerUrl url;
  sockaddr_storage address{};
  std::string numeric_host;  // as nats.c wants it in a url: IPv6 in brackets
};

// Every stream address of the url's host; empty when it does not resolve. Blocks for as long as the
// resolver does: helper threads only.
std::vector<Endpoint> resolve(const config::BrokerUrl& url);

// Every address of all urls, in their order. `error` becomes why the last url that gave none did
// not.
std::vector<Endpoint> resolve_all(const std::vector<Secret>& urls, std::string& error);

bool same_address(const sockaddr_storage& a, const sockaddr_storage& b);

}  // namespace rts::nats
