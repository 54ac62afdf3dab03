// What the endpoints write alike. Only for this room.
#pragma once

#include <chrono>
#include <cmath>
#include <string>

#include <rts/base/json_writer.hpp>
#include <rts/base/time.hpp>
#include <rts/market/units.hpp>

#include "service/status.hpp"

namespace rts::service {

// Null when it is no number.
inline JsonWriter& append_number(JsonWriter& json, double value) {
  const auto finite = Indicator::from(value);
  return finite ? json.number(*finite) : json.null();
}

// To the millisecond.
inline JsonWriter& append_seconds(JsonWriter& json, std::chrono::duration<double> seconds) {
  return append_number(json, std::round(seconds.count() * 1000) / 1000);
}

// How long ago that was; null: it never was.
inline JsonWriter& append_age(JsonWriter& json, const State& state,
                              const std::optional<SteadyTime>& at) {
  return at ? append_seconds(json, state.at - *at) : json.null();
}

// "2024-07-19T00:03:11.109Z".
inline JsonWriter& append_time(JsonWriter& json, UnixMs at) {
  std::string text;
  append_iso8601(text, at);
  return json.string(text += 'Z');
}

// {"<name of a key>":…} for each of the keys, whose value `write` adds.
template <class List, class Write>
JsonWriter& append_object(JsonWriter& json, const List& keys, Write write) {
  json.begin_object();
  for (const auto key : keys) {
    json.key(to_string(key));
    write(key);
  }
  return json.end_object();
}

// {"nats_connected":{"ok":true,"detail":"…"},…}.
JsonWriter& append_checks(JsonWriter& json, const State& state);

}  // namespace rts::service
