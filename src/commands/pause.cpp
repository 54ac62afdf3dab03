// `pause` and `resume`: the control log's pauses, which outlive the process and hold for every
// replica.
#include <array>

#include "commands/control_log.hpp"
#include "commands/output.hpp"

namespace rts::commands {
namespace {

using Strategy = std::optional<StrategyId>;  // empty: all of them

Strategy strategy_of(const Invocation& invocation) {
  return from_string<StrategyId>(invocation.option("strategy").value_or("all"));
}

std::string_view name_of(const Strategy& strategy) {
  return strategy ? to_string(*strategy) : "all strategies";
}

struct Change {
  Strategy strategy;
  bool paused;
  std::uint64_t seen;  // the key's revision before it
};

ExitCode apply(ControlLog& log, const Invocation& invocation, const std::vector<Change>& changes) {
  const wire::Authorship author = authorship(invocation);
  for (const auto& [strategy, paused, seen] : changes) {
    log.write(wire::pause_key(strategy), to_json(wire::PauseValue{paused, author}), seen);
  }
  if (invocation.has("json")) {
    print_json([&](JsonWriter& json) {
      json.key("changed").begin_array();
      for (const Change& change : changes) {
        json.begin_object().key("key").string(wire::pause_key(change.strategy));
        json.key("paused").boolean(change.paused).end_object();
      }
      json.end_array();
    });
    return ExitCode::ok;
  }
  for (const Change& change : changes) {
    print_out("{}: {}\n", name_of(change.strategy), change.paused ? "paused" : "resumed");
  }
  return ExitCode::ok;
}

ExitCode pause(const Invocation& invocation, const config::Configuration& configuration) {
  const Strategy strategy = strategy_of(invocation);
  ControlLog log(configuration.settings.broker);
  const std::uint64_t seen = log.last(wire::pause_key(strategy)).sequence;
  return apply(log, invocation, {{strategy, true, seen}});
}

ExitCode resume(const Invocation& invocation, const config::Configuration& configuration) {
  const Strategy asked = strategy_of(invocation);
  ControlLog log(configuration.settings.broker);
  std::vector<Change> changes, others;
  bool is_all_paused = false;
  for (const Strategy& strategy : wire::pausable()) {
    const wire::StoredMessage entry = log.last(wire::pause_key(strategy));
    const auto value = wire::pause_in(entry);
    // What cannot be read may have been meant as a pause.
    const bool is_paused = value ? value->paused : !entry.data.empty();
    if (is_paused && !strategy) is_all_paused = true;
    if (asked && strategy != asked) continue;
    // A key that the log does not have may be one that it has lost: somebody may have heard it.
    const bool is_unknown = !asked && entry.sequence == 0;
    (is_paused || is_unknown ? changes : others).push_back({strategy, false, entry.sequence});
  }
  // For those who have heard a pause that the log has lost since.
  if (changes.empty()) {
    print_error("resume: note: the log has no such pause; written all the same\n");
    changes = others;
  }
  const ExitCode code = apply(log, invocation, changes);
  if (asked && is_all_paused) {
    print_error(
        "resume: note: all strategies are paused, and stay so until `resume` without "
        "--strategy\n");
  }
  return code;
}

constexpr std::array kOptions{kStrategyOption, kReasonOption, kJsonOption};

}  // namespace

constinit const Command kPause{
    {"pause", "order nothing on any replica, whatever restarts, until resumed",
     "realtime-strategies pause --strategy trade_momentum --reason upgrade"},
    Needs::connection,
    pause,
    kOptions};
constinit const Command kResume{
    {"resume", "end the pauses of the control log, all of them or one strategy's",
     "realtime-strategies resume --reason done"},
    Needs::connection,
    resume,
    kOptions};

}  // namespace rts::commands
