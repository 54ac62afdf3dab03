// The frames all figures are taken with: the simulator's books of 20 levels, trades and tickers of
// three symbols in the relay's envelope, without what it mixes in to be refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rts/engine/engine.hpp>

#include "app/market.hpp"

namespace rts::test {

// BTCUSDT, ETHUSDT and BNBUSDT; everything else as by default.
[[nodiscard]] EngineParameters bench_parameters();

// Kinds: "book", "trade", "ticker", and "mixed", which is 60 %, 37 % and 3 % of them. The same seed
// gives the same frames.
class BenchFrames {
 public:
  // Throws std::invalid_argument for an unknown kind.
  explicit BenchFrames(std::string_view kind, std::uint64_t seed = 1);

  // The next `count`, 10 ms apart from kNoon on: each moves its sequence on.
  [[nodiscard]] std::vector<std::string> next(std::size_t count);

 private:
  [[nodiscard]] std::string_view channel_of_next();

  std::string kind_;
  app::Market market_;
  std::uint64_t drawn_ = 0;
};

}  // namespace rts::test
