// Tally: the accounting identity of SPEC §1, and its JSON.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rts/engine/tally.hpp>

#include "support/endings.hpp"
#include "support/frames.hpp"

namespace rts {
namespace {

using namespace rts::test;

std::uint64_t accounted(const Tally& tally) {
  std::uint64_t sum = 0;
  for (const Reason reason : all_of<Reason>) sum += tally.count(reason);
  for (const StrategyId strategy : all_of<StrategyId>) {
    for (const Outcome outcome : all_of<Outcome>) {
      sum += tally.count(strategy, outcome);
    }
  }
  return sum;
}

TEST(Tally, CountsEveryEventOnce) {
  Engine engine(usual_parameters());
  Tally tally;
  const std::vector<std::string> frames{
      "{",
      "[]",
      "{}",
      trade(),
      trade(),
      book_frame(),
      futures_book(),
      ticker(),
      array({trade({.id = 2}), "null", ticker({.at_ms = kNoonMs + 1})}),
      std::string(wire::kMaxFrameBytes + 1, ' '),
      trade({.symbol = "XRPUSDT"}),
      "not json"};
  std::uint64_t events = 0;
  for (const auto& frame : frames) {
    const Step step = engine.step(frame, std::nullopt);
    ASSERT_FALSE(step.events.empty()) << "a frame that could not be decoded counts as one event";
    events += step.events.size();
    tally.add(step);
    EXPECT_EQ(tally.events(), events);
    EXPECT_EQ(accounted(tally), events) << "the identity holds after every step";
  }
  EXPECT_EQ(tally.frames(), frames.size());
  EXPECT_EQ(tally.events(), 14U);
  EXPECT_EQ(tally.count(Reason::malformed), 4U);
  EXPECT_EQ(tally.count(Reason::out_of_order), 1U);
  EXPECT_EQ(tally.count(Reason::stale), 0U);
  EXPECT_EQ(tally.count(StrategyId::trade_momentum, Outcome::warming_up), 2U);
  EXPECT_EQ(tally.count(StrategyId::orderbook_skew, Outcome::signal_buy), 1U);
  EXPECT_EQ(tally.events(StrategyId::trade_momentum), 2U);
  EXPECT_EQ(tally.events(StrategyId::orderbook_skew), 1U);
  EXPECT_EQ(tally.events(StrategyId::ticker_velocity), 2U);
}

TEST(Tally, WritesWhatHappenedSortedByName) {
  Engine engine(usual_parameters());
  Tally tally;
  EXPECT_EQ(tally.to_json(), "{\"frames\": {\"events\": 0, \"frames\": 0}, \"outcomes\": {}}\n");
  for (const std::string& frame : {std::string("{"), trade().json(), book_frame(),
                                   trade({.id = 2}).json(), std::string("[]")}) {
    tally.add(engine.step(frame, std::nullopt));
  }
  EXPECT_EQ(tally.to_json(),
            "{\"frames\": {\"dropped/malformed\": 1, \"events\": 5, \"frames\": 5, "
            "\"ignored/control\": 1}, \"outcomes\": {\"orderbook_skew/signal_buy\": 1, "
            "\"trade_momentum/warming_up\": 2}}\n");
}

}  // namespace
}  // namespace rts
