#include "telemetry/crash_report.hpp"

#include <csignal>
#include <string_view>
#include <tuple>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <rts/base/time.hpp>
#include <rts/base/version.hpp>

namespace rts::telemetry {
namespace {

struct Fault {
  int number;
  std::string_view name;
};
constexpr std::array kFaults{Fault{SIGSEGV, "SIGSEGV"}, Fault{SIGBUS, "SIGBUS"},
                             Fault{SIGFPE, "SIGFPE"}, Fault{SIGILL, "SIGILL"},
                             Fault{SIGABRT, "SIGABRT"}};

constexpr std::size_t kStackBytes = std::size_t{64} << 10U;
constexpr int kStallTimeoutMs = 100;  // a reader that stands still does not keep it from ending

std::string_view name_of(int number) noexcept {
  for (const Fault& fault : kFaults) {
    if (fault.number == number) return fault.name;
  }
  return "";
}

// Ends the process with the signal, whose action is the default one again (SA_RESETHAND).
[[noreturn]] void end_by(int number) noexcept {
  sigset_t it;
  ::sigemptyset(&it);
  ::sigaddset(&it, number);
  ::pthread_sigmask(SIG_UNBLOCK, &it, nullptr);
  std::raise(number);
  // The first process of a container is not ended by signals of its own. What its runtime says of
  // one that was:
  ::_exit(128 + number);
}

bool has_default_action(int number) noexcept {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
         action.sa_handler == SIG_DFL;
}

}  // namespace

CrashReport::CrashReport(const Log& log, const Engine& engine) : log_(log), engine_(engine) {
  line_.reserve(Log::kMaxLineBytes);
  event_time_.reserve(Log::kMaxValueBytes);
  stack_t stack{};
  if (::sigaltstack(nullptr, &stack) == 0 && (stack.ss_flags & SS_DISABLE) != 0) {
    stack_.resize(kStackBytes);
    stack = {.ss_sp = stack_.data(), .ss_flags = 0, .ss_size = stack_.size()};
    ::sigaltstack(&stack, nullptr);
  }
  installed = this;
  struct sigaction action {};
  action.sa_handler = &on_signal;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
  for (const Fault& fault : kFaults) {
    if (has_default_action(fault.number)) ::sigaction(fault.number, &action, nullptr);
  }
}

CrashReport::~CrashReport() {
  installed = nullptr;
  for (const Fault& fault : kFaults) {
    struct sigaction action {};
    ::sigaction(fault.number, nullptr, &action);
    if (action.sa_handler == &on_signal) std::signal(fault.number, SIG_DFL);
  }
  if (stack_.empty()) return;
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  ::sigaltstack(&none, nullptr);
}

void CrashReport::on_signal(int number) {
  // Once: a fault in here has nothing more to say.
  if (CrashReport* const report = installed.exchange(nullptr)) report->write_line(number);
  end_by(number);
}

// Nothing in here allocates, locks or reads the locale; a test counts the first.
void CrashReport::write_line(int number) {
  const MarketEvent& event = engine_.last_event();
  std::array<char, 32> id_text{};
  std::string_view id;
  std::string_view symbol;
  if (event.at != UnixMs{}) {
    const char* const end =
        fmt::format_to(id_text.data(), "{}:{}", event.id.letter, event.id.number);
    id = {id_text.data(), static_cast<std::size_t>(end - id_text.data())};
    symbol = engine_.symbols().at(event.symbol_index).text();
    append_iso8601(event_time_, event.at);
    event_time_ += 'Z';
  }
  const std::array fields{Field{"signal", name_of(number)},
                          Field{"version", std::string_view(kVersion)},
                          Field{"commit", std::string_view(kCommit)},
                          Field{"last_event_id", id},
                          Field{"last_event_symbol", symbol},
                          Field{"last_event_time", std::string_view(event_time_)}};
  Log::format_line(line_, log_.format(), Level::error, "crashed",
                   "ended by a signal that a bug raises", fields);
  line_ += '\n';
  pollfd reader{log_.descriptor(), POLLOUT, 0};
  if (::poll(&reader, 1, kStallTimeoutMs) != 1) return;
  std::ignore = ::write(log_.descriptor(), line_.data(), line_.size());
}

}  // namespace rts::telemetry
