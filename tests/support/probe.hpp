// A prober beside a running service that asks /healthz without pause over one connection: how long
// an answer takes is how long the event loop was busy with something else.
//
// On a machine with few cores most of the longest answers come of waiting for a CPU, and of the
// frames that have queued up meanwhile; neither is the loop's fault. So two more times are taken of
// every answer: without what the loop's thread and the prober's spent runnable without a CPU
// (/proc/<tid>/schedstat), and without the CPU time of the service as well. What then remains is
// time in which the loop neither ran nor waited to run though a question was there: it was blocked.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace rts::test {

class LoopProbe {
 public:
  // The service's main thread is its loop: `pid` is its process.
  LoopProbe(std::uint16_t http_port, pid_t pid);
  ~LoopProbe();
  LoopProbe(const LoopProbe&) = delete;
  LoopProbe& operator=(const LoopProbe&) = delete;
  LoopProbe(LoopProbe&&) = delete;
  LoopProbe& operator=(LoopProbe&&) = delete;

  struct Result {
    std::uint64_t answers = 0;
    std::uint64_t failures = 0;                  // no answer within 5 s, or another than 200
    std::chrono::nanoseconds blocked{0};         // the longest, as said above
    std::chrono::nanoseconds blocked_mostly{0};  // the longest of 99.9 %: interrupts left out
    std::chrono::nanoseconds busy{0};            // the longest on a CPU or blocked
    std::chrono::nanoseconds seen{0};            // the longest as a client sees it

    // "blocked 0.1 ms (99.9 %: 0.1 ms, busy 1.2 ms, seen 7.9 ms)"
    [[nodiscard]] std::string text() const;
  };
  // Ends the probing.
  Result stop();

 private:
  void run();

  std::uint16_t port_;
  pid_t pid_;
  std::atomic<bool> ending_{false};
  Result result_;
  std::vector<std::chrono::nanoseconds> blocked_;  // of every answer; the thread's own
  std::thread thread_;
};

}  // namespace rts::test
