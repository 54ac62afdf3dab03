// The broker's permissions as text. That nats-server accepts them, and what they then allow, is in
// tests/integration/provision_test.cpp.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/provision.hpp"
#include "nats/subjects.hpp"

namespace rts::commands {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Words = std::vector<std::string>;

config::Settings jetstream() {
  config::Settings settings;
  settings.broker.queue_group = "group";
  settings.broker.control_subject = "control";
  settings.broker.control_bucket = "bucket";
  settings.delivery.mode = DeliveryMode::jetstream;
  return settings;
}

std::string permissions(const config::Settings& settings) {
  const Words words{"provision", "--permissions"};
  return commands::permissions(settings, plans_of(parse_command_line(words), settings));
}

std::string in_quotes(const std::string& text) { return '"' + text + '"'; }

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
  const std::string service = user(permissions(jetstream()), "realtime-strategies");
  EXPECT_THAT(service, HasSubstr("$RTS_NATS_PASSWORD"));
  const std::string publish = service.substr(0, service.find("subscribe: {"));
  const std::string subscribe = service.substr(publish.size());
  for (const char* subject :
       {"tradeengine.orders", "orders.intents", "_INBOX.realtime-strategies.>",
        "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.ORDERS", "$JS.API.STREAM.MSG.GET.ORDERS",
        "$JS.FC.>", "$JS.API.STREAM.INFO.KV_bucket", "$JS.API.STREAM.MSG.GET.KV_bucket",
        "$JS.API.INFO", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.USER.INFO"}) {
    EXPECT_THAT(publish, HasSubstr(in_quotes(subject)));
  }
  for (const char* subject : {"binance.websocket.data group", "control", "orders.intents.stored",
                              "$KV.bucket.>", "_INBOX.realtime-strategies.>"}) {
    EXPECT_THAT(subscribe, HasSubstr(in_quotes(subject)));
  }
  EXPECT_THAT(service, AllOf(Not(HasSubstr("CREATE")), Not(HasSubstr("UPDATE")),
                             Not(HasSubstr("\"_INBOX.>\"")), Not(HasSubstr("\">\""))));
  EXPECT_THAT(publish, Not(HasSubstr("$KV"))) << "only people write the control log";
}

// What the manifest's Job makes, unless the command line names another.
TEST(Permissions, AreForTheStreamOfTheManifestsJob) {
  const auto stream_of = [](const Words& words, const std::string& arguments) {
    const std::string manifest = fmt::format(
        "kind: Job\nspec: {{template: {{spec: {{containers: [{{args: [provision, {}]}}]}}}}}}\n",
        arguments);
    const Invocation invocation = with_arguments_of_job(parse_command_line(words), "x", manifest);
    return plans_of(invocation, {}).orders.name;
  };
  const Words printed{"provision", "--permissions", "--from=x"};
  const Words named{"provision", "--permissions", "--from=x", "--stream=MINE"};
  EXPECT_EQ(stream_of(printed, "--stream, RTS"), "RTS");
  EXPECT_EQ(stream_of(printed, "--daily-cap=9"), "ORDERS");
  EXPECT_EQ(stream_of(named, "--stream, RTS"), "MINE");
  for (const char* wrong : {"--strem, RTS", "--replicas, \"6\"", "--stream, a.b"}) {
    EXPECT_THROW(stream_of(printed, wrong), CommandError) << wrong;
  }
}

TEST(Permissions, OfTheServiceHaveNoOrderLogInCoreDelivery) {
  config::Settings core = jetstream();
  core.delivery.mode = DeliveryMode::core;
  EXPECT_THAT(user(permissions(core), "realtime-strategies"),
              AllOf(HasSubstr("\"tradeengine.orders\""), HasSubstr("MSG.GET.KV_bucket\""),
                    HasSubstr("\"$KV.bucket.>\""), Not(HasSubstr("ORDERS")),
                    Not(HasSubstr("NAMES")), Not(HasSubstr("orders.intents"))));
  core.broker.control_bucket = "";
  EXPECT_THAT(user(permissions(core), "realtime-strategies"),
              AllOf(Not(HasSubstr("$JS.")), Not(HasSubstr("$KV."))));
}

TEST(Permissions, AskTheApiOfTheDomain) {
  config::Settings far = jetstream();
  far.broker.jetstream_domain = "hub";
  const std::string text = permissions(far);
  EXPECT_THAT(text, AllOf(HasSubstr("\"$JS.hub.API.STREAM.MSG.GET.ORDERS\""),
                          HasSubstr("\"$JS.hub.API.STREAM.CREATE.KV_bucket\""),
                          HasSubstr("\"$JS.hub.API.$KV.bucket.>\""), Not(HasSubstr("\"$JS.API."))));
}

TEST(Permissions, KeepTheConsumersWildcards) {
  config::Settings wild = jetstream();
  wild.broker.subject = "binance.*.>";
  EXPECT_THAT(permissions(wild), HasSubstr("\"binance.*.> group\""));
}

TEST(Permissions, WithoutAQueueGroupAreForAPlainSubscription) {
  config::Settings plain = jetstream();
  plain.broker.queue_group = "";
  EXPECT_THAT(permissions(plain), HasSubstr("\"binance.websocket.data\"\n"));
}

TEST(Permissions, LeaveOutWhatIsSwitchedOff) {
  config::Settings uncontrolled = jetstream();
  uncontrolled.broker.control_subject = "";
  EXPECT_THAT(permissions(uncontrolled),
              AllOf(Not(HasSubstr("\"\"")), Not(HasSubstr("pause and resume"))));
  uncontrolled.broker.control_bucket = "";
  EXPECT_THAT(permissions(uncontrolled), AllOf(Not(HasSubstr("KV")), Not(HasSubstr("operator"))));
}

// What tools for NATS services ask and are answered.
TEST(Permissions, OfServiceAndOperatorAreTheQuestionsOfNatsMicro) {
  for (const char* name : {"realtime-strategies", "operator"}) {
    EXPECT_THAT(user(permissions(jetstream()), name),
                AllOf(HasSubstr("\"$SRV.*\""), HasSubstr("\"$SRV.*.realtime-strategies\""),
                      HasSubstr("\"$SRV.*.realtime-strategies.*\"")));
  }
  EXPECT_THAT(user(permissions(jetstream()), "tradeengine"), Not(HasSubstr("$SRV")));
}

TEST(Permissions, OfTheProvisionerAreTheTwoStreams) {
  const std::string text = user(permissions(jetstream()), "realtime-strategies-provision");
  for (const char* subject : {"NAMES", "INFO.ORDERS", "CREATE.ORDERS", "UPDATE.ORDERS",
                              "INFO.KV_bucket", "CREATE.KV_bucket", "UPDATE.KV_bucket"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\"$JS.API.STREAM.") + subject + "\""));
  }
  // It asks there whether a stream in another domain stores the orders.
  EXPECT_THAT(text, HasSubstr("\"orders.intents\""));
  EXPECT_THAT(text, AllOf(HasSubstr("$RTS_PROVISION_PASSWORD"),
                          HasSubstr("\"_INBOX.realtime-strategies-provision.>\""),
                          Not(HasSubstr("tradeengine.orders")), Not(HasSubstr("DELETE")),
                          Not(HasSubstr("$KV"))));
}

TEST(Permissions, OfTheOperatorAreTheControlLog) {
  const std::string text = user(permissions(jetstream()), "operator");
  for (const char* subject :
       {"control", "$KV.bucket.>", "$JS.API.STREAM.INFO.KV_bucket",
        "$JS.API.STREAM.MSG.GET.KV_bucket", "_INBOX.realtime-strategies-operator.>"}) {
    EXPECT_THAT(text, HasSubstr(in_quotes(subject)));
  }
  EXPECT_THAT(text, AllOf(HasSubstr("$RTS_OPERATOR_PASSWORD"), Not(HasSubstr("orders"))));
}

TEST(Permissions, OfTheTradeEngineAreToListenAndToAnswer) {
  for (const DeliveryMode mode : {DeliveryMode::core, DeliveryMode::jetstream}) {
    config::Settings settings = jetstream();
    settings.delivery.mode = mode;
    EXPECT_THAT(user(permissions(settings), "tradeengine"),
                AllOf(HasSubstr("$RTS_TRADEENGINE_PASSWORD"), HasSubstr("deny: \">\""),
                      HasSubstr("\"tradeengine.orders\""), HasSubstr("allow_responses"),
                      Not(HasSubstr("orders.intents"))));
  }
}

TEST(Permissions, OfASubjectForEachStrategyAreTheThreeAndNoWildcard) {
  config::Settings per_strategy = jetstream();
  per_strategy.delivery.subject = "signals.{strategy}";
  const std::string text = permissions(per_strategy);
  for (const char* who : {"realtime-strategies", "tradeengine"}) {
    for (const char* strategy : {"orderbook_skew", "trade_momentum", "ticker_velocity"}) {
      EXPECT_THAT(user(text, who), HasSubstr(std::string("\"signals.") + strategy + "\""));
    }
  }
  EXPECT_THAT(text, AllOf(Not(HasSubstr("{strategy}")), Not(HasSubstr("\"signals.*"))));
}

TEST(Permissions, QuoteWhatWouldEndAString) {
  config::Settings odd = jetstream();
  odd.broker.queue_group = "a\"b\\c";
  EXPECT_THAT(permissions(odd), HasSubstr(R"("binance.websocket.data a\"b\\c")"));
}

}  // namespace
}  // namespace rts::commands
