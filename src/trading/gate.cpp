#include <cassert>

#include <rts/trading/gate.hpp>

namespace rts {
namespace {

bool is_cooling_down(std::chrono::milliseconds cooldown, UnixMs last, UnixMs now) noexcept {
  if (cooldown.count() == 0) return false;
  const auto bucket = [&](UnixMs at) { return at.time_since_epoch() / cooldown; };
  return bucket(now) <= bucket(last) || now - last < cooldown;
}

}  // namespace

Gate::Gate(const GateLimits& limits, std::size_t symbol_capacity)
    : limits_(limits), last_orders_(symbol_capacity) {}

Result<Gate::Pass, Outcome> Gate::pass(const Request& request) noexcept {
  assert(request.symbol_index < last_orders_.size());
  const Signal& signal = request.signal;
  const OrderTerms& terms = request.terms;
  const std::size_t strategy = index_of(request.strategy);
  auto& last = last_orders_[request.symbol_index][strategy][index_of(signal.side)];
  const std::int64_t day = utc_day(request.at);
  const std::int64_t minute = utc_minute(request.at);

  if (paused_[strategy]) return Failure{Outcome::paused};
  if (signal.side == Side::sell && terms.sells == Sells::refused) {
    return Failure{Outcome::shorts_disabled};
  }
  if (signal.confidence.value() < terms.min_confidence) return Failure{Outcome::low_confidence};
  if (const auto off_band = check_band(request)) return Failure{*off_band};
  if (last && is_cooling_down(terms.cooldown, *last, request.at)) {
    return Failure{Outcome::cooldown};
  }
  if (days_[strategy].is_full(day, limits_.max_daily_signals)) {
    return Failure{Outcome::daily_limit};
  }
  if (minute_.is_full(minute, limits_.max_orders_per_minute)) return Failure{Outcome::rate_limit};
  const auto quantity = order_quantity(terms, signal.price);
  if (!quantity) return Failure{Outcome::size_limit};
  Pass passed{*quantity, {}};
  if (!is_reduce_only(terms, signal.side)) {
    passed.protection = protection(terms, signal.side, signal.price);
    if (!passed.protection) return Failure{Outcome::size_limit};
  }

  last = request.at;
  days_[strategy].count(day);
  minute_.count(minute);
  return passed;
}

std::optional<Outcome> Gate::check_band(const Request& request) const noexcept {
  if (limits_.price_band_percent <= 0) return std::nullopt;
  const auto& reference = request.reference;
  if (!reference || !reference->is_fresh(request.at)) return Outcome::no_reference;
  const double distance = reference->distance_percent(request.signal.price);
  return distance > limits_.price_band_percent ? std::optional(Outcome::price_band) : std::nullopt;
}

}  // namespace rts
