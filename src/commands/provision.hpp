// What `provision` plans before it talks to the broker, and the broker's permissions as text.
#pragma once

#include <string>

#include <rts/trading/stream_plan.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

// What the command line and the settings ask for. Throws CommandError.
[[nodiscard]] StreamPlan plan_of(const Invocation& invocation, const config::Settings& settings);

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

// An `authorization` block of nats-server's configuration: least privilege for the service, for
// `provision` and for the TradeEngine. Passwords are variables ($RTS_NATS_PASSWORD …), which
// nats-server takes from its environment or from the same file.
[[nodiscard]] std::string permissions(const PermissionNeeds& needs);

}  // namespace rts::commands
