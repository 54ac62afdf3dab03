// Everything the engine is told before the first frame. The rows of the settings table point into
// it, and the values here are their defaults; tests write it by hand.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/symbol.hpp>
#include <rts/strategy/orderbook_skew.hpp>
#include <rts/strategy/ticker_velocity.hpp>
#include <rts/strategy/trade_momentum.hpp>
#include <rts/trading/gate.hpp>
#include <rts/trading/terms.hpp>

namespace rts {

// `live` drops frames that are stale or from the future at receipt; a replay is always both.
enum class Clock : std::uint8_t { live, replay };

// What may differ from symbol to symbol.
struct SymbolParameters {
  std::array<bool, count_of<StrategyId>> enabled{true, true, true};
  OrderbookSkew orderbook_skew;
  TradeMomentum trade_momentum;
  TickerVelocity ticker_velocity;
  OrderTerms terms;
  bool traded = true;  // false: the venue does not trade it now, or not for a quote asset of ours
};

struct NamedParameters {
  Symbol symbol;
  SymbolParameters parameters;
};

struct EngineParameters {
  static constexpr std::size_t kMaxSymbols = 512;

  Clock clock = Clock::replay;
  std::chrono::seconds message_ttl{60};  // live only; 0 = off
  bool refuse_simulation = false;        // live only: frames of a made-up market are not traded on
  std::vector<Symbol> symbols{};         // empty = all, up to kMaxSymbols as they come
  std::vector<std::string> quote_assets{"USDT"};  // a symbol's name ends with one of them
  SymbolParameters defaults{};
  std::vector<NamedParameters> per_symbol{};  // in place of the defaults; no symbol twice
  GateLimits gate{};
  bool paused = false;

  [[nodiscard]] const SymbolParameters& of(const Symbol& symbol) const noexcept {
    const NamedParameters* const named = entry_of(per_symbol, symbol);
    return named == nullptr ? defaults : named->parameters;
  }
};

// Whether the symbol of this name is quoted in one of the assets: sizes are amounts of these.
[[nodiscard]] inline bool is_quoted_in(std::span<const std::string> assets,
                                       std::string_view symbol) noexcept {
  return std::any_of(assets.begin(), assets.end(), [&](const std::string& asset) {
    return symbol.size() > asset.size() && symbol.ends_with(asset);
  });
}

}  // namespace rts
