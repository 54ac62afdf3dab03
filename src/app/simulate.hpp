// `simulate`: plays the market (and watches what the TradeEngine would get) so that the service can
// be seen at work without an exchange.
#pragma once

#include "app/cli.hpp"
#include "app/exit_code.hpp"

namespace rts::app {

[[nodiscard]] ExitCode simulate(const Invocation& invocation,
                                const config::Configuration& configuration);

}  // namespace rts::app
