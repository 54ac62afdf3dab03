// The composition root: the command line and the environment → one of the commands.
#include <csignal>
#include <exception>
#include <string>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <rts/base/exit_code.hpp>
#include <rts/base/json_writer.hpp>
#include <rts/base/version.hpp>
#include <rts/config/render.hpp>
#include <rts/config/settings.hpp>

#include "commands/command_line.hpp"
#include "commands/health.hpp"
#include "commands/output.hpp"
#include "commands/provision.hpp"
#include "commands/replay.hpp"
#include "commands/settings_file.hpp"
#include "commands/simulate.hpp"
#include "service/service.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): this file only joins the others

using commands::print_error;
using commands::print_out;

// What is closed at the start would be the number of the next socket, and what is printed would be
// sent through it. Read-only: writing still fails, and lines that are lost are counted.
void occupy_closed_descriptors() noexcept {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) std::ignore = ::open("/dev/null", O_RDONLY);
  }
}

std::vector<config::Given> read_environment() {
  std::vector<config::Given> given;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    given.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return given;
}

ExitCode print_version(const commands::Invocation& invocation) {
  if (invocation.has("json")) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.key("version").string(kVersion).key("commit").string(kCommit);
    json.key("build").string(kBuild).end_object();
    print_out("{}\n", out);
  } else {
    print_out("realtime-strategies {} ({})\n", kVersion, kCommit);
  }
  return ExitCode::ok;
}

ExitCode print_config(const commands::Invocation& invocation,
                      const config::Configuration& configuration) {
  const std::string name = invocation.option("format", invocation.has("json") ? "json" : "text");
  const auto format = from_string<config::Format>(name);
  if (!format) {
    print_error("config: unknown format '{}'; see config --help\n", name);
    return ExitCode::usage;
  }
  commands::write_out(config::render(configuration, *format));
  return ExitCode::ok;
}

ExitCode dispatch(const commands::Invocation& invocation,
                  const config::Configuration& configuration) {
  const std::string_view name = invocation.command->name;
  if (name == "run") return service::run(configuration);
  if (name == "simulate") return commands::simulate(invocation, configuration);
  if (name == "provision") return commands::provision(invocation, configuration);
  if (name == "health") return commands::health(invocation, configuration);
  if (name == "replay") return commands::replay(invocation, configuration);
  if (name == "config") return print_config(invocation, configuration);
  if (name == "check") {
    commands::write_out(commands::verdict(configuration) + "\n");
    return ExitCode::ok;
  }
  return ExitCode::internal;
}

void print_warnings(std::string_view command, const config::Configuration& configuration) {
  for (const std::string& warning : commands::warnings_for(command, configuration)) {
    print_error("warning: {}\n", warning);
  }
}

ExitCode run_main(const std::vector<std::string>& arguments) {
  const auto invocation = commands::parse_command_line(arguments);
  if (!invocation) {
    print_error("realtime-strategies: {}\n", invocation.error());
    return ExitCode::usage;
  }
  if (invocation.value().help) {
    const commands::Command* command = invocation.value().command;
    commands::write_out(command == nullptr ? commands::help_text() : commands::help_text(*command));
    return ExitCode::ok;
  }
  if (invocation.value().command->name == "version") return print_version(invocation.value());

  const auto configuration =
      config::load(read_environment(), invocation.value().settings, commands::read_settings_file);
  if (!configuration) {
    for (const std::string& problem : configuration.error()) print_error("{}\n", problem);
    return ExitCode::configuration;
  }
  // The service has them in its log: it starts also where nobody reads its standard error.
  const std::string_view command = invocation.value().command->name;
  if (command != "run") print_warnings(command, configuration.value());
  return dispatch(invocation.value(), configuration.value());
}

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_descriptors();
  // A reader that has gone, or a file at its size limit, is output that was lost, no death.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  ExitCode code = ExitCode::internal;
  try {
    code = run_main({argv + 1, argv + argc});
  } catch (const std::exception& bug) {
    print_error("realtime-strategies: internal error: {}\n", bug.what());
  }
  if (!commands::all_output_arrived() && code == ExitCode::ok) code = ExitCode::output_lost;
  return static_cast<int>(code);
}
