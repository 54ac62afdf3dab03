// JetStream's requests and replies: real ones, captured from nats-server 2.9.10, and broken ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/json_compare.hpp>
#include <rts/wire/stream_info.hpp>

namespace rts::wire {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kNoNames =
    R"({"type":"io.nats.jetstream.api.v1.stream_names_response","total":0,"offset":0,)"
    R"("limit":1024,"streams":null})";
constexpr const char* kNames =
    R"({"type":"io.nats.jetstream.api.v1.stream_names_response","total":1,"offset":0,)"
    R"("limit":1024,"streams":["ORDERS"]})";
constexpr const char* kNotFound =
    R"({"type":"io.nats.jetstream.api.v1.stream_info_response","error":{"code":404,)"
    R"("err_code":10059,"description":"stream not found"},"total":0,"offset":0,"limit":0})";
constexpr const char* kInfo =
    R"({"type":"io.nats.jetstream.api.v1.stream_info_response","total":0,"offset":0,"limit":0,)"
    R"("config":{"name":"ORDERS","subjects":["orders.intents"],"retention":"limits",)"
    R"("max_consumers":-1,"max_msgs":150,"max_bytes":-1,"max_age":86400000000000,)"
    R"("max_msgs_per_subject":-1,"max_msg_size":-1,"discard":"new","storage":"file",)"
    R"("num_replicas":1,"duplicate_window":930000000000,"republish":{"src":"orders.intents",)"
    R"("dest":"orders.intents.stored"},"allow_direct":false,"mirror_direct":false,"sealed":false,)"
    R"("deny_delete":true,"deny_purge":true,"allow_rollup_hdrs":false},)"
    R"("created":"2026-11-23T02:47:53.693348175Z","state":{"messages":0,"bytes":0,"first_seq":0,)"
    R"("first_ts":"0001-01-01T00:00:00Z","last_seq":0,"last_ts":"0001-01-01T00:00:00Z",)"
    R"("consumer_count":0}})";
// '>' comes escaped.
constexpr const char* kOther =
    R"({"type":"io.nats.jetstream.api.v1.stream_create_response","config":{"name":"B",)"
    R"("subjects":["b.\u003e","c"],"retention":"interest","max_consumers":-1,"max_msgs":-1,)"
    R"("max_bytes":-1,"max_age":0,"max_msgs_per_subject":7,"max_msg_size":-1,"discard":"old",)"
    R"("storage":"memory","num_replicas":3,"no_ack":true,"duplicate_window":120000000000,)"
    R"("republish":{"src":"\u003e","dest":"z.\u003e","headers_only":true},"sealed":true},)"
    R"("cluster":{"name":"C1","leader":"n1"},"did_create":true})";

StreamPlan plan() {
  StreamPlanSource source;
  source.subject = "orders.intents";
  source.cooldown = seconds(900);
  source.order_life = seconds(30);
  source.daily_signals = 50;
  return plan_stream(source);
}

ApiError error_of(std::string_view payload) {
  const auto facts = parse_stream_info(payload);
  const auto name = parse_stream_names(payload);
  EXPECT_FALSE(facts || name) << payload;
  if (facts || name) return {};
  EXPECT_EQ(facts.error().code, name.error().code);
  return facts.error();
}

// As nats-server 2.9.10 and 2.12.15 answer $JS.API.INFO.
TEST(AccountInfo, HasTheDomainAndTheAccountsStorage) {
  const auto limited = parse_account_info(
      R"({"type":"io.nats.jetstream.api.v1.account_info_response","memory":0,"storage":19110,)"
      R"("streams":2,"consumers":0,"limits":{"max_memory":0,"max_storage":20000,"max_streams":10},)"
      R"("domain":"hub","api":{"total":21,"errors":6}})");
  ASSERT_TRUE(limited.ok());
  EXPECT_EQ(limited.value().domain, "hub");
  EXPECT_EQ(limited.value().storage_used_bytes, 19'110U);
  EXPECT_EQ(limited.value().storage_max_bytes, 20'000U);
  const auto unlimited = parse_account_info(
      R"({"memory":0,"storage":20066,"limits":{"max_memory":-1,"max_storage":-1}})");
  ASSERT_TRUE(unlimited.ok());
  EXPECT_EQ(unlimited.value().domain, "");
  EXPECT_EQ(unlimited.value().storage_max_bytes, std::nullopt);
  EXPECT_EQ(parse_account_info(R"({"storage":1})").value().storage_max_bytes, std::nullopt);
}

TEST(AccountInfo, ThatIsNoneIsAnError) {
  for (const char* odd : {"", "{}", "[]", R"({"storage":-1})", R"({"storage":"1"})", "\xff"}) {
    const auto info = parse_account_info(odd);
    ASSERT_FALSE(info.ok()) << odd;
    EXPECT_EQ(info.error().code, 0);
  }
  const auto refused = parse_account_info(R"({"error":{"code":503,"err_code":10039,)"
                                          R"("description":"JetStream not enabled for account"}})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, kNoJetStreamForAccount);
}

TEST(StreamNames, AskForASubject) {
  EXPECT_EQ(stream_names_request("orders.intents"), R"({"subject":"orders.intents"})");
  EXPECT_EQ(stream_names_request("a\"b"), R"({"subject":"a\"b"})");
}

TEST(StreamNames, GiveTheFirstNameOrNone) {
  EXPECT_EQ(parse_stream_names(kNames).value(), "ORDERS");
  EXPECT_EQ(parse_stream_names(kNoNames).value(), "");
  EXPECT_EQ(parse_stream_names(R"({"streams":[]})").value(), "");
  EXPECT_EQ(parse_stream_names(R"({"streams":["A","B"]})").value(), "A");
}

TEST(StreamNames, AreNotInAnotherReply) {
  EXPECT_FALSE(parse_stream_names(kInfo).ok());
  EXPECT_FALSE(parse_stream_info(kNames).ok());
}

TEST(StreamInfo, IsReadAsTheBrokerWritesIt) {
  const StreamFacts facts = parse_stream_info(kInfo).value();
  EXPECT_EQ(facts.name, "ORDERS");
  EXPECT_THAT(facts.subjects, ElementsAre("orders.intents"));
  EXPECT_EQ(facts.duplicate_window, seconds(930));
  EXPECT_EQ(facts.max_messages, 150);
  EXPECT_FALSE(facts.clustered);
  EXPECT_THAT(differences(plan(), facts), IsEmpty());
}

TEST(StreamInfo, IsReadToTheLastField) {
  const StreamFacts facts = parse_stream_info(kOther).value();
  EXPECT_EQ(facts.name, "B");
  EXPECT_THAT(facts.subjects, ElementsAre("b.>", "c"));
  EXPECT_EQ(facts.retention, "interest");
  EXPECT_EQ(facts.storage, "memory");
  EXPECT_EQ(facts.discard, "old");
  EXPECT_EQ(facts.max_messages, -1);
  EXPECT_EQ(facts.max_messages_per_subject, 7);
  EXPECT_EQ(facts.max_age.count(), 0);
  EXPECT_EQ(facts.replicas, 3);
  EXPECT_EQ(facts.republish, (Republish{">", "z.>", true}));
  EXPECT_TRUE(facts.no_ack);
  EXPECT_TRUE(facts.sealed);
  EXPECT_TRUE(facts.clustered);
}

// As nats-server 2.10.27 writes it: a single broker is the leader of its streams, but no cluster.
TEST(StreamInfo, TellsAClusterByItsName) {
  const auto is_clustered = [](std::string_view cluster) {
    const auto info =
        parse_stream_info(R"({"config":{"name":"X"},"cluster":)" + std::string(cluster) +
                          R"(,"did_create":true,"ts":"2026-11-23T02:47:53.693348175Z"})");
    return info.value().clustered;
  };
  EXPECT_FALSE(is_clustered(R"({"leader":"NDJ3QA5WBN"})"));
  EXPECT_FALSE(is_clustered(R"({"name":"","leader":"n1"})"));
  EXPECT_FALSE(is_clustered("{}"));
  EXPECT_FALSE(is_clustered("null"));
  EXPECT_TRUE(is_clustered(R"({"leader":"n1","name":"C1","replicas":[{"name":"n2"}]})"));
}

TEST(StreamInfo, TakesAbsentSettingsForTheirDefaults) {
  const StreamFacts facts =
      parse_stream_info(R"({"config":{"name":"X","subjects":null,"republish":null}})").value();
  EXPECT_THAT(facts.subjects, IsEmpty());
  EXPECT_EQ(facts.duplicate_window.count(), 0);
  EXPECT_EQ(facts.max_messages, -1);
  EXPECT_FALSE(facts.no_ack);
  EXPECT_FALSE(facts.republish.has_value());
}

// From nats-server 2.10 on a single broker names a leader, too.
TEST(StreamInfo, IsOfAClusterWhereTheClusterHasAName) {
  const auto is_clustered = [](const std::string& cluster) {
    return parse_stream_info(R"({"config":{"name":"X"},"cluster":)" + cluster + "}")
        .value()
        .clustered;
  };
  EXPECT_TRUE(is_clustered(R"({"name":"C1","leader":"n1"})"));
  for (const char* single :
       {"null", "{}", R"({"leader":"n1"})", R"({"name":""})", R"({"name":null})"}) {
    EXPECT_FALSE(is_clustered(single)) << single;
  }
}

TEST(StreamErrors, CarryJetStreamsCodeAndWords) {
  const ApiError error = error_of(kNotFound);
  EXPECT_EQ(error.code, kStreamNotFound);
  EXPECT_EQ(error.description, "stream not found");
}

TEST(StreamErrors, AreFitToPrint) {
  const ApiError error = error_of(R"({"error":{"err_code":1,"description":")" +
                                  std::string(1000, 'x') + R"(\u001b[2J"}})");
  EXPECT_EQ(error.description.size(), 256U);
  EXPECT_EQ(error_of(R"({"error":{"description":"a\u001b[2J\n"}})").description, "a?[2J?");
}

TEST(StreamReplies, ThatAreNoneAreRefused) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "[";
  std::string wide = R"({"config":{"name":"X"},"pad":")";
  wide.append(kMaxStreamReplyBytes, ' ');
  for (const std::string& payload :
       std::vector<std::string>{"",
                                " ",
                                "null",
                                "[]",
                                "1",
                                "\"x\"",
                                "{}",
                                "nonsense",
                                "{\"config\":{}}",
                                R"({"config":{"name":""}})",
                                R"({"config":{"name":1}})",
                                R"({"config":[]})",
                                R"({"config":{"name":"X","max_msgs":"1"}})",
                                R"({"config":{"name":"X","max_msgs":1.5}})",
                                R"({"config":{"name":"X","max_msgs":99999999999999999999}})",
                                R"({"config":{"name":"X","no_ack":"true"}})",
                                R"({"config":{"name":"X","subjects":[1]}})",
                                R"({"config":{"name":"X","subjects":"a"}})",
                                R"({"config":{"name":"X","republish":[]}})",
                                R"({"config":{"name":"X"}}{})",
                                R"({"config":{"name":"X"}} x)",
                                R"({"config":{"name":"X"},"later":nul})",
                                R"({"config":{"name":"X"},"later":[1,]})",
                                R"({"streams":{}})",
                                R"({"streams":[1]})",
                                R"({"streams":["a"],)",
                                R"({"error":null})",
                                R"({"error":"x"})",
                                deep,
                                R"({"config":)" + deep,
                                R"({"x":)" + deep,
                                wide + "\"}",
                                "{\"config\":{\"name\":\"\xff\"}}",
                                "\xEF\xBB\xBF{\"config\":{\"name\":\"X\"}}",
                                std::string("{\"config\":{\"name\":\"X\"}}\0", 25)}) {
    EXPECT_EQ(error_of(payload).code, 0) << payload.substr(0, 80);
  }
}

TEST(StreamReplies, ThatAreCutAnywhereAreRefused) {
  for (const std::string whole : {kInfo, kOther, kNames, kNoNames, kNotFound}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string_view cut = std::string_view(whole).substr(0, size);
      EXPECT_EQ(error_of(cut).code, 0) << cut;
      EXPECT_FALSE(stream_update_request(cut, plan()).ok());
    }
  }
}

TEST(StreamReplies, WithAnyByteChangedAreSurvived) {
  for (const std::string whole : {kInfo, kOther, kNames, kNotFound}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const char byte : {'\0', '"', '\\', '{', '}', '[', ',', '9', '\xff'}) {
        std::string changed = whole;
        changed[at] = byte;
        (void)parse_stream_names(changed);
        const auto facts = parse_stream_info(changed);
        const auto request = stream_update_request(changed, plan());
        EXPECT_EQ(facts.ok(), request.ok()) << changed;
        if (!request) continue;
        EXPECT_THAT(json_differences(request.value(), request.value()), IsEmpty()) << changed;
      }
    }
  }
}

TEST(StreamCreateRequest, SaysThePlan) {
  EXPECT_THAT(
      json_differences(
          R"({"name":"ORDERS","subjects":["orders.intents"],"retention":"limits",)"
          R"("max_consumers":-1,"max_msgs":150,"max_bytes":-1,"max_age":86400000000000,)"
          R"("max_msgs_per_subject":-1,"max_msg_size":-1,"discard":"new","storage":"file",)"
          R"("num_replicas":1,"duplicate_window":930000000000,"republish":{"src":"orders.intents",)"
          R"("dest":"orders.intents.stored"},"deny_delete":true,"deny_purge":true,)"
          R"("allow_rollup_hdrs":false})",
          stream_create_request(plan())),
      IsEmpty());
}

TEST(StreamCreateRequest, SaysThePlanOfABucket) {
  EXPECT_THAT(
      json_differences(
          R"({"name":"KV_b","subjects":["$KV.b.>"],"retention":"limits","max_consumers":-1,)"
          R"("max_msgs":-1,"max_bytes":-1,"max_age":0,"max_msgs_per_subject":64,)"
          R"("max_msg_size":-1,"discard":"new","storage":"file","num_replicas":3,)"
          R"("duplicate_window":120000000000,"allow_rollup_hdrs":true,"deny_delete":true})",
          stream_create_request(plan_bucket("b", 3))),
      IsEmpty());
}

// --- Updates ------------------------------------------------------------------------------------

TEST(StreamUpdateRequest, OfAFittingStreamIsItsOwnConfiguration) {
  const std::string request = stream_update_request(kInfo, plan()).value();
  const std::string whole(kInfo);
  const std::size_t begin = whole.find("\"config\":") + 9;
  std::string config = whole.substr(begin, whole.find(",\"created\"") - begin);
  // What is not so is said by silence.
  for (const std::string silence : {R"("sealed":false,)"}) {
    config.erase(config.find(silence), silence.size());
  }
  EXPECT_THAT(json_differences(config, request), IsEmpty());
}

TEST(StreamUpdateRequest, KeepsWhatThePlanDoesNotSpeakOfEvenIfUnknown) {
  const std::string request =
      stream_update_request(
          R"({"config":{"name":"ORDERS","metadata":{"team":"a \"b\"","n":[1,{"x":null}]},)"
          R"("compression":"s2","subjects":["x"],"max_bytes":1024,"max_msgs":9,"discard":"old",)"
          R"("odd\u0041":"\u003e","duplicate_window":5,"consumer_limits":{},"max_age":1}})",
          plan())
          .value();
  EXPECT_THAT(json_differences(
                  R"({"name":"ORDERS","subjects":["x","orders.intents"],"retention":"limits",)"
                  R"("storage":"file","discard":"new","max_msgs":150,"max_msgs_per_subject":-1,)"
                  R"("max_age":86400000000000,"duplicate_window":930000000000,"num_replicas":1,)"
                  R"("republish":{"src":"orders.intents","dest":"orders.intents.stored"},)"
                  R"("metadata":{"team":"a \"b\"","n":[1,{"x":null}]},"compression":"s2",)"
                  R"("max_bytes":1024,"oddA":">","consumer_limits":{},)"
                  R"("deny_delete":true,"deny_purge":true,"allow_rollup_hdrs":false})",
                  request, 20),
              IsEmpty());
}

TEST(StreamUpdateRequest, OfABucketKeepsItAsItIs) {
  const std::string info = "{\"config\":" + stream_create_request(plan_bucket("b", 1)) + "}";
  const StreamFacts facts = parse_stream_info(info).value();
  EXPECT_TRUE(facts.allow_rollup);
  EXPECT_TRUE(facts.deny_delete);
  const std::string request = stream_update_request(info, plan_bucket("b", 1)).value();
  EXPECT_THAT(json_differences(stream_create_request(plan_bucket("b", 1)), request), IsEmpty());
}

// A broker refuses to take it back.
TEST(StreamUpdateRequest, KeepsThatNothingIsDeleted) {
  const std::string request =
      stream_update_request(R"({"config":{"name":"ORDERS","deny_delete":true,"deny_purge":true}})",
                            plan())
          .value();
  EXPECT_THAT(request, testing::AllOf(HasSubstr(R"("deny_delete":true)"),
                                      HasSubstr(R"("deny_purge":true)")));
}

TEST(StreamUpdateRequest, IsRefusedWithoutADescription) {
  EXPECT_EQ(stream_update_request(kNotFound, plan()).error().code, kStreamNotFound);
  EXPECT_EQ(stream_update_request("{}", plan()).error().code, 0);
}

}  // namespace
}  // namespace rts::wire
