// The service in an account of its own: market data, TradeEngine and JetStream are in others, and
// come by exports and imports.
#include <chrono>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/doctor_run.hpp"
#include "support/frames.hpp"
#include "support/log_stream.hpp"
#include "support/nats_server.hpp"
#include "support/order_service.hpp"
#include "support/orders.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/responder.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr auto kSoon = 15s;

// The configuration that docs/DELIVERY.md, "Accounts", gives.
std::string documented() {
  const std::string page = read_file(source_root() + "/docs/DELIVERY.md");
  const std::string fence = "\n```\n";
  const std::size_t begin = page.find(fence, page.find("\n## Accounts\n")) + fence.size();
  return page.substr(begin, page.find(fence, begin) - begin);
}

// With "p" for each password; nats-server refuses variables that are not used.
std::string with_passwords(const std::string& config) {
  std::string variables;
  for (const char* name : {"RELAY", "TRADEENGINE", "HUB", "STRATEGIES", "RTS_NATS", "RTS_PROVISION",
                           "RTS_TRADEENGINE", "RTS_OPERATOR"}) {
    const std::string variable = std::string(name) + "_PASSWORD";
    if (config.find("$" + variable) != std::string::npos) variables += variable + ": p\n";
  }
  return variables + config;
}

class Accounts : public testing::Test {
 protected:
  explicit Accounts(const std::string& config = documented()) : broker(with_passwords(config)) {}

  [[nodiscard]] Environment settings(const Environment& more = {}) const {
    return with(logged_settings(strategies, {{"NATS_JETSTREAM_DOMAIN", "hub"},
                                             {"NATS_CONSUMER_GROUP", ""},
                                             {"CONTROL_BUCKET", "realtime-strategies"}}),
                more);
  }
  // By whom the streams belong to, who needs no domain.
  void provision() const {
    const RunResult made = run_binary({"provision"}, {{"NATS_URL", hub}});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  // A book that makes orderbook_skew buy.
  void feed() {
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++id}));
    ASSERT_TRUE(market.flush());
  }

  const NatsServer broker;
  const std::string hub = broker.url("hub:p");
  const std::string strategies = broker.url("realtime-strategies:p");
  const std::string engine_url = broker.url("tradeengine:p");
  const OrderLogStream log{hub};
  Peer market{broker.url("relay:p")};
  std::uint64_t id = 0;
};

TEST_F(Accounts, AnOrderIsStoredInOneAndReachesTheEngineInAnotherOnce) {
  ASSERT_NO_FATAL_FAILURE(provision());
  const Responder engine(engine_url, kOrders, always(R"({"status":"accepted"})"));
  const OrderService service(settings());
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  feed();
  service.expect_one("confirmed", 2, "status accepted", true);
  EXPECT_THAT(engine.received(), SizeIs(1));
  EXPECT_EQ(log.messages(), 1U);
  EXPECT_EQ(log.entry(1).header("Nats-Msg-Id"), engine.received().at(0).headers.at("Nats-Msg-Id"));
  EXPECT_TRUE(service.daemon.ready()) << service.ready();
  EXPECT_THAT(service.ready(), HasSubstr("stream ORDERS, read up to 1"));
}

TEST_F(Accounts, ReplicasSendAnOrderOnce) {
  ASSERT_NO_FATAL_FAILURE(provision());
  const Responder engine(engine_url, kOrders, always(R"({"status":"accepted"})"));
  const OrderService one(settings());
  const OrderService two(settings());
  ASSERT_TRUE(one.daemon.wait_ready() && two.daemon.wait_ready());
  constexpr std::size_t kCount = 10;
  for (std::size_t i = 0; i < kCount; ++i) feed();
  ASSERT_TRUE(one.ended(kCount) && two.ended(kCount));
  EXPECT_THAT(engine.received(), SizeIs(kCount));
  EXPECT_EQ(one.results("confirmed") + two.results("confirmed"), kCount);
  EXPECT_EQ(one.results("duplicate") + two.results("duplicate"), kCount);
}

// Said in the service's account, and in that of the bucket.
TEST_F(Accounts, APauseInTheOthersBucketHolds) {
  ASSERT_NO_FATAL_FAILURE(provision());
  const Responder engine(engine_url, kOrders, always(R"({"status":"accepted"})"));
  const OrderService service(settings());
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  const Environment here = settings();
  const Environment there{{"NATS_URL", hub}};
  const auto is_paused = [&](int count) {
    return eventually([&] { return service.daemon.metric("rts_trading_paused") == count; }, kSoon);
  };
  ASSERT_EQ(run_binary({"pause"}, here).exit_code, 0);
  EXPECT_TRUE(is_paused(3)) << service.ready();
  feed();
  EXPECT_TRUE(eventually(
      [&] { return service.daemon.metric("rts_decisions_total", R"(outcome="paused")") == 1; },
      kSoon));
  EXPECT_THAT(engine.received(), IsEmpty());
  EXPECT_EQ(log.messages(), 0U);
  ASSERT_EQ(run_binary({"resume"}, there).exit_code, 0);
  EXPECT_TRUE(is_paused(0)) << service.ready();
  feed();
  service.expect_one("confirmed", 2, "status accepted", true);
}

TEST_F(Accounts, ProvisionFromEitherMakesTheSameStreamsOnce) {
  const Environment imported{{"NATS_URL", strategies}, {"NATS_JETSTREAM_DOMAIN", "hub"}};
  EXPECT_THAT(run_binary({"provision"}, imported).out, HasSubstr("created"));
  EXPECT_THAT(run_binary({"provision"}, {{"NATS_URL", hub}}).out,
              AllOf(HasSubstr("stream ORDERS at " + broker.url() + ": nothing to change"),
                    HasSubstr("stream KV_realtime-strategies at " + broker.url() + ": nothing")));
  EXPECT_THAT(run_binary({"provision"}, {{"NATS_URL", strategies}}).err,
              HasSubstr("JetStream not enabled for account (error 10039)"))
      << "without the domain its own account is asked";
}

// Who listens in another account it cannot know.
TEST_F(Accounts, DoctorFindsBothLogsAndSaysWhatItCannotSee) {
  ASSERT_NO_FATAL_FAILURE(provision());
  Peer engine(engine_url);
  engine.subscribe(kOrders);
  const RunResult result = doctor(strategies, {{"NATS_JETSTREAM_DOMAIN", "hub"}});
  EXPECT_THAT(rows_of(result, "ok"),
              AllOf(HasSubstr("stream ORDERS fits"), HasSubstr("bucket realtime-strategies fits")));
  EXPECT_THAT(rows_of(result, "warning"),
              AllOf(HasSubstr("nobody listens on tradeengine.orders"),
                    HasSubstr("in another account it would not be seen from here")));
  EXPECT_THAT(failed(result), Not(HasSubstr("log")));
  EXPECT_THAT(engine.received(), IsEmpty());
  EXPECT_EQ(log.messages(), 0U);
  EXPECT_THAT(failed(doctor(strategies)), HasSubstr("JetStream not enabled for account"));
}

// To a service import nats-server 2.9 does not say that nobody listens behind it.
TEST_F(Accounts, AnEngineThatIsAbsentIsSilenceToOldBrokersAndSaidByNewOnes) {
  ASSERT_NO_FATAL_FAILURE(provision());
  const OrderService service(settings({{"ORDER_ACK_TIMEOUT_MS", "300"}}));
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  feed();
  ASSERT_TRUE(service.ended(1)) << service.ready();
  const bool is_said = nats_server_minor_version() >= 10;
  EXPECT_THAT(service.ends(), ElementsAre(is_said ? "no_responders/2" : "unconfirmed/2"));
}

// The account's users as `provision --permissions` prints them; their names are as above.
class AccountsPermitted : public Accounts {
 protected:
  AccountsPermitted() : Accounts(with_printed_users()) {}

 private:
  static void replace(std::string& text, std::string_view part, std::string_view with) {
    text.replace(text.find(part), part.size(), with);
  }
  static std::string with_printed_users() {
    const RunResult printed =
        run_binary({"provision", "--permissions"}, {{"NATS_JETSTREAM_DOMAIN", "hub"},
                                                    {"NATS_CONSUMER_GROUP", ""},
                                                    {"ORDER_DELIVERY", "jetstream"},
                                                    {"NATS_CONSUMER_NAME", "realtime-strategies"}});
    const std::size_t begin = printed.out.find("users: [");
    std::string config = documented();
    replace(config, "users: [{user: realtime-strategies, password: $STRATEGIES_PASSWORD}]",
            printed.out.substr(begin, printed.out.rfind(']') + 1 - begin));
    // There is one of this name in ENGINE.
    replace(config, "user: \"tradeengine\"", "user: \"nobody\"");
    return config;
  }
};

TEST_F(AccountsPermitted, ThePrintedPermissionsSuffice) {
  const Environment provisioner{{"NATS_URL", broker.url("realtime-strategies-provision:p")},
                                {"NATS_JETSTREAM_DOMAIN", "hub"}};
  const RunResult made = run_binary({"provision"}, provisioner);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Responder engine(engine_url, kOrders, always(R"({"status":"accepted"})"));
  const OrderService service(settings());
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  feed();
  service.expect_one("confirmed", 2, "status accepted", true);
  const Environment people{{"NATS_URL", broker.url("operator:p")},
                           {"NATS_JETSTREAM_DOMAIN", "hub"}};
  const RunResult paused = run_binary({"pause"}, people);
  EXPECT_EQ(paused.exit_code, 0) << paused.err;
  EXPECT_THAT(doctor(strategies, {{"NATS_JETSTREAM_DOMAIN", "hub"}}).out,
              AllOf(HasSubstr("stream ORDERS fits"), Not(HasSubstr("Violation"))));
}

}  // namespace
}  // namespace rts::test
