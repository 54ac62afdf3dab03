// The command line of the chaos programs: --name VALUE, --flag, --help. Ends the process itself
// when it was asked for help (0) or misused (64).
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rts::chaos {

struct Known {
  std::string_view name;   // "--rate"
  std::string_view value;  // "N"; empty: a flag
  std::string_view help;
};

class Options {
 public:
  Options(std::string_view purpose, std::vector<Known> known, int argc, char** argv)
      : purpose_(purpose), known_(std::move(known)) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view name = argv[i];
      if (name == "--help") help(stdout, 0);
      const Known* option = find(name);
      if (option == nullptr || (!option->value.empty() && i + 1 == argc)) help(stderr, 64);
      given_.emplace_back(name, option->value.empty() ? "" : argv[++i]);
    }
  }

  [[nodiscard]] bool has(std::string_view name) const { return !all(name).empty(); }
  [[nodiscard]] std::string text(std::string_view name, std::string fallback) const {
    auto values = all(name);
    return values.empty() ? std::move(fallback) : std::move(values.back());
  }
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [given, value] : given_) {
      if (given == name) values.push_back(value);
    }
    return values;
  }
  template <class Number>
  [[nodiscard]] Number number(std::string_view name, Number fallback) const {
    if (!has(name)) return fallback;
    const std::string value = text(name, "");
    Number result{};
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (error != std::errc{} || end != value.data() + value.size()) help(stderr, 64);
    return result;
  }

 private:
  [[nodiscard]] const Known* find(std::string_view name) const {
    for (const Known& option : known_) {
      if (option.name == name) return &option;
    }
    return nullptr;
  }
  [[noreturn]] void help(std::FILE* to, int exit_code) const {
    fmt::print(to, "{}\n\n", purpose_);
    for (const Known& option : known_) {
      fmt::print(to, "  {:<26} {}\n", fmt::format("{} {}", option.name, option.value), option.help);
    }
    std::exit(exit_code);  // NOLINT(concurrency-mt-unsafe): before any thread
  }

  std::string_view purpose_;
  std::vector<Known> known_;
  std::vector<std::pair<std::string, std::string>> given_;
};

}  // namespace rts::chaos
