// `run`: the service. One Asio loop on the calling thread owns all state; frames come from the NATS
// client, go through the engine, and orders go back. Probes and metrics are served on the same
// loop.
#pragma once

#include <rts/base/exit_code.hpp>
#include <rts/config/settings.hpp>

namespace rts::service {

// Returns after a signal and a drain, or when the HTTP port cannot be opened.
[[nodiscard]] ExitCode run(const config::Configuration& configuration);

}  // namespace rts::service
