// How a peer's writes arrived, as the kernel counts. Apart from the rest because the kernel's own
// header for it does not get on with those of other libraries.
#pragma once

#include <cstdint>

namespace rts::test {

// TCP segments with data that a connection has received so far. On loopback each write of at most
// 64 KiB is one, when Nagle's algorithm is off.
[[nodiscard]] std::uint32_t data_segments_received(int fd);

}  // namespace rts::test
