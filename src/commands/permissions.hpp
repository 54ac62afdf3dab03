// What the broker has to allow, as a piece of nats-server configuration: least privilege for the
// service, for `provision` and for the TradeEngine. Text only; connects to nothing.
#pragma once

#include <string>

namespace rts::commands {

struct PermissionNeeds {
  std::string consumer_name;    // also the service's user name, made subject-safe
  std::string consumer_topic;   // may have wildcards
  std::string consumer_group;   // empty: a plain subscription
  std::string control_topic;    // empty: off
  std::string publisher_topic;  // may have the token {strategy}
  std::string engine_topic;     // where the TradeEngine listens, likewise
  std::string stream;
  bool jetstream = false;  // ORDER_DELIVERY
};

// The connection name of `provision`, from which its user and inbox are named.
[[nodiscard]] std::string provisioner_name(const std::string& consumer_name);

// An `authorization` block. Passwords are variables of the configuration ($RTS_NATS_PASSWORD …),
// which nats-server takes from its environment or from the same file.
[[nodiscard]] std::string permissions(const PermissionNeeds& needs);

}  // namespace rts::commands
