// Market events as the strategies see them: checked values, no venue letters, no text.
#pragma once

#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
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

// One side of a partial book, best price first.
class BookSide {
 public:
  static constexpr std::size_t kMaxLevels = 20;

  [[nodiscard]] std::span<const Level> levels() const noexcept { return {levels_.data(), size_}; }
  // Precondition: not empty.
  [[nodiscard]] const Level& best() const noexcept {
    assert(!empty());
    return levels_[0];
  }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool full() const noexcept { return size_ == kMaxLevels; }

  void clear() noexcept { size_ = 0; }
  // Precondition: !full().
  void push_back(Level level) noexcept {
    assert(!full());
    levels_[size_++] = level;
  }

 private:
  std::array<Level, kMaxLevels> levels_{};
  std::size_t size_ = 0;
};

// A view of a partial book: its sides belong to the reader of the frame and live until it reads the
// next event. Both sides non-empty, bids strictly descending, asks strictly ascending, best bid <
// best ask.
struct Book {
  const BookSide& bids;
  const BookSide& asks;
};

struct Trade {
  Price price;
  Quantity quantity;            // > 0
  bool buyer_is_maker = false;  // true: the aggressor sold
};

struct Ticker {
  Price last_price;
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
