// OrderTerms: what an order of one symbol is held to and made with. The gate, the sizing and the
// order all read this one value. SPEC §4.
#pragma once

#include <chrono>
#include <cstdint>

#include <rts/market/units.hpp>
#include <rts/trading/instrument.hpp>

namespace rts {

// Quote currency. Precondition: minimum <= maximum.
struct SizeLimits {
  Notional order = *Notional::from(100);
  Notional minimum = *Notional::from(10);
  Notional maximum = *Notional::from(1000);
};

// What a SELL does. `refused`: it may only close, and the format of the orders cannot say so.
enum class Sells : std::uint8_t { open_short, close_long, refused };

struct OrderTerms {
  double min_confidence = 0.6;         // 0 … 1, inclusive
  std::chrono::seconds cooldown{900};  // per strategy, symbol and side; 0 = off, one id an event
  SizeLimits size{};
  Instrument instrument{};
  Sells sells = Sells::open_short;
  int leverage = 1;                          // 1 … 125
  std::chrono::seconds ttl{5};               // of an opening order
  std::chrono::seconds reduce_only_ttl{30};  // of one that can only close
  double stop_loss_percent = 2;              // of the price, 0 < x < 100
  double take_profit_percent = 4;            // of the price, 0 < x < 100
};

}  // namespace rts
