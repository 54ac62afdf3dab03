// Upper and lower case of ASCII letters; every other byte stays as it is, so that UTF-8 survives.
#pragma once

#include <string>
#include <string_view>

namespace rts {

[[nodiscard]] constexpr char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Whether two texts differ in nothing but case.
[[nodiscard]] constexpr bool same_in_any_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && to_upper(a[i]) != to_upper(b[i])) return false;
  }
  return true;
}

}  // namespace rts
