// Everything the engine is told before the first frame. Made from the settings table by
// config/settings.hpp; tests write it by hand.
#pragma once

#include <chrono>
#include <string>
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
  OrderbookSkewParameters orderbook_skew;
  TradeMomentumParameters trade_momentum;
  TickerVelocityParameters ticker_velocity;
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
  std::vector<Symbol> symbols;           // empty = all, up to kMaxSymbols as they come
  std::vector<std::string> quote_assets{"USDT"};  // a symbol's name ends with one of them
  SymbolParameters defaults;
  std::vector<NamedParameters> per_symbol;  // in place of the defaults; no symbol twice
  GateLimits gate;
  bool paused = false;

  [[nodiscard]] const SymbolParameters& of(const Symbol& symbol) const noexcept;
};

}  // namespace rts
