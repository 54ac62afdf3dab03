#include <cstdint>

#include <gtest/gtest.h>

#include <rts/base/enum_names.hpp>

namespace rts::test {
namespace {

BOOST_DEFINE_FIXED_ENUM_CLASS(Colour, std::uint8_t, red, dark_green)

enum class Shape : std::uint8_t { round, square };
BOOST_DESCRIBE_ENUM(Shape, round, square)

TEST(EnumNames, AreTheEnumeratorsInTheirOrder) {
  static_assert(count_of<Colour> == 2);
  static_assert(to_string(Colour::dark_green) == "dark_green");
  static_assert(to_string(Shape::square) == "square");
  static_assert(all_of<Colour>[1] == Colour::dark_green);
  EXPECT_EQ(index_of(Colour::dark_green), 1U);
}

TEST(EnumNames, ReadBack) {
  for (const Colour colour : all_of<Colour>) {
    EXPECT_EQ(from_string<Colour>(to_string(colour)), colour);
  }
  EXPECT_EQ(from_string<Colour>("green"), std::nullopt);
  EXPECT_EQ(from_string<Colour>(""), std::nullopt);
}

}  // namespace
}  // namespace rts::test
