// `provision`: its options, and the plan they make with the settings.
#include "commands/provision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_run.hpp"

namespace rts::commands {
namespace {

using testing::HasSubstr;

using Words = std::vector<std::string>;

Result<StreamPlan, std::string> planned(Words words,
                                        const std::vector<config::Given>& environment = {}) {
  words.insert(words.begin(), "provision");
  try {
    return plan_of(parse_command_line(words), test::configured(environment).settings);
  } catch (const CommandError& error) {
    return Failure<std::string>{error.what()};
  }
}

TEST(ProvisionPlan, ComesFromTheSettings) {
  const StreamPlan plan = planned({}, {{"NATS_PUBLISHER_TOPIC", "orders.intents"},
                                       {"SIGNAL_COOLDOWN_SECONDS", "1000"},
                                       {"ORDER_TTL_SECONDS", "40"},
                                       {"ORDER_TTL_REDUCE_ONLY_SECONDS", "20"},
                                       {"RISK_MAX_DAILY_SIGNALS", "7"}})
                              .value();
  EXPECT_EQ(plan.name, "ORDERS");
  EXPECT_EQ(plan.subject, "orders.intents");
  EXPECT_EQ(plan.duplicate_window.count(), 1040);
  EXPECT_EQ(plan.max_messages, 21);
  EXPECT_EQ(plan.republish->destination, "tradeengine.orders");
  EXPECT_FALSE(planned({}).value().republish.has_value());
}

TEST(ProvisionPlan, FollowsTheOptions) {
  const StreamPlan plan =
      planned({"--stream", "A-1", "--daily-cap", "9", "--republish", "x.y", "--replicas", "3"})
          .value();
  EXPECT_EQ(plan.name, "A-1");
  EXPECT_EQ(plan.max_messages, 9);
  EXPECT_EQ(plan.republish->destination, "x.y");
  EXPECT_EQ(plan.replicas, 3);
  EXPECT_EQ(planned({"--daily-cap", "0"}).value().max_messages, -1);
  EXPECT_FALSE(planned({"--republish="}, {{"NATS_PUBLISHER_TOPIC", "a"}}).value().republish);
}

TEST(ProvisionPlan, WithASubjectForEachStrategyIsToldWhereTheirOrdersGo) {
  const std::vector<config::Given> per_strategy{{"NATS_PUBLISHER_TOPIC", "orders.{strategy}"},
                                                {"ORDER_DELIVERY", "jetstream"}};
  EXPECT_EQ(planned({"--republish", "out.{strategy}"}, per_strategy).value().republish,
            (Republish{"orders.*", "out.$1"}));
  EXPECT_FALSE(planned({"--republish="}, per_strategy).value().republish);
  for (const Words& words :
       {Words{}, Words{"--republish", "out"}, Words{"--republish", "out.{strategies}"},
        Words{"--republish", "orders.{strategy}"}, Words{"--permissions"}}) {
    EXPECT_THAT(planned(words, per_strategy).error(), HasSubstr("--republish"));
  }
  EXPECT_FALSE(planned({"--republish", "out.{strategy}"}));
  // In core mode there is no stream to republish, and permissions are no plan for one.
  EXPECT_TRUE(planned({"--permissions"}, {{"NATS_PUBLISHER_TOPIC", "orders.{strategy}"}}));
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
                        {{"--republish", "a.*"}, "--republish"},
                        {{"--republish", "a b"}, "--republish"},
                        {{"--republish", "tradeengine.orders"}, "circles"}}) {
    const auto plan = planned(words);
    ASSERT_FALSE(plan) << testing::PrintToString(words);
    EXPECT_THAT(plan.error(), HasSubstr(because));
  }
}

}  // namespace
}  // namespace rts::commands
