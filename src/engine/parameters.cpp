#include <algorithm>

#include <rts/engine/parameters.hpp>

namespace rts {

const SymbolParameters& EngineParameters::of(const Symbol& symbol) const noexcept {
  const auto named = std::find_if(per_symbol.begin(), per_symbol.end(),
                                  [&](const auto& entry) { return entry.symbol == symbol; });
  return named == per_symbol.end() ? defaults : named->parameters;
}

}  // namespace rts
