#include <array>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include <rts/base/time.hpp>

namespace rts {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;

// Reads a fixed-width decimal field and moves past it; false when it is not all digits.
bool take_digits(std::string_view& text, std::size_t width, int& value) noexcept {
  if (text.size() < width) return false;
  value = 0;
  for (const char c : text.substr(0, width)) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(width);
  return true;
}

bool take(std::string_view& text, std::string_view any_of) noexcept {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// The first three digits of a fraction are milliseconds; the rest must be digits and is cut off.
bool take_fraction(std::string_view& text, int& millis) noexcept {
  int digits = 0;
  millis = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
    if (digits < 3) millis = millis * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  for (int missing = digits; missing < 3; ++missing) millis *= 10;
  return digits > 0;
}

bool take_offset(std::string_view& text, std::chrono::minutes& offset) noexcept {
  offset = {};
  if (text.empty() || take(text, "Zz")) return true;
  const bool west = text.front() == '-';
  int hours = 0;
  int minutes = 0;
  if (!take(text, "+-") || !take_digits(text, 2, hours) || hours > 23) return false;
  if (!text.empty()) {
    take(text, ":");
    if (!take_digits(text, 2, minutes) || minutes > 59) return false;
  }
  offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  if (west) offset = -offset;
  return true;
}

struct CivilDate {
  std::int64_t year;
  int month, day;
};

// std::chrono::year holds 16 bits; event times reach further, so the calendar is computed here.
CivilDate civil_date(std::int64_t days_since_1970) noexcept {
  const std::int64_t z = days_since_1970 + 719468;  // days since 0000-03-01
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const std::int64_t day_of_era = z - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;  // March is 0
  const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

// With leading zeros. Precondition: 0 <= value < 10^width.
template <std::size_t width>
void append_digits(std::string& out, std::int64_t value) {
  std::array<char, width> digits{};
  for (std::size_t i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits.data(), width);
}

}  // namespace

std::optional<UnixMs> parse_iso8601(std::string_view text) noexcept {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millis = 0;
  std::chrono::minutes offset{};
  if (!take_digits(text, 4, year) || !take(text, "-") || !take_digits(text, 2, month) ||
      !take(text, "-") || !take_digits(text, 2, day) || !take(text, "Tt ") ||
      !take_digits(text, 2, hour) || !take(text, ":") || !take_digits(text, 2, minute)) {
    return std::nullopt;
  }
  if (take(text, ":")) {
    if (!take_digits(text, 2, second)) return std::nullopt;
    if (take(text, ".,") && !take_fraction(text, millis)) return std::nullopt;
  }
  if (!take_offset(text, offset) || !text.empty()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + milliseconds(millis) - offset;
}

void append_iso8601_date(std::string& out, UnixMs at) {
  const auto date = civil_date(utc_day(at));
  if (date.year >= 0 && date.year <= 9999) {
    append_digits<4>(out, date.year);
  } else {
    fmt::format_to(std::back_inserter(out), "{:04}", date.year);
  }
  out += '-';
  append_digits<2>(out, date.month);
  out += '-';
  append_digits<2>(out, date.day);
}

void append_iso8601(std::string& out, UnixMs at) {
  append_iso8601_date(out, at);
  const auto in_day = (at - std::chrono::floor<days>(at)).count();
  out += 'T';
  append_digits<2>(out, in_day / 3'600'000);
  out += ':';
  append_digits<2>(out, in_day / 60'000 % 60);
  out += ':';
  append_digits<2>(out, in_day / 1'000 % 60);
  out += '.';
  append_digits<3>(out, in_day % 1'000);
}

}  // namespace rts
