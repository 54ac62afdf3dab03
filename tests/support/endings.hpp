// How events ended, as text that reads like the accounting of SPEC §1: "dropped/malformed",
// "trade_momentum/warming_up". For tests that step an Engine.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <rts/engine/engine.hpp>

namespace rts::test {

using Endings = std::vector<std::string>;

[[nodiscard]] inline std::string ending(const EventRecord& record) {
  if (const Reason* reason = record.reason()) {
    return fmt::format("{}/{}", disposition(*reason), to_string(*reason));
  }
  const Decision& decision = *record.decision();
  return fmt::format("{}/{}", to_string(decision.strategy), to_string(decision.outcome));
}

[[nodiscard]] inline Endings endings(const Step& step) {
  Endings all;
  for (const EventRecord& record : step.events) all.push_back(ending(record));
  return all;
}

// Of every event of one frame, in its order.
[[nodiscard]] inline Endings endings(Engine& engine, const std::string& frame,
                                     std::optional<UnixNs> received_at = std::nullopt) {
  return endings(engine.step(frame, received_at));
}

// Of the only event of a frame; says so when there is not exactly one.
[[nodiscard]] inline std::string ending(Engine& engine, const std::string& frame,
                                        std::optional<UnixNs> received_at = std::nullopt) {
  const Endings all = endings(engine, frame, received_at);
  return all.size() == 1 ? all.front() : fmt::format("{} events", all.size());
}

// A frame whose ending is not the question.
inline void feed(Engine& engine, const std::string& frame,
                 std::optional<UnixNs> received_at = std::nullopt) {
  engine.step(frame, received_at);
}

[[nodiscard]] inline UnixNs ms_as_ns(std::int64_t unix_ms) {
  return UnixNs(std::chrono::milliseconds(unix_ms));
}

[[nodiscard]] inline std::vector<Symbol> symbols(const std::vector<std::string>& names) {
  std::vector<Symbol> all;
  for (const auto& name : names) all.push_back(*Symbol::from(name));
  return all;
}

// Replay clock, three symbols, a skew that also wakes at narrow spreads, and no price band: a lone
// book may trade.
[[nodiscard]] inline EngineParameters usual_parameters() {
  EngineParameters parameters;
  parameters.symbols = symbols({"BTCUSDT", "ETHUSDT", "BNBUSDT"});
  parameters.defaults.orderbook_skew.min_spread_percent = 0;
  parameters.gate.price_band_percent = 0;
  return parameters;
}

}  // namespace rts::test
