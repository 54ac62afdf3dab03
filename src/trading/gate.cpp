#include <rts/trading/gate.hpp>

namespace rts {

Gate::Gate(const GateLimits& limits, const SizeLimits& size, std::size_t symbol_capacity)
    : limits_(limits), size_(size), last_orders_(symbol_capacity) {}

Result<Decimal, Outcome> Gate::pass(const Request& request) noexcept {
  const Signal& signal = request.signal;
  const std::size_t strategy = index_of(request.strategy);
  auto& last = last_orders_[request.symbol_index][strategy][static_cast<std::size_t>(signal.side)];
  const std::int64_t day = utc_day(request.at);
  const std::int64_t minute = utc_minute(request.at);

  if (paused_[strategy]) return Failure{Outcome::paused};
  if (signal.confidence.value() < limits_.min_confidence) return Failure{Outcome::low_confidence};
  if (is_off_band(request)) return Failure{Outcome::price_band};
  if (last && is_cooling_down(*last, request.at)) return Failure{Outcome::cooldown};
  if (days_[strategy].is_full(day, limits_.max_daily_signals)) {
    return Failure{Outcome::daily_limit};
  }
  if (minute_.is_full(minute, limits_.max_orders_per_minute)) return Failure{Outcome::rate_limit};
  const auto quantity = order_quantity(size_, request.quantity_step, signal.price);
  if (!quantity) return Failure{Outcome::size_limit};

  last = request.at;
  days_[strategy].count(day);
  minute_.count(minute);
  return *quantity;
}

bool Gate::is_cooling_down(UnixMs last, UnixMs now) const noexcept {
  if (limits_.cooldown.count() == 0) return false;
  const std::chrono::milliseconds cooldown = limits_.cooldown;
  const auto bucket = [&](UnixMs at) { return at.time_since_epoch() / cooldown; };
  return bucket(now) <= bucket(last) || now - last < cooldown;
}

bool Gate::is_off_band(const Request& request) const noexcept {
  return limits_.price_band_percent > 0 && request.reference &&
         request.reference->is_fresh(request.at) &&
         request.reference->distance_percent(request.signal.price) > limits_.price_band_percent;
}

}  // namespace rts
