// `simulate`: which times it can write, and which brokers a made-up market may reach.
#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/nats_server.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/process.hpp"
#include "support/scratch_files.hpp"
#include "support/tcp_client.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

RunResult recording(std::vector<std::string> options) {
  options.insert(options.begin(), {"simulate", "--output", "-"});
  return run_binary(options);
}

// --- Times --------------------------------------------------------------------------------------

TEST(Simulate, WritesEveryTimeThatNanosecondsHold) {
  EXPECT_TRUE(recording({"--frames", "1", "--start", "1970-01-01T00:00:01Z"})
                  .out.starts_with("1000000000 "));
  const RunResult last = recording({"--frames", "2", "--start", "2262-04-11T23:00:00Z"});
  EXPECT_TRUE(last.out.starts_with("9223369200000000000 ")) << last.err;
  EXPECT_NE(last.out.find("\n9223369200005000000 "), std::string::npos) << last.out;
}

TEST(Simulate, RefusesTimesThatNanosecondsDoNotHold) {
  const std::string most = std::to_string(std::numeric_limits<std::uint64_t>::max());
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--frames", "1", "--start", "2300-01-01T00:00:00Z"},
                                             {"--frames", "1", "--start", "2262-04-12T00:00:00Z"},
                                             {"--frames", "1", "--start", "9999-12-31T23:59:59Z"},
                                             {"--frames", "1", "--start", "1970-01-01T00:00:00Z"},
                                             {"--frames", "1", "--start", "0000-01-01T00:00:00Z"},
                                             {"--frames", most, "--rate", "1"},
                                             {"--frames", most}}) {
    const RunResult result = recording(options);
    EXPECT_EQ(result.exit_code, 64) << options.back();
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("2262-04-11"), std::string::npos) << result.err;
  }
}

TEST(Simulate, PacksARecordingThatIsNamedSo) {
  const ScratchFiles files;
  const std::string plain = files.path("market.ndjson"), packed = files.path("market.ndjson.zst");
  for (const std::string& path : {plain, packed}) {
    ASSERT_EQ(run_binary({"simulate", "--output", path, "--frames", "200"}).exit_code, 0);
  }
  EXPECT_TRUE(read_file(packed).starts_with("\x28\xB5\x2F\xFD"));
  EXPECT_EQ(run_binary({"replay", "--quiet", "--counts", "-", packed}).out,
            run_binary({"replay", "--quiet", "--counts", "-", plain}).out);
}

TEST(Simulate, NamesTheOptionThatIsWrong) {
  for (const char* option : {"--seed", "--frames", "--rate", "--start"}) {
    for (const char* value : {"", "x", "-1", "1e3", "+1", " 1", "1 ", "99999999999999999999"}) {
      const RunResult result = recording({option, value});
      EXPECT_EQ(result.exit_code, 64) << option << value;
      EXPECT_NE(result.err.find(option), std::string::npos) << result.err;
    }
  }
}

// --- Brokers ------------------------------------------------------------------------------------

// What every client is told when it connects: INFO {"server_id":"NB…",…}.
std::string id_of(const NatsServer& broker) {
  TcpClient client(broker.port());
  EXPECT_TRUE(client.hear("\r\n", 5s));
  constexpr std::string_view kBefore = R"("server_id":")";
  const std::size_t begin = client.heard().find(kBefore) + kBefore.size();
  return client.heard().substr(begin, client.heard().find('"', begin) - begin);
}

class Simulation : public testing::Test {
 protected:
  Simulation() { listener.subscribe("binance.websocket.data"); }

  RunResult simulate(const Environment& more = {}, std::vector<std::string> options = {}) {
    Environment environment{{"NATS_URL", broker.url("user-canary:password-canary")}};
    environment.insert(more.begin(), more.end());
    options.insert(options.begin(), {"simulate", "--frames", "5", "--rate", "1000"});
    return run_binary(options, environment);
  }
  std::size_t frames_that_came() {
    EXPECT_TRUE(listener.flush());
    return listener.received().size();
  }
  // The library has a frame a moment before its thread hands it to the listener.
  bool come(std::size_t frames) {
    return eventually([&] { return frames_that_came() == frames; }, std::chrono::seconds(10));
  }

  NatsServer broker;
  Peer listener{broker.url()};
};

TEST_F(Simulation, ReachesNoBrokerUnlessThatIsMeant) {
  for (const char* meant : {"", "no", "true", "1", "YES"}) {
    const RunResult result = simulate({{"SIMULATE_ON_REAL_BROKER", meant}});
    EXPECT_EQ(result.exit_code, 78);
    EXPECT_NE(result.err.find("SIMULATE_ON_REAL_BROKER=yes"), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find("canary"), std::string::npos) << result.err;
  }
  EXPECT_EQ(simulate().exit_code, 78);
  EXPECT_EQ(frames_that_came(), 0U);
}

TEST_F(Simulation, SaysWhatItDoesToABrokerThatIsMeant) {
  const RunResult result = simulate({{"SIMULATE_ON_REAL_BROKER", "yes"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.err.find("a made-up market, 1000 frames/s, to binance.websocket.data at "),
            std::string::npos)
      << result.err;
  EXPECT_TRUE(come(5));
}

// A service that still knows the first one's ids would take those of the second for old.
TEST_F(Simulation, GoesOnWithHigherIdsWhenItIsStartedAgain) {
  const auto largest_and_least = [&] {
    const std::size_t before = frames_that_came();
    EXPECT_EQ(simulate({{"SIMULATE_ON_REAL_BROKER", "yes"}}, {"--frames", "200"}).exit_code, 0);
    EXPECT_TRUE(come(before + 200));
    std::uint64_t most = 0;
    std::uint64_t least = ~std::uint64_t{0};
    const auto received = listener.received();
    for (std::size_t i = before; i < received.size(); ++i) {
      const std::string& text = received[i].payload;
      const std::size_t id = text.find(R"(,"t":)");
      if (id == std::string::npos) continue;
      most = std::max<std::uint64_t>(most, std::stoull(text.substr(id + 5)));
      least = std::min<std::uint64_t>(least, std::stoull(text.substr(id + 5)));
    }
    return std::pair(most, least);
  };
  const auto first = largest_and_least();
  EXPECT_GT(first.first, 0U);
  EXPECT_GT(largest_and_least().second, first.first);
}

TEST_F(Simulation, ReachesTheBrokerThatWasStartedForItAndNoOther) {
  NatsServer another;
  EXPECT_EQ(simulate({}, {"--broker-id", id_of(another)}).exit_code, 78);
  EXPECT_EQ(frames_that_came(), 0U);
  EXPECT_EQ(simulate({}, {"--broker-id", id_of(broker)}).exit_code, 0);
  EXPECT_TRUE(come(5));
}

TEST_F(Simulation, EndsWhenAnotherBrokerTakesThePlaceOfItsOwn) {
  Process process(
      {binary(), "simulate", "--broker-id", id_of(broker)},
      {.env = {{"NATS_URL", broker.url()}}, .capture_stdout = true, .capture_stderr = true});
  ASSERT_TRUE(listener.wait_for(1, 10s));
  broker.kill();
  broker.restart();
  Peer new_listener(broker.url());
  new_listener.subscribe("binance.websocket.data");
  const auto ended = process.wait(15s);
  ASSERT_TRUE(ended) << process.err();
  EXPECT_EQ(ended->code, 78) << process.err();
  ASSERT_TRUE(new_listener.flush());
  EXPECT_EQ(new_listener.received().size(), 0U);
}

TEST_F(Simulation, ShowsOrdersAsLinesOrAsTheyAre) {
  const auto shown = [&](const std::vector<std::string>& options) {
    Daemon service({{"NATS_URL", broker.url()}, {"ENVIRONMENT", "test"}});
    EXPECT_TRUE(service.wait_ready());
    std::vector<std::string> command{binary(), "simulate", "--rate", "2000", "--show-orders"};
    command.insert(command.end(), options.begin(), options.end());
    Process process(command,
                    {.env = {{"NATS_URL", broker.url()}, {"SIMULATE_ON_REAL_BROKER", "yes"}},
                     .capture_stdout = true});
    EXPECT_TRUE(process.wait_for_out("\n", 20s));
    const std::string out = process.out();
    return out.substr(0, out.find('\n'));
  };
  EXPECT_NE(shown({}).find("  BUY  0.002 BTCUSDT at "), std::string::npos);
  EXPECT_TRUE(shown({"--json"}).starts_with(R"({"order_id":")"));
}

}  // namespace
}  // namespace rts::test
