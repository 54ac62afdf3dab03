// simdjson's DOM for all texts of others but frames: answers, commands, JetStream's replies,
// orders, instruments. The one place that parses for it. Only for this room.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include <rts/base/utf8.hpp>

namespace rts::wire {

namespace dom = simdjson::dom;

// The text's one value of type T; lives as long as the parser. Empty when the text is no JSON, has
// another value, or is longer than max_bytes. A byte-order mark is no JSON (RFC 8259 §8.1), which
// simdjson's versions see differently.
template <class T>
[[nodiscard]] std::optional<T> parse_as_json(dom::parser& parser, std::string_view text,
                                             std::size_t max_bytes) {
  T value;
  if (text.empty() || text.size() > max_bytes || text.starts_with(kByteOrderMark) ||
      parser.parse(text.data(), text.size()).get(value) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return value;
}

// Empty when the value is of another type.
template <class T>
[[nodiscard]] std::optional<T> as(const dom::element& element) {
  T value{};
  return element.get(value) == simdjson::SUCCESS ? std::optional(value) : std::nullopt;
}

// The object's value under a key; of duplicates the first counts. Empty without such a key and when
// its value is of another type.
template <class T>
[[nodiscard]] std::optional<T> value_at(const dom::object& object, std::string_view key) {
  T value{};
  return object.at_key(key).get(value) == simdjson::SUCCESS ? std::optional(value) : std::nullopt;
}

// The same of a text, where being empty and not being there mean the same, and of an array.
[[nodiscard]] inline std::string_view text_at(const dom::object& object, std::string_view key) {
  return value_at<std::string_view>(object, key).value_or("");
}
[[nodiscard]] inline std::vector<dom::element> elements_at(const dom::object& object,
                                                           std::string_view key) {
  const auto array = value_at<dom::array>(object, key);
  return array ? std::vector<dom::element>(array->begin(), array->end())
               : std::vector<dom::element>();
}

}  // namespace rts::wire
