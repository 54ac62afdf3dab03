// `health`: asks a running service, for container probes without a shell.
#include "commands/output.hpp"
#include "commands/service_client.hpp"

namespace rts::commands {
namespace {

// ok: answered 200 · different: answered otherwise · unavailable: no answer.
ExitCode health(const Invocation& invocation, const config::Configuration& configuration) {
  const std::string path = invocation.has("ready") ? "/ready" : "/healthz";
  const auto [status, body] =
      ask_service(service_address(invocation, configuration.settings), path);
  if (invocation.has("json")) {
    print_out("{}\n", body);
  } else {
    print_out("{} {}\n", path, status == 200 ? "is well" : fmt::format("answers {}", status));
  }
  return status == 200 ? ExitCode::ok : ExitCode::different;
}

constexpr std::array kOptions{Option{"--ready", "", "ask /ready instead of /healthz"},
                              Option{"--json", "", "print the answer's JSON"}, kUrlOption};

}  // namespace

constinit const Command kHealth{
    {"health", "ask a running service for /healthz; for probes without a shell",
     "realtime-strategies health --ready"},
    Needs::connection,
    health,
    kOptions};

}  // namespace rts::commands
