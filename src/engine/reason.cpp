#include <rts/engine/reason.hpp>

namespace rts {

std::string_view to_string(Reason reason) noexcept {
  static constexpr std::array<std::string_view, kReasonCount> kNames{
      "control",          "unsupported_kind",
      "diff_depth",       "symbol_not_traded",
      "non_market_trade", "simulated",
      "other_source",     "too_large",
      "malformed",        "symbol_conflict",
      "no_symbol",        "no_event_time",
      "bad_timestamp",    "stale",
      "future",           "bad_number",
      "empty_side",       "unsorted_book",
      "crossed_book",     "unverified_symbol",
      "out_of_order",     "outlier"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view disposition(Reason reason) noexcept {
  return is_ignored(reason) ? "ignored" : "dropped";
}

bool can_end_in(EventKind kind, Reason reason) noexcept {
  const bool market =
      kind == EventKind::book || kind == EventKind::trade || kind == EventKind::ticker;
  switch (reason) {
    case Reason::control:
      return kind == EventKind::control;
    case Reason::unsupported_kind:
      return kind == EventKind::other;
    case Reason::too_large:
      return kind == EventKind::unknown;
    case Reason::simulated:
      return market || kind == EventKind::other;
    case Reason::other_source:
    case Reason::outlier:
      return kind == EventKind::trade || kind == EventKind::ticker;
    case Reason::malformed:
      return market || kind == EventKind::unknown;
    case Reason::non_market_trade:
      return kind == EventKind::trade;
    case Reason::diff_depth:
    case Reason::empty_side:
    case Reason::unsorted_book:
    case Reason::crossed_book:
    case Reason::unverified_symbol:
      return kind == EventKind::book;
    case Reason::symbol_not_traded:
    case Reason::symbol_conflict:
    case Reason::no_symbol:
    case Reason::no_event_time:
    case Reason::bad_timestamp:
    case Reason::stale:
    case Reason::future:
    case Reason::bad_number:
    case Reason::out_of_order:
      return market;
  }
  return false;
}

}  // namespace rts
