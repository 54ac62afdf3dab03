// The supervisor's run in short; `make soak` is the long one.
#include <chrono>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/fault_report.hpp"
#include "support/supervisor.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

TEST(SoakFault, AShortOne) {
  const SupervisorOptions options{
      .seed = 5, .rate = lightened(1000U), .length = 35s, .pause = 1500ms};
  const SupervisorResult result = supervise(options);
  std::string faults;
  for (std::size_t i = 0; i < result.faults.size(); ++i) {
    faults += fmt::format("{}{} {}x", i == 0 ? "" : ", ", to_string(static_cast<FaultKind>(i)),
                          result.faults[i]);
    EXPECT_GT(result.faults[i], 0U) << "another seed is wanted";
  }
  report_fault({.fault = fmt::format("soak, {} s: {} (seed {})", options.length.count(), faults,
                                     options.seed),
                .promise = "orders right outside of the faults; flat",
                .figure = "RSS <= 24 MiB, fds and threads constant",
                .measured = result.text(),
                .held = result.held()});
  EXPECT_EQ(result.orders.details(), "");
}

}  // namespace
}  // namespace rts::test
