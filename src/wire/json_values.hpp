// Walking over JSON with simdjson's On-Demand parser so that everything is validated, also what
// nobody reads: On-Demand itself checks only what is touched. Each function moves past its value
// and answers false when it is no JSON; the whole frame is malformed then. Only for this room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <simdjson.h>

namespace rts::wire {

namespace ondemand = simdjson::ondemand;

// One scalar value of the frame, checked against the grammar but not yet read as anything.
struct Scalar {
  enum class Type : std::uint8_t { absent, string, number, boolean, container };
  Type type = Type::absent;  // null counts as absent
  std::string_view text;     // unescaped content of a string; token of a number
  bool truth = false;
};

// Reads a scalar. Precondition: `type` is neither array nor object.
[[nodiscard]] bool read_scalar(ondemand::value& value, ondemand::json_type type, Scalar& out);

// A key's text, without copying it unless it is escaped. Before field.value() is asked for.
[[nodiscard]] bool read_key(ondemand::field& field, std::string_view& key);

// Walks over a value nobody reads. `depth` counts the containers around it; kMaxNesting bounds it.
[[nodiscard]] bool skip(ondemand::value value, std::size_t depth);
[[nodiscard]] bool skip_container(ondemand::value& value, ondemand::json_type type,
                                  std::size_t depth);

}  // namespace rts::wire
