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
// NOLINTEND(readability-identifier-naming)

// The place of a value in arrays of count_of<Enum> elements.
template <NamedEnum Enum>
[[nodiscard]] constexpr std::size_t index_of(Enum value) noexcept {
  return static_cast<std::size_t>(value);
}

namespace detail {

template <class Enum, class List>
struct EnumLists;
template <class Enum, template <class...> class List, class... Descriptor>
struct EnumLists<Enum, List<Descriptor...>> {
  static constexpr std::array<Enum, sizeof...(Descriptor)> kValues{Descriptor::value...};
  static constexpr std::array<std::string_view, sizeof...(Descriptor)> kNames{Descriptor::name...};
};
template <NamedEnum Enum>
using Lists = EnumLists<Enum, boost::describe::describe_enumerators<Enum>>;

template <NamedEnum Enum>
consteval bool counts_from_zero() {
  std::size_t next = 0;
  for (const Enum value : Lists<Enum>::kValues) {
    if (index_of(value) != next++) return false;
  }
  return true;
}

}  // namespace detail

// NOLINTBEGIN(readability-identifier-naming)
template <NamedEnum Enum>
inline constexpr auto& all_of = detail::Lists<Enum>::kValues;
template <NamedEnum Enum>
inline constexpr auto& names_of = detail::Lists<Enum>::kNames;
// NOLINTEND(readability-identifier-naming)

// Precondition: the value is one of the enumerators.
template <NamedEnum Enum>
[[nodiscard]] constexpr std::string_view to_string(Enum value) noexcept {
  static_assert(detail::counts_from_zero<Enum>(), "the value is the place of the name");
  assert(index_of(value) < count_of<Enum>);
  return detail::Lists<Enum>::kNames[index_of(value)];
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
