// The service and `doctor` at a leaf node without JetStream, whose hub has it, the market data and
// the TradeEngine; and what becomes of orders while the leaf is cut from the hub.
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/doctor_run.hpp"
#include "support/frames.hpp"
#include "support/log_stream.hpp"
#include "support/nats_leaf.hpp"
#include "support/order_service.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/responder.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr auto kSoon = 15s;

class LeafService : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(brokers.joined());
    const RunResult made = run_binary({"provision"}, at_leaf);
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  [[nodiscard]] Environment settings() const {
    return with(logged_settings(brokers.leaf.url(), {{"NATS_CONSUMER_GROUP", ""},
                                                     {"CONTROL_BUCKET", "realtime-strategies"}}),
                at_leaf);
  }
  // A book that makes orderbook_skew buy.
  static void feed(Peer& market, std::uint64_t id) {
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = id}));
    ASSERT_TRUE(market.flush());
  }

  NatsLeaf brokers;
  const Environment at_leaf{{"NATS_URL", brokers.leaf.url()},
                            {"NATS_JETSTREAM_DOMAIN", NatsLeaf::kDomain}};
  const OrderLogStream log{brokers.hub.url()};
  const Responder engine{brokers.hub.url(), kOrders, always(R"({"status":"accepted"})")};
};

TEST_F(LeafService, StoresAtTheHubAndSendsAnOrderOnce) {
  Peer market(brokers.hub.url());
  const OrderService one(settings());
  const OrderService two(settings());
  ASSERT_TRUE(one.daemon.wait_ready() && two.daemon.wait_ready()) << one.ready();
  constexpr std::size_t kCount = 10;
  for (std::size_t i = 1; i <= kCount; ++i) feed(market, i);
  ASSERT_TRUE(one.ended(kCount) && two.ended(kCount)) << one.ready() << two.ready();
  EXPECT_THAT(engine.received(), SizeIs(kCount));
  EXPECT_EQ(log.messages(), kCount);
  EXPECT_EQ(one.results("confirmed") + two.results("confirmed"), kCount);
  EXPECT_EQ(one.results("duplicate") + two.results("duplicate"), kCount);
  EXPECT_TRUE(one.daemon.ready() && two.daemon.ready()) << one.ready();
}

// Keys of buckets pass no leaf node: it is read again every 5 s.
TEST_F(LeafService, APauseAtTheHubHolds) {
  Peer market(brokers.leaf.url());
  const OrderService service(settings());
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  ASSERT_EQ(run_binary({"pause"}, {{"NATS_URL", brokers.hub.url()}}).exit_code, 0);
  ASSERT_TRUE(eventually([&] { return service.daemon.metric("rts_trading_paused") == 3; }, kSoon));
  feed(market, 1);
  EXPECT_TRUE(eventually(
      [&] { return service.daemon.metric("rts_decisions_total", R"(outcome="paused")") == 1; },
      kSoon));
  EXPECT_THAT(engine.received(), IsEmpty());
  EXPECT_EQ(log.messages(), 0U);
}

// Held up: what the leaf has sent arrives at the hub when the path heals, long after its time.
// Lost: the leaf knows, and says that nobody listens.
class LeafCut : public LeafService, public testing::WithParamInterface<bool> {};

TEST_P(LeafCut, SendsNothingLateAndGoesOnAfterwards) {
  Peer market(brokers.leaf.url());
  const OrderService service(with(settings(), {{"ORDER_TTL_SECONDS", "1"}}));
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  brokers.path.set(kBlackHole);
  const bool is_lost = GetParam();
  if (is_lost) brokers.path.reset_connections();
  feed(market, 1);
  ASSERT_TRUE(service.ended(1)) << service.ready();
  EXPECT_EQ(service.lines().at(0).result, "expired");
  if (is_lost) {
    EXPECT_TRUE(service.says("no JetStream of the domain hub is reached")) << service.ready();
  }

  brokers.path.set({});
  ASSERT_TRUE(brokers.joined());
  ASSERT_TRUE(service.becomes(true)) << service.ready();
  feed(market, 2);
  ASSERT_TRUE(service.ended(2)) << service.ready();
  const OrderService::Line next = service.lines().at(1);
  EXPECT_EQ(next.result, "confirmed") << next.detail;
  ASSERT_THAT(engine.received(), SizeIs(1));
  EXPECT_EQ(engine.received().at(0).headers.at("Nats-Msg-Id"), next.id);
  EXPECT_EQ(log.messages(), is_lost ? 1U : 2U) << "stored late, and sent by nobody";
  service.daemon.expect_accounts_balance();
}
INSTANTIATE_TEST_SUITE_P(HeldUpOrLost, LeafCut, testing::Bool(),
                         [](const auto& test) { return test.param ? "Lost" : "HeldUp"; });

class LeafDoctor : public LeafService {
 protected:
  [[nodiscard]] RunResult doctor_of(const std::string& domain) const {
    return doctor(brokers.leaf.url(), {{"NATS_JETSTREAM_DOMAIN", domain}});
  }
};

TEST_F(LeafDoctor, FindsBothLogsInTheHubsDomainAndSendsNoOrder) {
  const RunResult result = doctor_of(NatsLeaf::kDomain);
  EXPECT_THAT(rows_of(result, "ok"),
              AllOf(HasSubstr("stream ORDERS fits"), HasSubstr("bucket realtime-strategies fits")));
  // Whether the TradeEngine at the hub is seen from here depends on the brokers' accounts.
  EXPECT_THAT(failed(result), AllOf(Not(HasSubstr("log")), Not(HasSubstr("nobody listens"))));
  EXPECT_THAT(engine.received(), IsEmpty());
  EXPECT_EQ(log.messages(), 0U);
}

TEST_F(LeafDoctor, SaysThatTheDomainIsMissingOrWrong) {
  EXPECT_THAT(failed(doctor_of("")),
              AllOf(HasSubstr("nobody answers $JS.API.STREAM.NAMES: JetStream is off"),
                    HasSubstr("name its domain with NATS_JETSTREAM_DOMAIN")));
  EXPECT_THAT(failed(doctor_of("hbu")),
              AllOf(HasSubstr("no JetStream of the domain hbu is reached"),
                    HasSubstr("Correct NATS_JETSTREAM_DOMAIN=hbu, or join the leaf node")));
}

TEST_F(LeafDoctor, SaysThatTheHubIsCutOff) {
  brokers.hub.kill();
  EXPECT_TRUE(eventually(
      [&] {
        const std::string said = failed(doctor_of(NatsLeaf::kDomain));
        return said.find("no JetStream of the domain hub is reached") != std::string::npos &&
               said.find("join the leaf node to the hub") != std::string::npos;
      },
      kSoon));
}

}  // namespace
}  // namespace rts::test
