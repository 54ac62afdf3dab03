// `completion`: the scripts by which shells complete, each of which asks the binary what may stand
// where the cursor is. So what is offered is what this binary takes.
#include <algorithm>
#include <array>
#include <variant>

#include <rts/base/text.hpp>

#include "commands/help.hpp"
#include "commands/input.hpp"
#include "commands/output.hpp"

namespace rts::commands {
namespace {

using config::Setting;
using Words = std::vector<std::string>;

constexpr std::string_view kBash = R"end(# bash completion of realtime-strategies
_realtime_strategies() {
  local line after_equals=
  if [[ ${COMP_WORDS[COMP_CWORD]} == = || ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then
    after_equals=1
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    line=${line%%$'\t'*}
    if [[ $line == :files ]]; then compopt -o default; return; fi
    if [[ $line == *= ]]; then compopt -o nospace; fi
    if [[ $after_equals ]]; then line=${line#*=}; fi
    COMPREPLY+=("$line")
  done < <(printf '%s\n' "${COMP_WORDS[@]:1:COMP_CWORD}" | "$1" completion words 2>/dev/null)
}
complete -F _realtime_strategies realtime-strategies
)end";

constexpr std::string_view kZsh = R"end(#compdef realtime-strategies
compdef _realtime-strategies realtime-strategies
_realtime-strategies() {
  local line item
  local -a whole open
  local -a offered=("${(@f)$(print -rl -- "${(@)words[2,CURRENT]}" |
                             ${words[1]} completion words 2>/dev/null)}")
  for line in $offered; do
    if [[ $line == :files ]]; then compset -P '*='; _files; return; fi
    item=${${line%%$'\t'*}//:/\\:}
    if [[ $line == *$'\t'* ]]; then item+=:${line#*$'\t'}; fi
    if [[ ${line%%$'\t'*} == *= ]]; then open+=("$item"); else whole+=("$item"); fi
  done
  _describe word whole
  _describe word open -S ''
}
if [[ $funcstack[1] == _realtime-strategies ]]; then _realtime-strategies "$@"; fi
)end";

constexpr std::string_view kFish = R"end(# fish completion of realtime-strategies
function __realtime_strategies
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l word "$(commandline -ct)"
    set -l found (printf '%s\n' $words $word | $program completion words 2>/dev/null)
    if test "$found" = :files
        set -l option (string match -r -- '^--[^=]*=' $word)
        for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' $word))
            echo "$option$path"
        end
    else
        printf '%s\n' $found
    end
end
complete -c realtime-strategies -f -a '(__realtime_strategies)'
)end";

// "--name", "=", "value" → "--name=value".
Words joined(std::span<const std::string> words) {
  Words out;
  bool is_value = false;
  for (const std::string& word : words) {
    const bool is_equals = word == "=" && !out.empty();
    if (is_equals || is_value) {
      out.back() += word;
    } else {
      out.push_back(word);
    }
    is_value = is_equals;
  }
  return out;
}

std::string with_description(std::string_view word, std::string_view description) {
  return fmt::format("{}\t{}", word, description);
}

Words to_words(std::span<const std::string_view> views) { return {views.begin(), views.end()}; }

// What the setting takes, where that can be listed.
Words values_of(const Setting& setting) {
  if (std::holds_alternative<config::Flag>(setting.rule)) return {"true", "false"};
  if (const auto* const choice = std::get_if<config::Choice>(&setting.rule)) {
    return to_words(choice->values);
  }
  return setting.name.ends_with("_FILE") ? Words{std::string(kFiles)} : Words{};
}

// "bash|zsh" → bash, zsh; "FILE" → files; nothing of what can be anything.
Words values_of(std::string_view accepted) {
  if (accepted.find("FILE") != std::string_view::npos) return {std::string(kFiles)};
  const auto parts = split(accepted, '|');
  return parts.size() > 1 ? to_words(parts) : Words{};
}

// What may follow `flag`; empty: it is no option with a value.
std::optional<Words> values_behind(const Command& command, std::string_view flag) {
  if (const Option* const option = find_option(command, flag)) {
    return option->value.empty() ? std::nullopt : std::optional(values_of(option->value));
  }
  const auto target = command.needs == Needs::nothing ? std::nullopt : config::find_flag(flag);
  return target ? std::optional(values_of(*target->setting)) : std::nullopt;
}

Words command_names() {
  Words out;
  for (const Command* const command : kCommands) {
    out.push_back(with_description(command->name, command->summary));
  }
  return out;
}

Words options_of(const Command& command) {
  Words out{with_description("--help", "its options and an example"),
            with_description(kColorOption.name, kColorOption.help)};
  for (const Option& option : command.options) {
    out.push_back(with_description(option.name, option.help));
  }
  if (command.needs == Needs::nothing) return out;
  for (const Setting& setting : config::table()) {
    if (!setting.is_secret()) out.push_back(with_description(flag_name(setting), setting.help));
  }
  return out;
}

Words names_of_live_settings(std::string_view behind) {
  Words out;
  for (const Setting& setting : config::table()) {
    if (!setting.live) continue;
    out.push_back(with_description(std::string(setting.name).append(behind), setting.help));
  }
  return out;
}

Words topics_behind(const std::string& previous) {
  Words out;
  if (previous == "settings") {
    for (const config::Group group : all_of<config::Group>) {
      out.push_back(with_description(to_string(group), title(group)));
    }
    for (const Setting& setting : config::table()) {
      out.push_back(with_description(setting.name, setting.help));
    }
  } else if (previous == kHelp.name) {
    out = command_names();
    out.push_back(with_description("man", "the manual page, for man -l -"));
  }
  return out;
}

Words prefixed(std::string_view prefix, Words values) {
  if (values == Words{std::string(kFiles)}) return values;
  for (std::string& value : values) value.insert(0, prefix);
  return values;
}

// What may stand in place of the last word. Precondition: there are two.
Words candidates(const Command& command, const Words& words) {
  const std::string& last = words.back();
  const std::string& previous = words[words.size() - 2];
  const std::size_t equals = last.find('=');
  const std::string_view name = std::string_view(last).substr(0, equals);
  if (last.starts_with("--") && equals != std::string::npos) {
    return prefixed(last.substr(0, equals + 1), values_behind(command, name).value_or(Words{}));
  }
  if (const auto values = values_behind(command, previous)) return *values;
  if (last.starts_with('-')) return options_of(command);
  if (&command == &kHelp) return topics_behind(previous);
  if (command.arguments.find("NAME=") != std::string_view::npos) {
    if (equals == std::string::npos) return names_of_live_settings("=");
    const Setting* const setting = config::find_of_any_symbol(name);
    return setting == nullptr ? Words{} : prefixed(last.substr(0, equals + 1), values_of(*setting));
  }
  if (command.arguments.find("NAME") != std::string_view::npos) return names_of_live_settings("");
  return values_of(command.arguments);
}

ExitCode completion(const Invocation& invocation, const config::Configuration& /*configuration*/) {
  require(invocation.arguments.size() == 1, "give one of {}", kCompletion.arguments);
  const std::string& what = invocation.arguments.front();
  if (what == "bash") {
    write_out(kBash);
  } else if (what == "zsh") {
    write_out(kZsh);
  } else if (what == "fish") {
    write_out(kFish);
  } else {
    require(what == "words", "there is no completion for '{}'; give one of {}", what,
            kCompletion.arguments);
    Words words;
    LineReader lines("-");
    while (const auto line = lines.next()) words.emplace_back(*line);
    for (const std::string& candidate : completions(words)) write_out(candidate + '\n');
  }
  return ExitCode::ok;
}

}  // namespace

std::vector<std::string> completions(std::span<const std::string> given) {
  const Words words = joined(given);
  Words found;
  if (words.empty()) return found;
  if (words.size() == 1) {
    found = command_names();
    found.emplace_back("--help");
    found.emplace_back("--version");
  } else {
    const auto command = std::ranges::find(kCommands, words.front(), &Command::name);
    if (command != kCommands.end()) found = candidates(**command, words);
  }
  std::erase_if(found, [&](const std::string& candidate) {
    return candidate != kFiles && !candidate.starts_with(words.back());
  });
  return found;
}

// The words, for the scripts: one a line on standard input, the last one may be empty.
constinit const Command kCompletion{
    {"completion", "print what makes a shell complete commands, options and settings",
     "realtime-strategies completion bash", "bash|zsh|fish|words"},
    Needs::nothing,
    completion};

}  // namespace rts::commands
