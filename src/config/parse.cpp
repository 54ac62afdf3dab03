#include "config/parse.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/broker_url.hpp>
#include <rts/trading/order_subject.hpp>

namespace rts::config {
namespace {

// Calls `each` with every trimmed item of a comma list; false as soon as one is empty or refused.
template <class Each>
bool for_each_item(std::string_view list, Each each) {
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view item = trimmed(list.substr(0, comma));
    if (item.empty() || !each(item)) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

bool is_printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool has_quotes(std::string_view text) noexcept {
  return text.find_first_of("\"\\") != std::string_view::npos;
}

bool is_address(const std::string& text) noexcept {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

struct Assign {
  std::string_view text;
  Settings& settings;

  bool operator()(const Flag& rule) const {
    const std::string word = to_upper(text);
    const bool yes = word == "TRUE" || word == "1" || word == "YES" || word == "ON";
    const bool no = word == "FALSE" || word == "0" || word == "NO" || word == "OFF";
    settings.*rule.member = yes;
    return yes || no;
  }

  bool operator()(const Whole& rule) const {
    const auto value = parse_as<std::int64_t>(text, rule.min, rule.max);
    if (!value) return false;
    settings.*rule.member = *value;
    return true;
  }

  bool operator()(const Real& rule) const {
    const auto value = parse_as<double>(text, rule.min, rule.max);
    if (!value || (rule.excludes_min && *value == rule.min)) return false;
    if (rule.excludes_max && *value == rule.max) return false;
    settings.*rule.member = *value;
    return true;
  }

  bool operator()(const Choice& rule) const {
    for (const std::string_view value : rule.values) {
      if (!same_but_for_case(value, text)) continue;
      settings.*rule.member = value;
      return true;
    }
    for (const auto& [alias, value] : rule.aliases) {
      if (alias != to_upper(text)) continue;
      settings.*rule.member = value;
      return true;
    }
    return false;
  }

  bool operator()(const Text& rule) const {
    // Nobody means a control character, and what shows the value may take it for a line end.
    if (!is_plain_text(text)) return false;
    bool valid = false;
    switch (rule.form) {
      case Text::Form::any:
      case Text::Form::file:
        valid = true;
        break;
      case Text::Form::not_empty:
        valid = !text.empty();
        break;
      case Text::Form::address:
        valid = is_address(std::string(text));
        break;
      case Text::Form::connection_name:
        valid = !text.empty() && is_printable(text) && !has_quotes(text);
        break;
      case Text::Form::group:
        valid = is_printable(text) && text.find(' ') == std::string_view::npos;
        break;
      case Text::Form::order_subject:
        valid = is_subject(text, Wildcards::refused) && has_sound_tokens(text);
        break;
      case Text::Form::pattern:
        valid = is_subject(text, Wildcards::accepted);
        break;
      case Text::Form::subject_or_empty:
        valid = text.empty() || is_subject(text, Wildcards::refused);
        break;
    }
    if (valid) settings.*rule.member = text;
    return valid;
  }

  bool operator()(const StepSize& rule) const {
    const auto step = Decimal::parse(text);
    if (!step || step->is_zero()) return false;
    settings.*rule.member = *step;
    return true;
  }

  bool operator()(const SymbolList& rule) const {
    auto& symbols = settings.*rule.member;
    symbols.clear();
    if (text == "*") return true;
    return for_each_item(text, [&](std::string_view item) {
      const auto symbol = parse_symbol(item);
      if (!symbol || symbols.size() == EngineParameters::kMaxSymbols) return false;
      if (std::find(symbols.begin(), symbols.end(), *symbol) == symbols.end()) {
        symbols.push_back(*symbol);
      }
      return true;
    });
  }

  bool operator()(const AmountList& rule) const {
    auto& amounts = settings.*rule.member;
    amounts.clear();
    if (text.empty()) return true;
    return for_each_item(text, [&](std::string_view item) {
      const std::size_t colon = item.rfind(':');
      if (colon == std::string_view::npos) return false;
      const auto symbol = parse_symbol(trimmed(item.substr(0, colon)));
      const auto amount = Decimal::parse(trimmed(item.substr(colon + 1)));
      if (!symbol || !amount || amount->is_zero()) return false;
      const bool twice = std::any_of(amounts.begin(), amounts.end(),
                                     [&](const auto& other) { return other.symbol == *symbol; });
      if (twice) return false;
      amounts.push_back({*symbol, *amount});
      return true;
    });
  }

  bool operator()(const AssetList& rule) const {
    auto& assets = settings.*rule.member;
    assets.clear();
    return for_each_item(text, [&](std::string_view item) {
      const auto asset = parse_symbol(item);
      if (!asset || assets.size() == AssetList::kMaxAssets) return false;
      if (std::find(assets.begin(), assets.end(), asset->text()) == assets.end()) {
        assets.emplace_back(asset->text());
      }
      return true;
    });
  }

  bool operator()(const UrlList& rule) const {
    auto& urls = settings.*rule.member;
    urls.clear();
    return for_each_item(text, [&](std::string_view item) {
      // "nats://user:a,b@host" could be one password or two brokers; what could leak is refused
      // (a comma in a password is written %2C).
      const bool no_scheme = item.find("://") == std::string_view::npos;
      const bool ambiguous = no_scheme && item.find('@') != std::string_view::npos && !urls.empty();
      if (!parse_broker_url(item) || ambiguous) return false;
      urls.emplace_back(std::string(item));
      return true;
    });
  }

  bool operator()(const Confidential& rule) const {
    if (rule.form == Confidential::Form::credential && !is_handshake_text(text)) return false;
    settings.*rule.member = Secret(std::string(text));
    return true;
  }
};

}  // namespace

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

bool assign(const Rule& rule, std::string_view text, Settings& settings) {
  return std::visit(Assign{text, settings}, rule);
}

}  // namespace rts::config
