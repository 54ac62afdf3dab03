#include "config/rules.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/broker_url.hpp>
#include <rts/trading/order_subject.hpp>

namespace rts::config {
namespace {

// Reads a comma list: `read` makes an item of a trimmed text, or refuses it. A list with an empty
// or a refused item, or with more than `most`, is refused as a whole.
template <class Item, class Read>
bool assign_list(std::string_view list, std::size_t most, std::vector<Item>& value, Read read) {
  std::vector<Item> items;
  for (bool more = true; more;) {
    const std::size_t comma = list.find(',');
    more = comma != std::string_view::npos;
    const std::string_view text = trimmed(list.substr(0, comma));
    if (text.empty() || items.size() == most || !read(text, items)) return false;
    if (more) list.remove_prefix(comma + 1);
  }
  value = std::move(items);
  return true;
}
constexpr std::size_t kAnyNumber = std::string_view::npos;

template <class Item>
void add_once(std::vector<Item>& items, const Item& item) {
  if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
}

bool is_printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_address(std::string_view text) {
  const std::string address(text);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

struct TextForm {
  std::string_view accepted;  // in words
  bool (*accepts)(std::string_view text);
};

TextForm form_of(Text::Form form) noexcept {
  switch (form) {
    case Text::Form::not_empty:
      return {"a text without control characters, not empty",
              [](std::string_view text) { return !text.empty(); }};
    case Text::Form::address: return {"an IPv4 or IPv6 address", is_address};
    case Text::Form::connection_name:
      return {"printable ASCII without quotes and backslash", [](std::string_view text) {
                return !text.empty() && is_printable(text) && is_handshake_text(text);
              }};
    case Text::Form::group:
      return {"printable ASCII without blanks, or empty", [](std::string_view text) {
                return is_printable(text) && text.find(' ') == std::string_view::npos;
              }};
    case Text::Form::order_subject:
      return {"a subject without wildcards, blanks or empty tokens; one token may be {strategy}",
              [](std::string_view text) {
                return is_subject(text, Wildcards::refused) && has_sound_tokens(text);
              }};
    case Text::Form::pattern:
      return {"a subject without blanks or empty tokens",
              [](std::string_view text) { return is_subject(text, Wildcards::accepted); }};
    case Text::Form::subject_or_empty:
      return {"a subject without wildcards, or empty", [](std::string_view text) {
                return text.empty() || is_subject(text, Wildcards::refused);
              }};
    case Text::Form::file: break;
  }
  return {"a path, or empty", [](std::string_view) { return true; }};
}

struct Accepted {
  std::string operator()(const Flag&) const { return "true or false"; }
  std::string operator()(const Whole& rule) const {
    return fmt::format("a whole number from {} to {}", rule.min, rule.max);
  }
  std::string operator()(const Real& rule) const {
    if (!std::isfinite(rule.min) && !std::isfinite(rule.max)) return "a number";
    const std::string below = fmt::format("{} {}", rule.excludes_min ? ">" : ">=", rule.min);
    if (!std::isfinite(rule.max)) return "a number " + below;
    return fmt::format("a number {} and {} {}", below, rule.excludes_max ? "<" : "<=", rule.max);
  }
  std::string operator()(const Choice& rule) const {
    const auto but_the_last = rule.values.first(rule.values.size() - 1);
    return fmt::format("{} or {}", fmt::join(but_the_last, ", "), rule.values.back());
  }
  std::string operator()(const Text& rule) const {
    return std::string(form_of(rule.form).accepted);
  }
  std::string operator()(const StepSize&) const { return "a decimal > 0 of up to 18 digits"; }
  std::string operator()(const SymbolList&) const { return "* or SYMBOL,SYMBOL,… (up to 512)"; }
  std::string operator()(const AmountList& rule) const {
    return fmt::format("SYMBOL:{},…, or empty", rule.amount);
  }
  std::string operator()(const AssetList&) const {
    return fmt::format("ASSET,ASSET,… (up to {})", AssetList::kMaxAssets);
  }
  std::string operator()(const UrlList&) const {
    return "host:port, nats://host:port or tls://host:port, comma-separated";
  }
  std::string operator()(const Confidential& rule) const {
    return rule.form == Confidential::Form::path
               ? "a path"
               : "a text without quotes, backslash and control characters";
  }
};

}  // namespace

std::string accepted_values(const Setting& setting) { return std::visit(Accepted{}, setting.rule); }

bool assign(const Flag&, std::string_view text, bool& value) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return same_but_for_case(word, text); });
  };
  const bool yes = is_one_of({"true", "1", "yes", "on"});
  if (!yes && !is_one_of({"false", "0", "no", "off"})) return false;
  value = yes;
  return true;
}

bool assign(const Real& rule, std::string_view text, double& value) {
  const auto number = parse_as<double>(text, rule.min, rule.max);
  if (!number || (rule.excludes_min && *number == rule.min)) return false;
  if (rule.excludes_max && *number == rule.max) return false;
  value = *number;
  return true;
}
bool assign(const Real& rule, std::string_view text, Notional& value) {
  double number = 0;
  const auto notional = assign(rule, text, number) ? Notional::from(number) : std::nullopt;
  if (notional) value = *notional;
  return notional.has_value();
}

std::optional<std::size_t> index_of(const Choice& rule, std::string_view text) {
  if (!rule.alias.empty() && same_but_for_case(text, rule.alias)) text = rule.alias_of;
  for (std::size_t i = 0; i < rule.values.size(); ++i) {
    if (same_but_for_case(rule.values[i], text)) return i;
  }
  return std::nullopt;
}

bool assign(const Text& rule, std::string_view text, std::string& value) {
  // A control character is always a mistake, and what shows the value may take it for a line end.
  if (!is_plain_text(text) || !form_of(rule.form).accepts(text)) return false;
  value = text;
  return true;
}

bool assign(const StepSize&, std::string_view text, Decimal& value) {
  const auto step = Decimal::parse(text);
  if (!step || step->is_zero()) return false;
  value = *step;
  return true;
}

bool assign(const SymbolList&, std::string_view text, std::vector<Symbol>& value) {
  if (text == "*") {
    value.clear();
    return true;
  }
  return assign_list(text, EngineParameters::kMaxSymbols, value, [](auto item, auto& symbols) {
    const auto symbol = parse_symbol(item);
    if (symbol) add_once(symbols, *symbol);
    return symbol.has_value();
  });
}

bool assign(const AmountList&, std::string_view text, std::vector<SymbolAmount>& value) {
  if (text.empty()) {
    value.clear();
    return true;
  }
  return assign_list(text, kAnyNumber, value, [](std::string_view item, auto& amounts) {
    const std::size_t colon = item.rfind(':');
    if (colon == std::string_view::npos) return false;
    const auto symbol = parse_symbol(trimmed(item.substr(0, colon)));
    const auto amount = Decimal::parse(trimmed(item.substr(colon + 1)));
    if (!symbol || !amount || amount->is_zero() || entry_of(amounts, *symbol)) return false;
    amounts.push_back({*symbol, *amount});
    return true;
  });
}

bool assign(const AssetList&, std::string_view text, std::vector<std::string>& value) {
  return assign_list(text, AssetList::kMaxAssets, value, [](auto item, auto& assets) {
    const auto asset = parse_symbol(item);
    if (asset) add_once(assets, std::string(asset->text()));
    return asset.has_value();
  });
}

bool assign(const UrlList&, std::string_view text, std::vector<Secret>& value) {
  return assign_list(text, kAnyNumber, value, [](std::string_view item, auto& urls) {
    // "nats://user:a,b@host" could be one password or two brokers; what could leak is refused
    // (a comma in a password is written %2C).
    const bool no_scheme = item.find("://") == std::string_view::npos;
    const bool ambiguous = no_scheme && item.find('@') != std::string_view::npos && !urls.empty();
    if (!parse_broker_url(item) || ambiguous) return false;
    urls.emplace_back(std::string(item));
    return true;
  });
}

bool assign(const Confidential& rule, std::string_view text, Secret& value) {
  if (rule.form == Confidential::Form::credential && !is_handshake_text(text)) return false;
  value = Secret(std::string(text));
  return true;
}

bool is_subject(std::string_view text, Wildcards wildcards) noexcept {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  char before = '.';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F) return false;
    if (c == '.' && before == '.') return false;
    if ((c == '*' || c == '>') && wildcards == Wildcards::refused) return false;
    const bool ends_token = i + 1 == text.size() || text[i + 1] == '.';
    if (c == '>' && before == '.' && ends_token && i + 1 != text.size()) return false;
    before = c;
  }
  return true;
}

std::optional<Symbol> parse_symbol(std::string_view text) noexcept {
  constexpr std::string_view kSlips = ";:*";  // separators and the pattern
  constexpr std::string_view kBlankThatDoesNotBreak = "\xC2\xA0";
  const bool slip = !Symbol::may_name(text) ||
                    text.find_first_of(kSlips) != std::string_view::npos ||
                    text.find(kBlankThatDoesNotBreak) != std::string_view::npos;
  return slip || !is_plain_text(text) ? std::nullopt : Symbol::from(text);
}

}  // namespace rts::config
