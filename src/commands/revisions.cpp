// `settings`: what the control log says now, what it said before, and back to that.
#include <algorithm>
#include <array>

#include "commands/control_log.hpp"
#include "commands/output.hpp"

namespace rts::commands {
namespace {

struct Pause {
  std::string key;
  std::uint64_t revision;
  std::optional<wire::PauseValue> value;  // empty: unreadable
};

// Of the keys that hold something.
std::vector<Pause> pauses_of(ControlLog& log) {
  std::vector<Pause> pauses;
  for (const auto strategy : wire::pausable()) {
    const std::string key = wire::pause_key(strategy);
    const wire::StoredMessage entry = log.last(key);
    if (!entry.data.empty()) pauses.push_back({key, entry.sequence, wire::pause_in(entry)});
  }
  return pauses;
}

// The revision that gave the name the value that it has in the last one.
const SettingsEntry& origin_of(const std::vector<SettingsEntry>& entries,
                               const wire::GivenValue& given) {
  const auto has_it = [&](const SettingsEntry& entry) {
    return std::any_of(
        entry.value.values.begin(), entry.value.values.end(),
        [&](const auto& other) { return other.name == given.name && other.value == given.value; });
  };
  const auto without = std::find_if_not(entries.rbegin(), entries.rend(), has_it);
  return *(without.base());
}

void write(JsonWriter& json, const wire::Authorship& author) {
  json.key("by").string(author.by).key("at").string(author.at).key("reason").string(author.reason);
}

void write(JsonWriter& json, const SettingsEntry& entry) {
  json.key("revision").unsigned_integer(entry.revision);
  json.key("effective_from").string(rfc3339(entry.value.effective_from));
}

ExitCode show(ControlLog& log, const Invocation& invocation) {
  const auto pauses = pauses_of(log);
  const auto entries = readable(log.history(wire::kSettingsKey));
  const auto values =
      entries.empty() ? std::vector<wire::GivenValue>{} : entries.back().value.values;
  if (invocation.has("json")) {
    print_json([&](JsonWriter& json) {
      json.key("pauses").begin_array();
      for (const auto& [key, revision, value] : pauses) {
        json.begin_object().key("key").string(key).key("revision").unsigned_integer(revision);
        value ? json.key("paused").boolean(value->paused) : json.key("paused").null();
        write(json, value ? value->author : wire::Authorship{});
        json.end_object();
      }
      json.end_array().key("settings").begin_object();
      if (!entries.empty()) write(json, entries.back());
      json.key("values").begin_object();
      for (const wire::GivenValue& given : values) {
        const SettingsEntry& origin = origin_of(entries, given);
        json.key(given.name).begin_object().key("value").string(given.value);
        write(json, origin);
        write(json, origin.value.author);
        json.end_object();
      }
      json.end_object().end_object();
    });
    return ExitCode::ok;
  }
  print_out("{}\n", log.name());
  for (const auto& [key, revision, value] : pauses) {
    if (value && !value->paused) continue;
    print_out("{}: {}{}\n", key, value ? "paused since " + value->author.at : "unreadable",
              value ? shown_authorship(value->author) : "");
  }
  const bool is_paused = std::any_of(pauses.begin(), pauses.end(), [](const Pause& pause) {
    return !pause.value || pause.value->paused;
  });
  if (!is_paused) print_out("nothing is paused\n");
  for (const wire::GivenValue& given : values) {
    const SettingsEntry& origin = origin_of(entries, given);
    print_out("{}={} from {} on (revision {}{})\n", given.name, given.value,
              rfc3339(origin.value.effective_from), origin.revision,
              shown_authorship(origin.value.author));
  }
  if (values.empty()) print_out("no setting is changed\n");
  return ExitCode::ok;
}

ExitCode show_history(ControlLog& log, const Invocation& invocation) {
  const auto entries = readable(log.history(wire::kSettingsKey));
  if (invocation.has("json")) {
    print_json([&](JsonWriter& json) {
      json.key("revisions").begin_array();
      for (const SettingsEntry& entry : entries) {
        json.begin_object();
        write(json, entry);
        json.key("values").begin_object();
        for (const auto& [name, text] : entry.value.values) json.key(name).string(text);
        json.end_object();
        write(json, entry.value.author);
        json.end_object();
      }
      json.end_array();
    });
    return ExitCode::ok;
  }
  for (const auto& [revision, value] : entries) {
    print_out("{:>6} from {} on{}\n", revision, rfc3339(value.effective_from),
              shown_authorship(value.author));
    for (const auto& [name, text] : value.values) print_out("         {}={}\n", name, text);
  }
  if (entries.empty()) print_out("no setting was ever changed\n");
  return ExitCode::ok;
}

ExitCode roll_back(ControlLog& log, const Invocation& invocation,
                   const config::Configuration& configuration, std::uint64_t revision) {
  const auto history = log.history(wire::kSettingsKey);
  const auto entries = readable(history);
  const auto found = std::ranges::find(entries, revision, &SettingsEntry::revision);
  require(found != entries.end(), "--rollback {}: there is no such revision; see --history",
          revision);
  const wire::SettingsValue value{effective_from(invocation, now_ms()), found->value.values,
                                  authorship(invocation)};
  return write_settings(log, invocation, configuration, value, history.back().sequence);
}

ExitCode settings(const Invocation& invocation, const config::Configuration& configuration) {
  const auto revision = invocation.whole_number("rollback", {.min = 1});
  require(!revision || !invocation.has("history"), "--history and --rollback: give one of them");
  ControlLog log(configuration.settings.broker);
  if (revision) return roll_back(log, invocation, configuration, *revision);
  return invocation.has("history") ? show_history(log, invocation) : show(log, invocation);
}

constexpr std::array kOptions{
    Option{"--history", "", "the revisions of the settings instead, up to 64, the oldest first"},
    Option{"--rollback", "N", "write the values of revision N anew"},
    kFromOption,
    kInOption,
    kReasonOption,
    kJsonOption};

}  // namespace

constinit const Command kSettings{
    {"settings", "show pauses and changed settings: who, when, why; or go back",
     "realtime-strategies settings --history"},
    Needs::connection,
    settings,
    kOptions};

}  // namespace rts::commands
