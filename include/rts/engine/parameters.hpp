// Everything the engine is told before the first frame. Made from the settings table by
// config/settings.hpp; tests write it by hand.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <rts/base/decimal.hpp>
#include <rts/base/symbol.hpp>
#include <rts/strategy/orderbook_skew.hpp>
#include <rts/strategy/ticker_velocity.hpp>
#include <rts/strategy/trade_momentum.hpp>
#include <rts/trading/gate.hpp>
#include <rts/trading/order.hpp>
#include <rts/trading/sizing.hpp>

namespace rts {

// `live` drops frames that are stale or from the future at receipt; a replay is always both.
enum class Clock : std::uint8_t { live, replay };

struct SymbolStep {
  Symbol symbol;
  Decimal step;
};

struct EngineParameters {
  static constexpr std::size_t kMaxSymbols = 512;

  Clock clock = Clock::replay;
  std::chrono::seconds message_ttl{60};  // live only; 0 = off
  std::vector<Symbol> symbols;           // empty = all, up to kMaxSymbols as they come
  std::array<bool, kStrategies.size()> enabled{true, true, true};
  OrderbookSkewParameters orderbook_skew;
  TradeMomentumParameters trade_momentum;
  TickerVelocityParameters ticker_velocity;
  GateLimits gate;
  SizeLimits size;
  Decimal quantity_step = *Decimal::parse("0.001");
  std::vector<SymbolStep> quantity_steps;
  OrderPolicy order;
  bool paused = false;
};

}  // namespace rts
