// JSON's number grammar (RFC 8259 §6) over text, and the doubles and integers it stands for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rts::wire {

// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? and nothing else.
[[nodiscard]] bool is_json_number(std::string_view text) noexcept;

// Correctly rounded; empty when the text is no JSON number or the value is not finite. What lies
// below the smallest double is 0.
[[nodiscard]] std::optional<double> parse_number(std::string_view text) noexcept;

// Empty unless the text is a JSON number without point and exponent in 0 … 2^63−1.
[[nodiscard]] std::optional<std::uint64_t> parse_integer(std::string_view text) noexcept;

}  // namespace rts::wire
