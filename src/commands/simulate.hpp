// `simulate`: plays the market (and watches what the TradeEngine would get) so that the service can
// be seen at work without an exchange.
#pragma once

#include <rts/base/exit_code.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

[[nodiscard]] ExitCode simulate(const Invocation& invocation,
                                const config::Configuration& configuration);

}  // namespace rts::commands
