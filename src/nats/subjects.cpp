#include "nats/subjects.hpp"

#include "nats/handles.hpp"

namespace rts::nats {

std::string subject_safe(std::string_view name) {
  std::string safe(name);
  for (char& c : safe) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    if (!plain) c = '-';
  }
  return safe;
}

std::string inbox_prefix(std::string_view consumer_name) {
  constexpr std::string_view kAll = "_INBOX";
  return std::string(kAll) + (consumer_name.empty() ? "" : "." + subject_safe(consumer_name));
}

std::string new_inbox(std::string_view prefix) {
  natsInbox* raw = nullptr;
  if (natsInbox_Create(&raw) != NATS_OK) return {};
  const InboxPtr inbox(raw);
  const std::string_view text = inbox.get();
  return std::string(prefix).append(text.substr(text.rfind('.')));
}

}  // namespace rts::nats
