// What the kernel says of this process.
#pragma once

#include <cstdint>

namespace rts::telemetry {

struct ProcessUsage {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // since 1970
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

// Zeros where /proc does not answer. About 20 µs.
[[nodiscard]] ProcessUsage read_process_usage();

}  // namespace rts::telemetry
