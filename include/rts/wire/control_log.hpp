// The control log (SPEC §6): a key-value bucket at the broker, which is a stream whose subjects are
// the keys. Anybody may have written its values; whatever they are, reading them is bounded and
// never fails harder than with "none". Usable from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/wire/stream_info.hpp>

namespace rts::wire {

// Longer values are not read.
inline constexpr std::size_t kMaxControlBytes = std::size_t{64} << 10U;
// Live values of one revision; more make it unreadable.
inline constexpr std::size_t kMaxLiveValues = 512;
// Bytes of a name or a value; a longer one makes the revision unreadable.
inline constexpr std::size_t kMaxLiveTextBytes = 200;
// How far ahead of its being stored a revision may take effect: the commands write at most 24 h.
inline constexpr std::chrono::hours kMaxAheadOfStored{25};
// Reason, author and date are cut to so many bytes.
inline constexpr std::size_t kMaxNoteBytes = 200;

inline constexpr std::string_view kPauseKey = "pause";
inline constexpr std::string_view kSettingsKey = "settings";

// "pause" for all, else "pause.<strategy>".
[[nodiscard]] std::string pause_key(std::optional<StrategyId> strategy);
// What can be paused: all, and each strategy.
[[nodiscard]] std::vector<std::optional<StrategyId>> pausable();

// Who wrote a value, why and when; each may be empty. `at` is RFC 3339 as it was written.
struct Authorship {
  std::string reason, by, at;
};

// {"paused":true,"reason":…,"by":…,"at":…}
struct PauseValue {
  bool paused = false;
  Authorship author{};
};

// The same of one strategy, or of all of them, as a recording has it.
struct PauseChange {
  std::optional<StrategyId> strategy;
  PauseValue value;
};

// A setting by the name of its environment variable, and its value as text.
struct GivenValue {
  std::string name;
  std::string value;
};

// {"effective_from":1721390400000,"values":{"SIGNAL_COOLDOWN_SECONDS":"60"},"reason":…,…}: all the
// values that hold from an event time on, in the place of all those before.
struct SettingsValue {
  UnixMs effective_from;
  std::vector<GivenValue> values{};
  Authorship author{};
};

// Empty when it is no such value. The values of settings have to be texts.
[[nodiscard]] std::optional<PauseValue> parse_pause_value(std::string_view json);
[[nodiscard]] std::optional<SettingsValue> parse_settings_value(std::string_view json);

// The same of an entry of the bucket. A key that was deleted pauses nobody, and there are no values
// from then on.
[[nodiscard]] std::optional<PauseValue> pause_in(const StoredMessage& entry);
[[nodiscard]] std::optional<SettingsValue> settings_in(const StoredMessage& entry);

[[nodiscard]] std::string to_json(const PauseValue& value);
[[nodiscard]] std::string to_json(const SettingsValue& value);
// With "strategy", which is "all" for all; parse_pause() reads it.
[[nodiscard]] std::string to_json(const PauseChange& change);

}  // namespace rts::wire
