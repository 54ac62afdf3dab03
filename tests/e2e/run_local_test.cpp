// `make run-local` after the build: the script starts everything, shows orders, stops everything.
#include <chrono>
#include <csignal>

#include <gtest/gtest.h>

#include <rts/wire/json_compare.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/nats_server.hpp"
#include "support/order_schema.hpp"
#include "support/paths.hpp"
#include "support/process.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

class RunLocal {
 public:
  explicit RunLocal(const std::string& nats_url)
      : port(free_port()),
        process({source_root() + "/tests/e2e/run-local.sh"},
                {.env = {{"BINARY", binary()},
                         {"NATS_URL", nats_url},
                         {"HEALTH_CHECK_HOST", "127.0.0.1"},
                         {"HEALTH_CHECK_PORT", std::to_string(port)}},
                 .capture_stdout = true,
                 .capture_stderr = true}) {}

  void expect_first_order_within(std::chrono::seconds limit) {
    ASSERT_TRUE(process.wait_for_out("the service is ready", 20s)) << process.out();
    ASSERT_TRUE(process.wait_for_out("{\"order_id\"", limit)) << process.out() << process.err();
    EXPECT_EQ(http_get(port, "/ready").status, 200U);
    ASSERT_TRUE(eventually([&] { return process.out().ends_with("\n"); }, 5s));
    const std::string out = process.out();
    const std::size_t begin = out.find("{\"order_id\"");
    const std::string order = out.substr(begin, out.find('\n', begin) - begin);
    EXPECT_EQ(schema_error(order, OrderFormat::trade_order), "") << order;
  }

  void expect_to_stop_everything() {
    process.signal(SIGINT);
    ASSERT_TRUE(process.wait(15s)) << process.out();
    EXPECT_EQ(http_get(port, "/healthz").status, 0U);
  }

  std::uint16_t port;
  Process process;
};

TEST(RunLocalScript, StartsAPrivateBrokerAndShowsTheFirstOrderWithinTenSeconds) {
  RunLocal run("nats://127.0.0.1:" + std::to_string(free_port()));
  run.expect_first_order_within(10s);
  EXPECT_NE(run.process.out().find("started a private one"), std::string::npos);
  run.expect_to_stop_everything();
}

TEST(RunLocalScript, UsesTheBrokerThatAnswers) {
  NatsServer broker;
  RunLocal run(broker.url());
  run.expect_first_order_within(10s);
  EXPECT_NE(run.process.out().find("using the broker"), std::string::npos);
  run.expect_to_stop_everything();
}

}  // namespace
}  // namespace rts::test
