// `run`: the service. It has the warnings in its log: it starts also where nobody reads its
// standard error.
#include "commands/command_line.hpp"
#include "service/service.hpp"

namespace rts::commands {

constinit const Command kRun{"run",
                             "",
                             "consume frames, publish orders, serve HTTP: this trades",
                             "NATS_URL=nats://broker:4222 realtime-strategies run",
                             {},
                             Needs::delivery,
                             [](const Invocation&, const config::Configuration& configuration) {
                               return service::run(configuration);
                             }};

}  // namespace rts::commands
