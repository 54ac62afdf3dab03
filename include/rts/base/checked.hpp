// Checked<Rule>: a finite double with a meaning. What a rule does not admit cannot be constructed,
// and two rules never mix: a Price is not a Quantity. Usable from any thread.
#pragma once

#include <compare>
#include <optional>

namespace rts {

// Rule needs `static constexpr double kInitial` (an admitted value, so that arrays can exist before
// they are filled) and `static bool admits(double)`, which admits finite numbers only.
template <class Rule>
class Checked {
 public:
  constexpr Checked() noexcept = default;

  [[nodiscard]] static std::optional<Checked> from(double value) noexcept {
    if (!Rule::admits(value)) [[unlikely]] {
      return std::nullopt;
    }
    return Checked(value);
  }

  [[nodiscard]] constexpr double value() const noexcept { return value_; }
  friend constexpr auto operator<=>(Checked, Checked) noexcept = default;

 private:
  explicit constexpr Checked(double value) noexcept : value_(value) {}
  double value_ = Rule::kInitial;
};

}  // namespace rts
