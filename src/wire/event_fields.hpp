// The fields of one event object under the venue's key names, and what they mean once the kind of
// the event is known: "a" is the asks of a book, an id of an aggregated trade and a price of a
// ticker, and the keys come in any order. Only for this room.
#pragma once

#include <array>
#include <cstdint>

#include <rts/base/enum_names.hpp>
#include <rts/wire/frame.hpp>

#include "wire/json_cursor.hpp"

namespace rts::wire {

// The keys we read of an event object, of the envelope around it and of the control frames that
// take its place, spelt as on the wire: e event type, E event time, s symbol, st symbol type, u and
// lastUpdateId ids of a book, t id of a trade, p price, q quantity, m whether the buyer is the
// maker, X execution type, c last price, T trade time. `unread` is every other key.
// NOLINTBEGIN(readability-identifier-naming)
BOOST_DEFINE_FIXED_ENUM_CLASS(Key, std::uint8_t, e, E, s, st, u, lastUpdateId, t, a, b, p, q, m, X,
                              c, T, bids, asks, result, error, code, msg, id, stream, data,
                              timestamp, message_id, _otel_trace_context, source, unread)
// NOLINTEND(readability-identifier-naming)

[[nodiscard]] Key key_of(std::string_view name) noexcept;

// The fields of one object, first of duplicates winning. Reset for every object, so what was read
// is kept in two bit sets and the scalars are left as they are.
class Fields {
 public:
  SideField bids;
  SideField asks;

  void reset() noexcept {
    seen_ = held_ = 0;
    others_ = false;
    bids.state = asks.state = FieldState::absent;
  }

  [[nodiscard]] bool was_seen(Key key) const noexcept { return (seen_ & bit(key)) != 0; }
  // Seen with another value than null.
  [[nodiscard]] bool has(Key key) const noexcept { return (held_ & bit(key)) != 0; }
  // The only key that has a value, known or not.
  [[nodiscard]] bool has_only(Key key) const noexcept { return held_ == bit(key) && !others_; }

  [[nodiscard]] const Scalar& operator[](Key key) const noexcept {
    static constexpr Scalar kAbsent;
    return has(key) ? scalars_[index_of(key)] : kAbsent;
  }

  void see(Key key) noexcept { seen_ |= bit(key); }
  // A key we do not know, or a second time one that we do, with a value.
  void see_other() noexcept { others_ = true; }
  // Where the value of a key that was not seen is read to, and its end: null does not count.
  [[nodiscard]] Scalar& slot(Key key) noexcept { return scalars_[index_of(key)]; }
  bool settle(Key key) noexcept {
    seen_ |= bit(key);
    if (slot(key).type != JsonType::none) held_ |= bit(key);
    return true;
  }

 private:
  static constexpr std::uint32_t bit(Key key) noexcept { return std::uint32_t{1} << index_of(key); }
  static_assert(count_of<Key> <= 32);

  std::uint32_t seen_ = 0;
  std::uint32_t held_ = 0;
  bool others_ = false;
  std::array<Scalar, count_of<Key>> scalars_{};
};

// A side as the venue spells it, [["61837.63","3.788"],…], in one pass over its tokens; the cursor
// jumps behind it. False, with `side` in any state and the cursor where it was, when it is spelt
// otherwise or a value is out of range: then only a pass that reads every spelling can say what it
// is. What this accepts is checked JSON from bracket to bracket. Precondition: an array begins.
[[nodiscard]] bool read_usual_side(JsonCursor& cursor, SideField& side) noexcept;

// Reads one value under a key; false when it is no JSON.
[[nodiscard]] bool read_member(JsonCursor& cursor, Key key, Fields& fields);

// Reads all members; false when the object is no JSON.
[[nodiscard]] bool read_object(JsonCursor& cursor, Fields& fields);

[[nodiscard]] TextField as_text(const Scalar& scalar) noexcept;

// The event that the fields are; its sides are those of `fields` and live as long.
void interpret(Fields& fields, WireEvent& event) noexcept;

}  // namespace rts::wire
