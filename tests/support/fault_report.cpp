#include "support/fault_report.hpp"

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/version.hpp>

namespace rts::test {
namespace {

// As ctest names it.
std::string running_test() {
  const testing::TestInfo* const test = testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return {};
  return fmt::format("{}.{}", test->test_suite_name(), test->name());
}

std::string json_line(const FaultRow& row) {
  std::string line;
  JsonWriter json(line);
  json.begin_object();
  json.key("test").string(running_test());
  json.key("commit").string(kCommit);
  json.key("fault").string(row.fault);
  json.key("promise").string(row.promise);
  json.key("figure").string(row.figure);
  json.key("measured").string(row.measured);
  // Whatever else the test has missed, it did not hold.
  json.key("held").boolean(row.held && !testing::Test::HasFailure());
  json.end_object();
  return line + "\n";
}

// One write of one line: rows of tests that run at the same time do not mix.
void append(const char* path, const std::string& line) {
  const int fd = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const bool written =
      fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (fd >= 0) ::close(fd);
  EXPECT_TRUE(written) << "RTS_FAULT_REPORT=" << path;
}

}  // namespace

void report_fault(const FaultRow& row) {
  EXPECT_TRUE(row.held) << row.fault << ": " << row.promise << "\n  promised " << row.figure
                        << "\n  measured " << row.measured;
  std::printf("%s | %s | %s | %s | %s\n", row.fault.c_str(), row.promise.c_str(),
              row.figure.c_str(), row.measured.c_str(), row.held ? "held" : "NOT HELD");
  if (const char* path = std::getenv("RTS_FAULT_REPORT")) append(path, json_line(row));
}

std::string text_of(std::chrono::nanoseconds duration) {
  const double ms = std::chrono::duration<double, std::milli>(duration).count();
  if (ms >= 1000) return fmt::format("{:.2f} s", ms / 1000);
  return ms >= 0.1 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.0f} µs", ms * 1000);
}

}  // namespace rts::test
