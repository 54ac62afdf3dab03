// simdjson's DOM for the short texts of others: answers, commands, JetStream's replies, orders. The
// one place that parses for it. Only for this room.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

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

// The object's value under a key; of duplicates the first counts. Empty without such a key and when
// its value is of another type.
template <class T>
[[nodiscard]] std::optional<T> value_at(const dom::object& object, std::string_view key) {
  T value{};
  if (object.at_key(key).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

}  // namespace rts::wire
