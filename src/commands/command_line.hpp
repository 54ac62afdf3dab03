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
  std::string_view value;  // name of its value in the help, or all that it takes, as "on|off";
                           // empty: a switch
  std::string_view help;
};

// What a command needs of the settings.
enum class Needs : std::uint8_t {
  nothing,     // it takes no settings
  itself,      // it loads them itself, from Invocation::environment or elsewhere
  connection,  // where the broker and the service are; TRADING_INSTRUMENTS_FILE is not read
  decisions,   // what is decided
  delivery,    // and how orders are sent; it says the warnings of both itself
};

struct Invocation;

// What the help says of a command.
struct Description {
  std::string_view name, summary, example;
  // "[FILE…|-]", "NAME=VALUE…" or all that it takes, as "bash|zsh"; empty: takes none. Completion
  // offers files, live settings or those words.
  std::string_view arguments = {};
};

struct Command : Description {
  Needs needs;
  ExitCode (*run)(const Invocation&, const config::Configuration&);
  std::span<const Option> options = {};
  // In place of run() where the settings are wrong; null: they are said, and that is all.
  ExitCode (*run_with_problems)(const Invocation&, const config::Problems&) = nullptr;
};

// The table. A command is one file, which defines its Command, and a row in both lists.
extern const Command kRun, kReplay, kRecord, kImport, kSweep, kSimulate, kCheck, kConfig,
    kProvision, kPause, kResume, kSet, kUnset, kSettings, kDoctor, kExplain, kTop, kHealth, kHelp,
    kCompletion, kVersion;
inline constexpr std::array kCommands{
    &kRun,    &kReplay,    &kRecord, &kImport, &kSweep, &kSimulate,   &kCheck,
    &kConfig, &kProvision, &kPause,  &kResume, &kSet,   &kUnset,      &kSettings,
    &kDoctor, &kExplain,   &kTop,    &kHealth, &kHelp,  &kCompletion, &kVersion};

// What several commands take.
inline constexpr Option kJsonOption{"--json", "", "print as JSON"};

// What every command takes besides, and --help.
inline constexpr Option kColorOption{"--color", "auto|always|never",
                                     "colours of problems and of top (auto: on a terminal)"};

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
  // By name without dashes; of one name in the order in which they were given.
  std::multimap<std::string, std::string, std::less<>> options{};
  std::vector<std::string> arguments{};
  std::vector<config::Given> settings{};
  std::vector<config::Given> environment{};  // the process's, where it Needs::itself

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  // Given several times it is the last; empty when it is not given.
  [[nodiscard]] std::optional<std::string> option(std::string_view name) const;
  // Of an option that can be repeated.
  [[nodiscard]] std::vector<std::string> all_of_option(std::string_view name) const;
  // Throws CommandError when what is given is no whole number of the range.
  [[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view name, Range range) const;
};

// `arguments` without the program's name; none means help. Throws CommandError.
[[nodiscard]] Invocation parse_command_line(std::span<const std::string> arguments);

// Says the warnings of what the command needs, and runs it. Precondition: it has a command.
[[nodiscard]] ExitCode run_command(const Invocation& invocation,
                                   const config::Configuration& configuration);

// Throws CommandError, with the nearest name, when there is none of this name.
[[nodiscard]] const Command& find_command(const std::string& name);

// An option that the command has, or that every command has; null: none. Not those of settings.
[[nodiscard]] const Option* find_option(const Command& command, std::string_view name);

// "; did you mean 'x'?" of the name that differs from the misspelt one in the fewest letters; empty
// when all differ in too many.
[[nodiscard]] std::string did_you_mean(std::string_view misspelt,
                                       const std::vector<std::string>& names);

// The names of everything with dashes that the command takes, but for secrets, which are not taken
// from the command line.
[[nodiscard]] std::vector<std::string> option_names(const Command& command);

}  // namespace rts::commands
