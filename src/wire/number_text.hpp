// JSON's number grammar (RFC 8259 §6) over text, and the doubles and integers it stands for.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

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

  // Precondition: all are digits. Pairs first, in every other byte, then fours and eights.
  [[nodiscard]] std::uint64_t value() const noexcept {
    constexpr std::uint64_t kPairs = 0x0000'00FF'0000'00FF;
    const std::uint64_t pairs = bytes_ * 10 + (bytes_ >> 8U);
    return ((pairs & kPairs) * (100 + (1'000'000ULL << 32U)) +
            ((pairs >> 16U) & kPairs) * (1 + (10'000ULL << 32U))) >>
           32U;
  }

 private:
  static_assert(std::endian::native == std::endian::little, "the last character is highest");
  static constexpr std::uint64_t kEach = 0x0101'0101'0101'0101;
  static constexpr std::uint64_t kPastNine = (0x80 - 10) * kEach;
  static constexpr std::uint64_t kTopBits = 0x80 * kEach;

  explicit constexpr EightDigits(std::uint64_t bytes) noexcept : bytes_(bytes) {}
  std::uint64_t bytes_;
};

inline constexpr std::array<double, 16> kPowersOfTen{1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

// Whether digits with a point behind the first or later do not begin with a needless zero.
[[nodiscard]] inline bool begins_as_number(const char* text) noexcept {
  const bool no_zero = text[0] >= '1' && text[0] <= '9';
  const bool lone_zero = text[0] == '0' && text[1] == '.';
  return no_zero || lone_zero;
}

// read_plain_number() for what has no point or more than eight characters.
[[nodiscard]] bool read_long_number(std::string_view text, double& value) noexcept;

// Reads a number of the usual spelling, digits with at most one point between them, of at most 16
// characters. False, with any `value`, for everything else, a leading zero and more digits than a
// double holds exactly: parse_number() reads those. Correctly rounded: both operands of the one
// division are exact. Precondition: kReadableBeforeEnd. Inlined because a book has 80 of them.
[[nodiscard, gnu::always_inline]] inline bool read_plain_number(std::string_view text,
                                                                double& value) noexcept {
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

}  // namespace rts::wire
