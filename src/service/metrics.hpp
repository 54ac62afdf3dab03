// What the service counts and measures, and the table of all metrics: /metrics, docs/METRICS.md and
// the tests walk it. Every label has a closed set of values, and every series is there, at 0, from
// the first scrape. Thread: the loop's.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/trading/delivery.hpp>

#include "service/status.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/process.hpp"

namespace rts::service {

// What a message on the control subject was.
BOOST_DEFINE_FIXED_ENUM_CLASS(Control, std::uint8_t, pause, resume, unreadable)

// Counted since the start; each number is counted here only.
struct Counts {
  explicit Counts(const SymbolTable& traded);

  // Of one frame.
  void add(const Step& step, UnixNs received_at);

  // Event times by kind; 1970 until there was one.
  struct LastEvents {
    Symbol symbol;
    std::array<UnixMs, kMarketKinds.size()> at{};
  };

  const SymbolTable& symbols;
  Tally tally;
  std::array<std::array<std::uint64_t, count_of<OrderResult>>, count_of<StrategyId>> orders{};
  std::array<std::uint64_t, count_of<Control>> control_messages{};
  telemetry::Histogram step_duration;
  telemetry::Histogram receive_to_publish;
  telemetry::Histogram order_answer;
  std::array<telemetry::Histogram, kMarketKinds.size()> event_lag;  // by kind
  std::vector<LastEvents> last_events;                              // by symbol index
};

// All that the metrics show, at one moment.
struct Numbers {
  const Counts& counts;
  State state;
  std::string_view settings_hash;
  telemetry::ProcessUsage process = telemetry::read_process_usage();
};

[[nodiscard]] std::span<const telemetry::Metric<Numbers>> metrics_table() noexcept;

// docs/METRICS.md.
[[nodiscard]] std::string metrics_markdown();

}  // namespace rts::service
