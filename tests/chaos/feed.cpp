// feed: publishes a seeded market and writes down which orders have to come of it.
#include "support/feed.hpp"

#include <chrono>
#include <stdexcept>

#include <fmt/format.h>

#include "chaos/options.hpp"
#include "chaos/until_stopped.hpp"

namespace {

rts::test::FeedOptions feed_options(const rts::chaos::Options& options) {
  rts::test::FeedOptions feed;
  feed.seed = options.number<std::uint64_t>("--seed", 1);
  feed.rate = options.number<std::uint64_t>("--rate", 1000);
  feed.duplicate_share = options.number<double>("--dup", 0);
  feed.swap_share = options.number<double>("--swap", 0);
  feed.mutate_share = options.number<double>("--mutate", 0);
  feed.shift = std::chrono::milliseconds(options.number<std::int64_t>("--shift-time", 0));
  feed.subject = options.text("--subject", feed.subject);
  if (options.has("--memoryless")) feed.settings = rts::test::memoryless_settings();
  for (const std::string& setting : options.all("--set")) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) throw std::invalid_argument("--set takes NAME=VALUE");
    feed.settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return feed;
}

int run(const rts::chaos::Options& options, const rts::chaos::UntilStopped& stopped) {
  const rts::test::FeedOptions settings = feed_options(options);
  if (settings.rate == 0) throw std::invalid_argument("--rate has to be at least 1");
  rts::test::Feed feed(options.text("--url", "nats://127.0.0.1:4222"), settings);
  fmt::print("seed {}, {} frames/s to {}\n", settings.seed, settings.rate, settings.subject);
  const auto frames = options.number<std::uint64_t>("--frames", 0);
  bool taken = false;
  if (frames > 0) {
    taken = feed.publish(frames);
  } else {
    feed.start();
    stopped.wait();
    taken = feed.stop();
  }
  const auto expected = feed.expected();
  if (options.has("--expected"))
    rts::test::write_expected(options.text("--expected", ""), expected);
  fmt::print("{} frames published, {} orders expected\n", feed.published(), expected.size());
  return taken ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const rts::chaos::UntilStopped stopped;
  const rts::chaos::Options options(
      "feed: publishes a seeded market to NATS and writes down the orders that have to come of "
      "it,\n"
      "as the Engine itself computes them for the service's settings. Ends after --frames or "
      "Ctrl-C.",
      {{"--url", "URL", "broker (nats://127.0.0.1:4222)"},
       {"--subject", "SUBJECT", "where to (binance.websocket.data)"},
       {"--seed", "N", "same seed, same market (1)"},
       {"--rate", "N", "frames a second (1000)"},
       {"--frames", "N", "how many; 0 = until Ctrl-C (0)"},
       {"--dup", "SHARE", "frames that come twice, 0 to 1 (0)"},
       {"--swap", "SHARE", "frames that come after the next one, 0 to 1 (0)"},
       {"--mutate", "SHARE", "frames that are bent, 0 to 1 (0)"},
       {"--shift-time", "MS", "added to event times; may be negative (0)"},
       {"--memoryless", "", "the service has settings under which every skewed book is an order"},
       {"--set", "NAME=VALUE", "a setting of the service; may be repeated"},
       {"--expected", "FILE", "write the ids of the expected orders there, for sink"}},
      argc, argv);
  try {
    return run(options, stopped);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "feed: {}\n", problem.what());
    return 69;
  }
}
