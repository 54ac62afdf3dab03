// What most fault tests need around the service: a broker, the TradeEngine's side, a feed whose
// orders are known, and the stretches of time in which a fault may cost some.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <rts/engine/tally.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/fault_report.hpp"
#include "support/feed.hpp"
#include "support/nats_server.hpp"
#include "support/sink.hpp"

namespace rts::test {

inline constexpr const char* kOrderSubject = "tradeengine.orders";

// Settings with the broker they are for.
[[nodiscard]] inline Environment environment_of(const Settings& settings, const std::string& url) {
  Environment environment = settings;
  environment["NATS_URL"] = url;
  return environment;
}

// Every skewed book is an order, whichever replica sees it.
[[nodiscard]] inline FeedOptions memoryless_feed(std::uint64_t rate, std::uint64_t seed = 1) {
  return {.seed = seed, .rate = lightened(rate), .settings = memoryless_settings()};
}

// Begins a moment before the fault, for what was on its way, and ends a moment after the last of
// those concerned is back.
class Outage {
 public:
  [[nodiscard]] FaultWindow over() const {
    return {from_, to_ms(wall_clock()) + loosened(std::chrono::milliseconds(200))};
  }

 private:
  UnixMs from_ = to_ms(wall_clock()) - loosened(std::chrono::milliseconds(200));
};

// Where the service's accounts are not those of a feed that it has heard whole, one reason or
// outcome a line; empty when every event ended as it had to.
[[nodiscard]] inline std::string differences(const Tally& expected, const Scrape& scrape) {
  std::string text;
  const auto compare = [&](std::string_view what, std::uint64_t wanted, double counted) {
    if (static_cast<double>(wanted) == counted) return;
    text += fmt::format("{}: {} expected, {} counted\n", what, wanted, counted);
  };
  compare("frames", expected.frames(), scrape.sum("rts_frames_received_total"));
  compare("events", expected.events(), scrape.sum("rts_events_received_total"));
  for (const Reason reason : all_of<Reason>) {
    compare(to_string(reason), expected.count(reason),
            scrape.sum(fmt::format("rts_events_{}_total", disposition(reason)),
                       fmt::format("reason=\"{}\"", to_string(reason))));
  }
  for (const StrategyId strategy : all_of<StrategyId>) {
    for (const Outcome outcome : all_of<Outcome>) {
      const std::string labels =
          fmt::format("outcome=\"{}\",strategy=\"{}\"", to_string(outcome), to_string(strategy));
      compare(labels, expected.count(strategy, outcome), scrape.sum("rts_decisions_total", labels));
    }
  }
  return text;
}

}  // namespace rts::test
