// The values at both ends of every setting's range and those just beyond, from the table itself.
// For tests of the table and of the program that is given them.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <rts/config/settings.hpp>

namespace rts::test {

struct SettingEdges {
  std::vector<std::string> inside, outside;

  void operator()(const config::Flag&) {
    inside = {"true", "false", "TRUE", "1", "0", "yes", "no", "on", "off"};
    outside = {"", "2", "maybe", "true "};
  }
  void operator()(const config::Whole& rule) {
    inside = {std::to_string(rule.min), std::to_string(rule.max)};
    outside = {std::to_string(rule.min - 1), std::to_string(rule.max + 1), "", "1e1", "0x1"};
  }
  void operator()(const config::Real& rule) {
    const auto text = [](double value) { return fmt::format("{}", value); };
    const double above_min = std::nextafter(rule.min, config::kUnbounded);
    const double below_max = std::nextafter(rule.max, -config::kUnbounded);
    outside = {"", "x", "inf", "-inf", "nan", "1e999"};
    if (!std::isfinite(rule.min) && !std::isfinite(rule.max)) inside = {"-1e300", "0", "1e300"};
    if (std::isfinite(rule.min)) {
      inside.push_back(text(rule.excludes_min ? above_min : rule.min));
      outside.push_back(
          text(rule.excludes_min ? rule.min : std::nextafter(rule.min, -config::kUnbounded)));
    }
    if (std::isfinite(rule.max)) {
      inside.push_back(text(rule.excludes_max ? below_max : rule.max));
      outside.push_back(
          text(rule.excludes_max ? rule.max : std::nextafter(rule.max, config::kUnbounded)));
    }
  }
  void operator()(const config::Choice& rule) {
    for (const auto value : rule.values) inside.emplace_back(value);
    for (const auto value : rule.values) outside.push_back(std::string(value) + "x");
  }
  void operator()(const config::Text& rule) {
    const bool is_address = rule.accepted == "an IPv4 or IPv6 address";
    const bool is_group = rule.accepted == "printable ASCII without blanks, or empty";
    const bool is_name = rule.accepted == "printable ASCII without quotes and backslash";
    const bool is_token = rule.accepted == "one token of a subject, or empty" ||
                          rule.accepted == "letters, digits, - and _, or empty";
    inside = {is_address ? "127.0.0.1" : is_token ? "a-b" : "a.b"};
    (rule.accepted.ends_with(", or empty") ? inside : outside).emplace_back("");
    if (is_address) outside.insert(outside.end(), {"localhost", "1.2.3", "::1::2"});
    if (is_token) outside.insert(outside.end(), {"a.b", "a b", "*"});
    if (is_group) outside.insert(outside.end(), {"my group", "a\tb", "\xe7\x89\x9b"});
    if (is_name) outside.insert(outside.end(), {"a\"b", "a\\b", "a\nb"});
  }
  void operator()(const config::StepSize&) { inside = {"1"}, outside = {"0", ""}; }
  void operator()(const config::SymbolList&) {
    std::string many;
    for (int i = 0; i < 512; ++i) many += fmt::format("{}S{}", i == 0 ? "" : ",", i);
    inside = {"*", many, std::string(63, 'A')};
    outside = {"",
               many + ",ONEMORE",
               std::string(64, 'A'),
               "BTC USDT",
               "A;B",
               "A,*",
               "BTC:1",
               "A\tB",
               "\"A\"",
               "'A'",
               "A/B",
               "A\\B"};
  }
  void operator()(const config::AmountList&) {
    inside = {"A:1", ""}, outside = {"A:0", "A", "A B:1", "*:1", "A/B:1", "A:1,a:2"};
  }
  void operator()(const config::AssetList&) {
    std::string many = "A0";
    for (std::size_t i = 1; i < config::AssetList::kMaxAssets; ++i) many += fmt::format(",A{}", i);
    inside = {"A", many, "a,A"}, outside = {"", "A,", "A B", "*", "A/B", many + ",ONEMORE"};
  }
  void operator()(const config::UrlList&) {
    inside = {"nats://a:1", "tls://a", "a", "a:65535", "nats://[::1]:4222", "a, b"};
    outside = {"",
               "a,",
               "nats://@a",
               "nats://:p@a",
               "nats://u:%zz@a",
               "nats://u\"x:p@a",
               "nats://u%22:p@a",
               "nats://u\\:p@a",
               "http://a",
               "a:0",
               "a:65536",
               "a:x",
               "nats://",
               "nats://a b",
               ":4222"};
  }
  void operator()(const config::Confidential& rule) {
    inside = {"", "a", "a b", "/run/secrets/x", "\xC3\xBC", "{}'$%"};
    if (rule.accepted == "a path") return;
    outside = {"a\"b", "a\\b", "a\nb", "a\x7F"};
  }
};

[[nodiscard]] inline SettingEdges edges_of(const config::Setting& setting) {
  SettingEdges edges;
  std::visit([&](const auto& rule) { edges(rule); }, setting.rule);
  return edges;
}

}  // namespace rts::test
