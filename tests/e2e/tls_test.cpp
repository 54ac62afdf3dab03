// TLS to a real broker: who is believed and who is not, that nothing is ever sent in the clear, and
// that what was refused heals by itself when the cause is gone.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nats/nats.h>

#include "nats/client.hpp"
#include "support/certificates.hpp"
#include "support/daemon.hpp"
#include "support/frames.hpp"
#include "support/nats_server.hpp"
#include "support/proxy.hpp"
#include "support/readiness.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

// A broker's certificate files, and the part of its configuration that names them.
class BrokerTls {
 public:
  BrokerTls(const Authority& authority, const Wish& wish) {
    use(authority, wish);
    files_.write("clients.pem", authority.certificate());
  }

  // To be reloaded or restarted after.
  void use(const Authority& authority, const Wish& wish = {}) const {
    const Issued issued = authority.issue(wish);
    files_.write("broker.pem", issued.certificate);
    files_.write("broker.key", issued.key);
  }
  [[nodiscard]] std::string config(const char* more = "") const {
    return fmt::format("tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", {} }}",
                       files_.path("broker.pem"), files_.path("broker.key"),
                       files_.path("clients.pem"), more);
  }

 private:
  ScratchFiles files_;
};

constexpr const char* kVerifyClients = "verify: true";

std::string tls_url(const NatsServer& broker) {
  return fmt::format("tls://127.0.0.1:{}", broker.port());
}

class Tls : public testing::Test {
 protected:
  // The settings of a service that trusts our authority.
  Environment trusting(const NatsServer& broker) const {
    return {{"NATS_URL", tls_url(broker)}, {"NATS_TLS_CA_FILE", ca_file_}};
  }
  // Of a broker whose certificate must not be believed, until it has one that may be.
  void expect_refused_until_replaced(const BrokerTls& tls, const Fault& fault) const {
    NatsServer broker(tls.config());
    Daemon daemon(trusting(broker));
    expect_noticed_and_mended(daemon, fault, [&] {
      tls.use(authority_);
      broker.reload(tls.config());
    });
  }

  const Authority authority_;
  const ScratchFiles files_;
  const std::string ca_file_ = files_.write("ca.pem", authority_.certificate());
};

// --- Believed -----------------------------------------------------------------------------------

// What a plain client with TLS publishes.
void publish_over_tls(const NatsServer& broker, const std::string& ca_file,
                      const std::vector<std::string>& frames) {
  natsOptions* options = nullptr;
  natsConnection* connection = nullptr;
  ASSERT_EQ(natsOptions_Create(&options), NATS_OK);
  natsOptions_SetURL(options, broker.url().c_str());
  natsOptions_SetSecure(options, true);
  natsOptions_LoadCATrustedCertificates(options, ca_file.c_str());
  EXPECT_EQ(natsConnection_Connect(&connection, options), NATS_OK);
  for (const std::string& frame : frames) {
    EXPECT_EQ(natsConnection_Publish(connection, "binance.websocket.data", frame.data(),
                                     static_cast<int>(frame.size())),
              NATS_OK);
  }
  EXPECT_EQ(natsConnection_FlushTimeout(connection, 10'000), NATS_OK);
  natsConnection_Destroy(connection);
  natsOptions_Destroy(options);
}

TEST_F(Tls, CarriesFramesOfEverySize) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config());
  Daemon daemon(trusting(broker));
  ASSERT_TRUE(daemon.wait_ready()) << daemon.get("/ready").body;
  std::vector<std::string> frames;
  for (std::uint64_t i = 1; i <= 20'000; ++i) frames.push_back(trade({.at_ms = 1, .id = i}).json());
  // Longer than a TLS record, and than what is read at once.
  for (const std::size_t size : {20'000U, 200'000U, 900'000U}) frames.emplace_back(size, ' ');
  publish_over_tls(broker, ca_file_, frames);
  EXPECT_TRUE(eventually(
      [&] {
        return daemon.metric("rts_frames_received_total") == static_cast<double>(frames.size());
      },
      10s))
      << daemon.metric("rts_frames_received_total");
  EXPECT_TRUE(daemon.ready());
  daemon.expect_accounts_balance();
  EXPECT_EQ(daemon.terminate(), 0);
}

TEST_F(Tls, IsForcedByAnyOfItsSettings) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config());
  Daemon daemon({{"NATS_URL", broker.url()}, {"NATS_TLS_CA_FILE", ca_file_}});
  EXPECT_TRUE(daemon.wait_ready()) << daemon.get("/ready").body;
  NatsServer plain;
  Daemon refused({{"NATS_URL", plain.url()}, {"NATS_TLS_CA_FILE", ca_file_}});
  expect_noticed_and_mended(
      refused, {"plain server behind NATS_TLS_CA_FILE", "Secure Connection not available"}, [&] {
        plain.kill();
        plain.reload(tls.config());
        plain.restart();
      });
}

TEST_F(Tls, TakesTheHostOfTheUrlForTheName) {
  const BrokerTls tls(authority_, {.names = "DNS:localhost", .expired = false});
  NatsServer broker(tls.config());
  Daemon by_name({{"NATS_URL", fmt::format("tls://localhost:{}", broker.port())},
                  {"NATS_TLS_CA_FILE", ca_file_}});
  EXPECT_TRUE(by_name.wait_ready()) << by_name.get("/ready").body;
  Daemon by_number(trusting(broker));
  EXPECT_TRUE(eventually(
      [&] { return by_number.get("/ready").body.find("mismatch") != std::string::npos; }, 5s))
      << by_number.get("/ready").body;
}

TEST_F(Tls, TrustsTheSystemsAuthoritiesWithoutACaFileAndNobodyElse) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config());
  Daemon trusting_system({{"NATS_URL", tls_url(broker)}, {"SSL_CERT_FILE", ca_file_}});
  EXPECT_TRUE(trusting_system.wait_ready()) << trusting_system.get("/ready").body;
  Daemon daemon({{"NATS_URL", tls_url(broker)}});
  EXPECT_TRUE(eventually(
      [&] {
        return daemon.get("/ready").body.find("certificate verify failed") != std::string::npos;
      },
      5s))
      << daemon.get("/ready").body;
  EXPECT_EQ(daemon.get("/ready").status, 503U);
}

// nats.c goes along when a broker asks for TLS where nobody spoke of it; it may not believe it
// less.
TEST_F(Tls, IsCheckedAsWellWhenOnlyTheBrokerAsksForIt) {
  const BrokerTls tls(authority_, {.names = "DNS:elsewhere.example", .expired = false});
  NatsServer broker(tls.config());
  Daemon daemon({{"NATS_URL", broker.url()}, {"SSL_CERT_FILE", ca_file_}});
  expect_noticed_and_mended(daemon, {"wrong host without tls://", "mismatch"}, [&] {
    tls.use(authority_);
    broker.reload(tls.config());
  });
}

// nats.c would wait for room in the socket, on our loop, until the connection breaks.
TEST_F(Tls, ABrokerThatTakesNothingHoldsNothingUpAndGetsItWhenItDoes) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config());
  nats::ClientOptions options;
  options.urls = {Secret(tls_url(broker))};
  options.credentials.tls_ca_file = Secret(ca_file_);
  options.subject = "echo";
  options.max_buffered_bytes = std::size_t{16} << 10U;  // as the service has it
  boost::asio::io_context loop(1);
  std::uint64_t received = 0;
  nats::Client client(loop, options,
                      {.on_messages = [&](auto messages) { received += messages.size(); }});
  const auto run_until = [&](auto predicate) {
    return eventually(
        [&] {
          loop.run_for(1ms);
          return predicate();
        },
        10s);
  };
  client.start();
  ASSERT_TRUE(run_until([&] { return client.status().subscribed; })) << client.status().last_error;
  broker.suspend();
  const std::string payload(10'000, 'x');
  nats::PublishResult result{};
  std::uint64_t sent = 0;
  auto slowest = 0ms;
  for (;; ++sent) {
    const auto took = time_until(
        [&] {
          result = client.publish({"echo", payload});
          return true;
        },
        10s);
    slowest = std::max(slowest, took.value_or(10s));
    if (result != nats::PublishResult::sent) break;
  }
  EXPECT_EQ(result, nats::PublishResult::buffer_full);
  EXPECT_GT(client.status().buffered_bytes, 0U);
  EXPECT_LT(slowest, 500ms);  // it would be 2.5 s
  broker.resume();
  EXPECT_TRUE(run_until([&] { return received == sent; })) << received << " of " << sent;
  EXPECT_EQ(client.status().reconnects, 0U) << client.status().last_error;
}

// --- Half a record ------------------------------------------------------------------------------

// nats.c would wait inside for the rest of a record, for ever, and with it our loop.
TEST_F(Tls, HalfARecordHoldsNothingUpAndTheRestOfItIsRead) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config());
  Proxy proxy(broker.port());
  Environment settings = trusting(broker);
  settings["NATS_URL"] = proxy.url();
  Daemon daemon(settings);
  ASSERT_TRUE(daemon.wait_ready()) << daemon.get("/ready").body;
  for (const int bytes : {3, 20}) {
    proxy.stop_broker_after(bytes);
    // The answer to a heartbeat is cut: orders wait no longer than they may, and the rest goes on.
    ASSERT_TRUE(eventually(
        [&] { return daemon.get("/ready").body.find("does not answer") != std::string::npos; }, 4s))
        << bytes << daemon.get("/ready").body;
    EXPECT_EQ(daemon.get("/healthz").status, 200U) << bytes;
    proxy.let_broker_go_on();
    ASSERT_TRUE(daemon.wait_ready(3s)) << bytes << daemon.get("/ready").body;
  }
  EXPECT_EQ(daemon.metric("rts_nats_reconnects_total"), 0);
}

TEST_F(Tls, HalfARecordAndNoMoreEndsTheConnectionAndANewOneIsMade) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config());
  Proxy proxy(broker.port());
  Environment settings = trusting(broker);
  settings["NATS_URL"] = proxy.url();
  Daemon daemon(settings);
  ASSERT_TRUE(daemon.wait_ready()) << daemon.get("/ready").body;
  proxy.stop_broker_after(6);
  ASSERT_TRUE(eventually([&] { return daemon.metric("rts_nats_reconnects_total") == 1; }, 10s))
      << daemon.get("/ready").body;
  EXPECT_TRUE(daemon.wait_ready(2s)) << daemon.get("/ready").body;
  EXPECT_EQ(daemon.terminate(), 0);
}

// --- Not believed -------------------------------------------------------------------------------

TEST_F(Tls, ABrokerOfAnotherAuthorityIsRefusedAndTheRightOneTaken) {
  const BrokerTls tls(Authority(), {});
  expect_refused_until_replaced(tls, {"wrong CA", "certificate verify failed"});
}

TEST_F(Tls, AnAuthorityThatIsReplacedInItsFileIsTaken) {
  const Authority other;
  const BrokerTls tls(other, {});
  NatsServer broker(tls.config());
  Daemon daemon(trusting(broker));
  expect_noticed_and_mended(daemon, {"wrong CA file", "certificate verify failed"},
                            [&] { files_.write("ca.pem", other.certificate()); });
}

TEST_F(Tls, AnExpiredCertificateIsRefusedAndANewOneTaken) {
  const BrokerTls tls(authority_, {.expired = true});
  expect_refused_until_replaced(tls, {"expired", "expired"});
}

TEST_F(Tls, ACertificateOfAnotherHostIsRefusedAndTheRightOneTaken) {
  const BrokerTls tls(authority_, {.names = "DNS:elsewhere.example", .expired = false});
  expect_refused_until_replaced(tls, {"wrong host", "mismatch"});
}

TEST_F(Tls, ABrokerThatWantsAClientCertificateGetsIt) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config(kVerifyClients));
  const Issued client = authority_.issue();
  Environment settings = trusting(broker);
  settings["NATS_TLS_CERT_FILE"] = files_.write("client.pem", client.certificate);
  settings["NATS_TLS_KEY_FILE"] = files_.write("client.key", client.key);
  Daemon daemon(settings);
  EXPECT_TRUE(daemon.wait_ready()) << daemon.get("/ready").body;
}

// By "alert bad certificate" or "alert certificate required".
TEST_F(Tls, WithoutTheClientCertificateTheBrokerWantsItSaysSo) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config(kVerifyClients));
  Daemon daemon(trusting(broker));
  expect_noticed_and_mended(daemon, {"client certificate missing", " alert "},
                            [&] { broker.reload(tls.config()); });
}

TEST_F(Tls, AClientCertificateOfNoUseIsSaidAndHealsWhenItIsReplaced) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config(kVerifyClients));
  const Issued client = authority_.issue();
  const struct {
    const char* name;
    std::string certificate, key, reason;
  } rows[] = {{"client key of another certificate", client.certificate, authority_.issue().key,
               "NATS_TLS_CERT_FILE, NATS_TLS_KEY_FILE: are not a certificate and its key"},
              {"client certificate that is none", "x", client.key,
               "NATS_TLS_CERT_FILE, NATS_TLS_KEY_FILE: are not a certificate and its key"},
              {"client key with a passphrase", client.certificate, encrypted_key(client.key),
               "NATS_TLS_KEY_FILE: has a passphrase"}};
  for (const auto& row : rows) {
    Environment settings = trusting(broker);
    settings["NATS_TLS_CERT_FILE"] = files_.write("client.pem", row.certificate);
    settings["NATS_TLS_KEY_FILE"] = files_.write("client.key", row.key);
    Daemon daemon(settings);
    expect_noticed_and_mended(daemon, {row.name, row.reason}, [&] {
      files_.write("client.pem", client.certificate);
      files_.write("client.key", client.key);
    });
    EXPECT_EQ(daemon.log().find(files_.directory()), std::string::npos) << row.name;
  }
}

TEST_F(Tls, ACaFileOfNoUseIsSaidAndHealsWhenItIsReplaced) {
  const BrokerTls tls(authority_, {});
  NatsServer broker(tls.config());
  const Environment settings = trusting(broker);
  for (const char* content : {"", "nonsense"}) {
    files_.write("ca.pem", content);
    Daemon daemon(settings);
    expect_noticed_and_mended(daemon,
                              {"CA file of no use", "NATS_TLS_CA_FILE: does not hold certificates"},
                              [&] { files_.write("ca.pem", authority_.certificate()); });
    EXPECT_EQ(daemon.log().find(files_.directory()), std::string::npos);
  }
}

// --- Never in the clear -------------------------------------------------------------------------

constexpr const char* kPlainInfo =
    "INFO {\"server_id\":\"X\",\"version\":\"2.9.10\",\"max_payload\":1048576,"
    "\"auth_required\":true}\r\n";
constexpr const char* kTlsInfo =
    "INFO {\"server_id\":\"X\",\"version\":\"2.9.10\",\"max_payload\":1048576,"
    "\"tls_required\":true}\r\n";

// Greets like a broker, says no more, and keeps what it is sent.
class PlainListener {
 public:
  explicit PlainListener(std::string greeting = kPlainInfo)
      : greeting_(std::move(greeting)),
        acceptor_(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~PlainListener() {
    io_.stop();
    thread_.join();
  }
  PlainListener(const PlainListener&) = delete;
  PlainListener& operator=(const PlainListener&) = delete;
  PlainListener(PlainListener&&) = delete;
  PlainListener& operator=(PlainListener&&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int visits_ended() const { return visits_ended_; }
  [[nodiscard]] std::string received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  using tcp = boost::asio::ip::tcp;
  struct Visitor {
    explicit Visitor(tcp::socket s) : socket(std::move(s)) {}
    tcp::socket socket;
    std::array<char, 4096> buffer{};
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      const auto visitor = std::make_shared<Visitor>(std::move(socket));
      boost::system::error_code ignored;
      boost::asio::write(visitor->socket, boost::asio::buffer(greeting_), ignored);
      read(visitor);
      accept();
    });
  }
  void read(const std::shared_ptr<Visitor>& visitor) {
    visitor->socket.async_read_some(
        boost::asio::buffer(visitor->buffer),
        [this, visitor](boost::system::error_code error, std::size_t size) {
          const std::lock_guard lock(mutex_);
          received_.append(visitor->buffer.data(), size);
          if (error) {
            ++visits_ended_;
          } else {
            read(visitor);
          }
        });
  }

  const std::string greeting_;
  boost::asio::io_context io_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  mutable std::mutex mutex_;
  std::string received_;
  std::atomic<int> visits_ended_ = 0;
  std::thread thread_;
};

TEST_F(Tls, APlainListenerBehindATlsUrlIsToldNothing) {
  const PlainListener listener;
  for (const Environment& settings :
       {Environment{{"NATS_URL", fmt::format("tls://u:canary@127.0.0.1:{}", listener.port())}},
        Environment{{"NATS_URL", fmt::format("nats://127.0.0.1:{}", listener.port())},
                    {"NATS_TOKEN", "canary"},
                    {"NATS_TLS_CA_FILE", ca_file_}}}) {
    const int before = listener.visits_ended();
    Daemon daemon(settings);
    EXPECT_TRUE(eventually([&] { return listener.visits_ended() >= before + 3; }, 10s));
    EXPECT_NE(daemon.get("/ready").body.find("Secure Connection not available"), std::string::npos)
        << daemon.get("/ready").body;
  }
  EXPECT_EQ(listener.received(), "");
}

// The listener does record: a client that may speak in the clear does.
TEST_F(Tls, APlainListenerBehindAPlainUrlIsTold) {
  const PlainListener listener;
  Daemon daemon({{"NATS_URL", fmt::format("nats://u:p@127.0.0.1:{}", listener.port())}});
  EXPECT_TRUE(
      eventually([&] { return listener.received().find("CONNECT {") != std::string::npos; }, 10s));
}

// nats.c 3.8 and later give up by themselves, sooner than our watchdog and in words of their own.
TEST_F(Tls, ABrokerThatIsSilentInTheHandshakeIsLeft) {
  const PlainListener listener(kTlsInfo);
  Daemon daemon({{"NATS_URL", fmt::format("tls://u:canary@127.0.0.1:{}", listener.port())}});
  EXPECT_TRUE(eventually([&] { return listener.visits_ended() >= 1; }, 4s));
  EXPECT_TRUE(eventually(
      [&] {
        const std::string ready = daemon.get("/ready").body;
        return ready.find("not finished") != std::string::npos ||
               ready.find("Timeout") != std::string::npos;
      },
      1s))
      << daemon.get("/ready").body;
  EXPECT_EQ(listener.received().find("CONNECT"), std::string::npos);
  EXPECT_EQ(listener.received().find("canary"), std::string::npos);
}

TEST_F(Tls, APlainServerBehindATlsUrlIsRefusedAndTakenWithTls) {
  const BrokerTls tls(authority_, {});
  NatsServer broker;
  Daemon daemon(trusting(broker));
  expect_noticed_and_mended(daemon,
                            {"plain server behind tls://", "Secure Connection not available"}, [&] {
                              broker.kill();
                              broker.reload(tls.config());
                              broker.restart();
                            });
}

}  // namespace
}  // namespace rts::test
