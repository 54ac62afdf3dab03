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

namespace rts::telemetry {

// How an order ended. Every signal ends in exactly one.
enum class OrderResult : std::uint8_t {
  unconfirmed,   // given to the broker; nobody was asked for an answer
  expired,       // its valid_until had passed before it could be sent
  disconnected,  // no broker
  buffer_full,   // the connection does not take more
  rejected,      // the client library or broker cannot take such a message
  dry_run,       // DRY_RUN_MODE: decided, not sent
};
inline constexpr std::array kOrderResults{OrderResult::unconfirmed,  OrderResult::expired,
                                          OrderResult::disconnected, OrderResult::buffer_full,
                                          OrderResult::rejected,     OrderResult::dry_run};
[[nodiscard]] std::string_view to_string(OrderResult result) noexcept;

// Numbers that others keep and a scrape reads.
struct Snapshot {
  bool ready = false;
  bool nats_connected = false;
  std::uint64_t nats_reconnects = 0;
  std::uint64_t nats_dropped_messages = 0;
  std::size_t nats_buffered_bytes = 0;
  std::array<bool, kStrategies.size()> paused{};
  std::uint64_t lost_log_lines = 0;
  std::size_t http_connections = 0;
  std::uint64_t http_requests = 0;
};

class Metrics {
 public:
  // `traded` gets its series at once; symbols that come later under TRADING_SYMBOLS=* when they are
  // first seen, up to the engine's bound.
  Metrics(const SymbolTable& symbols, std::string_view version, std::string_view commit);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  Metrics(Metrics&&) = delete;
  Metrics& operator=(Metrics&&) = delete;

  // What a frame led to. `lag` = receive time − event time is taken of every decided event.
  void count(const Step& step, UnixNs received_at);
  void observe_step(std::chrono::nanoseconds duration);
  void count(StrategyId strategy, OrderResult result);
  void observe_publish(std::chrono::nanoseconds since_receipt);

  // Prometheus text format 0.0.4.
  [[nodiscard]] std::string scrape(const Snapshot& now);

 private:
  class Registry;
  std::unique_ptr<Registry> registry_;
};

// docs/METRICS.md.
[[nodiscard]] std::string metrics_markdown();

}  // namespace rts::telemetry
