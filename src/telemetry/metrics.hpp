// The metrics: one registry of our own, every series made at the start and at 0 from the first
// scrape, labels only from closed sets. docs/METRICS.md is made from the same table. Thread: the
// loop's. The only room that knows prometheus-cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/trading/breaker.hpp>
#include <rts/trading/delivery.hpp>

namespace rts::telemetry {

// The checks of /ready.
enum class Check : std::uint8_t { nats_connected, subscribed, order_path, breaker, not_draining };
inline constexpr std::array kChecks{Check::nats_connected, Check::subscribed, Check::order_path,
                                    Check::breaker, Check::not_draining};
[[nodiscard]] std::string_view to_string(Check check) noexcept;

// What a message on the control subject was.
enum class Control : std::uint8_t { pause, resume, unreadable };
inline constexpr std::array kControls{Control::pause, Control::resume, Control::unreadable};
[[nodiscard]] std::string_view to_string(Control control) noexcept;

// Numbers that others keep and a scrape reads.
struct Snapshot {
  Tally tally{};
  bool ready = false;
  std::array<bool, kChecks.size()> checks{};
  BreakerState breaker = BreakerState::closed;
  CircuitBreaker::Entered breaker_entered{};
  std::size_t orders_in_flight = 0;
  std::uint64_t order_repeats = 0;
  std::uint64_t odd_answers = 0;         // that could not be read
  std::uint64_t unexpected_answers = 0;  // that nobody awaited
  std::array<std::uint64_t, kControls.size()> control_messages{};
  bool nats_connected = false;
  std::uint64_t nats_reconnects = 0;
  std::uint64_t nats_dropped_messages = 0;
  std::uint64_t nats_status_messages = 0;
  std::size_t nats_buffered_bytes = 0;
  std::array<bool, kStrategies.size()> paused{};
  std::uint64_t lost_log_lines = 0;
  std::uint64_t shortened_log_lines = 0;
  std::size_t http_connections = 0;
  std::uint64_t http_requests = 0;
};

// What is running, for the series that say so.
struct Running {
  std::string_view version;
  std::string_view commit;
  std::string_view settings_hash;
};

class Metrics {
 public:
  // `traded` gets its series at once; symbols that come later under TRADING_SYMBOLS=* when they are
  // first seen, up to the engine's bound.
  Metrics(const SymbolTable& symbols, const Running& running);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  Metrics(Metrics&&) = delete;
  Metrics& operator=(Metrics&&) = delete;

  // Takes the lag, receive time − event time, and the event time of every decided event. How many
  // events there were and what became of them is the tally's to know.
  void observe(const Step& step, UnixNs received_at);
  void observe_step(std::chrono::nanoseconds duration);
  void count(StrategyId strategy, OrderResult result);
  void observe_publish(std::chrono::nanoseconds since_receipt);
  void observe_answer(std::chrono::nanoseconds since_sending);

  // Prometheus text format 0.0.4.
  [[nodiscard]] std::string scrape(const Snapshot& now);

 private:
  class Registry;
  std::unique_ptr<Registry> registry_;
};

// docs/METRICS.md.
[[nodiscard]] std::string metrics_markdown();

}  // namespace rts::telemetry
