#include <cassert>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include <rts/base/decimal.hpp>

namespace rts {
namespace {

__extension__ typedef unsigned __int128 Wide;  // NOLINT(modernize-use-using): not ISO C++

// 18 digits, and up to 18 places more: 10^36 is within 128 bits.
Wide scaled(std::int64_t units, int places) noexcept {
  Wide value = static_cast<Wide>(units);
  for (; places > 0; --places) value *= 10;
  return value;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) noexcept {
  std::int64_t units = 0;
  int places = 0;
  bool point = false;
  if (text.empty() || text.front() == '.' || text.back() == '.') return std::nullopt;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9' || units > kMaxUnits / 10 || places == kMaxPlaces) return std::nullopt;
    units = units * 10 + (c - '0');
    if (point) ++places;
  }
  return without_zeros(units, places);
}

Decimal Decimal::without_zeros(std::int64_t units, int places) noexcept {
  for (; places > 0 && units % 10 == 0; --places) units /= 10;
  return {units, places};
}

std::optional<Decimal> Decimal::times(std::int64_t n) const noexcept {
  assert(n >= 0);
  std::int64_t units = 0;
  if (__builtin_mul_overflow(units_, n, &units) || units > kMaxUnits) return std::nullopt;
  return without_zeros(units, places_);
}

std::optional<Decimal> Decimal::times_power_of_ten(int exponent) const noexcept {
  Decimal result(units_, places_ - exponent);
  for (; result.places_ < 0; ++result.places_) {
    if (result.units_ > kMaxUnits / 10) return std::nullopt;
    result.units_ *= 10;
  }
  result = without_zeros(result.units_, result.places_);
  return result.places_ <= kMaxPlaces ? std::optional(result) : std::nullopt;
}

bool Decimal::is_multiple_of(const Decimal& other) const noexcept {
  assert(!other.is_zero());
  return scaled(units_, other.places_ - places_) % scaled(other.units_, places_ - other.places_) ==
         0;
}

bool Decimal::is_less_than(const Decimal& other) const noexcept {
  return scaled(units_, other.places_ - places_) < scaled(other.units_, places_ - other.places_);
}

double Decimal::to_double() const noexcept {
  // The decimal text rounded correctly, so that "0.001" is the double that 0.001 is.
  char text[40];
  const auto end = fmt::format_to(text, "{}e-{}", units_, places_);
  double value = 0;
  std::from_chars(text, end, value);
  return value;
}

void Decimal::append_to(std::string& out) const {
  const auto digits = fmt::format_int(units_);
  const std::string_view text(digits.data(), digits.size());
  const auto places = static_cast<std::size_t>(places_);
  const std::size_t whole = text.size() > places ? text.size() - places : 0;
  out += whole > 0 ? text.substr(0, whole) : "0";
  if (places > 0) out.append(".").append(places + whole - text.size(), '0') += text.substr(whole);
}

std::string Decimal::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

}  // namespace rts
