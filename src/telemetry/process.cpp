#include "telemetry/process.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

namespace rts::telemetry {
namespace {

struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct DirClose {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::uint64_t count_open_fds() noexcept {
  const std::unique_ptr<DIR, DirClose> directory(::opendir("/proc/self/fd"));
  if (!directory) return 0;
  std::uint64_t entries = 0;
  while (::readdir(directory.get()) != nullptr) ++entries;
  return entries - 3;  // ".", ".." and the directory itself
}

std::uint64_t read_resident_bytes() noexcept {
  const std::unique_ptr<std::FILE, FileClose> file(std::fopen("/proc/self/statm", "re"));
  char text[128];
  if (!file || std::fgets(text, sizeof text, file.get()) == nullptr) return 0;
  const char* resident = std::strchr(text, ' ');  // the second field, in pages
  if (resident == nullptr) return 0;
  return std::strtoull(resident, nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Field 22 of /proc/self/stat, in clock ticks since boot; the second field may hold anything, so
// the count starts behind its closing bracket.
double read_start_time() noexcept {
  const std::unique_ptr<std::FILE, FileClose> file(std::fopen("/proc/self/stat", "re"));
  char text[1024];
  if (!file || std::fgets(text, sizeof text, file.get()) == nullptr) return 0;
  const char* field = std::strrchr(text, ')');
  for (int skipped = 0; field != nullptr && skipped < 20; ++skipped) {
    field = std::strchr(field + 1, ' ');
  }
  if (field == nullptr) return 0;
  const double ticks = std::strtod(field, nullptr);
  timespec boot{};
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &boot);
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto seconds = [](const timespec& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
  };
  return seconds(now) - seconds(boot) + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessUsage read_process_usage() noexcept {
  ProcessUsage usage;
  timespec cpu{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
    usage.cpu_seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9;
  }
  static const double kStartTime = read_start_time();
  usage.start_time_seconds = kStartTime;
  usage.resident_bytes = read_resident_bytes();
  usage.open_fds = count_open_fds();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.max_fds = limit.rlim_cur;
  return usage;
}

}  // namespace rts::telemetry
