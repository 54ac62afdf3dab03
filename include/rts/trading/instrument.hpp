// What the venue takes of an instrument: the filters an order of it has to pass. Usable from any
// thread. Source: Binance's exchangeInfo, or the settings where there is none.
#pragma once

#include <rts/base/decimal.hpp>

namespace rts {

struct Instrument {
  Decimal quantity_step = *Decimal::parse("0.001");  // base asset, not zero
  Decimal min_quantity{};                            // base asset; zero: none
  Decimal max_quantity{};                            // base asset; zero: none
  double min_notional = 0;                           // quote currency; 0: none
  double max_notional = 0;                           // quote currency; 0: none
  Decimal tick{};                                    // quote currency; zero: not known
};

}  // namespace rts
