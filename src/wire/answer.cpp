#include <algorithm>
#include <array>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/wire/answer.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

std::string shown(std::string_view text) { return rts::shown(text, kMaxAnswerTextBytes, ' '); }

// Compared whole and before it is cut for show.
bool refuses(std::string_view status) noexcept {
  constexpr std::array<std::string_view, 3> kRefusals{"rejected", "error", "failed"};
  return std::any_of(kRefusals.begin(), kRefusals.end(),
                     [status](std::string_view word) { return same_but_for_case(word, status); });
}

std::optional<std::string_view> text_at(const dom::object& object, std::string_view key) {
  return value_at<std::string_view>(object, key);
}

std::uint64_t number_at(const dom::object& object, std::string_view key) {
  return value_at<std::uint64_t>(object, key).value_or(0);
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
  if (const auto result = value_at<dom::object>(answer, "result")) {
    result_status = text_at(*result, "status");
    if (const auto own = reason_in(*result)) reason = own;
  }
  if (!status && !result_status) return {};
  return EngineStatus{shown(status.value_or("")), shown(result_status.value_or("")),
                      shown(reason.value_or("")),
                      refuses(status.value_or("")) || refuses(result_status.value_or(""))};
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
                       shown(text_at(*error, "description").value_or(""))};
  }
  const auto stream = text_at(*answer, "stream");
  const std::uint64_t sequence = number_at(*answer, "seq");
  if (!stream || sequence == 0) return {};  // a stream counts from 1
  return PubAck{shown(*stream), sequence, value_at<bool>(*answer, "duplicate").value_or(false)};
}

std::optional<ControlCommand> parse_control(std::string_view payload) {
  dom::parser parser;
  const auto message = parse_as_json<dom::object>(parser, payload, kMaxAnswerBytes);
  if (!message) return {};
  const auto command = text_at(*message, "command");
  if (command != "pause" && command != "resume") return {};
  ControlCommand result{command == "pause", std::nullopt};
  const auto strategy = value_at<dom::element>(*message, "strategy");
  if (!strategy || strategy->is_null()) return result;
  const auto name = text_at(*message, "strategy");
  for (const StrategyId id : all_of<StrategyId>) {
    if (name == to_string(id)) result.strategy = id;
  }
  // A command for a strategy that we do not have must not become one for all.
  return result.strategy ? std::optional(result) : std::nullopt;
}

}  // namespace rts::wire
