// Order: what is published, as a value. Built from an accepted signal by pure rules, so live,
// replay and every replica build the same one. SPEC §4.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rts/base/decimal.hpp>
#include <rts/base/enum_names.hpp>
#include <rts/base/time.hpp>
#include <rts/base/uuid.hpp>
#include <rts/market/units.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/trading/terms.hpp>

namespace rts {

// Where an event's id came from: 'u' book, 't' trade, 'a' aggregated trade, 'E' ticker.
struct EventId {
  char letter = 'u';
  std::uint64_t number = 0;  // tickers: event time in ms
};

// What an order is called after.
struct OrderName {
  StrategyId strategy;
  Side side;
  std::string_view symbol;
  UnixMs at;  // event time
  EventId event_id;
};
// UUIDv5 of "strategy|SYMBOL|SIDE|<bucket start ms>", with a cooldown of 0
// "strategy|SYMBOL|SIDE|<event id>": every replica gives the same decision the same id.
[[nodiscard]] Uuid order_id(const OrderName& name, std::chrono::milliseconds cooldown) noexcept;

// What an order is made from: an event, what a strategy said of it, and what the gate has passed.
struct OrderSource {
  Uuid id{};
  StrategyId strategy = StrategyId::orderbook_skew;
  std::string_view symbol;
  UnixMs at;       // event time
  UnixMs aged_at;  // the event's age time: the order's ttl counts from here
  EventId event_id;
  Signal signal;
  Indicators indicators{};
  Decimal quantity;
  std::optional<Protection> protection;  // of an opening order, always
};

// The views live as long as the engine's step that made the order: until the next step.
struct Order : OrderSource {
  bool reduce_only = false;  // closes a LONG
  int leverage = 1;
  UnixMs valid_until;
  std::string_view correlation_id{};  // the envelope's message_id; empty when there is none
  std::string_view traceparent{};     // the envelope's trace context as sent; empty: none
};

// Precondition: id, quantity and protection are what the gate has passed; so an order has stops
// unless it only closes. The caller fills in the ids of the envelope.
[[nodiscard]] Order make_order(const OrderTerms& terms, const OrderSource& source) noexcept;

// W3C trace context: "00-<32 hex>-<16 hex>-<2 hex>", lower case.
[[nodiscard]] bool is_traceparent(std::string_view text) noexcept;

BOOST_DEFINE_FIXED_ENUM_CLASS(OrderFormat, std::uint8_t, trade_order, signal)

// Appends the order as one JSON object without a line end; numbers are the shortest that read back
// the same. `trade_order` is docs/schemas/trade_order.v1.json, `signal`
// docs/schemas/signal.v1.json, which alone carries the trace context, where it is one, and cannot
// say "close only". Precondition: a `signal` is not reduce-only (the gate refuses those).
void append_json(std::string& out, const Order& order, OrderFormat format);

}  // namespace rts
