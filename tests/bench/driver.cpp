#include "bench/driver.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/protocol_text.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kFrames = "binance.websocket.data";
constexpr std::string_view kOrders = "tradeengine.orders";
constexpr std::string_view kEnd = "\r\n";
constexpr SteadyClock::duration kTick = 100us;
constexpr auto kPatience = 20s;
// One write without a rate: large enough to cost little, small enough to look at answers between.
constexpr std::size_t kFramesPerWrite = 256;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Which frames are due when.
class Schedule {
 public:
  explicit Schedule(const Drive& drive)
      : drive_(drive), next_(drive.first), begun_(SteadyClock::now()) {
    if (drive.frames_per_second <= 0) return;
    tick_ = std::max(kTick, std::chrono::nanoseconds(std::llround(1e9 / drive.frames_per_second)));
    const double frames = drive.frames_per_second * std::chrono::duration<double>(tick_).count();
    frames_per_tick_ = static_cast<std::size_t>(std::max(1LL, std::llround(frames)));
  }

  // The end of what is due now; next() and what follows it.
  [[nodiscard]] std::size_t due() const {
    if (frames_per_tick_ == 0) return std::min(drive_.last, next_ + kFramesPerWrite);
    const auto ticks = static_cast<std::size_t>((SteadyClock::now() - begun_) / tick_) + 1;
    return std::min(drive_.last, drive_.first + ticks * frames_per_tick_);
  }
  [[nodiscard]] std::size_t next() const { return next_; }
  void published(std::size_t last) { next_ = last; }
  [[nodiscard]] bool over() const { return next_ == drive_.last; }
  // When there is more to do.
  [[nodiscard]] SteadyClock::time_point again_at() const {
    if (frames_per_tick_ == 0) return begun_;
    return begun_ + tick_ * static_cast<std::int64_t>((next_ - drive_.first) / frames_per_tick_);
  }
  [[nodiscard]] SteadyClock::duration passed() const { return SteadyClock::now() - begun_; }

 private:
  Drive drive_;
  std::size_t next_;
  SteadyClock::time_point begun_;
  SteadyClock::duration tick_{};
  std::size_t frames_per_tick_ = 0;
};

}  // namespace

// --- Load ---------------------------------------------------------------------------------------

void Load::add(std::string_view frame) {
  fmt::format_to(std::back_inserter(bytes_), "PUB {} {}\r\n{}\r\n", kFrames, frame.size(), frame);
  begins_.push_back(bytes_.size());
}

void Load::add_marked(std::string_view frame, std::string id) {
  marks_.push_back({size(), std::move(id)});
  add(frame);
}

std::string_view Load::bytes(std::size_t first, std::size_t last) const {
  return std::string_view(bytes_).substr(begins_[first], begins_[last] - begins_[first]);
}

// --- Driver -------------------------------------------------------------------------------------

Driver::Driver(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // else the kernel wakes us up to 50 µs late
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = ::htons(port);
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  send(
      fmt::format("CONNECT {{\"verbose\":false,\"headers\":true,\"no_responders\":true}}\r\n"
                  "SUB {} 1\r\nPING\r\n",
                  kOrders));
  while (!ponged_) {
    if (!wait_until(SteadyClock::now() + kPatience)) throw std::runtime_error("no broker");
    receive();
  }
}

Driver::~Driver() { ::close(fd_); }

Driven Driver::run(const Load& load, const Drive& drive) {
  auto mark = std::partition_point(load.marks().begin(), load.marks().end(),
                                   [&](const Load::Mark& m) { return m.frame < drive.first; });
  Driven driven;
  awaited_.clear();
  latencies_.clear();
  Schedule schedule(drive);
  while (!schedule.over() || !awaited_.empty()) {
    if (const std::size_t due = schedule.due(); due > schedule.next()) {
      const auto now = SteadyClock::now();
      for (; mark != load.marks().end() && mark->frame < due; ++mark) {
        awaited_.push_back({mark->id, now});
      }
      send(load.bytes(schedule.next(), due));
      schedule.published(due);
      if (schedule.over()) driven.publishing = schedule.passed();
    }
    if (!schedule.over()) {
      if (wait_until(schedule.again_at())) receive();
    } else if (!awaited_.empty()) {
      if (!wait_until(SteadyClock::now() + kPatience)) {
        throw NoAnswer(fmt::format("no answer to {} frames, the first is {}", awaited_.size(),
                                   awaited_.front().id));
      }
      receive();
    }
  }
  driven.answered = schedule.passed();
  driven.latencies = std::move(latencies_);
  return driven;
}

void Driver::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) fail("send");
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Whether there is something to read, at last at that time.
bool Driver::wait_until(SteadyClock::time_point at) const {
  const auto left = std::max(SteadyClock::duration::zero(), at - SteadyClock::now());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec timeout{seconds.count(), (left - seconds).count()};
  pollfd waiting{fd_, POLLIN, 0};
  return ::ppoll(&waiting, 1, &timeout, nullptr) > 0;
}

void Driver::receive() {
  const ssize_t count = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
  arrived_at_ = SteadyClock::now();
  if (count < 0 && errno == EINTR) return;
  if (count <= 0) throw std::runtime_error("the broker has ended the connection");
  arrived_.append(buffer_.data(), static_cast<std::size_t>(count));
  while (take_one()) {
  }
  arrived_.erase(0, std::exchange(taken_, 0));
}

bool Driver::take_one() {
  const std::string_view rest = std::string_view(arrived_).substr(taken_);
  const std::size_t line_end = rest.find(kEnd);
  if (line_end == std::string_view::npos) return false;
  const std::string_view line = rest.substr(0, line_end);
  std::size_t end = line_end + kEnd.size();
  if (line.starts_with("MSG ") || line.starts_with("HMSG ")) {
    const std::size_t size = number(words(line).back());
    if (rest.size() < end + size + kEnd.size()) return false;
    take_answer(rest.substr(end, size));
    end += size + kEnd.size();
  } else if (line == "PING") {
    send("PONG\r\n");
  } else if (line == "PONG") {
    ponged_ = true;
  } else if (line.starts_with("-ERR")) {
    throw std::runtime_error(fmt::format("the broker says {}", line));
  }
  taken_ += end;
  return true;
}

// What answers none of ours is the service's usual business.
void Driver::take_answer(std::string_view payload) {
  if (awaited_.empty() || payload.find(awaited_.front().id) == std::string_view::npos) return;
  latencies_.emplace_back(arrived_at_ - awaited_.front().sent_at);
  awaited_.pop_front();
}

}  // namespace rts::test
