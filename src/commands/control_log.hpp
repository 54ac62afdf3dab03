// The control log at the broker, as `pause`, `resume`, `set`, `unset` and `settings` read and write
// it, and the options that they share. Blocking; a command's main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/wire/control_log.hpp>

#include "commands/command_line.hpp"
#include "nats/admin.hpp"

namespace rts::commands {

class ControlLog {
 public:
  static constexpr std::size_t kMaxHistory = 64;  // revisions of a key that are looked at

  // Throws CommandError: configuration where the settings name no bucket, unavailable where the
  // broker does not answer. So do all that follow, the latter also without the bucket.
  explicit ControlLog(const config::BrokerParameters& broker);

  // What the key has now; of sequence 0: nothing.
  [[nodiscard]] wire::StoredMessage last(std::string_view key);
  // The same and what it had before, the oldest first.
  [[nodiscard]] std::vector<wire::StoredMessage> history(std::string_view key);
  // Writes the key's next revision, and gives its number, unless another one than `seen` is its
  // last: two people never overwrite each other unseen.
  std::uint64_t write(std::string_view key, const std::string& json, std::uint64_t seen);

  // "bucket realtime-strategies at nats://localhost:4222".
  [[nodiscard]] std::string name() const;

 private:
  // The answer to a request for a message; empty: there is none.
  std::optional<wire::StoredMessage> ask(const std::string& request);

  const config::BrokerParameters& broker_;
  nats::Admin admin_;
};

// Revisions of the settings that are readable and of no time that is too far away, as a service
// takes them; the oldest first.
struct SettingsEntry {
  std::uint64_t revision = 0;
  wire::SettingsValue value{};
};
[[nodiscard]] std::vector<SettingsEntry> readable(const std::vector<wire::StoredMessage>& history);

[[nodiscard]] UnixMs now_ms();

// Who writes, now, and why by --reason. Throws CommandError(usage) of a reason that is too long or
// has control characters.
[[nodiscard]] wire::Authorship authorship(const Invocation& invocation);
// " by me@here: news", as far as that is known.
[[nodiscard]] std::string shown_authorship(const wire::Authorship& author);

// The event time from which on a revision holds, by --effective-from, --in, or kDefaultDelay from
// now. Throws CommandError(usage) of what is past, or farther than kMaxDelay away.
inline constexpr std::chrono::seconds kDefaultDelay{5};
inline constexpr std::chrono::hours kMaxDelay{24};
[[nodiscard]] UnixMs effective_from(const Invocation& invocation, UnixMs now);

// Writes a revision with these values, if an engine of this configuration accepts them all, and
// says so; else says every problem, and writes nothing.
[[nodiscard]] ExitCode write_settings(ControlLog& log, const Invocation& invocation,
                                      const config::Configuration& configuration,
                                      const wire::SettingsValue& value, std::uint64_t seen);

inline constexpr Option kReasonOption{"--reason", "TEXT", "why; kept with who and when"};
inline constexpr Option kStrategyOption{
    "--strategy", "orderbook_skew|trade_momentum|ticker_velocity|all", "default: all"};
inline constexpr Option kFromOption{"--effective-from", "TIME",
                                    "event time from which on it holds, as 2026-11-28T10:40:00Z, "
                                    "up to 24 h away"};
inline constexpr Option kInOption{
    "--in", "SECONDS", "the same from now on (default 5, so that every replica has heard it)"};

}  // namespace rts::commands
