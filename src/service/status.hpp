// What the service counts and knows of itself at one moment, and how it is shown: the checks of
// readiness, the HTTP endpoints, the status document of the page and of `top`, and the table of all
// metrics, which /metrics, docs/METRICS.md and the tests walk. Every label has a closed set of
// values, and every series is there, at 0, from the first scrape. Thread: the loop's.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/recent_counts.hpp>
#include <rts/base/result.hpp>
#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/history.hpp>
#include <rts/engine/tally.hpp>
#include <rts/trading/delivery.hpp>
#include <rts/wire/control_log.hpp>
#include <rts/wire/micro_ping.hpp>

#include "http/server.hpp"
#include "nats/types.hpp"
#include "service/publisher.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/process.hpp"

namespace rts::service {

// About a dozen orders may wait for the socket: a longer queue would be sent late.
inline constexpr std::size_t kMaxUnsentOrderBytes = std::size_t{16} << 10U;

// What a message on the control subject was.
BOOST_DEFINE_FIXED_ENUM_CLASS(Control, std::uint8_t, pause, resume, unreadable)
// The checks of /ready.
BOOST_DEFINE_FIXED_ENUM_CLASS(Check, std::uint8_t, nats_connected, subscribed, order_path,
                              order_log, control_log, breaker, not_draining)

// Why orders do not leave as they usually do, the gravest first; `no_feed` and `strategy_paused`
// leave others alone.
BOOST_DEFINE_FIXED_ENUM_CLASS(Notice, std::uint8_t, draining, not_ready, paused, disabled, dry_run,
                              simulated_feed, no_feed, strategy_paused)

// Of the events that are traded on.
inline constexpr std::array kMarketKinds{EventKind::book, EventKind::trade, EventKind::ticker};
template <class Value>
using ByMarketKind = std::array<Value, kMarketKinds.size()>;

// Counted since the start; each number is counted here only.
struct Counts {
  explicit Counts(const SymbolTable& traded);

  // Of one frame; `now` is its time of receipt by the steady clock.
  void add(const Step& step, UnixNs received_at, SteadyTime now);

  // By kind: event times, 1970 until there was one, and when they were received.
  struct LastEvents {
    Symbol symbol;
    ByMarketKind<UnixMs> at{};
    ByMarketKind<std::optional<SteadyTime>> received{};
  };
  // Evaluated events by kind over a quarter of an hour, and the present part, which has only begun.
  static constexpr std::chrono::seconds kRatePart{5};
  using Rates = RecentCounts<kMarketKinds.size(), std::chrono::minutes(15) / kRatePart + 1>;

  const SymbolTable& symbols;
  Tally tally;
  History history;
  std::array<std::array<std::uint64_t, count_of<OrderResult>>, count_of<StrategyId>> orders{};
  std::array<std::uint64_t, count_of<Control>> control_messages{};
  std::uint64_t odd_log_entries = 0;      // of the order log, that are no orders of ours
  std::uint64_t odd_control_entries = 0;  // of the control log, that could not be taken
  telemetry::Histogram step_duration;
  telemetry::Histogram receive_to_publish;
  telemetry::Histogram order_answer;
  ByMarketKind<telemetry::Histogram> event_lag;
  ByMarketKind<std::optional<SteadyTime>> last_received{};  // of evaluated events
  std::vector<LastEvents> last_events;                      // by symbol index
  Rates rates{kRatePart};
  std::optional<SteadyTime> last_simulated{};  // frame of a made-up market
};

// A log at the broker, where it is used.
struct LogState {
  std::string stream{};
  std::string problem{};  // why it does not serve; empty: it does
  std::uint64_t last_sequence = 0;
  std::string off{};  // why it is not used though it is set; empty: it is
};

// A revision of the settings, as it was taken from the control log.
struct TakenSettings {
  std::uint64_t sequence;
  wire::SettingsValue value;
};

// Of the revisions from the last one that holds by now on, by the time from which they hold: that
// one, null where none holds yet; and its values.
[[nodiscard]] inline const TakenSettings* in_force(std::span<const TakenSettings> revisions,
                                                   UnixMs now) noexcept {
  const bool holds = !revisions.empty() && revisions.front().value.effective_from <= now;
  return holds ? &revisions.front() : nullptr;
}
[[nodiscard]] inline std::span<const config::Given> live_values(
    std::span<const TakenSettings> revisions, UnixMs now) noexcept {
  const TakenSettings* const taken = in_force(revisions, now);
  return taken == nullptr ? std::span<const config::Given>() : taken->value.values;
}

struct CheckResult {
  bool ok;
  std::string detail;  // why, for people
};

struct NoticeText {
  Notice what;
  std::string text;  // for people
};

// A process that answers to our name.
struct Replica {
  wire::MicroPing said;
  SteadyTime at{};  // when
};

// What all parts say of themselves at one moment.
struct State {
  const config::Configuration& configuration;
  const Counts& counts;
  SteadyTime at{};
  UnixMs now{};
  std::string_view id{};             // of this process
  std::string_view settings_hash{};  // of what is in force
  nats::Status nats{};
  Publisher::Status delivery{};
  std::optional<LogState> order_log{}, control_log{};
  // The last one that holds by now, and those that will, by the time they do.
  std::span<const TakenSettings> revisions{};
  std::span<const Replica> replicas{};  // that were seen lately, this one among them
  http::Stats http{};
  telemetry::ProcessUsage process{};  // for the metrics; it costs some system calls
  bool draining = false;
  std::chrono::duration<double> uptime{};
  std::array<bool, count_of<StrategyId>> enabled{};
  std::array<bool, count_of<StrategyId>> paused{};
  std::uint64_t lost_log_lines = 0;
  std::uint64_t shortened_log_lines = 0;

  [[nodiscard]] const TakenSettings* in_force() const noexcept {
    return service::in_force(revisions, now);
  }
  [[nodiscard]] std::span<const config::Given> live_values() const noexcept {
    return service::live_values(revisions, now);
  }
  [[nodiscard]] UnixMs started() const noexcept {
    return now - std::chrono::floor<std::chrono::milliseconds>(uptime);
  }
  [[nodiscard]] CheckResult result_of(Check check) const;
  [[nodiscard]] bool ready() const;  // every check is ok
  [[nodiscard]] std::vector<NoticeText> notices() const;
};

// What delivery promises, for people.
[[nodiscard]] std::string_view delivery_guarantee(const config::Settings& settings);

// {"ready":false,"checks":{"nats_connected":{"ok":false,"detail":"…"},…},…}
[[nodiscard]] http::Response ready_response(const State& state);
// What who commands on the control subject is told: {"ok":true,"trading_paused":{…}}, with what the
// control log pauses.
[[nodiscard]] std::string control_answer(const State& state, bool ok);
[[nodiscard]] http::Response info_response(const State& state);
// What the query asks for of the last decisions, the newest last: {"decisions":[…]}; with
// format=text a line each. 400, with what is accepted, where it cannot be answered.
[[nodiscard]] http::Response decisions_response(const State& state, std::string_view query);
inline constexpr std::size_t kMaxDecisions = 200;  // of one answer

// The page at "/", which is the same at any time: it asks for all it shows.
[[nodiscard]] http::Response page_response();
// Which symbol the status document looks at more closely: the query's, else the first traded one;
// empty where there is none yet. Of any other query what is wrong with it, for people.
[[nodiscard]] Result<std::optional<Symbol>, std::string> watched_symbol(const SymbolTable& symbols,
                                                                        std::string_view query);
// {"service":…,"trading":true,"notices":[…],"feed":{…},…}, on one line.
[[nodiscard]] std::string status_document(const State& state, const std::optional<Symbol>& watched);

[[nodiscard]] std::span<const telemetry::Metric<State>> metrics_table() noexcept;

}  // namespace rts::service
