// What `doctor` says of what it has found, as values; and what it sees of a feed.
#include "commands/doctor.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_run.hpp"
#include "support/frames.hpp"

namespace rts::commands {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// --- The feed -----------------------------------------------------------------------------------

constexpr UnixNs kReceived{test::kNoon + 40ms};

class Feed : public testing::Test {
 protected:
  void take(const std::string& frame) { watch.take(frame, kReceived); }
  [[nodiscard]] std::uint64_t refused(Reason reason) const {
    return watch.facts().refused[index_of(reason)];
  }

  FeedWatch watch{test::configured({{"TRADING_SYMBOLS", "BTCUSDT,ETHUSDT"}}).settings};
};

TEST_F(Feed, IsCountedBySymbolAndKind) {
  take(test::book_frame());
  take(test::trade({.id = 1}));
  take(test::trade({.id = 2}));
  take(test::ticker());
  const FeedFacts facts = watch.facts();
  EXPECT_EQ(facts.frames, 4U);
  EXPECT_THAT(facts.accepted, ElementsAre(Pair("BTCUSDT", CountsByKind{1, 2, 1}),
                                          Pair("ETHUSDT", CountsByKind{0, 0, 0})));
  EXPECT_EQ(facts.lag, 40ms);
  EXPECT_THAT(facts.shared_names, IsEmpty());
}

TEST_F(Feed, NamesWhatIsNotTraded) {
  take(test::trade({.symbol = "SOLUSDT"}));
  take(test::trade({.symbol = "SOLUSDT", .id = 2}));
  take(test::ticker({.symbol = "xrpusdt"}));
  EXPECT_THAT(watch.facts().others, UnorderedElementsAre(Pair("SOLUSDT", 2U), Pair("XRPUSDT", 1U)));
  EXPECT_EQ(refused(Reason::symbol_not_traded), 3U);
}

TEST_F(Feed, KeepsNoMoreNamesThanItSays) {
  for (std::size_t i = 0; i < 2 * FeedWatch::kMaxOthers; ++i) {
    take(test::trade({.symbol = fmt::format("X{}USDT", i)}));
  }
  EXPECT_THAT(watch.facts().others, SizeIs(FeedWatch::kMaxOthers));
}

TEST_F(Feed, CountsWhatTheServiceWouldRefuseByItsReason) {
  take("no frame");
  take(test::combined("ethusdt@trade", test::trade()));  // labelled as another symbol
  take(test::combined("btcusdt@depth", test::futures_book()));
  take(test::trade({.at_ms = test::kNoonMs - 3'600'000}));
  EXPECT_EQ(refused(Reason::malformed), 1U);
  EXPECT_EQ(refused(Reason::symbol_conflict), 1U);
  EXPECT_EQ(refused(Reason::diff_depth), 1U);
  EXPECT_EQ(refused(Reason::stale), 1U);
}

// Each market counts its trades by itself.
TEST_F(Feed, KnowsTwoMarketsUnderOneNameByTheirIds) {
  for (std::uint64_t i = 0; i < 3; ++i) {
    take(test::trade({.id = 4'000'000'000 + i}));
    take(test::trade({.id = 6'000'000'000 + i}));
  }
  EXPECT_THAT(watch.facts().shared_names, ElementsAre("BTCUSDT"));
}

TEST_F(Feed, TakesNeitherAResetNorARepetitionForASecondMarket) {
  for (const std::uint64_t id : {9'000'000'000UL, 9'000'000'001UL, 1UL, 2UL, 3UL, 2UL, 3UL, 4UL}) {
    take(test::trade({.id = id}));
  }
  for (const std::uint64_t id : {2'000'001U, 1'000'001U, 2'000'001U, 1'000'001U}) {  // too near
    take(test::trade({.symbol = "ETHUSDT", .id = id}));
  }
  EXPECT_THAT(watch.facts().shared_names, IsEmpty());
}

TEST_F(Feed, TellsTheUsualLagWhateverOneEventSays) {
  for (int i = 0; i < 5; ++i) take(test::trade({.id = static_cast<std::uint64_t>(i)}));
  take(test::trade({.at_ms = test::kNoonMs + 9'000'000, .id = 9}));
  take(test::trade({.at_ms = test::kNoonMs * 1000, .id = 10}));  // microseconds
  EXPECT_EQ(watch.facts().lag, 40ms);
}

// --- The findings -------------------------------------------------------------------------------

// An installation on which nothing is wrong: of one replica, with both logs.
config::Configuration good_settings() {
  return test::configured({{"TRADING_SYMBOLS", "BTCUSDT"},
                           {"NATS_CONSUMER_GROUP", ""},
                           {"ORDER_DELIVERY", "jetstream"}});
}

// A stream as it is planned.
StreamLook as_planned(const StreamPlan& plan) {
  StreamFacts facts;
  facts.name = plan.name;
  facts.subjects = {plan.subject};
  facts.discard = "new";
  facts.duplicate_window = plan.duplicate_window;
  facts.max_age = plan.max_age;
  facts.max_messages = plan.max_messages;
  facts.max_messages_per_subject = plan.max_messages_per_subject;
  facts.republish = plan.republish;
  facts.deny_delete = facts.deny_purge = true;
  facts.allow_rollup = plan.is_bucket;
  return {.facts = facts};
}

DoctorFacts good_facts(const config::Settings& settings) {
  DoctorFacts facts;
  facts.server = "nats://b:4222";
  facts.takes_headers = true;
  facts.max_payload = 1 << 20;
  facts.round_trip = 400us;
  facts.broker = wire::BrokerFacts{"2.10.27", true, test::kNoon};
  facts.ahead_of_broker = 3ms;
  facts.user.emplace();
  facts.publish_subjects = {"tradeengine.orders", "orders.intents"};
  facts.clients = {{"tradeengine-1", {{"tradeengine.*", "engines"}}},
                   {"realtime-strategies-a", {{"binance.websocket.data", ""}}}};
  StreamPlanSource source;
  static_cast<StreamNeeds&>(source) = settings.stream;
  facts.order_log = as_planned(plan_stream(source));
  facts.control_log = as_planned(plan_bucket("realtime-strategies", 1));
  facts.feed.emplace();
  facts.feed->frames = 30;
  facts.feed->accepted["BTCUSDT"] = {10, 10, 10};
  facts.feed->lag = 20ms;
  facts.listened = 10s;
  facts.port_detail = "free";
  return facts;
}

std::string text_of(const Rows& rows) {
  std::string text;
  for (const auto& [check, health, found, fix] : rows) {
    text += fmt::format("{} {}: {} | {}\n", to_string(health), check, found, fix);
  }
  return text;
}

std::size_t count(const Rows& rows, Health health) {
  return static_cast<std::size_t>(std::ranges::count(rows, health, &Finding::health));
}

TEST(Doctor, FindsNothingWhereNothingIsWrong) {
  const auto configuration = good_settings();
  const Rows rows = findings(configuration, good_facts(configuration.settings));
  EXPECT_EQ(count(rows, Health::ok), rows.size()) << text_of(rows);
  EXPECT_THAT(text_of(rows),
              AllOf(HasSubstr("ok limits: nats-server 2.10.27, with headers"),
                    HasSubstr("ok orders: on tradeengine.orders listens tradeengine-1 "
                              "(tradeengine.*, queue group engines)"),
                    HasSubstr("ok order log: stream ORDERS fits"), HasSubstr("books: BTCUSDT 10"),
                    HasSubstr("ok queue group: running: realtime-strategies-a")));
}

// Of an account that may store so much, with so much of it left.
wire::AccountInfo storage(std::uint64_t max, std::uint64_t left) {
  return {.domain = "", .storage_used_bytes = max - left, .storage_max_bytes = max};
}

struct Wrong {
  std::function<void(config::Configuration&, DoctorFacts&)> spoil;
  Health health;
  std::vector<const char*> said;  // of the rows with that health, together
};

const std::vector<Wrong>& wrongs() {
  using C = config::Configuration;
  using F = DoctorFacts;
  static const std::vector<Wrong> rows{
      {[](C& c, F&) { c.warnings.emplace_back("BTCUSDT: has no step"); },
       Health::warning,
       {"settings: BTCUSDT: has no step"}},
      {[](C&, F& f) { f.takes_headers = false; },
       Health::failed,
       {"without headers", "nats-server from 2.2 on"}},
      {[](C&, F& f) { f.max_payload = 2047; }, Health::failed, {"Raise max_payload"}},
      {[](C&, F& f) { f.refused = {"b: Permissions Violation for Subscription to \"control\""}; },
       Health::failed,
       {"permissions: b: Permissions", "provision --permissions"}},
      {[](C&, F& f) { f.untried = {"control"}; },
       Health::not_looked_at,
       {"permissions: whether control may be subscribed to is not known: the time was too short"}},
      {[](C&, F& f) { f.user->publish.deny = {"tradeengine.>"}; },
       Health::failed,
       {"permissions: the broker's user may not publish to tradeengine.orders"}},
      {[](C& c, F& f) {
         c.settings.broker.queue_group = "g";
         f.user->subscribe.allow = {"other"};
       },
       Health::failed,
       {"may not subscribe to binance.websocket.data"}},
      {[](C&, F& f) {
         f.user.reset();
         f.user_problem = "nobody answers";
       },
       Health::not_looked_at,
       {"whether tradeengine.orders, orders.intents may be published to is not known", "/ready"}},
      {[](C&, F& f) { f.round_trip.reset(); }, Health::failed, {"round trip: nothing came back"}},
      {[](C&, F& f) { f.round_trip = 100'001us; }, Health::warning, {"round trip: 100.0 ms"}},
      {[](C&, F& f) { f.clients->erase(f.clients->begin()); },
       Health::failed,
       {"orders: nobody listens on tradeengine.orders", "NATS_PUBLISHER_TOPIC"}},
      {[](C&, F& f) {
         f.clients->front().subscriptions = {{"signals.trading.*", ""}, {"_INBOX.orders", ""}};
       },
       Health::failed,
       {"there are listeners on signals.trading.*"}},
      {[](C& c, F& f) {
         c.settings.delivery.dry_run = true;
         f.clients->clear();
       },
       Health::warning,
       {"nobody listens"}},
      {[](C&, F& f) {
         f.has_all_clients = false;
         f.clients->clear();
       },
       Health::warning,
       {"the broker has more than it lists"}},
      {[](C&, F& f) {
         f.clients->front().subscriptions = {{">", ""}};
       },
       Health::warning,
       {"nobody listens but tradeengine-1 (>)"}},
      {[](C& c, F&) { c.settings.delivery.subject = "signals.{strategy}"; },
       Health::failed,
       {"on signals.orderbook_skew", "on signals.trade_momentum", "on signals.ticker_velocity"}},
      {[](C&, F& f) {
         f.clients.reset();
         f.clients_problem = "no permission";
       },
       Health::not_looked_at,
       {"who listens on tradeengine.orders is not known: no permission", "CONNZ",
        "queue group: who shares"}},
      {[](C& c, F& f) {
         c.settings.delivery.mode = DeliveryMode::core;
         f.clients->push_back({"realtime-strategies-b", {{"binance.websocket.data", ""}}});
       },
       Health::failed,
       {"queue group: running: realtime-strategies-a", "exactly one"}},
      {[](C& c, F& f) {
         c.settings.broker.queue_group = "g";
         f.clients->push_back({"python", {{"binance.websocket.data", "g"}}});
       },
       Health::warning,
       {"g is shared with python (binance.websocket.data, queue group g)"}},
      {[](C&, F& f) { f.order_log.facts->max_age = 1h; },
       Health::failed,
       {"order log: stream ORDERS: max_age is 3600 s", "provision"}},
      {[](C&, F& f) { f.order_log = {.problem = "no stream stores it", .is_absent = true}; },
       Health::failed,
       {"order log: no stream stores it", "Run `realtime-strategies provision`"}},
      {[](C&, F& f) { f.order_log = {.problem = "JetStream is off", .is_jetstream_off = true}; },
       Health::failed,
       {"Switch JetStream on"}},
      {[](C& c, F& f) {
         c.settings.broker.jetstream_domain = "hbu";
         f.order_log = {.problem = "nobody answers", .is_jetstream_off = true};
       },
       Health::failed,
       {"Correct NATS_JETSTREAM_DOMAIN=hbu, or join the leaf node to the hub of this domain."}},
      {[](C& c, F& f) {
         c.settings.broker.jetstream_domain = "hbu";
         f.order_log = {.problem = "nobody answers", .is_jetstream_off = true};
         f.jetstream_nearby = wire::AccountInfo{.domain = "hub", .storage_max_bytes = {}};
       },
       Health::failed,
       {"the broker's own JetStream has the domain hub"}},
      {[](C&, F& f) { f.jetstream = storage(20'000, 1999); },
       Health::failed,
       {"order log: JetStream has 1999 of the account's 20000 bytes left", "max_file"}},
      {[](C&, F& f) { f.jetstream = storage(100'000, 9999); },
       Health::warning,
       {"order log: JetStream has 9999 of the account's 100000 bytes left"}},
      {[](C& c, F& f) {
         c.settings.delivery.mode = DeliveryMode::core;
         f.jetstream = storage(20'000, 0);
       },
       Health::warning,
       {"JetStream has 0 of the account's 20000 bytes left"}},
      {[](C&, F& f) { f.order_log = {.problem = "no permission to ask on x"}; },
       Health::failed,
       {"provision --permissions"}},
      {[](C&, F& f) { f.control_log.facts->max_messages_per_subject = 1; },
       Health::warning,
       {"control log: stream KV_realtime-strategies: max_msgs_per_subject is 1, wanted 64"}},
      {[](C&, F& f) { f.control_log = {.problem = "gone", .is_absent = true}; },
       Health::failed,
       {"control log: gone"}},
      {[](C& c, F& f) {
         c.settings.delivery.mode = DeliveryMode::core;
         f.control_log = {.problem = "gone", .is_absent = true};
       },
       Health::warning,
       {"gone: no pause outlives the process"}},
      {[](C& c, F& f) {
         c.settings.delivery.mode = DeliveryMode::core;
         f.control_log = {.problem = "no answer"};
       },
       Health::failed,
       {"control log: no answer"}},
      {[](C&, F& f) { f.feed = FeedFacts{}; },
       Health::failed,
       {"feed: 0 frames on binance.websocket.data in 10 s", "NATS_CONSUMER_TOPIC"}},
      {[](C&, F& f) {
         f.feed->accepted["BTCUSDT"] = {};
         f.feed->others["SOLUSDT"] = 30;
       },
       Health::failed,
       {"none of which can be used; not traded: SOLUSDT 30", "TRADING_SYMBOLS"}},
      {[](C&, F& f) { f.feed->accepted["BTCUSDT"][2] = 0; },
       Health::warning,
       {"tickers: none of BTCUSDT", "ticker_velocity is silent"}},
      {[](C&, F& f) { f.feed->shared_names = {"BTCUSDT"}; },
       Health::failed,
       {"two markets come under the name BTCUSDT"}},
      {[](C&, F& f) { f.feed->refused[index_of(Reason::outlier)] = 2; },
       Health::warning,
       {"outlier: 2 dropped", "two markets"}},
      {[](C&, F& f) {
         f.feed.reset();
         f.feed_problem = "Permissions Violation for Subscription";
       },
       Health::not_looked_at,
       {"feed: Permissions Violation", "provision --permissions"}},
      {[](C& c, F& f) {
         c.settings.broker.queue_group = "g";
         f.feed.reset();
         f.feed_problem = "Permissions Violation for Subscription";
       },
       Health::not_looked_at,
       {"without the queue group"}},
      {[](C&, F& f) {
         f.feed.reset();
         f.feed_problem = "the broker does not answer";
       },
       Health::not_looked_at,
       {"feed: the broker does not answer", "said of the broker above"}},
      {[](C&, F& f) { f.feed_problem = "the broker fell silent meanwhile"; },
       Health::warning,
       {"feed: the broker fell silent"}},
      {[](C&, F& f) { f.feed->lag = 1001ms; },
       Health::warning,
       {"events come 1001 ms after their time"}},
      {[](C&, F& f) { f.feed->lag = -1001ms; }, Health::warning, {"1001 ms before their time"}},
      {[](C&, F& f) { f.ahead_of_broker = -1001ms; },
       Health::warning,
       {"ours is 1001 ms behind the broker's"}},
      {[](C&, F& f) {
         f.ahead_of_broker.reset();
         f.feed->lag.reset();
       },
       Health::not_looked_at,
       {"clock: there was no event"}},
      {[](C&, F& f) { f.port = PortUse::foreign; }, Health::failed, {"HTTP port", "HEALTH_CHECK"}},
      {[](C&, F& f) { f.port = PortUse::unusable; }, Health::failed, {"HTTP port"}},
  };
  return rows;
}

// One thing at a time: it is said, and nothing worse is.
TEST(Doctor, SaysWhatIsWrongAndWhatToDo) {
  for (const auto& [spoil, health, said] : wrongs()) {
    auto configuration = good_settings();
    DoctorFacts facts = good_facts(configuration.settings);
    spoil(configuration, facts);
    Rows rows = findings(configuration, facts);
    for (const Finding& row : rows) {
      EXPECT_EQ(row.fix.empty(), row.health == Health::ok) << row.found;
      EXPECT_TRUE(row.fix.empty() || row.fix.ends_with('.')) << row.fix;
    }
    EXPECT_EQ(count(rows, Health::failed) > 0, health == Health::failed) << text_of(rows);
    std::erase_if(rows, [health = health](const Finding& row) { return row.health != health; });
    for (const char* words : said) EXPECT_THAT(text_of(rows), HasSubstr(words));
  }
}

TEST(Doctor, MendsTheConnectionFirst) {
  struct Row {
    const char* problem;
    const char* fix;
  };
  for (const auto& [problem, fix] :
       {Row{"nats://b: No server available for connection", "NATS_URL"},
        Row{"nats://b: Authorization Violation", "user"},
        Row{"nats://b: User Authentication Expired", "user"},
        Row{"tls://b: SSL Error (TLS: certificate verify failed)", "NATS_TLS_"},
        Row{"nats://b: maximum connections exceeded", "Raise max_connections"},
        Row{"nats://b: maximum account active connections exceeded", "the account's limit"},
        Row{"nats://b: Expected 'PONG', got '' (is its max_connections reached?)", "Raise max_"},
        Row{"tls://b: Timeout (is its TLS handshake_first: true?)", "handshake_first: auto"},
        Row{"nats://b: NATS_CREDS_FILE: cannot be read", "file that the setting names"}}) {
    DoctorFacts facts;
    facts.connect_problem = problem;
    const Rows rows = findings(good_settings(), facts);
    EXPECT_EQ(count(rows, Health::failed), 1U) << text_of(rows);
    EXPECT_EQ(count(rows, Health::ok), 2U) << text_of(rows);  // the settings and the HTTP port
    const auto failed = std::ranges::find(rows, Health::failed, &Finding::health);
    ASSERT_NE(failed, rows.end());
    EXPECT_THAT(failed->fix, HasSubstr(fix));
  }
}

TEST(Doctor, LooksAtNothingElseWhereTheSettingsAreWrong) {
  const Rows rows = findings(config::Problems{"A is wrong", "B is wrong"});
  EXPECT_EQ(count(rows, Health::failed), 2U);
  EXPECT_EQ(count(rows, Health::not_looked_at), rows.size() - 2);
  EXPECT_THAT(text_of(rows), AllOf(HasSubstr("settings: A is wrong"), HasSubstr("HTTP port")));
}

TEST(Doctor, ListsNoMoreThanPeopleRead) {
  std::vector<std::string> names;
  EXPECT_EQ(listed(names), "");
  for (int i = 1; i <= 6; ++i) names.push_back(std::to_string(i));
  EXPECT_EQ(listed(names), "1, 2, 3, 4, 5, 6");
  names.insert(names.end(), {"7", "8"});
  EXPECT_EQ(listed(names), "1, 2, 3, 4, 5, 6 and 2 more");
}

}  // namespace
}  // namespace rts::commands
