// sink: receives orders as the TradeEngine would and judges them as a set.
#include "support/sink.hpp"

#include <chrono>
#include <stdexcept>

#include <fmt/format.h>

#include "chaos/options.hpp"
#include "chaos/until_stopped.hpp"

namespace {

int run(const rts::chaos::Options& options, const rts::chaos::UntilStopped& stopped) {
  const std::string subject = options.text("--subject", "tradeengine.orders");
  const rts::test::Sink sink(
      options.text("--url", "nats://127.0.0.1:4222"), subject,
      options.has("--accept") ? rts::test::Answer::accepted : rts::test::Answer::none);
  fmt::print("listening on {}\n", subject);
  std::fflush(stdout);
  const auto seconds = options.number<std::int64_t>("--seconds", 0);
  if (seconds == 0) {
    stopped.wait();
  } else {
    (void)stopped.wait(std::chrono::seconds(seconds));
  }
  const auto orders = sink.orders();
  if (options.has("--list")) {
    for (const auto& order : orders) {
      fmt::print("{} {} age {} ms{}\n", order.id, order.strategy,
                 (order.arrived - order.timestamp).count(), order.stale() ? " STALE" : "");
    }
  }
  rts::test::ExpectedOrders expected;
  if (options.has("--expected")) {
    expected = rts::test::read_expected(options.text("--expected", ""));
  } else {
    for (const auto& order : orders) expected[order.id] = order.arrived;
  }
  const rts::test::Verdict verdict = judge(orders, expected);
  fmt::print("{}\n{}", verdict.text(), verdict.details());
  return verdict.clean() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const rts::chaos::UntilStopped stopped;
  const rts::chaos::Options options(
      "sink: receives orders until Ctrl-C and says which are missing, double, stale, unknown or\n"
      "invalid. Exits 0 when none is, 1 otherwise. Without --expected none is missing or unknown.",
      {{"--url", "URL", "broker (nats://127.0.0.1:4222)"},
       {"--subject", "SUBJECT", "of the orders (tradeengine.orders)"},
       {"--expected", "FILE", "written by feed --expected; read at the end"},
       {"--seconds", "N", "end after that time; 0 = at Ctrl-C (0)"},
       {"--accept", "", "answer {\"status\":\"accepted\"}"},
       {"--list", "", "print every order"}},
      argc, argv);
  try {
    return run(options, stopped);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "sink: {}\n", problem.what());
    return 69;
  }
}
