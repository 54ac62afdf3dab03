// What the engine takes for one frame, by kind of frame and by stage: time and allocations.
//   engine_bench [Google Benchmark's flags]
// A benchmark is "kind/stage"; its counter `frame` is seconds a frame, `allocations` are those of a
// frame after warm-up.
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/stages.hpp"
#include "support/bench_frames.hpp"
#include "support/counted_new.hpp"

namespace rts::test {
namespace {

// Made at its first use, once: a benchmark is called several times.
Stage& stage_of(const std::string& kind, const std::string& stage) {
  static std::map<std::string, std::vector<std::string>> frames;
  static std::map<std::string, std::unique_ptr<Stage>> stages;
  std::vector<std::string>& of_kind = frames[kind];
  if (of_kind.empty()) of_kind = BenchFrames(kind).next(kStageFrames);
  std::unique_ptr<Stage>& made = stages[kind + stage];
  if (!made) made = make_stage(stage, of_kind);
  return *made;
}

// An iteration is one run over all frames, in which each moves its sequence on, as in a feed.
void measure(benchmark::State& state, const std::string& kind, const std::string& name) {
  Stage& stage = stage_of(kind, name);
  std::uint64_t allocated = 0;
  for (auto _ : state) {
    stage.prepare();
    const std::uint64_t before = allocations();
    const auto begun = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(stage.run());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    allocated += allocations() - before;
    state.SetIterationTime(took.count());
  }
  using Counter = benchmark::Counter;
  const auto frames = static_cast<double>(stage.frames());
  state.counters["frame"] = Counter(frames, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.counters["allocations"] =
      Counter(static_cast<double>(allocated) / frames, Counter::kAvgIterations);
}

void add(const std::string& kind, const std::string& stage) {
  benchmark::RegisterBenchmark(fmt::format("{}/{}", kind, stage).c_str(), measure, kind, stage)
      ->UseManualTime();
}

}  // namespace
}  // namespace rts::test

int main(int argc, char** argv) {
  using rts::test::kStages;
  for (const char* kind : {"book", "trade", "ticker", "mixed"}) {
    for (const std::string_view stage : kStages) rts::test::add(kind, std::string(stage));
  }
  for (const char* kind : {"book5", "book10"}) {
    for (const char* stage : {"step", "decode"}) rts::test::add(kind, stage);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
