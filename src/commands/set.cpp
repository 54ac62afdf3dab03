// `set` and `unset`: what of the settings is changed while the service runs. Each writes a revision
// with all the values that hold from then on.
#include <array>
#include <map>

#include "commands/control_log.hpp"
#include "commands/output.hpp"

namespace rts::commands {
namespace {

using Values = std::map<std::string, std::string>;

// A symbol's value by one name, in whatever case it was given.
std::string one_name(const std::string& name) {
  const std::size_t mark = name.find(config::kSymbolMark);
  if (mark == std::string::npos) return name;
  const config::Setting* const setting = config::find(name.substr(0, mark));
  const auto symbol = config::parse_symbol(name.substr(mark + config::kSymbolMark.size()));
  return setting != nullptr && symbol ? config::name_for(*setting, *symbol) : name;
}

// The last revision of the settings, and what is to become of its values.
class Revising {
 public:
  Revising(const Invocation& invocation, const config::Configuration& configuration)
      : invocation_(invocation),
        configuration_(configuration),
        value_{effective_from(invocation, now_ms()), {}, authorship(invocation)},
        log_(configuration.settings.broker) {
    const auto history = log_.history(wire::kSettingsKey);
    if (!history.empty()) seen_ = history.back().sequence;
    const auto entries = readable(history);
    if (entries.empty()) return;
    const auto& [revision, last] = entries.back();
    require(last.effective_from <= value_.effective_from,
            "revision {} holds from {} on, and its values with it: give --effective-from that time "
            "or a later one, or take it back by `settings --rollback`",
            revision, rfc3339(last.effective_from));
    for (const auto& [name, text] : last.values) values.insert_or_assign(one_name(name), text);
  }

  [[nodiscard]] ExitCode write() {
    for (const auto& [name, text] : values) value_.values.push_back({name, text});
    return write_settings(log_, invocation_, configuration_, value_, seen_);
  }

  Values values{};

 private:
  const Invocation& invocation_;
  const config::Configuration& configuration_;
  wire::SettingsValue value_;
  ControlLog log_;
  std::uint64_t seen_ = 0;
};

ExitCode set(const Invocation& invocation, const config::Configuration& configuration) {
  Values given;
  for (const std::string& argument : invocation.arguments) {
    const std::size_t equals = argument.find('=');
    require(equals != std::string::npos && equals > 0, "give NAME=VALUE, not '{}'", argument);
    const std::string name = one_name(argument.substr(0, equals));
    require(given.emplace(name, argument.substr(equals + 1)).second, "{} is given twice", name);
  }
  require(!given.empty(), "give at least one NAME=VALUE; `config` shows which are live");
  Revising revising(invocation, configuration);
  for (auto& [name, text] : given) revising.values.insert_or_assign(name, std::move(text));
  return revising.write();
}

ExitCode unset(const Invocation& invocation, const config::Configuration& configuration) {
  const bool is_all = invocation.has("all");
  require(is_all == invocation.arguments.empty(),
          "give names, or --all for all of them; `settings` shows what is set");
  Revising revising(invocation, configuration);
  if (is_all) revising.values.clear();
  for (const std::string& name : invocation.arguments) {
    require(revising.values.erase(one_name(name)) > 0, "{} is not set; see `settings`", name);
  }
  return revising.write();
}

constexpr std::array kSetOptions{kFromOption, kInOption, kReasonOption, kJsonOption};
constexpr std::array kUnsetOptions{Option{"--all", "", "all that are set"}, kFromOption, kInOption,
                                   kReasonOption, kJsonOption};

}  // namespace

constinit const Command kSet{
    {"set", "change live settings on all replicas at the same event",
     "realtime-strategies set SIGNAL_COOLDOWN_SECONDS=60 --reason volatile", "NAME=VALUE…"},
    Needs::connection,
    set,
    kSetOptions};
constinit const Command kUnset{
    {"unset", "give settings back the values that the service was started with",
     "realtime-strategies unset SIGNAL_COOLDOWN_SECONDS", "[NAME…]"},
    Needs::connection,
    unset,
    kUnsetOptions};

}  // namespace rts::commands
