// Subjects of our own making: where a connection receives answers, below a prefix that a broker's
// permissions can name; and those of JetStream's API. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace rts::nats {

// Every character that could mean something in a subject or a configuration becomes '-':
// "my bot.1" → "my-bot-1".
[[nodiscard]] inline std::string subject_safe(std::string_view name) {
  std::string safe(name);
  for (char& c : safe) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    if (!plain) c = '-';
  }
  return safe;
}

// "_INBOX." and the subject-safe name: the user of that name needs `_INBOX.<name>.>`, no more. Of
// no name "_INBOX".
[[nodiscard]] inline std::string inbox_prefix(std::string_view consumer_name) {
  constexpr std::string_view kAll = "_INBOX";
  return std::string(kAll) + (consumer_name.empty() ? "" : "." + subject_safe(consumer_name));
}

// The subject of a request to JetStream: of "STREAM.NAMES" "$JS.API.STREAM.NAMES", and in a domain
// "$JS.<domain>.API.STREAM.NAMES".
[[nodiscard]] inline std::string jetstream_api(std::string_view domain, std::string_view verb) {
  std::string subject = "$JS.";
  if (!domain.empty()) subject.append(domain).append(".");
  return subject.append("API.").append(verb);
}

// What it means that nobody answers on such a subject.
[[nodiscard]] inline std::string no_jetstream(std::string_view api_subject) {
  constexpr std::string_view kPrefix = "$JS.";
  const std::string_view rest = api_subject.substr(kPrefix.size());
  const std::size_t end = rest.find(".API.");
  if (end == std::string_view::npos) return "JetStream is off";
  return std::string("no JetStream of the domain ").append(rest.substr(0, end)) + " is reached";
}

}  // namespace rts::nats
