// What the engine takes for one frame, by kind of frame. That it allocates nothing is tested
// elsewhere.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <rts/engine/engine.hpp>

#include "app/market.hpp"
#include "support/frames.hpp"

namespace rts::test {
namespace {

EngineParameters parameters() {
  EngineParameters p;
  p.symbols = {*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT"), *Symbol::from("BNBUSDT")};
  return p;
}

// Steps through frames that each move their sequence on, as a feed does.
void run(benchmark::State& state, const std::function<std::string(std::uint64_t)>& frame_of) {
  // So few that they stay in the cache, as a frame does that has just arrived.
  constexpr std::size_t kFrames = 3'000;
  std::vector<std::string> frames;
  for (std::uint64_t i = 1; i <= kFrames; ++i) frames.push_back(frame_of(i));
  std::size_t next = 0;
  auto engine = std::make_unique<Engine>(parameters());
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    if (next == frames.size()) {
      state.PauseTiming();
      engine = std::make_unique<Engine>(parameters());
      for (std::size_t i = 0; i < 300; ++i) engine->step(frames[i], {});
      next = 300;
      state.ResumeTiming();
    }
    bytes += frames[next].size();
    benchmark::DoNotOptimize(engine->step(frames[next++], {}));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void book_20_levels(benchmark::State& state) {
  run(state, [](std::uint64_t i) {
    return book_frame({.at_ms = kNoonMs + static_cast<std::int64_t>(i),
                       .id = i,
                       .bids = ladder(60'000, -1, 20),
                       .asks = ladder(60'001, 1, 20)});
  });
}
BENCHMARK(book_20_levels);

void trade_frame(benchmark::State& state) {
  run(state, [](std::uint64_t i) {
    return combined("btcusdt@trade",
                    trade({.at_ms = kNoonMs + static_cast<std::int64_t>(i), .id = i}).json());
  });
}
BENCHMARK(trade_frame);

void ticker_frame(benchmark::State& state) {
  run(state, [](std::uint64_t i) {
    return combined("btcusdt@ticker",
                    ticker({.at_ms = kNoonMs + static_cast<std::int64_t>(i)}).json());
  });
}
BENCHMARK(ticker_frame);

// The simulator's mix in the relay's envelope: 55 % books, 38 % trades, 4 % tickers.
void mixed_frames(benchmark::State& state) {
  app::Market market({*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT")}, 1);
  run(state, [&](std::uint64_t i) {
    return std::string(
        market.next_frame(kNoon + std::chrono::milliseconds(static_cast<std::int64_t>(i))));
  });
}
BENCHMARK(mixed_frames);

}  // namespace
}  // namespace rts::test
