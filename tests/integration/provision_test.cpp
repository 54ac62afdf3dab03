// `provision` against a real broker: the stream it makes, what it refuses to touch, how it ends
// when something is missing, and the permissions it prints.
#include "commands/provision.hpp"

#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nats/nats.h>

#include <rts/trading/order_subject.hpp>
#include <rts/wire/stream_info.hpp>

#include "nats/admin.hpp"
#include "nats/subjects.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/nats_server.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kJetStream = "jetstream: enabled";
constexpr auto kSoon = 10s;

nats::Admin admin_of(const std::string& url, const std::string& name = "test") {
  nats::ClientOptions options;
  options.urls.emplace_back(url);
  options.name = name;
  auto admin = nats::Admin::connect(options, nats::inbox_prefix(name));
  if (!admin) throw std::runtime_error(admin.error());
  return std::move(admin).value();
}

// The broker, and the command run against it.
class Provision : public testing::Test {
 protected:
  RunResult provision(std::vector<std::string> options = {}, Environment environment = {}) const {
    options.insert(options.begin(), "provision");
    environment.insert({{"NATS_URL", broker.url()}, {"NATS_PUBLISHER_TOPIC", "orders.intents"}});
    return run_binary(options, environment);
  }
  std::string ask(const std::string& subject, std::string_view payload = "") {
    const auto answer = admin.request(subject, payload);
    EXPECT_TRUE(answer.ok()) << (answer ? "" : answer.error());
    return answer ? answer.value() : "";
  }
  // Without the time of the answer, which ends it since nats-server 2.10.
  std::string info() {
    std::string answer = ask("$JS.API.STREAM.INFO.ORDERS");
    if (const auto time = answer.find(R"(,"ts":)"); time != std::string::npos) {
      answer.replace(time, std::string::npos, "}");
    }
    return answer;
  }
  StreamFacts stream() {
    const auto facts = wire::parse_stream_info(info());
    EXPECT_TRUE(facts.ok()) << (facts ? "" : facts.error().description);
    return facts ? facts.value() : StreamFacts{};
  }
  bool has_stream() { return wire::parse_stream_info(info()).ok(); }
  void create(const std::string& name, const std::string& settings) {
    const std::string reply =
        ask("$JS.API.STREAM.CREATE." + name, fmt::format(R"({{"name":"{}",{}}})", name, settings));
    ASSERT_TRUE(wire::parse_stream_info(reply).ok()) << reply;
  }

  NatsServer broker{kJetStream};
  nats::Admin admin = admin_of(broker.url());
};

// --- Creating, verifying, changing --------------------------------------------------------------

TEST_F(Provision, CreatesTheStreamAndSaysWhatItIs) {
  const RunResult result = provision();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("stream ORDERS at " + broker.url() + ": created\n"),
                    HasSubstr("  max_msgs: 150\n"), HasSubstr("  duplicate_window: 930 s\n"),
                    HasSubstr("  republish: from orders.intents to tradeengine.orders\n")));
  const StreamFacts facts = stream();
  EXPECT_THAT(facts.subjects, testing::ElementsAre("orders.intents"));
  EXPECT_EQ(facts.duplicate_window, 930s);
  EXPECT_EQ(facts.max_age, 24h);
  EXPECT_EQ(facts.max_messages, 150);
  EXPECT_EQ(facts.discard, "new");
  EXPECT_EQ(facts.storage, "file");
  EXPECT_EQ(facts.retention, "limits");
  EXPECT_EQ(facts.republish, (Republish{"orders.intents", "tradeengine.orders"}));
  EXPECT_THAT(stream_problems({"orders.intents", 900s}, facts), IsEmpty());
}

// Many subjects onto one the broker refuses, so both have the token.
TEST_F(Provision, StoresASubjectForEachStrategyAndRepublishesToAsMany) {
  const Environment per_strategy{{"NATS_PUBLISHER_TOPIC", "orders.{strategy}"}};
  const std::vector<std::string> options{"--republish", "signals.trading.{strategy}"};
  const RunResult result = provision(options, per_strategy);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(stream().subjects,
              testing::ElementsAre("orders.orderbook_skew", "orders.trade_momentum",
                                   "orders.ticker_velocity"));
  EXPECT_THAT(provision(options, per_strategy).out, HasSubstr("nothing to change"));
  EXPECT_THAT(stream_problems({"orders.{strategy}", 900s, 30s}, stream()), IsEmpty());

  Peer engine(broker.url());
  engine.subscribe("signals.trading.*");
  EXPECT_THAT(ask("orders.trade_momentum", "one"), HasSubstr(R"("seq":1)"));
  ASSERT_TRUE(engine.wait_for(1, kSoon));
  EXPECT_EQ(engine.received()[0].subject, "signals.trading.trade_momentum");
}

TEST_F(Provision, TouchesNoStreamThatHasOneOfTheSubjectsAlready) {
  create("OTHER", R"("subjects":["orders.ticker_velocity"])");
  const RunResult result =
      provision({"--republish="}, {{"NATS_PUBLISHER_TOPIC", "orders.{strategy}"}});
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_THAT(result.err, HasSubstr("stream OTHER stores orders.ticker_velocity already"));
  EXPECT_FALSE(has_stream());
}

TEST_F(Provision, HasNothingToDoTheSecondTime) {
  ASSERT_EQ(provision().exit_code, 0);
  const std::string before = info();
  const RunResult second = provision();
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("nothing to change"));
  EXPECT_EQ(info(), before);
  EXPECT_EQ(provision({"--dry-run"}).exit_code, 0);
}

TEST_F(Provision, WithDryRunChangesNothingAndExits1WhenItWould) {
  const RunResult absent = provision({"--dry-run"});
  EXPECT_EQ(absent.exit_code, 1) << absent.err;
  EXPECT_THAT(absent.out, AllOf(HasSubstr("would create"), HasSubstr("  max_msgs: 150\n")));
  EXPECT_FALSE(has_stream());

  ASSERT_EQ(provision().exit_code, 0);
  const RunResult other = provision({"--dry-run", "--daily-cap", "300"});
  EXPECT_EQ(other.exit_code, 1) << other.err;
  EXPECT_THAT(other.out, AllOf(HasSubstr("would change"), HasSubstr("  max_msgs: 150 → 300\n")));
  EXPECT_EQ(stream().max_messages, 150);
}

TEST_F(Provision, ChangesTheCapAndKeepsTheOrders) {
  ASSERT_EQ(provision().exit_code, 0);
  EXPECT_THAT(ask("orders.intents", "1"), HasSubstr(R"("seq":1)"));
  EXPECT_THAT(ask("orders.intents", "2"), HasSubstr(R"("seq":2)"));
  const RunResult result = provision({"--daily-cap", "300"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr(": changed\n  max_msgs: 150 → 300\n"), Not(HasSubstr("discard"))));
  EXPECT_EQ(stream().max_messages, 300);
  EXPECT_THAT(info(), HasSubstr(R"("messages":2)"));
  EXPECT_EQ(provision({"--daily-cap", "0"}).exit_code, 0);
  EXPECT_EQ(stream().max_messages, -1);
}

TEST_F(Provision, RaisesTheWindowAndLeavesALongerOneAlone) {
  ASSERT_EQ(provision().exit_code, 0);
  const RunResult raised = provision({}, {{"SIGNAL_COOLDOWN_SECONDS", "3600"}});
  EXPECT_THAT(raised.out, HasSubstr("  duplicate_window: 930 s → 3630 s\n"));
  EXPECT_EQ(stream().duplicate_window, 3630s);
  EXPECT_THAT(provision().out, HasSubstr("nothing to change"));
  EXPECT_EQ(stream().duplicate_window, 3630s);
}

TEST_F(Provision, RepairsAForeignStreamOfThatNameAndKeepsWhatItDoesNotKnow) {
  create("ORDERS", R"("subjects":["other"],"storage":"file","num_replicas":1,"max_bytes":65536,)"
                   R"("description":"ours since 2019","max_msgs":10)");
  const RunResult result = provision({"--republish="});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("subjects: other → other, orders.intents"),
                                HasSubstr("discard: old → new")));
  EXPECT_THAT(info(), AllOf(HasSubstr(R"("max_bytes":65536)"), HasSubstr("ours since 2019")));
  EXPECT_EQ(stream().max_messages, 150);
}

TEST_F(Provision, PrintsJson) {
  const RunResult created = provision({"--json"});
  EXPECT_THAT(created.out,
              AllOf(HasSubstr(R"("stream":"ORDERS")"), HasSubstr(R"("action":"create")"),
                    HasSubstr(R"("as_planned":true)"),
                    HasSubstr(R"({"field":"max_msgs","present":null,"wanted":"150"})")));
  EXPECT_THAT(provision({"--json"}).out,
              HasSubstr(R"("action":"none","as_planned":true,"changes":[])"));
  EXPECT_THAT(provision({"--json", "--dry-run", "--daily-cap", "3"}).out,
              HasSubstr(R"("action":"change","as_planned":false,"changes":)"
                        R"([{"field":"max_msgs","present":"150","wanted":"3"}])"));
}

// --- What the stream then does ------------------------------------------------------------------

TEST_F(Provision, TheStreamRepublishesEachOrderOnceUpToTheCap) {
  ASSERT_EQ(provision({"--daily-cap", "3"}).exit_code, 0);
  Peer engine(broker.url());
  engine.subscribe("tradeengine.orders");
  Peer service(broker.url());
  for (const char* id : {"a", "a", "b", "b", "c", "d"}) {
    service.publish("orders.intents", id, {{"Nats-Msg-Id", id}});
  }
  ASSERT_TRUE(service.flush());
  EXPECT_THAT(ask("orders.intents", "e"), HasSubstr(R"("err_code":10077)"));
  ASSERT_TRUE(engine.wait_for(3, kSoon));
  ASSERT_TRUE(engine.flush());
  std::vector<std::string> payloads;
  for (const Received& order : engine.received()) payloads.push_back(order.payload);
  EXPECT_THAT(payloads, testing::ElementsAre("a", "b", "c"));
}

TEST_F(Provision, SaysWhenNothingIsRepublished) {
  const RunResult result = provision({}, {{"NATS_PUBLISHER_TOPIC", "tradeengine.orders"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("nothing is republished"));
}

// --- What it cannot do --------------------------------------------------------------------------

TEST_F(Provision, DoesNotTouchAStreamOfAnotherNameThatHasTheSubject) {
  create("LEGACY", R"("subjects":["orders.>"],"storage":"file","num_replicas":1)");
  const RunResult result = provision();
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_THAT(result.err, AllOf(HasSubstr("stream LEGACY stores orders.intents already"),
                                HasSubstr("--stream LEGACY")));
  EXPECT_EQ(result.out, "");
  EXPECT_FALSE(has_stream());
  EXPECT_EQ(provision({"--stream", "LEGACY", "--republish="}).exit_code, 0);
}

TEST_F(Provision, RefusesReplicasOnASingleBroker) {
  const RunResult created = provision({"--replicas", "3"});
  EXPECT_EQ(created.exit_code, 69);
  EXPECT_THAT(created.err, HasSubstr("replicas > 1 not supported in non-clustered mode"));
  EXPECT_THAT(created.out, HasSubstr("not created"));
  ASSERT_EQ(provision().exit_code, 0);
  // nats-server itself would agree, and keep one copy.
  const RunResult changed = provision({"--replicas", "3"});
  EXPECT_EQ(changed.exit_code, 69);
  EXPECT_THAT(changed.err, HasSubstr("3 replicas need a cluster"));
  EXPECT_EQ(stream().replicas, 1);
}

TEST_F(Provision, SaysWhatTheBrokerRefusesToChange) {
  create("ORDERS", R"("subjects":["orders.intents"],"storage":"memory","num_replicas":1)");
  const std::string before = info();
  const RunResult storage = provision({"--republish="});
  EXPECT_EQ(storage.exit_code, 69);
  EXPECT_THAT(storage.out, AllOf(HasSubstr(": not changed\n"), HasSubstr("memory → file")));
  EXPECT_THAT(storage.err, AllOf(HasSubstr("can not change storage type"),
                                 HasSubstr("nothing was changed"), HasSubstr("--stream")));
  EXPECT_EQ(info(), before);
}

// nats-server 2.10 and later do change it.
TEST_F(Provision, SaysWhenTheBrokerDoesNotChangeRepublishing) {
  ASSERT_EQ(provision().exit_code, 0);
  const RunResult result = provision({"--republish", "elsewhere"});
  if (result.exit_code == 0) {
    EXPECT_EQ(stream().republish, (Republish{"orders.intents", "elsewhere"}));
    return;
  }
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_THAT(result.err, HasSubstr("can not change RePublish"));
  EXPECT_EQ(stream().republish, (Republish{"orders.intents", "tradeengine.orders"}));
}

TEST_F(Provision, CannotUnsealAStream) {
  ASSERT_EQ(provision().exit_code, 0);
  std::string config = info();
  config = config.substr(config.find(R"({"name")"));
  config.resize(config.find(R"(,"created")"));
  config.replace(config.find(R"("sealed":false)"), 14, R"("sealed":true)");
  ASSERT_THAT(ask("$JS.API.STREAM.UPDATE.ORDERS", config), HasSubstr(R"("sealed":true)"));
  const RunResult result = provision();
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_THAT(result.out, HasSubstr("sealed: true → false"));
  EXPECT_THAT(result.err, HasSubstr("can not unseal"));
}

// --- When something is missing ------------------------------------------------------------------

// The command's exit code is 69, and it is over within 5 s.
RunResult expect_unavailable(const std::string& url) {
  const Deadline deadline(5s);
  RunResult result = run_binary({"provision"}, {{"NATS_URL", url}});
  EXPECT_FALSE(deadline.expired());
  EXPECT_EQ(result.exit_code, 69) << result.out;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("provision: "));
  return result;
}

TEST(ProvisionUnavailable, WithoutABroker) {
  const std::string url = fmt::format("nats://127.0.0.1:{}", free_port());
  EXPECT_THAT(expect_unavailable(url).err, HasSubstr(url));
}

TEST(ProvisionUnavailable, WithoutJetStream) {
  const NatsServer broker;
  EXPECT_THAT(expect_unavailable(broker.url()).err,
              AllOf(HasSubstr("nobody answers $JS.API.STREAM.NAMES"), HasSubstr(broker.url())));
}

TEST(ProvisionUnavailable, WhereJetStreamIsOffForTheAccount) {
  const NatsServer broker(
      "jetstream: enabled\naccounts { A { users: [{user: a, password: b}] } }\n");
  EXPECT_THAT(expect_unavailable(broker.url("a:b")).err, HasSubstr("JetStream not enabled"));
}

// nats.c 3.8 and later give up by themselves, sooner than our watchdog and in words of their own.
TEST(ProvisionUnavailable, FromABrokerThatFallsSilentAfterItsGreeting) {
  const NatsServer broker(kJetStream);
  Proxy proxy(broker.port());
  proxy.hold_client(true);
  EXPECT_THAT(expect_unavailable(proxy.url()).err,
              AnyOf(HasSubstr("handshake not finished"), HasSubstr("Timeout")));
}

TEST(ProvisionUnavailable, WithTheWrongPasswordWhichIsNotShown) {
  const NatsServer broker("authorization { user: u, password: right }");
  EXPECT_THAT(expect_unavailable(broker.url("u:canary")).err,
              AllOf(HasSubstr("Authorization Violation"), Not(HasSubstr("canary"))));
}

TEST(ProvisionUnavailable, WithoutThePermission) {
  const NatsServer broker(
      "jetstream: enabled\n"
      "authorization { users: [{user: u, password: p, permissions: {publish: {deny: \"$JS.>\"}}}, "
      "{user: v, password: p, permissions: {subscribe: {deny: \"_INBOX.>\"}}}] }");
  EXPECT_THAT(
      expect_unavailable(broker.url("u:p")).err,
      AllOf(HasSubstr("Permissions Violation for Publish"), HasSubstr("$JS.API.STREAM.NAMES")));
  EXPECT_THAT(expect_unavailable(broker.url("v:p")).err,
              HasSubstr("Permissions Violation for Subscription"));
}

TEST(ProvisionUnavailable, TriesTheNextBrokerFirst) {
  const NatsServer broker(kJetStream);
  const std::string urls = fmt::format("nats://127.0.0.1:{},{}", free_port(), broker.url());
  EXPECT_EQ(run_binary({"provision"}, {{"NATS_URL", urls}}).exit_code, 0);
}

TEST(Admin, SaysThatTheConnectionIsLost) {
  NatsServer broker(kJetStream);
  nats::Admin admin = admin_of(broker.url());
  broker.kill();
  const Deadline deadline(3s);
  EXPECT_FALSE(admin.request("$JS.API.STREAM.NAMES", "").ok());
  EXPECT_FALSE(deadline.expired());
}

TEST(Admin, DoesNotWaitForEverForAnAnswer) {
  NatsServer broker;
  Peer mute(broker.url());
  mute.subscribe("question");
  nats::Admin admin = admin_of(broker.url());
  const auto answer = admin.request("question", "");
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error(), HasSubstr("no answer to question within 5000 ms"));
}

// --- Permissions --------------------------------------------------------------------------------

config::Settings jetstream_settings() {
  config::Settings settings;
  settings.delivery.subject = "orders.intents";
  settings.delivery.mode = DeliveryMode::jetstream;
  return settings;
}

std::string permissions(const config::Settings& settings) {
  StreamPlanSource source;
  source.subject = settings.delivery.subject;
  if (!is_per_strategy(source.subject)) source.republish_to = "tradeengine.orders";
  return commands::permissions(settings, plan_stream(source));
}

// With passwords, which a deployment has in the server's environment.
std::string with_passwords(const std::string& snippet) {
  return "RTS_NATS_PASSWORD: s\nRTS_PROVISION_PASSWORD: p\nRTS_TRADEENGINE_PASSWORD: e\n" + snippet;
}

TEST(PermissionsSnippet, IsAcceptedByNatsServer) {
  std::vector<config::Settings> rows(6, jetstream_settings());
  rows[1].broker.queue_group = "";
  rows[1].broker.control_subject = "";
  rows[2].broker.subject = "binance.*.>";
  rows[2].delivery.mode = DeliveryMode::core;
  rows[3].broker.queue_group = "a\"b\\c'd";
  rows[3].broker.consumer_name = "my bot {1}; #$x";
  rows[4].delivery.subject = "orders.\"#$x{}";
  rows[5].delivery.subject = "orders.{strategy}";
  const ScratchFiles files;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string snippet = permissions(rows[i]);
    Process server({"nats-server", "-t", "-c", files.write("server.conf", snippet)},
                   {.env = {{"RTS_NATS_PASSWORD", "a"},
                            {"RTS_PROVISION_PASSWORD", "b"},
                            {"RTS_TRADEENGINE_PASSWORD", "c"}},
                    .capture_stderr = true});
    const auto ended = server.wait(kSoon);
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->code, 0) << server.err() << snippet;
  }
}

TEST(PermissionsSnippet, IsPrintedWithoutABroker) {
  const RunResult result =
      run_binary({"provision", "--permissions", "--stream", "MINE"},
                 {{"NATS_URL", "nats://u:canary@127.0.0.1:1"}, {"NATS_CONSUMER_GROUP", "gang"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("\"$JS.API.STREAM.CREATE.MINE\""), HasSubstr(" gang\""),
                                Not(HasSubstr("canary"))));
}

class Permitted : public testing::Test {
 protected:
  NatsServer broker{std::string(kJetStream) + "\n" +
                    with_passwords(permissions(jetstream_settings()))};
  const std::string service = broker.url("realtime-strategies:s");
  const std::string provisioner = broker.url("realtime-strategies-provision:p");
  const std::string engine = broker.url("tradeengine:e");

  [[nodiscard]] static RunResult provision(const std::string& url) {
    return run_binary({"provision"},
                      {{"NATS_URL", url}, {"NATS_PUBLISHER_TOPIC", "orders.intents"}});
  }
};

TEST_F(Permitted, TheProvisionerMayProvisionAndNobodyElse) {
  EXPECT_THAT(provision(service).err, HasSubstr("Permissions Violation"));
  EXPECT_THAT(provision(engine).err, HasSubstr("Permissions Violation"));
  const RunResult result = provision(provisioner);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("created"));
  EXPECT_THAT(provision(provisioner).out, HasSubstr("nothing to change"));
}

TEST_F(Permitted, TheProvisionerMayNotPublishOrders) {
  ASSERT_EQ(provision(provisioner).exit_code, 0);
  Peer listener(engine);
  listener.subscribe("tradeengine.orders");
  Peer intruder(provisioner);
  intruder.publish("orders.intents", "forged");
  intruder.publish("tradeengine.orders", "forged");
  ASSERT_TRUE(intruder.flush());
  Peer trader(service);
  trader.publish("tradeengine.orders", "past the stream");
  trader.publish("orders.intents", "order");
  ASSERT_TRUE(listener.wait_for(1, kSoon));
  ASSERT_TRUE(listener.flush());
  ASSERT_EQ(listener.received().size(), 1U);
  EXPECT_EQ(listener.received()[0].payload, "order");
}

TEST_F(Permitted, TheServiceMayLookAtItsStreamAndReceiveMarketDataInItsGroupOnly) {
  ASSERT_EQ(provision(provisioner).exit_code, 0);
  nats::Admin admin = admin_of(service, "realtime-strategies");
  const auto info = admin.request("$JS.API.STREAM.INFO.ORDERS", "");
  ASSERT_TRUE(info.ok()) << info.error();
  EXPECT_THAT(
      stream_problems({"orders.intents", 900s}, wire::parse_stream_info(info.value()).value()),
      IsEmpty());
  EXPECT_TRUE(admin.request("$JS.API.STREAM.NAMES", "").ok());
  EXPECT_TRUE(admin.request("orders.intents", "order").ok());
  const auto purge = admin.request("$JS.API.STREAM.PURGE.ORDERS", "");
  ASSERT_FALSE(purge);
  EXPECT_THAT(purge.error(), HasSubstr("Permissions Violation"));
}

// Answers every order as the TradeEngine does, and tries to publish one of its own.
void answer_order(natsConnection* connection, natsSubscription*, natsMsg* order, void*) {
  natsConnection_PublishString(connection, "tradeengine.orders", "forged");
  natsConnection_PublishString(connection, natsMsg_GetReply(order), R"({"status":"accepted"})");
  natsMsg_Destroy(order);
}

TEST(PermittedInCoreDelivery, TheTradeEngineMayAnswerAnOrderAndNothingElse) {
  config::Settings core = jetstream_settings();
  core.delivery.subject = "tradeengine.orders";
  core.delivery.mode = DeliveryMode::core;
  const NatsServer broker(with_passwords(permissions(core)));
  natsConnection* engine = nullptr;
  ASSERT_EQ(natsConnection_ConnectTo(&engine, broker.url("tradeengine:e").c_str()), NATS_OK);
  natsSubscription* orders = nullptr;
  EXPECT_EQ(natsConnection_Subscribe(&orders, engine, "tradeengine.orders", answer_order, nullptr),
            NATS_OK);
  EXPECT_EQ(natsConnection_Flush(engine), NATS_OK);

  nats::Admin service = admin_of(broker.url("realtime-strategies:s"), "realtime-strategies");
  for (int i = 0; i < 3; ++i) {  // a forged order would come back as a second one
    const auto answer = service.request("tradeengine.orders", "order");
    EXPECT_TRUE(answer.ok());
    if (answer) {
      EXPECT_EQ(answer.value(), R"({"status":"accepted"})");
    }
  }
  std::int64_t delivered = 0;
  EXPECT_EQ(natsConnection_Flush(engine), NATS_OK);
  EXPECT_EQ(natsSubscription_GetDelivered(orders, &delivered), NATS_OK);
  EXPECT_EQ(delivered, 3);
  natsSubscription_Destroy(orders);
  natsConnection_Destroy(engine);
}

}  // namespace
}  // namespace rts::test
