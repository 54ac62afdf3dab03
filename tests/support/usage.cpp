#include "support/usage.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace rts::test {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

std::size_t entries(const std::string& directory) {
  std::error_code gone;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator it(directory, gone), end; !gone && it != end;
       it.increment(gone)) {
    ++count;
  }
  return count;
}

std::size_t resident_bytes(pid_t pid) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

nanoseconds cpu_time_of(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return {};
  return seconds(used.tv_sec) + nanoseconds(used.tv_nsec);
}

Usage usage_of(pid_t pid) {
  return {.cpu = cpu_time_of(pid),
          .resident_bytes = resident_bytes(pid),
          .fds = entries(fmt::format("/proc/{}/fd", pid)),
          .threads = entries(fmt::format("/proc/{}/task", pid))};
}

nanoseconds waited_for_cpu(pid_t thread) {
  std::ifstream schedstat(fmt::format("/proc/{}/schedstat", thread));
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  schedstat >> ran >> waited;
  return nanoseconds(waited);
}

CpuMeter::CpuMeter(pid_t pid)
    : pid_(pid), cpu_(cpu_time_of(pid)), begun_(std::chrono::steady_clock::now()) {}

double CpuMeter::share() const {
  const std::chrono::duration<double> used = cpu_time_of(pid_) - cpu_;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun_;
  return used / passed;
}

}  // namespace rts::test
