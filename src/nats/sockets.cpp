#include "nats/sockets.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <tuple>

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <rts/base/text.hpp>

#include "nats/handles.hpp"

namespace rts::nats {
namespace {

constexpr int kUserTimeoutMs = 2000;
constexpr int kKeepAliveSeconds = 2;
constexpr int kKeepAliveProbes = 2;
// TLS, RFC 8446 §5.1: a byte for the type, two for the version, two for the length of the rest.
constexpr int kRecordHeaderBytes = 5;
constexpr unsigned char kFirstRecordType = 20;  // change_cipher_spec
constexpr unsigned char kLastRecordType = 23;   // application_data
constexpr timeval kReadWait{.tv_sec = 0, .tv_usec = 100'000};

struct Socket {
  UniqueFd fd;  // a duplicate: the socket stays itself whatever its owner closes meanwhile
  ino_t inode = 0;
};

std::vector<Socket> find_sockets(std::span<const Endpoint> endpoints) {
  std::vector<Socket> found;
  const std::unique_ptr<DIR, Destroyer<::closedir>> directory(::opendir("/proc/self/fd"));
  if (!directory) return found;
  while (const dirent* entry = ::readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
    const auto number = parse_as<int>(entry->d_name, 0);
    if (!number) continue;
    Socket socket{.fd = UniqueFd(::fcntl(*number, F_DUPFD_CLOEXEC, 0))};
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (::getpeername(socket.fd.get(), reinterpret_cast<sockaddr*>(&peer), &length) != 0) continue;
    const bool ours = std::any_of(
        endpoints.begin(), endpoints.end(),
        [&peer](const Endpoint& endpoint) { return same_address(endpoint.address, peer); });
    struct stat status {};
    if (!ours || ::fstat(socket.fd.get(), &status) != 0) continue;
    socket.inode = status.st_ino;
    found.push_back(std::move(socket));
  }
  return found;
}

// Only we set this timeout, and only after the handshake.
bool is_tuned(int fd) {
  int timeout_ms = 0;
  socklen_t size = sizeof timeout_ms;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &size) == 0 &&
         timeout_ms == kUserTimeoutMs;
}

std::vector<Socket> find_attempts(std::span<const Endpoint> endpoints,
                                  std::span<const ino_t> older) {
  std::vector<Socket> found = find_sockets(endpoints);
  std::erase_if(found, [older](const Socket& socket) {
    return std::find(older.begin(), older.end(), socket.inode) != older.end() ||
           is_tuned(socket.fd.get());
  });
  return found;
}

template <typename Value>
bool set_option(int fd, int level, int name, Value value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

}  // namespace

std::vector<ino_t> sockets_to(std::span<const Endpoint> endpoints) {
  std::vector<ino_t> inodes;
  for (const Socket& socket : find_sockets(endpoints)) inodes.push_back(socket.inode);
  return inodes;
}

void slow_down_sockets_to(std::span<const Endpoint> endpoints, std::span<const ino_t> older) {
  for (const Socket& socket : find_attempts(endpoints, older)) {
    ::setsockopt(socket.fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kReadWait, sizeof kReadWait);
    set_nonblocking(socket.fd.get(), false);
  }
}

void shut_down_sockets_to(std::span<const Endpoint> endpoints, std::span<const ino_t> older) {
  for (const Socket& socket : find_attempts(endpoints, older)) {
    ::shutdown(socket.fd.get(), SHUT_RDWR);
  }
}

bool set_nonblocking(int fd, bool nonblocking) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 &&
         ::fcntl(fd, F_SETFL, nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0;
}

void set_readable_at(int fd, int bytes) {
  set_option(fd, SOL_SOCKET, SO_RCVLOWAT, bytes);
}

void deliver_after_close(int fd) {
  set_option(fd, SOL_SOCKET, SO_LINGER, linger{.l_onoff = 0, .l_linger = 0});
}

void discard_unsent(int fd) {
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  std::ignore = ::connect(fd, &nobody, sizeof nobody);
}

bool is_writable(int fd) {
  pollfd descriptor{fd, POLLOUT, 0};
  return ::poll(&descriptor, 1, 0) == 1;
}

std::optional<bool> begins_tls_record(int fd) {
  unsigned char type = 0;
  if (::recv(fd, &type, 1, MSG_PEEK | MSG_DONTWAIT) != 1) return {};
  return type >= kFirstRecordType && type <= kLastRecordType;
}

int bytes_of_partial_tls_record(int fd) {
  std::array<unsigned char, kRecordHeaderBytes> header{};
  const ssize_t peeked = ::recv(fd, header.data(), header.size(), MSG_PEEK | MSG_DONTWAIT);
  if (peeked < kRecordHeaderBytes) return kRecordHeaderBytes;
  const int record = kRecordHeaderBytes + (header[3] << 8U | header[4]);
  int there = 0;
  return ::ioctl(fd, FIONREAD, &there) == 0 && there >= record ? 0 : record;
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
