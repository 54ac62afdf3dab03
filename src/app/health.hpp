// `health`: asks a running service, for container probes without a shell.
#pragma once

#include "app/cli.hpp"
#include "app/exit_code.hpp"

namespace rts::app {

// ok: answered 200 · different: answered otherwise · unavailable: nobody answered within 2 s.
[[nodiscard]] ExitCode health(const Invocation& invocation,
                              const config::Configuration& configuration);

}  // namespace rts::app
