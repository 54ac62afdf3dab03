#include "research/statistics.hpp"

#include <algorithm>
#include <cassert>
#include <random>

namespace rts::research {
namespace {

// No number counts as the worse of both ends.
double bounded(double value, double if_none) noexcept {
  constexpr double kMost = Sample::kMostBasisPoints;
  return value >= -kMost && value <= kMost ? value
         : value > kMost                   ? kMost
         : value < -kMost                  ? -kMost
                                           : if_none;
}

// What stands at this place of the sorted values.
double at_rank(std::vector<double>& values, std::size_t rank) {
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

}  // namespace

// A mean for each draw.
struct BlockSums::Draws {
  std::vector<double> gross, net, hit_rate;
};

std::int64_t BlockSums::number_of(UnixMs at) const noexcept {
  const std::int64_t ms = at.time_since_epoch().count();
  return ms / length_.count() - (ms % length_.count() < 0 ? 1 : 0);
}

bool BlockSums::are_too_many_with(std::int64_t number) const noexcept {
  if (blocks_.empty()) return false;
  const std::int64_t first = std::min(number, blocks_.front().number);
  const std::int64_t last = std::max(number, blocks_.back().number);
  return static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) >= kMaxBlocks;
}

void BlockSums::double_length() {
  length_ *= 2;
  std::size_t kept = 0;
  for (Block block : blocks_) {
    block.number >>= 1;  // rounds down, also below 0
    if (kept == 0 || blocks_[kept - 1].number != block.number) {
      blocks_[kept++] = block;
      continue;
    }
    Block& pair = blocks_[kept - 1];
    pair.gross += block.gross;
    pair.cost += block.cost;
    pair.samples += block.samples;
    pair.hits += block.hits;
  }
  blocks_.resize(kept);
}

void BlockSums::widen(std::chrono::milliseconds shortest_block) {
  while (length_ < shortest_block) double_length();
}

BlockSums::Block& BlockSums::block_at(UnixMs at) {
  while (are_too_many_with(number_of(at))) double_length();
  const std::int64_t number = number_of(at);
  if (blocks_.empty() || blocks_.back().number < number) blocks_.push_back({number});
  auto block = blocks_.end() - 1;
  if (block->number != number) {
    block = std::ranges::lower_bound(blocks_, number, {}, &Block::number);
    if (block->number != number) block = blocks_.insert(block, Block{number});
  }
  return *block;
}

void BlockSums::add(UnixMs at, const Sample& sample) {
  Block& block = block_at(at);
  block.gross += bounded(sample.gross, -Sample::kMostBasisPoints);
  block.cost += bounded(sample.cost, Sample::kMostBasisPoints);
  ++block.samples;
  if (sample.is_hit) ++block.hits;
  ++samples_;
}

void BlockSums::add(const BlockSums& other) {
  widen(other.length_);
  for (const Block& block : other.blocks_) {
    Block& sum = block_at(UnixMs{block.number * other.length_});
    sum.gross += block.gross;
    sum.cost += block.cost;
    sum.samples += block.samples;
    sum.hits += block.hits;
  }
  samples_ += other.samples_;
}

SampleTotals BlockSums::totals() const noexcept {
  SampleTotals totals{.samples = samples_};
  for (const Block& block : blocks_) {
    totals.gross += block.gross;
    totals.cost += block.cost;
  }
  return totals;
}

BlockSums::Draws BlockSums::draw() const {
  // The engine's numbers are fixed by the standard; its distributions are not, so a block is chosen
  // by ⌊number · blocks / 2^32⌋. That prefers none by more than 128 / 2^32.
  std::mt19937 random;  // NOLINT(cert-msc51-cpp): the same draws each time, on purpose
  Draws draws;
  for (auto* means : {&draws.gross, &draws.net, &draws.hit_rate}) means->reserve(kResamples);
  for (std::size_t resample = 0; resample < kResamples; ++resample) {
    double gross = 0, cost = 0;
    std::uint64_t samples = 0, hits = 0;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const Block& block = blocks_[std::uint64_t{random()} * blocks_.size() >> 32U];
      gross += block.gross;
      cost += block.cost;
      samples += block.samples;
      hits += block.hits;
    }
    const auto count = static_cast<double>(samples);
    draws.gross.push_back(gross / count);
    draws.net.push_back((gross - cost) / count);
    draws.hit_rate.push_back(static_cast<double>(hits) / count);
  }
  return draws;
}

Estimate BlockSums::estimate(std::size_t questions) const {
  assert(questions >= 1);
  Estimate estimate;
  if (blocks_.empty()) return estimate;
  double gross = 0, cost = 0;
  std::uint64_t hits = 0;
  for (const Block& block : blocks_) {
    gross += block.gross;
    cost += block.cost;
    hits += block.hits;
  }
  const auto count = static_cast<double>(samples_);
  Draws draws;
  if (blocks_.size() >= 2) draws = draw();
  const auto interval = [&](double mean, std::vector<double>& means, std::size_t of_questions) {
    if (means.empty()) return Interval{mean, mean, mean, samples_, blocks_.size()};
    const std::size_t below = kResamples / 40 / of_questions;  // 2.5 % of them
    const double low = at_rank(means, below), high = at_rank(means, kResamples - 1 - below);
    return Interval{mean, low, high, samples_, blocks_.size()};
  };
  estimate.gross = interval(gross / count, draws.gross, 1);
  estimate.net = interval((gross - cost) / count, draws.net, 1);
  estimate.strict_net = interval((gross - cost) / count, draws.net, questions);
  estimate.hit_rate = interval(static_cast<double>(hits) / count, draws.hit_rate, 1);
  estimate.mean_cost = cost / count;
  return estimate;
}

}  // namespace rts::research
