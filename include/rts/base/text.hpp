// Short texts that people and machines write: numbers, blanks around a value, the case of letters,
// misspelt names, hashes. Letters are ASCII's. Usable from any thread.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rts {

// The number that the whole text is, as std::from_chars reads it; empty when it is none, when
// something stands around it, or when it is not in [min, max] or not finite.
// parse_as<int>("12") = 12; "12 ", "+12" and "" are none.
template <class Number, class Limits = std::numeric_limits<Number>>
[[nodiscard]] std::optional<Number> parse_as(std::string_view text, Number min = Limits::lowest(),
                                             Number max = Limits::max()) noexcept {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  const bool is_number = result.ec == std::errc{} && result.ptr == end;
  const bool is_within = value >= std::max(min, Limits::lowest()) &&  // or it is not finite
                         value <= std::min(max, Limits::max());
  return is_number && is_within ? std::optional(value) : std::nullopt;
}

// Without the blanks, tabs and line ends around it.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

[[nodiscard]] constexpr char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] std::string to_upper(std::string_view text);
[[nodiscard]] std::string to_lower(std::string_view text);

// Whether two texts differ in the case of letters at most.
[[nodiscard]] constexpr bool same_but_for_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return x == y || to_lower(x) == to_lower(y); });
}

// What stands between the separators, one part more than there are of them:
// split("a,,b", ',') = {"a", "", "b"}, split("", ',') = {""}. The parts are views of the text.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// How far a misspelt name is from the right one: letters that have to be inserted, left out or
// replaced to make `b` of `a` (Levenshtein). With an insertion cost of 0 it is the letters of `a`
// that `b` has not, in the order they stand.
// edit_distance("--order", "--orders") = 1, edit_distance("ulr", "url") = 2.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b,
                                        std::size_t insertion_cost = 1);

// "a%40b" → "a@b"; empty for a broken escape. '+' stays what it is.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

// What a base64 text (RFC 4648 §4) holds; empty when it is none.
// from_base64("YWI=") = "ab".
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

// FNV-1a, 64 bits: a hash that is the same on every machine and in every version, for tables and to
// see that a text has changed. Not cryptographic. Source: draft-eastlake-fnv. The `ignored` bits of
// each byte count as set: 'a' ^ 'A' makes the case not matter.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text,
                                            unsigned char ignored = 0) noexcept {
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
  for (const char c : text) {
    hash = (hash ^ (static_cast<unsigned char>(c) | ignored)) * 0x100'0000'01B3;
  }
  return hash;
}

static_assert(fnv1a("a") == 0xAF63'DC4C'8601'EC8C);

}  // namespace rts
