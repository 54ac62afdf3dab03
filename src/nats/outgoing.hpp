// From views to the natsMsg that is sent, with what may not pass left out. Private to this room.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "nats/client.hpp"
#include "nats/handles.hpp"

namespace rts::nats {

// No empty subject, space or control character: those would be protocol, not subject.
bool valid_subject(std::string_view subject);

// The rule of client.hpp: Header.
bool valid_header(const Header& header);

// Bytes that a publish adds to the write buffer, rounded up.
std::size_t wire_size(std::string_view subject, std::string_view payload,
                      std::span<const Header> headers);

// Builds messages. An object only to reuse the memory of the terminated copies that C wants.
class MessageBuilder {
 public:
  // Null when nats.c refuses. Headers that break the rule are left out. `reply_to` may be null.
  MessagePtr build(std::string_view subject, const char* reply_to, std::string_view payload,
                   std::span<const Header> headers);

 private:
  std::string first_;
  std::string second_;
};

}  // namespace rts::nats
