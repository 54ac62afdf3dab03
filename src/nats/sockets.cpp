#include "nats/sockets.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#include <rts/base/text.hpp>

#include "nats/handles.hpp"

namespace rts::nats {
namespace {

using boost::asio::ip::tcp;

constexpr int kUserTimeoutMs = 2000;
constexpr int kKeepAliveSeconds = 2;
constexpr int kKeepAliveProbes = 2;
constexpr timeval kReadWait{.tv_sec = 0, .tv_usec = 100'000};

// Only we set this timeout, and only after the handshake.
bool is_tuned(int fd) {
  int timeout_ms = 0;
  socklen_t size = sizeof timeout_ms;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &size) == 0 &&
         timeout_ms == kUserTimeoutMs;
}

// Calls visit(fd) for each socket of this process that is in a handshake with one of the endpoints.
// The descriptor is a duplicate: it stays the same socket whatever its owner closes meanwhile.
template <typename Visit>
void visit_attempts(std::span<const Endpoint> endpoints, Visit visit) {
  using std::filesystem::directory_iterator;
  std::error_code error;
  for (directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    const auto number = parse_as<int>(name);
    if (!number) continue;
    const UniqueFd fd(::fcntl(*number, F_DUPFD_CLOEXEC, 0));
    tcp::endpoint peer;
    socklen_t length = static_cast<socklen_t>(peer.capacity());
    if (::getpeername(fd.get(), peer.data(), &length) == 0 && !is_tuned(fd.get()) &&
        std::any_of(endpoints.begin(), endpoints.end(),
                    [&peer](const Endpoint& endpoint) { return endpoint.address == peer; })) {
      visit(fd.get());
    }
  }
}

template <typename Value>
bool set_option(int fd, int level, int name, Value value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

}  // namespace

std::vector<Endpoint> resolve(const std::vector<Secret>& urls, std::string& error) {
  boost::asio::io_context io;
  tcp::resolver resolver(io);
  std::vector<Endpoint> all;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const auto url = config::parse_broker_url(urls[i].reveal());
    if (!url) {
      error = fmt::format("server url number {} is not a valid nats url", i + 1);
      continue;
    }
    boost::system::error_code failed;
    const auto found = resolver.resolve(url->host, std::to_string(url->port), failed);
    if (found.empty()) error = fmt::format("{}: name does not resolve", url->display());
    for (const auto& entry : found) all.push_back({*url, entry.endpoint()});
  }
  return all;
}

void slow_down_attempts(std::span<const Endpoint> endpoints) {
  visit_attempts(endpoints, [](int fd) {
    set_option(fd, SOL_SOCKET, SO_RCVTIMEO, kReadWait);
    ::fcntl(fd, F_SETFL, 0);
  });
}

void shut_down_attempts(std::span<const Endpoint> endpoints) {
  visit_attempts(endpoints, [](int fd) { ::shutdown(fd, SHUT_RDWR); });
}

void deliver_after_close(int fd) {
  set_option(fd, SOL_SOCKET, SO_LINGER, linger{.l_onoff = 0, .l_linger = 0});
}

void discard_unsent(int fd) {
  const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
  std::ignore = ::connect(fd, &none, sizeof none);
}

bool tune_socket(int fd) {
  return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
         set_option(fd, SOL_SOCKET, SO_LINGER, linger{.l_onoff = 1, .l_linger = 0}) &&
         set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) &&
         set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveSeconds) &&
         set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveSeconds) &&
         set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes) &&
         set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

}  // namespace rts::nats
