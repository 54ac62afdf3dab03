// What a replica of the service says when it is asked who is there ($SRV.PING). Synchronous;
// whatever the payload, it returns. Any thread. Source: NATS ADR-32; the metadata is our own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rts::wire {

inline constexpr std::size_t kMaxPingBytes = 4096;

// Texts are cut at 100 bytes.
struct MicroPing {
  std::string id;        // of the process
  std::string version;   // of the program
  std::string settings;  // hash of those in force
  bool is_ready = false;
};

// Empty of what has no id.
[[nodiscard]] std::optional<MicroPing> parse_micro_ping(std::string_view payload);

}  // namespace rts::wire
