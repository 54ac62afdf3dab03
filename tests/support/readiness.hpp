// A fault at a running service: how soon /ready says it and why, and how soon it is over once its
// cause is. For tests.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/fault_report.hpp"

namespace rts::test {

inline constexpr std::chrono::seconds kNoticedWithin = loosened(std::chrono::seconds(1));
inline constexpr std::chrono::seconds kReadyWithin = loosened(std::chrono::seconds(6));

// How long the predicate took to say yes; nothing when it did not within the limit.
template <class Predicate>
std::optional<std::chrono::milliseconds> time_until(Predicate predicate,
                                                    std::chrono::milliseconds limit) {
  const auto begun = std::chrono::steady_clock::now();
  if (!eventually(predicate, limit)) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begun);
}

struct Fault {
  const char* name;
  std::string reason;  // is in the JSON of /ready
};

// The fault is there now, or the service has just started into it: it is not ready within 1 s, says
// why and stays up; and `mend` makes it ready within 6 s. (Longer under sanitizers.)
template <class Mend>
void expect_noticed_and_mended(Daemon& daemon, const Fault& fault, Mend mend) {
  HttpAnswer last;
  const auto noticed = time_until(
      [&] {
        last = daemon.get("/ready");
        return last.status == 503 && last.body.find(fault.reason) != std::string::npos;
      },
      kNoticedWithin);
  EXPECT_TRUE(noticed) << fault.name << ": " << last.body;
  mend();
  const auto ready = time_until([&] { return daemon.ready(); }, kReadyWithin);
  EXPECT_TRUE(ready) << fault.name << ": " << daemon.get("/ready").body << daemon.log();
  EXPECT_TRUE(daemon.process().running()) << fault.name;
  report_fault(
      {.fault = fault.name,
       .promise = "not ready with the reason, never plaintext, rebuilt when fixed",
       .figure = "not ready <= 1 s; ready <= 6 s after",
       .measured = fmt::format("not ready after {} ms, ready {} ms after it was mended",
                               noticed ? noticed->count() : -1, ready ? ready->count() : -1),
       .held = noticed && ready && daemon.process().running()});
}

}  // namespace rts::test
