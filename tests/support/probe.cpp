#include "support/probe.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/fault_report.hpp"
#include "support/usage.hpp"

namespace rts::test {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr auto kPause = 1ms;                // between two questions, so that the prober is no load
constexpr timespec kLookEvery{0, 200'000};  // at the loop's thread while an answer is due
constexpr auto kPatience = 5s;

// Adds up how long a thread is seen in one and the same sleep.
class SleepWatch {
 public:
  explicit SleepWatch(pid_t thread) : thread_(thread) {}

  void look() {
    const auto now = Clock::now();
    const std::uint64_t sleep = sleep_of(thread_).value_or(kAwake);
    if (sleep != kAwake && sleep == last_sleep_) asleep_ += now - last_look_;
    last_sleep_ = sleep;
    last_look_ = now;
  }
  [[nodiscard]] std::chrono::nanoseconds asleep() const { return asleep_; }

 private:
  static constexpr std::uint64_t kAwake = std::numeric_limits<std::uint64_t>::max();

  pid_t thread_;
  std::uint64_t last_sleep_ = kAwake;
  Clock::time_point last_look_;
  std::chrono::nanoseconds asleep_{0};
};

// A connection that is kept; asks again over a new one when it was closed.
class Asker {
 public:
  explicit Asker(std::uint16_t port) : port_(port) {}
  ~Asker() { hang_up(); }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  Asker(Asker&&) = delete;
  Asker& operator=(Asker&&) = delete;

  // False when there was no answer, or another than 200.
  bool ask(SleepWatch& watch) {
    if (fd_ < 0 && !dial()) return false;
    constexpr auto kRequest = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"sv;
    if (::send(fd_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0 && await_answer(watch)) {
      // Head and body are a few dozen bytes, sent at once.
      const ssize_t n = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
      const std::string_view answer(buffer_.data(),
                                    static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
      if (answer.starts_with("HTTP/1.1 200")) return true;
    }
    hang_up();
    return false;
  }

 private:
  bool await_answer(SleepWatch& watch) const {
    const auto deadline = Clock::now() + kPatience;
    pollfd readable{fd_, POLLIN, 0};
    while (::ppoll(&readable, 1, &kLookEvery, nullptr) <= 0) {
      if (Clock::now() > deadline) return false;
      watch.look();
    }
    return true;
  }
  bool dial() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = ::htons(port_);
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return true;
    }
    hang_up();
    return false;
  }
  void hang_up() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  std::uint16_t port_;
  int fd_ = -1;
  std::array<char, 4096> buffer_{};
};

}  // namespace

LoopProbe::LoopProbe(std::uint16_t http_port, pid_t loop) : port_(http_port), loop_(loop) {
  thread_ = std::thread([this] { run(); });
}

LoopProbe::~LoopProbe() { (void)stop(); }

LoopProbe::Result LoopProbe::stop() {
  ending_ = true;
  if (thread_.joinable()) thread_.join();
  if (!blocked_.empty()) {
    const auto at =
        blocked_.begin() + static_cast<std::ptrdiff_t>((blocked_.size() - 1) * 999 / 1000);
    std::nth_element(blocked_.begin(), at, blocked_.end());
    result_.blocked_mostly = *at;
  }
  return result_;
}

std::string LoopProbe::Result::text() const {
  return fmt::format("blocked {} (99.9 %: {}, seen {})", text_of(blocked), text_of(blocked_mostly),
                     text_of(seen));
}

void LoopProbe::run() {
  Asker asker(port_);
  auto due = Clock::now();
  while (!ending_) {
    SleepWatch watch(loop_);
    const auto asked = Clock::now();
    const bool answered = asker.ask(watch);
    const std::chrono::nanoseconds took = Clock::now() - asked;
    ++(answered ? result_.answers : result_.failures);
    result_.blocked = std::max(result_.blocked, watch.asleep());
    blocked_.push_back(watch.asleep());
    result_.seen = std::max(result_.seen, took);
    due = std::max(due + kPause, Clock::now());
    std::this_thread::sleep_until(due);
  }
}

}  // namespace rts::test
