#include "nats/outgoing.hpp"

#include <algorithm>
#include <limits>

namespace rts::nats {
namespace {

// "HPUB subject size size", "NATS/1.0" and the line ends; per header ": " and a line end.
constexpr std::size_t kMessageOverheadBytes = 64;
constexpr std::size_t kHeaderOverheadBytes = 4;

bool printable(char c) { return c >= ' ' && c <= '~'; }

// The rule of types.hpp: Header.
bool valid_header(const Header& header) {
  const auto may_name = [](char c) { return printable(c) && c != ' ' && c != ':'; };
  return !header.name.empty() && std::all_of(header.name.begin(), header.name.end(), may_name) &&
         is_header_value(header.value);
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

std::size_t wire_size(const Outgoing& message) {
  std::size_t size = kMessageOverheadBytes + message.subject.size() + message.payload.size();
  for (const Header& header : message.headers) {
    size += kHeaderOverheadBytes + header.name.size() + header.value.size();
  }
  return size;
}

MessagePtr build_message(const Outgoing& message, const std::string& reply_to) {
  if (message.payload.size() > std::numeric_limits<int>::max()) return {};
  natsMsg* raw = nullptr;
  if (natsMsg_Create(&raw, std::string(message.subject).c_str(),
                     reply_to.empty() ? nullptr : reply_to.c_str(), message.payload.data(),
                     static_cast<int>(message.payload.size())) != NATS_OK) {
    return {};
  }
  MessagePtr built(raw);
  for (const Header& header : message.headers) {
    if (!valid_header(header)) continue;
    if (natsMsgHeader_Set(raw, std::string(header.name).c_str(),
                          std::string(header.value).c_str()) != NATS_OK) {
      return {};
    }
  }
  return built;
}

}  // namespace rts::nats
