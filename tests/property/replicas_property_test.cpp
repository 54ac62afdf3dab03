// The rules of SPEC §1, §4 and §6 over several replicas, simulated without a broker: see
// simulation.hpp. One seed is one simulation, and the same each time: RTS_SEED is the first one,
// RTS_SIMULATED_SEEDS says how many there are, RTS_SIMULATION_REPORT where a summary is written.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <rts/base/json_writer.hpp>

#include "property/property.hpp"
#include "property/simulation.hpp"

namespace rts::test {
namespace {

constexpr std::uint64_t kUsualSeeds = 500;

std::uint64_t seeds_to_simulate() {
  const char* const given = std::getenv("RTS_SIMULATED_SEEDS");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : kUsualSeeds;
}

// On all processors: a seed is the same on each.
struct Simulated {
  Totals totals;
  std::optional<std::uint64_t> failed;  // a seed that breaks a rule
};
Simulated simulate(std::uint64_t first, std::uint64_t count) {
  Simulated all;
  std::mutex mutex;
  std::atomic<std::uint64_t> next = first;
  const auto work = [&] {
    Totals own;
    for (std::uint64_t seed = next++; seed < first + count; seed = next++) {
      Simulation simulation({.seed = seed});
      const bool fails = simulation.run().has_value();
      own.add(simulation.totals());
      if (!fails) continue;
      next = first + count;
      const std::lock_guard lock(mutex);
      all.failed = std::min(all.failed.value_or(seed), seed);
    }
    const std::lock_guard lock(mutex);
    all.totals.add(own);
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  return all;
}

// What the seed has done, at most so many lines of its end, and how to see all of it.
std::string explanation(std::uint64_t seed, std::size_t shown) {
  Simulation simulation({.seed = seed, .keeps_trace = true});
  const auto violation = simulation.run();
  const auto& trace = simulation.trace();
  const std::size_t from = trace.size() > shown ? trace.size() - shown : 0;
  return fmt::format(
      "{}\nseed {}, step {}: {}: {}\nagain: RTS_SEED={} RTS_SIMULATED_SEEDS=1 {} {}",
      fmt::join(trace.begin() + static_cast<std::ptrdiff_t>(from), trace.end(), "\n"), seed,
      violation ? violation->step : 0, violation ? to_string(violation->invariant) : "nothing",
      violation ? violation->text : "it differs from run to run", seed, program_invocation_name,
      "--gtest_filter='Replicas.Keep*'");
}

template <typename Enum, std::size_t kSize>
void append_counts(JsonWriter& json, const char* name,
                   const std::array<std::uint64_t, kSize>& counts) {
  json.key(name).begin_object();
  for (const Enum value : all_of<Enum>) {
    json.key(to_string(value)).unsigned_integer(counts[index_of(value)]);
  }
  json.end_object();
}
std::string report(const Totals& totals, std::uint64_t first, double seconds, bool held) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("first_seed").unsigned_integer(first);
  json.key("seeds").unsigned_integer(totals.seeds).key("seconds").number_or_null(seconds);
  json.key("steps").unsigned_integer(totals.steps);
  json.key("frames").unsigned_integer(totals.frames);
  append_counts<OrderResult>(json, "orders", totals.orders);
  append_counts<Fault>(json, "faults", totals.faults);
  json.key("invariants").begin_array();
  for (const Invariant invariant : all_of<Invariant>) json.string(to_string(invariant));
  json.end_array().key("trace_hash").string(fmt::format("{:016x}", totals.trace_hash));
  json.key("held").boolean(held).end_object();
  return text + "\n";
}

template <typename Enum, std::size_t kSize>
std::string counts_text(const std::array<std::uint64_t, kSize>& counts) {
  std::string text;
  for (const Enum value : all_of<Enum>) {
    text += fmt::format(" {} {}", to_string(value), counts[index_of(value)]);
  }
  return text;
}

TEST(Replicas, KeepTheRulesWhateverHappens) {
  const std::uint64_t first = property_seed();
  const std::uint64_t count = seeds_to_simulate();
  const auto begun = std::chrono::steady_clock::now();
  const auto [totals, failed] = simulate(first, count);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  constexpr std::size_t kShown = 100;
  if (failed) ADD_FAILURE() << explanation(*failed, count == 1 ? SIZE_MAX : kShown);
  std::cout << fmt::format("{} seeds in {:.1f} s: {} steps, {} frames; orders:{}; faults:{}; ",
                           totals.seeds, took.count(), totals.steps, totals.frames,
                           counts_text<OrderResult>(totals.orders),
                           counts_text<Fault>(totals.faults))
            << fmt::format("trace {:016x}\n", totals.trace_hash);
  // Each fault has been there, and each way to end but for the one that needs a setting.
  if (!failed && count >= kUsualSeeds) {
    for (const Fault fault : all_of<Fault>) {
      EXPECT_GT(totals.faults[index_of(fault)], 0U) << to_string(fault);
    }
    for (const OrderResult result : all_of<OrderResult>) {
      if (result == OrderResult::dry_run) continue;
      EXPECT_GT(totals.orders[index_of(result)], 0U) << to_string(result);
    }
  }
  if (const char* const path = std::getenv("RTS_SIMULATION_REPORT")) {
    std::ofstream(path) << report(totals, first, took.count(), !HasFailure());
  }
}

TEST(Replicas, DoTheSameOfOneSeedEachTime) {
  const std::uint64_t first = property_seed();
  for (std::uint64_t seed = first; seed < first + 20; ++seed) {
    Simulation one({.seed = seed});
    Simulation other({.seed = seed});
    one.run();
    other.run();
    EXPECT_EQ(one.totals().trace_hash, other.totals().trace_hash) << seed;
    EXPECT_NE(one.totals().trace_hash, simulate(seed + 1, 1).totals.trace_hash) << seed;
  }
}

// --- What breaks a rule is found
// -------------------------------------------------------------------

struct Find {
  Invariant invariant;
  Planted planted;
};
class PlantedFault : public testing::TestWithParam<Find> {};

TEST_P(PlantedFault, IsFound) {
  constexpr std::uint64_t kMostSeeds = 300;
  const auto [invariant, planted] = GetParam();
  std::array<std::uint64_t, count_of<Invariant>> found{};
  for (std::uint64_t seed = 1; seed <= kMostSeeds; ++seed) {
    Simulation simulation({.seed = seed, .planted = planted});
    const auto& violation = simulation.run();
    if (violation && violation->invariant == invariant) return;
    if (violation) ++found[index_of(violation->invariant)];
  }
  FAIL() << to_string(planted) << " is never seen as " << to_string(invariant) << ", but as"
         << counts_text<Invariant>(found);
}

constexpr Find kFinds[] = {
    {Invariant::accounted, Planted::miscounts},
    {Invariant::results_accounted, Planted::loses_a_result},
    {Invariant::one_result, Planted::ends_twice},
    {Invariant::sent_once, Planted::sends_twice},
    {Invariant::arrives_once, Planted::arrives_twice},
    {Invariant::in_time, Planted::arrives_late},
    {Invariant::not_paused, Planted::deaf_to_pauses},
    {Invariant::pause_is_heard, Planted::reads_controls_once},
    {Invariant::stored_first, Planted::stores_nothing},
    {Invariant::cooldown, Planted::deaf_to_the_log},
    {Invariant::daily_limit, Planted::deaf_to_the_log},
    {Invariant::minute_limit, Planted::deaf_to_the_log},
    {Invariant::settings, Planted::deaf_to_revisions},
    {Invariant::result_is_true, Planted::says_confirmed},
    {Invariant::needless_loss, Planted::loses_messages},
    {Invariant::ended, Planted::loses_wakes},
    {Invariant::works_again, Planted::never_resumes},
    {Invariant::same_memory, Planted::hears_ghosts},
    {Invariant::same_as_one, Planted::misses_frames},
};
static_assert(std::size(kFinds) == count_of<Invariant>, "each invariant can be broken");

INSTANTIATE_TEST_SUITE_P(Replicas, PlantedFault, testing::ValuesIn(kFinds), [](const auto& test) {
  return std::string(to_string(test.param.invariant));
});

}  // namespace
}  // namespace rts::test
