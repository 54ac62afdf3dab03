// What the HTTP endpoints say, and the checks of readiness: pure functions from what is known.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <rts/base/enum_names.hpp>
#include <rts/config/settings.hpp>
#include <rts/market/events.hpp>
#include <rts/strategy/verdict.hpp>

#include "http/server.hpp"
#include "nats/client.hpp"
#include "service/publisher.hpp"

namespace rts::service {

struct Counts;

// The checks of /ready.
BOOST_DEFINE_FIXED_ENUM_CLASS(Check, std::uint8_t, nats_connected, subscribed, order_path, breaker,
                              not_draining)

// Of the events that are traded on.
inline constexpr std::array kMarketKinds{EventKind::book, EventKind::trade, EventKind::ticker};

struct CheckResult {
  bool ok;
  std::string detail;  // why, for people
};

// What all parts say of themselves at one moment.
struct State {
  nats::Status nats;
  Publisher::Stats delivery;
  http::Stats http;
  std::string path_problem;  // why orders do not arrive, as far as that is known
  bool path_tried = true;    // false: it is not known yet whether they do
  bool dry_run = false;
  bool draining = false;
  std::array<bool, count_of<StrategyId>> enabled{};
  std::array<bool, count_of<StrategyId>> paused{};
  std::size_t max_buffered_bytes = 0;
  double uptime_seconds = 0;
  // Since the last event, by kind; empty: there was none yet.
  std::array<std::optional<double>, kMarketKinds.size()> event_age_seconds{};
  std::uint64_t lost_log_lines = 0;
  std::uint64_t shortened_log_lines = 0;

  [[nodiscard]] CheckResult result_of(Check check) const;
  [[nodiscard]] bool ready() const;  // every check is ok
};

// {"ready":false,"checks":{"nats_connected":{"ok":false,"detail":"…"},…},…}
[[nodiscard]] std::string ready_json(const State& state);

[[nodiscard]] std::string info_json(const State& state, const config::Configuration& configuration);

// The page at "/": a plain index with the numbers that matter.
[[nodiscard]] std::string index_html(const State& state, const config::Configuration& configuration,
                                     const Counts& counts);

}  // namespace rts::service
