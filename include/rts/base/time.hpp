// Points in time as values, and their ISO 8601 text. There is no clock here: time is always passed
// in. Usable from any thread.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rts {

using UnixMs = std::chrono::sys_time<std::chrono::milliseconds>;  // event times: UTC, ms since 1970
using UnixNs =
    std::chrono::sys_time<std::chrono::nanoseconds>;  // receive times: UTC, ns since 1970

[[nodiscard]] constexpr UnixMs to_ms(UnixNs at) noexcept {
  return std::chrono::floor<std::chrono::milliseconds>(at);
}

[[nodiscard]] constexpr double in_seconds(std::chrono::duration<double> duration) noexcept {
  return duration.count();
}

// Days and minutes since 1970, UTC: the buckets of the gate's limits.
[[nodiscard]] constexpr std::int64_t utc_day(UnixMs at) noexcept {
  return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}
[[nodiscard]] constexpr std::int64_t utc_minute(UnixMs at) noexcept {
  return std::chrono::floor<std::chrono::minutes>(at).time_since_epoch().count();
}
// 0 … 23, UTC.
[[nodiscard]] constexpr std::size_t utc_hour_of_day(UnixMs at) noexcept {
  const auto since_midnight = at - std::chrono::floor<std::chrono::days>(at);
  return static_cast<std::size_t>(since_midnight / std::chrono::hours{1});
}

// "2024-08-08T23:54:16.720785Z" and its kin: 'T' or a blank between date and time; seconds and
// their fraction may be missing; 'Z', "+hh", "+hhmm" or "+hh:mm", and UTC when there is no offset.
// Fractions beyond the millisecond are cut off. Empty when the text is no such time.
[[nodiscard]] std::optional<UnixMs> parse_iso8601(std::string_view text) noexcept;

// parse_iso8601() for texts that come one after the other: of those that begin with the same second
// only the rest is read. Not thread-safe.
class Iso8601Reader {
 public:
  [[nodiscard]] std::optional<UnixMs> read(std::string_view text) noexcept;

 private:
  static constexpr std::string_view kUpToSeconds = "2024-08-08T23:54:16";

  std::array<char, kUpToSeconds.size()> second_text_{};
  std::optional<UnixMs> second_;  // that second_text_ says; empty before the first
};

// "2024-07-19" and "2024-07-19T00:03:11.109" (no offset: the caller appends "Z" or "+00:00").
void append_iso8601_date(std::string& out, UnixMs at);
void append_iso8601(std::string& out, UnixMs at);
// "2024-07-19T00:03:11.109Z".
[[nodiscard]] std::string rfc3339(UnixMs at);

}  // namespace rts
