#include "wire/number_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace rts::wire {
namespace {

std::size_t count_digits(std::string_view text) noexcept {
  std::size_t n = 0;
  while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
  return n;
}

// The power of ten just above a non-zero JSON number: 2 for "12.5", -1 for "0.05". Beyond a million
// only the sign is right.
std::int64_t decimal_magnitude(std::string_view number) noexcept {
  const std::size_t e = number.find_first_of("eE");
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    // A frame has fewer digits than that before or behind the point: they do not turn the sign.
    constexpr std::int64_t kMost = std::int64_t{1} << 40U;
    const bool negative = number[e + 1] == '-';
    const std::size_t digits = number.find_first_of("0123456789", e);
    const auto* end = number.data() + number.size();
    if (std::from_chars(number.data() + digits, end, exponent).ec != std::errc{}) exponent = kMost;
    exponent = std::min(exponent, kMost);
    if (negative) exponent = -exponent;
  }
  const std::string_view mantissa = number.substr(0, e);
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const auto first = static_cast<std::int64_t>(mantissa.find_first_of("123456789"));
  return exponent + point - first + (first > point ? 1 : 0);
}

}  // namespace

bool read_long_number(std::string_view text, double& value) noexcept {
  constexpr std::uint64_t kExactUpTo = std::uint64_t{1} << 53U;
  if (std::uint64_t integer = 0; read_plain_integer(text, integer) && integer <= kExactUpTo) {
    value = static_cast<double>(static_cast<std::int64_t>(integer));
    return true;
  }
  if (text.size() <= 8 || text.size() > kReadableBeforeEnd) return false;
  const char* const end = text.data() + text.size();
  EightDigits right = EightDigits::before(end, 8);
  EightDigits left = EightDigits::before(end - 8, text.size() - 8);
  int place = 0;
  if (const std::uint64_t mark = right.mark_point(); mark != 0) {
    place = 8 + EightDigits::place_of(mark);
    right = right.without(mark, left.rightmost());
    left = left.without_rightmost();
  } else {
    const std::uint64_t left_mark = left.mark_point();
    if (left_mark == 0) return false;
    place = EightDigits::place_of(left_mark);
    left = left.without(left_mark);
  }
  if (end[place - 16] != '.' || place == 15 || !left.are_digits() || !right.are_digits() ||
      !begins_as_number(text.data())) {
    return false;
  }
  const std::uint64_t mantissa = left.value() * 100'000'000 + right.value();
  if (mantissa > kExactUpTo) return false;
  value = static_cast<double>(static_cast<std::int64_t>(mantissa)) /
          kPowersOfTen[static_cast<std::size_t>(15 - place)];
  return true;
}

bool is_json_number(std::string_view text) noexcept {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  const std::size_t whole = count_digits(text);
  if (whole == 0 || (whole > 1 && text.front() == '0')) return false;
  text.remove_prefix(whole);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    const std::size_t fraction = count_digits(text);
    if (fraction == 0) return false;
    text.remove_prefix(fraction);
  }
  if (!text.empty() && (text.front() == 'e' || text.front() == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text.front() == '+' || text.front() == '-')) text.remove_prefix(1);
    const std::size_t exponent = count_digits(text);
    if (exponent == 0) return false;
    text.remove_prefix(exponent);
  }
  return text.empty();
}

std::optional<double> parse_number(std::string_view text) noexcept {
  if (!is_json_number(text)) return std::nullopt;
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    // from_chars says the same of both ends of the scale; what lies below the smallest double is 0.
    return decimal_magnitude(text) > 0 ? std::nullopt : std::optional(0.0);
  }
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> parse_integer(std::string_view text) noexcept {
  constexpr std::size_t kMostDigits = std::numeric_limits<std::uint64_t>::digits10;  // all fit
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value <= kLargest ? std::optional(value) : std::nullopt;
}

}  // namespace rts::wire
