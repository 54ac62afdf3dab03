#include "commands/command_line.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/config/render.hpp>

#include "commands/output.hpp"

namespace rts::commands {
namespace {

// "; did you mean 'x'?" of the name that differs from the misspelt one in the fewest letters; empty
// when all differ in too many. Case does not matter, and a text of kLeastBeginning letters may be
// only a name's beginning.
std::string did_you_mean(std::string_view misspelt, const std::vector<std::string>& names) {
  constexpr std::size_t kLeastBeginning = 5;  // "--nat"
  const std::string lower = to_lower(misspelt);
  const bool may_be_a_beginning = lower.size() >= kLeastBeginning;
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(2, lower.size() / 5) + 1;
  for (const std::string_view name : names) {
    const auto compared = name.substr(0, may_be_a_beginning ? lower.size() : name.size());
    const std::size_t distance = edit_distance(lower, compared);
    // At a distance of its own length it has no letter in common.
    if (distance >= least || distance >= lower.size()) continue;
    least = distance;
    nearest = name;
  }
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

// What `command` takes, but for secrets, which are not taken from the command line.
std::vector<std::string> option_names(const Command& command) {
  std::vector<std::string> names{"--help"};
  for (const Option& option : command.options) names.emplace_back(option.name);
  if (command.needs == Needs::nothing) return names;
  for (const config::Setting& setting : config::table()) {
    if (!setting.is_secret()) names.push_back(config::flag_name(setting));
  }
  return names;
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command* const command : kCommands) {
    if (command->name == name) return *command;
    names.emplace_back(command->name);
  }
  throw CommandError(ExitCode::usage, "unknown command '{}'{}; see --help", name,
                     did_you_mean(name, names));
}

using Arguments = std::span<const std::string>;

const std::string& next(Arguments& rest) {
  const std::string& argument = rest.front();
  rest = rest.subspan(1);
  return argument;
}

// Takes an option, with its value, or an argument of the command. Throws CommandError.
void take_one(Invocation& invocation, Arguments& rest) {
  const Command& command = *invocation.command;
  const std::string& argument = next(rest);
  const std::size_t equals = argument.find('=');
  const std::string name = argument.substr(0, equals);
  const auto hint = [&](std::string_view flag) {
    return did_you_mean(flag, option_names(command));
  };
  // Behind '=', or the next argument.
  const auto value = [&] {
    if (equals != std::string::npos) return argument.substr(equals + 1);
    require(!rest.empty(), "{} needs a value", argument);
    return next(rest);
  };

  if (argument == "--help" || argument == "-h") {
    invocation.help = true;
    return;
  }
  const bool is_option = argument.starts_with('-') && argument != "-";
  if (!is_option && !command.arguments.empty()) {
    invocation.arguments.push_back(argument);
    return;
  }
  if (!argument.starts_with("--")) {
    throw CommandError(ExitCode::usage, "{}: unexpected argument '{}'{}", command.name, argument,
                       is_option ? hint(argument) : "");
  }
  const auto option = std::ranges::find(command.options, name, &Option::name);
  if (option != command.options.end()) {
    const bool is_switch = option->value.empty();
    require(!is_switch || equals == std::string::npos, "{} takes no value", name);
    invocation.options.insert_or_assign(name.substr(2), is_switch ? "" : value());
    return;
  }
  auto target = command.needs == Needs::nothing ? std::nullopt : config::find_flag(name);
  if (!target) {
    // Of a setting for one symbol, what is misspelt is the setting.
    throw CommandError(ExitCode::usage, "{}: unknown option '{}'{}", command.name, name,
                       hint(name.substr(0, name.find(config::kFlagSymbolMark, 2))));
  }
  require(!target->setting->is_secret(),
          "{}: secrets are not taken from the command line, where every user of the machine can "
          "read them; set {} in the environment",
          name, target->setting->name);
  invocation.settings.push_back({std::move(target->name), value()});
}

}  // namespace

std::optional<std::string> Invocation::option(std::string_view name) const {
  const auto found = options.find(name);
  return found == options.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> Invocation::whole_number(std::string_view name, Range range) const {
  const auto text = option(name);
  const auto value = text ? parse_as<std::uint64_t>(*text, range.min, range.max) : std::nullopt;
  require(!text || value, "--{} takes a whole number from {} to {}, not '{}'", name, range.min,
          range.max, text.value_or(""));
  return value;
}

Invocation parse_command_line(std::span<const std::string> rest) {
  // Without a command nothing is started: `run` trades, and has to be meant.
  if (rest.empty() || rest[0] == "--help" || rest[0] == "-h" || rest[0] == "help") {
    return {.help = true};
  }
  if (rest[0] == "--version") return {.command = &kVersion};
  require(!rest[0].starts_with('-'), "'{}' before a command; name the command first, see --help",
          rest[0].substr(0, rest[0].find('=')));
  Invocation invocation{.command = &find_command(next(rest))};
  while (!rest.empty()) take_one(invocation, rest);
  return invocation;
}

ExitCode run_command(const Invocation& invocation, const config::Configuration& configuration) {
  assert(invocation.command != nullptr);
  const Command& command = *invocation.command;
  try {
    if (command.needs != Needs::delivery) print_warnings(configuration.warnings);
    return command.run(invocation, configuration);
  } catch (const CommandError& error) {
    print_error("{}: {}\n", command.name, error.what());
    return error.code;
  }
}

std::string help_text() {
  std::string out =
      "realtime-strategies: market data on NATS to orders on NATS\n\n"
      "usage: realtime-strategies COMMAND [OPTIONS]\n\ncommands:\n";
  for (const Command* const command : kCommands) {
    out += fmt::format("  {:<9} {}\n            example: {}\n", command->name, command->summary,
                       command->example);
  }
  out +=
      "\n'realtime-strategies COMMAND --help' shows a command's options and the settings.\n"
      "exit codes: 0 fine, 1 comparison failed, 64 usage, 65 bad input data, 69 unavailable,\n"
      "70 internal, 74 output lost, 78 configuration\n";
  return out;
}

std::string help_text(const Command& command) {
  std::string out = fmt::format(
      "usage: realtime-strategies {}{}{} [OPTIONS]\n\n{}\n\nexample: {}\n", command.name,
      command.arguments.empty() ? "" : " ", command.arguments, command.summary, command.example);
  if (!command.options.empty()) out += "\noptions:\n";
  for (const auto& [name, value, help] : command.options) {
    out += fmt::format("  {:<22} {}\n",
                       fmt::format("{}{}{}", name, value.empty() ? "" : " ", value), help);
  }
  if (command.needs != Needs::nothing) {
    out += "\nsettings (a flag beats the environment variable, which beats the default):\n" +
           config::help_text();
  }
  return out;
}

}  // namespace rts::commands
