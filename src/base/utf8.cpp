#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <iterator>

#include <fmt/format.h>

#include <rts/base/utf8.hpp>

namespace rts {
namespace {

constexpr bool is_between(char32_t code, char32_t first, char32_t last) noexcept {
  return first <= code && code <= last;
}

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

Character take_character(std::string_view& text) noexcept {
  assert(!text.empty());
  constexpr std::array<char32_t, 5> kLeastOfLength{0, 0, 0x80, 0x800, 0x10000};
  const auto byte_at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  // As many bits as the sequence has bytes are set in front of its first byte, none in ASCII's and
  // one in each of the others.
  const auto marked = static_cast<std::size_t>(std::countl_one(byte_at(0)));
  const std::size_t length = std::max<std::size_t>(marked, 1);
  char32_t code = byte_at(0) & (0x7FU >> marked);
  bool is_utf8 = marked != 1 && marked <= 4 && length <= text.size();
  for (std::size_t i = 1; is_utf8 && i < length; ++i) {
    is_utf8 = std::countl_one(byte_at(i)) == 1;
    code = code << 6U | (byte_at(i) & 0x3FU);
  }
  is_utf8 = is_utf8 && is_between(code, kLeastOfLength[marked], 0x10FFFF) &&
            !is_between(code, 0xD800, 0xDFFF);
  const bool is_control =
      is_utf8 && (code < 0x20 || is_between(code, 0x7F, 0x9F) || is_between(code, 0x2028, 0x202E) ||
                  is_between(code, 0x2066, 0x2069));
  const std::string_view bytes = text.substr(0, is_utf8 ? length : 1);
  text.remove_prefix(bytes.size());
  return {bytes, is_utf8, is_control, code};
}

bool is_plain_text(std::string_view text) noexcept {
  while (!text.empty()) {
    const Character c = take_character(text);
    if (!c.is_utf8 || c.is_control) return false;
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = take_character(text);
    if (c.is_utf8 && !c.is_control) {
      out += c.bytes;
    } else {
      for (const char byte : c.bytes) append_escaped(out, byte);
    }
  }
  return out;
}

std::string shown(std::string_view text, std::size_t max_bytes, char instead) {
  std::string out;
  while (!text.empty()) {
    const Character c = take_character(text);
    if (out.size() + c.bytes.size() > max_bytes) break;
    if (c.is_control || !c.is_utf8) {
      out.append(c.bytes.size(), instead);
    } else {
      out += c.bytes;
    }
  }
  return out;
}

}  // namespace rts
