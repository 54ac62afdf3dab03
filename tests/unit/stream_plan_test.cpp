// What the stream of the orders has to be: the plan from the settings, what differs from it, and
// what the running service cannot live with.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/trading/stream_plan.hpp>

namespace rts {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

StreamPlanSource source() {
  StreamPlanSource source;
  source.subject = "orders.intents";
  source.cooldown = seconds(900);
  source.order_life = seconds(30);
  source.forward_topic = "tradeengine.orders";
  source.daily_signals = 50;
  return source;
}

// A stream that is exactly as plan_stream(source()) wants it.
StreamFacts planned() {
  StreamFacts facts;
  facts.name = "ORDERS";
  facts.subjects = {"orders.intents"};
  facts.discard = "new";
  facts.duplicate_window = seconds(930);
  facts.max_age = hours(24);
  facts.max_messages = 150;
  facts.republish = Republish{"orders.intents", "orders.intents.stored"};
  facts.deny_delete = facts.deny_purge = true;
  return facts;
}

// --- The plan -----------------------------------------------------------------------------------

TEST(StreamPlan, FollowsFromTheSettings) {
  const StreamPlan plan = plan_stream(source());
  EXPECT_EQ(plan.name, "ORDERS");
  EXPECT_EQ(plan.subject, "orders.intents");
  EXPECT_EQ(plan.duplicate_window, seconds(930));
  EXPECT_EQ(plan.max_messages, 150);
  EXPECT_EQ(plan.max_age, hours(24));
  EXPECT_EQ(plan.republish, (Republish{"orders.intents", "orders.intents.stored"}));
  EXPECT_EQ(plan.replicas, 1);
}

TEST(StreamPlan, RemembersIdsForTheCooldownAndAnOrdersLife) {
  struct Row {
    int cooldown, life, window;
  };
  for (const auto& [cooldown, life, window] :
       {Row{900, 30, 930}, Row{0, 30, 120}, Row{89, 30, 120}, Row{91, 30, 121},
        Row{86'400, 30, 86'400}, Row{86'400, 86'400, 86'400}, Row{0, 86'400, 86'400}}) {
    StreamPlanSource row = source();
    row.cooldown = seconds(cooldown);
    row.order_life = seconds(life);
    const StreamPlan plan = plan_stream(row);
    EXPECT_EQ(plan.duplicate_window, seconds(window)) << cooldown << " " << life;
    EXPECT_GE(plan.duplicate_window, row.cooldown);
    EXPECT_LE(plan.duplicate_window, plan.max_age) << "JetStream refuses a longer one";
  }
}

TEST(StreamPlan, CapsTheDayAtEveryStrategysLimitUnlessAskedOtherwise) {
  struct Row {
    std::int64_t daily_signals;
    std::optional<std::int64_t> cap;
    std::int64_t max_messages;
  };
  for (const Row& row : {Row{50, {}, 150}, Row{1, {}, 3}, Row{0, {}, -1}, Row{50, 0, -1},
                         Row{50, 1, 1}, Row{50, 7, 7}, Row{0, 7, 7}}) {
    StreamPlanSource changed = source();
    changed.daily_signals = row.daily_signals;
    changed.daily_cap = row.cap;
    EXPECT_EQ(plan_stream(changed).max_messages, row.max_messages);
  }
}

TEST(BucketPlan, KeepsTheLastValuesOfEachKeyForEver) {
  const StreamPlan plan = plan_bucket("realtime-strategies", 3);
  EXPECT_EQ(plan.name, "KV_realtime-strategies");
  EXPECT_EQ(plan.subject, "$KV.realtime-strategies.>");
  EXPECT_EQ(plan.max_messages_per_subject, 64);
  EXPECT_EQ(plan.max_messages, -1);
  EXPECT_EQ(plan.max_age, seconds(0));
  EXPECT_EQ(plan.duplicate_window, seconds(120));
  EXPECT_FALSE(plan.republish);
  EXPECT_EQ(plan.replicas, 3);
}

// --- Differences --------------------------------------------------------------------------------

TEST(StreamDifferences, AreNoneWhereTheStreamIsAsPlanned) {
  EXPECT_THAT(differences(plan_stream(source()), planned()), IsEmpty());
}

struct Deviation {
  const char* field;
  const char* present;
  const char* wanted;
  std::function<void(StreamFacts&)> make;
};

TEST(StreamDifferences, NameTheSettingWhatItIsAndWhatItShouldBe) {
  const std::vector<Deviation> rows{
      {"subjects", "other", "other, orders.intents",
       [](StreamFacts& f) { f.subjects = {"other"}; }},
      {"subjects", "none", "orders.intents", [](StreamFacts& f) { f.subjects.clear(); }},
      {"duplicate_window", "929.999999999 s", "930 s",
       [](StreamFacts& f) { f.duplicate_window -= nanoseconds(1); }},
      {"duplicate_window", "86401 s", "930 s",
       [](StreamFacts& f) { f.duplicate_window = hours(24) + seconds(1); }},
      {"max_msgs", "149", "150", [](StreamFacts& f) { f.max_messages = 149; }},
      {"max_msgs", "none", "150", [](StreamFacts& f) { f.max_messages = -1; }},
      {"max_msgs_per_subject", "1", "none", [](StreamFacts& f) { f.max_messages_per_subject = 1; }},
      {"discard", "old", "new", [](StreamFacts& f) { f.discard = "old"; }},
      {"max_age", "none", "86400 s", [](StreamFacts& f) { f.max_age = {}; }},
      {"max_age", "86399 s", "86400 s", [](StreamFacts& f) { f.max_age -= seconds(1); }},
      {"max_age", "1e-09 s", "86400 s", [](StreamFacts& f) { f.max_age = nanoseconds(1); }},
      {"republish", "none", "from orders.intents to orders.intents.stored",
       [](StreamFacts& f) { f.republish.reset(); }},
      {"republish", "from > to orders.intents.stored",
       "from orders.intents to orders.intents.stored",
       [](StreamFacts& f) { f.republish->source = ">"; }},
      {"republish", "from orders.intents to x", "from orders.intents to orders.intents.stored",
       [](StreamFacts& f) { f.republish->destination = "x"; }},
      {"republish", "from orders.intents to orders.intents.stored, headers only",
       "from orders.intents to orders.intents.stored",
       [](StreamFacts& f) { f.republish->headers_only = true; }},
      {"num_replicas", "3", "1", [](StreamFacts& f) { f.replicas = 3; }},
      {"storage", "memory", "file", [](StreamFacts& f) { f.storage = "memory"; }},
      {"retention", "workqueue", "limits", [](StreamFacts& f) { f.retention = "workqueue"; }},
      {"no_ack", "true", "false", [](StreamFacts& f) { f.no_ack = true; }},
      {"sealed", "true", "false", [](StreamFacts& f) { f.sealed = true; }},
  };
  for (const Deviation& row : rows) {
    StreamFacts facts = planned();
    row.make(facts);
    EXPECT_THAT(differences(plan_stream(source()), facts),
                ElementsAre(Difference{row.field, row.present, row.wanted}))
        << row.field;
  }
}

TEST(StreamDifferences, AreNoneWhereTheStreamDoesMore) {
  const std::vector<std::function<void(StreamFacts&)>> rows{
      [](StreamFacts& f) {
        f.subjects = {"a", "orders.intents", "b"};
      },
      [](StreamFacts& f) { f.subjects = {"orders.>"}; },
      [](StreamFacts& f) { f.subjects = {"*.intents"}; },
      [](StreamFacts& f) { f.duplicate_window += nanoseconds(1); },
      [](StreamFacts& f) { f.duplicate_window = hours(24); },
      [](StreamFacts& f) { f.max_messages_per_subject = 0; },
      [](StreamFacts& f) { f.clustered = true; },
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    StreamFacts facts = planned();
    rows[i](facts);
    EXPECT_THAT(differences(plan_stream(source()), facts), IsEmpty()) << "row " << i;
  }
}

TEST(StreamDifferences, OfAnAbsentStreamAreAllItsSettings) {
  const auto all = differences(plan_stream(source()), std::nullopt);
  EXPECT_EQ(all.size(), 15U);
  EXPECT_THAT(all, testing::Contains(Difference{"max_msgs", "", "150"}));
  for (const Difference& row : all) EXPECT_EQ(row.present, "") << row.field;
}

TEST(StreamDifferences, AWindowThatIsLongerThanMessagesLiveIsCut) {
  StreamPlan plan = plan_stream(source());
  plan.max_age = plan.duplicate_window = seconds(1);
  StreamFacts facts = planned();
  facts.duplicate_window = seconds(1) + nanoseconds(1);
  EXPECT_EQ(wanted_duplicate_window(plan, facts), seconds(1));
  plan.max_age = seconds(0);
  EXPECT_EQ(wanted_duplicate_window(plan, facts), facts.duplicate_window) << "nothing ages";
}

TEST(StreamDifferences, OfABucketAreThoseOfItsPlan) {
  const StreamPlan plan = plan_bucket("b", 1);
  StreamFacts facts;
  facts.name = "KV_b";
  facts.subjects = {"$KV.b.>"};
  facts.discard = "new";
  facts.duplicate_window = hours(48);  // nothing ages, so it may be as long as it likes
  facts.max_messages_per_subject = 64;
  facts.allow_rollup = facts.deny_delete = true;
  EXPECT_THAT(differences(plan, facts), IsEmpty());
  EXPECT_EQ(differences(plan, std::nullopt).size(), 14U);
  facts.subjects = {"$KV.b.*"};  // takes in fewer keys
  facts.max_messages_per_subject = 1;
  facts.allow_rollup = facts.deny_delete = false;
  EXPECT_THAT(differences(plan, facts),
              ElementsAre(Difference{"subjects", "$KV.b.*", "$KV.b.*, $KV.b.>"},
                          Difference{"max_msgs_per_subject", "1", "64"},
                          Difference{"deny_delete", "false", "true"},
                          Difference{"allow_rollup_hdrs", "false", "true"}));
}

TEST(StreamDifferences, KeepWhatIsFineAndReplaceWhatIsNot) {
  const StreamPlan plan = plan_stream(source());
  StreamFacts facts = planned();
  facts.duplicate_window = seconds(2000);
  facts.subjects = {"a", "orders.*"};
  EXPECT_EQ(wanted_duplicate_window(plan, facts), seconds(2000));
  EXPECT_THAT(wanted_subjects(plan, facts), ElementsAre("a", "orders.*"));
  facts.duplicate_window = seconds(100);
  facts.subjects = {"a"};
  EXPECT_EQ(wanted_duplicate_window(plan, facts), seconds(930));
  EXPECT_THAT(wanted_subjects(plan, facts), ElementsAre("a", "orders.intents"));
}

// --- Problems ------------------------------------------------------------------------------------

const StreamNeeds kNeeds{"orders.intents", seconds(900), seconds(30), "tradeengine.orders"};

TEST(StreamProblems, AreNoneInAPlannedStream) {
  EXPECT_THAT(stream_problems(kNeeds, planned()), IsEmpty());
}

struct ProblemRow {
  std::vector<const char*> says;
  std::function<void(StreamFacts&)> make;
};

TEST(StreamProblems, SayWhatIsThereAndWhatIsWanted) {
  const std::vector<ProblemRow> rows{
      {{"899.999999999 s", "at least the cooldown of 900 s"},
       [](StreamFacts& f) { f.duplicate_window = seconds(900) - nanoseconds(1); }},
      {{"duplicate_window is 0 s"}, [](StreamFacts& f) { f.duplicate_window = {}; }},
      {{"no_ack is true, wanted false"}, [](StreamFacts& f) { f.no_ack = true; }},
      {{"sealed is true, wanted false"}, [](StreamFacts& f) { f.sealed = true; }},
      {{"stream ORDERS stores other, not orders.intents"},
       [](StreamFacts& f) { f.subjects = {"other"}; }},
      {{"stores none"}, [](StreamFacts& f) { f.subjects.clear(); }},
      {{"max_msgs is 150 with discard old, wanted discard new"},
       [](StreamFacts& f) { f.discard = "old"; }},
      {{"max_age is 86399 s, wanted at least 86400 s"},
       [](StreamFacts& f) { f.max_age -= seconds(1); }},
      {{"max_age is 1e-09 s, wanted at least 86400 s"},
       [](StreamFacts& f) { f.max_age = nanoseconds(1); }},
      {{"max_msgs is 1 with discard old, wanted discard new"},
       [](StreamFacts& f) {
         f.discard = "old";
         f.max_messages = 1;
       }},
      {{"max_msgs_per_subject is 1, wanted none"},
       [](StreamFacts& f) { f.max_messages_per_subject = 1; }},
      {{"max_msgs_per_subject is 9, wanted none"},
       [](StreamFacts& f) { f.max_messages_per_subject = 9; }},
      {{"retention is interest, wanted limits"}, [](StreamFacts& f) { f.retention = "interest"; }},
      {{"it stores tradeengine.orders too, where orders are forwarded to"},
       [](StreamFacts& f) { f.subjects.emplace_back("tradeengine.*"); }},
      {{"republishes onto tradeengine.orders", "delivered twice; run provision"},
       [](StreamFacts& f) { f.republish->destination = "tradeengine.orders"; }},
      {{"does not republish to orders.intents.stored", "collide; run provision"},
       [](StreamFacts& f) { f.republish.reset(); }},
      {{"does not republish"}, [](StreamFacts& f) { f.republish->destination = "elsewhere"; }},
      {{"does not republish"}, [](StreamFacts& f) { f.republish->source = "elsewhere"; }},
      {{"does not republish"}, [](StreamFacts& f) { f.republish->headers_only = true; }},
  };
  for (const auto& [says, make] : rows) {
    StreamFacts facts = planned();
    make(facts);
    const auto found = stream_problems(kNeeds, facts);
    ASSERT_EQ(found.size(), 1U) << says.front();
    for (const char* words : says) EXPECT_THAT(found[0], HasSubstr(words));
  }
}

// Found in a review: with a cooldown of 0 any window passed, and a repeated order was stored again.
TEST(StreamProblems, AreWindowsShorterThanAnOrderLives) {
  StreamFacts facts = planned();
  const StreamNeeds needs{"orders.intents", seconds(0), seconds(30)};
  facts.duplicate_window = seconds(30);
  EXPECT_THAT(stream_problems(needs, facts), IsEmpty());
  facts.duplicate_window = seconds(29);
  EXPECT_THAT(
      stream_problems(needs, facts),
      ElementsAre(HasSubstr("duplicate_window is 29 s, wanted at least the order life of 30 s")));
}

TEST(StreamProblems, AreNoneWhereThePromiseHolds) {
  const std::vector<std::function<void(StreamFacts&)>> rows{
      [](StreamFacts& f) { f.duplicate_window = seconds(900); },
      [](StreamFacts& f) {
        f.subjects = {"x", "orders.>"};
      },
      [](StreamFacts& f) {
        f.discard = "old";
        f.max_messages = -1;
      },
      [](StreamFacts& f) {
        f.discard = "old";
        f.max_messages = 0;
      },
      [](StreamFacts& f) { f.max_messages = 1; },
      [](StreamFacts& f) { f.max_messages_per_subject = 0; },
      [](StreamFacts& f) { f.republish->source = "orders.>"; },
      [](StreamFacts& f) { f.storage = "memory"; },
      [](StreamFacts& f) { f.replicas = 5; },
      [](StreamFacts& f) { f.max_age = {}; },
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    StreamFacts facts = planned();
    rows[i](facts);
    EXPECT_THAT(stream_problems(kNeeds, facts), IsEmpty()) << "row " << i;
  }
}

TEST(StreamProblems, AreAllSaidAtOnce) {
  StreamFacts worst;
  worst.no_ack = true;
  worst.sealed = true;
  EXPECT_EQ(stream_problems(kNeeds, worst).size(), 5U);
}

// Else an order reaches the TradeEngine from the stream and from whoever stored it.
TEST(StreamProblems, AreKnownOfAStreamThatDeliversByItself) {
  const auto delivers = [](const char* destination, const char* forward_topic) {
    StreamFacts facts = planned();
    facts.republish->destination = destination;
    const StreamNeeds needs{"orders.intents", seconds(900), seconds(30), forward_topic};
    const bool twice = delivers_twice(needs, facts);
    EXPECT_EQ(testing::Value(stream_problems(needs, facts),
                             testing::Contains(HasSubstr("delivered twice"))),
              twice);
    return twice;
  };
  for (const char* destination : {"tradeengine.orders", "tradeengine.$1", "tradeengine.>",
                                  "{{wildcard(1)}}", "tradeengine.{{split(1,-)}}.x", ">"}) {
    EXPECT_TRUE(delivers(destination, "tradeengine.orders")) << destination;
  }
  for (const char* destination : {"orders.intents.stored", "tradeengine.orders.$1", "$1"}) {
    EXPECT_FALSE(delivers(destination, "tradeengine.orders")) << destination;
  }
  EXPECT_TRUE(delivers("cio.$1", "cio.{strategy}"));
  EXPECT_TRUE(delivers("cio.trade_momentum", "cio.{strategy}"));
  EXPECT_FALSE(delivers("cio.other", "cio.{strategy}"));
  StreamFacts quiet = planned();
  quiet.republish.reset();
  EXPECT_FALSE(delivers_twice(kNeeds, quiet));
}

// --- Subjects -----------------------------------------------------------------------------------

TEST(StreamSubjects, CoverWhatTheirWildcardsMean) {
  struct Row {
    const char* pattern;
    const char* subject;
    bool covered;
  };
  for (const auto& [pattern, subject, covered] :
       {Row{"a", "a", true},    {"a.b", "a.b", true},     {"a", "b", false},
        {"a", "a.b", false},    {"a.b", "a", false},      {"a.b", "a.bc", false},
        {">", "a", true},       {">", "a.b.c", true},     {"a.>", "a.b", true},
        {"a.>", "a.b.c", true}, {"a.>", "a", false},      {"a.>", "b.a", false},
        {"*", "a", true},       {"*", "a.b", false},      {"*.b", "a.b", true},
        {"*.b", "a.c", false},  {"a.*.c", "a.b.c", true}, {"a.*", "a", false},
        {"a*", "ab", false},    {"a>", "ab", false},      {"", "a", false},
        {"a", "", false},       {"a.>", "a.>", true},     {">", "a.>", true},
        {"a.*", "a.>", false},  {"*.>", "a.>", true},     {">", "", false},
        {"a.>", "a.", false},   {">.b", "a.b", false}}) {
    EXPECT_EQ(covers(pattern, subject), covered) << pattern << " " << subject;
  }
}

}  // namespace
}  // namespace rts
