// `replay`: recordings through the live service's engine, orders as NDJSON.
#pragma once

#include <rts/base/exit_code.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

[[nodiscard]] ExitCode replay(const Invocation& invocation,
                              const config::Configuration& configuration);

}  // namespace rts::commands
