// The fast readers of the usual spelling against the ones that read every spelling: whatever the
// text, they agree, and what they do not take they leave alone.
#include <string>
#include <string_view>
#include <vector>

#include <rts/wire/frame.hpp>

#include "property/property.hpp"
#include "support/mutation.hpp"
#include "wire/json_cursor.hpp"
#include "wire/number_text.hpp"

namespace rts::wire {
namespace {

class WireProperty : public test::Property {
 protected:
  std::string digits(std::uint64_t most) {
    std::string text;
    const std::uint64_t count = pick(most + 1);
    for (std::uint64_t i = 0; i < count; ++i) text += static_cast<char>('0' + pick(10));
    return text;
  }
  // Mostly numbers as the venue writes them; some that are none, or only just.
  std::string numeral() {
    static const std::vector<std::string> kOdd{"",
                                               "0",
                                               "0.0",
                                               "-1",
                                               "+1",
                                               "01",
                                               "00.5",
                                               "1.",
                                               ".5",
                                               "1e5",
                                               "1E-3",
                                               "1.5e",
                                               "1 ",
                                               " 1",
                                               "1:2",
                                               "1/2",
                                               "0x10",
                                               "1.2.3",
                                               "NaN",
                                               "\xc2\xb5",
                                               "1\xb0",
                                               "9007199254740992",
                                               "9007199254740993",
                                               "9007199254740.993"};
    switch (pick(8)) {
      case 0: return kOdd[pick(kOdd.size())];
      case 1: return digits(24) + "." + digits(24);
      case 2: return digits(20);
      default: return std::to_string(pick(100'000)) + "." + digits(9);
    }
  }
};

TEST_F(WireProperty, PlainNumbersAreWhatParseNumberSaysOfThem) {
  int taken = 0;
  for (int i = 0; i < 300'000; ++i) {
    const std::string text = numeral();
    // What stands before and behind a number must not matter.
    const std::string before = pick(2) == 0 ? "0123456789.12345" : "\xc2\xb5 [[\"\xff\xff,:9.9/0";
    const std::string frame = before + text + (pick(2) == 0 ? "\"" : "7");
    const std::string_view in_frame = std::string_view(frame).substr(before.size(), text.size());
    const auto value = read_plain_number(in_frame);
    if (!value) continue;
    ASSERT_EQ(parse_number(text), value) << text;
    ++taken;
  }
  EXPECT_GT(taken, 150'000);
}

TEST_F(WireProperty, PlainIntegersAreWhatParseIntegerSaysOfThem) {
  int taken = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string text = pick(4) == 0 ? numeral() : digits(19);
    const std::string frame = "0123456789abcdef" + text;
    const auto value = read_plain_integer(std::string_view(frame).substr(16));
    if (!value) continue;
    ASSERT_EQ(parse_integer(text), value) << text;
    ++taken;
  }
  EXPECT_GT(taken, 40'000);
}

class SideText : public WireProperty {
 protected:
  // `gap` stands where JSON allows a space and the venue writes none.
  static std::string frame_of(const std::vector<std::vector<std::string>>& levels,
                              std::string_view gap) {
    std::string side = "[";
    side += gap;
    for (const auto& level : levels) {
      if (side.back() != '[' && side.back() != ' ') side += ",";
      side += "[";
      for (std::size_t i = 0; i < level.size(); ++i) side += (i == 0 ? "" : ",") + level[i];
      side += "]";
    }
    side += "]";
    return R"({"e":"depthUpdate","s":"BTCUSDT","b":)" + side + R"(,"u":7,"a":)" + side + "}";
  }
  std::string element() {
    const std::string text = numeral();
    return pick(40) == 0 ? text : "\"" + text + "\"";
  }
  static std::string description(FrameReader& reader, const std::string& frame) {
    if (reader.open(frame)) return "refused";
    const WireEvent* const event = reader.next();
    std::string text = std::to_string(static_cast<int>(event->id.state));
    for (const SideField* side : {event->bids, event->asks}) {
      text += fmt::format(" {} ", static_cast<int>(side->state));
      if (side->state != FieldState::valid) continue;
      text += fmt::format("{} {}", side->level_count, side->has_zero_quantity);
      for (const Level& level : side->levels()) {
        text += fmt::format(" {}x{}", level.price.value(), level.quantity.value());
      }
    }
    return text;
  }
};

TEST_F(SideText, MeansTheSameInTheUsualSpellingAndInAnother) {
  FrameReader reader;
  int valid = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::vector<std::vector<std::string>> levels(pick(24));
    const bool venue_like = pick(2) == 0;
    for (auto& level : levels) {
      if (venue_like) {
        const std::string price = std::to_string(1 + pick(90'000)) + "." + digits(8) + "0";
        level = {"\"" + price + "\"", "\"" + std::to_string(pick(900)) + "." + digits(3) + "0\""};
        continue;
      }
      level.resize(pick(30) == 0 ? pick(4) : 2);
      for (std::string& text : level) text = element();
    }
    const std::string usual = frame_of(levels, "");
    const std::string said = description(reader, usual);
    ASSERT_EQ(said, description(reader, frame_of(levels, " "))) << usual;
    if (said.starts_with("1 1 ")) ++valid;
  }
  EXPECT_GT(valid, 20'000);
}

// Any character of a book replaced, lost or doubled.
TEST_F(SideText, IsRefusedOrUnderstoodAlikeWithAWrongCharacter) {
  FrameReader reader;
  const std::string alphabet = R"([]{}",.:0123456789-+eE \nx)";
  for (int i = 0; i < 60'000; ++i) {
    std::string level = R"(["61837.63000000","3.788"],["1.5","20"])";
    const std::size_t at = pick(level.size());
    switch (pick(3)) {
      case 0: level[at] = alphabet[pick(alphabet.size())]; break;
      case 1: level.erase(at, 1); break;
      default: level.insert(at, 1, alphabet[pick(alphabet.size())]);
    }
    const std::string usual = R"({"e":"depthUpdate","s":"B","b":[)" + level + R"(],"u":7,"a":[]})";
    const std::string spaced =
        R"({"e":"depthUpdate","s":"B","b":[ )" + level + R"(],"u":7,"a":[ ]})";
    ASSERT_EQ(description(reader, usual), description(reader, spaced)) << usual;
  }
}

// What simdjson says of a number beyond its types; since 3.1 of an integer in a code of its own.
template <typename Code>
bool is_beyond_numbers(Code error) {
  if constexpr (requires { Code::BIGINT_ERROR; }) {
    if (error == Code::BIGINT_ERROR) return true;
  }
  return error == Code::NUMBER_ERROR;
}

// The grammar that JsonCursor checks against simdjson's own complete parser, over frames bent at
// random. They may differ in one thing: a number beyond simdjson's types is JSON.
TEST_F(WireProperty, WhatTheCursorWalksOverIsWhatAWholeParserTakes) {
  JsonText text;
  simdjson::dom::parser parser;
  const std::vector<std::string> frames{
      R"({"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","p":"1.5","m":true}})",
      R"([{"a":[1,-2.5e3,true,false,null,"x\"\u00e9\\"]}, [] , {} ,[[["\ud83d\ude00"]]],"",0])",
      "{ \"b\" : [ [ \"1\" , \"2\" ] ] , \"\\u0062\" : \"\xc2\xb5\" }\r\n",
      R"({"e":"depthUpdate","b":[["1.5","2.5"],["1.4","2"]],"a":[["1.6","3.25"]]})"};
  int valid = 0;
  int beyond_numbers = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string frame = frames[pick(frames.size())];
    if (pick(8) != 0) frame = test::mutated(frame, random());
    const auto error = parser.parse(frame.data(), frame.size()).error();
    bool walked = false;
    if (text.open(frame)) {
      JsonCursor cursor(text);
      walked = cursor.skip() && cursor.at_end();
    }
    if (walked && is_beyond_numbers(error)) {
      ++beyond_numbers;
      continue;
    }
    ASSERT_EQ(walked, error == simdjson::SUCCESS) << frame << "\n"
                                                  << simdjson::error_message(error);
    if (walked) ++valid;
  }
  EXPECT_GT(valid, 30'000);
  EXPECT_LT(beyond_numbers, 4'000);
}

}  // namespace
}  // namespace rts::wire
