// What a service says of itself, read by those who watch it: as it is written, and bent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/service_status.hpp>

#include "support/status_text.hpp"

namespace rts::wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

TEST(ServiceStatus, IsReadAsItIsWritten) {
  const auto status = parse_service_status(
      test::StatusText{.notices = R"({"what":"paused","text":"by me"})"}.text());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->id, "a1");
  EXPECT_EQ(status->version, "1.2.3");
  EXPECT_EQ(status->uptime_seconds, 100);
  EXPECT_TRUE(status->trading);
  ASSERT_THAT(status->notices, SizeIs(1));
  EXPECT_EQ(status->notices[0].what, "paused");
  EXPECT_EQ(status->notices[0].text, "by me");
  EXPECT_EQ(status->breaker, "closed");
  EXPECT_EQ(status->frames, 1000U);
  EXPECT_EQ(status->orders, 7U);
  EXPECT_THAT(status->rates, ElementsAre(70.4, 20.0, std::nullopt)) << "the newest";
  EXPECT_THAT(status->symbols, ElementsAre("BTCUSDT", "ETHUSDT"));
  EXPECT_EQ(status->symbol, "BTCUSDT");
  EXPECT_EQ(status->settings_hash, "0123456789abcdef");

  ASSERT_THAT(status->strategies, SizeIs(3));
  const StrategyStatus& skew = status->strategies[0];
  EXPECT_EQ(skew.name, "orderbook_skew");
  EXPECT_TRUE(skew.enabled);
  EXPECT_EQ(skew.last_outcome, "neutral");
  EXPECT_EQ(skew.last_time, "2026-11-28T18:00:01.000Z");
  EXPECT_EQ(skew.last_sentence, "ratio 1.05: it buys above 1.2, 0.15 away");
  EXPECT_EQ(skew.minute.events, 600U);
  EXPECT_EQ(skew.hour.events, 36000U);
  EXPECT_THAT(skew.minute.outcomes, ElementsAre(Pair("spread_below_minimum", 590U),
                                                Pair("neutral", 9U), Pair("signal_buy", 1U)));
  EXPECT_EQ(status->strategies[1].paused_by, "me@here: maintenance");
  EXPECT_FALSE(status->strategies[2].enabled);
}

// Of each kind 99 of 100 are up to this bound, and the slowest counts.
TEST(ServiceStatus, HasTheLagOfTheSlowestKind) {
  const auto lag_of = [](const char* counts) {
    return parse_service_status(
               fmt::format(
                   R"({{"trading":true,"feed":{{}},"latency":{{"lag_book":{{"le":[0.1,2],"count":)"
                   R"([1000,0,0]}},"lag_ticker":{{"le":[0.1,2],"count":[{}]}}}}}})",
                   counts))
        ->lag;
  };
  EXPECT_EQ(lag_of("99,1,0"), (Lag{0.1, false}));
  EXPECT_EQ(lag_of("98,2,0"), (Lag{2, false}));
  EXPECT_EQ(lag_of("98,1,1"), (Lag{2, false}));
  EXPECT_EQ(lag_of("98,0,2"), (Lag{2, true})) << "beyond the last bound";
  EXPECT_EQ(lag_of("0,0,0"), (Lag{0.1, false})) << "of no event there is none";
  EXPECT_EQ(lag_of("98,2"), (Lag{0.1, false})) << "a count is missing";
  EXPECT_EQ(parse_service_status(R"({"trading":true,"feed":{}})")->lag, std::nullopt);
}

TEST(ServiceStatus, OfWhatIsMissingIsNothing) {
  const auto status = parse_service_status(
      R"({"trading":false,"feed":{"rates":[],"symbols":[1,{}]},"notices":[7],"strategies":)"
      R"({"a":null,"b":{"last":null,"minute":{"events":-1,"outcomes":{"x":"y"}}}}})");
  ASSERT_TRUE(status);
  EXPECT_THAT(status->rates, testing::Each(std::nullopt));
  EXPECT_THAT(status->symbols, ElementsAre("", ""));
  EXPECT_THAT(status->notices, SizeIs(1));
  ASSERT_THAT(status->strategies, SizeIs(2));
  EXPECT_EQ(status->strategies[1].last_sentence, "");
  EXPECT_EQ(status->strategies[1].minute.events, 0U);
}

TEST(ServiceStatus, IsNotTakenFromAnythingElse) {
  const std::string whole = test::StatusText{}.text();
  for (const std::string& text :
       {std::string(), std::string("<!doctype html>"), std::string("{}"), std::string("[]"),
        std::string(R"({"trading":true})"), std::string(R"({"trading":1,"feed":{}})"),
        whole.substr(0, whole.size() - 1), whole + "x",
        std::string(kMaxStatusBytes, ' ') + whole}) {
    EXPECT_FALSE(parse_service_status(text)) << text.substr(0, 80);
  }
}

TEST(OrderStatuses, AreReadAsTheyAreWritten) {
  const auto orders = parse_order_statuses(test::kOrdersText);
  ASSERT_THAT(orders, SizeIs(2));
  EXPECT_EQ(orders[0].side, "SELL");
  EXPECT_EQ(orders[0].result, "");
  EXPECT_EQ(orders[1].time, "2026-11-28T17:59:00.000Z");
  EXPECT_EQ(orders[1].symbol, "BTCUSDT");
  EXPECT_EQ(orders[1].strategy, "orderbook_skew");
  EXPECT_EQ(orders[1].price, 63993);
  EXPECT_EQ(orders[1].quantity, 0.002);
  EXPECT_EQ(orders[1].result, "confirmed");
  EXPECT_EQ(orders[1].sentence, "BUY 0.95 at 63993: ratio 1.5 is above 1.2");
  for (const char* text : {"", "{}", "[]", R"({"decisions":{}})"}) {
    EXPECT_THAT(parse_order_statuses(text), IsEmpty()) << text;
  }
  EXPECT_THAT(parse_order_statuses(R"({"decisions":[1]})"), SizeIs(1));
}

}  // namespace
}  // namespace rts::wire
