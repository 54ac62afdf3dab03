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

// "ignored" or "dropped".
[[nodiscard]] std::string_view disposition(Reason reason) noexcept;
[[nodiscard]] constexpr bool is_ignored(Reason reason) noexcept {
  return reason <= Reason::other_source;
}
// Whether an event of this kind can ever end so; metrics and docs walk this.
[[nodiscard]] bool can_end_in(EventKind kind, Reason reason) noexcept;

}  // namespace rts
