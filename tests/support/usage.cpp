#include "support/usage.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
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

struct Memory {
  std::size_t resident_bytes = 0;
  std::size_t file_bytes = 0;
};

Memory memory_of(pid_t pid) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  std::size_t file_pages = 0;
  statm >> total_pages >> resident_pages >> file_pages;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return {resident_pages * page, file_pages * page};
}

}  // namespace

nanoseconds cpu_time_of(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return {};
  return seconds(used.tv_sec) + nanoseconds(used.tv_nsec);
}

Usage usage_of(pid_t pid) {
  const Memory memory = memory_of(pid);
  return {.cpu = cpu_time_of(pid),
          .resident_bytes = memory.resident_bytes,
          .file_bytes = memory.file_bytes,
          .fds = entries(fmt::format("/proc/{}/fd", pid)),
          .threads = entries(fmt::format("/proc/{}/task", pid))};
}

std::optional<std::uint64_t> sleep_of(pid_t thread) {
  std::ifstream status(fmt::format("/proc/{}/status", thread));
  std::string line;
  bool asleep = false;
  while (std::getline(status, line)) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "State:") {
      char state = 0;
      words >> state;
      asleep = state == 'S' || state == 'D';
    } else if (name == "voluntary_ctxt_switches:") {
      std::uint64_t switches = 0;
      words >> switches;
      return asleep ? std::optional(switches) : std::nullopt;
    }
  }
  return std::nullopt;
}

CpuMeter::CpuMeter(pid_t pid)
    : pid_(pid), cpu_(cpu_time_of(pid)), begun_(std::chrono::steady_clock::now()) {}

double CpuMeter::share() const {
  const std::chrono::duration<double> used = cpu_time_of(pid_) - cpu_;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun_;
  return used / passed;
}

}  // namespace rts::test
