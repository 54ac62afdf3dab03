// The DOM of one whole text, for what is not a market frame. Only for this room.
#pragma once

#include <string_view>

#include <simdjson.h>

namespace rts::wire {

// The text's value, which lives as long as the parser; an error when it is no JSON. A byte-order
// mark is none in JSON (RFC 8259 §8.1), but simdjson skips it since 3.1.
inline simdjson::simdjson_result<simdjson::dom::element> parse_dom(simdjson::dom::parser& parser,
                                                                   std::string_view text) noexcept {
  if (text.starts_with("\xEF\xBB\xBF")) return simdjson::TAPE_ERROR;
  return parser.parse(text.data(), text.size());
}

}  // namespace rts::wire
