// What the HTTP endpoints say: pure functions from what is known to text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <rts/config/settings.hpp>
#include <rts/engine/tally.hpp>

#include "nats/client.hpp"
#include "service/publisher.hpp"
#include "telemetry/metrics.hpp"

namespace rts::service {

using OrderCounts =
    std::array<std::array<std::uint64_t, count_of<OrderResult>>, kStrategies.size()>;

struct State {
  nats::Status nats;
  Publisher::Stats delivery;
  std::string path_problem;  // why orders do not arrive, as far as that is known
  bool path_tried = true;    // false: nobody knows yet whether they do
  bool dry_run = false;
  bool draining = false;
  std::array<bool, kStrategies.size()> enabled{};
  std::array<bool, kStrategies.size()> paused{};
  std::size_t max_buffered_bytes = 0;
  double uptime_seconds = 0;
  std::array<std::optional<double>, 3> event_age_seconds{};  // book, trade, ticker; empty: none yet

  [[nodiscard]] bool holds(telemetry::Check check) const noexcept;
  [[nodiscard]] bool ready() const noexcept;
};

// {"ready":false,"checks":{"nats_connected":{"ok":false,"detail":"…"},…},…}
[[nodiscard]] std::string ready_json(const State& state);

[[nodiscard]] std::string info_json(const State& state, const config::Configuration& configuration);

// The page at "/": a plain index with the numbers that matter.
[[nodiscard]] std::string index_html(const State& state, const config::Configuration& configuration,
                                     const Tally& tally, const OrderCounts& orders);

// What delivery promises, in words.
[[nodiscard]] std::string delivery_guarantee(const config::Settings& settings);

}  // namespace rts::service
