#include "nats/messages.hpp"

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

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

const char* header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK ? value : nullptr;
}

Message view_of(natsMsg* message) {
  const char* const traceparent = header_of(message, "traceparent");
  const char* data = natsMsg_GetData(message);
  const auto size = static_cast<std::size_t>(natsMsg_GetDataLength(message));
  return {.subject = natsMsg_GetSubject(message),
          .payload = data == nullptr ? std::string_view{} : std::string_view{data, size},
          .traceparent = traceparent == nullptr ? std::string_view{} : traceparent,
          .source = message};
}

Message command_view_of(natsMsg* message) {
  Message view = view_of(message);
  if (const char* const reply = natsMsg_GetReply(message)) view.reply_to = reply;
  return view;
}

std::string_view header(const Message& message, const char* name) {
  auto* const source = static_cast<natsMsg*>(message.source);
  const char* const value = source == nullptr ? nullptr : header_of(source, name);
  return value == nullptr ? std::string_view() : value;
}

std::size_t take_pending(natsSubscription* subscription, std::vector<MessagePtr>& messages) {
  int count = 0;
  int bytes = 0;
  if (subscription == nullptr ||
      natsSubscription_GetPending(subscription, &count, &bytes) != NATS_OK) {
    return 0;
  }
  for (; count > 0; --count) {
    natsMsg* message = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&message, subscription, 0);
    if (status == NATS_OK || status == NATS_NO_RESPONDERS) messages.emplace_back(message);
  }
  return static_cast<std::size_t>(bytes);
}

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

void RetiredMessages::add(MessagePtr message, std::size_t bytes) {
  messages_.push_back(std::move(message));
  bytes_ += bytes;
  free_above(kMostMessages, kMostBytes);
}

void RetiredMessages::add_all(std::vector<MessagePtr>& messages, std::size_t bytes) {
  std::move(messages.begin(), messages.end(), std::back_inserter(messages_));
  messages.clear();
  bytes_ += bytes;
  free_above(kManyMessages, kManyBytes);
}

void RetiredMessages::free_above(std::size_t messages, std::size_t bytes) {
  if (messages_.size() < messages && bytes_ < bytes) return;
  messages_.clear();
  given_bytes_ += std::exchange(bytes_, 0);
  if (given_bytes_ < kTurnBytes) return;
  given_bytes_ = 0;
  std::this_thread::yield();
}

}  // namespace rts::nats
