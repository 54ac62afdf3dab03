// UTF-8, and what of it may be shown: a text that is quoted in a line must not end that line, and
// must not move a terminal's cursor or turn its direction. Usable from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rts {

// Some editors and exports put it in front of a text.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// What a text begins with. Control characters are C0, DEL and C1 (a terminal takes U+009B for the
// begin of a command), the separators of lines and paragraphs, and what turns the direction of
// writing.
struct Character {
  std::string_view bytes;  // a part of the text; of what is no UTF-8 one byte
  bool is_utf8 = false;    // RFC 3629: no overlong form, no surrogate, nothing beyond U+10FFFF
  bool is_control = false;
  char32_t code = 0;  // of UTF-8
};

// Moves past the character. Precondition: the text is not empty.
[[nodiscard]] Character take_character(std::string_view& text) noexcept;

// Whether `text` is UTF-8 without control characters.
[[nodiscard]] bool is_plain_text(std::string_view text) noexcept;

// Plain text stays as it is; a control character becomes \n, \r, \t or the \x.. of each of its
// bytes, and so does what is no UTF-8: printable("a\x1B[2J") = "a\\x1b[2J".
[[nodiscard]] std::string printable(std::string_view text);

// At most max_bytes of a text that others wrote, cut where a character ends; in place of each byte
// of a control character, and of what is no UTF-8, stands `instead`: some terminals take the byte
// 0x9B alone for the start of a command.
// shown("a\x1B[2J", 3, '?') = "a?[".
[[nodiscard]] std::string shown(std::string_view text, std::size_t max_bytes, char instead);

}  // namespace rts
