// Bugs that were found in decoding, intake and orders: each test is named after one and quotes the
// sentence it stands on.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/base/utf8.hpp>
#include <rts/engine/engine.hpp>
#include <rts/wire/answer.hpp>

#include "support/endings.hpp"
#include "support/frames.hpp"
#include "wire/number_text.hpp"

namespace rts {
namespace {

using namespace rts::test;

// SPEC §2.2: "Both present and different: dropped: symbol_conflict", before symbol_not_traded. Two
// texts that are both too long for a Symbol compare as equal nothings.
TEST(Regression, TwoDifferentOverlongSymbolsAreAConflict) {
  Engine engine(usual_parameters());
  const std::string prefix(64, 'b');
  const std::string frame = combined(prefix + "@trade", trade({.symbol = std::string(64, 'a')}));
  EXPECT_EQ(ending(engine, frame), "dropped/symbol_conflict");
}

// SPEC §2: control frames have "only `id`", and "`null` counts as absent". A trace context was not
// counted when it stood beside the id at the root of a frame.
TEST(Regression, AnIdBesideATraceContextIsNoControlFrame) {
  for (const std::string context : {"{}", R"({"traceparent":"x"})", R"("x")", "0"}) {
    const std::string frame = R"({"id":7,"_otel_trace_context":)" + context + "}";
    Engine engine(usual_parameters());
    EXPECT_EQ(ending(engine, frame), "dropped/malformed") << frame;
    EXPECT_EQ(ending(engine, "[" + frame + "]"), "dropped/malformed") << frame;
  }
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, R"({"id":7,"_otel_trace_context":null})"), "ignored/control");
}

// SPEC §2.3: "E; else the envelope's timestamp; else the receive time", and "unknown keys are
// skipped". A bare event has no envelope, so its own key `timestamp` is one nobody reads.
TEST(Regression, TimestampOfABareEventIsAnUnknownKey) {
  Engine engine(usual_parameters());
  const Object untimed = trade().without("E");
  EXPECT_EQ(ending(engine, Object(untimed).set("timestamp", "1721390400000"), ms_as_ns(kNoonMs)),
            "trade_momentum/warming_up");
  EXPECT_EQ(ending(engine, Object(untimed).set("timestamp", quote("2024-07-19T12:00:00Z"))),
            "dropped/no_event_time");
}

// wire/frame.hpp: a frame may be nested 512 levels deep, and open() checks it whole. In a bare
// array an element that makes exactly 512 levels passes open() and is then dropped as malformed; as
// `data` of an envelope it is accepted.
TEST(Regression, ElementOfABareArrayMayBeAsDeepAsAnyOther) {
  const auto element = [](std::size_t levels) {  // the object itself is one
    return trade().set("x", nested_arrays(levels - 1)).json();
  };
  Engine as_data(usual_parameters());
  EXPECT_EQ(ending(as_data, combined("!x@arr", array({element(510)}))),
            "trade_momentum/warming_up");
  Engine bare(usual_parameters());
  EXPECT_EQ(ending(bare, array({element(511)})), "trade_momentum/warming_up");
}

// wire/number_text.hpp: "Empty unless the text is a JSON number". The frame reader never asks about
// such a text, so nothing outside sees it.
TEST(Regression, IntegerWithALeadingZeroIsNoJsonNumber) {
  EXPECT_EQ(wire::parse_integer("01"), std::nullopt);
  EXPECT_EQ(wire::parse_integer("00"), std::nullopt);
}

// SPEC §2.5: numbers that are not "finite and below 10^15" are bad_number, also inside a book. The
// largest exponent that fits 64 bits overflowed when the digits before the point were added to it.
TEST(Regression, AnExponentOfAllThatFitsIsABadNumber) {
  const std::string huge = quote("1e9223372036854775807");
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, trade().set("p", huge)), "dropped/bad_number");
  EXPECT_EQ(ending(engine, ticker().set("c", huge)), "dropped/bad_number");
  const std::string side = R"([["100",)" + huge + R"(],["4","1"],["3","1"],["2","1"],["1","1"]])";
  EXPECT_EQ(ending(engine, combined("btcusdt@depth20", futures_book().set("b", side))),
            "dropped/bad_number");
}

// SPEC §4: opening orders have protection, and §6: "in doubt, an opening order is not sent". Where
// price·(1 + TP/100) is no price any more, the order went out with neither stop loss nor take
// profit. It takes absurd prices and a step to match.
TEST(Regression, OpeningOrderIsNeverWithoutProtection) {
  EngineParameters parameters = usual_parameters();
  parameters.defaults.trade_momentum.window = 2;
  parameters.defaults.terms.instrument.quantity_step = *Decimal::parse("0.000000000000000001");
  Engine engine(parameters);
  feed(engine, trade({.id = 1, .price = "9.7e14"}));
  feed(engine, trade({.id = 2, .price = "9.7e14"}));
  EXPECT_EQ(ending(engine, trade({.id = 3, .price = "9.75e14", .quantity = "10"})),
            "trade_momentum/size_limit");
}

// SPEC §6: "cooldown, day and minute counters are a fold over that log". An indicator from 2^63 on
// was written as an integer, which simdjson does not read: no replica counted such an order. Found
// by fuzz_order.
TEST(Regression, AnOrderWithAHugeIndicatorIsCounted) {
  Engine engine(usual_parameters());
  const Step step = engine.step(
      book_frame({.bids = {{"100", "140944653939.954"}}, .asks = {{"100.2", "0.00000001"}}}), {});
  ASSERT_EQ(step.events.size(), 1U);
  ASSERT_NE(step.events.front().decision(), nullptr);
  const auto& order = step.events.front().decision()->order;
  ASSERT_TRUE(order);
  EXPECT_GT(order->indicators[2].value(), 9.3e18);  // the ratio
  for (const OrderFormat format : all_of<OrderFormat>) {
    std::string json;
    append_json(json, *order, format);
    const auto counted = wire::parse_counted_order(json);
    ASSERT_TRUE(counted) << json;
    EXPECT_EQ(counted->id, order->id);
  }
}

// An order as a line for people: the time of day is cut out of whatever text stands there, and that
// may leave half a character, which some terminals take for the start of a command. Found by
// fuzz_log_entry.
TEST(Regression, ATimeOfDayIsNotCutWithinACharacter) {
  const std::string line = wire::order_text(
      "{\"symbol\":\"ETHUSDT\",\"timestamp\":\"2024-07-19T12:03:11.10\xEF\xBB\xBF\"}");
  EXPECT_TRUE(is_plain_text(line)) << printable(line);
  EXPECT_TRUE(line.starts_with("12:03:11.10?  ")) << line;
}

}  // namespace
}  // namespace rts
