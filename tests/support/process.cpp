#include "support/process.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/deadline.hpp"

namespace rts::test {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Reads one pipe to its end on a thread.
class Capture {
 public:
  Capture() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
    read_end_ = ends[0];
    write_end_ = ends[1];
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  Capture(Capture&&) = delete;
  Capture& operator=(Capture&&) = delete;
  ~Capture() {
    close_write_end();
    if (reader_.joinable()) reader_.join();
    ::close(read_end_);
  }

  int write_end() const { return write_end_; }
  void close_write_end() {
    if (write_end_ >= 0) ::close(std::exchange(write_end_, -1));
  }
  void start() {
    close_write_end();
    reader_ = std::thread([this] { read_all(); });
  }
  bool at_end() const { return at_end_; }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  void read_all() {
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t count = ::read(read_end_, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        at_end_ = true;
        return;
      }
      const std::lock_guard lock(mutex_);
      text_.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  int read_end_ = -1;
  int write_end_ = -1;
  std::thread reader_;
  std::atomic<bool> at_end_{false};
  mutable std::mutex mutex_;
  std::string text_;
};

std::vector<std::string> environment(const ProcessOptions& options) {
  std::map<std::string, std::string> merged;
  for (char** entry = environ; options.inherit_env && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    merged.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  for (const auto& [name, value] : options.env) merged.insert_or_assign(name, value);
  std::vector<std::string> lines;
  lines.reserve(merged.size());
  for (const auto& [name, value] : merged) lines.emplace_back(name).append("=").append(value);
  return lines;
}

// The null-terminated array that exec wants; valid as long as the strings are.
std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Between fork and exec: only what is safe in a child of a process with threads.
[[noreturn]] void become(char** argv, char** envp, int out, int err, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  if (out >= 0) ::dup2(out, STDOUT_FILENO);
  if (err >= 0) ::dup2(err, STDERR_FILENO);
  ::close_range(3, ~0U, 0);  // a client's socket in a broker's hands would never seem closed
  ::execvpe(argv[0], argv, envp);
  ::_exit(127);
}

}  // namespace

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  if (!bound) fail("bind");
  return ::ntohs(address.sin_port);
}

struct Process::State {
  pid_t pid = -1;
  std::optional<ExitStatus> ended;
  std::unique_ptr<Capture> out;
  std::unique_ptr<Capture> err;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(State&&) = delete;
  State& operator=(State&&) = delete;
  ~State() {
    if (pid <= 0 || ended) return;
#ifdef RTS_COUNTED
    // What is killed writes no counters of coverage. A process that stands still, or waits for
    // somebody who does not answer, is killed nevertheless.
    ::kill(pid, SIGTERM);
    const auto has_ended = [this] {
      poll();
      return ended.has_value();
    };
    if (eventually(has_ended, std::chrono::seconds(3))) return;
#endif
    ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
  }

  void poll() {
    int status = 0;
    if (ended || ::waitpid(pid, &status, WNOHANG) != pid) return;
    ended = WIFEXITED(status) ? ExitStatus{.exited = true, .code = WEXITSTATUS(status)}
                              : ExitStatus{.exited = false, .code = WTERMSIG(status)};
  }
};

Process::Process(std::vector<std::string> argv, const ProcessOptions& options)
    : state_(std::make_unique<State>()) {
  if (options.capture_stdout) state_->out = std::make_unique<Capture>();
  if (options.capture_stderr) state_->err = std::make_unique<Capture>();
  const int out = state_->out ? state_->out->write_end() : -1;
  const int err = state_->err ? state_->err->write_end() : -1;
  std::vector<std::string> env = environment(options);
  const std::vector<char*> arguments = pointers(argv);
  const std::vector<char*> variables = pointers(env);
  const pid_t parent = ::getpid();
  state_->pid = ::fork();
  if (state_->pid < 0) fail("fork");
  if (state_->pid == 0) {
    become(const_cast<char**>(arguments.data()), const_cast<char**>(variables.data()), out, err,
           parent);
  }
  if (state_->out) state_->out->start();
  if (state_->err) state_->err->start();
}

Process::~Process() = default;
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;

pid_t Process::pid() const { return state_->pid; }

bool Process::running() {
  state_->poll();
  return !state_->ended;
}

void Process::signal(int number) {
  if (running()) ::kill(state_->pid, number);
}

void Process::suspend() {
  if (!running()) return;
  ::kill(state_->pid, SIGSTOP);
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(state_->pid), &info, WSTOPPED | WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
}

void Process::resume() { signal(SIGCONT); }

std::optional<ExitStatus> Process::wait(std::chrono::milliseconds limit) {
  const auto read_whole = [](const std::unique_ptr<Capture>& capture) {
    return !capture || capture->at_end();
  };
  if (eventually([this] { return !running(); }, limit)) {
    // What it wrote last may still be in the pipe; a child of its own may hold the pipe open.
    (void)eventually([&] { return read_whole(state_->out) && read_whole(state_->err); },
                     std::chrono::seconds(1));
  }
  return state_->ended;
}

std::string Process::out() const { return state_->out ? state_->out->text() : std::string(); }
std::string Process::err() const { return state_->err ? state_->err->text() : std::string(); }

bool Process::wait_for_out(std::string_view text, std::chrono::milliseconds limit) const {
  return eventually([&] { return out().find(text) != std::string::npos; }, limit);
}

bool Process::wait_for_err(std::string_view text, std::chrono::milliseconds limit) const {
  return eventually([&] { return err().find(text) != std::string::npos; }, limit);
}

}  // namespace rts::test
