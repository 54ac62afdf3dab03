// What the endpoints write alike. Only for this room.
#pragma once

#include <chrono>
#include <cmath>
#include <optional>

#include <rts/base/json_writer.hpp>

#include "service/status.hpp"

namespace rts::service {

// To the millisecond.
inline JsonWriter& append_seconds(JsonWriter& json, std::chrono::duration<double> seconds) {
  return json.number_or_null(std::round(seconds.count() * 1000) / 1000);
}

// How long ago that was; null: it never was.
inline JsonWriter& append_age(JsonWriter& json, const State& state,
                              const std::optional<SteadyTime>& at) {
  return at ? append_seconds(json, state.at - *at) : json.null();
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
