#include "research/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace rts::research {
namespace {

constexpr int kParts = 512;                              // of a power of two
constexpr int kLeastExponent = -19, kMostExponent = 20;  // 10^−6 to 10^6: beyond is the end of it

// Rises with the value.
std::int32_t key_of(double value) noexcept {
  int exponent = 0;
  const double mantissa = std::frexp(std::abs(value), &exponent);  // 0.5 … 1, or 0
  if (mantissa == 0 || exponent < kLeastExponent) return 0;
  const bool is_large = exponent > kMostExponent;
  const int part = is_large ? kParts - 1 : static_cast<int>((mantissa - 0.5) * 2 * kParts);
  const int key = (std::min(exponent, kMostExponent) - kLeastExponent) * kParts + part + 1;
  return value < 0 ? -key : key;
}

// The middle of a bucket.
double value_of(std::int32_t key) noexcept {
  if (key == 0) return 0;
  const int place = std::abs(key) - 1;
  const double mantissa = 0.5 + (place % kParts + 0.5) / (2 * kParts);
  const double size = std::ldexp(mantissa, place / kParts + kLeastExponent);
  return key < 0 ? -size : size;
}

}  // namespace

void Histogram::add(double value) {
  if (!std::isfinite(value)) return;
  least_ = count_ == 0 ? value : std::min(least_, value);
  most_ = count_ == 0 ? value : std::max(most_, value);
  ++count_;
  ++buckets_[key_of(value)];
}

Histogram::Result Histogram::result() const {
  Result result{.least = least_, .most = most_, .count = count_};
  if (count_ == 0) return result;
  const std::uint64_t outside = count_ / 200;  // at each end
  std::uint64_t before = 0;
  bool has_low = false;
  for (const auto& [key, count] : buckets_) {
    const double value = std::clamp(value_of(key), least_, most_);
    if (!has_low && before + count > outside) result.low = value, has_low = true;
    if (before < count_ - outside) result.high = value;
    before += count;
  }
  if (!(result.low < result.high)) {  // a bin has to have some width
    const double half = std::max(std::abs(result.low) / 100, 1e-6);
    result.low -= half;
    result.high += half;
  }
  const double width = (result.high - result.low) / kBins;
  for (const auto& [key, count] : buckets_) {
    const double value = std::clamp(value_of(key), least_, most_);
    if (value < result.low) {
      result.below += count;
    } else if (value > result.high) {
      result.above += count;
    } else {
      const auto bin = static_cast<std::size_t>((value - result.low) / width);
      result.bins[std::min(bin, kBins - 1)] += count;
    }
  }
  return result;
}

}  // namespace rts::research
