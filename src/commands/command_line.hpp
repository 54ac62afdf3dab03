// The command line: the table of commands, and which of them is asked for with which options.
// Parsing only; nothing is read or done here.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/exit_code.hpp>
#include <rts/base/result.hpp>
#include <rts/config/settings.hpp>

namespace rts::commands {

struct Option {
  std::string_view name;   // "--expect"
  std::string_view value;  // name of its value in the help; empty: a switch
  std::string_view help;
};

// What a command needs of the settings.
enum class Needs : std::uint8_t {
  nothing,     // it takes no settings
  connection,  // where the broker and the service are; TRADING_INSTRUMENTS_FILE is not read
  decisions,   // what is decided
  delivery,    // and how orders are sent; it says the warnings of both itself
};

struct Invocation;

struct Command {
  std::string_view name;
  std::string_view arguments;  // "[FILE…|-]"; empty: takes none
  std::string_view summary;
  std::string_view example;
  std::span<const Option> options;
  Needs needs;
  ExitCode (*run)(const Invocation&, const config::Configuration&);
};

// The table. A command is one file, which defines its Command, and a row in both lists.
extern const Command kRun, kReplay, kSimulate, kCheck, kConfig, kProvision, kHealth, kVersion;
inline constexpr std::array kCommands{&kRun,    &kReplay,    &kSimulate, &kCheck,
                                      &kConfig, &kProvision, &kHealth,   &kVersion};

// Ends a command before its work has begun. The text is one line for stderr; what it quotes is as
// it was given.
struct CommandError : std::runtime_error {
  CommandError(ExitCode exit_code, const std::string& text)
      : std::runtime_error(text), code(exit_code) {}
  ExitCode code;
};

struct Range {
  std::uint64_t min = 0, max = std::numeric_limits<std::uint64_t>::max();  // both included
};

struct Invocation {
  const Command* command = nullptr;  // null: help for all of them
  bool help = false;
  std::map<std::string, std::string, std::less<>> options;  // by name without dashes
  std::vector<std::string> arguments;
  std::vector<config::Given> settings;

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  [[nodiscard]] std::string option(std::string_view name, std::string_view fallback = "") const;
  // Throws CommandError when what is given is no whole number of the range.
  [[nodiscard]] std::uint64_t whole_number(std::string_view name, std::uint64_t fallback,
                                           Range range) const;
};

// `arguments` without the program's name; none means help. The error is a CommandError's text.
[[nodiscard]] Result<Invocation, std::string> parse_command_line(
    std::span<const std::string> arguments);

// Says the warnings of what the command needs, and runs it. Precondition: it has a command.
[[nodiscard]] ExitCode run_command(const Invocation& invocation,
                                   const config::Configuration& configuration);

[[nodiscard]] std::string help_text();
[[nodiscard]] std::string help_text(const Command& command);

}  // namespace rts::commands
