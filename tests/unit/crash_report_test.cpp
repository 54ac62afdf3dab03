// CrashReport: what real faults write, and that the signal still ends the process.
#include "telemetry/crash_report.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/endings.hpp"
#include "support/fault_report.hpp"
#include "support/frames.hpp"

namespace rts::telemetry {
namespace {

// A fault in a process of its own, which writes no core and ends with 0 where the fault does not
// end it.
struct Crash {
  LogFormat format = LogFormat::json;
  bool after_an_event = true;

  template <class Fault>
  void operator()(Fault fault) const {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    const Log log(STDERR_FILENO, Level::info, format);
    Engine engine(test::usual_parameters());
    const CrashReport report(log, engine);
    if (after_an_event) (void)engine.step(test::trade({.id = 7}).json(), UnixNs(test::kNoon));
    fault();
    std::exit(0);
  }
};

// Sanitizers handle the signals themselves, and say more.
class CrashReports : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::kMemoryIsOurs) GTEST_SKIP() << "the sanitizer's report stands in its place";
  }
};

// Of JSON, the fields in their order; the version is whatever git says.
std::string line_with(std::string_view signal, std::string_view event) {
  return fmt::format(R"(^[{{]"ts":"20[-0-9T:.]+Z","level":"ERROR","event":"crashed","msg":"[^"]+",)"
                     R"("signal":"{}","version":"[^"]+","commit":"[^"]+",{}[}}])",
                     signal, event);
}
constexpr std::string_view kTrade = R"("last_event_id":"t:7","last_event_symbol":"BTCUSDT",)"
                                    R"("last_event_time":"2024-07-19T12:00:00.000Z")";

void write_to_nowhere() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

// Each call keeps a page of the stack until the ones below it have returned.
[[gnu::noinline]] int descend(int levels, const volatile char* above) {
  if (levels == 0) return 0;
  volatile char here[4096];
  here[0] = above == nullptr ? '\0' : *above;
  return descend(levels - 1, here) + here[0];
}

TEST_F(CrashReports, OfAWildPointer) {
  EXPECT_EXIT(Crash{}(write_to_nowhere), testing::KilledBySignal(SIGSEGV),
              testing::ContainsRegex(line_with("SIGSEGV", kTrade)));
}

TEST_F(CrashReports, OfAStackThatHasRunOut) {
  const auto fault = [] { std::exit(descend(1 << 30, nullptr)); };
  EXPECT_EXIT(Crash{}(fault), testing::KilledBySignal(SIGSEGV),
              testing::ContainsRegex(line_with("SIGSEGV", kTrade)));
}

TEST_F(CrashReports, OfAnExceptionThatNobodyCatches) {
  EXPECT_EXIT(
      Crash{}([] { std::terminate(); }), testing::KilledBySignal(SIGABRT),
      testing::ContainsRegex(line_with("SIGABRT", kTrade).substr(1)));  // behind the library's
}

TEST_F(CrashReports, OfAnotherThread) {
  EXPECT_EXIT(Crash{}([] { std::thread(write_to_nowhere).join(); }),
              testing::KilledBySignal(SIGSEGV),
              testing::ContainsRegex(line_with("SIGSEGV", kTrade)));
}

TEST_F(CrashReports, OfEachSignalThatABugRaises) {
  const std::pair<int, std::string_view> signals[]{{SIGSEGV, "SIGSEGV"},
                                                   {SIGBUS, "SIGBUS"},
                                                   {SIGFPE, "SIGFPE"},
                                                   {SIGILL, "SIGILL"},
                                                   {SIGABRT, "SIGABRT"}};
  for (const auto& [number, name] : signals) {
    EXPECT_EXIT(Crash{}([number = number] { std::raise(number); }), testing::KilledBySignal(number),
                testing::ContainsRegex(line_with(name, kTrade)));
  }
}

TEST_F(CrashReports, BeforeTheFirstEventNameNone) {
  constexpr std::string_view kNone =
      R"("last_event_id":"","last_event_symbol":"","last_event_time":"")";
  EXPECT_EXIT(Crash{.after_an_event = false}(write_to_nowhere), testing::KilledBySignal(SIGSEGV),
              testing::ContainsRegex(line_with("SIGSEGV", kNone)));
}

TEST_F(CrashReports, AreTextWhereTheLogIs) {
  EXPECT_EXIT(Crash{.format = LogFormat::text}(write_to_nowhere), testing::KilledBySignal(SIGSEGV),
              testing::ContainsRegex(R"(^20[-0-9T:.]+Z ERROR   crashed "[^"]+" signal="SIGSEGV" )"
                                     R"(.*last_event_id="t:7")"));
}

// Somebody else's handler stays, and what was set is taken back.
TEST_F(CrashReports, LeaveSignalsAsTheyFindThem) {
  const auto action_of = [](int number) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    return action.sa_handler;
  };
  void (*const theirs)(int) = [](int) {};
  std::signal(SIGFPE, theirs);
  {
    const Log log(STDERR_FILENO, Level::error, LogFormat::json);
    const Engine engine(test::usual_parameters());
    const CrashReport report(log, engine);
    EXPECT_EQ(action_of(SIGFPE), theirs);
    EXPECT_NE(action_of(SIGSEGV), SIG_DFL);
  }
  EXPECT_EQ(action_of(SIGFPE), theirs);
  EXPECT_EQ(action_of(SIGSEGV), SIG_DFL);
  std::signal(SIGFPE, SIG_DFL);
}

}  // namespace
}  // namespace rts::telemetry
