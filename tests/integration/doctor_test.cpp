// `doctor` against real brokers: what it finds, how it ends, how long it takes, and that nobody
// notices it.
#include <atomic>
#include <chrono>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/provision.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/doctor_run.hpp"
#include "support/fake_broker.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"
#include "support/rapidjson.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFeed = "binance.websocket.data";

// An exchange: books, trades and tickers of BTCUSDT, some of each every 20 ms, until it goes.
class Exchange {
 public:
  explicit Exchange(const std::string& url, std::uint64_t first_id = 1)
      : peer_(url), first_id_(first_id), thread_([this] { run(); }) {}
  ~Exchange() {
    ended_ = true;
    thread_.join();
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  Exchange(Exchange&&) = delete;
  Exchange& operator=(Exchange&&) = delete;

 private:
  void run() {
    for (std::uint64_t id = first_id_; !ended_; ++id) {
      const std::int64_t at = now_ms();
      peer_.publish(kFeed, book_frame({.at_ms = at, .id = id}));
      peer_.publish(kFeed, trade({.at_ms = at, .id = id}).json());
      peer_.publish(kFeed, ticker({.at_ms = at}).json());
      std::this_thread::sleep_for(20ms);
    }
  }

  Peer peer_;
  std::uint64_t first_id_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

class Doctor : public testing::Test {
 protected:
  void provision(const std::vector<std::string>& options = {"provision"}) const {
    ASSERT_EQ(run_binary(options, {{"NATS_URL", broker.url()}}).exit_code, 0);
  }

  NatsServer broker{NatsServer::kJetStream};
};

TEST_F(Doctor, FindsNothingWrongWithAWholeInstallation) {
  provision();
  Peer engine(broker.url());
  engine.subscribe("tradeengine.orders");
  const Exchange exchange(broker.url());
  const RunResult result = doctor(broker.url());
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_EQ(failed(result), "");
  EXPECT_EQ(result.err, "");
  for (const char* said :
       {"settings    valid", "connected to nats://", "headers, max_payload 1048576, JetStream on",
        "ms through the broker", "on tradeengine.orders listens", "stream ORDERS fits",
        "bucket realtime-strategies fits", "books: BTCUSDT ", "trades: BTCUSDT ",
        "tickers: BTCUSDT ", "the broker's, events come ", "no service of this name runs",
        "port 0: any free one"}) {
    EXPECT_THAT(result.out, HasSubstr(said));
  }
  EXPECT_TRUE(engine.received().empty()) << "no message may go to where orders go";
}

// Whoever listens hears nothing of it, and each frame still goes to somebody of the queue group.
TEST_F(Doctor, SendsNothingToOthersAndTakesNothingFromThem) {
  provision();
  Daemon member({{"NATS_URL", broker.url()}, {"TRADING_SYMBOLS", "BTCUSDT"}});
  ASSERT_TRUE(member.wait_ready());
  Peer everywhere(broker.url());
  for (const char* subject :
       {"tradeengine.>", "orders.>", "realtime-strategies.>", "$KV.>", kFeed}) {
    everywhere.subscribe(subject);
  }
  Peer feed(broker.url());
  const RunResult result = [&] {
    std::atomic<bool> ended = false;
    std::thread publisher([&] {
      for (std::uint64_t id = 1; !ended; ++id) {
        feed.publish(kFeed, trade({.at_ms = now_ms(), .id = id}).json());
        std::this_thread::sleep_for(5ms);
      }
    });
    RunResult ran = doctor(broker.url(), {{"NATS_CONSUMER_GROUP", "realtime-strategies-group"}});
    ended = true;
    publisher.join();
    return ran;
  }();
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("trades: BTCUSDT "), HasSubstr("running: realtime-strategies-")));
  ASSERT_TRUE(feed.flush());
  ASSERT_TRUE(everywhere.flush());
  const auto published = everywhere.received();
  for (const Received& message : published) EXPECT_EQ(message.subject, kFeed) << message.payload;
  EXPECT_TRUE(eventually(
      [&] {
        return member.metric("rts_frames_received_total") == static_cast<double>(published.size());
      },
      5s));
}

TEST_F(Doctor, SaysThatNobodyListensAndWhoDoesElsewhere) {
  provision();
  Peer engine(broker.url());
  engine.subscribe("signals.trading.*");
  const Exchange exchange(broker.url());
  const RunResult result = doctor(broker.url());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(failed(result), AllOf(HasSubstr("nobody listens on tradeengine.orders"),
                                    HasSubstr("there are listeners on signals.trading.*"),
                                    HasSubstr("NATS_PUBLISHER_TOPIC")));
  EXPECT_THAT(doctor(broker.url(), {{"NATS_PUBLISHER_TOPIC", "signals.trading.{strategy}"}}).out,
              AllOf(HasSubstr("on signals.trading.trade_momentum listens"),
                    Not(HasSubstr("nobody listens"))));
}

TEST_F(Doctor, SaysThatNoFramesCome) {
  const RunResult result = doctor(broker.url());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(failed(result), AllOf(HasSubstr("0 frames on binance.websocket.data in 1 s"),
                                    HasSubstr("NATS_CONSUMER_TOPIC")));
}

TEST_F(Doctor, KnowsTheFramesOfAnotherMarket) {
  const Exchange futures(broker.url(), 5'000'000'000);
  const Exchange spot(broker.url(), 1'000'000'000);
  EXPECT_THAT(failed(doctor(broker.url())), HasSubstr("two markets come under the name BTCUSDT"));
  const RunResult other = doctor(broker.url(), {{"TRADING_SYMBOLS", "ETHUSDT"}});
  EXPECT_THAT(failed(other), AllOf(HasSubstr("none of which can be used; not traded: BTCUSDT "),
                                   HasSubstr("TRADING_SYMBOLS")));
}

TEST_F(Doctor, SaysWhatTheStreamsLack) {
  const RunResult absent = doctor(broker.url());
  EXPECT_THAT(failed(absent), AllOf(HasSubstr("no stream stores orders.intents"),
                                    HasSubstr("there is no stream KV_realtime-strategies"),
                                    HasSubstr("provision")));
  Peer people(broker.url());
  people.subscribe("answers");
  people.publish("$JS.API.STREAM.CREATE.ORDERS",
                 R"({"name":"ORDERS","subjects":["orders.intents"],"storage":"file",)"
                 R"("num_replicas":1,"max_age":3600000000000})",
                 {}, "answers");
  ASSERT_TRUE(people.wait_for(1, 10s));
  EXPECT_THAT(failed(doctor(broker.url())),
              AllOf(HasSubstr("stream ORDERS: max_age is 3600 s, wanted at least 86400 s"),
                    HasSubstr("does not republish to orders.intents.stored")));
  people.publish("$JS.API.STREAM.DELETE.ORDERS", "", {}, "answers");
  ASSERT_TRUE(people.wait_for(2, 10s));
  provision();
  EXPECT_THAT(doctor(broker.url(), {{"SIGNAL_COOLDOWN_SECONDS", "3600"}}).out,
              HasSubstr("duplicate_window is 930 s, wanted at least the cooldown of 3600 s"));
}

TEST_F(Doctor, SaysWhoHasTheHttpPort) {
  boost::asio::io_context loop;
  boost::asio::ip::tcp::acceptor other(loop, {boost::asio::ip::address_v4::loopback(), 0});
  const auto port = std::to_string(other.local_endpoint().port());
  EXPECT_THAT(
      failed(doctor(broker.url(), {{"HEALTH_CHECK_PORT", port}})),
      AllOf(HasSubstr("port " + port + ": somebody else has it"), HasSubstr("HEALTH_CHECK_PORT")));
  // A service that has taken it and does not listen yet is not disturbed.
  boost::asio::ip::tcp::acceptor starting(loop, boost::asio::ip::tcp::v4());
  starting.set_option(boost::asio::socket_base::reuse_address(true));
  starting.bind({boost::asio::ip::address_v4::loopback(), 0});
  const auto next = std::to_string(starting.local_endpoint().port());
  EXPECT_THAT(doctor(broker.url(), {{"HEALTH_CHECK_PORT", next}}).out,
              HasSubstr("port " + next + ": free"));
  EXPECT_NO_THROW(starting.listen());
  const Daemon service({{"NATS_URL", broker.url()}});
  EXPECT_THAT(doctor(broker.url(), {{"HEALTH_CHECK_PORT", std::to_string(service.port())}}).out,
              HasSubstr("a service answers"));
  EXPECT_THAT(failed(doctor(broker.url(), {{"HEALTH_CHECK_HOST", "192.0.2.1"}})),
              HasSubstr("192.0.2.1"));
}

TEST_F(Doctor, PrintsJson) {
  const RunResult result = doctor(broker.url(), {}, {"--seconds=1", "--json"});
  EXPECT_EQ(result.exit_code, 1);
  rapidjson::Document json;
  json.Parse(result.out.c_str());
  ASSERT_FALSE(json.HasParseError()) << result.out;
  EXPECT_FALSE(json["ok"].GetBool());
  std::size_t failures = 0;
  for (const auto& row : json["checks"].GetArray()) {
    const bool is_ok = row["status"] == "ok";
    failures += row["status"] == "failed" ? 1U : 0U;
    EXPECT_EQ(row["fix"].IsNull(), is_ok) << result.out;
    EXPECT_TRUE(row["found"].IsString() && row["check"].IsString());
  }
  EXPECT_GE(failures, 3U) << result.out;  // orders, order log, feed
}

TEST_F(Doctor, SaysWhatIsWrongWithTheSettingsInItsTable) {
  const RunResult result = doctor(broker.url(), {{"TRADING_LEVERAGE", "900"}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(failed(result), HasSubstr("TRADING_LEVERAGE='900'"));
  EXPECT_THAT(unknown(result), HasSubstr("broker"));
}

TEST_F(Doctor, TakesATimeInItsRangeOnly) {
  for (const char* seconds : {"0", "601", "x"}) {
    EXPECT_EQ(doctor(broker.url(), {}, {"--seconds", seconds}).exit_code, 64);
  }
}

// --- The broker is not as it should be ----------------------------------------------------------

TEST(DoctorBroker, IsNotThere) {
  const std::string url = fmt::format("nats://127.0.0.1:{}", free_port());
  const RunResult result = doctor(url);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(failed(result), AllOf(HasSubstr(url), HasSubstr("Start the broker")));
  EXPECT_THAT(unknown(result), AllOf(HasSubstr("orders"), HasSubstr("feed")));
}

TEST(DoctorBroker, RefusesThePasswordWhichIsNotShown) {
  const NatsServer broker("authorization { user: u, password: right }");
  const RunResult result = doctor(broker.url("u:canary"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(failed(result), AllOf(HasSubstr("Authorization Violation"), HasSubstr("password")));
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("canary")));
}

TEST(DoctorBroker, HasNoJetStream) {
  const NatsServer broker;
  EXPECT_THAT(failed(doctor(broker.url())),
              AllOf(HasSubstr("JetStream is off"), HasSubstr("Switch JetStream on")));
  const RunResult core = doctor(broker.url(), {{"ORDER_DELIVERY", "core"}});
  EXPECT_THAT(failed(core), Not(HasSubstr("JetStream")));
  EXPECT_THAT(rows_of(core, "warning"), HasSubstr("no pause outlives the process"));
}

TEST(DoctorBroker, TakesNoHeadersAndShortMessagesOnly) {
  const NatsServer broker("no_header_support: true\nmax_payload: 1024\n");
  EXPECT_THAT(failed(doctor(broker.url())), HasSubstr("without headers, max_payload 1024"));
}

TEST(DoctorBroker, RefusesSubscriptions) {
  const NatsServer broker(
      "jetstream: enabled\n"
      "authorization { users: [{user: u, password: p, permissions: {subscribe: "
      "{deny: [\"realtime-strategies.control\", \"binance.>\"]}}}, "
      "{user: v, password: p, permissions: {subscribe: {deny: \"_INBOX.>\"}}}] }");
  const RunResult result = doctor(broker.url("u:p"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(failed(result),
              AllOf(HasSubstr("Violation for Subscription to \"realtime-strategies.control\""),
                    HasSubstr("Violation for Subscription to \"binance.websocket.data\""),
                    HasSubstr("provision --permissions")));
  EXPECT_THAT(failed(doctor(broker.url("v:p"))),
              HasSubstr("Violation for Subscription to \"_INBOX.realtime-strategies."));
}

// Room for its two connections and one more: each subscription is tried after the other.
TEST(DoctorBroker, HasFewConnectionsLeft) {
  const NatsServer three("max_connections: 3\n");
  EXPECT_THAT(doctor(three.url()).out, Not(HasSubstr("may be subscribed to is not known")));
  const NatsServer two("max_connections: 2\n");
  const RunResult result = doctor(two.url());
  EXPECT_THAT(unknown(result), AllOf(HasSubstr("whether realtime-strategies.control"),
                                     HasSubstr("may be subscribed to is not known: "),
                                     HasSubstr("max_connections")));
  EXPECT_THAT(result.out, Not(HasSubstr("may subscribe to what it has to")));
}

// Two questions without an answer take the time of all; the last one has some all the same.
TEST(DoctorBroker, AnswersSlowlyAndNotEverything) {
  const FakeBroker broker({.ack = [](const FakePublish& asked) -> std::vector<FakeMessage> {
    if (!asked.subject.starts_with("$JS.API.STREAM.")) return {};
    std::this_thread::sleep_for(200ms);
    if (asked.subject.ends_with(".NAMES")) return {{asked.reply, R"({"streams":["ORDERS"]})"}};
    return {{asked.reply, R"({"error":{"code":404,"err_code":10059,"description":"not found"}})"}};
  }});
  EXPECT_THAT(failed(doctor(broker.url())), HasSubstr("there is no stream KV_realtime-strategies"));
}

// NATS before 2.10 cannot be asked what is permitted, and nothing is sent to find out.
TEST(DoctorBroker, RefusesOrders) {
  const NatsServer broker(
      "jetstream: enabled\n"
      "authorization { users: [{user: u, password: p, permissions: {publish: "
      "{deny: \"tradeengine.>\"}}}] }");
  const RunResult result = doctor(broker.url("u:p"));
  EXPECT_EQ(result.exit_code, 1);
  if (nats_server_minor_version() >= 10) {
    EXPECT_THAT(failed(result), HasSubstr("may not publish to tradeengine.orders"));
  } else {
    EXPECT_THAT(unknown(result), HasSubstr("whether tradeengine.orders, orders.intents may be "
                                           "published to is not known"));
  }
  EXPECT_THAT(broker.log(), Not(HasSubstr("tradeengine.orders")));
}

TEST(DoctorBroker, DoesNotLetItAskWhoListens) {
  const NatsServer broker(
      "jetstream: enabled\n"
      "authorization { users: [{user: u, password: p, permissions: {publish: "
      "{deny: \"$SYS.>\"}}}] }");
  EXPECT_THAT(unknown(doctor(broker.url("u:p"))),
              AllOf(HasSubstr("who listens on tradeengine.orders is not known: no permission"),
                    HasSubstr("$SYS.REQ.ACCOUNT.PING.CONNZ")));
}

// With the permissions that we print it finds out everything; in a queue group it cannot hear the
// feed, for in the group it would take frames from the service.
TEST(DoctorBroker, LetsItLookWithThePermissionsThatArePrinted) {
  for (const char* group : {"", "gang"}) {
    const Environment environment{{"ORDER_DELIVERY", "jetstream"}, {"NATS_CONSUMER_GROUP", group}};
    const RunResult permissions = run_binary({"provision", "--permissions"}, environment);
    const NatsServer broker(
        "jetstream: enabled\nRTS_NATS_PASSWORD: s\nRTS_PROVISION_PASSWORD: p\n"
        "RTS_TRADEENGINE_PASSWORD: e\nRTS_OPERATOR_PASSWORD: o\n" +
        permissions.out);
    Peer engine(broker.url("tradeengine:e"));
    engine.subscribe("tradeengine.orders");
    ASSERT_EQ(
        run_binary({"provision"}, {{"NATS_URL", broker.url("realtime-strategies-provision:p")}})
            .exit_code,
        0);
    const RunResult result = doctor(broker.url("realtime-strategies:s"), environment);
    EXPECT_THAT(result.out,
                AllOf(HasSubstr("on tradeengine.orders listens"), HasSubstr("stream ORDERS fits"),
                      HasSubstr(" fits"), Not(HasSubstr("Violation for Publish"))));
    if (std::string_view(group).empty()) {
      EXPECT_THAT(failed(result), HasSubstr("0 frames"));
    } else {
      EXPECT_EQ(failed(result), "") << result.out;
      EXPECT_THAT(unknown(result), AllOf(HasSubstr("Violation for Subscription"),
                                         HasSubstr("without the queue group")));
    }
  }
}

// --- It ends ------------------------------------------------------------------------------------

// Within --seconds and 12 s, and a little for a busy machine.
RunResult expect_ends(const std::string& url) {
  const Deadline deadline(1s + 12s + 3s);
  RunResult result = doctor(url);
  EXPECT_FALSE(deadline.expired());
  EXPECT_EQ(result.exit_code, 1) << result.out;
  return result;
}

TEST(DoctorEnds, WhereABrokerSwallowsEverything) {
  const NatsServer broker;
  Proxy proxy(broker.port());
  proxy.set(kBlackHole);
  EXPECT_THAT(failed(expect_ends(proxy.url())), HasSubstr("broker"));
}

TEST(DoctorEnds, WhereABrokerSaysNothingAfterItsGreeting) {
  const FakeBroker broker({.returns_heartbeats = false});
  EXPECT_THAT(failed(expect_ends(broker.url())), HasSubstr("nothing came back"));
}

TEST(DoctorEnds, WhereABrokerFallsSilentWhileItListens) {
  NatsServer broker(NatsServer::kJetStream);
  Peer watcher(broker.url());
  watcher.subscribe("_INBOX.realtime-strategies.*.hb.*");  // two a second and connection
  std::atomic<bool> ended = false;
  std::thread stall([&] {
    if (watcher.wait_for(12, 10s)) broker.suspend();
    (void)eventually([&] { return ended.load(); }, 30s);
    broker.resume();
  });
  const RunResult result = doctor(broker.url(), {}, {"--seconds", "8"});
  ended = true;
  stall.join();
  EXPECT_THAT(rows_of(result, "warning"), AnyOf(HasSubstr("the broker fell silent meanwhile"),
                                                HasSubstr("the connection was lost meanwhile")));
}

TEST(DoctorEnds, WhereManyAddressesAreDead) {
  const NatsServer broker;
  Proxy proxy(broker.port());
  proxy.set(kBlackHole);
  const std::string url = proxy.url();
  EXPECT_THAT(failed(expect_ends(fmt::format("{0},{0}/,localhost:{1}", url, proxy.port()))),
              HasSubstr("broker"));
}

}  // namespace
}  // namespace rts::test
