// Histogram of a number that nothing is known of before: it is counted in fine buckets, and at the
// end in a few bins over the range in which nearly all of it lies. Memory is bounded: some 2 MB
// at most. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

namespace rts::research {

class Histogram {
 public:
  static constexpr std::size_t kBins = 60;

  // [low, high) in bins of one width, the last of which has `high` as well.
  struct Result {
    double low = 0, high = 0;
    std::array<std::uint64_t, kBins> bins{};
    std::uint64_t below = 0, above = 0;  // that lie outside
    double least = 0, most = 0;          // of all, exactly
    std::uint64_t count = 0;             // of all
  };

  // Finite; where it is not, it is passed over.
  void add(double value);

  // Over all but the 0.5 % that are the least and the 0.5 % that are the most. A value lies where
  // the middle of its bucket does: within 0.1 % of it, or below 10^−6 in size at 0.
  [[nodiscard]] Result result() const;

 private:
  // By key: the sign, the power of two, and 512 parts of that.
  std::map<std::int32_t, std::uint64_t> buckets_;
  double least_ = 0, most_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace rts::research
