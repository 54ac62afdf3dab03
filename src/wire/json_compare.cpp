#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <rts/wire/json_compare.hpp>

#include "wire/dom.hpp"

namespace rts::wire {
namespace {

namespace dom = simdjson::dom;

class Comparison {
 public:
  explicit Comparison(std::size_t limit) noexcept : limit_(limit) {}

  void compare(dom::element expected, dom::element actual, const std::string& at) {
    if (found_.size() >= limit_) return;
    dom::object expected_object;
    dom::object actual_object;
    dom::array expected_array;
    dom::array actual_array;
    if (expected.get(expected_object) == simdjson::SUCCESS &&
        actual.get(actual_object) == simdjson::SUCCESS) {
      compare_objects(expected_object, actual_object, at);
    } else if (expected.get(expected_array) == simdjson::SUCCESS &&
               actual.get(actual_array) == simdjson::SUCCESS) {
      compare_arrays(expected_array, actual_array, at);
    } else if (!equal_scalars(expected, actual)) {
      add(fmt::format("{}: expected {}, got {}", at, simdjson::minify(expected),
                      simdjson::minify(actual)));
    }
  }

  [[nodiscard]] std::vector<std::string> found() && { return std::move(found_); }

 private:
  void add(std::string difference) {
    if (found_.size() < limit_) found_.push_back(std::move(difference));
  }

  void compare_objects(dom::object expected, dom::object actual, const std::string& at) {
    for (const auto field : expected) {
      const std::string path = fmt::format("{}.{}", at, field.key);
      dom::element other;
      if (actual.at_key(field.key).get(other) == simdjson::SUCCESS) {
        compare(field.value, other, path);
      } else {
        add(fmt::format("{}: missing, expected {}", path, simdjson::minify(field.value)));
      }
    }
    for (const auto field : actual) {
      if (expected.at_key(field.key).error() == simdjson::SUCCESS) continue;
      add(fmt::format("{}.{}: unexpected {}", at, field.key, simdjson::minify(field.value)));
    }
  }

  void compare_arrays(dom::array expected, dom::array actual, const std::string& at) {
    if (expected.size() != actual.size()) {
      add(fmt::format("{}: expected {} elements, got {}", at, expected.size(), actual.size()));
      return;
    }
    auto other = actual.begin();
    std::size_t index = 0;
    for (const auto element : expected) {
      compare(element, *other, fmt::format("{}[{}]", at, index++));
      ++other;
    }
  }

  static bool equal_scalars(dom::element expected, dom::element actual) {
    double a = 0;
    double b = 0;
    const bool both_numbers = expected.is_number() && actual.is_number();
    if (both_numbers && expected.get(a) == simdjson::SUCCESS &&
        actual.get(b) == simdjson::SUCCESS) {
      return std::abs(a - b) <= 1e-9 * std::max({1e-12, std::abs(a), std::abs(b)});
    }
    return expected.type() == actual.type() &&
           std::string(simdjson::minify(expected)) == std::string(simdjson::minify(actual));
  }

  std::size_t limit_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> json_differences(std::string_view expected, std::string_view actual,
                                          std::size_t limit) {
  dom::parser expected_parser;
  dom::parser actual_parser;
  dom::element expected_element;
  dom::element actual_element;
  if (parse_dom(expected_parser, expected).get(expected_element) != simdjson::SUCCESS) {
    return {"the expected text is no JSON"};
  }
  if (parse_dom(actual_parser, actual).get(actual_element) != simdjson::SUCCESS) {
    return {"the actual text is no JSON"};
  }
  Comparison comparison(limit);
  comparison.compare(expected_element, actual_element, "");
  return std::move(comparison).found();
}

}  // namespace rts::wire
