// The settings of the broker as the options of a client. Any thread.
#pragma once

#include <rts/config/settings.hpp>

#include "nats/client.hpp"

namespace rts::nats {

// Where to connect and who we are there; name, subjects and limits are the caller's.
[[nodiscard]] ClientOptions broker_options(const config::Settings& settings);

}  // namespace rts::nats
