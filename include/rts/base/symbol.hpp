// Symbol: the name of an instrument as the venue writes it, ASCII letters upper-cased. Binance
// names are UTF-8 ("牛来USDT") and may carry '_' ("BTCUSDT_260925"); nothing is assumed of their
// form but the length. A value type, usable from any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <rts/base/text.hpp>

namespace rts {

class Symbol {
 public:
  static constexpr std::size_t kMaxBytes = 63;

  // Empty when the text is empty or longer than kMaxBytes.
  [[nodiscard]] static constexpr std::optional<Symbol> from(std::string_view text) noexcept {
    if (text.empty() || text.size() > kMaxBytes) return std::nullopt;
    Symbol symbol;
    for (const char c : text) symbol.bytes_[symbol.size_++] = to_upper(c);
    return symbol;
  }

  // Whether a text may be a symbol: no quote, blank, slash or control character in it. No venue has
  // such instruments, and the receiver of an order may take such a character for syntax.
  [[nodiscard]] static constexpr bool may_name(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(), [](char c) {
      return static_cast<unsigned char>(c) <= ' ' || c == 0x7F || c == '"' || c == '\'' ||
             c == '`' || c == '/' || c == '\\';
    });
  }

  // Lives as long as this value.
  [[nodiscard]] constexpr std::string_view text() const noexcept { return {bytes_.data(), size_}; }

  friend constexpr bool operator==(const Symbol& a, const Symbol& b) noexcept {
    return a.text() == b.text();
  }

 private:
  std::array<char, kMaxBytes> bytes_{};
  unsigned char size_ = 0;
};

// The first entry of a list whose `symbol` is this one; null when there is none.
template <class Entry>
[[nodiscard]] const Entry* entry_of(const std::vector<Entry>& list, const Symbol& symbol) noexcept {
  const auto found = std::ranges::find(list, symbol, &Entry::symbol);
  return found == list.end() ? nullptr : &*found;
}

}  // namespace rts
