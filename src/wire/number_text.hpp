// JSON's number grammar (RFC 8259 §6) over text, and the doubles and integers it stands for.
#pragma once

#include <array>
#include <cstddef>
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

// Reads a number of the usual spelling, "61837.63000000", up to the first character that is neither
// digit nor point, and returns where that is: what stands there is the caller's to judge. Null for
// a leading zero, a missing digit and more digits than a double holds exactly: parse_number() reads
// those. Correctly rounded: both operands of the one division are exact.
// Precondition: some character that is neither digit nor point follows.
[[nodiscard]] inline const char* read_plain_number(const char* text, double& value) noexcept {
  constexpr std::ptrdiff_t kMostDigits = 16;  // so that the mantissa cannot overflow unseen
  constexpr std::uint64_t kExactUpTo = std::uint64_t{1} << 53U;
  static constexpr std::array<double, kMostDigits + 1> kPowers{
      1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};
  std::uint64_t mantissa = 0;
  const auto read_digits = [&mantissa](const char* at) {
    for (; *at >= '0' && *at <= '9'; ++at) {
      mantissa = mantissa * 10 + static_cast<std::uint64_t>(*at - '0');
    }
    return at;
  };
  const char* at = read_digits(text);
  const std::ptrdiff_t whole = at - text;
  if (whole == 0 || (whole > 1 && *text == '0')) return nullptr;
  std::ptrdiff_t fraction = 0;
  if (*at == '.') {
    const char* const point = at;
    at = read_digits(at + 1);
    fraction = at - point - 1;
    if (fraction == 0) return nullptr;
  }
  if (whole + fraction > kMostDigits || mantissa > kExactUpTo) return nullptr;
  value = static_cast<double>(mantissa) / kPowers[static_cast<std::size_t>(fraction)];
  return at;
}

}  // namespace rts::wire
