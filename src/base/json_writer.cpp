#include <array>
#include <charconv>
#include <cmath>
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
void append_escaped(std::string& out, char32_t code) {
  constexpr std::pair<char, char> kShort[]{
      {'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}};
  for (const auto& [c, letter] : kShort) {
    if (static_cast<unsigned char>(c) == code) {
      (out += '\\') += letter;
      return;
    }
  }
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(code));
}

}  // namespace

// A control character is escaped also where JSON does not ask for it: the line may be read on a
// terminal, and YAML takes some of them for line ends.
void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (true) {
    std::size_t plain = 0;
    while (plain < text.size() && kIsPlain[static_cast<unsigned char>(text[plain])]) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Character c = take_character(text);
    if (!c.is_utf8) {
      out += kReplacement;
    } else if (c.is_control || c.code < 0x80) {
      append_escaped(out, c.code);
    } else {
      out += c.bytes;
    }
  }
  out += '"';
}

std::string& JsonWriter::next_value() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
  return out_;
}

JsonWriter& JsonWriter::open(char bracket) {
  next_value() += bracket;
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
  append_json_string(next_value(), text);
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
  value.append_to(next_value());
  return *this;
}

JsonWriter& JsonWriter::number_or_null(double value) {
  return std::isfinite(value) ? finite(value) : null();
}

JsonWriter& JsonWriter::finite(double value) {
  char text[32];  // the shortest form of a double has at most 24 characters
  // Without point and exponent a number is an integer to who reads it, and beyond 64 bits makes
  // simdjson refuse all of the text.
  constexpr double kIntegersBelow = 9'223'372'036'854'775'808.0;  // 2^63
  const auto result =
      std::abs(value) < kIntegersBelow
          ? std::to_chars(std::begin(text), std::end(text), value)
          : std::to_chars(std::begin(text), std::end(text), value, std::chars_format::scientific);
  return raw({text, static_cast<std::size_t>(result.ptr - text)});
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  next_value() += json;
  return *this;
}

}  // namespace rts
