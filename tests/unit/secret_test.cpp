// A Secret comes out where somebody writes reveal(), and nowhere else.
#include <ostream>
#include <sstream>
#include <string>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <gtest/gtest.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/secret.hpp>

namespace rts {
namespace {

template <class T>
concept Streamable = requires(std::ostream& stream, const T& value) {
  stream << value;
};
template <class T>
concept Writable = requires(JsonWriter& json, const T& value) {
  json.string(value);
};
template <class T>
concept Comparable = requires(const T& a, const T& b) {
  a == b;
};
template <class T>
concept RevealedAfterItsEnd = requires {
  T().reveal();
};

// The questions can be answered with yes.
static_assert(Streamable<std::string> && Writable<std::string> && Comparable<std::string>);
static_assert(fmt::is_formattable<std::string>::value);

static_assert(!Streamable<Secret>);
static_assert(!Writable<Secret>);
static_assert(!Comparable<Secret>);
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<Secret, bool>);
static_assert(!std::is_convertible_v<std::string, Secret>, "what becomes a secret is said");
static_assert(!std::is_convertible_v<const char*, Secret>);
static_assert(!RevealedAfterItsEnd<Secret>);

TEST(Secret, GivesItsTextToWhoAsksForIt) {
  const Secret secret(std::string("canary"));
  EXPECT_EQ(secret.reveal(), "canary");
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
  const Secret copy = secret;
  EXPECT_EQ(copy.reveal(), secret.reveal());
}

}  // namespace
}  // namespace rts
