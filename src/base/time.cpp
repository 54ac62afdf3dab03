#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <iterator>
#include <tuple>

#include <fmt/format.h>

#include <rts/base/time.hpp>

namespace rts {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;

// Reads so many digits into `value`, which is 0, and moves past them; false when they are none.
bool take_digits(std::string_view& text, std::size_t count, int& value) noexcept {
  assert(value == 0);
  if (text.size() < count) return false;
  bool all_digits = true;
  for (const char c : text.substr(0, count)) {
    const unsigned digit = static_cast<unsigned char>(c) - unsigned{'0'};
    all_digits &= digit <= 9;
    value = value * 10 + static_cast<int>(digit);
  }
  text.remove_prefix(count);
  return all_digits;
}

bool take(std::string_view& text, char one, char or_other) noexcept {
  if (text.empty() || (text.front() != one && text.front() != or_other)) return false;
  text.remove_prefix(1);
  return true;
}

// The first three digits of a fraction are milliseconds; the rest must be digits and is cut off.
// `millis` is 0 before.
bool take_fraction(std::string_view& text, int& millis) noexcept {
  assert(millis == 0);
  const char* digit = text.data();
  const char* const end = digit + text.size();
  const auto is_digit = [&] { return digit != end && *digit >= '0' && *digit <= '9'; };
  for (const int worth : {100, 10, 1}) {
    if (is_digit()) millis += worth * (*digit++ - '0');
  }
  while (is_digit()) ++digit;
  const auto digits = static_cast<std::size_t>(digit - text.data());
  text.remove_prefix(digits);
  return digits > 0;
}

// What stands behind the time, to the end: nothing is UTC. `offset` is 0 before.
bool take_offset(std::string_view& text, std::chrono::minutes& offset) noexcept {
  assert(offset.count() == 0);
  if (text.empty()) return true;
  if (take(text, 'Z', 'z')) return text.empty();
  const bool west = text.front() == '-';
  int hours = 0;
  int minutes = 0;
  if (!take(text, '+', '-') || !take_digits(text, 2, hours) || hours > 23) return false;
  if (!text.empty()) {
    std::ignore = take(text, ':', ':');
    if (!take_digits(text, 2, minutes) || minutes > 59) return false;
  }
  offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  if (west) offset = -offset;
  return text.empty();
}

// Reads "2024-08-08T23:54:16", or without seconds, and moves past it. Empty when it is no such
// time.
std::optional<UnixMs> take_up_to_second(std::string_view& text) noexcept {
  constexpr std::array<std::string_view, 5> kBefore{"", "-", "-", "Tt ", ":"};
  std::array<int, 5> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_separated =
        i == 0 || (!text.empty() && kBefore[i].find(text.front()) != std::string_view::npos);
    if (!is_separated) return std::nullopt;
    if (i > 0) text.remove_prefix(1);
    if (!take_digits(text, i == 0 ? 4 : 2, parts[i])) return std::nullopt;
  }
  const auto [year, month, day, hour, minute] = parts;
  int second = 0;
  if (take(text, ':', ':')) {
    if (!take_digits(text, 2, second)) return std::nullopt;
  } else if (take(text, '.', ',')) {
    return std::nullopt;  // a fraction is one of seconds
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

// The time when its text goes on so behind the second, or the minute.
std::optional<UnixMs> with_rest(UnixMs second, std::string_view rest) noexcept {
  int millis = 0;
  std::chrono::minutes offset{};
  if (take(rest, '.', ',') && !take_fraction(rest, millis)) return std::nullopt;
  if (!take_offset(rest, offset)) return std::nullopt;
  return second + milliseconds(millis) - offset;
}

// With leading zeros, behind a separator. Precondition: 0 <= value < 10^width.
template <std::size_t width>
void append_digits(std::string& out, char separator, std::int64_t value) {
  assert(value >= 0);
  std::array<char, width + 1> text{separator};
  for (std::size_t i = width; i > 0; value /= 10) text[i--] = static_cast<char>('0' + value % 10);
  assert(value == 0);
  out.append(text.data(), text.size());
}

}  // namespace

std::optional<UnixMs> parse_iso8601(std::string_view text) noexcept {
  const auto second = take_up_to_second(text);
  return second ? with_rest(*second, text) : std::nullopt;
}

std::optional<UnixMs> Iso8601Reader::read(std::string_view text) noexcept {
  const std::string_view before(second_text_.data(), second_text_.size());
  if (second_ && text.starts_with(before)) return with_rest(*second_, text.substr(before.size()));
  std::string_view rest = text;
  const auto second = take_up_to_second(rest);
  if (!second) return std::nullopt;
  if (text.size() - rest.size() == before.size()) {
    std::copy_n(text.begin(), second_text_.size(), second_text_.begin());
    second_ = *second;
  }
  return with_rest(*second, rest);
}

// std::chrono::year ends with the year 32767 and event times go beyond. So the date is that of the
// same day within 400 years of 2000: the calendar repeats itself from then to then.
void append_iso8601_date(std::string& out, UnixMs at) {
  constexpr std::chrono::sys_days kFrom = std::chrono::sys_days(std::chrono::January / 1 / 2000);
  constexpr days kPeriod{146'097};
  const auto day = std::chrono::floor<days>(at) - kFrom;
  const std::int64_t periods = day / kPeriod;
  const std::chrono::year_month_day date(kFrom + (day - periods * kPeriod));
  const std::int64_t year = int{date.year()} + 400 * periods;
  const fmt::format_int digits(year);
  if (year >= 1000) {
    out.append(digits.data(), digits.size());
  } else {
    fmt::format_to(std::back_inserter(out), "{:04}", year);
  }
  append_digits<2>(out, '-', unsigned{date.month()});
  append_digits<2>(out, '-', unsigned{date.day()});
}

void append_iso8601(std::string& out, UnixMs at) {
  append_iso8601_date(out, at);
  const std::int64_t in_day = (at - std::chrono::floor<days>(at)).count();
  append_digits<2>(out, 'T', in_day / 3'600'000);
  append_digits<2>(out, ':', in_day / 60'000 % 60);
  append_digits<2>(out, ':', in_day / 1'000 % 60);
  append_digits<3>(out, '.', in_day % 1'000);
}

std::string rfc3339(UnixMs at) {
  std::string text;
  append_iso8601(text, at);
  return text += 'Z';
}

}  // namespace rts
