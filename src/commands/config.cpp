// `config`.
#include <rts/config/render.hpp>

#include "commands/output.hpp"

namespace rts::commands {
namespace {

ExitCode print_config(const Invocation& invocation, const config::Configuration& configuration) {
  const std::string name =
      invocation.option("format").value_or(invocation.has("json") ? "json" : "text");
  write_out(config::render(configuration, from_string<config::Format>(name).value()));
  return ExitCode::ok;
}

constexpr std::array kOptions{
    Option{"--format", "text|json|env|markdown|configmap", "default: text"},
    Option{"--json", "", "the same as --format json"}};

}  // namespace

constinit const Command kConfig{{"config", "print the effective settings and where each comes from",
                                 "realtime-strategies config --format env"},
                                Needs::decisions,
                                print_config,
                                kOptions};

}  // namespace rts::commands
