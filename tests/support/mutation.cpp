#include "support/mutation.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace rts::test {
namespace {

using namespace std::string_view_literals;

constexpr std::array kHostile{"null"sv,
                              "-1"sv,
                              "1e400"sv,
                              "-0"sv,
                              "9223372036854775808"sv,
                              "18446744073709551616"sv,
                              "NaN"sv,
                              "\"\""sv,
                              "\"\\u0000\""sv,
                              "\"\\ud800\""sv,
                              "{}"sv,
                              "[]"sv,
                              "[[[[[[[["sv,
                              "true"sv,
                              "\"1e-400\""sv,
                              "\xff\xfe"sv,
                              "\r\n"sv,
                              ",,"sv,
                              "\"e\":\"trade\""sv,
                              "\"E\":0"sv,
                              "\0"sv};

std::size_t pick(std::mt19937_64& random, std::size_t below) {
  return below == 0 ? 0 : static_cast<std::size_t>(random() % below);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The first number at or behind a place; empty when there is none.
std::pair<std::size_t, std::size_t> number_behind(std::string_view text, std::size_t place) {
  const auto begin =
      std::find_if(text.begin() + static_cast<std::ptrdiff_t>(place), text.end(), is_digit);
  const auto end = std::find_if_not(begin, text.end(), is_digit);
  return {static_cast<std::size_t>(begin - text.begin()), static_cast<std::size_t>(end - begin)};
}

void mutate(std::string& frame, std::mt19937_64& random) {
  const std::size_t place = pick(random, frame.size() + 1);
  const std::size_t length = std::min(pick(random, 40) + 1, frame.size() - place);
  switch (random() % 7) {
    case 0:
      if (place < frame.size()) {
        frame[place] =
            static_cast<char>(static_cast<unsigned char>(frame[place]) ^ (1U << (random() % 8)));
      }
      break;
    case 1: frame.erase(place, length); break;
    case 2: frame.insert(place, frame.substr(place, length)); break;
    case 3: frame.insert(place, kHostile[pick(random, kHostile.size())]); break;
    case 4: {
      const auto [begin, size] = number_behind(frame, place);
      frame.replace(begin, size, kHostile[pick(random, kHostile.size())]);
      break;
    }
    case 5: frame.resize(place); break;
    default:
      if (place < frame.size()) frame[place] = static_cast<char>(random() & 0xffU);
      break;
  }
}

}  // namespace

std::string mutated(std::string_view frame, std::mt19937_64& random) {
  std::string bent(frame);
  const std::size_t changes = 1 + pick(random, 4);
  for (std::size_t i = 0; i < changes; ++i) mutate(bent, random);
  return bent;
}

}  // namespace rts::test
