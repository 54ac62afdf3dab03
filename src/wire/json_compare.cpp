#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <rts/wire/json_compare.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

class Comparison {
 public:
  explicit Comparison(std::size_t limit) noexcept : limit_(limit) {}

  void compare(dom::element expected, dom::element actual, const std::string& at) {
    if (found_.size() >= limit_) return;
    if (expected.is_object() && actual.is_object()) {
      compare_objects(expected.get_object().value_unsafe(), actual.get_object().value_unsafe(), at);
    } else if (expected.is_array() && actual.is_array()) {
      compare_arrays(expected.get_array().value_unsafe(), actual.get_array().value_unsafe(), at);
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
      if (const auto other = value_at<dom::element>(actual, field.key)) {
        compare(field.value, *other, path);
      } else {
        add(fmt::format("{}: missing, expected {}", path, simdjson::minify(field.value)));
      }
    }
    for (const auto field : actual) {
      if (value_at<dom::element>(expected, field.key)) continue;
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
    if (expected.get(a) == simdjson::SUCCESS && actual.get(b) == simdjson::SUCCESS) {
      return std::abs(a - b) <= 1e-9 * std::max({1e-12, std::abs(a), std::abs(b)});
    }
    return expected.type() == actual.type() &&
           simdjson::minify(expected) == simdjson::minify(actual);
  }

  std::size_t limit_;
  std::vector<std::string> found_;
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
  Comparison comparison(limit);
  comparison.compare(*wanted, *found, "");
  return std::move(comparison).found();
}

}  // namespace rts::wire
