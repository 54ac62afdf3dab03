// `provision` against a real broker: the streams it makes, what it refuses to touch, how it ends
// when something is missing, and the permissions it prints.
#include "commands/provision.hpp"

#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nats/nats.h>

#include <rts/wire/stream_info.hpp>

#include "nats/admin.hpp"
#include "nats/subjects.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/nats_leaf.hpp"
#include "support/nats_server.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"
#include "support/responder.hpp"
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
const StreamNeeds kNeeds{"orders.intents", 900s, 30s, "tradeengine.orders"};

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
    environment.insert({"NATS_URL", broker.url()});
    return run_binary(options, environment);
  }
  std::string ask(const std::string& subject, std::string_view payload = "") {
    const auto answer = admin.request(subject, payload);
    EXPECT_TRUE(answer.ok()) << (answer ? "" : answer.error());
    return answer ? answer.value() : "";
  }
  // Without the time of the answer, which ends it since nats-server 2.10.
  std::string info(const std::string& name = "ORDERS") {
    std::string answer = ask("$JS.API.STREAM.INFO." + name);
    if (const auto time = answer.find(R"(,"ts":)"); time != std::string::npos) {
      answer.replace(time, std::string::npos, "}");
    }
    return answer;
  }
  StreamFacts stream(const std::string& name = "ORDERS") {
    const auto facts = wire::parse_stream_info(info(name));
    EXPECT_TRUE(facts.ok()) << (facts ? "" : facts.error().description);
    return facts ? facts.value() : StreamFacts{};
  }
  bool has_stream(const std::string& name = "ORDERS") {
    return wire::parse_stream_info(info(name)).ok();
  }
  void create(const std::string& name, const std::string& settings) {
    const std::string reply =
        ask("$JS.API.STREAM.CREATE." + name, fmt::format(R"({{"name":"{}",{}}})", name, settings));
    ASSERT_TRUE(wire::parse_stream_info(reply).ok()) << reply;
  }

  // As it was before there was an order log: the stream itself delivered to the TradeEngine.
  void create_delivering() {
    create("ORDERS", R"("subjects":["orders.intents"],"storage":"file","num_replicas":1,)"
                     R"("discard":"new","max_msgs":150,"max_age":86400000000000,)"
                     R"("duplicate_window":930000000000,)"
                     R"("republish":{"src":"orders.intents","dest":"tradeengine.orders"})");
  }

  NatsServer broker{kJetStream};
  nats::Admin admin = admin_of(broker.url());
};

// --- Creating, verifying, changing --------------------------------------------------------------

TEST_F(Provision, CreatesTheOrderLogAndSaysWhatItIs) {
  const RunResult result = provision();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("stream ORDERS at " + broker.url() + ": created\n"),
                    HasSubstr("  max_msgs: 150\n"), HasSubstr("  duplicate_window: 930 s\n"),
                    HasSubstr("  republish: from orders.intents to orders.intents.stored\n")));
  const StreamFacts facts = stream();
  EXPECT_THAT(facts.subjects, testing::ElementsAre("orders.intents"));
  EXPECT_EQ(facts.duplicate_window, 930s);
  EXPECT_EQ(facts.max_age, 24h);
  EXPECT_EQ(facts.max_messages, 150);
  EXPECT_EQ(facts.discard, "new");
  EXPECT_EQ(facts.storage, "file");
  EXPECT_EQ(facts.retention, "limits");
  EXPECT_EQ(facts.republish, (Republish{"orders.intents", "orders.intents.stored"}));
  EXPECT_THAT(stream_problems(kNeeds, facts), IsEmpty());
}

TEST_F(Provision, CreatesTheBucketOfTheControlLogUnlessThatIsOff) {
  ASSERT_EQ(provision({}, {{"CONTROL_BUCKET", ""}}).exit_code, 0);
  EXPECT_FALSE(has_stream("KV_realtime-strategies"));
  const RunResult result = provision();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("stream ORDERS at " + broker.url() + ": nothing"),
                    HasSubstr("stream KV_realtime-strategies at " + broker.url() + ": created\n"),
                    HasSubstr("  max_msgs_per_subject: 64\n")));
  const StreamFacts facts = stream("KV_realtime-strategies");
  EXPECT_THAT(facts.subjects, testing::ElementsAre("$KV.realtime-strategies.>"));
  EXPECT_EQ(facts.max_messages_per_subject, 64);
  EXPECT_EQ(facts.max_age, 0s);
  EXPECT_TRUE(facts.allow_rollup);
  EXPECT_TRUE(facts.deny_delete);
  EXPECT_FALSE(facts.republish);
  EXPECT_TRUE(has_stream());
}

TEST_F(Provision, RepairsABucketThatSomebodyElseMade) {
  create("KV_realtime-strategies",
         R"("subjects":["$KV.realtime-strategies.>"],"storage":"file","num_replicas":1,)"
         R"("discard":"new","max_msgs_per_subject":1,"max_bytes":65536)");
  EXPECT_EQ(provision({"--dry-run"}).exit_code, 1);
  EXPECT_THAT(provision().out, AllOf(HasSubstr("  max_msgs_per_subject: 1 → 64\n"),
                                     HasSubstr("  deny_delete: false → true\n")));
  EXPECT_THAT(info("KV_realtime-strategies"), HasSubstr(R"("max_bytes":65536)"));
  EXPECT_THAT(provision().out, Not(HasSubstr("change\n  ")));
}

// The last 64 values of a key stay, however many are written.
TEST_F(Provision, TheBucketKeepsTheLastValuesOfEachKey) {
  ASSERT_EQ(provision().exit_code, 0);
  for (int i = 0; i < 70; ++i) {
    EXPECT_THAT(ask("$KV.realtime-strategies.pause", std::to_string(i)), HasSubstr("\"seq\":"));
  }
  EXPECT_THAT(ask("$KV.realtime-strategies.settings", "x"), HasSubstr("\"seq\":71"));
  EXPECT_THAT(info("KV_realtime-strategies"), HasSubstr(R"("messages":65)"));
}

TEST_F(Provision, HasNothingToDoTheSecondTime) {
  ASSERT_EQ(provision().exit_code, 0);
  const std::string before = info();
  const RunResult second = provision();
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.out, AllOf(HasSubstr("nothing to change"), Not(HasSubstr("change\n  "))));
  EXPECT_EQ(info(), before);
  EXPECT_EQ(provision({"--dry-run"}).exit_code, 0);
}

TEST_F(Provision, WithDryRunChangesNothingAndExits1WhenItWould) {
  const RunResult absent = provision({"--dry-run"});
  EXPECT_EQ(absent.exit_code, 1) << absent.err;
  EXPECT_THAT(absent.out, AllOf(HasSubstr("would create"), HasSubstr("  max_msgs: 150\n")));
  EXPECT_FALSE(has_stream());
  EXPECT_FALSE(has_stream("KV_realtime-strategies"));

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
  create("ORDERS", R"("subjects":["other","orders.intents"],"storage":"file","num_replicas":1,)"
                   R"("max_bytes":65536,"description":"ours since 2019","max_msgs":10,)"
                   R"("republish":{"src":"orders.intents","dest":"orders.intents.stored"})");
  const RunResult result = provision();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("max_msgs: 10 → 150"), HasSubstr("discard: old → new"),
                                Not(HasSubstr("subjects: other"))));
  EXPECT_THAT(info(), AllOf(HasSubstr(R"("max_bytes":65536)"), HasSubstr("ours since 2019")));
  EXPECT_EQ(stream().max_messages, 150);
}

TEST_F(Provision, PrintsJson) {
  const RunResult created = provision({"--json"});
  EXPECT_THAT(created.out,
              AllOf(HasSubstr(R"("stream":"ORDERS")"), HasSubstr(R"("action":"create")"),
                    HasSubstr(R"("as_planned":true)"),
                    HasSubstr(R"({"field":"max_msgs","present":null,"wanted":"150"})"),
                    HasSubstr(R"("bucket":{"stream":"KV_realtime-strategies")"),
                    HasSubstr(R"({"field":"max_msgs_per_subject","present":null,"wanted":"64"})")));
  EXPECT_THAT(provision({"--json"}).out,
              AllOf(HasSubstr(R"("action":"none","as_planned":true,"changes":[],"bucket":{)"),
                    HasSubstr(R"("action":"none","as_planned":true,"changes":[]}})")));
  EXPECT_THAT(provision({"--json"}, {{"CONTROL_BUCKET", ""}}).out, HasSubstr(R"("bucket":null})"));
  EXPECT_THAT(provision({"--json", "--dry-run", "--daily-cap", "3"}).out,
              HasSubstr(R"("action":"change","as_planned":false,"changes":)"
                        R"([{"field":"max_msgs","present":"150","wanted":"3"}])"));
}

// --- What the stream then does ------------------------------------------------------------------

TEST_F(Provision, TheReplicasHearEachStoredOrderOnceUpToTheCap) {
  ASSERT_EQ(provision({"--daily-cap", "3"}).exit_code, 0);
  Peer replica(broker.url());
  replica.subscribe("orders.intents.stored");
  Peer service(broker.url());
  for (const char* id : {"a", "a", "b", "b", "c", "d"}) {
    service.publish("orders.intents", id, {{"Nats-Msg-Id", id}});
  }
  ASSERT_TRUE(service.flush());
  EXPECT_THAT(ask("orders.intents", "e"), HasSubstr(R"("err_code":10077)"));
  ASSERT_TRUE(replica.wait_for(3, kSoon));
  ASSERT_TRUE(replica.flush());
  std::vector<std::string> payloads;
  for (const Received& order : replica.received()) payloads.push_back(order.payload);
  EXPECT_THAT(payloads, testing::ElementsAre("a", "b", "c"));
}

// --- What it cannot do --------------------------------------------------------------------------

TEST_F(Provision, DoesNotTouchAStreamOfAnotherNameThatHasTheSubject) {
  create("LEGACY", R"("subjects":["orders.*"],"storage":"file","num_replicas":1,)"
                   R"("republish":{"src":"orders.intents","dest":"orders.intents.stored"})");
  const RunResult result = provision();
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_THAT(result.err, AllOf(HasSubstr("stream LEGACY stores orders.intents already"),
                                HasSubstr("--stream LEGACY")));
  EXPECT_EQ(result.out, "");
  EXPECT_FALSE(has_stream());
  EXPECT_FALSE(has_stream("KV_realtime-strategies")) << "all or nothing";
  EXPECT_EQ(provision({"--stream", "LEGACY"}).exit_code, 0);
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
  create("ORDERS", R"("subjects":["orders.intents"],"storage":"memory","num_replicas":1,)"
                   R"("republish":{"src":"orders.intents","dest":"orders.intents.stored"})");
  const std::string before = info();
  const RunResult storage = provision();
  EXPECT_EQ(storage.exit_code, 69);
  EXPECT_THAT(storage.out, AllOf(HasSubstr(": not changed\n"), HasSubstr("memory → file")));
  EXPECT_THAT(storage.err, AllOf(HasSubstr("can not change storage type"),
                                 HasSubstr("ORDERS was not changed"), HasSubstr("delete ORDERS")));
  EXPECT_EQ(info(), before);
}

// nats-server 2.10 and later change what a stream republishes; to an older one it has to be
// deleted.
TEST_F(Provision, MovesAStreamOverThatDeliveredToTheTradeEngine) {
  create_delivering();
  EXPECT_THAT(ask("orders.intents", "old"), HasSubstr(R"("seq":1)"));
  EXPECT_TRUE(delivers_twice(kNeeds, stream()));
  RunResult moved = provision();
  EXPECT_THAT(moved.out, HasSubstr("  republish: from orders.intents to tradeengine.orders → "
                                   "from orders.intents to orders.intents.stored\n"));
  if (nats_server_minor_version() < 10) {
    EXPECT_EQ(moved.exit_code, 69);
    EXPECT_THAT(
        moved.err,
        AllOf(HasSubstr("can not change RePublish"), HasSubstr("ORDERS was not changed"),
              HasSubstr("end every replica, delete ORDERS"), HasSubstr("after a cooldown")));
    EXPECT_TRUE(delivers_twice(kNeeds, stream()));
    EXPECT_THAT(ask("$JS.API.STREAM.DELETE.ORDERS"), HasSubstr(R"("success":true)"));
    moved = provision();
  } else {
    EXPECT_THAT(info(), HasSubstr(R"("messages":1)")) << "the orders of the day are kept";
  }
  EXPECT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_THAT(stream_problems(kNeeds, stream()), IsEmpty());
  Peer engine(broker.url());
  engine.subscribe("tradeengine.orders");
  EXPECT_THAT(ask("orders.intents", "new"), HasSubstr(R"("seq":)"));
  ASSERT_TRUE(engine.flush());
  EXPECT_TRUE(engine.received().empty()) << "only who has stored it delivers it";
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

// --- Other domains ------------------------------------------------------------------------------

class Leaf : public testing::Test {
 protected:
  explicit Leaf(const std::string& of_leaf = {}) : brokers(of_leaf) {}

  [[nodiscard]] static RunResult provision(const NatsServer& broker,
                                           const std::string& domain = {}) {
    return run_binary({"provision"},
                      {{"NATS_URL", broker.url()}, {"NATS_JETSTREAM_DOMAIN", domain}});
  }

  const NatsLeaf brokers;
  const NatsServer& hub = brokers.hub;
  const NatsServer& leaf = brokers.leaf;
};

class LeafWithJetStream : public Leaf {
 protected:
  LeafWithJetStream() : Leaf("server_name: leaf\njetstream: { domain: leaf }\n") {}
};

TEST_F(Leaf, WithoutJetStreamProvisionsInTheDomainThatIsNamed) {
  ASSERT_TRUE(brokers.joined());
  EXPECT_THAT(provision(leaf).err, HasSubstr("JetStream is off"));
  const RunResult result = provision(leaf, "hub");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(provision(hub).out, HasSubstr("stream ORDERS at " + hub.url() + ": nothing"));
  EXPECT_THAT(provision(leaf, "elsewhere").err,
              HasSubstr("nobody answers $JS.elsewhere.API.STREAM.NAMES: no JetStream of the domain "
                        "elsewhere is reached"));
}

// Two streams that both acknowledge an order would be two logs.
TEST_F(LeafWithJetStream, MakesNoSecondStreamWhereTheHubStoresTheOrders) {
  ASSERT_TRUE(brokers.joined());
  ASSERT_EQ(provision(hub).exit_code, 0);
  nats::Admin admin = admin_of(leaf.url());
  const RunResult refused = provision(leaf);
  EXPECT_EQ(refused.exit_code, 69);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("orders.intents is stored by a stream that is not in"),
                                 HasSubstr("NATS_JETSTREAM_DOMAIN")));
  for (const char* stream : {"ORDERS", "KV_realtime-strategies"}) {
    EXPECT_THAT(admin.request(std::string("$JS.API.STREAM.INFO.") + stream, "").value(),
                HasSubstr("stream not found"));
  }
  const auto info = admin.request("$JS.hub.API.STREAM.INFO.ORDERS", "");
  ASSERT_TRUE(info.ok()) << info.error();
  EXPECT_THAT(info.value(), HasSubstr(R"("messages":0)")) << "the question is not stored";
  EXPECT_THAT(provision(leaf, "hub").out,
              HasSubstr("stream ORDERS at " + leaf.url() + ": nothing to change"));
}

TEST_F(Provision, IsAskedForAnotherTopicWhereSomebodyElseAnswers) {
  const Responder responder(broker.url(), "orders.intents", always("{}"));
  const RunResult result = provision();
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_THAT(result.err, HasSubstr("orders.intents is answered by somebody who is no stream"));
  EXPECT_FALSE(has_stream());
}

// As `nats sub '>'` does: whoever only listens acknowledges nothing.
TEST_F(Provision, IsNotKeptFromItByWhoeverListensAndStaysSilent) {
  Peer tap(broker.url());
  tap.subscribe("orders.>");
  ASSERT_TRUE(tap.flush());
  EXPECT_EQ(provision().exit_code, 0);
}

// --- Permissions --------------------------------------------------------------------------------

config::Settings jetstream_settings() {
  config::Settings settings;
  settings.delivery.mode = DeliveryMode::jetstream;
  return settings;
}

std::string permissions(const config::Settings& settings) {
  const std::vector<std::string> words{"provision", "--permissions"};
  return commands::permissions(settings,
                               commands::plans_of(commands::parse_command_line(words), settings));
}

// With passwords, which a deployment has in the server's environment.
std::string with_passwords(const std::string& snippet) {
  return "RTS_NATS_PASSWORD: s\nRTS_PROVISION_PASSWORD: p\nRTS_TRADEENGINE_PASSWORD: e\n"
         "RTS_OPERATOR_PASSWORD: o\n" +
         snippet;
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
  rows[4].broker.jetstream_domain = "h\"u#b$x{}";
  rows[5].delivery.subject = "orders.{strategy}";
  rows[5].broker.control_bucket = "";
  const ScratchFiles files;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string snippet = permissions(rows[i]);
    Process server({nats_server_program(), "-t", "-c", files.write("server.conf", snippet)},
                   {.env = {{"RTS_NATS_PASSWORD", "a"},
                            {"RTS_PROVISION_PASSWORD", "b"},
                            {"RTS_TRADEENGINE_PASSWORD", "c"},
                            {"RTS_OPERATOR_PASSWORD", "d"}},
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
  const std::string people = broker.url("operator:o");

  [[nodiscard]] static RunResult provision(const std::string& url) {
    return run_binary({"provision"}, {{"NATS_URL", url}});
  }
};

TEST_F(Permitted, TheProvisionerMayProvisionAndNobodyElse) {
  EXPECT_THAT(provision(service).err, HasSubstr("Permissions Violation"));
  EXPECT_THAT(provision(engine).err, HasSubstr("Permissions Violation"));
  EXPECT_THAT(provision(people).err, HasSubstr("Permissions Violation"));
  const RunResult result = provision(provisioner);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("created"));
  EXPECT_THAT(provision(provisioner).out, HasSubstr("nothing to change"));
}

TEST_F(Permitted, OnlyTheServiceMaySendOrdersToTheTradeEngine) {
  ASSERT_EQ(provision(provisioner).exit_code, 0);
  Peer listener(engine);
  listener.subscribe("tradeengine.orders");
  for (const std::string& url : {provisioner, people, engine}) {
    Peer intruder(url);
    intruder.publish("tradeengine.orders", "forged");
    ASSERT_TRUE(intruder.flush());
  }
  Peer trader(service);
  trader.publish("orders.intents", "stored, and not delivered by that");
  trader.publish("tradeengine.orders", "order");
  ASSERT_TRUE(listener.wait_for(1, kSoon));
  ASSERT_TRUE(listener.flush());
  ASSERT_EQ(listener.received().size(), 1U);
  EXPECT_EQ(listener.received()[0].payload, "order");
}

TEST_F(Permitted, TheServiceReadsBothLogsAndHearsWhatIsStored) {
  ASSERT_EQ(provision(provisioner).exit_code, 0);
  Peer replica(service);
  replica.subscribe("orders.intents.stored");
  replica.subscribe("$KV.realtime-strategies.>");
  nats::Admin trader = admin_of(service, "realtime-strategies");
  EXPECT_TRUE(trader.request("orders.intents", "order").ok());
  nats::Admin person = admin_of(people, "realtime-strategies-operator");
  EXPECT_TRUE(person.request("$KV.realtime-strategies.pause", "x").ok());
  ASSERT_TRUE(replica.wait_for(2, kSoon));
  for (const char* stream : {"ORDERS", "KV_realtime-strategies"}) {
    const auto entry =
        trader.request(std::string("$JS.API.STREAM.MSG.GET.") + stream, R"({"seq":1})");
    ASSERT_TRUE(entry.ok()) << entry.error();
    EXPECT_THAT(entry.value(), HasSubstr(R"("seq":1)"));
  }
  EXPECT_FALSE(trader.request("$KV.realtime-strategies.pause", "x").ok());
}

TEST_F(Permitted, TheOperatorWritesTheControlLogAndNoOrders) {
  ASSERT_EQ(provision(provisioner).exit_code, 0);
  nats::Admin person = admin_of(people, "realtime-strategies-operator");
  EXPECT_TRUE(person.request("$KV.realtime-strategies.settings", "x").ok());
  EXPECT_TRUE(person.request("$JS.API.STREAM.INFO.KV_realtime-strategies", "").ok());
  const auto last = person.request("$JS.API.STREAM.MSG.GET.KV_realtime-strategies",
                                   R"({"last_by_subj":"$KV.realtime-strategies.settings"})");
  ASSERT_TRUE(last.ok()) << last.error();
  EXPECT_THAT(last.value(), HasSubstr("\"seq\":1"));
  for (const char* subject : {"orders.intents", "$JS.API.STREAM.PURGE.KV_realtime-strategies",
                              "$JS.API.STREAM.DELETE.KV_realtime-strategies"}) {
    nats::Admin intruder = admin_of(people, "realtime-strategies-operator");
    EXPECT_FALSE(intruder.request(subject, "").ok()) << subject;
  }
}

TEST_F(Permitted, TheServiceMayLookAtItsStreamAndNotPurgeIt) {
  ASSERT_EQ(provision(provisioner).exit_code, 0);
  nats::Admin admin = admin_of(service, "realtime-strategies");
  const auto info = admin.request("$JS.API.STREAM.INFO.ORDERS", "");
  ASSERT_TRUE(info.ok()) << info.error();
  EXPECT_THAT(stream_problems(kNeeds, wire::parse_stream_info(info.value()).value()), IsEmpty());
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
