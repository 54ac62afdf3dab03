// The whole service through a local broker: how fast it becomes ready, how many frames a second it
// takes at saturation, what that costs; and `replay` over the same frames. Prints one table.
//   service_bench [FRAMES]     (default 400000)
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/market.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/nats_server.hpp"
#include "support/peer.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr const char* kFrames = "binance.websocket.data";

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void row(const char* what, double value, const char* unit, const char* goal) {
  fmt::print("{:<44} {:>12.3f} {:<10} {}\n", what, value, unit, goal);
}

// The median of some starts, with a broker there.
double milliseconds_to_ready(const std::string& url) {
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    const auto begin = Clock::now();
    const Daemon daemon({{"NATS_URL", url}});
    if (!eventually([&] { return daemon.ready(); }, std::chrono::seconds(10))) return -1;
    times.push_back(seconds_since(begin) * 1000);
  }
  std::nth_element(times.begin(), times.begin() + 2, times.end());
  return times[2];
}

void measure(std::uint64_t count) {
  app::Market market({*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT"), *Symbol::from("BNBUSDT")},
                     1);
  const UnixMs now =
      std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  std::vector<std::string> frames;
  std::string recording;
  for (std::uint64_t i = 0; i < count; ++i) {
    frames.emplace_back(market.next_frame(now + std::chrono::milliseconds(i / 100)));
    recording += frames.back() + "\n";
  }

  NatsServer broker;
  row("ready after start (median of 5)", milliseconds_to_ready(broker.url()), "ms", "<= 200");

  Daemon daemon({{"NATS_URL", broker.url()}, {"MESSAGE_TTL_SECONDS", "0"}});
  Peer peer(broker.url());
  if (!daemon.wait_ready()) throw std::runtime_error("not ready");
  const double cpu_before = daemon.metric("process_cpu_seconds_total");
  const auto begin = Clock::now();
  for (const std::string& frame : frames) peer.publish(kFrames, frame);
  peer.flush();
  const auto done = [&] {
    return daemon.metric("rts_frames_received_total") >= static_cast<double>(count);
  };
  while (!done() && seconds_since(begin) < 120) {
    [[maybe_unused]] const bool waited =
        eventually([] { return false; }, std::chrono::milliseconds(20));
  }
  const double took = seconds_since(begin);
  const double cpu = daemon.metric("process_cpu_seconds_total") - cpu_before;
  const auto frames_count = static_cast<double>(count);
  row("frames through a local broker", frames_count / took, "frames/s", "(publisher included)");
  row("CPU a frame", cpu / frames_count * 1e6, "us", "");
  row("frames/s on one core (1 / CPU a frame)", frames_count / cpu, "frames/s", ">= 200000");
  row("RSS at saturation", daemon.metric("process_resident_memory_bytes") / 1048576, "MiB",
      "<= 32");
  daemon.terminate();

  const ScratchFiles files;
  const std::string path = files.write("market.ndjson", recording);
  const auto replay_begin = Clock::now();
  const RunResult replayed = run_binary({"replay", path, "--quiet"});
  if (replayed.exit_code != 0) throw std::runtime_error(replayed.err);
  row("replay of the same frames, plain NDJSON", frames_count / seconds_since(replay_begin),
      "frames/s", ">= 300000");
}

}  // namespace
}  // namespace rts::test

int main(int argc, char** argv) {
  try {
    rts::test::measure(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 400'000);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "service_bench: %s\n", error.what());
    return 1;
  }
}
