// What a person would say of an event's end, from the numbers that led to it: for the log, the
// service's answers, `explain` and `replay`, so that all of them say the same. The names of
// settings come from their table. Pure functions, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/json_writer.hpp>
#include <rts/config/settings.hpp>
#include <rts/engine/history.hpp>

namespace rts::config {

// The settings that decide whether events end so; none where no setting does. Of a score the buy
// threshold, and then the one to sell.
[[nodiscard]] std::vector<const Setting*> deciding_settings(StrategyId strategy, const End& end);

// What to do about events that end so: "SIGNAL_COOLDOWN_SECONDS decides that". Empty where nothing
// needs to be done, as about an order.
[[nodiscard]] std::string advice(StrategyId strategy, const End& end);

// "order lost: nobody listens".
[[nodiscard]] std::string_view meaning(OrderResult result) noexcept;

// All digits of a number: 0.00001, not 1e-05.
[[nodiscard]] std::string exact(double value);

// The strategy's indicators: "momentum 0.36, price_score 0, quantity_score 0.2, maker_score 1".
// Empty where it did not come to compute them.
[[nodiscard]] std::string inputs_of(const PastDecision& past);

// What the number that decided was held against.
struct Threshold {
  std::string_view name;  // "buys above", "at least"
  double limit = 0;
  std::optional<double> distance{};  // of the number from it, without a sign; empty: no number
  std::optional<double> percent{};   // of the limit that this is; empty also of a limit of 0
  bool is_passed = false;            // of a score: it was enough
};
// Of a score the one to buy, then the one to sell. Empty where no number decided.
[[nodiscard]] std::vector<Threshold> thresholds(const PastDecision& past);
// The same for people: "ratio 1.05: buys above 1.2, 0.15 away (12.5 %); sells below 0.8, 0.25 away
// (31.25 %)".
[[nodiscard]] std::string held_against(const PastDecision& past);

// What is known beside a decision.
struct Circumstances {
  const Configuration& configuration;
  std::string_view paused_by{};   // empty: not known
  std::span<const Given> live{};  // the control log's values that hold by now
};

// The names of the settings that decided; a symbol's own value is named NAME__SYMBOL.
[[nodiscard]] std::vector<std::string> deciding_names(const History::Found& found,
                                                      const Circumstances& around);

// "spread 0.0002 % is below the minimum of 0.1 %: it would have to be 500 times as wide;
// ORDERBOOK_SKEW_MIN_SPREAD_PERCENT=0 lets it through". May quote what somebody has written as the
// reason of a pause.
[[nodiscard]] std::string sentence(const History::Found& found, const Circumstances& around);

// {"number":7,"time":"…","symbol":"BTCUSDT","strategy":"orderbook_skew","outcome":"neutral",
// "inputs":{"ratio":1.05,…},"measured":1.05,"thresholds":[1.2,0.8],"distance":0.15,"settings":[…],
// "signal":null,"order":null,"in_a_row":3,"since":"…","sentence":"…"}
void append_json(JsonWriter& json, const History::Found& found, const Circumstances& around);

// The same for people, without a line end: "2024-07-19T00:00:00.000Z BTCUSDT orderbook_skew
// neutral: ratio 1.05 …".
[[nodiscard]] std::string line_of(const History::Found& found, const Circumstances& around);

}  // namespace rts::config
