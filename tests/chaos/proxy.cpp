// proxy: stands between a client and its broker and spoils the path.
#include "support/proxy.hpp"

#include <chrono>
#include <stdexcept>

#include <fmt/format.h>

#include "chaos/options.hpp"
#include "chaos/until_stopped.hpp"

namespace {

rts::test::PathFaults path_faults(const rts::chaos::Options& options) {
  return {.latency = std::chrono::milliseconds(options.number<std::int64_t>("--latency", 0)),
          .slice_bytes = options.number<std::size_t>("--slice", 0),
          .bytes_per_second = options.number<std::size_t>("--bandwidth", 0),
          .hold_client = options.has("--hold-client") || options.has("--black-hole"),
          .hold_broker = options.has("--hold-broker") || options.has("--black-hole"),
          .cut_after_info = options.has("--cut-after-info")};
}

int run(const rts::chaos::Options& options, const rts::chaos::UntilStopped& stopped) {
  rts::test::Proxy proxy(options.number<std::uint16_t>("--to", 4222));
  if (options.has("--eat-acks")) {
    const auto seed = options.number<std::uint64_t>("--seed", 1);
    proxy.eat_acks({.share = options.number<double>("--eat-acks", 0),
                    .seed = seed,
                    .only_pub_acks = options.has("--only-pub-acks")});
    fmt::print("seed {}\n", seed);
  }
  fmt::print("{}\n", proxy.url());
  std::fflush(stdout);
  const auto healthy = std::chrono::milliseconds(options.number<std::int64_t>("--after", 0));
  const auto reset = std::chrono::milliseconds(options.number<std::int64_t>("--reset-every", 0));
  if (healthy.count() > 0 && stopped.wait(healthy)) return 0;
  proxy.set(path_faults(options));
  if (reset.count() == 0) {
    stopped.wait();
  } else {
    while (!stopped.wait(reset)) proxy.reset_connections();
  }
  fmt::print("{} connections, {} answers eaten\n", proxy.connections(), proxy.acks_eaten());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const rts::chaos::UntilStopped stopped;
  const rts::chaos::Options options(
      "proxy: listens on a free port of 127.0.0.1, prints its URL, and passes everything on to "
      "the\n"
      "broker, spoilt as told, until Ctrl-C.",
      {{"--to", "PORT", "of the broker on 127.0.0.1 (4222)"},
       {"--after", "MS", "pass everything on unspoilt for so long first (0)"},
       {"--latency", "MS", "each way (0)"},
       {"--slice", "BYTES", "at most so many in one write, one write a millisecond (off)"},
       {"--bandwidth", "BYTES", "a second, each way (no limit)"},
       {"--black-hole", "", "hold everything up"},
       {"--hold-client", "", "hold up what the client sends"},
       {"--hold-broker", "", "hold up what the broker sends"},
       {"--cut-after-info", "", "end connections after the broker's first line"},
       {"--reset-every", "MS", "reset all connections that often (never)"},
       {"--eat-acks", "SHARE", "lose that share of the answers to an inbox, 0 to 1 (0)"},
       {"--only-pub-acks", "", "of those, only JetStream's"},
       {"--seed", "N", "same seed, same answers lost (1)"}},
      argc, argv);
  try {
    return run(options, stopped);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "proxy: {}\n", problem.what());
    return 69;
  }
}
