#include <algorithm>
#include <array>

#include <rts/wire/answer.hpp>

#include "wire/dom.hpp"

namespace rts::wire {
namespace {

namespace dom = simdjson::dom;

// Cut where a character ends, so that what is shown stays UTF-8; control characters, which could
// act on a terminal, become blanks.
std::string shown(std::string_view text) {
  std::size_t end = std::min(text.size(), kMaxAnswerTextBytes);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  std::string out(text.substr(0, end));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    const auto after = i + 1 < out.size() ? static_cast<unsigned char>(out[i + 1]) : 0U;
    if (c < 0x20U || c == 0x7FU) out[i] = ' ';
    if (c == 0xC2U && after < 0xA0U) out[i] = out[i + 1] = ' ';  // U+0080 … U+009F
  }
  return out;
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Compared whole and before it is cut for show.
bool refuses(std::string_view status) noexcept {
  constexpr std::array<std::string_view, 3> kRefusals{"rejected", "error", "failed"};
  return std::any_of(kRefusals.begin(), kRefusals.end(), [status](std::string_view word) {
    return std::equal(word.begin(), word.end(), status.begin(), status.end(),
                      [](char one, char other) { return one == lower(other); });
  });
}

// The payload's one JSON object; lives as long as the parser.
std::optional<dom::object> parse_object(dom::parser& parser, std::string_view payload) {
  dom::object object;
  if (payload.empty() || payload.size() > kMaxAnswerBytes ||  // empty: maybe of no address
      parse_dom(parser, payload).get(object) != simdjson::SUCCESS) {
    return {};
  }
  return object;
}

std::optional<std::string_view> text_at(const dom::object& object, std::string_view key) {
  std::string_view text;
  if (object.at_key(key).get(text) != simdjson::SUCCESS) return {};
  return text;
}

std::uint64_t number_at(const dom::object& object, std::string_view key) {
  std::uint64_t number = 0;
  if (object.at_key(key).get(number) != simdjson::SUCCESS) return 0;
  return number;
}

std::optional<std::string_view> reason_in(const dom::object& object) {
  for (const std::string_view key : {"reason", "message", "error"}) {
    if (const auto text = text_at(object, key); text && !text->empty()) return text;
  }
  return {};
}

// Empty when no status in it is a text: whatever that is, it is not the TradeEngine's word.
std::optional<EngineStatus> engine_status(const dom::object& answer) {
  const auto status = text_at(answer, "status");
  auto reason = reason_in(answer);
  std::optional<std::string_view> result_status;
  dom::object result;
  if (answer.at_key("result").get(result) == simdjson::SUCCESS) {
    result_status = text_at(result, "status");
    if (const auto own = reason_in(result)) reason = own;
  }
  if (!status && !result_status) return {};
  return EngineStatus{shown(status.value_or("")), shown(result_status.value_or("")),
                      shown(reason.value_or("")),
                      refuses(status.value_or("")) || refuses(result_status.value_or(""))};
}

}  // namespace

std::optional<Answer> parse_answer(std::string_view payload) {
  dom::parser parser;
  const auto answer = parse_object(parser, payload);
  if (!answer) return {};
  // A stream's answers never say `status`, but the engine's may have an `error`.
  if (auto status = engine_status(*answer)) return std::move(*status);
  dom::object error;
  if (answer->at_key("error").get(error) == simdjson::SUCCESS) {
    const std::uint64_t specific = number_at(error, "err_code");
    return StreamError{specific != 0 ? specific : number_at(error, "code"),
                       shown(text_at(error, "description").value_or(""))};
  }
  if (const auto stream = text_at(*answer, "stream")) {
    bool duplicate = false;
    if (answer->at_key("duplicate").get(duplicate) != simdjson::SUCCESS) duplicate = false;
    const std::uint64_t sequence = number_at(*answer, "seq");
    if (sequence == 0) return {};  // a stream counts from 1
    return PubAck{shown(*stream), sequence, duplicate};
  }
  return {};
}

std::optional<ControlCommand> parse_control(std::string_view payload) {
  dom::parser parser;
  const auto message = parse_object(parser, payload);
  if (!message) return {};
  const auto command = text_at(*message, "command");
  if (command != "pause" && command != "resume") return {};
  ControlCommand result{command == "pause", std::nullopt};
  dom::element strategy;
  if (message->at_key("strategy").get(strategy) != simdjson::SUCCESS || strategy.is_null()) {
    return result;
  }
  for (const StrategyId id : kStrategies) {
    std::string_view name;
    if (strategy.get(name) == simdjson::SUCCESS && name == to_string(id)) {
      result.strategy = id;
      return result;
    }
  }
  return {};  // a command for somebody we do not know must not become one for all
}

}  // namespace rts::wire
