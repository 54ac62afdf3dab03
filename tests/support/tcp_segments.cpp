#include "support/tcp_segments.hpp"

#include <cerrno>
#include <system_error>

#include <linux/tcp.h>
#include <sys/socket.h>

namespace rts::test {

std::uint32_t data_segments_received(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  constexpr int kProtocol = 6;  // IPPROTO_TCP, whose header is one of those
  if (::getsockopt(fd, kProtocol, TCP_INFO, &info, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "TCP_INFO");
  }
  return info.tcpi_data_segs_in;
}

}  // namespace rts::test
