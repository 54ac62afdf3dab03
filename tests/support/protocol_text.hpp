// Lines of the NATS protocol taken apart: words between blanks, and sizes. For the stand-ins of a
// broker.
#pragma once

#include <charconv>
#include <string_view>
#include <vector>

namespace rts::test {

// The words live as long as the line.
[[nodiscard]] inline std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> all;
  while (!line.empty()) {
    const std::size_t end = line.find(' ');
    if (end != 0) all.push_back(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return all;
}

// 0 when it is none.
[[nodiscard]] inline std::size_t number(std::string_view text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace rts::test
