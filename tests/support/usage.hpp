// What a process uses, read from outside by its pid. Works for children of any kind; a process that
// has ended reads as zeros.
#pragma once

#include <chrono>
#include <cstddef>

#include <sys/types.h>

namespace rts::test {

struct Usage {
  std::chrono::nanoseconds cpu{0};  // all threads, since its start
  std::size_t resident_bytes = 0;
  std::size_t fds = 0;
  std::size_t threads = 0;
};
[[nodiscard]] Usage usage_of(pid_t pid);

// The first of these alone, which is cheap.
[[nodiscard]] std::chrono::nanoseconds cpu_time_of(pid_t pid);

// How long a thread has been runnable without a CPU since its start: what it waited for others.
[[nodiscard]] std::chrono::nanoseconds waited_for_cpu(pid_t thread);

// CPU time over wall time between two moments: 1 is one core.
class CpuMeter {
 public:
  explicit CpuMeter(pid_t pid);
  [[nodiscard]] double share() const;

 private:
  pid_t pid_;
  std::chrono::nanoseconds cpu_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace rts::test
