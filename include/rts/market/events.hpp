// Market events as the strategies see them: checked values, no venue letters, no text.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include <rts/base/enum_names.hpp>
#include <rts/base/time.hpp>
#include <rts/market/units.hpp>

namespace rts {

// What a frame turned out to carry. `other` is an event we do not trade on, `control` an answer of
// the venue, `unknown` what could not be decoded.
BOOST_DEFINE_FIXED_ENUM_CLASS(EventKind, std::uint8_t, book, trade, ticker, other, control, unknown)

struct Level {
  Price price;
  Quantity quantity;
};

// A view of a partial book, best prices first: its levels belong to the reader of the frame and
// live until it reads the next event. Both sides non-empty, bids strictly descending, asks strictly
// ascending, best bid < best ask.
struct Book {
  std::span<const Level> bids;
  std::span<const Level> asks;
};

struct Trade {
  Price price;
  Quantity quantity;            // > 0
  bool buyer_is_maker = false;  // true: the aggressor sold
};

struct Ticker {
  Price last_price;
};

// What a symbol cost at an event: best bid and best ask of a book, or the price of a trade or a
// ticker twice.
struct Quote {
  Price bid;
  Price ask;

  [[nodiscard]] bool is_of_book() const noexcept { return bid != ask; }  // books are not locked
  [[nodiscard]] double mid() const noexcept { return (bid.value() + ask.value()) / 2; }
};

// Price and event time of a symbol's last accepted trade or ticker: what a book without a name is
// held against, and what an order's price is held against.
struct ReferencePrice {
  static constexpr std::chrono::seconds kMaxAge{60};

  Price price;
  UnixMs at;

  [[nodiscard]] bool is_fresh(UnixMs now) const noexcept { return now - at <= kMaxAge; }
  // |price − reference| / reference × 100.
  [[nodiscard]] double distance_percent(Price other) const noexcept {
    return std::abs(other.value() - price.value()) / price.value() * 100;
  }
};

}  // namespace rts
