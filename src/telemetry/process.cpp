#include "telemetry/process.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

namespace rts::telemetry {
namespace {

double read_clock(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::uint64_t count_open_fds() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  const auto count = std::distance(begin(entries), end(entries));
  return count > 0 ? static_cast<std::uint64_t>(count) - 1 : 0;  // less the directory itself
}

std::uint64_t read_resident_bytes() {
  std::uint64_t size = 0;  // both in pages
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Taken while the process is made ready, before main().
const double kStartTime = read_clock(CLOCK_REALTIME);

}  // namespace

ProcessUsage read_process_usage() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return {.cpu_seconds = read_clock(CLOCK_PROCESS_CPUTIME_ID),
          .start_time_seconds = kStartTime,
          .resident_bytes = read_resident_bytes(),
          .open_fds = count_open_fds(),
          .max_fds = limit.rlim_cur};
}

}  // namespace rts::telemetry
