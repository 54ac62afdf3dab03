#include "support/ack_eater.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "support/protocol_text.hpp"

namespace rts::test {
namespace {

// What a line of the protocol announces: MSG subject sid [reply] bytes, or HMSG subject sid [reply]
// header-bytes bytes. Anything else has no body.
struct Announced {
  std::string_view subject;
  std::size_t header_bytes = 0;
  std::size_t bytes = 0;
};
std::optional<Announced> announced(std::string_view line) {
  const auto parts = words(line);
  if (parts.size() < 4) return std::nullopt;
  if (parts[0] == "MSG") return Announced{parts[1], 0, number(parts.back())};
  if (parts[0] != "HMSG" || parts.size() < 5) return std::nullopt;
  return Announced{parts[1], number(parts[parts.size() - 2]), number(parts.back())};
}

}  // namespace

AckEater::AckEater(AckEaterOptions options)
    : options_(std::move(options)), random_(options_.seed) {}

bool AckEater::eats(std::string_view subject, std::string_view payload) {
  if (!subject.starts_with(options_.prefix) || payload.empty()) return false;
  if (options_.only_pub_acks && !payload.starts_with(R"({"stream":)")) return false;
  return static_cast<double>(random_() >> 11U) * 0x1p-53 < options_.share;
}

std::string AckEater::pass(std::string_view bytes) {
  waiting_ += bytes;
  std::string out;
  std::string_view rest = waiting_;
  for (;;) {
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) break;
    const std::size_t line_size = end + 2;
    const auto message = announced(rest.substr(0, end));
    const std::size_t size = line_size + (message ? message->bytes + 2 : 0);
    if (rest.size() < size) break;
    const bool eaten = message && message->bytes >= message->header_bytes &&
                       eats(message->subject, rest.substr(line_size + message->header_bytes,
                                                          message->bytes - message->header_bytes));
    if (eaten) {
      ++eaten_;
    } else {
      out += rest.substr(0, size);
    }
    rest.remove_prefix(size);
  }
  waiting_.erase(0, waiting_.size() - rest.size());
  return out;
}

}  // namespace rts::test
