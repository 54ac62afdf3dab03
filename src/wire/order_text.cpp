#include <initializer_list>

#include <fmt/format.h>

#include <rts/base/utf8.hpp>
#include <rts/wire/answer.hpp>
#include <rts/wire/order_text.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

// A member's names: each order format has its own for the same thing.
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
  return shown(first_of<std::string_view>(order, names).value_or(""), kMaxAnswerTextBytes, '?');
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

// "2024-07-19T12:03:11.109+00:00" → "12:03:11.109".
std::string time_of_day(const std::string& timestamp) {
  constexpr std::size_t kDateChars = 11;
  constexpr std::size_t kTimeChars = 12;
  return timestamp.size() < kDateChars ? "" : timestamp.substr(kDateChars, kTimeChars);
}

std::string line_of(const dom::object& order) {
  std::string side = text_of(order, {"side", "action"});
  if (side == "sell") side = "SELL";
  if (side == "buy") side = "BUY";
  std::string line = fmt::format(
      "{}  {:<4} {} {} at {}  {}, confidence {}", time_of_day(text_of(order, {"timestamp"})), side,
      number_of(order, {"quantity"}), text_of(order, {"symbol"}), number_of(order, {"price"}),
      text_of(order, {"strategy_name", "strategy"}),
      percent_of(order, {"confidence_score", "confidence"}));
  const std::string stop = number_of(order, {"stop_loss"});
  const std::string target = number_of(order, {"take_profit"});
  if (!stop.empty()) line += fmt::format(", stop {}", stop);
  if (!target.empty()) line += fmt::format(", target {}", target);
  if (value_at<bool>(order, "reduce_only") == true) line += ", reduce only";
  return line;
}

}  // namespace

std::string order_text(std::string_view payload) {
  dom::parser parser;
  const auto order = parse_as_json<dom::object>(parser, payload, kMaxAnswerBytes);
  if (!order || !value_at<std::string_view>(*order, "symbol")) {
    return fmt::format("no order: {}", shown(payload, kMaxAnswerTextBytes, '?'));
  }
  return line_of(*order);
}

}  // namespace rts::wire
