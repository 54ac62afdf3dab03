// From a server url to addresses that can be dialled. Private to this room; any thread.
//
// We resolve names ourselves and give nats.c numbers: its own look-up could not be abandoned, and
// the watchdog has to know which addresses an attempt may be talking to (sockets.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

namespace rts::nats {

// nats://[user[:password]@]host[:port], tls:// likewise, or without a scheme. A user without a
// password is a token. %XX in the userinfo is decoded.
struct Url {
  bool tls = false;
  std::string user;                     // secret
  std::optional<std::string> password;  // secret
  std::string host;                     // without the brackets of an IPv6 address
  std::uint16_t port = 4222;

  // What may be shown: scheme, host and port.
  std::string display() const;
};

// Empty when text is not such a url.
std::optional<Url> parse_url(std::string_view text);

struct Endpoint {
  Url url;
  sockaddr_storage address{};
  std::string numeric_host;  // as nats.c wants it in a url: IPv6 in brackets
};

// Every stream address of the url's host; empty when it does not resolve. Blocks for as long as the
// resolver does: helper threads only.
std::vector<Endpoint> resolve(const Url& url);

bool same_address(const sockaddr_storage& a, const sockaddr_storage& b);

}  // namespace rts::nats
