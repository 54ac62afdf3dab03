// JSON's number grammar (RFC 8259 §6) over text, and the doubles and integers it stands for.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#ifdef __SSE2__
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

// The numbers below are read from their end, eight characters at a time: so many bytes before the
// end of a text have to be readable, whatever they hold.
inline constexpr std::size_t kReadableBeforeEnd = 16;

// Up to eight characters in a register, the last in the highest byte, each digit as its value. What
// is missing on the left are zeros: so the digits are a number wherever they begin.
class EightDigits {
 public:
  // The last `count` characters before `end`. Precondition: 1 <= count <= 8.
  [[nodiscard]] static EightDigits before(const char* end, std::size_t count) noexcept {
    assert(count >= 1 && count <= 8);
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, end - sizeof bytes, sizeof bytes);
    const std::size_t missing_bits = (8 - count) * 8;
    return EightDigits((bytes ^ ('0' * kEach)) >> missing_bits << missing_bits);
  }

  [[nodiscard]] bool are_digits() const noexcept {
    return (((bytes_ + kPastNine) | bytes_) & kTopBits) == 0;
  }
  // The top bit of the leftmost byte that is no digit; 0 when all are digits. (Where a byte is from
  // outside ASCII it may be a bit on the right of that one: no point stands there, then.)
  [[nodiscard]] std::uint64_t mark_point() const noexcept {
    const std::uint64_t marks = (bytes_ + kPastNine) & kTopBits;
    return marks & (~marks + 1);
  }
  [[nodiscard]] static int place_of(std::uint64_t mark) noexcept {
    return std::countr_zero(mark) / 8;
  }
  // Without the marked byte: what is left of it moves up, and `next` comes in from the left.
  [[nodiscard]] EightDigits without(std::uint64_t mark, std::uint64_t next = 0) const noexcept {
    const std::uint64_t left = 2 * mark - 1;
    return EightDigits((bytes_ & ~left) | (((bytes_ << 8U) | next) & left));
  }
  [[nodiscard]] std::uint64_t rightmost() const noexcept { return bytes_ >> 56U; }
  [[nodiscard]] EightDigits without_rightmost() const noexcept { return EightDigits(bytes_ << 8U); }

  // Means nothing unless all are digits. Pairs first, in every other byte, then fours and eights.
  [[nodiscard]] std::uint64_t value() const noexcept {
    constexpr std::uint64_t kPairs = 0x000000FF000000FF;
    const std::uint64_t pairs = bytes_ * 10 + (bytes_ >> 8U);
    return ((pairs & kPairs) * (100 + (1'000'000ULL << 32U)) +
            ((pairs >> 16U) & kPairs) * (1 + (10'000ULL << 32U))) >>
           32U;
  }

 private:
  static_assert(std::endian::native == std::endian::little, "the last character is highest");
  static constexpr std::uint64_t kEach = 0x0101010101010101;
  static constexpr std::uint64_t kPastNine = (0x80 - 10) * kEach;
  static constexpr std::uint64_t kTopBits = 0x80 * kEach;

  explicit constexpr EightDigits(std::uint64_t bytes) noexcept : bytes_(bytes) {}
  std::uint64_t bytes_;
};

inline constexpr std::array<double, 16> kPowersOfTen{1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

// Of a text with one point among digits: whether a digit stands in front of the point, and no zero
// in front of that digit.
[[nodiscard]] inline bool begins_as_number(const char* text) noexcept {
  return (static_cast<unsigned>(text[0] > '0') | static_cast<unsigned>(text[1] == '.')) != 0;
}

// read_plain_number() for what has no point or more than eight characters.
[[nodiscard]] bool read_long_number(std::string_view text, double& value) noexcept;

// Reads a number of the usual spelling, digits with at most one point between them, of at most 16
// characters. False, with any `value`, for everything else, a leading zero and more digits than a
// double holds exactly: parse_number() reads those. Correctly rounded: both operands of the one
// division are exact. Precondition: kReadableBeforeEnd.
[[nodiscard]] inline bool read_plain_number(std::string_view text, double& value) noexcept {
  if (text.size() - 1 >= 8) return read_long_number(text, value);  // or it is empty
  const char* const end = text.data() + text.size();
  const EightDigits digits = EightDigits::before(end, text.size());
  const std::uint64_t mark = digits.mark_point();
  if (mark == 0) return read_long_number(text, value);
  const int place = EightDigits::place_of(mark);
  const EightDigits joined = digits.without(mark);
  value = static_cast<double>(static_cast<std::int64_t>(joined.value())) /
          kPowersOfTen[static_cast<std::size_t>(7 - place)];
  return end[place - 8] == '.' && place != 7 && joined.are_digits() &&
         begins_as_number(text.data());
}

// Reads the two numbers of a level as read_plain_number() does. False also for what takes longer
// than side by side. Precondition: kReadableBeforeEnd.
[[nodiscard, gnu::always_inline]] inline bool read_two_short_numbers(
    std::string_view first, std::string_view second, std::array<double, 2>& values) noexcept;

// Reads at most 16 digits. False, with `value` as it was, for everything else and a leading zero:
// parse_integer() reads those. Precondition: kReadableBeforeEnd.
[[nodiscard]] inline bool read_plain_integer(std::string_view text, std::uint64_t& value) noexcept {
  if (text.size() - 1 >= 16 || (text.size() > 1 && text.front() == '0')) return false;
  const char* const end = text.data() + text.size();
  const std::size_t low = text.size() < 8 ? text.size() : 8;
  const EightDigits right = EightDigits::before(end, low);
  if (!right.are_digits()) return false;
  if (text.size() == low) {
    value = right.value();
    return true;
  }
  const EightDigits left = EightDigits::before(end - 8, text.size() - low);
  if (!left.are_digits()) return false;
  value = left.value() * 100'000'000 + right.value();
  return true;
}

#ifdef __SSE2__  // of every x86-64: EightDigits in both halves of a register
inline bool read_two_short_numbers(std::string_view first, std::string_view second,
                                   std::array<double, 2>& values) noexcept {
  static constexpr std::array<std::int64_t, 9> kLast = [] {  // so many bytes
    std::array<std::int64_t, 9> masks{};
    for (unsigned n = 1; n < masks.size(); ++n) {
      masks[n] = static_cast<std::int64_t>(~std::uint64_t{0} << (64 - 8 * n));
    }
    return masks;
  }();
  static constexpr std::array<std::int64_t, 8> kUpTo = [] {  // that byte
    std::array<std::int64_t, 8> masks{};
    for (unsigned n = 0; n < masks.size(); ++n) {
      masks[n] = static_cast<std::int64_t>(~std::uint64_t{0} >> (56 - 8 * n));
    }
    return masks;
  }();
  if (first.size() - 1 >= 8 || second.size() - 1 >= 8) return false;
  const char* const first_end = first.data() + first.size();
  const char* const second_end = second.data() + second.size();
  std::int64_t first_chars = 0;
  std::int64_t second_chars = 0;
  std::memcpy(&first_chars, first_end - 8, 8);
  std::memcpy(&second_chars, second_end - 8, 8);
  const __m128i digits =
      _mm_and_si128(_mm_xor_si128(_mm_set_epi64x(second_chars, first_chars), _mm_set1_epi8('0')),
                    _mm_set_epi64x(kLast[second.size()], kLast[first.size()]));
  const auto digit_places = [](__m128i bytes) {
    const __m128i above_nine = _mm_subs_epu8(bytes, _mm_set1_epi8(9));
    return static_cast<unsigned>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(above_nine, _mm_setzero_si128())));
  };
  const unsigned others = ~digit_places(digits);
  const auto first_place = static_cast<std::size_t>(std::countr_zero(others | 0x80U));
  const auto second_place = static_cast<std::size_t>(std::countr_zero(others >> 8U | 0x80U));
  const __m128i left = _mm_set_epi64x(kUpTo[second_place], kUpTo[first_place]);
  const __m128i joined =
      _mm_or_si128(_mm_andnot_si128(left, digits), _mm_and_si128(left, _mm_slli_epi64(digits, 8)));
  // Pairs of digits, fours, eights.
  const __m128i pairs = _mm_add_epi16(
      _mm_mullo_epi16(_mm_and_si128(joined, _mm_set1_epi16(0xFF)), _mm_set1_epi16(10)),
      _mm_srli_epi16(joined, 8));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 + (1 << 16)));
  const __m128i eights =
      _mm_madd_epi16(_mm_packs_epi32(fours, fours), _mm_set1_epi32(10'000 + (1 << 16)));
  _mm_storeu_pd(values.data(),
                _mm_div_pd(_mm_cvtepi32_pd(eights), _mm_set_pd(kPowersOfTen[7 - second_place],
                                                               kPowersOfTen[7 - first_place])));
  // A place of 7 is a point with nothing behind it, or there is none.
  return first_place != 7 && second_place != 7 && *(first_end - 8 + first_place) == '.' &&
         *(second_end - 8 + second_place) == '.' && digit_places(joined) == 0xFFFF &&
         begins_as_number(first.data()) && begins_as_number(second.data());
}
#else
inline bool read_two_short_numbers(std::string_view first, std::string_view second,
                                   std::array<double, 2>& values) noexcept {
  return read_plain_number(first, values[0]) && read_plain_number(second, values[1]);
}
#endif

}  // namespace rts::wire
