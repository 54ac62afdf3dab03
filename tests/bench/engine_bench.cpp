// What the engine takes for one frame, by kind of frame. That it allocates nothing is tested
// elsewhere.
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <rts/engine/engine.hpp>

#include "support/bench_frames.hpp"

namespace rts::test {
namespace {

// Steps through frames that each move their sequence on, as a feed does.
void step(benchmark::State& state, const char* kind) {
  // So few that they stay in the cache, as a frame does that has just arrived.
  constexpr std::size_t kFrames = 2'000;
  constexpr std::size_t kWarmUp = 300;
  const std::vector<std::string> frames = BenchFrames(kind).next(kFrames);
  std::size_t next = frames.size();
  std::unique_ptr<Engine> engine;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    if (next == frames.size()) {
      state.PauseTiming();
      engine = std::make_unique<Engine>(bench_parameters());
      for (next = 0; next < kWarmUp; ++next) engine->step(frames[next], {});
      state.ResumeTiming();
    }
    bytes += frames[next].size();
    benchmark::DoNotOptimize(engine->step(frames[next++], {}));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(step, book, "book");
BENCHMARK_CAPTURE(step, trade, "trade");
BENCHMARK_CAPTURE(step, ticker, "ticker");
BENCHMARK_CAPTURE(step, mixed, "mixed");

}  // namespace
}  // namespace rts::test
