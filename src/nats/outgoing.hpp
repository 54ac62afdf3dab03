// From views to the natsMsg that is sent, with what may not pass left out. Private to this room.
#pragma once

#include <string>
#include <string_view>

#include "nats/handles.hpp"
#include "nats/types.hpp"

namespace rts::nats {

// No empty subject, space or control character: those would be protocol, not subject.
bool valid_subject(std::string_view subject);

// Bytes that a publish adds to the write buffer, rounded up.
std::size_t wire_size(const Outgoing& message);

// Null when nats.c refuses. Headers that break the rule of types.hpp are left out. An empty
// reply_to: none.
MessagePtr build_message(const Outgoing& message, const std::string& reply_to);

}  // namespace rts::nats
