// The url of one broker as a value. What NATS_URL accepts and what is dialled is decided here once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rts/base/secret.hpp>

namespace rts::config {

// nats://[user[:password]@]host[:port], tls:// likewise, or without a scheme.
struct BrokerUrl {
  bool tls = false;
  std::optional<Secret> user;      // a token when there is no password; %XX is decoded
  std::optional<Secret> password;  // may be empty
  std::string host;                // without the brackets of an IPv6 address
  std::uint16_t port = 4222;

  // What may be shown: scheme, host and port.
  [[nodiscard]] std::string display() const;
};

// Nothing when the text is not such a url: it is not known then what of it is a password, so it
// must not be shown.
[[nodiscard]] std::optional<BrokerUrl> parse_broker_url(std::string_view text);

// Whether a user, password or token may be sent: nats.c writes them into the handshake's JSON as
// they are, so what would end a string there is refused, and so are control characters.
[[nodiscard]] bool is_handshake_text(std::string_view text) noexcept;

// "nats://user:pass@host:4222" → "nats://***@host:4222"; of a comma list each item. Whatever the
// text is, nothing before an item's last '@' is shown but its scheme.
[[nodiscard]] std::string without_userinfo(std::string_view urls);

}  // namespace rts::config
