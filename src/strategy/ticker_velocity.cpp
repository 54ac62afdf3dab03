#include <algorithm>
#include <cmath>

#include <rts/strategy/ticker_velocity.hpp>

namespace rts {

void TickerWindow::append(const PriceSample& sample, std::chrono::milliseconds window) {
  const std::size_t room = samples_.capacity();
  if (samples_.empty()) known_since_ = sample.at;
  if (samples_.full() && room < kMaxSamples) {
    samples_.set_capacity(std::max<std::size_t>(128, room * 2));
  }
  samples_.push_back(sample);  // in the place of the oldest when it is full
  // Two kinds of ticker may cross: a late sample goes before those of later times.
  for (std::size_t i = samples_.size() - 1; i > 0 && samples_[i - 1].at > sample.at; --i) {
    std::swap(samples_[i - 1], samples_[i]);
  }
  while (samples_.front().at < sample.at - window) samples_.pop_front();
}

void TickerWindow::know_only(std::chrono::milliseconds window) noexcept {
  if (!samples_.empty()) known_since_ = std::max(known_since_, samples_.back().at - window);
}

TickerVelocity::Score TickerVelocity::score(const PriceSample& latest,
                                            const TickerWindow& window) const noexcept {
  const PriceSample& oldest = window.oldest();
  const std::chrono::milliseconds span = latest.at - oldest.at;
  const std::chrono::milliseconds known = latest.at - window.known_since();
  // Each from the milliseconds: a second division would round a second time.
  const double span_seconds = static_cast<double>(span.count()) / 1000;
  if (span * 100 < time_window * 80 || known < time_window) {
    const double known_seconds = static_cast<double>(known.count()) / 1000;
    const auto window_seconds = static_cast<double>(time_window.count());
    return {Outcome::warming_up, {known_seconds, window_seconds, span_seconds}};
  }

  const double span_minutes = static_cast<double>(span.count()) / 60'000;
  const double price = latest.price.value();
  const double change = (price - oldest.price.value()) / oldest.price.value() * 100;
  const double velocity = change / span_minutes;
  const auto indicators = make_indicators({velocity, change, span_seconds, 0});
  if (!indicators) return {Outcome::neutral};
  return {{}, {}, *indicators, latest.price};
}

std::optional<Signal> TickerVelocity::signal(const Score& score, Side side) noexcept {
  const double confidence = 0.60 + std::abs(score.velocity()) / 10;
  return make_signal(side, score.price, score.price, confidence);
}

Verdict TickerVelocity::operator()(const PriceSample& latest,
                                   const TickerWindow& window) const noexcept {
  const Score seen = score(latest, window);
  if (seen.settled) return {*seen.settled, {}, {}, seen.measure};
  const auto [side, otherwise] = direction(seen);
  if (otherwise == Outcome::below_min_price_change) {
    const double span_seconds = seen.indicators[2].value();
    return {otherwise,
            {},
            seen.indicators,
            {std::abs(seen.change_percent()), min_price_change, span_seconds}};
  }
  const Measure measure{seen.velocity(), buy_threshold, sell_threshold};
  if (!side) return {otherwise, {}, seen.indicators, measure};
  return {otherwise, signal(seen, *side), seen.indicators, measure};
}

}  // namespace rts
