// Recorded lines through the engine, and what came of them: orders as published, counts, and the
// accounting identity of SPEC §1. For tests; not thread-safe.
#pragma once

#include <initializer_list>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/wire/frame.hpp>

#include "support/order_schema.hpp"

namespace rts::test {

using Given = std::initializer_list<std::pair<std::string_view, std::string_view>>;

[[nodiscard]] inline std::vector<config::Given> given(Given names_and_values) {
  std::vector<config::Given> result;
  for (const auto& [name, value] : names_and_values) {
    result.push_back({std::string(name), std::string(value)});
  }
  return result;
}

// The configuration of an environment; a refused one fails the test and gives the defaults.
[[nodiscard]] inline config::Configuration configured(
    const std::vector<config::Given>& environment) {
  auto loaded = config::load(environment, {});
  if (loaded) return std::move(loaded).value();
  for (const std::string& problem : loaded.error()) ADD_FAILURE() << problem;
  return config::load({}, {}).value();
}
[[nodiscard]] inline config::Configuration configured(Given environment) {
  return configured(given(environment));
}

// The values of the table's rows, or those that symbols have of their own.
[[nodiscard]] inline std::vector<config::Value> row_values(
    const config::Configuration& configuration) {
  std::vector<config::Value> values = configuration.values;
  std::erase_if(values, [](const config::Value& value) { return value.symbol.has_value(); });
  return values;
}
[[nodiscard]] inline std::vector<config::Value> own_values(
    const config::Configuration& configuration) {
  std::vector<config::Value> values = configuration.values;
  std::erase_if(values, [](const config::Value& value) { return !value.symbol.has_value(); });
  return values;
}
// The texts of the rows, by table index.
[[nodiscard]] inline std::vector<std::string> row_texts(
    const config::Configuration& configuration) {
  std::vector<std::string> texts;
  for (const config::Value& value : row_values(configuration)) texts.push_back(value.text);
  return texts;
}

// Σ refusals + Σ decisions.
[[nodiscard]] inline std::uint64_t accounted_events(const Tally& tally) {
  std::uint64_t sum = 0;
  for (const Reason reason : all_of<Reason>) sum += tally.count(reason);
  for (const StrategyId strategy : all_of<StrategyId>) sum += tally.events(strategy);
  return sum;
}

// An engine and everything it has said so far.
class EngineRun {
 public:
  explicit EngineRun(const config::Configuration& configuration, Clock clock = Clock::replay)
      : engine_(config::engine_parameters(configuration.settings, clock)),
        format_(configuration.settings.delivery.format) {}
  EngineRun(const EngineParameters& parameters, OrderFormat format)
      : engine_(parameters), format_(format) {}

  // A line of a recording; blank ones carry nothing.
  void line(std::string_view text) {
    const auto recorded = wire::parse_recorded_line(text);
    if (recorded) frame(recorded->frame, recorded->received_at);
  }
  template <class Lines>
  void lines(const Lines& texts) {
    for (const auto& text : texts) line(text);
  }

  // One frame. Every frame ends in at least one event, and every order is valid.
  void frame(std::string_view text, std::optional<UnixNs> received_at = std::nullopt) {
    const Step step = engine_.step(text, received_at);
    tally_.add(step);
    if (step.events.empty()) ADD_FAILURE() << "no event for " << text.substr(0, 300);
    for (const EventRecord& record : step.events) {
      const Decision* decision = record.decision();
      last_ = decision == nullptr ? std::string(to_string(*record.reason()))
                                  : std::string(to_string(decision->outcome));
      if (decision != nullptr) take(*decision);
    }
  }

  [[nodiscard]] const std::vector<std::string>& orders() const { return orders_; }
  [[nodiscard]] std::string orders_text() const {
    std::string text;
    for (const std::string& order : orders_) text += order + "\n";
    return text;
  }
  [[nodiscard]] const Tally& tally() const { return tally_; }
  // The name of the reason or outcome in which the last event ended.
  [[nodiscard]] const std::string& last() const { return last_; }
  [[nodiscard]] Engine& engine() { return engine_; }

 private:
  void take(const Decision& decision) {
    EXPECT_EQ(decision.order.has_value(), is_signal(decision.outcome));
    if (!decision.order) return;
    std::string json;
    append_json(json, *decision.order, format_);
    EXPECT_EQ(schema_error(json, format_), "") << json;
    orders_.push_back(std::move(json));
  }

  Engine engine_;
  OrderFormat format_;
  Tally tally_;
  std::vector<std::string> orders_;
  std::string last_;
};

}  // namespace rts::test
