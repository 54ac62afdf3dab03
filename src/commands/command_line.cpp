#include "commands/command_line.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/base/text.hpp>

#include "commands/output.hpp"

namespace rts::commands {
namespace {

// As its option's value has it: "bash|zsh" takes one of these; "FILE" anything.
void require_accepted(const Option& option, const std::string& value) {
  const auto accepted = split(option.value, '|');
  require(accepted.size() == 1 || std::ranges::count(accepted, value) > 0, "{} takes {}, not '{}'",
          option.name, fmt::join(accepted, ", "), value);
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
  const std::string help = fmt::format("; see `realtime-strategies {} --help`", command.name);
  const auto hint = [&](std::string_view flag) {
    const std::string near = did_you_mean(flag, option_names(command));
    return near.empty() ? help : near;
  };
  // Behind '=', or the next argument.
  const auto value = [&](std::string_view accepted) {
    if (equals != std::string::npos) return argument.substr(equals + 1);
    require(!rest.empty(), "{} needs a value: {}", argument, accepted);
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
                       is_option ? hint(argument) : help);
  }
  if (const Option* const option = find_option(command, name)) {
    const bool is_switch = option->value.empty();
    require(!is_switch || equals == std::string::npos, "{} takes no value", name);
    const std::string text = is_switch ? "" : value(option->value);
    require_accepted(*option, text);
    invocation.options.emplace(name.substr(2), text);
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
  invocation.settings.push_back(
      {std::move(target->name), value(config::accepted_values(*target->setting))});
}

}  // namespace

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command* const command : kCommands) {
    if (command->name == name) return *command;
    names.emplace_back(command->name);
  }
  throw CommandError(ExitCode::usage, "unknown command '{}'{}; see `realtime-strategies --help`",
                     name, did_you_mean(name, names));
}

const Option* find_option(const Command& command, std::string_view name) {
  const auto found = std::ranges::find(command.options, name, &Option::name);
  if (found != command.options.end()) return &*found;
  return name == kColorOption.name ? &kColorOption : nullptr;
}

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

std::vector<std::string> option_names(const Command& command) {
  std::vector<std::string> names{"--help", std::string(kColorOption.name)};
  for (const Option& option : command.options) names.emplace_back(option.name);
  if (command.needs == Needs::nothing) return names;
  for (const config::Setting& setting : config::table()) {
    if (!setting.is_secret()) names.push_back(config::flag_name(setting));
  }
  return names;
}

std::optional<std::string> Invocation::option(std::string_view name) const {
  const auto given = options.equal_range(name);
  return given.first == given.second ? std::nullopt
                                     : std::optional(std::prev(given.second)->second);
}

std::vector<std::string> Invocation::all_of_option(std::string_view name) const {
  std::vector<std::string> values;
  const auto given = options.equal_range(name);
  for (auto one = given.first; one != given.second; ++one) values.push_back(one->second);
  return values;
}

std::optional<std::uint64_t> Invocation::whole_number(std::string_view name, Range range) const {
  const auto text = option(name);
  const auto value = text ? parse_as<std::uint64_t>(*text, range.min, range.max) : std::nullopt;
  const bool is_open = range.max == Range{}.max;
  require(!text || value, "--{} takes a whole number from {}{}, not '{}'", name, range.min,
          is_open ? " on" : fmt::format(" to {}", range.max), text.value_or(""));
  return value;
}

Invocation parse_command_line(std::span<const std::string> rest) {
  // Without a command nothing is started: `run` trades, and has to be meant.
  if (rest.empty() || rest[0] == "--help" || rest[0] == "-h") return {.help = true};
  if (rest[0] == "--version") return {.command = &kVersion};
  require(!rest[0].starts_with('-'),
          "'{}' before a command; name the command first, see `realtime-strategies --help`",
          rest[0].substr(0, rest[0].find('=')));
  Invocation invocation{.command = &find_command(next(rest))};
  while (!rest.empty()) take_one(invocation, rest);
  return invocation;
}

ExitCode run_command(const Invocation& invocation, const config::Configuration& configuration) {
  assert(invocation.command != nullptr);
  const Command& command = *invocation.command;
  try {
    if (command.needs != Needs::delivery) print_warnings(invocation, configuration.warnings);
    return command.run(invocation, configuration);
  } catch (const CommandError& error) {
    print_problem(invocation, fmt::format("{}: {}", command.name, error.what()));
    return error.code;
  }
}

}  // namespace rts::commands
