// How sure a mean is: samples of a market overlap and follow each other, so they are summed in
// blocks of event time, and whole blocks are drawn again and again (block bootstrap). The same
// samples give the same interval on every machine. Not thread-safe.
//
// Source: Künsch, "The Jackknife and the Bootstrap for General Stationary Observations" (1989);
// here with blocks that do not overlap, and the ratio Σ value / Σ samples of what was drawn.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <rts/base/time.hpp>

namespace rts::research {

// A mean, and between what it may be expected. With fewer than two blocks nothing is known of how
// it varies: low and high are the mean, and has_bounds() says that they are none. Always finite.
struct Interval {
  double mean = 0, low = 0, high = 0;
  std::uint64_t samples = 0;
  std::uint64_t blocks = 0;  // that have samples

  [[nodiscard]] bool has_bounds() const noexcept { return blocks >= 2; }
  friend bool operator==(const Interval&, const Interval&) noexcept = default;
};

// What one order, or one closed lot, has given, in basis points. What is larger than
// kMostBasisPoints, or no number, counts as that many: absurd prices spoil no sum.
struct Sample {
  static constexpr double kMostBasisPoints = 1e9;

  double gross = 0;
  double cost = 0;
  bool is_hit = false;
};

// Of the same samples; net = gross − cost of each. A rate is 0 … 1.
struct Estimate {
  Interval gross, net, hit_rate;
  Interval strict_net;   // net, as wide as many questions at once want it
  double mean_cost = 0;  // basis points
};

// Sums of samples, in basis points.
struct SampleTotals {
  double gross = 0, cost = 0;
  std::uint64_t samples = 0;

  [[nodiscard]] double net() const noexcept { return gross - cost; }
};

class BlockSums {
 public:
  // Memory is bounded by this, whatever the length of a recording: where the samples would stand in
  // more blocks than that, blocks become twice as long, and pairs of them one.
  static constexpr std::size_t kMaxBlocks = 128;
  // How often blocks are drawn, as many as there are: the bounds are the 2.5th and the 97.5th
  // percentile of the means of these draws.
  static constexpr std::size_t kResamples = 2'000;

  // Samples that are closer than that to each other are of the same prices and no independent ones:
  // blocks are never shorter. Precondition: at least 1 ms.
  explicit BlockSums(std::chrono::milliseconds shortest_block) noexcept : length_(shortest_block) {}

  // In any order of time; O(1) where it runs forwards.
  void add(UnixMs at, const Sample& sample);

  // Those of another, which began with blocks of the same length.
  void add(const BlockSums& other);

  // From now on blocks are at least as long.
  void widen(std::chrono::milliseconds shortest_block);

  // 95 % intervals. `questions`: how many means are looked at for the best of them; strict_net is
  // at 1 − 0.05 / questions (Bonferroni). More than 50 cannot be told apart with kResamples: from
  // there on its bounds are the lowest and the highest draw. Precondition: at least 1.
  [[nodiscard]] Estimate estimate(std::size_t questions = 1) const;

  [[nodiscard]] std::uint64_t samples() const noexcept { return samples_; }
  [[nodiscard]] SampleTotals totals() const noexcept;
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_.size(); }
  [[nodiscard]] std::chrono::milliseconds block_length() const noexcept { return length_; }

 private:
  struct Block {
    std::int64_t number = 0;  // ⌊event time / length_⌋
    double gross = 0, cost = 0;
    std::uint32_t samples = 0, hits = 0;
  };
  struct Draws;

  [[nodiscard]] std::int64_t number_of(UnixMs at) const noexcept;
  [[nodiscard]] bool are_too_many_with(std::int64_t number) const noexcept;
  [[nodiscard]] Block& block_at(UnixMs at);
  void double_length();
  [[nodiscard]] Draws draw() const;

  std::chrono::milliseconds length_;
  std::vector<Block> blocks_;  // those with samples, by number
  std::uint64_t samples_ = 0;
};

}  // namespace rts::research
