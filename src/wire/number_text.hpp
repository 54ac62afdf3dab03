// JSON's number grammar (RFC 8259 §6) over text, and the doubles and integers it stands for.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#ifdef __x86_64__
#include <emmintrin.h>
#endif

namespace rts::wire {

// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? and nothing else.
[[nodiscard]] bool is_json_number(std::string_view text) noexcept;

// Correctly rounded; empty when the text is no JSON number or the value is not finite. What lies
// below the smallest double is 0.
[[nodiscard]] std::optional<double> parse_number(std::string_view text) noexcept;

// Empty unless the text is a JSON number without point and exponent in 0 … 2^63−1.
[[nodiscard]] std::optional<std::uint64_t> parse_integer(std::string_view text) noexcept;

// The functions read_plain_… are the same for the usual spelling: at most 16 characters, digits
// with at most one point between them. Empty for other spellings, which are left to parse_…, and
// for what is no number. They read from the end of the text: so many bytes before it have to be
// readable, whatever they hold.
inline constexpr std::size_t kReadableBeforeEnd = 16;

#ifdef __x86_64__

// The characters of a number stand in a register, the last in the highest byte, each digit as its
// value. What is missing on the left are zeros: so the digits are a number wherever they begin.
namespace simd {

// So many bytes (8 or 16) to load as a mask, of which the last `count` are set.
inline constexpr std::array<std::uint64_t, 4> kZerosThenOnes{0, 0, ~0ULL, ~0ULL};
inline const char* last_set(std::size_t width, std::size_t count) noexcept {
  return reinterpret_cast<const char*>(kZerosThenOnes.data()) + 16 - width + count;
}
inline __m128i load(const char* from) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
inline __m128i load_two(const char* first, const char* second) noexcept {
  return _mm_unpacklo_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(first)),
                            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(second)));
}
inline __m128i digits_of(__m128i characters, __m128i counted) noexcept {
  return _mm_and_si128(_mm_xor_si128(characters, _mm_set1_epi8('0')), counted);
}
inline __m128i digits_of(std::string_view text) noexcept {
  return digits_of(load(text.data() + text.size() - 16), load(last_set(16, text.size())));
}
// A bit for each byte that is no digit, the leftmost byte's lowest.
inline unsigned others_in(__m128i digits) noexcept {
  const __m128i are_digits = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
  return static_cast<unsigned>(_mm_movemask_epi8(are_digits)) ^ 0xFFFFU;
}
// Where `kept` is set the digits, elsewhere those moved up.
inline __m128i joined(__m128i kept, __m128i digits, __m128i moved) noexcept {
  return _mm_or_si128(_mm_and_si128(kept, digits), _mm_andnot_si128(kept, moved));
}
// The two numbers of eight digits each, in the lower half: pairs of digits first, then fours.
inline __m128i eights_of(__m128i digits) noexcept {
  const __m128i pairs = _mm_add_epi16(
      _mm_mullo_epi16(_mm_and_si128(digits, _mm_set1_epi16(0xFF)), _mm_set1_epi16(10)),
      _mm_srli_epi16(digits, 8));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 + (1 << 16)));
  return _mm_madd_epi16(_mm_packs_epi32(fours, fours), _mm_set1_epi32(10'000 + (1 << 16)));
}
inline std::uint64_t sixteen_of(__m128i digits) noexcept {
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights_of(digits)));
  return (both & 0xFFFF'FFFFU) * 100'000'000 + (both >> 32U);
}

}  // namespace simd

[[nodiscard]] inline std::optional<std::uint64_t> read_plain_integer(
    std::string_view text) noexcept {
  if (text.size() - 1 >= 16 || (text.front() == '0' && text.size() > 1)) return {};  // or empty
  const __m128i digits = simd::digits_of(text);
  return simd::others_in(digits) == 0 ? std::optional(simd::sixteen_of(digits)) : std::nullopt;
}

inline constexpr std::array kPowersOfTen{1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                         1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

// Of a text with one point among digits: whether a digit stands in front of the point, and no zero
// in front of that digit.
inline bool begins_as_number(const char* text) noexcept {
  return (static_cast<unsigned>(text[0] > '0') | static_cast<unsigned>(text[1] == '.')) != 0;
}

// Correctly rounded: both operands of the one division are exact.
[[nodiscard]] inline std::optional<double> read_plain_number(std::string_view text) noexcept {
  constexpr std::uint64_t kExactUpTo = std::uint64_t{1} << 53U;
  if (text.size() - 1 >= 16) return {};  // or empty
  const __m128i digits = simd::digits_of(text);
  const unsigned others = simd::others_in(digits);
  if (others == 0) {
    const auto integer = read_plain_integer(text);
    if (!integer || *integer > kExactUpTo) return {};
    return static_cast<double>(static_cast<std::int64_t>(*integer));
  }
  const auto place = static_cast<std::size_t>(std::countr_zero(others));
  const __m128i number =
      simd::joined(simd::load(simd::last_set(16, 15 - place)), digits, _mm_slli_si128(digits, 1));
  if (place == 15 || *(text.data() + text.size() - 16 + place) != '.' ||
      simd::others_in(number) != 0 || !begins_as_number(text.data())) {
    return {};
  }
  return static_cast<double>(static_cast<std::int64_t>(simd::sixteen_of(number))) /
         kPowersOfTen[15 - place];
}

// Reads the two numbers of a level, side by side in the halves of a register. False also when one
// has more than eight characters or no point.
[[nodiscard, gnu::always_inline]] inline bool read_two_short_numbers(
    std::string_view first, std::string_view second, std::array<double, 2>& values) noexcept {
  if (first.size() - 1 >= 8 || second.size() - 1 >= 8) return false;
  const char* const first_end = first.data() + first.size();
  const char* const second_end = second.data() + second.size();
  const __m128i digits = simd::digits_of(
      simd::load_two(first_end - 8, second_end - 8),
      simd::load_two(simd::last_set(8, first.size()), simd::last_set(8, second.size())));
  const unsigned others = simd::others_in(digits);
  const auto first_place = static_cast<std::size_t>(std::countr_zero(others | 0x80U));
  const auto second_place = static_cast<std::size_t>(std::countr_zero(others >> 8U | 0x80U));
  const __m128i numbers = simd::joined(
      simd::load_two(simd::last_set(8, 7 - first_place), simd::last_set(8, 7 - second_place)),
      digits, _mm_slli_epi64(digits, 8));
  _mm_storeu_pd(values.data(), _mm_div_pd(_mm_cvtepi32_pd(simd::eights_of(numbers)),
                                          _mm_set_pd(kPowersOfTen[7 - second_place],
                                                     kPowersOfTen[7 - first_place])));
  // A place of 7 is a point with nothing behind it, or there is none.
  return first_place != 7 && second_place != 7 && *(first_end - 8 + first_place) == '.' &&
         *(second_end - 8 + second_place) == '.' && simd::others_in(numbers) == 0 &&
         begins_as_number(first.data()) && begins_as_number(second.data());
}

#else

[[nodiscard]] inline std::optional<std::uint64_t> read_plain_integer(
    std::string_view text) noexcept {
  return parse_integer(text);
}
[[nodiscard, gnu::always_inline]] inline std::optional<double> read_plain_number(
    std::string_view text) noexcept {
  return parse_number(text);
}
inline bool read_two_short_numbers(std::string_view, std::string_view,
                                   std::array<double, 2>&) noexcept {
  return false;
}

#endif

}  // namespace rts::wire
