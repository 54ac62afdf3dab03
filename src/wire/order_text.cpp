#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <simdjson.h>

#include <rts/wire/answer.hpp>
#include <rts/wire/order_text.hpp>

namespace rts::wire {
namespace {

namespace dom = simdjson::dom;

// A terminal obeys control characters, and those of U+0080 to U+009F, too (in UTF-8: C2 80 …).
std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxAnswerTextBytes));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    const bool begins_control =
        byte == 0xC2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || begins_control) out[i] = '?';
    if (begins_control) out[i + 1] = '?';
  }
  return out;
}

// The first of the two keys that the object has: each format has its own name for the same thing.
std::string text_at(const dom::object& order, std::string_view key, std::string_view other) {
  std::string_view text;
  if (order.at_key(key).get(text) == simdjson::SUCCESS ||
      order.at_key(other).get(text) == simdjson::SUCCESS) {
    return printable(text);
  }
  return {};
}

std::string percent_at(const dom::object& order, std::string_view key, std::string_view other) {
  double share = 0;
  if (order.at_key(key).get(share) != simdjson::SUCCESS &&
      order.at_key(other).get(share) != simdjson::SUCCESS) {
    return {};
  }
  return fmt::format("{:.0f} %", share * 100);
}

std::string number_at(const dom::object& order, std::string_view key, std::string_view other) {
  double number = 0;
  if (order.at_key(key).get(number) == simdjson::SUCCESS ||
      order.at_key(other).get(number) == simdjson::SUCCESS) {
    return fmt::format("{:.8g}", number);  // as many digits as prices have
  }
  return {};
}

// "2024-07-19T12:03:11.109+00:00" → "12:03:11.109".
std::string_view time_of_day(std::string_view timestamp) {
  constexpr std::size_t kDateChars = 11;
  constexpr std::size_t kTimeChars = 12;
  return timestamp.substr(std::min(kDateChars, timestamp.size())).substr(0, kTimeChars);
}

std::string line_of(const dom::object& order) {
  const std::string side = text_at(order, "side", "action");
  const bool sells = side == "SELL" || side == "sell";
  const bool buys = side == "BUY" || side == "buy";
  const std::string timestamp = text_at(order, "timestamp", "timestamp");
  std::string line =
      fmt::format("{}  {:<4} {} {} at {}  {}, confidence {}", time_of_day(timestamp),
                  buys    ? "BUY"
                  : sells ? "SELL"
                          : side,
                  number_at(order, "quantity", "quantity"), text_at(order, "symbol", "symbol"),
                  number_at(order, "price", "price"), text_at(order, "strategy_name", "strategy"),
                  percent_at(order, "confidence_score", "confidence"));
  const std::string stop = number_at(order, "stop_loss", "stop_loss");
  const std::string target = number_at(order, "take_profit", "take_profit");
  if (!stop.empty()) line += fmt::format(", stop {}", stop);
  if (!target.empty()) line += fmt::format(", target {}", target);
  bool reduces = false;
  if (order.at_key("reduce_only").get(reduces) == simdjson::SUCCESS && reduces) {
    line += ", reduce only";
  }
  return line;
}

}  // namespace

std::string order_text(std::string_view payload) {
  dom::parser parser;
  dom::object order;
  std::string_view symbol;
  if (payload.empty() || payload.size() > kMaxAnswerBytes ||
      parser.parse(payload.data(), payload.size()).get(order) != simdjson::SUCCESS ||
      order.at_key("symbol").get(symbol) != simdjson::SUCCESS) {
    return fmt::format("no order: {}", printable(payload));
  }
  return line_of(order);
}

}  // namespace rts::wire
