// Decimals that stay exact: quantities are counted in steps ("0.001"), never summed in binary.
// Usable from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rts {

// units · 10^-places, always >= 0 here.
class Decimal {
 public:
  static constexpr int kMaxPlaces = 18;
  static constexpr std::int64_t kMaxUnits = 999'999'999'999'999'999;

  constexpr Decimal() noexcept = default;

  // "0.001", "1", "10.50": digits with at most one point between them and no sign or exponent.
  // Empty when it is not that, or beyond 18 digits.
  [[nodiscard]] static std::optional<Decimal> parse(std::string_view text) noexcept;

  // n of these, or empty when the result has more than 18 digits. Precondition: n >= 0.
  [[nodiscard]] std::optional<Decimal> times(std::int64_t n) const noexcept;

  // This · 10^exponent, or empty when it has more than 18 digits or places.
  [[nodiscard]] std::optional<Decimal> times_power_of_ten(int exponent) const noexcept;

  [[nodiscard]] double to_double() const noexcept;
  [[nodiscard]] bool is_zero() const noexcept { return units_ == 0; }
  // Whether this is a whole number of times the other. Precondition: the other is not zero.
  [[nodiscard]] bool is_multiple_of(const Decimal& other) const noexcept;
  [[nodiscard]] bool is_less_than(const Decimal& other) const noexcept;
  // Without trailing zeros: "0.029", "12".
  void append_to(std::string& out) const;
  [[nodiscard]] std::string to_string() const;

 private:
  [[nodiscard]] static Decimal without_zeros(std::int64_t units, int places) noexcept;
  constexpr Decimal(std::int64_t units, int places) noexcept : units_(units), places_(places) {}
  std::int64_t units_ = 0;
  int places_ = 0;
};

}  // namespace rts
