// The rules of the settings table at work: text → the value a row stands for. It is assigned only
// when the whole text is accepted. Pure; for the table and the loader.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <rts/base/text.hpp>
#include <rts/config/settings.hpp>

namespace rts::config {

[[nodiscard]] bool assign(const Flag&, std::string_view text, bool& value);
[[nodiscard]] bool assign(const Real&, std::string_view text, double& value);
[[nodiscard]] bool assign(const Real&, std::string_view text, Notional& value);
[[nodiscard]] bool assign(const Text&, std::string_view text, std::string& value);
[[nodiscard]] bool assign(const StepSize&, std::string_view text, Decimal& value);
[[nodiscard]] bool assign(const SymbolList&, std::string_view text, std::vector<Symbol>& value);
[[nodiscard]] bool assign(const AmountList&, std::string_view text,
                          std::vector<SymbolAmount>& value);
[[nodiscard]] bool assign(const AssetList&, std::string_view text, std::vector<std::string>& value);
[[nodiscard]] bool assign(const UrlList&, std::string_view text, std::vector<Secret>& value);
[[nodiscard]] bool assign(const Confidential&, std::string_view text, Secret& value);

template <class Integer>
requires std::is_integral_v<Integer>
[[nodiscard]] bool assign(const Whole& rule, std::string_view text, Integer& value) {
  const auto number = parse_as<std::int64_t>(text, rule.min, rule.max);
  if (!number) return false;
  value = static_cast<Integer>(*number);
  return true;
}
template <class Period>
[[nodiscard]] bool assign(const Whole& rule, std::string_view text,
                          std::chrono::duration<std::int64_t, Period>& value) {
  std::int64_t count = 0;
  if (!assign(rule, text, count)) return false;
  value = std::chrono::duration<std::int64_t, Period>(count);
  return true;
}

// The number of the value that the text names, in any case; empty when it names none.
[[nodiscard]] std::optional<std::size_t> index_of(const Choice& rule, std::string_view text);
template <NamedEnum Enum>
[[nodiscard]] bool assign(const Choice& rule, std::string_view text, Enum& value) {
  const auto index = index_of(rule, text);
  if (index) value = all_of<Enum>[*index];
  return index.has_value();
}
// A symbol as somebody writes it: what looks like a separator, a pattern or another venue's
// spelling (BTC/USDT) is a slip, and so is a quote, a blank or a control character.
[[nodiscard]] std::optional<Symbol> parse_symbol(std::string_view text) noexcept;

// A NATS subject: tokens between dots, none empty, no whitespace; wildcards only where asked for.
enum class Wildcards : std::uint8_t { refused, accepted };
[[nodiscard]] bool is_subject(std::string_view text, Wildcards wildcards) noexcept;

}  // namespace rts::config
