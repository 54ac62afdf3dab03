// `help`.
#include "commands/help.hpp"

#include <algorithm>
#include <optional>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/names.hpp>
#include <rts/config/render.hpp>

#include "commands/output.hpp"

namespace rts::commands {
namespace {

using config::Setting;

constexpr std::size_t kColumns = 80;

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // no continuation of UTF-8
  }));
}

// The text in lines of at most kColumns behind `left`, all of it from column `indent` on. A `left`
// that is longer has a line of its own.
std::string beside(std::string left, std::size_t indent, std::string_view text) {
  std::string out;
  if (!left.empty() && columns(left) >= indent) out += std::exchange(left, "") + '\n';
  left.append(indent - columns(left), ' ');
  std::string line = std::move(left);
  for (const std::string_view word : split(text, ' ')) {
    const bool is_first = columns(line) == indent;
    if (!is_first && columns(line) + 1 + columns(word) > kColumns) {
      out += std::exchange(line, std::string(indent, ' ')) + '\n';
    } else if (!is_first) {
      line += ' ';
    }
    line += word;
  }
  return out + line + '\n';
}

std::string shown_option(const Option& option) {
  return fmt::format("  {}{}{}", option.name, option.value.empty() ? "" : " ", option.value);
}

// --- Settings -----------------------------------------------------------------------------------

// "orderbook_skew", "orderbook-skew", "Order-book skew".
std::optional<config::Group> find_group(const std::string& text) {
  std::string name = to_lower(text);
  std::ranges::replace(name, '-', '_');
  for (const config::Group group : all_of<config::Group>) {
    if (name == to_string(group) || same_but_for_case(text, title(group))) return group;
  }
  return std::nullopt;
}

// A setting by its name, in any case, or by its flag's without the dashes; also with a symbol.
const Setting* find_setting(const std::string& text) {
  if (const auto target = config::find_flag("--" + to_lower(text))) return target->setting;
  return config::find_of_any_symbol(to_upper(text));
}

// Throws: no setting and no group has this name.
[[noreturn]] void complain_of(const std::string& name) {
  const std::string upper = to_upper(name);
  std::vector<std::string_view> near;
  for (const Setting& setting : config::table()) {
    if (!upper.empty() && setting.name.find(upper) != std::string::npos) {
      near.push_back(setting.name);
    }
  }
  const config::NameMeaning meaning = config::meaning_of(upper, {});
  if (near.empty() && meaning.kind == config::NameKind::misspelt) near.emplace_back(meaning.text);
  if (meaning.kind == config::NameKind::retired) {
    throw CommandError(ExitCode::usage, "{}: is of the Python service and does nothing here. {}",
                       upper, meaning.text);
  }
  throw CommandError(ExitCode::usage, "no setting and no group (of {}) has the name '{}'{}",
                     fmt::join(names_of<config::Group>, ", "), name,
                     near.empty() ? "; see `realtime-strategies help settings`"
                                  : fmt::format("; did you mean {}?", fmt::join(near, " or ")));
}

// What holds in this environment, unless something in it is wrong.
using Effective = Result<config::Configuration, config::Problems>;

void write_setting(JsonWriter& json, const Setting& setting, const Effective& effective) {
  json.begin_object()
      .key("name")
      .string(setting.name)
      .key("group")
      .string(to_string(setting.group));
  json.key("meaning").string(setting.help).key("default").string(setting.default_text());
  json.key("accepted").string(accepted_values(setting)).key("flag");
  setting.is_secret() ? json.null() : json.string(flag_name(setting));
  json.key("secret").boolean(setting.is_secret()).key("live").boolean(setting.live);
  json.key("per_symbol").boolean(setting.per_symbol).key("values").begin_object();
  if (effective) {
    for (const config::Value& value : effective.value().values) {
      if (value.setting != &setting) continue;
      json.key(value.name()).begin_object().key("value").string(value.text);
      json.key("origin").string(to_string(value.origin)).end_object();
    }
  }
  json.end_object().end_object();
}

// All about one.
std::string described(const Setting& setting, const Effective& effective) {
  constexpr std::size_t kIndent = 15;
  std::string out = fmt::format("{}\n", setting.name);
  const auto row = [&](std::string_view what, std::string_view text) {
    out += beside(fmt::format("  {}", what), kIndent, text);
  };
  const std::string fallback = setting.default_text();
  row("meaning", setting.help);
  row("accepted", accepted_values(setting));
  row("default", fallback.empty() ? "empty" : fallback);
  row("group", title(setting.group));
  row("flag", setting.is_secret() ? "none: secrets are read from the environment only"
                                  : flag_name(setting));
  row("environment", setting.name);
  row("per symbol", setting.per_symbol ? fmt::format("yes: {}__SYMBOL, {}--symbol", setting.name,
                                                     flag_name(setting))
                                       : "no: it is the same for all symbols");
  row("live", setting.live ? fmt::format("yes: `realtime-strategies set {}=…`", setting.name)
                           : "no: it holds from the next start on");
  if (!effective) row("here", "not known: the settings are wrong; see `realtime-strategies check`");
  if (effective) {
    for (const config::Value& value : effective.value().values) {
      if (value.setting != &setting) continue;
      row("here", fmt::format("{}={} from {}", value.name(), printable(value.text),
                              to_string(value.origin)));
    }
  }
  return out;
}

ExitCode help_settings(const Invocation& invocation, std::span<const std::string> names) {
  require(names.size() <= 1, "give one group or one setting, not {}", names.size());
  const auto effective = config::load(invocation.environment, invocation.settings);
  const auto group = names.empty() ? std::nullopt : find_group(names[0]);
  const Setting* const one = names.empty() || group ? nullptr : find_setting(names[0]);
  if (!names.empty() && !group && one == nullptr) complain_of(names[0]);
  if (invocation.has("json")) {
    print_json([&](JsonWriter& json) {
      json.key("settings").begin_array();
      for (const Setting& setting : config::table()) {
        const bool is_asked_for =
            one != nullptr ? one == &setting : !group || *group == setting.group;
        if (is_asked_for) write_setting(json, setting, effective);
      }
      json.end_array();
    });
  } else if (one != nullptr) {
    write_out(described(*one, effective));
  } else {
    write_out(config::help_text(group));
    if (!group) write_out("\nThe command of that name: `realtime-strategies settings --help`.\n");
  }
  return ExitCode::ok;
}

ExitCode help(const Invocation& invocation, const config::Configuration& /*configuration*/) {
  const std::span<const std::string> topics(invocation.arguments);
  if (!topics.empty() && topics[0] == "settings") {
    return help_settings(invocation, topics.subspan(1));
  }
  require(!invocation.has("json"), "--json is for `help settings`");
  require(topics.size() <= 1, "give one command, not {}", topics.size());
  if (topics.empty()) {
    write_out(help_text());
  } else if (topics[0] == "man") {
    write_out(manual_page());
  } else {
    write_out(help_text(find_command(topics[0])));
  }
  return ExitCode::ok;
}

constexpr std::array kOptions{
    Option{"--json", "", "of settings: the table and what holds here, as JSON"}};

}  // namespace

std::string usage(const Command& command) {
  return fmt::format("{}{}{} [OPTIONS]", command.name, command.arguments.empty() ? "" : " ",
                     command.arguments);
}

std::string help_text() {
  constexpr std::size_t kIndent = 13;
  std::string out =
      "realtime-strategies: market data on NATS to orders on NATS\n\n"
      "usage: realtime-strategies COMMAND [OPTIONS]\n\n";
  for (const Command* const command : kCommands) {
    out += beside(fmt::format("  {}", command->name), kIndent, command->summary);
  }
  return out +
         "\n`realtime-strategies help COMMAND` has its options and an example, `help\n"
         "settings` the settings.\n" +
         beside("exit codes:", 12, kExitCodes);
}

std::string help_text(const Command& command) {
  constexpr std::size_t kMaxIndent = 29;
  std::string out =
      fmt::format("usage: realtime-strategies {}\n\n{}\nexample: {}\n\noptions:\n", usage(command),
                  beside(std::string(), 0, command.summary), command.example);
  std::size_t indent = 0;
  for (const Option& option : command.options) {
    indent = std::max(indent, shown_option(option).size() + 2);
  }
  indent = std::min(std::max<std::size_t>(indent, 12), kMaxIndent);
  for (const Option& option : command.options) {
    out += beside(shown_option(option), indent, option.help);
  }
  out += beside(shown_option(kColorOption), kMaxIndent, kColorOption.help);
  if (command.needs == Needs::nothing) return out;
  return out + '\n' +
         beside("settings:", 10,
                "each is an option, too, as --dry-run-mode true, and an environment variable; "
                "`realtime-strategies help settings` has them all");
}

constinit const Command kHelp{{"help", "explain a command, the settings or one setting",
                               "realtime-strategies help settings SIGNAL_COOLDOWN_SECONDS",
                               "[COMMAND|settings [GROUP|NAME]|man]"},
                              Needs::itself,
                              help,
                              kOptions};

}  // namespace rts::commands
