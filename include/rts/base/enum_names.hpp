// Enumerations with one list: the names, the size and the walk over all values come from the
// enumerators themselves. Defined with BOOST_DEFINE_FIXED_ENUM_CLASS (or described behind their
// definition with BOOST_DESCRIBE_ENUM); the text of a value is the enumerator as it is written.
//
//   BOOST_DEFINE_FIXED_ENUM_CLASS(Side, std::uint8_t, buy, sell)
//   to_string(Side::sell) == "sell" · count_of<Side> == 2 · for (Side side : all_of<Side>) …
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <optional>
#include <string_view>

#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

namespace rts {

template <class Enum>
concept NamedEnum = boost::describe::has_describe_enumerators<Enum>::value;

// What is known of an enumeration reads like a function of it: all_of<Side>.
// NOLINTBEGIN(readability-identifier-naming)
template <NamedEnum Enum>
inline constexpr std::size_t count_of =
    boost::mp11::mp_size<boost::describe::describe_enumerators<Enum>>::value;

template <NamedEnum Enum>
inline constexpr std::array all_of =
    []<template <class...> class List, class... Descriptor>(List<Descriptor...>) {
      return std::array<Enum, count_of<Enum>>{Descriptor::value...};
    }(boost::describe::describe_enumerators<Enum>{});

template <NamedEnum Enum>
inline constexpr std::array names_of =
    []<template <class...> class List, class... Descriptor>(List<Descriptor...>) {
      return std::array<std::string_view, count_of<Enum>>{Descriptor::name...};
    }(boost::describe::describe_enumerators<Enum>{});
// NOLINTEND(readability-identifier-naming)

// The place of a value in arrays of count_of<Enum> elements.
template <NamedEnum Enum>
[[nodiscard]] constexpr std::size_t index_of(Enum value) noexcept {
  return static_cast<std::size_t>(value);
}

// Precondition: the value is one of the enumerators.
template <NamedEnum Enum>
[[nodiscard]] constexpr std::string_view to_string(Enum value) noexcept {
  static_assert(index_of(all_of<Enum>.back()) == count_of<Enum> - 1, "the value is its place");
  assert(index_of(value) < count_of<Enum>);
  return names_of<Enum>[index_of(value)];
}

// Empty when no enumerator has this name.
template <NamedEnum Enum>
[[nodiscard]] constexpr std::optional<Enum> from_string(std::string_view name) noexcept {
  for (const Enum value : all_of<Enum>) {
    if (to_string(value) == name) return value;
  }
  return std::nullopt;
}

}  // namespace rts
