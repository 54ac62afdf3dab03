// The command line: which command, with which options. Parsing only; nothing is read or done here.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/result.hpp>
#include <rts/config/settings.hpp>

namespace rts::commands {

struct Option {
  std::string_view name;   // "--expect"
  std::string_view value;  // name of its value in the help; empty: a switch
  std::string_view help;
};

struct Command {
  std::string_view name;
  std::string_view arguments;  // "[FILE…|-]"; empty: takes none
  std::string_view summary;
  std::string_view example;
  std::span<const Option> options;
  bool takes_settings;  // --nats-url and its kin
};

[[nodiscard]] std::span<const Command> commands() noexcept;

struct Invocation {
  const Command* command = nullptr;  // null: help for all of them
  bool help = false;
  std::map<std::string, std::string, std::less<>> options;  // by name without dashes
  std::vector<std::string> arguments;
  std::vector<config::Given> settings;

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  [[nodiscard]] std::string option(std::string_view name, std::string_view fallback) const;
};

// `arguments` without the program's name; none means help. The error is one line for stderr; what
// it quotes is as it was given.
[[nodiscard]] Result<Invocation, std::string> parse_command_line(
    std::span<const std::string> arguments);

[[nodiscard]] std::string help_text();
[[nodiscard]] std::string help_text(const Command& command);

}  // namespace rts::commands
