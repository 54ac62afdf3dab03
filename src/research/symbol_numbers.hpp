// Numbers of symbols that are never given away, as an engine's are where it meets more symbols than
// it has room for: what is known by such a number is of one symbol. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <rts/base/symbol.hpp>

namespace rts::research {

class SymbolNumbers {
 public:
  // The symbol's, which the engine knows by this number now. New ones count from 0.
  std::size_t of(std::size_t engine_index, const Symbol& symbol) {
    if (engine_index >= numbers_.size()) numbers_.resize(engine_index + 1, symbols_.size());
    std::size_t& number = numbers_[engine_index];
    if (number < symbols_.size() && symbols_[number] == symbol) return number;
    const auto found = std::ranges::find(symbols_, symbol);
    number = static_cast<std::size_t>(found - symbols_.begin());
    if (found == symbols_.end()) symbols_.push_back(symbol);
    return number;
  }

  // By number.
  [[nodiscard]] const std::vector<Symbol>& symbols() const noexcept { return symbols_; }

 private:
  std::vector<std::size_t> numbers_;  // by the engine's
  std::vector<Symbol> symbols_;
};

}  // namespace rts::research
