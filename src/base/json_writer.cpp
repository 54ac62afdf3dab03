#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/utf8.hpp>

namespace rts {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Stands in a JSON string as it is.
constexpr std::array<bool, 256> kIsPlain = [] {
  std::array<bool, 256> plain{};
  for (unsigned char c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

// Below U+10000: no control character lies beyond.
void append_escaped(std::string& out, unsigned code_point) {
  constexpr std::pair<char, char> kShort[]{
      {'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}};
  for (const auto& [c, letter] : kShort) {
    if (static_cast<unsigned char>(c) == code_point) {
      (out += '\\') += letter;
      return;
    }
  }
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", code_point);
}

// One UTF-8 sequence of two bytes or more. A control character is escaped although JSON does not
// ask for it: the line may be read on a terminal, and YAML takes some of them for line ends.
void append_beyond_ascii(std::string& out, std::string_view sequence) {
  if (control_sequence(sequence) == 0) {
    out += sequence;
    return;
  }
  const bool two = sequence.size() == 2;
  unsigned code_point = static_cast<unsigned char>(sequence[0]) & (two ? 0x1FU : 0x0FU);
  for (const char c : sequence.substr(1)) {
    code_point = code_point << 6U | (static_cast<unsigned char>(c) & 0x3FU);
  }
  append_escaped(out, code_point);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && kIsPlain[static_cast<unsigned char>(text[plain])]) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text.front());
    if (c < 0x80) {
      append_escaped(out, c);
      text.remove_prefix(1);
    } else if (const std::size_t length = utf8_sequence(text); length > 0) {
      append_beyond_ascii(out, text.substr(0, length));
      text.remove_prefix(length);
    } else {
      out += kReplacement;
      text.remove_prefix(1);
    }
  }
  out += '"';
}

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  string(name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  const fmt::format_int text(value);
  return raw({text.data(), text.size()});
}

JsonWriter& JsonWriter::unsigned_integer(std::uint64_t value) {
  const fmt::format_int text(value);
  return raw({text.data(), text.size()});
}

JsonWriter& JsonWriter::decimal(const Decimal& value) {
  separate();
  value.append_to(out_);
  return *this;
}

JsonWriter& JsonWriter::finite(double value) {
  char text[32];  // the shortest form of a double has at most 24 characters
  const auto result = std::to_chars(std::begin(text), std::end(text), value);
  return raw({text, static_cast<std::size_t>(result.ptr - text)});
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace rts
