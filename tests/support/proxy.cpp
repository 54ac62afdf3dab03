#include "support/proxy.hpp"

#include <array>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rts::test {
namespace {

constexpr int kPollMs = 2;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = ::htons(port);
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  return address;
}

bool has_input(int fd, int timeout_ms) {
  pollfd descriptor{fd, POLLIN, 0};
  return ::poll(&descriptor, 1, timeout_ms) == 1;
}

}  // namespace

Proxy::Proxy(std::uint16_t to_port) : to_port_(to_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ::ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
  ending_ = true;
  thread_.join();
  ::close(listener_);
}

std::string Proxy::url() const {
  return "nats://127.0.0.1:" + std::to_string(port_);
}

// One connection after the other; each ends when either side closes it.
void Proxy::run() {
  while (!ending_) {
    if (!has_input(listener_, kPollMs)) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int broker = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(to_port_);
    bool open = ::connect(broker, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    while (open && !ending_) {
      std::array<pollfd, 2> sides{pollfd{broker, POLLIN, 0},
                                  pollfd{client, static_cast<short>(held_ ? 0 : POLLIN), 0}};
      if (::poll(sides.data(), sides.size(), kPollMs) <= 0) continue;
      if (sides[0].revents != 0) open = forward(broker, client);
      if (open && (sides[1].revents & POLLIN) != 0 && !held_) open = forward(client, broker);
      if ((sides[1].revents & (POLLHUP | POLLERR)) != 0 && held_) open = false;
    }
    ::close(client);
    ::close(broker);
  }
}

bool Proxy::forward(int from, int to) {
  std::array<char, 65536> buffer{};
  const ssize_t n = ::recv(from, buffer.data(), buffer.size(), 0);
  return n > 0 && ::send(to, buffer.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL) == n;
}

}  // namespace rts::test
