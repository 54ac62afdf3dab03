// `provision`: its options, and the plan they make with the settings.
#include "commands/provision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_run.hpp"

namespace rts::commands {
namespace {

using testing::HasSubstr;

using Words = std::vector<std::string>;

Result<Plans, std::string> planned(Words words,
                                   const std::vector<config::Given>& environment = {}) {
  words.insert(words.begin(), "provision");
  try {
    return plans_of(parse_command_line(words), test::configured(environment).settings);
  } catch (const CommandError& error) {
    return Failure<std::string>{error.what()};
  }
}

TEST(ProvisionPlan, ComesFromTheSettings) {
  const Plans plans = planned({}, {{"ORDER_LOG_TOPIC", "a.log"},
                                   {"SIGNAL_COOLDOWN_SECONDS", "1000"},
                                   {"ORDER_TTL_SECONDS", "40"},
                                   {"ORDER_TTL_REDUCE_ONLY_SECONDS", "20"},
                                   {"RISK_MAX_DAILY_SIGNALS", "7"}})
                          .value();
  const StreamPlan& plan = plans.orders;
  EXPECT_EQ(plan.name, "ORDERS");
  EXPECT_EQ(plan.subject, "a.log");
  EXPECT_EQ(plan.duplicate_window.count(), 1040);
  EXPECT_EQ(plan.max_messages, 21);
  EXPECT_EQ(plan.republish, (Republish{"a.log", "a.log.stored"}));
  EXPECT_EQ(planned({}).value().orders.subject, "orders.intents");
}

TEST(ProvisionPlan, FollowsTheOptions) {
  const Plans plans = planned({"--stream", "A-1", "--daily-cap", "9", "--replicas", "3"}).value();
  const StreamPlan& plan = plans.orders;
  EXPECT_EQ(plan.name, "A-1");
  EXPECT_EQ(plan.max_messages, 9);
  EXPECT_EQ(plan.replicas, 3);
  EXPECT_EQ(plans.bucket->replicas, 3);
  EXPECT_EQ(plans.bucket->max_messages, -1);
  EXPECT_EQ(planned({"--daily-cap", "0"}).value().orders.max_messages, -1);
}

TEST(ProvisionPlan, HasTheBucketOfTheControlLogUnlessThatIsOff) {
  EXPECT_EQ(planned({}).value().bucket->name, "KV_realtime-strategies");
  EXPECT_EQ(planned({}, {{"CONTROL_BUCKET", "mine"}}).value().bucket->subject, "$KV.mine.>");
  EXPECT_FALSE(planned({}, {{"CONTROL_BUCKET", ""}}).value().bucket);
}

TEST(ProvisionPlan, RefusesWhatNoBrokerCouldBeAskedFor) {
  struct Row {
    Words words;
    const char* because;
  };
  for (const auto& [words, because] :
       std::vector<Row>{{{"--stream="}, "--stream"},
                        {{"--stream", "a b"}, "--stream"},
                        {{"--stream", "a.b"}, "--stream"},
                        {{"--stream", "*"}, "--stream"},
                        {{"--stream", ">"}, "--stream"},
                        {{"--stream", "a/b"}, "--stream"},
                        {{"--stream", "a\\b"}, "--stream"},
                        {{"--stream", std::string(256, 'a')}, "--stream"},
                        {{"--daily-cap", "-1"}, "--daily-cap"},
                        {{"--daily-cap", "many"}, "--daily-cap"},
                        {{"--daily-cap="}, "--daily-cap"},
                        {{"--daily-cap", "1000000001"}, "--daily-cap"},
                        {{"--replicas", "0"}, "--replicas"},
                        {{"--replicas", "6"}, "--replicas"},
                        {{"--replicas", "1x"}, "--replicas"},
                        {{"--republish", "tradeengine.orders"}, "unknown option"}}) {
    const auto plan = planned(words);
    ASSERT_FALSE(plan) << testing::PrintToString(words);
    EXPECT_THAT(plan.error(), HasSubstr(because));
  }
}

}  // namespace
}  // namespace rts::commands
