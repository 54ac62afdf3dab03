#include <algorithm>
#include <cassert>
#include <iterator>

#include <fmt/format.h>

#include <rts/base/utf8.hpp>

namespace rts {
namespace {

unsigned char byte_at(std::string_view text, std::size_t i) noexcept {
  return static_cast<unsigned char>(text[i]);
}

bool is_continuation(unsigned char c) noexcept { return (c & 0xC0U) == 0x80U; }

void append_escaped(std::string& out, char c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
  }
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) noexcept {
  assert(!text.empty());
  const unsigned char lead = byte_at(text, 0);
  std::size_t length = 0;
  unsigned char least = 0x80;
  unsigned char most = 0xBF;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  if (lead == 0xE0) least = 0xA0;
  if (lead == 0xED) most = 0x9F;
  if (lead == 0xF0) least = 0x90;
  if (lead == 0xF4) most = 0x8F;
  if (byte_at(text, 1) < least || byte_at(text, 1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!is_continuation(byte_at(text, i))) return 0;
  }
  return length;
}

std::size_t control_sequence(std::string_view text) noexcept {
  assert(!text.empty());
  const unsigned char lead = byte_at(text, 0);
  if (lead < 0x20 || lead == 0x7F) return 1;
  if (lead == 0xC2 && text.size() > 1) {
    return byte_at(text, 1) >= 0x80 && byte_at(text, 1) <= 0x9F ? 2 : 0;
  }
  if (lead != 0xE2 || text.size() < 3) return 0;
  const unsigned char middle = byte_at(text, 1);
  const unsigned char last = byte_at(text, 2);
  const bool separates_or_turns = middle == 0x80 && last >= 0xA8 && last <= 0xAE;  // U+2028…202E
  const bool isolates = middle == 0x81 && last >= 0xA6 && last <= 0xA9;            // U+2066…2069
  return separates_or_turns || isolates ? 3 : 0;
}

bool is_plain_text(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length == 0 || control_sequence(text) > 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t control = control_sequence(text);
    const std::size_t plain = control > 0 ? 0 : utf8_sequence(text);
    out += text.substr(0, plain);
    const std::size_t escaped = plain > 0 ? 0 : std::max<std::size_t>(control, 1);
    for (const char c : text.substr(plain, escaped)) append_escaped(out, c);
    text.remove_prefix(plain + escaped);
  }
  return out;
}

std::string shown(std::string_view text, std::size_t max_bytes, char instead) {
  std::size_t end = std::min(text.size(), max_bytes);
  while (end < text.size() && end > 0 && is_continuation(byte_at(text, end))) --end;
  std::string out(text.substr(0, end));
  for (std::size_t i = 0; i < end;) {
    const std::size_t control = control_sequence(std::string_view(out).substr(i));
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(i), control, instead);
    i += std::max<std::size_t>(control, 1);
  }
  return out;
}

}  // namespace rts
