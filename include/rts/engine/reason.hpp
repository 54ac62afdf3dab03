// Why an event was not evaluated. `ignored` is expected traffic we do not trade on; `dropped` is
// traffic that should not look so and is worth an operator's glance. SPEC §2.
#pragma once

#include <cstdint>
#include <string_view>

#include <rts/base/enum_names.hpp>
#include <rts/market/events.hpp>

namespace rts {

// Up to `other_source` ignored, from `too_large` on dropped.
BOOST_DEFINE_FIXED_ENUM_CLASS(Reason, std::uint8_t, control, unsupported_kind, diff_depth,
                              symbol_not_traded, non_market_trade, simulated, other_source,
                              too_large, malformed, symbol_conflict, no_symbol, no_event_time,
                              bad_timestamp, stale, future, bad_number, empty_side, unsorted_book,
                              crossed_book, unverified_symbol, out_of_order, outlier)

[[nodiscard]] constexpr bool is_ignored(Reason reason) noexcept {
  return reason <= Reason::other_source;
}
[[nodiscard]] constexpr std::string_view disposition(Reason reason) noexcept {
  return is_ignored(reason) ? "ignored" : "dropped";
}

// Whether an event of this kind can ever end so; metrics and docs walk this.
[[nodiscard]] constexpr bool can_end_in(EventKind kind, Reason reason) noexcept {
  using enum Reason;
  const auto is_any_of = [reason](auto... reasons) { return ((reason == reasons) || ...); };
  if (kind == EventKind::control) return reason == control;
  if (kind == EventKind::other) return is_any_of(unsupported_kind, simulated);
  if (kind == EventKind::unknown) return is_any_of(too_large, malformed);
  if (is_any_of(control, unsupported_kind, too_large)) return false;
  if (reason == non_market_trade) return kind == EventKind::trade;
  if (is_any_of(other_source, outlier)) return kind != EventKind::book;
  const bool is_of_books =
      is_any_of(diff_depth, empty_side, unsorted_book, crossed_book, unverified_symbol);
  return !is_of_books || kind == EventKind::book;
}

}  // namespace rts
