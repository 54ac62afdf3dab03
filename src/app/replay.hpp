// `replay`: recordings through the live service's engine, orders as NDJSON.
#pragma once

#include "app/cli.hpp"
#include "app/exit_code.hpp"

namespace rts::app {

[[nodiscard]] ExitCode replay(const Invocation& invocation,
                              const config::Configuration& configuration);

}  // namespace rts::app
