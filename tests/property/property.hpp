// What property tests share: random numbers from one seed, which every failure prints and the
// environment's RTS_SEED replaces.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/market/units.hpp>

namespace rts::test {

[[nodiscard]] inline std::uint64_t property_seed() {
  const char* const given = std::getenv("RTS_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20'240'719;
}

class Property : public testing::Test {
 protected:
  // 0 … below−1.
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(pick(static_cast<std::uint64_t>(most - least) + 1));
  }
  // least ≤ x < most, evenly.
  double uniform(double least, double most) {
    return least + (most - least) * static_cast<double>(random_() >> 11) * 0x1p-53;
  }
  // Evenly over the orders of magnitude.
  double log_uniform(double least, double most) {
    return std::exp(uniform(std::log(least), std::log(most)));
  }
  // Any finite double > 0, the extremes often.
  double extreme_positive() {
    using Limits = std::numeric_limits<double>;
    switch (pick(8)) {
      case 0: return Limits::max();
      case 1: return Limits::min();
      case 2: return Limits::denorm_min();
      case 3: return 1;
      case 4: return std::nextafter(1.0, 2.0);
      default: return std::ldexp(uniform(0.5, 1), static_cast<int>(between(-1070, 1023)));
    }
  }
  // Any price or quantity > 0, the extremes often.
  double extreme_market_number() {
    return std::min(extreme_positive(), std::nextafter(kMarketNumbersBelow, 0));
  }
  std::mt19937_64& random() { return random_; }

 private:
  std::uint64_t seed_ = property_seed();
  std::mt19937_64 random_{seed_};
  testing::ScopedTrace trace_{__FILE__, __LINE__, fmt::format("RTS_SEED={}", seed_)};
};

}  // namespace rts::test
