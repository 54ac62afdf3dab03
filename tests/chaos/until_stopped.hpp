// Waiting for Ctrl-C, for the chaos programs that run until then.
#pragma once

#include <chrono>
#include <csignal>
#include <ctime>

namespace rts::chaos {

// Made first in main(), before any thread, so that all threads leave the signals to wait().
class UntilStopped {
 public:
  UntilStopped() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGINT);
    ::sigaddset(&signals_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  // False when the time has passed without a signal.
  [[nodiscard]] bool wait(std::chrono::milliseconds limit) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    const timespec patience{.tv_sec = seconds.count(),
                            .tv_nsec = (limit - seconds).count() * 1'000'000};
    return ::sigtimedwait(&signals_, nullptr, &patience) > 0;
  }
  void wait() const {
    while (!wait(std::chrono::hours(1))) {
    }
  }

 private:
  sigset_t signals_{};
};

}  // namespace rts::chaos
