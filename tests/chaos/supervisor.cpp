// supervisor: a small installation under a seeded schedule of faults; its exit code is the verdict.
#include "support/supervisor.hpp"

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "chaos/options.hpp"
#include "support/fault_report.hpp"

namespace {

using namespace rts::test;  // NOLINT(google-build-using-namespace): a program of the kit

int run(const SupervisorOptions& options, bool only_schedule, const std::string& report) {
  fmt::print("seed {}, {} replicas, {} frames/s, {} s\n", options.seed, options.replicas,
             options.rate, options.length.count());
  if (only_schedule) {
    for (const ScheduledFault& fault : make_schedule(options)) {
      fmt::print("{:7.1f} s  {}, replica {}, {}\n", std::chrono::duration<double>(fault.at).count(),
                 to_string(fault.kind), fault.replica, text_of(fault.length));
    }
    return 0;
  }
  const SupervisorResult result = supervise(options);
  for (std::size_t i = 0; i < result.faults.size(); ++i) {
    fmt::print("{} {} times\n", to_string(static_cast<FaultKind>(i)), result.faults[i]);
  }
  fmt::print("{}\n{}{}\n", result.text(), result.orders.details(),
             result.held() ? "held" : "NOT HELD");
  if (!report.empty()) std::ofstream(report) << result.json(options) << '\n';
  return result.held() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const rts::chaos::Options options(
      "supervisor: a broker, replicas in a queue group, a feed and a sink; brokers and replicas "
      "are\n"
      "killed, frozen and restarted by a seeded schedule. Says whether orders were lost, double,\n"
      "stale or unknown outside of the faults and whether anything grew; exits 0 when all is well.",
      {{"--seed", "N", "same seed, same schedule (1)"},
       {"--seconds", "N", "length of the run (1800)"},
       {"--replicas", "N", "at least 2 (3)"},
       {"--rate", "N", "frames a second (500)"},
       {"--pause", "MS", "between faults, half to one and a half of it (15000)"},
       {"--json", "FILE", "write the figures there, one line"},
       {"--schedule", "", "print the schedule and end"}},
      argc, argv);
  const SupervisorOptions settings{
      .seed = options.number<std::uint64_t>("--seed", 1),
      .replicas = options.number<std::size_t>("--replicas", 3),
      .rate = options.number<std::uint64_t>("--rate", 500),
      .length = std::chrono::seconds(options.number<std::int64_t>("--seconds", 1800)),
      .pause = std::chrono::milliseconds(options.number<std::int64_t>("--pause", 15'000)),
      .talk = true};
  if (settings.replicas < 2 || settings.rate == 0 || settings.pause.count() < 2) {
    fmt::print(stderr, "supervisor: at least 2 replicas, 1 frame/s and a pause of 2 ms\n");
    return 64;
  }
  try {
    return run(settings, options.has("--schedule"), options.text("--json", ""));
  } catch (const std::exception& problem) {
    fmt::print(stderr, "supervisor: {}\n", problem.what());
    return 69;
  }
}
