#include "commands/command_line.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/config/render.hpp>

namespace rts::commands {
namespace {

constexpr std::array kReplayOptions{
    Option{"--orders", "FILE", "write the orders there instead of standard output"},
    Option{"--counts", "FILE", "write how many events ended how, as JSON"},
    Option{"--expect", "FILE", "compare the orders with these; exit 1 with the differences"},
    Option{"--force", "", "overwrite the files of --orders and --counts where they exist"},
    Option{"--quiet", "", "no summary and no progress"}};
constexpr std::array kSimulateOptions{
    Option{"--output", "FILE", "write frames to a file or - instead of publishing them"},
    Option{"--force", "", "overwrite the file of --output where it exists"},
    Option{"--frames", "N", "stop after so many frames (default: none with NATS, 10000 else)"},
    Option{"--rate", "N", "frames a second when publishing (default 200)"},
    Option{"--seed", "N", "the same seed gives the same market (default 1)"},
    Option{"--start", "TIME", "event time of the first frame when writing to a file"},
    Option{"--show-orders", "", "subscribe to the orders and print each as a line"},
    Option{"--json", "", "with --show-orders: each order as it is"},
    Option{"--broker-id", "ID", "publish to the broker with this server_id and to no other"}};
constexpr std::array kConfigOptions{
    Option{"--format", "FORMAT", "text, json, env, markdown or configmap (default text)"},
    Option{"--json", "", "the same as --format json"}};
constexpr std::array kProvisionOptions{
    Option{"--stream", "NAME", "the stream's name (default ORDERS)"},
    Option{"--daily-cap", "N",
           "orders in 24 h, all replicas together; 0 = none (default 3 x RISK_MAX_DAILY_SIGNALS)"},
    Option{"--republish", "SUBJECT",
           "where what was stored goes; empty: nowhere (default tradeengine.orders, unless that is "
           "NATS_PUBLISHER_TOPIC); with a token {strategy} where that has one"},
    Option{"--replicas", "N", "copies, in a cluster of brokers (default 1)"},
    Option{"--dry-run", "", "change nothing; exit 1 when something would change"},
    Option{"--json", "", "print as JSON"},
    Option{"--permissions", "", "only print the broker's permissions, as nats-server reads them"}};
constexpr std::array kHealthOptions{Option{"--ready", "", "ask /ready instead of /healthz"},
                                    Option{"--json", "", "print the answer's JSON"}};
constexpr std::array kVersionOptions{Option{"--json", "", "print as JSON"}};

constexpr std::array kCommands{
    Command{"run",
            "",
            "consume frames, publish orders, serve HTTP: this trades",
            "NATS_URL=nats://broker:4222 realtime-strategies run",
            {},
            true},
    Command{"replay", "[FILE…|-]",
            "run recordings through the same engine; orders as NDJSON to standard output",
            "realtime-strategies replay --counts counts.json recording.ndjson.gz", kReplayOptions,
            true},
    Command{"simulate", "",
            "make up a market, to a file or, with SIMULATE_ON_REAL_BROKER=yes, to the broker",
            "realtime-strategies simulate --output market.log --frames 50000", kSimulateOptions,
            true},
    Command{"check",
            "",
            "validate the settings; exit 78 with everything that is wrong",
            "TRADING_LEVERAGE=0 realtime-strategies check",
            {},
            true},
    Command{"config", "", "print the effective settings and where each comes from",
            "realtime-strategies config --format env", kConfigOptions, true},
    Command{"provision", "",
            "create or verify the stream that stores each order once; exit 69 when it cannot be",
            "NATS_PUBLISHER_TOPIC=orders.intents realtime-strategies provision --dry-run",
            kProvisionOptions, true},
    Command{"health", "", "ask a running service for /healthz; for probes without a shell",
            "realtime-strategies health --ready", kHealthOptions, true},
    Command{"version", "", "print version and commit", "realtime-strategies version --json",
            kVersionOptions, false}};

const Command* find_command(std::string_view name) noexcept {
  for (const Command& command : kCommands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

const Option* find_option(const Command& command, std::string_view name) noexcept {
  for (const Option& option : command.options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

// The one of `names` that is meant by a misspelt one: few letters of it are others, and what is
// long enough to be told may leave off its end. Case is nothing; empty when none is near.
std::string nearest(std::string_view misspelt, const std::vector<std::string>& names) {
  constexpr std::size_t kLeastBeginning = 5;  // "--nat"
  const std::string lower = to_lower(misspelt);
  const bool may_be_a_beginning = lower.size() >= kLeastBeginning;
  const std::size_t few = std::max<std::size_t>(2, lower.size() / 5);
  std::string best;
  std::size_t least = few + 1;
  for (const std::string& name : names) {
    const auto compared =
        std::string_view(name).substr(0, may_be_a_beginning ? lower.size() : name.size());
    const std::size_t distance = edit_distance(lower, compared);
    // What is as far away as it is long has no letter in common.
    if (distance >= least || distance >= lower.size()) continue;
    least = distance;
    best = name;
  }
  return best;
}

std::string did_you_mean(std::string_view misspelt, const std::vector<std::string>& names) {
  const std::string name = nearest(misspelt, names);
  return name.empty() ? std::string() : fmt::format("; did you mean '{}'?", name);
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  names.reserve(kCommands.size());
  for (const Command& command : kCommands) names.emplace_back(command.name);
  return names;
}

// What `command` takes, but for secrets, which are not taken from the command line.
std::vector<std::string> option_names(const Command& command) {
  std::vector<std::string> names{"--help"};
  for (const Option& option : command.options) names.emplace_back(option.name);
  if (!command.takes_settings) return names;
  for (const config::Setting& setting : config::table()) {
    if (!setting.is_secret()) names.push_back(config::flag_name(setting));
  }
  return names;
}

// Walks over the arguments; an option's value stands behind '=' or is the next argument.
class Parser {
 public:
  explicit Parser(std::span<const std::string> arguments) : rest_(arguments) {}

  Result<Invocation, std::string> parse() {
    // Without a command nothing is started: `run` trades, and has to be meant.
    if (rest_.empty() || rest_[0] == "--help" || rest_[0] == "-h" || rest_[0] == "help") {
      invocation_.help = true;
      return std::move(invocation_);
    }
    if (rest_[0] == "--version") {
      invocation_.command = find_command("version");
      return std::move(invocation_);
    }
    if (rest_[0].starts_with('-')) {
      return Failure{fmt::format("'{}' before a command; name the command first, see --help",
                                 rest_[0].substr(0, rest_[0].find('=')))};
    }
    invocation_.command = find_command(rest_[0]);
    if (invocation_.command == nullptr) {
      return Failure{fmt::format("unknown command '{}'{}; see --help", rest_[0],
                                 did_you_mean(rest_[0], command_names()))};
    }
    rest_ = rest_.subspan(1);
    while (!rest_.empty()) {
      if (std::string error = take_one(); !error.empty()) return Failure{std::move(error)};
    }
    return std::move(invocation_);
  }

 private:
  std::string take_one() {
    const std::string argument = rest_.front();
    rest_ = rest_.subspan(1);
    const Command& command = *invocation_.command;
    if (argument == "--help" || argument == "-h") {
      invocation_.help = true;
      return {};
    }
    if (!argument.starts_with("--")) {
      const bool is_flag = argument.starts_with('-') && argument != "-";
      if (is_flag || command.arguments.empty()) {
        return fmt::format("{}: unexpected argument '{}'{}", command.name, argument,
                           is_flag ? hint(argument) : std::string());
      }
      invocation_.arguments.push_back(argument);
      return {};
    }
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (const Option* option = find_option(command, name)) {
      return take_option(*option, argument, equals);
    }
    auto target = command.takes_settings ? config::find_flag(name) : std::nullopt;
    if (!target) {
      // Of a setting for one symbol, what is misspelt is the setting.
      const std::string flag = name.substr(0, name.find(config::kFlagSymbolMark, 2));
      return fmt::format("{}: unknown option '{}'{}", command.name, name, hint(flag));
    }
    if (target->setting->is_secret()) {
      return fmt::format(
          "{}: secrets are not taken from the command line, where every user of the "
          "machine can read them; set {} in the environment",
          name, target->setting->name);
    }
    std::string value;
    if (std::string error = take_value(argument, equals, value); !error.empty()) return error;
    invocation_.settings.push_back({std::move(target->name), std::move(value)});
    return {};
  }

  [[nodiscard]] std::string hint(std::string_view flag) const {
    return did_you_mean(flag, option_names(*invocation_.command));
  }

  std::string take_option(const Option& option, const std::string& argument, std::size_t equals) {
    std::string value;
    if (option.value.empty()) {
      if (equals != std::string::npos) return fmt::format("{} takes no value", option.name);
    } else if (std::string error = take_value(argument, equals, value); !error.empty()) {
      return error;
    }
    invocation_.options.insert_or_assign(std::string(option.name.substr(2)), std::move(value));
    return {};
  }

  std::string take_value(const std::string& argument, std::size_t equals, std::string& value) {
    if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
      return {};
    }
    if (rest_.empty()) return fmt::format("{} needs a value", argument);
    value = rest_.front();
    rest_ = rest_.subspan(1);
    return {};
  }

  std::span<const std::string> rest_;
  Invocation invocation_;
};

}  // namespace

std::span<const Command> commands() noexcept {
  return kCommands;
}

std::string Invocation::option(std::string_view name, std::string_view fallback) const {
  const auto found = options.find(name);
  return found == options.end() ? std::string(fallback) : found->second;
}

Result<Invocation, std::string> parse_command_line(std::span<const std::string> arguments) {
  return Parser(arguments).parse();
}

std::string help_text() {
  std::string out =
      "realtime-strategies: market data on NATS to orders on NATS\n\n"
      "usage: realtime-strategies COMMAND [OPTIONS]\n\ncommands:\n";
  for (const Command& command : kCommands) {
    out += fmt::format("  {:<9} {}\n            example: {}\n", command.name, command.summary,
                       command.example);
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
  for (const Option& option : command.options) {
    out += fmt::format(
        "  {:<22} {}\n",
        fmt::format("{}{}{}", option.name, option.value.empty() ? "" : " ", option.value),
        option.help);
  }
  if (command.takes_settings) {
    out += "\nsettings (a flag beats the environment variable, which beats the default):\n" +
           config::help_text();
  }
  return out;
}

}  // namespace rts::commands
