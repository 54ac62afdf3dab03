// What `provision` plans before it talks to the broker, and the broker's permissions as text.
#pragma once

#include <string>

#include <rts/trading/stream_plan.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

// What the command line and the settings ask for. Throws CommandError.
[[nodiscard]] StreamPlan plan_of(const Invocation& invocation, const config::Settings& settings);

// The connection name of `provision`, from which its user and inbox are named.
[[nodiscard]] inline std::string provisioner_name(const std::string& consumer_name) {
  return consumer_name + "-provision";
}

// An `authorization` block of nats-server's configuration: least privilege for the service, for
// `provision` and for the TradeEngine, which listens where the plan republishes to, or where the
// orders go. Passwords are variables ($RTS_NATS_PASSWORD …), which nats-server takes from its
// environment or from the same file.
[[nodiscard]] std::string permissions(const config::Settings& settings, const StreamPlan& plan);

}  // namespace rts::commands
