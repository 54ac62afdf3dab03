#include <algorithm>
#include <array>
#include <initializer_list>

#include <rts/engine/reason.hpp>

namespace rts {
namespace {

using Kinds = std::uint8_t;  // one bit a kind

constexpr Kinds kinds(std::initializer_list<EventKind> list) noexcept {
  Kinds bits = 0;
  for (const EventKind kind : list) bits |= static_cast<Kinds>(1U << index_of(kind));
  return bits;
}

constexpr Kinds kBook = kinds({EventKind::book});
constexpr Kinds kTrade = kinds({EventKind::trade});
constexpr Kinds kPriced = kinds({EventKind::trade, EventKind::ticker});
constexpr Kinds kMarket = kBook | kPriced;
constexpr Kinds kOther = kinds({EventKind::other});
constexpr Kinds kUnknown = kinds({EventKind::unknown});

struct Row {
  Reason reason;
  Kinds kinds;  // of events that can end so
};
constexpr std::array<Row, count_of<Reason>> kRows{{
    {Reason::control, kinds({EventKind::control})},
    {Reason::unsupported_kind, kOther},
    {Reason::diff_depth, kBook},
    {Reason::symbol_not_traded, kMarket},
    {Reason::non_market_trade, kTrade},
    {Reason::simulated, kMarket | kOther},
    {Reason::other_source, kPriced},
    {Reason::too_large, kUnknown},
    {Reason::malformed, kMarket | kUnknown},
    {Reason::symbol_conflict, kMarket},
    {Reason::no_symbol, kMarket},
    {Reason::no_event_time, kMarket},
    {Reason::bad_timestamp, kMarket},
    {Reason::stale, kMarket},
    {Reason::future, kMarket},
    {Reason::bad_number, kMarket},
    {Reason::empty_side, kBook},
    {Reason::unsorted_book, kBook},
    {Reason::crossed_book, kBook},
    {Reason::unverified_symbol, kBook},
    {Reason::out_of_order, kMarket},
    {Reason::outlier, kPriced},
}};
static_assert(std::adjacent_find(kRows.begin(), kRows.end(),
                                 [](const Row& a, const Row& b) { return a.reason >= b.reason; }) ==
                  kRows.end(),
              "a row stands at its reason's place");

}  // namespace

std::string_view disposition(Reason reason) noexcept {
  return is_ignored(reason) ? "ignored" : "dropped";
}

bool can_end_in(EventKind kind, Reason reason) noexcept {
  return (kRows[index_of(reason)].kinds >> index_of(kind) & 1U) != 0;
}

}  // namespace rts
