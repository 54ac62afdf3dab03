// Bugs that were found in decoding, intake and orders: each test is named after one and quotes the
// sentence it stands on.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/engine/engine.hpp>

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

// SPEC §4: opening orders have protection, and §6: "in doubt, an opening order is not sent". Where
// price·(1 + TP/100) is beyond double's range, the order goes out with neither stop loss nor take
// profit. It takes absurd prices and a maximum position to match; the price band does not help,
// because a trade is its own reference.
TEST(Regression, OpeningOrderIsNeverWithoutProtection) {
  EngineParameters parameters = usual_parameters();
  parameters.defaults.trade_momentum.window = 2;
  parameters.defaults.terms.instrument.quantity_step = *Decimal::parse("0.000000000000000001");
  parameters.defaults.terms.size.maximum = *Notional::from(1e300);
  Engine engine(parameters);
  feed(engine, trade({.id = 1, .price = "1.7e308"}));
  feed(engine, trade({.id = 2, .price = "1.7e308"}));
  const std::string third = trade({.id = 3, .price = "1.75e308", .quantity = "10"});
  const Step step = engine.step(third, std::nullopt);
  const Decision* decision = step.events[0].decision();
  ASSERT_NE(decision, nullptr);
  EXPECT_TRUE(!decision->order || decision->order->protection.has_value())
      << ending(step.events[0]);
}

}  // namespace
}  // namespace rts
