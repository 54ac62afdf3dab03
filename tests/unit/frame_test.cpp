// Frames on the wire: which shapes are accepted, what counts as JSON, and how fields are read
// before any rule has looked at them (SPEC §2, first paragraphs and table).
#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/wire/frame.hpp>

#include "support/frames.hpp"
#include "wire/event_fields.hpp"
#include "wire/json_cursor.hpp"

namespace rts::wire {
namespace {

using rts::test::agg_trade;
using rts::test::array;
using rts::test::book_frame;
using rts::test::combined;
using rts::test::envelope;
using rts::test::futures_book;
using rts::test::ladder;
using rts::test::nested_arrays;
using rts::test::Object;
using rts::test::quote;
using rts::test::spot_book;
using rts::test::ticker;
using rts::test::trade;
using namespace std::string_view_literals;

using Kinds = std::vector<std::string>;

// The kinds of the frame's events; or the one word why there are none.
Kinds kinds(FrameReader& reader, const std::string& frame) {
  if (const auto error = reader.open(frame)) {
    return {*error == FrameError::too_large ? "too_large" : "malformed"};
  }
  Kinds all;
  while (const WireEvent* event = reader.next()) all.emplace_back(to_string(event->kind));
  return all;
}

class Frame : public testing::Test {
 protected:
  Kinds kinds_of(const std::string& frame) { return kinds(reader_, frame); }

  // The single event of a frame that has one.
  const WireEvent& only(const std::string& frame) {
    EXPECT_FALSE(reader_.open(frame).has_value()) << frame;
    const WireEvent* event = reader_.next();
    if (event == nullptr) {
      ADD_FAILURE() << "no event in " << frame;
      return nothing_;
    }
    return *event;
  }

  const Envelope& envelope_of(const std::string& frame) {
    EXPECT_FALSE(reader_.open(frame).has_value()) << frame;
    return reader_.envelope();
  }

  FrameReader reader_;
  WireEvent nothing_;
};

struct KindCase {
  std::string name;
  std::string frame;
  std::string kind;
};

TEST_F(Frame, IsRecognisedByItsEventName) {
  std::vector<KindCase> cases{
      {"trade", trade(), "trade"},
      {"aggTrade", agg_trade(), "trade"},
      {"depthUpdate", futures_book(), "book"},
      {"no e, but id and both sides", spot_book(), "book"},
      {"e is null, id and both sides", spot_book().set("e", "null"), "book"},
      {"bids missing", spot_book().without("bids"), "unknown"},
      {"asks missing", spot_book().without("asks"), "unknown"},
      {"asks null", spot_book().set("asks", "null"), "unknown"},
      {"lastUpdateId missing", spot_book().without("lastUpdateId"), "unknown"},
      {"unknown e", R"({"e":"tradingSession","E":1})", "other"},
      {"empty e", R"({"e":""})", "other"},
      {"e with more letters", R"({"e":"trades"})", "other"},
      {"e in other case", R"({"e":"Trade"})", "other"},
      {"e is no string", R"({"e":5})", "other"},
      {"e is an object", R"({"e":{"e":"trade"}})", "other"},
      {"E is not e", R"({"E":"trade"})", "unknown"},
      {"mark price", R"({"e":"markPriceUpdate","r":"","T":0})", "other"},
      {"liquidation", R"({"e":"forceOrder","o":{"s":"X","p":"1"}})", "other"},
      {"server shutdown", R"({"e":"serverShutdown","E":1770123456789})", "other"},
      {"spot bookTicker", R"({"u":5,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"})", "unknown"},
      {"empty object", "{}", "unknown"},
  };
  for (const auto name : rts::test::kTickerEvents) {
    cases.push_back({std::string(name), ticker({.event = std::string(name)}), "ticker"});
  }
  for (const auto& c : cases) EXPECT_EQ(kinds_of(c.frame), Kinds{c.kind}) << c.name;
}

TEST_F(Frame, ControlFramesAreNoEvents) {
  for (const auto frame : rts::test::kControlFrames) {
    EXPECT_EQ(kinds_of(std::string(frame)), Kinds{"control"}) << frame;
  }
}

TEST_F(Frame, WhatOnlyResemblesAControlFrameIsNone) {
  const std::vector<KindCase> cases{
      {"id with company", R"({"id":7,"x":1})", "unknown"},
      {"id null", R"({"id":null})", "unknown"},
      {"error null", R"({"error":null})", "unknown"},
      {"code alone", R"({"code":2})", "unknown"},
      {"msg alone", R"({"msg":"x"})", "unknown"},
      {"an event with a result", trade().set("result", "null"), "trade"},
      {"an event with an error", trade().set("error", "{}"), "trade"},
      {"id with nulls is id alone", R"({"x":null,"id":7})", "control"},
  };
  for (const auto& c : cases) EXPECT_EQ(kinds_of(c.frame), Kinds{c.kind}) << c.name;
}

TEST_F(Frame, ShapesThatAreAccepted) {
  const std::vector<KindCase> cases{
      {"bare", trade(), "trade"},
      {"combined", combined("btcusdt@trade", trade()), "trade"},
      {"data before stream", Object().add("data", trade()).add("stream", "\"x@y\""), "trade"},
      {"relay", envelope({}, trade()), "trade"},
      {"relay, keys reversed", envelope({}, trade()).reversed_json(), "trade"},
      {"event keys reversed", trade().reversed_json(), "trade"},
      {"book keys reversed", spot_book().reversed_json(), "book"},
      {"array of one", array({trade()}), "trade"},
      {"array of one as data", combined("!ticker@arr", array({ticker()})), "ticker"},
      {"each blank behind values", "{\"e\":\"trade\",\"x\":[1\t,2\n,3\r,4 ,true\t,null\t]}",
       "trade"},
      {"stream is the empty string", combined("", trade()), "trade"},
      {"data null is absent", trade().set("data", "null"), "trade"},
      {"stream null is absent", trade().set("stream", "null"), "trade"},
      {"control in data", combined("x", R"({"result":null,"id":1})"), "control"},
      {"white space around all", "\r\n\t {\"e\" : \"trade\" , \"x\" : [ 1 , 2 ] } \r\n", "trade"},
  };
  for (const auto& c : cases) EXPECT_EQ(kinds_of(c.frame), Kinds{c.kind}) << c.name;
}

TEST_F(Frame, ShapesThatAreNone) {
  const std::vector<std::string> frames{
      "null",
      "42",
      "\"text\"",
      "true",
      "1.5e3",
      R"({"stream":"x"})",
      R"({"stream":"x","data":null})",
      R"({"stream":"x","data":5})",
      R"({"stream":"x","data":"{}"})",
      R"({"stream":"x","data":true})",
      R"({"stream":5,"data":{"e":"trade"}})",
      R"({"stream":null,"data":{"e":"trade"}})",
      R"({"stream":["x"],"data":{"e":"trade"}})",
      R"({"stream":{},"data":[]})",
      R"({"data":{"e":"24hrTicker"}})",
      R"({"data":[]})",
      R"({"e":"trade","data":5})",
  };
  for (const auto& frame : frames) EXPECT_EQ(kinds_of(frame), Kinds{"malformed"}) << frame;
}

TEST_F(Frame, MustBeOneCompleteJsonValue) {
  const std::string good = trade();
  std::vector<std::string> frames{
      "",
      " ",
      "\n",
      "{",
      "[",
      "}",
      "]",
      "\"",
      "{\"e\"",
      "{\"e\":",
      "nul",
      "{]",
      "[}",
      "[1,2",
      good + good,
      good + " " + good,
      good + "x",
      good + "}",
      good + "]",
      good + ",",
      good + "1",
      good + "null",
      good + std::string("\0", 1),
      "x" + good,
      "," + good,
      R"({"e":"trade",})",
      R"({,"e":"trade"})",
      R"({"e":"trade" "E":1})",
      R"({"e" "trade"})",
      R"({"e"::"trade"})",
      R"({e:"trade"})",
      R"({'e':'trade'})",
      R"({"e":"trade")",
      "[1,]",
      "[,1]",
      "[1 2]",
      R"(["a" "b"])",
      "/**/{}",
      "{}//x",
      "\xEF\xBB\xBF{}",
      good + "\f",
      good + "\v",
      good + "\xC2\xA0",
      "[1]x",
      "[1] 1",
      "[1],",
      "[1]]",
  };
  for (std::size_t n = 1; n < good.size(); ++n) frames.push_back(good.substr(0, n));
  for (const auto& frame : frames) EXPECT_EQ(kinds_of(frame), Kinds{"malformed"}) << frame;
}

// What the one before it has left in the memory does not complete it.
TEST_F(Frame, ThatIsCutShortIsMalformedAlsoBehindAWholeOne) {
  for (const std::string& whole :
       {book_frame(), futures_book().json(), array({futures_book(), trade()}),
        envelope({}, spot_book().set("bids", R"([["1","1"]])")).json()}) {
    for (std::size_t n = 1; n < whole.size(); ++n) {
      ASSERT_NE(kinds_of(whole), Kinds{"malformed"});
      EXPECT_EQ(kinds_of(whole.substr(0, n)), Kinds{"malformed"}) << whole.substr(0, n);
    }
  }
}

// Nor are its tokens any of the next one's, which has fewer.
TEST_F(Frame, EndsWithItsOwnLastToken) {
  for (const std::string frame : {"[", "[1", R"(["]")", R"({"x":"}")"}) {
    EXPECT_EQ(kinds_of(std::string(100, '[')), Kinds{"malformed"});
    EXPECT_EQ(kinds_of(frame), Kinds{"malformed"}) << frame;
    EXPECT_EQ(kinds_of("[1]]]]]]]]]]"), Kinds{"malformed"});
    EXPECT_EQ(kinds_of(frame), Kinds{"malformed"}) << frame;
  }
}

// What is wrong in a value nobody reads is wrong all the same, wherever it stands.
TEST_F(Frame, IsCheckedAlsoWhereNobodyReads) {
  const std::vector<std::string> bad_values{
      "1,5",         "tru",        "truex",     "nulll",       "falsee",
      "01",          "-01",        "1.",        ".5",          "+1",
      "-",           "1e",         "1e+",       "0x1",         "1_000",
      "NaN",         "Infinity",   "-Infinity", "undefined",   "'a'",
      "1 2",         "\"a\"b",     "1\"a\"",    R"("\x")",     R"("\u12")",
      R"("\u12g4")", R"("a\")",    "\"a\nb\"",  "\"a\tb\"",    std::string("\"a\0b\"", 5),
      "\"\x1f\"",    "{\"a\":}",   "{\"a\" 1}", "{1:2}",       "[1,,2]",
      "[1,]",        "{\"a\":1,}", "[\"a\":1]", "{\"\\x\":1}", "{\"a\nb\":1}",
      "[",           "{",          "",          "]",           "}",
  };
  for (const auto& bad : bad_values) {
    const std::string inner = Object().add("deep", "[{\"k\":" + bad + "}]");
    const std::vector<std::string> frames{
        trade().set("unread", bad),
        trade().set("unread", inner),
        combined("btcusdt@trade", trade().set("unread", bad)),
        Object().add("stream", "\"x@y\"").add("data", trade()).add("unread", bad),
        Object().add("unread", bad).add("stream", "\"x@y\"").add("data", trade()),
        envelope({}, trade()).set("_otel_trace_context", "{\"tracestate\":" + bad + "}"),
        array({trade(), trade().set("unread", bad)}),
        combined("x", array({trade().set("unread", inner), trade()})),
        Object().add("result", "null").add("unread", bad),
        combined("btcusdt@depth20", futures_book().set("b", "[[\"1\",\"1\",{\"x\":" + bad + "}]]")),
    };
    for (const auto& frame : frames) EXPECT_EQ(kinds_of(frame), Kinds{"malformed"}) << frame;
  }
}

TEST_F(Frame, IsCheckedAlsoWhereFieldsAreRead) {
  for (const std::string bad : {"tru", "nul", "01", "1.", "+1", "NaN", R"("\x")", "\"\n\"",
                                "\"a\"b", "[1", "{\"a\"}", "-", ""}) {
    for (const std::string_view key :
         {"e", "s", "E", "t", "p", "q", "m", "X", "a", "b", "c", "u"}) {
      EXPECT_EQ(kinds_of(trade().set(key, bad)), Kinds{"malformed"}) << key << ": " << bad;
    }
    for (const std::string_view key : {"stream", "timestamp", "message_id", "data"}) {
      const std::string frame = envelope({}, trade()).set(key, bad);
      EXPECT_EQ(kinds_of(frame), Kinds{"malformed"}) << key << ": " << bad;
    }
    const std::string level = "[[\"1\",\"1\"],[\"2\"," + bad + "]]";
    EXPECT_EQ(kinds_of(spot_book().set("bids", level)), Kinds{"malformed"}) << level;
  }
}

TEST_F(Frame, MustBeValidUtf8) {
  struct Case {
    std::string name;
    std::string bytes;
    bool valid;
  };
  const std::vector<Case> cases{
      {"two bytes", "\xC3\xA9", true},
      {"three bytes", "\xE7\x89\x9B", true},
      {"four bytes", "\xF0\x9F\x98\x80", true},
      {"last code point", "\xF4\x8F\xBF\xBF", true},
      {"lone continuation", "\x80", false},
      {"lone lead", "\xC3", false},
      {"truncated", "\xE7\x89", false},
      {"overlong", "\xC0\xAF", false},
      {"surrogate", "\xED\xA0\x80", false},
      {"beyond U+10FFFF", "\xF4\x90\x80\x80", false},
      {"0xFF", "\xFF", false},
  };
  for (const auto& c : cases) {
    const Kinds expected{c.valid ? "trade" : "malformed"};
    EXPECT_EQ(kinds_of(trade().set("s", quote(c.bytes))), expected) << c.name;
    EXPECT_EQ(kinds_of(trade().set("unread", quote(c.bytes))), expected) << c.name;
    EXPECT_EQ(kinds_of(trade().set("k" + c.bytes, "1")), expected) << c.name;
  }
}

TEST_F(Frame, MayHave1MiBAndNotAByteMore) {
  std::string frame = trade();
  frame.append(kMaxFrameBytes - 1 - frame.size(), ' ');
  EXPECT_EQ(kinds_of(frame), Kinds{"trade"});
  frame += ' ';
  EXPECT_EQ(kinds_of(frame), Kinds{"trade"}) << "exactly 1 MiB";
  frame += ' ';
  EXPECT_EQ(kinds_of(frame), Kinds{"too_large"}) << "1 MiB + 1";
  EXPECT_EQ(kinds_of(std::string(kMaxFrameBytes + 1, 'x')), Kinds{"too_large"});
  EXPECT_EQ(kinds_of(std::string(kMaxFrameBytes, 'x')), Kinds{"malformed"});
  EXPECT_EQ(kinds_of(trade()), Kinds{"trade"}) << "the reader is as good as new";
}

TEST_F(Frame, OfOneMiBMayBeOneStringOrOneNumberOrAllBrackets) {
  const auto fill = [](const std::string& head, const std::string& unit, const std::string& tail) {
    std::string frame = head;
    while (frame.size() + unit.size() + tail.size() <= kMaxFrameBytes) frame += unit;
    return frame + tail;
  };
  const std::string head = R"({"e":"trade","x":)";
  EXPECT_EQ(kinds_of(fill(head + "\"", "a", "\"}")), Kinds{"trade"});
  EXPECT_EQ(kinds_of(fill(head + "\"", "\\n", "\"}")), Kinds{"trade"});
  EXPECT_EQ(kinds_of(fill(head + "\"", "\\u0041", "\"}")), Kinds{"trade"});
  EXPECT_EQ(kinds_of(fill(head, "1", "}")), Kinds{"trade"});
  EXPECT_EQ(kinds_of(fill(head + "[[]", ",[]", "]}")), Kinds{"trade"});
  EXPECT_EQ(kinds_of(fill(head + "[\"\\n\"", ",\"\\n\"", "]}")), Kinds{"trade"});
  EXPECT_EQ(kinds_of(fill(head, "[", "")), Kinds{"malformed"});
  EXPECT_EQ(kinds_of(fill("[0", ",0", "]")), Kinds{"too_large"});
}

TEST_F(Frame, MayBeNested512LevelsDeep) {
  const auto inside_object = [](std::size_t levels) {  // the object itself is one level
    return trade().set("x", nested_arrays(levels - 1)).json();
  };
  EXPECT_EQ(kinds_of(inside_object(511)), Kinds{"trade"});
  EXPECT_EQ(kinds_of(inside_object(512)), Kinds{"trade"});
  EXPECT_EQ(kinds_of(inside_object(513)), Kinds{"malformed"});

  const auto inside_data = [](std::size_t levels) {
    return combined("x@y", trade().set("x", nested_arrays(levels - 2)));
  };
  EXPECT_EQ(kinds_of(inside_data(511)), Kinds{"trade"});
  EXPECT_EQ(kinds_of(inside_data(512)), Kinds{"trade"});
  EXPECT_EQ(kinds_of(inside_data(513)), Kinds{"malformed"});

  EXPECT_EQ(kinds_of(nested_arrays(511)), Kinds{"unknown"});
  EXPECT_EQ(kinds_of(nested_arrays(512)), Kinds{"unknown"});
  EXPECT_EQ(kinds_of(nested_arrays(513)), Kinds{"malformed"});
  EXPECT_EQ(kinds_of(nested_arrays(100'000)), Kinds{"malformed"});
  EXPECT_EQ(kinds_of(std::string(100'000, '[')), Kinds{"malformed"});
}

TEST_F(Frame, MayCarry4096EventsAndNotOneMore) {
  const std::string small = R"({"e":"x"})";
  const auto of = [&](std::size_t n) { return array(std::vector<std::string>(n, small)); };
  EXPECT_EQ(kinds_of(of(4095)).size(), 4095U);
  EXPECT_EQ(kinds_of(of(4096)).size(), 4096U);
  EXPECT_EQ(kinds_of(of(4097)), Kinds{"too_large"});
  EXPECT_EQ(kinds_of(combined("!x@arr", of(4096))).size(), 4096U);
  EXPECT_EQ(kinds_of(combined("!x@arr", of(4097))), Kinds{"too_large"});
  EXPECT_EQ(kinds_of(trade()), Kinds{"trade"});
}

TEST_F(Frame, ArrayElementsAreJudgedOneByOne) {
  const std::string good = trade();
  const std::string bad = R"({"x":[1,{"y":2}]})";
  struct Case {
    std::string frame;
    Kinds expected;
  };
  const std::vector<Case> cases{
      {array({good, bad, ticker()}), {"trade", "unknown", "ticker"}},
      {array({bad, good}), {"unknown", "trade"}},
      {array({good, bad}), {"trade", "unknown"}},
      {array({"null", good, "5", good}), {"unknown", "trade", "unknown", "trade"}},
      {array({"[]", good}), {"unknown", "trade"}},
      {array({"[[1,[2]],{}]", good}), {"unknown", "trade"}},
      {array({array({good}), good}), {"unknown", "trade"}},
      {array({"\"text\"", "true", good}), {"unknown", "unknown", "trade"}},
      {array({R"({"result":null,"id":1})", good}), {"control", "trade"}},
      {array({spot_book(), good}), {"book", "trade"}},
      {array({R"({"e":"serverShutdown"})", good}), {"other", "trade"}},
      {array({"{}", "{}"}), {"unknown", "unknown"}},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(kinds_of(c.frame), c.expected) << c.frame;
    EXPECT_EQ(kinds_of(combined("!x@arr", c.frame)), c.expected) << "as data: " << c.frame;
    const std::string before = Object().add("data", c.frame).add("stream", quote("!x@arr"));
    EXPECT_EQ(kinds_of(before), c.expected) << "stream after data: " << c.frame;
  }
}

TEST_F(Frame, ArrayAsDataKeepsItsEnvelope) {
  const std::string data = array({ticker(), ticker({.symbol = "ETHUSDT"})});
  for (const std::string& frame :
       {envelope({.stream = "!ticker@arr"}, data).json(),
        envelope({.stream = "!ticker@arr"}, data).reversed_json(),
        envelope({}, data).set("stream", R"("\u0021ticker@arr")").json(),
        envelope({}, data).set("stream", R"("\u0021ticker@arr")").reversed_json()}) {
    ASSERT_FALSE(reader_.open(frame).has_value());
    for (const std::string_view symbol : {"BTCUSDT", "ETHUSDT"}) {
      const WireEvent* event = reader_.next();
      ASSERT_NE(event, nullptr);
      EXPECT_EQ(event->symbol.value, symbol);
      EXPECT_EQ(reader_.envelope().stream.value, "!ticker@arr");
      EXPECT_EQ(reader_.envelope().timestamp.value, "2024-07-19T12:00:00.250000Z");
      EXPECT_TRUE(reader_.envelope().message_id.value.starts_with("6f1c2a9e-"));
      EXPECT_TRUE(reader_.envelope().traceparent.value.starts_with("00-4bf92f"));
    }
    EXPECT_EQ(reader_.next(), nullptr);
    EXPECT_EQ(reader_.next(), nullptr) << "asking again changes nothing";
  }
}

TEST_F(Frame, UnescapedStringsOfAnArrayElementLiveAsLongAsTheElement) {
  const std::string escaped = R"("\u0042TCUSDT")";
  const std::string frame =
      envelope({}, array({trade().set("s", escaped), trade()})).set("message_id", R"("m\u002d1")");
  ASSERT_FALSE(reader_.open(frame).has_value());
  const WireEvent* event = reader_.next();
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->symbol.value, "BTCUSDT");
  EXPECT_EQ(reader_.envelope().message_id.value, "m-1");
}

TEST_F(Frame, KeysMayBeEscaped) {
  EXPECT_EQ(kinds_of(R"({"\u0065":"trade"})"), Kinds{"trade"});
  EXPECT_EQ(kinds_of(R"({"e":"tr\u0061de"})"), Kinds{"trade"});
  EXPECT_EQ(kinds_of(R"({"\u0064ata":{"e":"trade"},"str\u0065am":"x@y"})"), Kinds{"trade"});
  EXPECT_EQ(kinds_of(R"({"\u0064ata":[{"\u0065":"trade"}],"stream":"x@y"})"), Kinds{"trade"});
  EXPECT_EQ(kinds_of(R"({"\u0045":"trade"})"), Kinds{"unknown"}) << "that is E";
  EXPECT_EQ(kinds_of(R"({"e\u0000":"trade"})"), Kinds{"unknown"});
  EXPECT_EQ(kinds_of(R"({"\\u0065":"trade"})"), Kinds{"unknown"});
  EXPECT_EQ(only(trade().without("s").add("\\u0073", quote("ETHUSDT"))).symbol.value, "ETHUSDT");
  EXPECT_EQ(only(trade().set("p", R"("1\u002e5")")).price.value, 1.5);
  EXPECT_EQ(only(trade().set("s", R"("\"\\\/\b\f\n\r\tA")")).symbol.value, "\"\\/\b\f\n\r\tA");
  EXPECT_EQ(only(trade().set("s", R"("\u725b\ud83d\ude00")")).symbol.value,
            "\xE7\x89\x9B\xF0\x9F\x98\x80");
}

TEST_F(Frame, KeysDifferInCaseAlone) {
  const std::string frame =
      R"({"E":1790526539033,"e":"aggTrade","A":"7","a":5,"s":"BTCUSDT","S":"x","P":"9","p":"1",)"
      R"("Q":"9","q":"2","T":2,"t":3,"M":true,"m":false,"x":"NA","U":8,"u":9,"C":"4","c":"6"})";
  const WireEvent& event = only(frame);
  EXPECT_EQ(event.kind, EventKind::trade);
  EXPECT_EQ(event.event_time.value, 1790526539033U);
  EXPECT_EQ(event.id.value, 5U);
  EXPECT_EQ(event.symbol.value, "BTCUSDT");
  EXPECT_EQ(event.price.value, 1);
  EXPECT_EQ(event.quantity.value, 2);
  EXPECT_FALSE(event.buyer_is_maker.value);
  EXPECT_EQ(event.execution_type.state, FieldState::absent);
}

TEST_F(Frame, UnknownKeysAreSkipped) {
  const std::string frame = trade()
                                .set("ps", quote("BTCUSDT"))
                                .set("st", "1")
                                .set("nested", R"({"e":"aggTrade","s":"X","p":["9",{"q":"9"}]})")
                                .set("", "1")
                                .set("ee", "1");
  const WireEvent& event = only(frame);
  EXPECT_EQ(event.kind, EventKind::trade);
  EXPECT_EQ(event.symbol.value, "BTCUSDT");
  EXPECT_EQ(event.price.value, 100);
}

TEST_F(Frame, NullCountsAsAbsent) {
  const WireEvent& event =
      only(R"({"e":"trade","s":null,"E":null,"t":null,"p":null,"q":null,"m":null,"X":null})");
  EXPECT_EQ(event.symbol.state, FieldState::absent);
  EXPECT_EQ(event.event_time.state, FieldState::absent);
  EXPECT_EQ(event.id.state, FieldState::absent);
  EXPECT_EQ(event.price.state, FieldState::absent);
  EXPECT_EQ(event.quantity.state, FieldState::absent);
  EXPECT_EQ(event.buyer_is_maker.state, FieldState::absent);
  EXPECT_EQ(event.execution_type.state, FieldState::absent);
  EXPECT_EQ(envelope_of(envelope({}, trade()).set("timestamp", "null")).timestamp.state,
            FieldState::absent);
}

TEST_F(Frame, OfDuplicateKeysTheFirstWins) {
  struct Case {
    std::string_view key;
    std::string second;
  };
  const std::vector<Case> cases{
      {"e", quote("aggTrade")},
      {"s", quote("ETHUSDT")},
      {"E", "5"},
      {"t", "99"},
      {"p", quote("7")},
      {"q", quote("7")},
      {"m", "true"},
      {"X", quote("NA")},
      {"p", "{}"},
      {"s", "[1,2]"},
      {"t", "null"},
      {"\\u0070", quote("7")},
  };
  for (const auto& c : cases) {
    const std::string frame = trade().add(c.key, c.second);
    const WireEvent& event = only(frame);
    EXPECT_EQ(event.kind, EventKind::trade) << frame;
    EXPECT_EQ(event.symbol.value, "BTCUSDT") << frame;
    EXPECT_EQ(event.event_time.value, static_cast<std::uint64_t>(rts::test::kNoonMs)) << frame;
    EXPECT_EQ(event.id.value, 1U) << frame;
    EXPECT_EQ(event.price.value, 100) << frame;
    EXPECT_EQ(event.quantity.value, 1) << frame;
    EXPECT_FALSE(event.buyer_is_maker.value) << frame;
    EXPECT_EQ(event.execution_type.value, "MARKET") << frame;
  }
  const Object enveloped = envelope({}, trade());
  EXPECT_EQ(kinds_of(Object(enveloped).add("data", array({ticker(), ticker()}))), Kinds{"trade"});
  EXPECT_EQ(kinds_of(Object(enveloped).add("data", "5")), Kinds{"trade"});
  EXPECT_EQ(envelope_of(Object(enveloped).add("stream", quote("other"))).stream.value,
            "btcusdt@trade");
  const std::string arrays = combined("x", array({trade(), trade()}));
  EXPECT_EQ(kinds_of(arrays.substr(0, arrays.size() - 1) + R"(,"data":[{"e":"other"}]})"),
            (Kinds{"trade", "trade"}));
  // And of two keys of a side, which are two spellings of one.
  for (const char* key : {"b", "bids"}) {
    const SideField& bids = *only(futures_book().add(key, R"([["9","9"]])")).bids;
    EXPECT_EQ(bids.level_count, 5U) << key;
    EXPECT_EQ(bids.levels().front().price.value(), 100) << key;
  }
}

// A name of an event where the frame before had it, and none in this one.
TEST_F(Frame, WhereTheNameOfTheEventIsNoTextThatOfTheLastIsNotMeant) {
  EXPECT_EQ(kinds_of(R"({"e" :"trade"})"), Kinds{"trade"});
  EXPECT_EQ(kinds_of(R"({"e":["trade"]})"), Kinds{"other"});
}

TEST_F(Frame, OtherKeysAreNoneOfOurs) {
  for (const char* key : {"", "x", "foo", "symbols", "sourc", "Source"}) {
    const Object frame = envelope({}, trade()).without("source").set(key, quote("simulation"));
    EXPECT_FALSE(envelope_of(frame).source.valid()) << key;
  }
}

TEST_F(Frame, NumbersAreStringsOrJsonNumbers) {
  struct Case {
    std::string raw;
    FieldState state;
    double value;
  };
  const std::vector<Case> cases{
      {quote("61837.63000000"), FieldState::valid, 61837.63},
      {"61740.5", FieldState::valid, 61740.5},
      {quote("0"), FieldState::valid, 0},
      {"-0", FieldState::valid, 0},
      {quote("-0.0"), FieldState::valid, 0},
      {quote("-1"), FieldState::valid, -1},
      {"1e2", FieldState::valid, 100},
      {quote("1E+2"), FieldState::valid, 100},
      {quote("0.1e-1"), FieldState::valid, 0.01},
      {quote("1e-400"), FieldState::valid, 0},
      {"1e-400", FieldState::valid, 0},
      {quote("1.7976931348623157e308"), FieldState::valid, 1.7976931348623157e308},
      {quote("0.30000000000000004"), FieldState::valid, 0.30000000000000004},
      {quote("9007199254740993"), FieldState::valid, 9007199254740992.0},
      {quote("1e400"), FieldState::invalid, 0},
      {"1e400", FieldState::invalid, 0},
      {"-1e400", FieldState::invalid, 0},
      {quote("1.8e308"), FieldState::invalid, 0},
      {quote(""), FieldState::invalid, 0},
      {quote(" 1"), FieldState::invalid, 0},
      {quote("1 "), FieldState::invalid, 0},
      {quote("01"), FieldState::invalid, 0},
      {quote("1."), FieldState::invalid, 0},
      {quote(".5"), FieldState::invalid, 0},
      {quote("+1"), FieldState::invalid, 0},
      {quote("--1"), FieldState::invalid, 0},
      {quote("1e"), FieldState::invalid, 0},
      {quote("1,5"), FieldState::invalid, 0},
      {quote("0x1"), FieldState::invalid, 0},
      {quote("NaN"), FieldState::invalid, 0},
      {quote("Infinity"), FieldState::invalid, 0},
      {quote("inf"), FieldState::invalid, 0},
      {quote("1\\u0000"), FieldState::invalid, 0},
      {quote("\xD9\xA1"), FieldState::invalid, 0},  // ARABIC-INDIC DIGIT ONE
      {"true", FieldState::wrong_type, 0},
      {"{}", FieldState::wrong_type, 0},
      {"[]", FieldState::wrong_type, 0},
      {"[\"1\"]", FieldState::wrong_type, 0},
      {"null", FieldState::absent, 0},
  };
  for (const auto& c : cases) {
    const NumberField price = only(trade().set("p", c.raw)).price;
    EXPECT_EQ(price.state, c.state) << c.raw;
    EXPECT_EQ(price.value, c.value) << c.raw;
    EXPECT_EQ(only(trade().set("q", c.raw)).quantity.state, c.state) << c.raw;
    EXPECT_EQ(only(ticker().set("c", c.raw)).price.state, c.state) << c.raw;
  }
}

TEST_F(Frame, LevelsTakeTheSameNumbers) {
  struct Case {
    std::string level;
    FieldState state;
  };
  const std::vector<Case> cases{
      {R"(["1","2"])", FieldState::valid},
      {R"([1,2])", FieldState::valid},
      {R"(["1",2.5])", FieldState::valid},
      {R"(["1e2","0.1e1"])", FieldState::valid},
      {R"(["\u0031","2"])", FieldState::valid},
      {R"(["1","2",[]])", FieldState::valid},
      {R"(["1","2",{"x":[1]},"3"])", FieldState::valid},
      {R"(["1","0"])", FieldState::valid},
      {R"(["1","-0"])", FieldState::valid},
      {R"(["1","1e-400"])", FieldState::valid},
      {R"(["999999999999999.875","1"])", FieldState::valid},
      {R"(["1","999999999999999.875"])", FieldState::valid},
      {R"(["1000000000000000","1"])", FieldState::invalid},
      {R"(["1","1000000000000000"])", FieldState::invalid},
      {R"([1e15,1])", FieldState::invalid},
      {R"(["1","1e15"])", FieldState::invalid},
      {R"(["1e9223372036854775807","1"])", FieldState::invalid},
      {R"([1,1e9223372036854775807])", FieldState::invalid},
      {R"(["1e-400","1"])", FieldState::invalid},
      {R"(["0","1"])", FieldState::invalid},
      {R"(["-1","1"])", FieldState::invalid},
      {R"(["1","-1"])", FieldState::invalid},
      {R"(["","1"])", FieldState::invalid},
      {R"(["1",""])", FieldState::invalid},
      {R"([" 1","1"])", FieldState::invalid},
      {R"(["1 ","1"])", FieldState::invalid},
      {R"(["01","1"])", FieldState::invalid},
      {R"(["1.","1"])", FieldState::invalid},
      {R"([".1","1"])", FieldState::invalid},
      {R"(["+1","1"])", FieldState::invalid},
      {R"(["-","1"])", FieldState::invalid},
      {R"(["1e","1"])", FieldState::invalid},
      {R"(["0x1","1"])", FieldState::invalid},
      {R"(["1x","1"])", FieldState::invalid},
      {R"(["1","NaN"])", FieldState::invalid},
      {R"(["1","Infinity"])", FieldState::invalid},
      {R"(["1e400","1"])", FieldState::invalid},
      {R"(["1","1e400"])", FieldState::invalid},
      {R"([1e400,1])", FieldState::invalid},
      {R"(["1","1\u0000"])", FieldState::invalid},
      {R"(["1"])", FieldState::wrong_type},
      {R"([])", FieldState::wrong_type},
      {R"(["1",null])", FieldState::wrong_type},
      {R"([true,"1"])", FieldState::wrong_type},
      {R"(["1",[]])", FieldState::wrong_type},
      {R"([{},"1"])", FieldState::wrong_type},
      {R"("1")", FieldState::wrong_type},
      {R"(5)", FieldState::wrong_type},
      {R"(null)", FieldState::wrong_type},
      {R"({"0":"1","1":"2"})", FieldState::wrong_type},
  };
  for (const auto& c : cases) {
    for (const std::string& side : {"[" + c.level + "]", R"([["300","1"],)" + c.level + "]",
                                    "[" + c.level + R"(,["0.5","1"]])"}) {
      EXPECT_EQ(only(spot_book().set("bids", side)).bids->state, c.state) << side;
      EXPECT_EQ(only(futures_book().set("a", side)).asks->state, c.state) << side;
    }
  }
}

TEST_F(Frame, OfSeveralBadLevelsTheFirstSaysWhatIsWrong) {
  const std::string invalid = R"(["x","1"])", wrong_type = R"([true,"1"])";
  for (const auto& [first, second, state] :
       {std::tuple(invalid, wrong_type, FieldState::invalid),
        std::tuple(wrong_type, invalid, FieldState::wrong_type)}) {
    const std::string side = "[" + first + "," + second + "]";
    EXPECT_EQ(only(futures_book().set("a", side)).asks->state, state) << side;
  }
  // And of its two numbers the first.
  EXPECT_EQ(only(futures_book().set("a", R"([["x",true]])")).asks->state, FieldState::invalid);
}

// With the bracket missing the rest of the frame would be one, were the level only left out.
TEST_F(Frame, ALevelThatIsNoJsonIsNotLeftOut) {
  for (const std::string bad : {R"("\ud800")", R"("\x")", "nul", "01"}) {
    const std::string level = R"(["1","1"],[)" + bad + R"(,"2"])";
    EXPECT_EQ(kinds_of(futures_book().set("b", "[" + level)), Kinds{"malformed"}) << level;
  }
}

// Whether a side is one that is read in one pass; what that has read of it is in `side`, and the
// cursor behind it.
bool is_usual(const std::string& spelling, SideField& side) {
  JsonText text;
  EXPECT_TRUE(text.open(spelling + " 7")) << spelling;
  JsonCursor cursor(text);
  const bool result = read_usual_side(cursor, side);
  EXPECT_EQ(*cursor.here(), result ? '7' : '[') << spelling;
  return result;
}

TEST(UsualSide, IsReadInOnePassAsTheVenueSpellsIt) {
  for (const std::size_t levels : {1U, 2U, 20U, 21U, 100U}) {
    std::string spelling;
    for (std::size_t i = 0; i < levels; ++i) {
      spelling += fmt::format(R"({}["{}.25","{}.5"])", i == 0 ? "" : ",", 1000 - i, i + 1);
    }
    SideField side;
    ASSERT_TRUE(is_usual("[" + spelling + "]", side)) << spelling;
    EXPECT_EQ(side.level_count, levels);
    EXPECT_FALSE(side.has_zero_quantity);
    ASSERT_EQ(side.levels().size(), std::min<std::size_t>(levels, 20));
    for (std::size_t i = 0; i < side.levels().size(); ++i) {
      EXPECT_EQ(side.levels()[i].price.value(), 1000.25 - static_cast<double>(i));
      EXPECT_EQ(side.levels()[i].quantity.value(), 1.5 + static_cast<double>(i));
    }
  }
}

TEST(UsualSide, MayHaveNumbersOfSixteenCharacters) {
  for (const std::string number : {"1", "10", "1.5", "1.5000000", "12345678", "1234567890123.25",
                                   "12345.1234567890", "123456789012345"}) {
    const double value = std::stod(number);
    for (const auto& [price, quantity] :
         {std::pair(number, std::string("2.5")), std::pair(std::string("2.5"), number)}) {
      SideField side;
      EXPECT_TRUE(is_usual(R"([[")" + price + R"(",")" + quantity + R"("]])", side)) << number;
      EXPECT_EQ(side.level_count, 1U);
      EXPECT_EQ(side.levels()[0].price.value(), price == number ? value : 2.5) << number;
      EXPECT_EQ(side.levels()[0].quantity.value(), price == number ? 2.5 : value) << number;
    }
  }
}

TEST(UsualSide, MayHaveBlanksBetweenLevels) {
  for (const std::string spelling :
       {R"([ ["1","2"]])", R"([["1","2"] ])", R"([["1","2"] , ["1","2"]])"}) {
    SideField side;
    EXPECT_TRUE(is_usual(spelling, side)) << spelling;
  }
}

TEST(UsualSide, OtherSpellingsAreNot) {
  for (const std::string spelling : {R"([])",
                                     R"([["1" ,"2"]])",
                                     R"([["1", "2"]])",
                                     R"([[ "1","2"]])",
                                     R"([["1","2" ]])",
                                     R"([[1,"2"]])",
                                     R"([["1",2]])",
                                     R"([["1","2"],[1,2]])",
                                     R"([["1","2","3"]])",
                                     R"([["1"]])",
                                     R"([["1":"2"]])",
                                     R"([["1","2"]:["1","2"]])",
                                     R"([["1","2"}])",
                                     R"([{"1","2"]])",
                                     R"([{"1","2"}])",
                                     R"([["1","2"]["1","2"]])",
                                     R"([["1","2"]}])",
                                     R"(["1","2"])",
                                     R"([["0","2"]])",
                                     R"([["1","-2"]])",
                                     R"([["x","2"]])",
                                     R"([["1","x"]])",
                                     R"([["1","1e3"]])",
                                     R"([["1","1000000000000000"]])",
                                     R"([["1","12345678901234567"]])",
                                     R"([["","2"]])",
                                     R"([["1",""]])",
                                     R"([["1","2"],["1","x"]])"}) {
    SideField side;
    EXPECT_FALSE(is_usual(spelling, side)) << spelling;
  }
}

TEST_F(Frame, SidesThatAreNoArraysHaveTheWrongType) {
  for (const std::string raw : {"5", "\"x\"", "true", "{}", R"({"0":["1","1"]})"}) {
    EXPECT_EQ(only(spot_book().set("bids", raw)).bids->state, FieldState::wrong_type) << raw;
    EXPECT_EQ(only(spot_book().set("asks", raw)).asks->state, FieldState::wrong_type) << raw;
    EXPECT_EQ(only(futures_book().set("b", raw)).bids->state, FieldState::wrong_type) << raw;
    EXPECT_EQ(only(futures_book().set("a", raw)).asks->state, FieldState::wrong_type) << raw;
  }
  const Object no_asks = futures_book().without("a");
  EXPECT_EQ(only(no_asks).asks->state, FieldState::absent);
  EXPECT_EQ(only(Object(no_asks).set("asks", "5")).asks->state, FieldState::wrong_type);
  EXPECT_EQ(only(futures_book().set("b", "null")).bids->state, FieldState::absent);
}

TEST_F(Frame, BookKeepsTwentyLevelsAndCountsAll) {
  const WireEvent& twenty = only(futures_book({.bids = ladder(100, -1, 20)}));
  EXPECT_EQ(twenty.bids->level_count, 20U);
  EXPECT_EQ(twenty.bids->levels().size(), 20U);
  EXPECT_EQ(twenty.bids->levels()[19].price.value(), 81);
  const WireEvent& more = only(futures_book({.asks = ladder(101, 1, 1200)}));
  EXPECT_EQ(more.asks->level_count, 1200U);
  EXPECT_EQ(more.asks->levels().size(), 20U);
  EXPECT_FALSE(more.asks->has_zero_quantity);
}

TEST_F(Frame, BookRemembersAZeroAndABadNumberBeyondTwentyLevels) {
  auto asks = ladder(101, 1, 30);
  asks[25].quantity = "0.000";
  EXPECT_TRUE(only(futures_book({.asks = asks})).asks->has_zero_quantity);
  asks[26].price = "x";
  EXPECT_EQ(only(futures_book({.asks = asks})).asks->state, FieldState::invalid);
}

TEST_F(Frame, NothingOfOneBookIsLeftInTheNext) {
  auto zero = ladder(100, -1, 30);
  zero[3].quantity = "0";
  only(futures_book({.bids = zero, .asks = ladder(101, 1, 30)}));
  const WireEvent& event = only(futures_book());
  EXPECT_FALSE(event.bids->has_zero_quantity);
  EXPECT_EQ(event.bids->level_count, 5U);
  EXPECT_EQ(event.bids->levels().size(), 5U);
  EXPECT_EQ(event.asks->levels().size(), 5U);
  EXPECT_EQ(only(futures_book().without("a")).asks->state, FieldState::absent);
}

TEST_F(Frame, IdIsOfTheEventsOwnSequence) {
  struct Case {
    std::string frame;
    Sequence sequence;
    FieldState state;
    std::uint64_t id;
    char letter;
  };
  const std::string old_spot_trade = trade({.id = 7}).set("b", "20720542158").set("a", "2072");
  const std::vector<Case> cases{
      {trade({.id = 7}), Sequence::trade, FieldState::valid, 7, 't'},
      {old_spot_trade, Sequence::trade, FieldState::valid, 7, 't'},
      {agg_trade({.id = 8}), Sequence::aggregate_trade, FieldState::valid, 8, 'a'},
      {agg_trade({.id = 8}).set("t", "9"), Sequence::aggregate_trade, FieldState::valid, 8, 'a'},
      {futures_book({.id = 9}), Sequence::book, FieldState::valid, 9, 'u'},
      {spot_book({.id = 10}), Sequence::book, FieldState::valid, 10, 'u'},
      {futures_book({.id = 9}).set("lastUpdateId", "1"), Sequence::book, FieldState::valid, 9, 'u'},
      {futures_book().without("u"), Sequence::book, FieldState::absent, 0, 'u'},
      {ticker(), Sequence::ticker_24h, FieldState::absent, 0, 'E'},
      {ticker({.event = "24hrMiniTicker"}), Sequence::mini_ticker_24h, FieldState::absent, 0, 'E'},
      {ticker({.event = "1hTicker"}), Sequence::ticker_1h, FieldState::absent, 0, 'E'},
      {ticker({.event = "4hTicker"}), Sequence::ticker_4h, FieldState::absent, 0, 'E'},
      {ticker({.event = "1dTicker"}), Sequence::ticker_1d, FieldState::absent, 0, 'E'},
  };
  for (const auto& c : cases) {
    const WireEvent& event = only(c.frame);
    EXPECT_EQ(event.sequence, c.sequence) << c.frame;
    EXPECT_EQ(event.id.state, c.state) << c.frame;
    EXPECT_EQ(event.id.value, c.id) << c.frame;
    EXPECT_EQ(id_letter(event.sequence), c.letter) << c.frame;
  }
}

TEST_F(Frame, IntegersAreJsonNumbersFromZeroTo2To63Minus1) {
  struct Case {
    std::string raw;
    FieldState state;
    std::uint64_t value;
  };
  const std::vector<Case> cases{
      {"0", FieldState::valid, 0},
      {"9223372036854775807", FieldState::valid, 9223372036854775807U},
      {"9223372036854775808", FieldState::invalid, 0},
      {"18446744073709551615", FieldState::invalid, 0},
      {"18446744073709551616", FieldState::invalid, 0},
      {"99999999999999999999999999", FieldState::invalid, 0},
      {"-1", FieldState::invalid, 0},
      {"1.0", FieldState::invalid, 0},
      {"1.5", FieldState::invalid, 0},
      {"1e3", FieldState::invalid, 0},
      {quote("1"), FieldState::wrong_type, 0},
      {quote(""), FieldState::wrong_type, 0},
      {"true", FieldState::wrong_type, 0},
      {"[1]", FieldState::wrong_type, 0},
      {"{}", FieldState::wrong_type, 0},
      {"null", FieldState::absent, 0},
  };
  for (const auto& c : cases) {
    for (const auto& [key, field] :
         {std::pair("E", &WireEvent::event_time), std::pair("t", &WireEvent::id),
          std::pair("T", &WireEvent::trade_time), std::pair("st", &WireEvent::symbol_type)}) {
      const WireEvent& event = only(trade().set(key, c.raw));
      EXPECT_EQ((event.*field).state, c.state) << key << ": " << c.raw;
      EXPECT_EQ((event.*field).value, c.value) << key << ": " << c.raw;
    }
  }
}

TEST_F(Frame, BookSaysWhetherItCallsItselfAnUpdate) {
  EXPECT_TRUE(only(futures_book()).is_depth_update);
  EXPECT_TRUE(only(futures_book().without("T")).is_depth_update);
  EXPECT_FALSE(only(spot_book()).is_depth_update);
  EXPECT_FALSE(only(spot_book().set("s", quote("BTCUSDT")).set("T", "1")).is_depth_update);
}

TEST_F(Frame, NothingOfOneEventIsLeftInTheNext) {
  const WireEvent& full = only(trade().set("st", "2"));
  EXPECT_EQ(full.symbol_type.value, 2U);
  EXPECT_EQ(full.trade_time.value, static_cast<std::uint64_t>(rts::test::kNoonMs));
  const WireEvent& bare = only(R"({"e":"trade","s":"BTCUSDT"})");
  EXPECT_EQ(bare.symbol_type.state, FieldState::absent);
  EXPECT_EQ(bare.trade_time.state, FieldState::absent);
}

TEST_F(Frame, FlagsAndTextsHaveOneTypeEach) {
  EXPECT_TRUE(only(trade({.buyer_is_maker = true})).buyer_is_maker.value);
  EXPECT_FALSE(only(trade()).buyer_is_maker.value);
  for (const std::string raw : {"\"true\"", "1", "[]"}) {
    EXPECT_EQ(only(trade().set("m", raw)).buyer_is_maker.state, FieldState::wrong_type) << raw;
  }
  for (const std::string raw : {"5", "true", "{}", "[\"BTCUSDT\"]"}) {
    EXPECT_EQ(only(trade().set("s", raw)).symbol.state, FieldState::wrong_type) << raw;
    EXPECT_EQ(only(trade().set("X", raw)).execution_type.state, FieldState::wrong_type) << raw;
    EXPECT_EQ(envelope_of(envelope({}, trade()).set("timestamp", raw)).timestamp.state,
              FieldState::wrong_type)
        << raw;
    EXPECT_EQ(envelope_of(envelope({}, trade()).set("source", raw)).source.state,
              FieldState::wrong_type)
        << raw;
  }
}

TEST_F(Frame, SymbolsMayBeAnyText) {
  for (const std::string name :
       {"4USDT", "BTCUSDT_260925", "ALPHA_116USDT", "\xE7\x89\x9B\xE6\x9D\xA5USDT"}) {
    EXPECT_EQ(only(trade({.symbol = name})).symbol.value, name);
  }
  EXPECT_EQ(only(trade().set("s", R"("BTC\u0000USDT")")).symbol.value, "BTC\0USDT"sv);
}

TEST_F(Frame, StreamNamesFallIntoSymbolAndChannel) {
  struct Case {
    std::string stream;
    std::string symbol;
    std::string channel;
  };
  const std::vector<Case> cases{
      {"btcusdt@trade", "btcusdt", "trade"},
      {"btcusdt@depth20@100ms", "btcusdt", "depth20"},
      {"btcusdt@depth20", "btcusdt", "depth20"},
      {"btcusdt@depth@100ms", "btcusdt", "depth"},
      {"ETH-231215-2150-C@ticker", "ETH-231215-2150-C", "ticker"},
      {"!ticker@arr", "", "arr"},
      {"!ticker_1h@arr", "", "arr"},
      {"!bookTicker", "", ""},
      {"btcusdt", "btcusdt", ""},
      {"btcusdt@", "btcusdt", ""},
      {"@depth20", "", "depth20"},
      {"@", "", ""},
      {"", "", ""},
      {"a@b@c@d", "a", "b"},
  };
  for (const auto& c : cases) {
    const Envelope& read = envelope_of(combined(c.stream, trade()));
    EXPECT_EQ(read.symbol_prefix(), c.symbol) << c.stream;
    EXPECT_EQ(read.channel(), c.channel) << c.stream;
  }
  EXPECT_EQ(envelope_of(trade()).symbol_prefix(), "");
  EXPECT_EQ(envelope_of(trade()).channel(), "");
}

TEST_F(Frame, EnvelopeIsRead) {
  const Envelope& read = envelope_of(envelope({}, trade()));
  EXPECT_EQ(read.stream.value, "btcusdt@trade");
  EXPECT_EQ(read.timestamp.value, "2024-07-19T12:00:00.250000Z");
  EXPECT_EQ(read.message_id.value, "6f1c2a9e-4f0a-4b0e-9a53-3f1f6f0c7f11");
  EXPECT_EQ(read.traceparent.value, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  EXPECT_EQ(read.source.value, "binance-websocket");
}

TEST_F(Frame, NothingOfOneEnvelopeIsLeftInTheNext) {
  envelope_of(envelope({}, trade()));
  const Envelope& read = envelope_of(trade());
  EXPECT_EQ(read.stream.state, FieldState::absent);
  EXPECT_EQ(read.timestamp.state, FieldState::absent);
  EXPECT_EQ(read.message_id.state, FieldState::absent);
  EXPECT_EQ(read.traceparent.state, FieldState::absent);
  EXPECT_EQ(read.source.state, FieldState::absent);
}

TEST_F(Frame, TraceContextOfAnotherShapeIsNone) {
  for (const std::string raw :
       {"null", "5", "\"00-1\"", "[]", "{}", R"({"traceparent":null})", R"({"traceparent":5})",
        R"({"traceparent":{"traceparent":"x"}})", R"({"Traceparent":"x"})"}) {
    const std::string frame = envelope({}, trade()).set("_otel_trace_context", raw);
    EXPECT_EQ(kinds_of(frame), Kinds{"trade"}) << raw;
    EXPECT_FALSE(envelope_of(frame).traceparent.valid()) << raw;
  }
  const std::string two = envelope({}, trade())
                              .set("_otel_trace_context",
                                   R"({"tracestate":"a=1","traceparent":"x","traceparent":"y"})");
  EXPECT_EQ(envelope_of(two).traceparent.value, "x");
  const Object twice = envelope({}, trade())
                           .set("_otel_trace_context", "{}")
                           .add("_otel_trace_context", R"({"traceparent":"x"})");
  EXPECT_FALSE(envelope_of(twice).traceparent.valid()) << "the first of two";
}

TEST_F(Frame, ThatCouldNotBeReadHasNoEvents) {
  ASSERT_FALSE(reader_.open(trade().json()).has_value());
  ASSERT_TRUE(reader_.open("{").has_value());
  EXPECT_EQ(reader_.next(), nullptr);
  ASSERT_TRUE(reader_.open(array({trade(), "tru"})).has_value());
  EXPECT_EQ(reader_.next(), nullptr);
  ASSERT_TRUE(reader_.open(Object().add("data", trade()).json()).has_value()) << "of no stream";
  EXPECT_EQ(reader_.next(), nullptr);
  ASSERT_TRUE(reader_.open(std::string(kMaxFrameBytes + 1, ' ')).has_value());
  EXPECT_EQ(reader_.next(), nullptr);
}

TEST_F(Frame, MayBeLeftUnreadHalfway) {
  ASSERT_FALSE(reader_.open(array({trade(), ticker(), trade()})).has_value());
  ASSERT_NE(reader_.next(), nullptr);
  EXPECT_EQ(kinds_of(book_frame()), Kinds{"book"});
  ASSERT_FALSE(reader_.open(trade().json()).has_value());
  EXPECT_EQ(kinds_of(array({ticker()})), Kinds{"ticker"});
}

// There is room for every string of a frame twice, as an array of events is walked over twice.
TEST_F(Frame, RoomForUnescapedTextsIsThereForEveryFrame) {
  const Object frame = trade().set("unread", R"("\n)" + std::string(900'000, 'x') + "\"");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(kinds_of(frame), Kinds{"trade"}) << i;
}

TEST(JsonText, UnescapesNoMoreThanItHasRoomFor) {
  const std::string end = R"(","\n"])";
  std::string frame = R"(["\n)";
  frame.append(kMaxFrameBytes - frame.size() - end.size(), 'x').append(end);
  JsonText text;
  ASSERT_TRUE(text.open(frame));
  JsonCursor first(text);
  ASSERT_TRUE(first.take('['));
  Scalar value;
  JsonCursor second = first;
  ASSERT_TRUE(first.read_value(value));
  ASSERT_TRUE(second.read_value(value));
  ASSERT_TRUE(second.take(','));
  // Ten bytes of the frame are no character of the long string: 20 are left. The short one makes
  // one of its two bytes, and is refused where these two would not fit.
  int times = 0;
  for (JsonCursor again = second; times < 100 && again.read_value(value); ++times) again = second;
  EXPECT_EQ(times, 19);
}

}  // namespace
}  // namespace rts::wire
