// The subjects that orders go to: NATS_PUBLISHER_TOPIC, in which one whole token may be {strategy}.
// Its place is then taken by the name of the order's strategy, for consumers that listen on a
// subject per strategy ("cio.intent.trading.{strategy}"). Pure; any thread. SPEC §6.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <rts/strategy/verdict.hpp>

namespace rts {

// Where the TradeEngine listens unless it is told otherwise.
inline constexpr std::string_view kTradeEngineSubject = "tradeengine.orders";
// Where orders are stored first, if nothing else is said.
inline constexpr std::string_view kOrderLogSubject = "orders.intents";

inline constexpr std::string_view kStrategyToken = "{strategy}";

// Whether it has the token, whole: "a.{strategy}" has, "a.{strategy}s" has not.
[[nodiscard]] bool is_per_strategy(std::string_view topic);

// The topic with a text in its token's place; the topic itself when it has none. The text is the
// name of a strategy: where its orders go; or "*": what takes in all of its subjects, and more.
[[nodiscard]] std::string order_subject(std::string_view topic, std::string_view text);

// Where orders may go: one subject, or one for each strategy in the order of StrategyId.
[[nodiscard]] std::vector<std::string> order_subjects(std::string_view topic);

// A brace is for the token only, and that may stand once: whatever else has braces is misspelt.
[[nodiscard]] bool has_sound_tokens(std::string_view topic);

}  // namespace rts
