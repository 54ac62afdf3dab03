// What the gate remembers of orders (SPEC §6): a fold over the log and the own signals, by id.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include <rts/trading/order_memory.hpp>

namespace rts {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr UnixMs kNoon{milliseconds(1'721'390'400'000)};  // 2024-07-19T12:00:00Z
constexpr auto kSkew = StrategyId::orderbook_skew;
constexpr std::size_t kBtc = 0;
constexpr std::size_t kEth = 1;

Symbol symbol(std::size_t index) { return *Symbol::from(index == kBtc ? "BTCUSDT" : "ETHUSDT"); }

CountedOrder order(std::string_view name, UnixMs at = kNoon, std::size_t index = kBtc,
                   Side side = Side::buy) {
  return {make_order_id(name), kSkew, side, symbol(index), at};
}

OrderMemory memory() { return OrderMemory(4); }

TEST(OrderMemory, CountsAnOwnSignalOnceHoweverOftenItIsHeard) {
  OrderMemory memory = rts::memory();
  memory.accept(order("a"), kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), 1);
  for (int copy = 0; copy < 3; ++copy) memory.hear(order("a"), kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), 1);
  EXPECT_EQ(memory.orders_of_minute(kNoon), 1);
  EXPECT_EQ(memory.last_order({kBtc, kSkew, Side::buy}), kNoon);
  EXPECT_FALSE(memory.is_foreign(order("a").id));
}

// Found in review: the own time stayed.
TEST(OrderMemory, TakesTheTimeOfTheLogForASignalThatAnotherProcessHasStored) {
  OrderMemory memory = rts::memory();
  memory.accept(order("a", kNoon + seconds(5)), kBtc);
  memory.hear(order("a"), kBtc);
  EXPECT_EQ(memory.last_order({kBtc, kSkew, Side::buy}), kNoon);
}

TEST(OrderMemory, CountsASignalOnceThatTheLogHasAlready) {
  OrderMemory memory = rts::memory();
  memory.hear(order("a"), kBtc);
  EXPECT_TRUE(memory.is_foreign(order("a").id));
  memory.accept(order("a", kNoon + seconds(5)), kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), 1);
  EXPECT_EQ(memory.last_order({kBtc, kSkew, Side::buy}), kNoon) << "as the log has it";
  EXPECT_FALSE(memory.is_foreign(order("a").id)) << "from now on it is our own";
}

TEST(OrderMemory, KnowsForeignOrdersOfAKeyAsLongAsTheyCanMatter) {
  OrderMemory memory = rts::memory();
  const OrderMemory::Key key{kBtc, kSkew, Side::buy};
  EXPECT_FALSE(memory.may_be_foreign(key, kNoon, seconds(60)));
  memory.hear(order("a"), kBtc);
  EXPECT_TRUE(memory.may_be_foreign(key, kNoon, seconds(0)));
  EXPECT_TRUE(memory.may_be_foreign(key, kNoon - minutes(5), seconds(60)));
  EXPECT_TRUE(memory.may_be_foreign(key, kNoon + seconds(60), seconds(60)));
  EXPECT_FALSE(memory.may_be_foreign(key, kNoon + milliseconds(60'001), seconds(60)));
  EXPECT_FALSE(memory.may_be_foreign({kBtc, kSkew, Side::sell}, kNoon, seconds(60)));
  EXPECT_FALSE(memory.may_be_foreign({kEth, kSkew, Side::buy}, kNoon, seconds(60)));
}

TEST(OrderMemory, HearsOfASymbolBeforeItHasANumber) {
  OrderMemory memory = rts::memory();
  memory.hear(order("a", kNoon, kEth), std::nullopt);
  memory.hear(order("b", kNoon + seconds(1), kEth), std::nullopt);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), 2);
  EXPECT_EQ(memory.last_order({2, kSkew, Side::buy}), std::nullopt);
  memory.place(2, symbol(kEth));
  EXPECT_EQ(memory.last_order({2, kSkew, Side::buy}), kNoon + seconds(1));
  EXPECT_TRUE(memory.may_be_foreign({2, kSkew, Side::buy}, kNoon, seconds(0)));
  memory.place(2, symbol(kBtc));
  EXPECT_EQ(memory.last_order({2, kSkew, Side::buy}), std::nullopt) << "another symbol's number";
}

TEST(OrderMemory, AnOrderThatIsOlderThanTheLatestDayOrMinuteCountsToThat) {
  OrderMemory memory = rts::memory();
  const UnixMs midnight = kNoon + hours(12);
  memory.hear(order("a", midnight), kBtc);
  memory.hear(order("b", midnight - milliseconds(1)), kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, midnight), 2);
  EXPECT_EQ(memory.orders_of_day(kSkew, midnight - milliseconds(1)), 2);
  EXPECT_EQ(memory.orders_of_day(kSkew, midnight + hours(24)), 0);
  EXPECT_EQ(memory.orders_of_minute(midnight + seconds(59)), 2);
  EXPECT_EQ(memory.orders_of_minute(midnight + seconds(60)), 0);
  EXPECT_EQ(memory.last_order({kBtc, kSkew, Side::buy}), midnight);
}

TEST(OrderMemory, TheOrderOfTheLogCountsAndNotThatOfTheOwnSignals) {
  OrderMemory memory = rts::memory();
  const UnixMs midnight = kNoon + hours(12);
  memory.accept(order("old", midnight - milliseconds(1)), kBtc);
  memory.accept(order("new", midnight), kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, midnight), 1);
  memory.hear(order("new", midnight), kBtc);
  memory.hear(order("old", midnight - milliseconds(1)), kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, midnight), 2) << "the log has the old one behind the new";
}

TEST(OrderMemory, AnOwnSignalThatIsNeverStoredCountsToItsOwnDayAndMinuteOnly) {
  OrderMemory memory = rts::memory();
  const UnixMs midnight = kNoon + hours(12);
  memory.accept(order("lost", midnight - milliseconds(1)), kBtc);
  memory.hear(order("a", midnight), kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, midnight), 1);
  EXPECT_EQ(memory.orders_of_minute(midnight), 1);
  memory.accept(order("b", midnight), kBtc);
  memory.hear(order("c", midnight), kBtc);
  EXPECT_EQ(memory.orders_of_minute(midnight), 3) << "of this minute it counts";
}

// Found by a test of two processes under a daily limit: they stored five and sent four.
TEST(OrderMemory, BeforeAnOrderThatIsStoredIsWhatTheLogHasBeforeIt) {
  OrderMemory memory = rts::memory();
  memory.accept(order("own"), kBtc);
  memory.accept(order("b"), kBtc);
  memory.hear(order("a", kNoon - seconds(9)), kBtc);
  memory.hear(order("b"), kBtc);
  memory.hear(order("c", kNoon + seconds(9)), kBtc);
  const OrderMemory::Others others = memory.before(order("b"));
  EXPECT_EQ(others.last, kNoon - seconds(9));
  EXPECT_EQ(others.orders_of_day, 1);
  EXPECT_EQ(others.orders_of_minute, 0);
}

TEST(OrderMemory, OwnSignalsThatAreNeverStoredAreBoundedAndCountOn) {
  OrderMemory memory = rts::memory();
  constexpr int kMany = 5000;
  for (int i = 0; i < kMany; ++i) memory.accept(order(std::to_string(i)), kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), kMany);
  memory.hear(order(std::to_string(kMany - 1)), kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), kMany) << "the young ones are known";
}

TEST(OrderMemory, KnowsAsManyOwnSignalsByTheirIdsAsItsLimitSays) {
  const auto counted = [](int signals) {
    OrderMemory memory = rts::memory();
    for (int i = 0; i < signals; ++i) memory.accept(order(std::to_string(i)), kBtc);
    memory.hear(order("0"), kBtc);
    return memory.orders_of_day(kSkew, kNoon);
  };
  constexpr int kMost = OrderMemory::kMaxOwn;
  EXPECT_EQ(counted(kMost), kMost) << "the log has one of them";
  EXPECT_EQ(counted(kMost + 1), kMost + 2) << "the first is known no more, and counts twice";
}

TEST(OrderMemory, ForgetsHalfOfTheOwnSignalsAtOnceAndCountsThemOn) {
  OrderMemory memory = rts::memory();
  constexpr int kMost = OrderMemory::kMaxOwn;
  for (int i = 0; i <= kMost; ++i) memory.accept(order(std::to_string(i)), kBtc);
  EXPECT_EQ(memory.before(order("another")).orders_of_day, kMost + 1);
  memory.take_back(order(std::to_string(kMost / 2 - 1)).id, kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), kMost + 1) << "the last that is forgotten";
  memory.take_back(order(std::to_string(kMost / 2)).id, kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), kMost) << "the first that is known";
}

// What is heard of an own signal as it was decided leaves the last orders of other keys alone, also
// of those that are no longer known by their id.
TEST(OrderMemory, AnOwnSignalThatIsStoredAsItWasMovesNothing) {
  OrderMemory memory = rts::memory();
  memory.accept(order("sell", kNoon, kBtc, Side::sell), kBtc);
  for (std::size_t i = 0; i < OrderMemory::kMaxOwn; ++i) {
    memory.accept(order(std::to_string(i)), kBtc);
  }
  memory.hear(order(std::to_string(OrderMemory::kMaxOwn - 1)), kBtc);
  EXPECT_EQ(memory.last_order({kBtc, kSkew, Side::sell}), kNoon);
}

TEST(OrderMemory, AnEntryOfASymbolWithoutANumberTouchesNoOthers) {
  OrderMemory memory = rts::memory();
  memory.accept(order("btc", kNoon + seconds(5)), kBtc);
  memory.place(kBtc, symbol(kEth));  // the number is another's now
  memory.accept(order("eth", kNoon, kEth), kBtc);
  memory.hear(order("btc"), std::nullopt);
  EXPECT_EQ(memory.last_order({kBtc, kSkew, Side::buy}), kNoon);
  memory.hear(order("eth", kNoon, kEth), kBtc);
  EXPECT_EQ(memory.last_order({kBtc, kSkew, Side::buy}), kNoon);
}

TEST(OrderMemory, BeforeTheFirstOrderThereIsNone) {
  EXPECT_EQ(memory().orders_of_day(kSkew, UnixMs{}), 0);
  EXPECT_EQ(memory().orders_of_minute(UnixMs{}), 0);
  OrderMemory one = memory();
  one.accept(order("a", UnixMs{}), kBtc);
  EXPECT_EQ(one.orders_of_day(kSkew, UnixMs{}), 1);
}

// Found end to end: those in flight held each other back, and later entries those before them.
TEST(OrderMemory, HoldsAnOrderAgainstWhatWasBeforeItAndNothingElse) {
  OrderMemory memory = rts::memory();
  const CountedOrder first = order("first", kNoon + seconds(20));
  const CountedOrder second = order("second", kNoon + seconds(40));
  memory.hear(order("log"), kBtc);
  memory.accept(first, kBtc);
  memory.accept(second, kBtc);
  EXPECT_EQ(memory.before(first).orders_of_day, 1);
  EXPECT_EQ(memory.before(first).last, kNoon);
  EXPECT_EQ(memory.before(second).orders_of_day, 2);
  EXPECT_EQ(memory.before(second).last, first.at);
  memory.hear(second, kBtc);
  memory.hear(order("other", kNoon + seconds(50)), kBtc);
  EXPECT_EQ(memory.before(second).orders_of_minute, 1) << "what it was stored behind";
  EXPECT_EQ(memory.before(second).last, kNoon);
  EXPECT_EQ(memory.before(first).orders_of_minute, 3) << "all of the log";
  EXPECT_EQ(memory.before(first).last, kNoon + seconds(50));
}

TEST(OrderMemory, HoldsNoMoreOfALogThanItsLimit) {
  OrderMemory memory = rts::memory();
  const std::size_t many = OrderMemory::kMaxStored + 10;
  for (std::size_t i = 0; i < many; ++i) {
    memory.hear(order(std::to_string(i), kNoon + milliseconds(i)), kBtc);
    const bool is_full = i + 1 > OrderMemory::kMaxStored;
    if (i + 1 >= OrderMemory::kMaxStored) {
      EXPECT_EQ(memory.is_foreign(order("0").id), !is_full) << i;
    }
  }
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), static_cast<std::int64_t>(many));
  EXPECT_EQ(memory.before(order("another")).orders_of_day, static_cast<std::int64_t>(many));
  EXPECT_FALSE(memory.is_foreign(order("9").id)) << "the first heard are forgotten";
  EXPECT_TRUE(memory.is_foreign(order("10").id));
  EXPECT_TRUE(memory.is_foreign(order(std::to_string(many - 1)).id));
}

TEST(OrderMemory, BeforeAnOrderIsAllOfTheLogAndTheEarlierOwnUntilItIsStored) {
  OrderMemory memory = rts::memory();
  memory.hear(order("stored", kNoon - hours(1)), kBtc);
  memory.accept(order("earlier", kNoon - minutes(30)), kBtc);
  memory.accept(order("own"), kBtc);
  memory.accept(order("later", kNoon + minutes(30)), kBtc);
  const auto before = [&] { return memory.before(order("own")); };
  EXPECT_EQ(before().last, kNoon - minutes(30));
  EXPECT_EQ(before().orders_of_day, 2);
  EXPECT_EQ(before().orders_of_minute, 0);
  // Another's, stored meanwhile, whatever its time.
  memory.hear(order("other", kNoon + seconds(1)), kBtc);
  EXPECT_EQ(before().last, kNoon + seconds(1));
  EXPECT_EQ(before().orders_of_day, 3);
  EXPECT_EQ(before().orders_of_minute, 1);
  // Others of the day, which are no orders of its key.
  memory.hear(order("sell", kNoon + seconds(2), kBtc, Side::sell), kBtc);
  memory.hear(order("eth", kNoon + seconds(2), kEth), kEth);
  CountedOrder momentum = order("momentum", kNoon + seconds(2));
  momentum.strategy = StrategyId::trade_momentum;
  memory.hear(momentum, kBtc);
  EXPECT_EQ(before().last, kNoon + seconds(1));
  EXPECT_EQ(before().orders_of_day, 5);
  // Once it is stored what comes behind it was decided with it in mind, and no own signal counts
  // that is not stored.
  memory.hear(order("own"), kBtc);
  memory.hear(order("behind", kNoon + seconds(3)), kBtc);
  EXPECT_EQ(before().last, kNoon + seconds(1));
  EXPECT_EQ(before().orders_of_day, 4);
}

TEST(OrderMemory, TakesBackWhatIsNoOrderAfterAll) {
  OrderMemory memory = rts::memory();
  memory.accept(order("a"), kBtc);
  memory.accept(order("b", kNoon + minutes(30)), kBtc);
  memory.take_back(order("b", kNoon).id, kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), 1);
  EXPECT_EQ(memory.last_order({kBtc, kSkew, Side::buy}), kNoon);
  memory.take_back(order("a").id, std::nullopt);  // the symbol has no number any more
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), 0);
  // What the log has stays.
  memory.hear(order("c"), kBtc);
  memory.take_back(order("c").id, kBtc);
  EXPECT_EQ(memory.orders_of_day(kSkew, kNoon), 1);
}

}  // namespace
}  // namespace rts
