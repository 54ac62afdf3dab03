// What the shell is told: where the broker is, where probes are answered, what is logged. Values
// that the settings table points into and that the shell's rooms take as they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rts/base/enum_names.hpp>
#include <rts/base/secret.hpp>

namespace rts::config {

// Who we are to the broker and how we know that it is the broker. Every text may be empty; at most
// one of user with password, token, creds and seed is set. Files are read anew for each connection,
// so that what is replaced there is used by the next one.
struct Credentials {
  struct Text {
    Secret value;
    Secret file;  // its path, instead of the value
  };
  Text user, password, token;
  Secret creds_file;      // user JWT and seed
  Secret nkey_seed_file;  // user seed
  // Any of these forces TLS on every connection.
  Secret tls_ca_file;  // besides the system's authorities
  Secret tls_cert_file, tls_key_file;
};

struct BrokerParameters {
  // nats:// or tls:// (which forces TLS); may carry userinfo, which is used there instead of the
  // credentials. Each round tries all addresses of all urls in random order.
  std::vector<Secret> urls{};
  Credentials credentials{};
  std::string consumer_name{};     // answers come back below _INBOX.<consumer_name>
  std::string subject{};           // may have wildcards; empty: no data subscription
  std::string queue_group{};       // empty: a plain subscription
  std::string control_subject{};   // commands to this process, never shared; empty: none
  std::string jetstream_domain{};  // of the order log and the control log; empty: the broker's own
  std::string control_bucket{};    // of the control log; empty: none
};

struct ServerParameters {
  std::string host = "0.0.0.0";  // an IPv4 or IPv6 address
  std::uint16_t port = 8080;     // 0: any free one
};

BOOST_DEFINE_FIXED_ENUM_CLASS(LogLevel, std::uint8_t, debug, info, warning, error)
// `automatic` is text on a terminal, else json.
BOOST_DEFINE_FIXED_ENUM_CLASS(LogFormat, std::uint8_t, automatic, json, text)

struct LogParameters {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::automatic;
  bool decisions = false;  // DEBUG_MODE: every decision is logged, and the level is debug
};

}  // namespace rts::config
