// The composition root: the arguments and the environment → one of the commands.
#include <csignal>
#include <exception>
#include <string>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "commands/command_line.hpp"
#include "commands/help.hpp"
#include "commands/input.hpp"
#include "commands/output.hpp"

namespace {

using namespace rts::commands;  // NOLINT(google-build-using-namespace): this file only joins them
using rts::ExitCode;
namespace config = rts::config;

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

ExitCode run_main(const std::vector<std::string>& arguments) {
  Invocation invocation = parse_command_line(arguments);
  const Command* const command = invocation.command;
  if (invocation.help) {
    write_out(command == nullptr ? help_text() : help_text(*command));
    return ExitCode::ok;
  }
  if (command->needs == Needs::nothing) return run_command(invocation, {});
  // What --from names stands in place of the environment, which may be a workstation's.
  if (command->needs == Needs::itself || invocation.has("from")) {
    invocation.environment = read_environment();
    return run_command(invocation, {});
  }
  const auto configuration =
      config::load(read_environment(), invocation.settings,
                   command->needs == Needs::connection ? config::ReadFile() : read_settings_file);
  if (configuration) return run_command(invocation, configuration.value());
  if (command->run_with_problems != nullptr) {
    return command->run_with_problems(invocation, configuration.error());
  }
  for (const std::string& problem : configuration.error()) print_problem(invocation, problem);
  return ExitCode::configuration;
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
  } catch (const CommandError& error) {
    print_problem({}, fmt::format("realtime-strategies: {}", error.what()));
    code = error.code;
  } catch (const std::exception& bug) {
    print_error("realtime-strategies: internal error: {}\n", bug.what());
  }
  if (!all_output_arrived() && code == ExitCode::ok) code = ExitCode::output_lost;
  return static_cast<int>(code);
}
