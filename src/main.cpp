// The composition root: the command line and the environment → one of the commands.
#include <csignal>
#include <exception>
#include <string>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <rts/base/json_writer.hpp>
#include <rts/config/render.hpp>
#include <rts/config/settings.hpp>

#include "app/cli.hpp"
#include "app/exit_code.hpp"
#include "app/health.hpp"
#include "app/output.hpp"
#include "app/provision.hpp"
#include "app/replay.hpp"
#include "app/service.hpp"
#include "app/settings_file.hpp"
#include "app/simulate.hpp"
#include "app/version.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): this file only joins the others
using app::ExitCode;
using app::print_error;
using app::print_out;

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

ExitCode print_version(const app::Invocation& invocation) {
  if (invocation.has("json")) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.key("version").string(app::kVersion).key("commit").string(app::kCommit);
    json.key("build").string(app::kBuild).end_object();
    print_out("{}\n", out);
  } else {
    print_out("realtime-strategies {} ({})\n", app::kVersion, app::kCommit);
  }
  return ExitCode::ok;
}

ExitCode print_config(const app::Invocation& invocation,
                      const config::Configuration& configuration) {
  const std::string name = invocation.option("format", invocation.has("json") ? "json" : "text");
  const auto format = config::parse_format(name);
  if (!format) {
    print_error("config: unknown format '{}'; see config --help\n", name);
    return ExitCode::usage;
  }
  app::write_out(config::render(configuration, *format));
  return ExitCode::ok;
}

ExitCode dispatch(const app::Invocation& invocation, const config::Configuration& configuration) {
  const std::string_view name = invocation.command->name;
  if (name == "run") return app::run(configuration);
  if (name == "simulate") return app::simulate(invocation, configuration);
  if (name == "provision") return app::provision(invocation, configuration);
  if (name == "health") return app::health(invocation, configuration);
  if (name == "replay") return app::replay(invocation, configuration);
  if (name == "config") return print_config(invocation, configuration);
  if (name == "check") {
    app::write_out(app::verdict(configuration) + "\n");
    return ExitCode::ok;
  }
  return ExitCode::internal;
}

void print_warnings(std::string_view command, const config::Configuration& configuration) {
  for (const std::string& warning : app::warnings_for(command, configuration)) {
    print_error("warning: {}\n", warning);
  }
}

ExitCode run_main(const std::vector<std::string>& arguments) {
  const auto invocation = app::parse_command_line(arguments);
  if (!invocation) {
    print_error("realtime-strategies: {}\n", invocation.error());
    return ExitCode::usage;
  }
  if (invocation.value().help) {
    const app::Command* command = invocation.value().command;
    app::write_out(command == nullptr ? app::help_text() : app::help_text(*command));
    return ExitCode::ok;
  }
  if (invocation.value().command->name == "version") return print_version(invocation.value());

  const auto configuration =
      config::load(read_environment(), invocation.value().settings, app::read_settings_file);
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
  if (!app::all_output_arrived() && code == ExitCode::ok) code = ExitCode::output_lost;
  return static_cast<int>(code);
}
