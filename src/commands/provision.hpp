// `provision`: creates the stream of the orders, or makes the one that is there as the settings
// want it; and prints the broker's permissions. Blocking; a command's main thread.
#pragma once

#include <string>

#include <rts/base/exit_code.hpp>
#include <rts/base/result.hpp>
#include <rts/trading/stream_plan.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

// What the command line and the settings ask for; the error is one line for stderr.
[[nodiscard]] Result<StreamPlan, std::string> plan_of(const Invocation& invocation,
                                                      const config::Settings& settings);

[[nodiscard]] ExitCode provision(const Invocation& invocation,
                                 const config::Configuration& configuration);

}  // namespace rts::commands
