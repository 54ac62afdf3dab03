// ticker_velocity: trades on how fast the last price moves over a time window. Stateless:
// the strategy is the value of its parameters; the window of samples belongs to the engine, one a
// symbol. SPEC §3.3.
#pragma once

#include <cassert>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>

#include <boost/circular_buffer.hpp>

#include <rts/base/time.hpp>
#include <rts/market/events.hpp>
#include <rts/strategy/verdict.hpp>

namespace rts {

struct PriceSample {
  UnixMs at;
  Price price;
};

// The samples of the last seconds in the order of their times, and since when all are known.
// Grows to what the feed needs, never past kMaxSamples.
class TickerWindow {
 public:
  static constexpr std::size_t kMaxSamples = 4096;

  // Appends a sample and forgets those older than at − window, and the oldest beyond kMaxSamples.
  void append(const PriceSample& sample, std::chrono::milliseconds window);
  void clear() noexcept { samples_.clear(); }
  // What is older than the newest sample by more than this has been forgotten, and is not known any
  // more.
  void know_only(std::chrono::milliseconds window) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return samples_.size(); }
  // Precondition: size() > 0.
  [[nodiscard]] const PriceSample& oldest() const noexcept {
    assert(size() > 0);
    return samples_.front();
  }
  // The time of the first sample, or what know_only() made of it. Precondition: size() > 0.
  [[nodiscard]] UnixMs known_since() const noexcept {
    assert(size() > 0);
    return known_since_;
  }

 private:
  boost::circular_buffer<PriceSample> samples_;
  UnixMs known_since_;
};

struct TickerVelocity {
  std::chrono::seconds time_window{60};
  double buy_threshold = 0.5;     // percent per minute, exclusive
  double sell_threshold = -0.5;   // percent per minute, exclusive
  double min_price_change = 0.1;  // percent, inclusive

  // The window already holds the sample `latest`.
  // span = t − oldest; below 80 % of the window it is still warming up, and so it is until a whole
  // window has passed since the first sample: the prices before that are not known.
  // change = (p − p_oldest)/p_oldest × 100        velocity = change / (span in minutes)
  // Example: 100 a minute ago, 101 now → change 1 %, velocity 1 %/min → BUY with confidence
  // min(0.95, 0.60 + 1/10) = 0.70.
  [[nodiscard]] Verdict operator()(const PriceSample& latest,
                                   const TickerWindow& window) const noexcept;

  // Its two steps, for who asks many thresholds about one ticker: what time_window alone decides,
  // and what the thresholds make of it.
  struct Score {
    std::optional<Outcome> settled{};  // whatever the thresholds
    Measure measure{};                 // of that
    Indicators indicators{};
    Price price{};

    [[nodiscard]] double velocity() const noexcept { return indicators[0].value(); }
    [[nodiscard]] double change_percent() const noexcept { return indicators[1].value(); }
  };
  [[nodiscard]] Score score(const PriceSample& latest, const TickerWindow& window) const noexcept;
  [[nodiscard]] Direction direction(const Score& score) const noexcept {
    if (score.settled) return {{}, *score.settled};
    if (std::abs(score.change_percent()) < min_price_change) {
      return {{}, Outcome::below_min_price_change};
    }
    return {side_of(score.velocity(), buy_threshold, sell_threshold)};
  }
  // Of a side that direction() gives.
  [[nodiscard]] static std::optional<Signal> signal(const Score& score, Side side) noexcept;

  friend bool operator==(const TickerVelocity&, const TickerVelocity&) noexcept = default;
};

}  // namespace rts
