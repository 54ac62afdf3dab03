#include <simdjson.h>

#include <rts/wire/answer.hpp>

namespace rts::wire {
namespace {

namespace dom = simdjson::dom;

// Cut where a character ends, so that what is shown stays UTF-8.
std::string shown(std::string_view text) {
  if (text.size() <= kMaxAnswerTextBytes) return std::string(text);
  std::size_t end = kMaxAnswerTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end));
}

// The payload's one JSON object; lives as long as the parser.
std::optional<dom::object> parse_object(dom::parser& parser, std::string_view payload) {
  dom::object object;
  if (payload.empty() || payload.size() > kMaxAnswerBytes ||  // empty: maybe of no address
      parser.parse(payload.data(), payload.size()).get(object) != simdjson::SUCCESS) {
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

}  // namespace

std::optional<Answer> parse_answer(std::string_view payload) {
  dom::parser parser;
  const auto answer = parse_object(parser, payload);
  if (!answer) return {};
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
  if (const auto status = text_at(*answer, "status")) return EngineStatus{shown(*status)};
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
