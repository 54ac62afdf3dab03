// What a broker tells of its clients and of our user: answers of real brokers, and bent ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/broker_info.hpp>

namespace rts::wire {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// nats-server 2.9.10, shortened where nothing of it is read.
constexpr const char* kClients =
    R"({"server":{"name":"N","host":"127.0.0.1","id":"N","ver":"2.9.10","seq":19,"jetstream":true,)"
    R"("time":"2026-11-28T14:31:14.282075891Z"},"data":{"server_id":"N",)"
    R"("now":"2026-11-28T14:31:14.281688599Z","num_connections":2,"total":2,"offset":0,)"
    R"("limit":1024,"connections":[{"cid":5,"kind":"Client","name":"probe","subscriptions":2,)"
    R"("subscriptions_list_detail":[{"subject":"data","qgroup":"grp","sid":"3","msgs":0,"cid":5},)"
    R"({"subject":"\u003e","sid":"4","msgs":2,"cid":5}]},{"cid":6,"kind":"Client"}]}})";

// nats-server 2.10.27, likewise.
constexpr const char* kUser =
    R"({"server":{"name":"N","id":"N","ver":"2.10.27","jetstream":true,"flags":3,"seq":8,)"
    R"("time":"2026-11-28T14:32:59.159010721Z"},"data":{"user":"a","account":"$G","permissions":)"
    R"({"publish":{"allow":["x.\u003e","$SYS.REQ.USER.INFO"]},"subscribe":)"
    R"({"allow":["_INBOX.\u003e","data"],"deny":["data.secret.*"]}}}})";

TEST(BrokerClients, AreReadWithTheirSubscriptions) {
  const auto answer = parse_clients(kClients);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->broker.version, "2.9.10");
  EXPECT_TRUE(answer->broker.jetstream);
  EXPECT_EQ(answer->broker.at, parse_iso8601("2026-11-28T14:31:14.282Z"));
  EXPECT_TRUE(answer->is_complete);
  ASSERT_THAT(answer->clients, SizeIs(2));
  EXPECT_EQ(answer->clients[0].name, "probe");
  ASSERT_THAT(answer->clients[0].subscriptions, SizeIs(2));
  EXPECT_EQ(answer->clients[0].subscriptions[0].subject, "data");
  EXPECT_EQ(answer->clients[0].subscriptions[0].queue_group, "grp");
  EXPECT_EQ(answer->clients[0].subscriptions[1].subject, ">");
  EXPECT_EQ(answer->clients[0].subscriptions[1].queue_group, "");
  EXPECT_EQ(answer->clients[1].name, "");
  EXPECT_THAT(answer->clients[1].subscriptions, IsEmpty());
}

TEST(BrokerClients, AreNotAllWhereTheBrokerHasMore) {
  EXPECT_FALSE(parse_clients(R"({"data":{"num_connections":1024,"total":1025}})")->is_complete);
  EXPECT_TRUE(parse_clients(R"({"data":{"num_connections":0,"total":0}})")->is_complete);
}

TEST(BrokerClients, AreNotReadFromAnythingElse) {
  for (const char* payload :
       {"", "x", "[]", "{}", R"({"data":null})", R"({"data":{}})", R"({"data":{"connections":[]}})",
        R"({"server":{"ver":"2.9.10"},"error":{"code":500,"description":"no"}})"}) {
    EXPECT_FALSE(parse_clients(payload)) << payload;
  }
}

// What others call themselves ends no line of ours.
TEST(BrokerClients, HaveNamesThatCanBeShown) {
  const auto answer = parse_clients(
      R"({"data":{"num_connections":1,"total":1,"connections":[{"name":"a\u001b[2J\nb"}]}})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->clients.at(0).name, "a?[2J?b");
}

TEST(BrokerUser, HasThePermissionsThatTheBrokerSays) {
  const auto user = parse_user(kUser);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->broker.version, "2.10.27");
  struct Row {
    bool publish;
    const char* subject;
    bool permitted;
  };
  for (const auto& [publish, subject, permitted] :
       {Row{true, "x.orders", true}, Row{true, "x", false}, Row{true, "tradeengine.orders", false},
        Row{true, "x.>", true}, Row{false, "data", true}, Row{false, "_INBOX.a.>", true},
        Row{false, "data.secret.a", false}, Row{false, ">", false}}) {
    EXPECT_EQ((publish ? user->publish : user->subscribe).permits(subject), permitted) << subject;
  }
}

TEST(BrokerUser, MayDoAllWhereNothingIsSaid) {
  const auto user =
      parse_user(R"({"server":{"ver":"2.10.27"},"data":{"user":"c","account":"$G"}})");
  ASSERT_TRUE(user);
  EXPECT_TRUE(user->publish.permits("tradeengine.orders"));
  EXPECT_EQ(user->broker.at, UnixMs());
}

TEST(BrokerUser, MayNotDoWhatIsDeniedThoughAllElseIsAllowed) {
  const auto user =
      parse_user(R"({"data":{"user":"c","permissions":{"publish":{"deny":["tradeengine.>"]}}}})");
  ASSERT_TRUE(user);
  EXPECT_FALSE(user->publish.permits("tradeengine.orders"));
  EXPECT_TRUE(user->publish.permits("orders.intents"));
}

// As `provision --permissions` prints the market data, and nats-server 2.10 tells it.
TEST(BrokerUser, MaySubscribeInTheQueueGroupThatIsNamedOnly) {
  const SubjectRules group{.allow = {"data gang", "plain"}, .deny = {}};
  EXPECT_TRUE(group.permits("data", "gang"));
  EXPECT_FALSE(group.permits("data", "other"));
  EXPECT_FALSE(group.permits("data"));
  EXPECT_TRUE(group.permits("plain", "gang"));
  const SubjectRules denied{.allow = {}, .deny = {"data gang"}};
  EXPECT_FALSE(denied.permits("data", "gang"));
  EXPECT_TRUE(denied.permits("data", "other"));
  EXPECT_TRUE(denied.permits("data"));
}

TEST(BrokerUser, IsNotReadFromAnythingElse) {
  for (const char* payload : {"", "{}", R"({"data":{}})", R"({"data":{"user":1}})"}) {
    EXPECT_FALSE(parse_user(payload)) << payload;
  }
}

}  // namespace
}  // namespace rts::wire
