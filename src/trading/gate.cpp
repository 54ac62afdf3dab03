#include <rts/trading/gate.hpp>

namespace rts {
namespace {

// SPEC §4 wants a later bucket, too: what is a cooldown later always has one, as
// ⌊(t + cooldown)/cooldown⌋ = ⌊t/cooldown⌋ + 1.
bool is_cooling_down(std::chrono::milliseconds cooldown, UnixMs last, UnixMs now) noexcept {
  return cooldown.count() != 0 && now - last < cooldown;
}

}  // namespace

Gate::Gate(const GateLimits& limits, std::size_t symbol_capacity)
    : limits_(limits), memory_(symbol_capacity) {}

Result<Gate::Pass, Gate::Refusal> Gate::pass(const Request& request) noexcept {
  const Signal& signal = request.signal;
  const OrderTerms& terms = request.terms;
  if (is_paused(request.strategy)) return Failure{Refusal{Outcome::paused}};
  if (signal.side == Side::sell && terms.sells == Sells::refused) {
    return Failure{Refusal{Outcome::shorts_disabled}};
  }
  if (const double confidence = signal.confidence.value(); confidence < terms.min_confidence) {
    return Failure{Refusal{Outcome::low_confidence, {confidence, terms.min_confidence}}};
  }
  if (const auto off_band = check_band(request)) return Failure{*off_band};
  const OrderMemory::Key key{request.symbol_index, request.strategy, signal.side};
  auto limit = check_cooldown(memory_.last_order(key), request.at, terms.cooldown);
  if (!limit) {
    limit = check_counts(memory_.orders_of_day(request.strategy, request.at),
                         memory_.orders_of_minute(request.at));
  }
  if (limit && !memory_.may_be_foreign(key, request.at, terms.cooldown)) return Failure{*limit};
  const Uuid id =
      order_id({request.strategy, signal.side, request.symbol.text(), request.at, request.event_id},
               terms.cooldown);
  // What the log has already is the order that made the entry, as another process has decided it:
  // no limit of ours holds it back.
  const bool in_log = memory_.is_foreign(id);
  if (limit && !in_log) return Failure{*limit};
  const auto quantity = order_quantity(terms, signal.price);
  const auto impossible = [](const Measure& measure) {
    return Failure{Refusal{Outcome::size_limit, measure}};
  };
  if (!quantity) return impossible(size_measure(terms, signal.price));
  Pass passed{id, *quantity, {}, in_log};
  if (!is_reduce_only(terms, signal.side)) {
    passed.protection = protection(terms, signal.side, signal.price);
    if (!passed.protection) {
      return impossible(protection_measure(terms, signal.side, signal.price));
    }
  }
  memory_.accept({id, request.strategy, signal.side, request.symbol, request.at},
                 request.symbol_index);
  return passed;
}

bool Gate::passes_still(const CountedOrder& order, std::chrono::milliseconds cooldown,
                        std::optional<std::size_t> symbol_index) noexcept {
  const auto [last, orders_of_day, orders_of_minute] = memory_.before(order);
  const bool passes = !is_paused(order.strategy) && !check_cooldown(last, order.at, cooldown) &&
                      !check_counts(orders_of_day, orders_of_minute);
  if (!passes) memory_.take_back(order.id, symbol_index);
  return passes;
}

std::optional<Gate::Refusal> Gate::check_cooldown(std::optional<UnixMs> last, UnixMs at,
                                                  std::chrono::milliseconds cooldown) noexcept {
  if (!last || !is_cooling_down(cooldown, *last, at)) return std::nullopt;
  return Refusal{Outcome::cooldown, {in_seconds(at - *last), in_seconds(cooldown)}};
}

std::optional<Gate::Refusal> Gate::check_counts(std::int64_t orders_of_day,
                                                std::int64_t orders_of_minute) const noexcept {
  const auto is_full = [](std::int64_t orders, std::int64_t limit) {
    return limit > 0 && orders >= limit;
  };
  const auto full = [](Outcome outcome, std::int64_t orders, std::int64_t limit) {
    return Refusal{outcome, {static_cast<double>(orders), static_cast<double>(limit)}};
  };
  if (is_full(orders_of_day, limits_.max_daily_signals)) {
    return full(Outcome::daily_limit, orders_of_day, limits_.max_daily_signals);
  }
  if (is_full(orders_of_minute, limits_.max_orders_per_minute)) {
    return full(Outcome::rate_limit, orders_of_minute, limits_.max_orders_per_minute);
  }
  return std::nullopt;
}

std::optional<Gate::Refusal> Gate::check_band(const Request& request) const noexcept {
  if (limits_.price_band_percent <= 0) return std::nullopt;
  const auto& reference = request.reference;
  if (!reference || !reference->is_fresh(request.at)) {
    const double age = reference ? in_seconds(request.at - reference->at) : 0;
    return Refusal{Outcome::no_reference, {age, in_seconds(ReferencePrice::kMaxAge)}};
  }
  const double distance = reference->distance_percent(request.signal.price);
  if (!(distance > limits_.price_band_percent)) return std::nullopt;
  return Refusal{Outcome::price_band, {distance, limits_.price_band_percent}};
}

}  // namespace rts
