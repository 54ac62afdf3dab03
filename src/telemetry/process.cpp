#include "telemetry/process.hpp"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

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

// Field 22 of /proc/self/stat, in clock ticks since boot. The second field is the program's name in
// brackets and may hold anything, so the count starts with the third, behind the last bracket.
double read_start_time() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text, '\0');
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  if (!fields) return 0;
  return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME) +
         std::strtod(field.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessUsage read_process_usage() {
  static const double kStartTime = read_start_time();
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return {.cpu_seconds = read_clock(CLOCK_PROCESS_CPUTIME_ID),
          .start_time_seconds = kStartTime,
          .resident_bytes = read_resident_bytes(),
          .open_fds = count_open_fds(),
          .max_fds = limit.rlim_cur};
}

}  // namespace rts::telemetry
