// Reads back what the HTTP server wrote, strictly and without Beast, so that the two sides cannot
// share a mistake. For the tests in tests/http and tests/integration.
#pragma once

#include <charconv>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rts::http {

struct Reply {
  unsigned status = 0;
  std::map<std::string, std::string> fields;  // names as sent
  std::string body;                           // empty for HEAD

  std::string field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string("(absent)") : found->second;
  }
};

struct Replies {
  std::vector<Reply> all;
  std::string rest;  // what is no complete, well-formed answer; empty when all is well
};

/// Takes one answer off the front of `bytes`; nothing when there is no complete one. The answer to
/// a HEAD announces a body and is followed by the next status line or nothing at all.
inline std::optional<Reply> take_reply(std::string_view& bytes) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  const std::size_t end = bytes.find("\r\n\r\n");
  if (!bytes.starts_with(kVersion) || end == std::string_view::npos) return std::nullopt;
  std::string_view head = bytes.substr(0, end + 2);
  std::string_view rest = bytes.substr(end + 4);
  Reply reply;
  const std::string_view digits = head.substr(kVersion.size(), 3);
  std::from_chars(digits.data(), digits.data() + digits.size(), reply.status);
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::size_t colon = head.find(": ");
    const std::size_t eol = head.find("\r\n");
    if (colon == std::string_view::npos || colon > eol) return std::nullopt;
    const std::string name(head.substr(0, colon));
    const std::string value(head.substr(colon + 2, eol - colon - 2));
    if (!reply.fields.emplace(name, value).second) return std::nullopt;  // a field twice
    head.remove_prefix(eol + 2);
  }
  const std::string length_text = reply.field("Content-Length");
  std::size_t length = 0;
  const char* const last = length_text.data() + length_text.size();
  if (std::from_chars(length_text.data(), last, length).ptr != last) return std::nullopt;
  if (!rest.empty() && !rest.starts_with(kVersion)) {
    if (rest.size() < length) return std::nullopt;
    reply.body = rest.substr(0, length);
    rest.remove_prefix(length);
  }
  bytes = rest;
  return reply;
}

inline Replies parse_replies(std::string_view bytes) {
  Replies replies;
  while (std::optional<Reply> reply = take_reply(bytes)) replies.all.push_back(*std::move(reply));
  replies.rest = bytes;
  return replies;
}

}  // namespace rts::http
