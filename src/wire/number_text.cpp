#include "wire/number_text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <rts/base/text.hpp>

namespace rts::wire {
namespace {

// As std::from_chars converts it, but invalid_argument also for what it takes beyond JSON: "01",
// ".5", "5." and "inf".
std::errc convert(std::string_view text, double& value) noexcept {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const auto has_digit_at = [digits](std::size_t place) {
    return place < digits.size() && digits[place] >= '0' && digits[place] <= '9';
  };
  const std::size_t point = digits.find('.');
  if (!has_digit_at(0) || (digits.front() == '0' && has_digit_at(1)) ||
      (point != std::string_view::npos && !has_digit_at(point + 1))) {
    return std::errc::invalid_argument;
  }
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ptr == end ? result.ec : std::errc::invalid_argument;
}

// The power of ten just above a non-zero JSON number: 2 for "12.5", -1 for "0.05". Beyond a million
// only the sign is right.
std::int64_t decimal_magnitude(std::string_view number) noexcept {
  const std::size_t e = number.find_first_of("eE");
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    // A frame has fewer digits than that before or behind the point: they do not turn the sign.
    constexpr std::int64_t kMost = std::int64_t{1} << 40U;
    const std::string_view digits = number.substr(number.find_first_of("0123456789", e));
    exponent = parse_as<std::int64_t>(digits, 0, kMost).value_or(kMost);
    if (number[e + 1] == '-') exponent = -exponent;
  }
  const std::string_view mantissa = number.substr(0, e);
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const auto first = static_cast<std::int64_t>(mantissa.find_first_of("123456789"));
  return exponent + point - first + (first > point ? 1 : 0);
}

}  // namespace

bool is_json_number(std::string_view text) noexcept {
  double ignored = 0;
  return convert(text, ignored) != std::errc::invalid_argument;
}

std::optional<double> parse_number(std::string_view text) noexcept {
  double value = 0;
  const std::errc error = convert(text, value);
  if (error == std::errc{}) return value;
  // from_chars says the same of both ends of the scale; what lies below the smallest double is 0.
  const bool is_below = error == std::errc::result_out_of_range && decimal_magnitude(text) <= 0;
  return is_below ? std::optional(0.0) : std::nullopt;
}

std::optional<std::uint64_t> parse_integer(std::string_view text) noexcept {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return parse_as<std::uint64_t>(text, 0, std::numeric_limits<std::int64_t>::max());
}

}  // namespace rts::wire
