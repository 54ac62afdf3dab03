#include <rts/base/json_writer.hpp>
#include <rts/base/utf8.hpp>
#include <rts/wire/control_log.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

constexpr std::int64_t kLastMs = 253'402'300'799'999;  // of the year 9999

std::string note_at(const dom::object& object, std::string_view key) {
  return shown(text_at(object, key), kMaxNoteBytes, ' ');
}

Authorship authorship_of(const dom::object& value) {
  return {note_at(value, "reason"), note_at(value, "by"), note_at(value, "at")};
}

void write(JsonWriter& json, const Authorship& author) {
  json.key("reason").string(author.reason).key("by").string(author.by);
  json.key("at").string(author.at);
}

// Empty unless all of them are names with texts, and not too many or too long ones.
std::optional<std::vector<GivenValue>> values_of(const dom::object& object) {
  std::vector<GivenValue> values;
  for (const auto field : object) {
    const auto text = as<std::string_view>(field.value);
    if (!text || text->size() > kMaxLiveTextBytes || field.key.size() > kMaxLiveTextBytes ||
        values.size() == kMaxLiveValues) {
      return std::nullopt;
    }
    values.push_back({std::string(field.key), std::string(*text)});
  }
  return values;
}

}  // namespace

std::string pause_key(std::optional<StrategyId> strategy) {
  std::string key(kPauseKey);
  return strategy ? key.append(".").append(to_string(*strategy)) : key;
}

std::vector<std::optional<StrategyId>> pausable() {
  std::vector<std::optional<StrategyId>> all{std::nullopt};
  all.insert(all.end(), all_of<StrategyId>.begin(), all_of<StrategyId>.end());
  return all;
}

std::optional<PauseValue> parse_pause_value(std::string_view json) {
  dom::parser parser;
  const auto value = parse_as_json<dom::object>(parser, json, kMaxControlBytes);
  const auto paused = value ? value_at<bool>(*value, "paused") : std::nullopt;
  if (!paused) return std::nullopt;
  return PauseValue{*paused, authorship_of(*value)};
}

std::optional<SettingsValue> parse_settings_value(std::string_view json) {
  dom::parser parser;
  const auto value = parse_as_json<dom::object>(parser, json, kMaxControlBytes);
  if (!value) return std::nullopt;
  const auto from = value_at<std::int64_t>(*value, "effective_from");
  const auto object = value_at<dom::object>(*value, "values");
  auto values = object ? values_of(*object) : std::nullopt;
  if (!from || *from < 0 || *from > kLastMs || !values) return std::nullopt;
  return SettingsValue{UnixMs(std::chrono::milliseconds(*from)), *std::move(values),
                       authorship_of(*value)};
}

std::optional<PauseValue> pause_in(const StoredMessage& entry) {
  return entry.is_deletion() ? PauseValue{} : parse_pause_value(entry.data);
}

std::optional<SettingsValue> settings_in(const StoredMessage& entry) {
  return entry.is_deletion() ? SettingsValue{.effective_from = entry.stored_at}
                             : parse_settings_value(entry.data);
}

std::string to_json(const PauseValue& value) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("paused").boolean(value.paused);
  write(json, value.author);
  json.end_object();
  return out;
}

std::string to_json(const PauseChange& change) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("paused").boolean(change.value.paused);
  json.key("strategy").string(change.strategy ? to_string(*change.strategy) : "all");
  write(json, change.value.author);
  json.end_object();
  return out;
}

std::string to_json(const SettingsValue& value) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("effective_from").integer(value.effective_from.time_since_epoch().count());
  json.key("values").begin_object();
  for (const auto& [name, text] : value.values) json.key(name).string(text);
  json.end_object();
  write(json, value.author);
  json.end_object();
  return out;
}

}  // namespace rts::wire
