// The broker's permissions as text. That nats-server accepts them, and what they then allow, is in
// tests/integration/provision_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/provision.hpp"
#include "nats/subjects.hpp"

namespace rts::commands {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Needs {
  config::Settings settings;
  std::string republish_to;
};

Needs needs() {
  Needs needs;
  needs.republish_to = "tradeengine.orders";
  needs.settings.broker.queue_group = "group";
  needs.settings.broker.control_subject = "control";
  needs.settings.delivery.subject = "orders.intents";
  needs.settings.delivery.mode = DeliveryMode::jetstream;
  return needs;
}

std::string permissions(const Needs& needs) {
  StreamPlanSource source;
  source.subject = needs.settings.delivery.subject;
  source.republish_to = needs.republish_to;
  return commands::permissions(needs.settings, plan_stream(source));
}

// The block of one user: from its name to the next user's, or the end.
std::string user(const std::string& text, const std::string& name) {
  const std::size_t begin = text.find("user: \"" + name + "\"\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find("user: ", begin + 1) - begin);
}

TEST(InboxPrefix, HasNothingThatMeansSomethingInASubject) {
  EXPECT_EQ(nats::inbox_prefix("realtime-strategies"), "_INBOX.realtime-strategies");
  EXPECT_EQ(nats::inbox_prefix("My_bot 1.2>*\"$\xc3\xbc"), "_INBOX.My_bot-1-2------");
}

TEST(Permissions, OfTheServiceAreItsOwnSubjectsOnly) {
  const std::string service = user(permissions(needs()), "realtime-strategies");
  EXPECT_THAT(
      service,
      AllOf(HasSubstr("$RTS_NATS_PASSWORD"), HasSubstr("\"orders.intents\""),
            HasSubstr("\"_INBOX.realtime-strategies.>\""), HasSubstr("\"$JS.API.STREAM.NAMES\""),
            HasSubstr("\"$JS.API.STREAM.INFO.ORDERS\""),
            HasSubstr("\"binance.websocket.data group\""), HasSubstr("\"control\"")));
  EXPECT_THAT(service, AllOf(Not(HasSubstr("CREATE")), Not(HasSubstr("UPDATE")),
                             Not(HasSubstr("\"_INBOX.>\"")), Not(HasSubstr("\">\""))));
}

TEST(Permissions, OfTheServiceHaveNoJetStreamInCoreDelivery) {
  Needs core = needs();
  core.settings.delivery.mode = DeliveryMode::core;
  EXPECT_THAT(user(permissions(core), "realtime-strategies"), Not(HasSubstr("$JS")));
}

TEST(Permissions, KeepTheConsumersWildcards) {
  Needs wild = needs();
  wild.settings.broker.subject = "binance.*.>";
  EXPECT_THAT(permissions(wild), HasSubstr("\"binance.*.> group\""));
}

TEST(Permissions, WithoutAQueueGroupAreForAPlainSubscription) {
  Needs plain = needs();
  plain.settings.broker.queue_group = "";
  EXPECT_THAT(permissions(plain), HasSubstr("\"binance.websocket.data\"\n"));
}

TEST(Permissions, LeaveAnEmptyControlTopicOut) {
  Needs uncontrolled = needs();
  uncontrolled.settings.broker.control_subject = "";
  EXPECT_THAT(permissions(uncontrolled),
              AllOf(Not(HasSubstr("\"\"")), Not(HasSubstr("pause and resume"))));
}

TEST(Permissions, OfTheProvisionerAreOneStream) {
  const std::string text = user(permissions(needs()), "realtime-strategies-provision");
  for (const char* subject : {"NAMES", "INFO.ORDERS", "CREATE.ORDERS", "UPDATE.ORDERS"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\"$JS.API.STREAM.") + subject + "\""));
  }
  EXPECT_THAT(text, AllOf(HasSubstr("$RTS_PROVISION_PASSWORD"),
                          HasSubstr("\"_INBOX.realtime-strategies-provision.>\""),
                          Not(HasSubstr("orders.intents")), Not(HasSubstr("DELETE"))));
}

TEST(Permissions, OfTheTradeEngineAreToListenAndToAnswer) {
  const std::string text = user(permissions(needs()), "tradeengine");
  EXPECT_THAT(text, AllOf(HasSubstr("$RTS_TRADEENGINE_PASSWORD"), HasSubstr("deny: \">\""),
                          HasSubstr("\"tradeengine.orders\""), HasSubstr("allow_responses"),
                          Not(HasSubstr("orders.intents"))));
}

TEST(Permissions, OfASubjectForEachStrategyAreTheThreeAndNoWildcard) {
  Needs per_strategy = needs();
  per_strategy.settings.delivery.subject = "orders.{strategy}";
  per_strategy.republish_to = "signals.{strategy}";
  const std::string text = permissions(per_strategy);
  for (const char* strategy : {"orderbook_skew", "trade_momentum", "ticker_velocity"}) {
    EXPECT_THAT(user(text, "realtime-strategies"),
                HasSubstr(std::string("\"orders.") + strategy + "\""));
    EXPECT_THAT(user(text, "tradeengine"), HasSubstr(std::string("\"signals.") + strategy + "\""));
  }
  EXPECT_THAT(text, AllOf(Not(HasSubstr("{strategy}")), Not(HasSubstr("\"orders.*"))));
}

TEST(Permissions, QuoteWhatWouldEndAString) {
  Needs odd = needs();
  odd.settings.broker.queue_group = "a\"b\\c";
  EXPECT_THAT(permissions(odd), HasSubstr(R"("binance.websocket.data a\"b\\c")"));
}

}  // namespace
}  // namespace rts::commands
