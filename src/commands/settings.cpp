// `check` and `config`.
#include <rts/config/render.hpp>

#include "commands/output.hpp"

namespace rts::commands {
namespace {

ExitCode check(const Invocation& /*invocation*/, const config::Configuration& configuration) {
  print_warnings(configuration.warnings);
  print_warnings(configuration.delivery_warnings);
  const std::size_t count = configuration.warnings.size() + configuration.delivery_warnings.size();
  print_out("settings are valid{}\n",
            count == 0 ? "" : fmt::format(", {} warning{}", count, count == 1 ? "" : "s"));
  return ExitCode::ok;
}

ExitCode print_config(const Invocation& invocation, const config::Configuration& configuration) {
  const std::string name =
      invocation.option("format").value_or(invocation.has("json") ? "json" : "text");
  const auto format = from_string<config::Format>(name);
  require(format.has_value(), "unknown format '{}'; see config --help", name);
  write_out(config::render(configuration, *format));
  return ExitCode::ok;
}

constexpr std::array kConfigOptions{
    Option{"--format", "FORMAT", "text, json, env, markdown or configmap (default text)"},
    Option{"--json", "", "the same as --format json"}};

}  // namespace

constinit const Command kCheck{
    {"check", "validate the settings; exit 78 with everything that is wrong",
     "TRADING_LEVERAGE=0 realtime-strategies check"},
    Needs::delivery,
    check};
constinit const Command kConfig{{"config", "print the effective settings and where each comes from",
                                 "realtime-strategies config --format env"},
                                Needs::decisions,
                                print_config,
                                kConfigOptions};

}  // namespace rts::commands
