// The command line: the table of commands, and which of them is asked for with which options.
// Parsing only; nothing is read or done here.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/base/exit_code.hpp>
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

// What the help says of a command.
struct Description {
  std::string_view name, summary, example;
  std::string_view arguments = {};  // "[FILE…|-]"; empty: takes none
};

struct Command : Description {
  Needs needs;
  ExitCode (*run)(const Invocation&, const config::Configuration&);
  std::span<const Option> options = {};
};

// The table. A command is one file, which defines its Command, and a row in both lists.
extern const Command kRun, kReplay, kSimulate, kCheck, kConfig, kProvision, kPause, kResume, kSet,
    kUnset, kSettings, kExplain, kHealth, kVersion;
inline constexpr std::array kCommands{&kRun,       &kReplay,  &kSimulate, &kCheck,  &kConfig,
                                      &kProvision, &kPause,   &kResume,   &kSet,    &kUnset,
                                      &kSettings,  &kExplain, &kHealth,   &kVersion};

// Ends a command before its work has begun. The text, formatted as by fmt::format, is one line for
// stderr; what it quotes is as it was given.
struct CommandError : std::runtime_error {
  template <class... Values>
  CommandError(ExitCode exit_code, fmt::format_string<Values...> format, Values&&... values)
      : std::runtime_error(fmt::format(format, std::forward<Values>(values)...)), code(exit_code) {}
  ExitCode code;
};

// Throws a CommandError unless what is given is right.
template <class... Values>
void require(bool is_right, fmt::format_string<Values...> format, Values&&... values) {
  if (!is_right) throw CommandError(ExitCode::usage, format, std::forward<Values>(values)...);
}

struct Range {
  std::uint64_t min = 0, max = std::numeric_limits<std::uint64_t>::max();  // both included
};

struct Invocation {
  const Command* command = nullptr;  // null: help for all of them
  bool help = false;
  std::map<std::string, std::string, std::less<>> options{};  // by name without dashes
  std::vector<std::string> arguments{};
  std::vector<config::Given> settings{};

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  // Empty when it is not given.
  [[nodiscard]] std::optional<std::string> option(std::string_view name) const;
  // Throws CommandError when what is given is no whole number of the range.
  [[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view name, Range range) const;
};

// `arguments` without the program's name; none means help. Throws CommandError.
[[nodiscard]] Invocation parse_command_line(std::span<const std::string> arguments);

// Says the warnings of what the command needs, and runs it. Precondition: it has a command.
[[nodiscard]] ExitCode run_command(const Invocation& invocation,
                                   const config::Configuration& configuration);

[[nodiscard]] std::string help_text();
[[nodiscard]] std::string help_text(const Command& command);

}  // namespace rts::commands
