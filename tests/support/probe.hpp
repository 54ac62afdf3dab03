// A prober beside a running service that asks /healthz without pause over one connection: how long
// an answer takes is how long the event loop was busy with something else.
//
// On a machine with few cores most of the longest answers come of waiting for a CPU, of the frames
// that have queued up meanwhile, and of a hypervisor that runs somebody else; none is the loop's
// fault. So while an answer is due the prober looks at the state of the loop's thread every 0.2 ms:
// a thread that is twice seen in the same sleep though a question is there was blocked all that
// time. What is reported is thus up to two looks too little, and never too much.
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
  // `loop`: the thread that answers; of the service, whose main thread it is, the process.
  LoopProbe(std::uint16_t http_port, pid_t loop);
  ~LoopProbe();
  LoopProbe(const LoopProbe&) = delete;
  LoopProbe& operator=(const LoopProbe&) = delete;
  LoopProbe(LoopProbe&&) = delete;
  LoopProbe& operator=(LoopProbe&&) = delete;

  struct Result {
    std::uint64_t answers = 0;
    std::uint64_t failures = 0;                  // no answer within 5 s, or another than 200
    std::chrono::nanoseconds blocked{0};         // the longest, as said above
    std::chrono::nanoseconds blocked_mostly{0};  // the longest of 99.9 %
    std::chrono::nanoseconds seen{0};            // the longest as a client sees it

    // "blocked 0.1 ms (99.9 %: 0.1 ms, seen 7.9 ms)"
    [[nodiscard]] std::string text() const;
  };
  // Ends the probing.
  Result stop();

 private:
  void run();

  std::uint16_t port_;
  pid_t loop_;
  std::atomic<bool> ending_{false};
  Result result_;
  std::vector<std::chrono::nanoseconds> blocked_;  // of every answer; the thread's own
  std::thread thread_;
};

}  // namespace rts::test
