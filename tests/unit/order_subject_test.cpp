// NATS_PUBLISHER_TOPIC and its token {strategy}.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/trading/order_subject.hpp>

namespace rts {
namespace {

using testing::ElementsAre;

TEST(OrderSubject, WithoutATokenIsTheTopicForEveryStrategy) {
  for (const StrategyId strategy : all_of<StrategyId>) {
    EXPECT_EQ(order_subject("tradeengine.orders", to_string(strategy)), "tradeengine.orders");
  }
  EXPECT_THAT(order_subjects("tradeengine.orders"), ElementsAre("tradeengine.orders"));
  EXPECT_EQ(order_subject("tradeengine.orders", "*"), "tradeengine.orders");
}

TEST(OrderSubject, HasTheStrategysNameInPlaceOfTheToken) {
  EXPECT_EQ(order_subject("cio.intent.trading.{strategy}", "trade_momentum"),
            "cio.intent.trading.trade_momentum");
  EXPECT_EQ(order_subject("{strategy}.orders", "orderbook_skew"), "orderbook_skew.orders");
  EXPECT_EQ(order_subject("{strategy}", "ticker_velocity"), "ticker_velocity");
  EXPECT_THAT(order_subjects("a.{strategy}.b"),
              ElementsAre("a.orderbook_skew.b", "a.trade_momentum.b", "a.ticker_velocity.b"));
  EXPECT_EQ(order_subject("a.{strategy}.b", "*"), "a.*.b");
}

TEST(OrderSubject, TheTokenIsAWholeTokenOnce) {
  for (const char* topic : {"{strategy}", "a.{strategy}", "{strategy}.a", "a.{strategy}.b"}) {
    EXPECT_TRUE(is_per_strategy(topic) && has_sound_tokens(topic)) << topic;
  }
  for (const char* topic : {"a", "a.b", "strategy", ""}) {
    EXPECT_TRUE(!is_per_strategy(topic) && has_sound_tokens(topic)) << topic;
  }
  for (const char* topic :
       {"a.{strategy}s", "a.s{strategy}", "a.{Strategy}", "a.{strategies}", "a.{symbol}",
        "a.{strategy}{strategy}", "a.{strategy", "a.strategy}", "a.}strategy{", "a.{}",
        "{strategy}.{strategy}", "{strategy}.{symbol}", "a{b.{strategy}"}) {
    EXPECT_FALSE(has_sound_tokens(topic)) << topic;
  }
}

}  // namespace
}  // namespace rts
