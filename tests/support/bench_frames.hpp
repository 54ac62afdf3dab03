// The frames all figures are taken with: the simulator's books of 20 levels, trades and tickers in
// the relay's envelope, without what it mixes in to be refused.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rts/engine/engine.hpp>

#include "simulation/market.hpp"
#include "support/frames.hpp"

namespace rts::test {

// BTCUSDT, ETHUSDT, BNBUSDT, and then made-up ones: the first `count`.
[[nodiscard]] std::vector<Symbol> bench_symbols(std::size_t count = 3);

// BTCUSDT, ETHUSDT and BNBUSDT; everything else as by default.
[[nodiscard]] EngineParameters bench_parameters();

struct BenchFeed {
  std::vector<Symbol> symbols = bench_symbols();
  UnixMs start = kNoon;
};

// Kinds: "book", "trade", "ticker", and "mixed", which is 60 %, 37 % and 3 % of them; "book5" and
// "book10" are books cut to so many levels. The same feed gives the same frames.
class BenchFrames {
 public:
  // Throws std::invalid_argument for an unknown kind.
  explicit BenchFrames(std::string_view kind, const BenchFeed& feed = {});

  // The next `count`, from the start on: each moves its sequence on. They are 10 ms apart, tickers
  // 330 ms, which is one a second and symbol, as among mixed frames and at the exchange.
  [[nodiscard]] std::vector<std::string> next(std::size_t count);
  // The time of the next.
  [[nodiscard]] UnixMs time() const { return start_ + apart_ * static_cast<std::int64_t>(drawn_); }

 private:
  [[nodiscard]] std::string_view channel_of_next() const;

  std::string kind_;
  UnixMs start_;
  std::chrono::milliseconds apart_;
  simulation::Market market_;
  std::uint64_t drawn_ = 0;
};

// Books of a symbol that no other frame is of, so skewed that each is an order where the gate lets
// it pass. Its id, in the frame and in the order, is `id`: of 10 digits, and rising.
inline constexpr std::string_view kMarkSymbol = "MARKUSDT";
[[nodiscard]] std::string mark_frame(std::uint64_t id, UnixMs at);

}  // namespace rts::test
