#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <rts/wire/json_compare.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

bool are_equal(dom::element expected, dom::element actual) {
  const auto a = as<double>(expected);
  const auto b = as<double>(actual);
  if (a && b) return std::abs(*a - *b) <= 1e-9 * std::max({1e-12, std::abs(*a), std::abs(*b)});
  return expected.type() == actual.type() && simdjson::minify(expected) == simdjson::minify(actual);
}

// Appends what differs between two values that stand at this place.
class Comparison {
 public:
  void compare(dom::element expected, dom::element actual, const std::string& at) {
    if (expected.is_object() && actual.is_object()) {
      compare_objects(*as<dom::object>(expected), *as<dom::object>(actual), at);
    } else if (expected.is_array() && actual.is_array()) {
      compare_arrays(*as<dom::array>(expected), *as<dom::array>(actual), at);
    } else if (!are_equal(expected, actual)) {
      add("{}: expected {}, got {}", at, simdjson::minify(expected), simdjson::minify(actual));
    }
  }

  std::vector<std::string> found;

 private:
  template <class... Arguments>
  void add(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    found.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  void compare_objects(dom::object expected, dom::object actual, const std::string& at) {
    for (const auto field : expected) {
      const std::string path = fmt::format("{}.{}", at, field.key);
      if (const auto other = value_at<dom::element>(actual, field.key)) {
        compare(field.value, *other, path);
      } else {
        add("{}: missing, expected {}", path, simdjson::minify(field.value));
      }
    }
    for (const auto field : actual) {
      if (value_at<dom::element>(expected, field.key)) continue;
      add("{}.{}: unexpected {}", at, field.key, simdjson::minify(field.value));
    }
  }

  void compare_arrays(dom::array expected, dom::array actual, const std::string& at) {
    if (expected.size() != actual.size()) {
      add("{}: expected {} elements, got {}", at, expected.size(), actual.size());
      return;
    }
    auto other = actual.begin();
    std::size_t index = 0;
    for (const auto element : expected) {
      compare(element, *other, fmt::format("{}[{}]", at, index++));
      ++other;
    }
  }
};

}  // namespace

std::vector<std::string> json_differences(std::string_view expected, std::string_view actual,
                                          std::size_t limit) {
  constexpr std::size_t kAnyLength = std::numeric_limits<std::size_t>::max();
  dom::parser expected_parser;
  dom::parser actual_parser;
  const auto wanted = parse_as_json<dom::element>(expected_parser, expected, kAnyLength);
  const auto found = parse_as_json<dom::element>(actual_parser, actual, kAnyLength);
  if (!wanted) return {"the expected text is no JSON"};
  if (!found) return {"the actual text is no JSON"};
  Comparison comparison;
  comparison.compare(*wanted, *found, "");
  comparison.found.resize(std::min(comparison.found.size(), limit));
  return comparison.found;
}

}  // namespace rts::wire
