// ticker_velocity: trades on how fast the last price moves over a time window. The functor is
// stateless; the window belongs to the engine, one a symbol. SPEC §3.3.
#pragma once

#include <cassert>
#include <chrono>
#include <cstddef>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/market/events.hpp>
#include <rts/strategy/verdict.hpp>

namespace rts {

struct TickerVelocityParameters {
  std::chrono::seconds time_window{60};
  double buy_threshold = 0.5;     // percent per minute, exclusive
  double sell_threshold = -0.5;   // percent per minute, exclusive
  double min_price_change = 0.1;  // percent, inclusive
};

struct PriceSample {
  UnixMs at;
  Price price;
};

// The samples of the last seconds in the order of their times, and the time of the first one ever.
// Grows to what the feed needs, never past kMaxSamples.
class TickerWindow {
 public:
  static constexpr std::size_t kMaxSamples = 4096;

  // Appends a sample and forgets those older than at − window, and the oldest beyond kMaxSamples.
  void append(const PriceSample& sample, std::chrono::milliseconds window);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Precondition: size() > 0.
  [[nodiscard]] const PriceSample& oldest() const noexcept {
    assert(size_ > 0);
    return ring_[first_];
  }
  // Of the first sample ever. Precondition: one has been appended.
  [[nodiscard]] UnixMs known_since() const noexcept {
    assert(!ring_.empty());
    return known_since_;
  }

 private:
  void grow();
  void drop_oldest() noexcept;

  std::vector<PriceSample> ring_;  // capacity is a power of two
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  UnixMs known_since_;
};

class TickerVelocity {
 public:
  explicit constexpr TickerVelocity(const TickerVelocityParameters& parameters) noexcept
      : parameters_(parameters) {}

  // The window already holds the sample `latest`.
  // span = t − oldest; below 80 % of the window it is still warming up, and so it is until a whole
  // window has passed since the first sample: the prices before that are not known.
  // change = (p − p_oldest)/p_oldest × 100        velocity = change / (span in minutes)
  // Example: 100 a minute ago, 101 now → change 1 %, velocity 1 %/min → BUY with confidence
  // min(0.95, 0.60 + 1/10) = 0.70.
  [[nodiscard]] Verdict operator()(const PriceSample& latest,
                                   const TickerWindow& window) const noexcept;

  [[nodiscard]] std::chrono::milliseconds time_window() const noexcept {
    return parameters_.time_window;
  }

 private:
  TickerVelocityParameters parameters_;
};

}  // namespace rts
