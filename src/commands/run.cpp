// `run`: the service. Its warnings are in its log, so that it also starts where its standard error
// cannot be written.
#include "commands/command_line.hpp"
#include "service/service.hpp"

namespace rts::commands {

constinit const Command kRun{{"run", "consume frames, publish orders, serve HTTP: this trades",
                              "NATS_URL=nats://broker:4222 realtime-strategies run"},
                             Needs::delivery,
                             [](const Invocation&, const config::Configuration& configuration) {
                               return service::run(configuration);
                             }};

}  // namespace rts::commands
