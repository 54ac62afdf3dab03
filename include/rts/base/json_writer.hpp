// JsonWriter appends one JSON value to a string the caller owns; it is the only place that escapes
// text or prints numbers. Allocation-free while the string's capacity suffices. Doubles come in
// as Checked values or, where they may be NaN or infinite, as null. Bytes that are no UTF-8 become
// U+FFFD: whatever the input, the output parses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rts/base/checked.hpp>
#include <rts/base/decimal.hpp>

namespace rts {

class JsonWriter {
 public:
  // `out` must outlive the writer; it is appended to, never cleared.
  explicit JsonWriter(std::string& out) noexcept : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& string(std::string_view text);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& unsigned_integer(std::uint64_t value);
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& decimal(const Decimal& value);
  // Shortest text that reads back as the same double; from 2^63 on the shortest with an exponent.
  template <class Rule>
  JsonWriter& number(Checked<Rule> value) {
    return finite(value.value());
  }
  // Null when it is not finite.
  JsonWriter& number_or_null(double value);
  // Text that is JSON already; nothing is checked.
  JsonWriter& raw(std::string_view json);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& finite(double value);
  // The text, with a comma behind the value before.
  std::string& next_value();

  std::string& out_;
  bool needs_comma_ = false;
};

// Appends `text` as a JSON string, quotes included.
void append_json_string(std::string& out, std::string_view text);

}  // namespace rts
