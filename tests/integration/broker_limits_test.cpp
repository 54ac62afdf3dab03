// Brokers that have no room, or do not let us in: what the service, its commands and `doctor` say
// then, so that whoever reads it knows what to do.
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/doctor_run.hpp"
#include "support/fake_broker.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/order_service.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/responder.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
// A user without a password, of an account with these limits.
std::string account(const std::string& limits) {
  return fmt::format(
      "jetstream: enabled\nno_auth_user: a\n"
      "accounts {{ A {{ users: [{{user: a, password: p}}]\n{}\n}} }}\n",
      limits);
}

// --- TLS that begins with the handshake ---------------------------------------------------------

// Takes connections and ends them at once, as a broker that has awaited a handshake does with whom
// it has heard nothing from.
class HangsUp {
 public:
  HangsUp() {
    accept();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~HangsUp() {
    boost::asio::post(loop_, [this] { loop_.stop(); });
    thread_.join();
  }
  HangsUp(const HangsUp&) = delete;
  HangsUp& operator=(const HangsUp&) = delete;
  HangsUp(HangsUp&&) = delete;
  HangsUp& operator=(HangsUp&&) = delete;

  [[nodiscard]] std::string address() const {
    return fmt::format("127.0.0.1:{}", acceptor_.local_endpoint().port());
  }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, const auto& /*ends here*/) {
      if (!error) accept();
    });
  }

  boost::asio::io_context loop_{1};
  boost::asio::ip::tcp::acceptor acceptor_{loop_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

// Debian's nats.c waits for INFO, and such a broker for us: it cannot be reached, but named.
TEST(BrokerLimits, AHandshakeThatComesFirstIsNamedWhereTheBrokerDoesNotGreet) {
  const FakeBroker waits({.greetings = {""}});
  const HangsUp hangs_up;
  const std::string silent = fmt::format("127.0.0.1:{}", waits.port());
  const OrderService service(order_settings("tls://" + silent));
  for (const std::string& url : {"tls://" + silent, "nats://" + hangs_up.address()}) {
    EXPECT_THAT(run_binary({"provision"}, {{"NATS_URL", url}}).err,
                HasSubstr("is its TLS handshake_first: true?"))
        << url;
  }
  for (const std::string& url : {"nats://" + silent, "nats://" + hangs_up.address()}) {
    EXPECT_THAT(failed(doctor(url)), HasSubstr("let it be handshake_first: auto")) << url;
  }
  EXPECT_TRUE(service.says("handshake_first: true")) << service.ready();
}

// --- Connections --------------------------------------------------------------------------------

// nats.c sees the broker's reason or only its end: both have to lead to the limit.
TEST(BrokerLimits, ThatTheBrokerOrTheAccountHasNoMoreConnectionsIsSaid) {
  const auto expect_said = [](const NatsServer& broker) {
    EXPECT_THAT(failed(doctor(broker.url())),
                AllOf(HasSubstr("connections"), HasSubstr("Raise max_connections at the broker")));
    const OrderService service(order_settings(broker.url()));
    EXPECT_TRUE(service.says("onnections")) << service.ready();
  };
  NatsServer small;
  const Peer first(small.url());
  small.reload("max_connections: 1\n");
  expect_said(small);
  const NatsServer shared(account("limits: {max_connections: 1}"));
  const Peer only(shared.url());
  expect_said(shared);
}

// --- JetStream ----------------------------------------------------------------------------------

TEST(BrokerLimits, AWrongDomainIsSaidWithTheOneThatIsThere) {
  const Environment wrong{{"NATS_JETSTREAM_DOMAIN", "hbu"}};
  const NatsServer hub("server_name: h\njetstream: { domain: hub }\n");
  const RunResult result = doctor(hub.url(), wrong);
  EXPECT_THAT(failed(result),
              AllOf(HasSubstr("nobody answers $JS.hbu.API.STREAM.NAMES: no JetStream of the domain "
                              "hbu is reached"),
                    HasSubstr("Correct NATS_JETSTREAM_DOMAIN=hbu"),
                    HasSubstr("the broker's own JetStream has the domain hub")));
  const NatsServer plain(NatsServer::kJetStream);
  EXPECT_THAT(failed(doctor(plain.url(), wrong)), HasSubstr("the broker's own JetStream has none"));
  const OrderService service(logged_settings(hub.url(), wrong));
  EXPECT_TRUE(service.says("no JetStream of the domain hbu is reached")) << service.ready();
}

// Feeds until an order is refused; `doctor` then.
RunResult doctor_when_full(const std::string& config) {
  const NatsServer broker(config);
  const Environment environment = logged_settings(broker.url());
  EXPECT_EQ(run_binary({"provision", "--daily-cap", "0"}, environment).exit_code, 0);
  const Responder engine(broker.url(), kOrders, always(R"({"status":"accepted"})"));
  Peer market(broker.url());
  const OrderService service(environment);
  EXPECT_TRUE(service.daemon.wait_ready()) << service.ready();
  for (std::uint64_t id = 1; id <= 40 && service.results("rejected") == 0; ++id) {
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = id}));
    EXPECT_TRUE(service.ended(id)) << service.ready();
  }
  EXPECT_TRUE(service.says("the order log takes no order: ")) << service.ready();
  EXPECT_THAT(service.ready(), HasSubstr(": JetStream has no storage left"));
  EXPECT_THAT(service.lines().back().detail, HasSubstr("JetStream has no storage left"));
  return doctor(broker.url(), environment);
}

TEST(BrokerLimits, TheAccountsFullStorageIsSaidByServiceAndDoctor) {
  const RunResult result = doctor_when_full(account("jetstream: {max_file: 20000, max_mem: 0}"));
  EXPECT_THAT(failed(result), AllOf(HasSubstr("of the account's 20000 bytes left"),
                                    HasSubstr("Raise what the account may store")));
}

// How much room a broker has it tells its administrator only.
TEST(BrokerLimits, TheBrokersFullStorageIsSaidByTheService) {
  const RunResult result = doctor_when_full("jetstream: {max_file_store: 20000}\n");
  EXPECT_THAT(result.out, AllOf(HasSubstr("stream ORDERS fits"), Not(HasSubstr("bytes left"))));
}

// --- What else it may limit ---------------------------------------------------------------------

// The broker's own is in the unit tests; of an account it says so in a second INFO.
TEST(BrokerLimits, AnAccountsMaxPayloadThatIsTooSmallIsSaid) {
  const NatsServer broker(account("limits: {max_payload: 700}"));
  EXPECT_THAT(failed(doctor(broker.url())),
              AllOf(HasSubstr("max_payload 700"), HasSubstr("an order has up to 2048 bytes")));
  const OrderService service(order_settings(broker.url()));
  EXPECT_TRUE(service.says("the broker takes 700 bytes a message (max_payload)"))
      << service.ready();
}

// With another address it goes there (NatsClient.…); with one it trades on until it is cut off.
TEST(BrokerLimits, ALameDuckIsSaidInTheLogWhileOrdersFlowOn) {
  const NatsServer broker("lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"20s\"\n");
  const Responder engine(broker.url(), kOrders, always(R"({"status":"accepted"})"));
  Peer market(broker.url());
  const OrderService service(order_settings(broker.url(), {{"CONTROL_BUCKET", ""}}));
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  ASSERT_EQ(::kill(broker.pid(), SIGUSR2), 0);
  const std::vector<std::string> said = service.daemon.log("nats_lame_duck", 1);
  ASSERT_EQ(said.size(), 1U) << service.daemon.log();
  EXPECT_THAT(said.at(0), AllOf(HasSubstr("WARNING"), HasSubstr("the broker shuts down"),
                                HasSubstr(broker.url())));
  market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = 1}));
  service.expect_one("confirmed", 1, "status accepted", true);
}

}  // namespace
}  // namespace rts::test
