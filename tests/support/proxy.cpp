#include "support/proxy.hpp"

#include <array>
#include <deque>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rts::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTickMs = 1;
constexpr std::size_t kMaxWaitingBytes = std::size_t{1} << 20U;  // then the sender has to wait

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = ::htons(port);
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  return address;
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

void set_no_delay(int fd) {
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void reset_on_close(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

constexpr std::int64_t kNoBudget = std::numeric_limits<std::int64_t>::max();

// Bytes on their way from one socket to another.
class Direction {
 public:
  Direction(int from, int to) : from_(from), to_(to) {}

  [[nodiscard]] bool has_room() const { return waiting_bytes_ < kMaxWaitingBytes; }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

  // Reads what is there; false at the end. `pass` sees the bytes first.
  template <class Pass>
  [[nodiscard]] bool take(std::chrono::milliseconds latency, Pass pass) {
    std::array<char, 65536> buffer{};
    const ssize_t n = ::recv(from_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (n < 0) return true;
    std::string bytes = pass(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
    if (bytes.empty()) return true;
    waiting_bytes_ += bytes.size();
    waiting_.push_back({Clock::now() + latency, std::move(bytes)});
    return true;
  }

  // Writes what is due, of `budget` bytes at most; false when the other side is gone.
  [[nodiscard]] bool give(const PathFaults& faults, std::int64_t& budget) {
    const auto now = Clock::now();
    while (!waiting_.empty() && waiting_.front().due <= now) {
      if (faults.slice_bytes > 0 && now - last_write_ < std::chrono::milliseconds(kTickMs)) break;
      const std::size_t most = std::min(allowed(faults, now), static_cast<std::size_t>(budget));
      if (most == 0) break;
      std::string& bytes = waiting_.front().bytes;
      const ssize_t n =
          ::send(to_, bytes.data(), std::min(bytes.size(), most), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0) return errno == EAGAIN || errno == EINTR;
      last_write_ = now;
      credit_ -= static_cast<double>(n);
      if (budget != kNoBudget) budget -= n;
      waiting_bytes_ -= static_cast<std::size_t>(n);
      bytes.erase(0, static_cast<std::size_t>(n));
      if (bytes.empty()) waiting_.pop_front();
    }
    return true;
  }

 private:
  struct Chunk {
    Clock::time_point due;
    std::string bytes;
  };

  // How much one write may carry now: a bandwidth fills a bucket of a tenth of a second.
  [[nodiscard]] std::size_t allowed(const PathFaults& faults, Clock::time_point now) {
    std::size_t most = faults.slice_bytes > 0 ? faults.slice_bytes : kMaxWaitingBytes;
    if (faults.bytes_per_second == 0) return most;
    const double rate = static_cast<double>(faults.bytes_per_second);
    const double passed = std::chrono::duration<double>(now - filled_).count();
    credit_ = std::min(credit_ + passed * rate, std::max(1.0, rate / 10));
    filled_ = now;
    return std::min(most, static_cast<std::size_t>(std::max(0.0, credit_)));
  }

  int from_;
  int to_;
  std::deque<Chunk> waiting_;
  std::size_t waiting_bytes_ = 0;
  Clock::time_point last_write_{};
  Clock::time_point filled_ = Clock::now();
  double credit_ = 0;
};

class Connection {
 public:
  Connection(int client, int broker, std::optional<AckEater> eater)
      : client_(client),
        broker_(broker),
        eater_(std::move(eater)),
        to_broker_(client, broker),
        to_client_(broker, client) {
    set_no_delay(client);
    set_no_delay(broker);
  }
  ~Connection() {
    ::close(client_);
    ::close(broker_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  void reset() {
    reset_on_close(client_);
    reset_on_close(broker_);
  }
  // Which sockets to wait for; also when held, so that a side that leaves is seen.
  void wanted(const PathFaults& faults, std::vector<pollfd>& sockets) const {
    const auto events = [](bool held, const Direction& direction) {
      if (held) return static_cast<short>(POLLRDHUP);
      return static_cast<short>(direction.has_room() ? POLLIN : 0);
    };
    sockets.push_back({client_, events(faults.hold_client, to_broker_), 0});
    sockets.push_back({broker_, events(faults.hold_broker, to_client_), 0});
  }

  // False when it has ended.
  [[nodiscard]] bool step(const PathFaults& faults, const pollfd& client, const pollfd& broker,
                          std::int64_t& broker_budget, std::uint64_t& eaten) {
    const auto untouched = [](std::string_view bytes) { return std::string(bytes); };
    const auto filtered = [&](std::string_view bytes) {
      greeted_ = greeted_ || bytes.find('\n') != std::string_view::npos;
      if (!eater_) return std::string(bytes);
      const std::uint64_t before = eater_->eaten();
      std::string left = eater_->pass(bytes);
      eaten += eater_->eaten() - before;
      return left;
    };
    bool open = true;
    if ((client.revents & POLLIN) != 0) open = to_broker_.take(faults.latency, untouched);
    if ((broker.revents & POLLIN) != 0) open = to_client_.take(faults.latency, filtered) && open;
    // A side that has left while its bytes are held up takes them with it.
    constexpr int kLeft = POLLRDHUP | POLLHUP | POLLERR;
    if ((client.revents & kLeft) != 0 && faults.hold_client) open = false;
    if ((broker.revents & kLeft) != 0 && faults.hold_broker) open = false;
    std::int64_t unlimited = kNoBudget;
    if (!faults.hold_client) open = to_broker_.give(faults, unlimited) && open;
    if (!faults.hold_broker) open = to_client_.give(faults, broker_budget) && open;
    return open && !(faults.cut_after_info && greeted_ && to_client_.empty());
  }

 private:
  int client_;
  int broker_;
  std::optional<AckEater> eater_;
  Direction to_broker_;
  Direction to_client_;
  bool greeted_ = false;
};

}  // namespace

class Proxy::Work {
 public:
  explicit Work(std::uint16_t to_port) : to_port_(to_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 128) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("the proxy cannot listen");
    }
    port = ::ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Work() {
    ending_ = true;
    thread_.join();
    ::close(listener_);
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  Work(Work&&) = delete;
  Work& operator=(Work&&) = delete;

  std::uint16_t port = 0;
  std::atomic<std::uint64_t> eaten{0};
  std::atomic<std::uint64_t> accepted{0};

  void set(const PathFaults& faults) {
    const std::lock_guard lock(mutex_);
    faults_ = faults;
  }
  void eat_acks(const AckEaterOptions& options) {
    const std::lock_guard lock(mutex_);
    eating_ = options;
  }
  void reset() { resetting_ = true; }
  void allow_broker(std::int64_t bytes) { broker_budget_ = bytes; }

 private:
  [[nodiscard]] PathFaults faults() {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

  void accept() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int broker = connect_to(to_port_);
    if (broker < 0) {
      reset_on_close(client);
      ::close(client);
      return;
    }
    ++accepted;
    broker_budget_ = kNoBudget;
    std::optional<AckEater> eater;
    const std::lock_guard lock(mutex_);
    if (eating_) {
      AckEaterOptions options = *eating_;
      options.seed += accepted;
      eater.emplace(std::move(options));
    }
    connections_.emplace_back(client, broker, std::move(eater));
  }

  void run() {
    std::vector<pollfd> sockets;
    while (!ending_) {
      const PathFaults before = faults();
      sockets.assign(1, {listener_, POLLIN, 0});
      for (const Connection& connection : connections_) connection.wanted(before, sockets);
      ::poll(sockets.data(), sockets.size(), kTickMs);
      const PathFaults now = faults();  // whoever sets them expects them to hold from then on
      std::uint64_t eaten_now = 0;
      std::size_t at = 1;
      const bool reset_all = resetting_.exchange(false);
      for (auto it = connections_.begin(); it != connections_.end(); at += 2) {
        if (reset_all) it->reset();
        const std::int64_t budget = broker_budget_;
        std::int64_t left = budget;
        const bool open =
            it->step(now, sockets[at], sockets[at + 1], left, eaten_now) && !reset_all;
        if (budget != kNoBudget) broker_budget_ -= budget - left;
        it = open ? std::next(it) : connections_.erase(it);
      }
      eaten += eaten_now;
      if (sockets.front().revents != 0) accept();
    }
  }

  std::uint16_t to_port_;
  int listener_ = -1;
  std::atomic<bool> ending_{false};
  std::atomic<bool> resetting_{false};
  std::atomic<std::int64_t> broker_budget_{kNoBudget};
  std::mutex mutex_;
  PathFaults faults_;
  std::optional<AckEaterOptions> eating_;
  std::list<Connection> connections_;  // the thread's own
  std::thread thread_;
};

Proxy::Proxy(std::uint16_t to_port) : work_(std::make_unique<Work>(to_port)) {
  port_ = work_->port;
}

Proxy::~Proxy() = default;

std::string Proxy::url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

void Proxy::set(const PathFaults& faults) { work_->set(faults); }

void Proxy::reset_connections() { work_->reset(); }

void Proxy::eat_acks(const AckEaterOptions& options) { work_->eat_acks(options); }

void Proxy::stop_broker_after(std::int64_t bytes) { work_->allow_broker(bytes); }

void Proxy::let_broker_go_on() { work_->allow_broker(kNoBudget); }

std::uint64_t Proxy::acks_eaten() const { return work_->eaten; }

std::uint64_t Proxy::connections() const { return work_->accepted; }

}  // namespace rts::test
