// The rules of the settings table at work: text → the value a row stands for, and back. Pure; for
// the table and the loader.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/broker_url.hpp>
#include <rts/config/settings.hpp>
#include <rts/trading/order_subject.hpp>

namespace rts::config {

// --- Texts --------------------------------------------------------------------------------------

// A symbol as somebody writes it: what looks like a separator, a pattern or another venue's
// spelling (BTC/USDT) is a slip, and so is a quote, a blank or a control character.
[[nodiscard]] inline std::optional<Symbol> parse_symbol(std::string_view text) noexcept {
  constexpr std::string_view kSlips = ";:*";  // separators and the pattern
  constexpr std::string_view kBlankThatDoesNotBreak = "\xC2\xA0";
  const bool slip = !Symbol::may_name(text) ||
                    text.find_first_of(kSlips) != std::string_view::npos ||
                    text.find(kBlankThatDoesNotBreak) != std::string_view::npos;
  return slip || !is_plain_text(text) ? std::nullopt : Symbol::from(text);
}

[[nodiscard]] inline bool is_printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

[[nodiscard]] inline bool is_address(std::string_view text) {
  const std::string address(text);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

// A NATS subject: tokens between dots, none empty, no whitespace. It may have wildcards, of which
// a '>' is the last token.
[[nodiscard]] inline bool is_pattern(std::string_view text) {
  const auto tokens = split(text, '.');
  const auto last = tokens.end() - 1;
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c <= ' ' || c == 0x7F; }) &&
         std::find(tokens.begin(), tokens.end(), "") == tokens.end() &&
         std::find(tokens.begin(), last, ">") == last;
}
[[nodiscard]] inline bool is_subject(std::string_view text) {
  return is_pattern(text) && text.find_first_of("*>") == std::string_view::npos;
}

inline constexpr Text kNotEmpty{"a text without control characters, not empty",
                                [](std::string_view text) { return !text.empty(); }};
inline constexpr Text kAddress{"an IPv4 or IPv6 address", is_address};
// It goes into the handshake.
inline constexpr Text kConnectionName{
    "printable ASCII without quotes and backslash", [](std::string_view text) {
      return !text.empty() && is_printable(text) && is_handshake_text(text);
    }};
inline constexpr Text kQueueGroup{
    "printable ASCII without blanks, or empty", [](std::string_view text) {
      return is_printable(text) && text.find(' ') == std::string_view::npos;
    }};
inline constexpr Text kOrderSubject{
    "a subject without wildcards, blanks or empty tokens; one token may be {strategy}",
    [](std::string_view text) { return is_subject(text) && has_sound_tokens(text); }};
inline constexpr Text kPattern{"a subject without blanks or empty tokens", is_pattern};
inline constexpr Text kSubjectOrEmpty{
    "a subject without wildcards, or empty",
    [](std::string_view text) { return text.empty() || is_subject(text); }};
inline constexpr Text kFile{"a path, or empty", [](std::string_view) { return true; }};

inline constexpr Confidential kCredential{"a text without quotes, backslash and control characters",
                                          is_handshake_text};
inline constexpr Confidential kPath{"a path", [](std::string_view) { return true; }};

// --- Values: what a text says by a rule; nothing when the rule does not accept it.
// ----------------

[[nodiscard]] inline std::optional<bool> read(const Flag&, std::string_view text) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return same_but_for_case(word, text); });
  };
  if (is_one_of({"true", "1", "yes", "on"})) return true;
  return is_one_of({"false", "0", "no", "off"}) ? std::optional(false) : std::nullopt;
}

[[nodiscard]] inline std::optional<std::int64_t> read(const Whole& rule, std::string_view text) {
  return parse_as<std::int64_t>(text, rule.min, rule.max);
}

[[nodiscard]] inline std::optional<double> read(const Real& rule, std::string_view text) {
  const auto number = parse_as<double>(text, rule.min, rule.max);
  const bool is_excluded =
      (rule.excludes_min && number == rule.min) || (rule.excludes_max && number == rule.max);
  return is_excluded ? std::nullopt : number;
}

// The number of the value that the text names, in any case.
[[nodiscard]] inline std::optional<std::size_t> read(const Choice& rule, std::string_view text) {
  if (!rule.alias.empty() && same_but_for_case(text, rule.alias)) text = rule.alias_of;
  for (std::size_t i = 0; i < rule.values.size(); ++i) {
    if (same_but_for_case(rule.values[i], text)) return i;
  }
  return std::nullopt;
}

// A control character is always a mistake, and what shows the value may take it for a line end.
[[nodiscard]] inline std::optional<std::string> read(const Text& rule, std::string_view text) {
  return is_plain_text(text) && rule.accepts(text) ? std::optional<std::string>(text)
                                                   : std::nullopt;
}

[[nodiscard]] inline std::optional<Secret> read(const Confidential& rule, std::string_view text) {
  return rule.accepts(text) ? std::optional<Secret>(std::string(text)) : std::nullopt;
}

[[nodiscard]] inline std::optional<Decimal> read(const StepSize&, std::string_view text) {
  const auto step = Decimal::parse(text);
  return step && !step->is_zero() ? step : std::nullopt;
}

// Reads a comma list: `add` makes an item of a trimmed text, or refuses it. A list with a refused
// item or with more than `most` is refused as a whole.
template <class Item, class Add>
std::optional<std::vector<Item>> read_list(std::string_view list, std::size_t most, Add add) {
  std::vector<Item> items;
  for (const std::string_view text : split(list, ',')) {
    if (items.size() == most || !add(trimmed(text), items)) return std::nullopt;
  }
  return items;
}
inline constexpr std::size_t kAnyNumber = std::string_view::npos;

template <class Item>
void add_once(std::vector<Item>& items, const Item& item) {
  if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
}

[[nodiscard]] inline std::optional<std::vector<Symbol>> read(const SymbolList&,
                                                             std::string_view text) {
  if (text == "*") return std::vector<Symbol>{};
  return read_list<Symbol>(text, EngineParameters::kMaxSymbols, [](auto item, auto& symbols) {
    const auto symbol = parse_symbol(item);
    if (symbol) add_once(symbols, *symbol);
    return symbol.has_value();
  });
}

[[nodiscard]] inline std::optional<std::vector<std::string>> read(const AssetList&,
                                                                  std::string_view text) {
  return read_list<std::string>(text, AssetList::kMaxAssets, [](auto item, auto& assets) {
    const auto asset = parse_symbol(item);
    if (asset) add_once(assets, std::string(asset->text()));
    return asset.has_value();
  });
}

[[nodiscard]] inline std::optional<std::vector<SymbolAmount>> read(const AmountList&,
                                                                   std::string_view text) {
  if (text.empty()) return std::vector<SymbolAmount>{};
  return read_list<SymbolAmount>(text, kAnyNumber, [](std::string_view item, auto& amounts) {
    const std::size_t colon = item.rfind(':');
    if (colon == std::string_view::npos) return false;
    const auto symbol = parse_symbol(trimmed(item.substr(0, colon)));
    const auto amount = read(StepSize{}, trimmed(item.substr(colon + 1)));
    if (!symbol || !amount || entry_of(amounts, *symbol)) return false;
    amounts.push_back({*symbol, *amount});
    return true;
  });
}

[[nodiscard]] inline std::optional<std::vector<Secret>> read(const UrlList&,
                                                             std::string_view text) {
  return read_list<Secret>(text, kAnyNumber, [](std::string_view item, auto& urls) {
    // "nats://user:a,b@host" could be one password or two brokers; what could leak is refused
    // (a comma in a password is written %2C).
    const bool no_scheme = item.find("://") == std::string_view::npos;
    const bool ambiguous = no_scheme && item.find('@') != std::string_view::npos && !urls.empty();
    if (!parse_broker_url(item) || ambiguous) return false;
    urls.emplace_back(std::string(item));
    return true;
  });
}

// --- Texts of values, as the rules read them ----------------------------------------------------

template <class Plain>
std::string text_of(const Plain& value) {
  return fmt::format("{}", value);
}
template <class Period>
std::string text_of(std::chrono::duration<std::int64_t, Period> value) {
  return text_of(value.count());
}
inline std::string text_of(Notional value) { return text_of(value.value()); }
inline std::string text_of(const Decimal& value) { return value.to_string(); }
inline std::string text_of(const Secret& url) { return without_userinfo(url.reveal()); }
inline std::string text_of(const Symbol& value) { return std::string(value.text()); }
inline std::string text_of(const SymbolAmount& value) {
  return fmt::format("{}:{}", value.symbol.text(), value.amount.to_string());
}
template <class Item>
std::string text_of(const std::vector<Item>& list) {
  std::string text;
  for (const Item& item : list) text += (text.empty() ? "" : ",") + text_of(item);
  return text;
}

}  // namespace rts::config
