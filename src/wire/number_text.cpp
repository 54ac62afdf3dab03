#include "wire/number_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <rts/base/text.hpp>

namespace rts::wire {
namespace {

constexpr std::string_view kDigits = "0123456789";

// Moves past the digits that the text begins with; false when there is none.
bool take_digits(std::string_view& text) noexcept {
  const std::size_t count = std::min(text.find_first_not_of(kDigits), text.size());
  text.remove_prefix(count);
  return count > 0;
}

// Moves past one character when it is one of these.
bool take_any(std::string_view& text, std::string_view of) noexcept {
  if (text.empty() || of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// The power of ten just above a non-zero JSON number: 2 for "12.5", -1 for "0.05". Beyond a million
// only the sign is right.
std::int64_t decimal_magnitude(std::string_view number) noexcept {
  const std::size_t e = number.find_first_of("eE");
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    // A frame has fewer digits than that before or behind the point: they do not turn the sign.
    constexpr std::int64_t kMost = std::int64_t{1} << 40U;
    const std::string_view digits = number.substr(number.find_first_of(kDigits, e));
    exponent = parse_as<std::int64_t>(digits, 0, kMost).value_or(kMost);
    if (number[e + 1] == '-') exponent = -exponent;
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
  take_any(text, "-");
  const bool is_zero = take_any(text, "0");  // then no digit may follow
  if (take_digits(text) == is_zero) return false;
  if (take_any(text, ".") && !take_digits(text)) return false;
  if (take_any(text, "eE")) {
    take_any(text, "+-");
    if (!take_digits(text)) return false;
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
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return parse_as<std::uint64_t>(text, 0, std::numeric_limits<std::int64_t>::max());
}

}  // namespace rts::wire
