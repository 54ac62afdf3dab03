// The service as the tools for NATS services see it (`nats micro ls|info|stats`): what is asked on
// $SRV.PING, $SRV.INFO and $SRV.STATS of all services, of those of our name, and of this process.
// Source: NATS ADR-32, "Service API". Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "service/status.hpp"

namespace rts::service {

inline constexpr std::string_view kMicroPrefix = "$SRV.";

// Of a process: the name is that of all its replicas. Each is a token of a subject.
struct MicroIdentity {
  std::string name;
  std::string id;
};

// On which all services are asked, those of the name, and each of them by its id.
[[nodiscard]] std::array<std::string, 3> micro_subjects(std::string_view name);

// On which those of this name are asked who is there.
[[nodiscard]] std::string micro_ping_subject(std::string_view name);

enum class MicroVerb : std::uint8_t { ping, info, stats };

// What is asked on this subject; empty when it is not ours to answer.
[[nodiscard]] std::optional<MicroVerb> micro_verb(std::string_view subject,
                                                  const MicroIdentity& of);

// The answer. The endpoints are the market data and, where there is one, the control subject:
// requests are messages, errors are what was dropped or could not be read.
[[nodiscard]] std::string micro_answer(MicroVerb verb, const MicroIdentity& of, const State& state);

}  // namespace rts::service
