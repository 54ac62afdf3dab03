#include <algorithm>
#include <array>
#include <initializer_list>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/wire/answer.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

std::string shown(std::string_view text, char instead = ' ') {
  return rts::shown(text, kMaxAnswerTextBytes, instead);
}

// Compared whole and before it is cut for show.
bool refuses(std::string_view status) noexcept {
  constexpr std::array<std::string_view, 3> kRefusals{"rejected", "error", "failed"};
  return std::any_of(kRefusals.begin(), kRefusals.end(),
                     [status](std::string_view word) { return same_but_for_case(word, status); });
}

std::uint64_t number_at(const dom::object& object, std::string_view key) {
  return value_at<std::uint64_t>(object, key).value_or(0);
}

std::string_view reason_in(const dom::object& object) {
  for (const std::string_view key : {"reason", "message", "error"}) {
    if (const std::string_view text = text_at(object, key); !text.empty()) return text;
  }
  return {};
}

// Empty when no status in it is a text: whatever that is, it is not the TradeEngine's word.
std::optional<EngineStatus> engine_status(const dom::object& answer) {
  const auto status = value_at<std::string_view>(answer, "status");
  std::string_view reason = reason_in(answer);
  std::optional<std::string_view> result_status;
  if (const auto result = value_at<dom::object>(answer, "result")) {
    result_status = value_at<std::string_view>(*result, "status");
    if (const auto own = reason_in(*result); !own.empty()) reason = own;
  }
  if (!status && !result_status) return {};
  return EngineStatus{shown(status.value_or("")), shown(result_status.value_or("")), shown(reason),
                      refuses(status.value_or("")) || refuses(result_status.value_or(""))};
}

// A member's names in an order: each order format has its own for the same thing.
using Names = std::initializer_list<std::string_view>;

// The first of the members with these names that the order has.
template <class T>
std::optional<T> first_of(const dom::object& order, Names names) {
  for (const std::string_view name : names) {
    if (const auto value = value_at<T>(order, name)) return value;
  }
  return std::nullopt;
}

std::string text_of(const dom::object& order, Names names) {
  return shown(first_of<std::string_view>(order, names).value_or(""), '?');
}

// With as many digits as prices have; empty without the member.
std::string number_of(const dom::object& order, Names names) {
  const auto number = first_of<double>(order, names);
  return number ? fmt::format("{:.8g}", *number) : std::string();
}

std::string percent_of(const dom::object& order, Names names) {
  const auto share = first_of<double>(order, names);
  return share ? fmt::format("{:.0f} %", *share * 100) : std::string();
}

// "2024-07-19T12:03:11.109+00:00" → "12:03:11.109". Of another text the cut may leave half a
// character: it is made fit to be shown behind that.
std::string time_of_day(const dom::object& order) {
  constexpr std::size_t kDateChars = 11;
  constexpr std::size_t kTimeChars = 12;
  const std::string_view timestamp = text_at(order, "timestamp");
  return timestamp.size() < kDateChars ? "" : shown(timestamp.substr(kDateChars, kTimeChars), '?');
}

std::string line_of(const dom::object& order) {
  std::string side = text_of(order, {"side", "action"});
  if (side == "sell") side = "SELL";
  if (side == "buy") side = "BUY";
  std::string line =
      fmt::format("{}  {:<4} {} {} at {}  {}, confidence {}", time_of_day(order), side,
                  number_of(order, {"quantity"}), text_of(order, {"symbol"}),
                  number_of(order, {"price"}), text_of(order, {"strategy_name", "strategy"}),
                  percent_of(order, {"confidence_score", "confidence"}));
  const std::string stop = number_of(order, {"stop_loss"});
  const std::string target = number_of(order, {"take_profit"});
  if (!stop.empty()) line += fmt::format(", stop {}", stop);
  if (!target.empty()) line += fmt::format(", target {}", target);
  if (value_at<bool>(order, "reduce_only") == true) line += ", reduce only";
  return line;
}

// For the strategy that a message names. A command for one that we do not have must not become one
// for all.
std::optional<ControlCommand> command_for(const dom::object& message, bool pause) {
  const auto name = value_at<dom::element>(message, "strategy");
  const bool is_all = !name || name->is_null() || text_at(message, "strategy") == "all";
  if (is_all) return ControlCommand{pause, std::nullopt};
  const auto strategy = from_string<StrategyId>(text_at(message, "strategy"));
  return strategy ? std::optional(ControlCommand{pause, strategy}) : std::nullopt;
}

}  // namespace

std::optional<Answer> parse_answer(std::string_view payload) {
  dom::parser parser;
  const auto answer = parse_as_json<dom::object>(parser, payload, kMaxAnswerBytes);
  if (!answer) return {};
  // A stream's answers never say `status`, but the engine's may have an `error`.
  if (auto status = engine_status(*answer)) return std::move(*status);
  if (const auto error = value_at<dom::object>(*answer, "error")) {
    const std::uint64_t specific = number_at(*error, "err_code");
    return StreamError{specific != 0 ? specific : number_at(*error, "code"),
                       shown(text_at(*error, "description"))};
  }
  const auto stream = value_at<std::string_view>(*answer, "stream");
  const std::uint64_t sequence = number_at(*answer, "seq");
  const bool is_duplicate = value_at<bool>(*answer, "duplicate").value_or(false);
  if (!stream || (sequence == 0 && !is_duplicate)) return {};  // a stream counts from 1
  return PubAck{shown(*stream), sequence, is_duplicate};
}

std::optional<ControlCommand> parse_control(std::string_view payload) {
  dom::parser parser;
  const auto message = parse_as_json<dom::object>(parser, payload, kMaxAnswerBytes);
  if (!message) return {};
  const std::string_view command = text_at(*message, "command");
  if (command != "pause" && command != "resume") return {};
  return command_for(*message, command == "pause");
}

std::optional<ControlCommand> parse_pause(std::string_view payload) {
  dom::parser parser;
  const auto message = parse_as_json<dom::object>(parser, payload, kMaxAnswerBytes);
  const auto paused = message ? value_at<bool>(*message, "paused") : std::nullopt;
  return paused ? command_for(*message, *paused) : std::nullopt;
}

std::optional<CountedOrder> parse_counted_order(std::string_view payload) {
  using Text = std::string_view;
  dom::parser parser;
  const auto order = parse_as_json<dom::object>(parser, payload, kMaxAnswerBytes);
  if (!order) return {};
  const auto id = parse_uuid(first_of<Text>(*order, {"order_id", "signal_id"}).value_or(""));
  const auto strategy = from_string<StrategyId>(
      first_of<Text>(*order, {"strategy_name", "strategy_id"}).value_or(""));
  const Text side = first_of<Text>(*order, {"side", "action"}).value_or("");
  const bool is_buy = same_but_for_case(side, to_string(Side::buy));
  const bool is_side = is_buy || same_but_for_case(side, to_string(Side::sell));
  const Text name = text_at(*order, "symbol");
  const auto symbol = Symbol::may_name(name) ? Symbol::from(name) : std::nullopt;
  const auto at = parse_iso8601(text_at(*order, "timestamp"));
  const bool is_of_our_time = at && at->time_since_epoch().count() > 0;
  if (!id || !strategy || !is_side || !symbol || !is_of_our_time) return {};
  return CountedOrder{*id, *strategy, is_buy ? Side::buy : Side::sell, *symbol, *at};
}

std::string order_text(std::string_view payload) {
  dom::parser parser;
  const auto order = parse_as_json<dom::object>(parser, payload, kMaxAnswerBytes);
  if (!order || !value_at<std::string_view>(*order, "symbol")) {
    return fmt::format("no order: {}", shown(payload, '?'));
  }
  return line_of(*order);
}

}  // namespace rts::wire
