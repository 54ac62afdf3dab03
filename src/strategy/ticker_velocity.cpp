#include <algorithm>
#include <cmath>

#include <rts/strategy/ticker_velocity.hpp>

namespace rts {

void TickerWindow::append(const PriceSample& sample, std::chrono::milliseconds window) {
  if (ring_.empty()) known_since_ = sample.at;
  if (size_ == kMaxSamples) drop_oldest();
  if (size_ == ring_.size()) grow();
  // Two kinds of ticker may cross: a late sample goes before those of later times.
  const auto place = [&](std::size_t i) -> PriceSample& {
    return ring_[(first_ + i) & (ring_.size() - 1)];
  };
  std::size_t i = size_++;
  for (; i > 0 && place(i - 1).at > sample.at; --i) place(i) = place(i - 1);
  place(i) = sample;
  while (oldest().at < sample.at - window) drop_oldest();
}

void TickerWindow::grow() {
  std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(first_), ring_.end());
  first_ = 0;
  ring_.resize(std::max<std::size_t>(128, ring_.size() * 2));
}

void TickerWindow::drop_oldest() noexcept {
  first_ = (first_ + 1) & (ring_.size() - 1);
  --size_;
}

Verdict TickerVelocity::operator()(const PriceSample& latest,
                                   const TickerWindow& window) const noexcept {
  const PriceSample& oldest = window.oldest();
  const std::chrono::milliseconds span = latest.at - oldest.at;
  if (span * 100 < time_window() * 80 || latest.at - window.known_since() < time_window()) {
    return {Outcome::warming_up, {}, {}};
  }

  // Each from the milliseconds: a second division would round a second time.
  const double span_seconds = static_cast<double>(span.count()) / 1000;
  const double span_minutes = static_cast<double>(span.count()) / 60'000;
  const double price = latest.price.value();
  const double change = (price - oldest.price.value()) / oldest.price.value() * 100;
  const double velocity = change / span_minutes;

  const auto indicators = make_indicators({velocity, change, span_seconds, 0});
  if (!indicators) return {};
  if (std::abs(change) < parameters_.min_price_change) {
    return {Outcome::below_min_price_change, {}, *indicators};
  }
  const auto side = side_of(velocity, parameters_.buy_threshold, parameters_.sell_threshold);
  if (!side) return {Outcome::neutral, {}, *indicators};
  const double confidence = 0.60 + std::abs(velocity) / 10;
  return {Outcome::neutral, make_signal(*side, latest.price, latest.price, confidence),
          *indicators};
}

}  // namespace rts
