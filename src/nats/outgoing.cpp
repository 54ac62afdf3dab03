#include "nats/outgoing.hpp"

#include <algorithm>
#include <limits>

namespace rts::nats {
namespace {

// "HPUB subject size size", "NATS/1.0" and the line ends; per header ": " and a line end.
constexpr std::size_t kMessageOverheadBytes = 64;
constexpr std::size_t kHeaderOverheadBytes = 4;

bool visible(char c) {
  return c > ' ' && c <= '~';
}
bool printable(char c) {
  return c >= ' ' && c <= '~';
}

}  // namespace

bool valid_subject(std::string_view subject) {
  return !subject.empty() && std::all_of(subject.begin(), subject.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f';
  });
}

bool is_header_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), printable);
}

bool valid_header(const Header& header) {
  return !header.name.empty() && std::all_of(header.name.begin(), header.name.end(), [](char c) {
    return visible(c) && c != ':';
  }) && is_header_value(header.value);
}

std::size_t wire_size(std::string_view subject, std::string_view payload,
                      std::span<const Header> headers) {
  std::size_t size = kMessageOverheadBytes + subject.size() + payload.size();
  for (const Header& header : headers) {
    size += kHeaderOverheadBytes + header.name.size() + header.value.size();
  }
  return size;
}

MessagePtr MessageBuilder::build(std::string_view subject, const char* reply_to,
                                 std::string_view payload, std::span<const Header> headers) {
  if (payload.size() > std::numeric_limits<int>::max()) return {};
  first_.assign(subject);
  natsMsg* raw = nullptr;
  if (natsMsg_Create(&raw, first_.c_str(), reply_to, payload.data(),
                     static_cast<int>(payload.size())) != NATS_OK) {
    return {};
  }
  MessagePtr message(raw);
  for (const Header& header : headers) {
    if (!valid_header(header)) continue;
    first_.assign(header.name);
    second_.assign(header.value);
    if (natsMsgHeader_Set(raw, first_.c_str(), second_.c_str()) != NATS_OK) return {};
  }
  return message;
}

}  // namespace rts::nats
