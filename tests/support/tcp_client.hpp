// A plain TCP client of 127.0.0.1 with deadlines, for what no decent HTTP client would do.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/deadline.hpp"

namespace rts::test {

class TcpClient {
 public:
  explicit TcpClient(std::uint16_t port, int receive_buffer_bytes = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = ::htons(port);
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~TcpClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  TcpClient(TcpClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        heard_(std::move(other.heard_)) {}
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;
  TcpClient& operator=(TcpClient&&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  // Hands over what the socket takes at once; false when the other side has closed.
  bool say(std::string_view bytes) const {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n >= 0 || errno == EAGAIN || errno == EINTR;
  }
  void finish() const { ::shutdown(fd_, SHUT_WR); }

  // Reads until the text is there; false when the end or the deadline came first.
  bool hear(std::string_view text, std::chrono::milliseconds limit) {
    const Deadline deadline(limit);
    while (heard_.find(text) == std::string::npos) {
      if (!receive(deadline)) return false;
    }
    return true;
  }
  // Everything until the other side closes; false when the deadline came first.
  bool hear_the_end(std::chrono::milliseconds limit) {
    const Deadline deadline(limit);
    while (receive(deadline)) {
    }
    return ended_;
  }
  [[nodiscard]] const std::string& heard() const { return heard_; }

 private:
  bool receive(const Deadline& deadline) {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(deadline.remaining().count())) <= 0) return false;
    std::array<char, 65536> bytes{};
    const ssize_t n = ::recv(fd_, bytes.data(), bytes.size(), 0);
    ended_ = n <= 0;
    if (n > 0) heard_.append(bytes.data(), static_cast<std::size_t>(n));
    return n > 0;
  }

  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string heard_;
};

}  // namespace rts::test
