// What a process uses, read from outside by its pid. Works for children of any kind; a process that
// has ended reads as zeros.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <sys/types.h>

namespace rts::test {

struct Usage {
  std::chrono::nanoseconds cpu{0};  // all threads, since its start
  std::size_t resident_bytes = 0;
  std::size_t file_bytes = 0;  // of these such as are pages of a file, which can be dropped
  std::size_t fds = 0;
  std::size_t threads = 0;
};
[[nodiscard]] Usage usage_of(pid_t pid);

// The first of these alone, which is cheap.
[[nodiscard]] std::chrono::nanoseconds cpu_time_of(pid_t pid);

// Which of its sleeps a thread is in, counted from its start; empty while it runs or waits to run.
[[nodiscard]] std::optional<std::uint64_t> sleep_of(pid_t thread);

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
