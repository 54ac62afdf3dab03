// What is UTF-8, what of it is a control character, and how it is shown.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/utf8.hpp>

namespace rts {
namespace {

using namespace std::string_view_literals;

struct Shown {
  std::string_view text;
  std::string_view printable;
};

TEST(Printable, LeavesPlainTextAsItIs) {
  for (const std::string_view text : {""sv, "a b"sv, "C:\\x 'y' \"z\""sv, "牛 ü € 🐂"sv}) {
    EXPECT_TRUE(is_plain_text(text)) << text;
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, EscapesEveryControlCharacterAndWhatIsNoUtf8) {
  const Shown rows[]{{"a\nb\r\t"sv, "a\\nb\\r\\t"sv},
                     {"\0"sv, "\\x00"sv},
                     {"\x1B[2J"sv, "\\x1b[2J"sv},
                     {"\x7F"sv, "\\x7f"sv},
                     {"\xC2\x9B"sv, "\\xc2\\x9b"sv},           // CSI in one character
                     {"\xC2\x85"sv, "\\xc2\\x85"sv},           // NEL
                     {"\xE2\x80\xA8"sv, "\\xe2\\x80\\xa8"sv},  // line separator
                     {"\xE2\x80\xAE"sv, "\\xe2\\x80\\xae"sv},  // right-to-left override
                     {"\xE2\x81\xA6"sv, "\\xe2\\x81\\xa6"sv},  // isolate
                     {"\x9B"sv, "\\x9b"sv},                    // CSI where a terminal is 8-bit
                     {"\xE7\x89"sv, "\\xe7\\x89"sv},           // cut
                     {"\xC0\x8A"sv, "\\xc0\\x8a"sv},           // overlong line end
                     {"ü\xFFü"sv, "ü\\xffü"sv}};
  for (const auto& [text, shown] : rows) {
    EXPECT_FALSE(is_plain_text(text)) << shown;
    EXPECT_EQ(printable(text), shown);
    EXPECT_TRUE(is_plain_text(printable(text))) << shown;
  }
}

TEST(Printable, KnowsTheNeighboursOfControlCharactersForText) {
  for (const std::string_view text : {" "sv, "~"sv, "\xC2\xA0"sv, "\xE2\x80\xA7"sv,
                                      "\xE2\x80\xAF"sv, "\xE2\x81\xA5"sv, "\xE2\x81\xAA"sv}) {
    EXPECT_TRUE(is_plain_text(text)) << text;
  }
}

TEST(Shown, IsCutWhereACharacterEndsAndHasNoControlCharacter) {
  EXPECT_EQ(shown("a\x1B[2J\n"sv, 20, '?'), "a?[2J?");
  EXPECT_EQ(shown("a\0b\x7F"sv, 20, ' '), "a b ");
  EXPECT_EQ(shown("\xC2\x9B\xC2\x9F\xC2\xA0\xE2\x80\xAEü"sv, 20, '?'), "????\xC2\xA0???ü");
  EXPECT_EQ(shown("ab\xE2\x82\xAC"sv, 4, '?'), "ab");
  EXPECT_EQ(shown("ab\xE2\x82\xAC"sv, 5, '?'), "ab\xE2\x82\xAC");
  EXPECT_EQ(shown("abc"sv, 0, '?'), "");
  EXPECT_EQ(shown("a\x9B\x32J\xE2\x82"sv, 20, '?'), "a?2J??");
}

TEST(JsonString, HasNoControlCharacterInIt) {
  std::string out;
  append_json_string(out, "\xC2\x9B\xE2\x80\xAE\x7F\x1Bü"sv);
  EXPECT_EQ(out, R"("\u009b\u202e\u007f\u001bü")");
  EXPECT_TRUE(is_plain_text(out));
}

}  // namespace
}  // namespace rts
