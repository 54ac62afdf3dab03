// The last line of a process that a bug ends. On SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, which
// std::terminate raises, one line of the log's format is written to the log's descriptor:
// `crashed`, with the signal, version, commit, and symbol, id and time of the event that was being
// decided, or was last. Then the signal ends the process as if nobody had handled it, so that its
// exit status and core dump are its own.
//
// A signal that somebody else handles already, as sanitizers do, stays theirs.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include <rts/engine/engine.hpp>

#include "telemetry/log.hpp"

namespace rts::telemetry {

class CrashReport {
 public:
  // Both must outlive it. One at a time in a process, made by the thread that steps the engine:
  // that thread gets a stack for the handler, so that it also reports that its own has run out.
  CrashReport(const Log& log, const Engine& engine);
  // The signals have their default action again.
  ~CrashReport();
  CrashReport(const CrashReport&) = delete;
  CrashReport& operator=(const CrashReport&) = delete;
  CrashReport(CrashReport&&) = delete;
  CrashReport& operator=(CrashReport&&) = delete;

 private:
  static void on_signal(int number);
  void write_line(int number);

  // A handler reaches nothing but what is static.
  static inline std::atomic<CrashReport*> installed{nullptr};
  static_assert(decltype(installed)::is_always_lock_free);

  const Log& log_;
  const Engine& engine_;
  // Made beforehand, for the heap may be what is broken, and its lock be held.
  std::string line_;
  std::string event_time_;
  std::vector<std::byte> stack_;
};

}  // namespace rts::telemetry
