// `health`: asks a running service, for container probes without a shell.
#pragma once

#include <rts/base/exit_code.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

// ok: answered 200 · different: answered otherwise · unavailable: nobody answered within 2 s.
[[nodiscard]] ExitCode health(const Invocation& invocation,
                              const config::Configuration& configuration);

}  // namespace rts::commands
