// Why an event was not evaluated. `ignored` is expected traffic we do not trade on; `dropped` is
// traffic that should not look so and is worth an operator's glance. SPEC §2.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <rts/market/events.hpp>

namespace rts {

enum class Reason : std::uint8_t {
  // ignored
  control,
  unsupported_kind,
  diff_depth,
  symbol_not_traded,
  non_market_trade,
  simulated,
  other_source,
  // dropped
  too_large,
  malformed,
  symbol_conflict,
  no_symbol,
  no_event_time,
  bad_timestamp,
  stale,
  future,
  bad_number,
  empty_side,
  unsorted_book,
  crossed_book,
  unverified_symbol,
  out_of_order,
  outlier,
};
inline constexpr std::size_t kReasonCount = 22;
[[nodiscard]] constexpr Reason reason_at(std::size_t index) noexcept {
  return static_cast<Reason>(index);
}

[[nodiscard]] std::string_view to_string(Reason reason) noexcept;
// "ignored" or "dropped".
[[nodiscard]] std::string_view disposition(Reason reason) noexcept;
[[nodiscard]] constexpr bool is_ignored(Reason reason) noexcept {
  return reason <= Reason::other_source;
}
// Whether an event of this kind can ever end so; metrics and docs walk this.
[[nodiscard]] bool can_end_in(EventKind kind, Reason reason) noexcept;

}  // namespace rts
