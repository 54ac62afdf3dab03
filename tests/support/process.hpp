// A child process that cannot outlive its test.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace rts::test {

// A TCP port of 127.0.0.1 that was free a moment ago. Somebody else may take it: what starts on it
// has to be ready to try another (NatsServer is).
std::uint16_t free_port();

struct ProcessOptions {
  std::map<std::string, std::string> env;  // added to, or instead of, what the test has
  bool inherit_env = true;
  bool capture_stdout = false;  // else the test's own
  bool capture_stderr = false;
};

// How a process ended.
struct ExitStatus {
  bool exited = false;  // by itself, not by a signal
  int code = 0;         // the exit code, or the signal's number
};

class Process {
 public:
  // Starts argv[0], found in PATH; it inherits no file descriptor but 1 and 2, and reads nothing:
  // the test's input may be a terminal, which some programs would change. Dies with the thread that
  // made it (PR_SET_PDEATHSIG). Throws std::system_error when it cannot be started.
  explicit Process(std::vector<std::string> argv, const ProcessOptions& options = {});
  // SIGKILL, by pid, and waits. In a build that counts coverage SIGTERM first.
  ~Process();
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const;
  bool running();
  // Does nothing when it has already been waited for.
  void signal(int number);
  void suspend();  // SIGSTOP; all its threads stand still when this returns
  void resume();   // SIGCONT
  // Empty when it has not ended within the limit; after it has, out() and err() are complete.
  std::optional<ExitStatus> wait(std::chrono::milliseconds limit);

  // What it has written so far to a captured stream; a thread keeps reading, so it never blocks.
  std::string out() const;
  std::string err() const;
  // Waits until a captured stream contains the text; false when it did not within the limit.
  bool wait_for_out(std::string_view text, std::chrono::milliseconds limit) const;
  bool wait_for_err(std::string_view text, std::chrono::milliseconds limit) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rts::test
