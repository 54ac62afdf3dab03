#include "wire/event_fields.hpp"

#include <cstring>

#include "wire/number_text.hpp"

namespace rts::wire {
namespace {

IntegerField as_integer(const Scalar& scalar) noexcept {
  if (scalar.type == Scalar::Type::absent) return {};
  if (scalar.type != Scalar::Type::number) return {FieldState::wrong_type, 0};
  std::uint64_t plain = 0;
  if (read_plain_integer(scalar.text, plain)) return {FieldState::valid, plain};
  const auto value = parse_integer(scalar.text);
  return value ? IntegerField{FieldState::valid, *value} : IntegerField{FieldState::invalid, 0};
}

// Numbers arrive as strings or as JSON numbers.
NumberField as_number(const Scalar& scalar) noexcept {
  if (scalar.type == Scalar::Type::absent) return {};
  if (scalar.type != Scalar::Type::number && scalar.type != Scalar::Type::string) {
    return {FieldState::wrong_type, 0};
  }
  double plain = 0;
  if (read_plain_number(scalar.text, plain)) return {FieldState::valid, plain};
  const auto value = parse_number(scalar.text);
  return value ? NumberField{FieldState::valid, *value} : NumberField{FieldState::invalid, 0};
}

FlagField as_flag(const Scalar& scalar) noexcept {
  if (scalar.type == Scalar::Type::absent) return {};
  if (scalar.type != Scalar::Type::boolean) return {FieldState::wrong_type, false};
  return {FieldState::valid, scalar.truth};
}

Key one_letter_key(char letter) noexcept {
  switch (letter) {
    case 'e':
      return Key::event;
    case 's':
      return Key::symbol;
    case 'E':
      return Key::event_time;
    case 'u':
      return Key::update_id;
    case 't':
      return Key::trade_id;
    case 'a':
      return Key::a;
    case 'b':
      return Key::b;
    case 'p':
      return Key::price;
    case 'q':
      return Key::quantity;
    case 'm':
      return Key::maker;
    case 'X':
      return Key::execution_type;
    case 'c':
      return Key::close;
    case 'T':
      return Key::trade_time;
    default:
      return Key::unread;
  }
}

// One number of a level. `state` is moved off `valid` by the first that is none.
bool read_level_number(JsonCursor& cursor, double& number, FieldState& state, std::size_t depth) {
  Scalar scalar;
  const JsonType type = cursor.type();
  if (type == JsonType::array || type == JsonType::object) {
    if (!cursor.skip(depth)) return false;
    scalar.type = Scalar::Type::container;
  } else if (!cursor.read_scalar(scalar)) {
    return false;
  }
  const NumberField field = as_number(scalar);
  number = field.value;
  if (state == FieldState::valid && !field.valid()) {
    state = field.state == FieldState::invalid ? FieldState::invalid : FieldState::wrong_type;
  }
  return true;
}

void begin_side(SideField& side) noexcept {
  side.state = FieldState::valid;
  side.level_count = 0;
  side.has_zero_quantity = false;
  side.levels.clear();
}

// A level's price and quantity; false when one is out of its range.
inline bool keep_level(const std::array<double, 2>& numbers, SideField& side) noexcept {
  const auto price = Price::from(numbers[0]);
  const auto quantity = Quantity::from(numbers[1]);
  if (!price || !quantity) [[unlikely]] {
    return false;
  }
  side.has_zero_quantity |= quantity->value() == 0;
  if (!side.levels.full()) side.levels.push_back({*price, *quantity});
  return true;
}

// ["61837.63000000","3.78826000"], further elements unread.
bool read_level(JsonCursor& cursor, SideField& side, std::size_t depth) {
  if (cursor.type() != JsonType::array) {
    if (side.state == FieldState::valid) side.state = FieldState::wrong_type;
    return cursor.skip(depth);
  }
  std::array<double, 2> numbers{};
  std::size_t count = 0;
  const bool ok = cursor.for_each_element([&] {
    if (count == numbers.size()) return cursor.skip(depth + 1);
    return read_level_number(cursor, numbers[count++], side.state, depth + 1);
  });
  if (!ok || side.state != FieldState::valid) return ok;
  if (count < numbers.size()) {
    side.state = FieldState::wrong_type;
  } else if (!keep_level(numbers, side)) {
    side.state = FieldState::invalid;
  }
  return true;
}

// What stands between two places in a text.
std::string_view between(const char* begin, const char* end) noexcept {
  return {begin, static_cast<std::size_t>(end - begin)};
}

// The five tokens of a level as the venue spells it, ["61837.63","3.788"], and what stands behind.
struct LevelText {
  static constexpr std::size_t kTokens = 6;
  const char* bracket;
  const char* comma;
  const char* closing;
  const char* behind;

  explicit LevelText(const JsonCursor& cursor, std::size_t token) noexcept
      : bracket(cursor.ahead(token)),
        comma(cursor.ahead(token + 2)),
        closing(cursor.ahead(token + 4)),
        behind(cursor.ahead(token + 5)) {}

  [[nodiscard]] bool is_usual() const noexcept {
    return std::memcmp(bracket, "[\"", 2) == 0 && std::memcmp(comma - 1, "\",\"", 3) == 0 &&
           std::memcmp(closing - 1, "\"]", 2) == 0;
  }
  [[nodiscard]] std::string_view price() const noexcept { return between(bracket + 2, comma - 1); }
  [[nodiscard]] std::string_view quantity() const noexcept {
    return between(comma + 2, closing - 1);
  }
};

bool read_numbers(const LevelText& level, std::array<double, 2>& numbers) noexcept {
  const std::string_view price = level.price();
  const std::string_view quantity = level.quantity();
  return read_two_short_numbers(price, quantity, numbers) ||
         (read_plain_number(price, numbers[0]) && read_plain_number(quantity, numbers[1]));
}

// A side as the venue spells it, in one pass over its tokens; the cursor jumps behind it. Where
// each number begins and ends is known before the one in front of it has been read, so that the
// processor reads several at a time. False, with `side` in any state and the cursor where it was,
// when it is spelt otherwise or a value is out of range: then read_side() has to say what it is.
// What this accepts is checked JSON from bracket to bracket.
bool read_usual_side(JsonCursor& cursor, SideField& side) noexcept {
  begin_side(side);
  if (*cursor.here() != '[') return false;
  std::size_t token = 1;
  for (char behind = ','; behind == ','; token += LevelText::kTokens) {
    const LevelText level(cursor, token);
    std::array<double, 2> numbers{};
    if (!level.is_usual() || !read_numbers(level, numbers) || !keep_level(numbers, side)) {
      return false;
    }
    ++side.level_count;
    behind = *level.behind;
    if (behind != ',' && behind != ']') return false;
  }
  cursor.jump(token);
  return true;
}

bool read_side(JsonCursor& cursor, SideField& side, std::size_t depth) {
  if (read_usual_side(cursor, side)) return true;
  begin_side(side);
  return cursor.for_each_element([&] {
    ++side.level_count;
    return read_level(cursor, side, depth + 1);
  });
}

struct KnownEvent {
  std::string_view name;
  EventKind kind;
  Sequence sequence;
};
constexpr std::array kKnownEvents{
    KnownEvent{"depthUpdate", EventKind::book, Sequence::book},
    KnownEvent{"trade", EventKind::trade, Sequence::trade},
    KnownEvent{"aggTrade", EventKind::trade, Sequence::aggregate_trade},
    KnownEvent{"24hrTicker", EventKind::ticker, Sequence::ticker_24h},
    KnownEvent{"24hrMiniTicker", EventKind::ticker, Sequence::mini_ticker_24h},
    KnownEvent{"1hTicker", EventKind::ticker, Sequence::ticker_1h},
    KnownEvent{"4hTicker", EventKind::ticker, Sequence::ticker_4h},
    KnownEvent{"1dTicker", EventKind::ticker, Sequence::ticker_1d}};

// An ack, an error, or an object with nothing but an id. An ack's `result` is often null.
bool is_control(const Fields& fields) noexcept {
  return fields.was_seen(Key::result) || fields.has(Key::error) ||
         (fields.has(Key::code) && fields.has(Key::msg)) || fields.has_only(Key::id);
}

void classify(const Fields& fields, WireEvent& event) noexcept {
  event.kind = EventKind::unknown;
  if (fields.has(Key::event)) {
    event.kind = EventKind::other;
    for (const auto& known : kKnownEvents) {
      if (fields[Key::event].type != Scalar::Type::string) break;
      if (fields[Key::event].text != known.name) continue;
      event.kind = known.kind;
      event.sequence = known.sequence;
      break;
    }
  } else if (fields.has(Key::last_update_id) && fields.has(Key::bids) && fields.has(Key::asks)) {
    event.kind = EventKind::book;
    event.sequence = Sequence::book;
  } else if (is_control(fields)) {
    event.kind = EventKind::control;
  }
}

void settle_side(SideField& side, bool was_sent) noexcept {
  if (side.state == FieldState::absent && was_sent) side.state = FieldState::wrong_type;
}

}  // namespace

TextField as_text(const Scalar& scalar) noexcept {
  if (scalar.type == Scalar::Type::absent) return {};
  if (scalar.type != Scalar::Type::string) return {FieldState::wrong_type, {}};
  return {FieldState::valid, scalar.text};
}

Key key_of(std::string_view name) noexcept {
  if (name.size() == 1) return one_letter_key(name.front());
  const auto if_named = [&](std::string_view known, Key key) {
    return name == known ? key : Key::unread;
  };
  switch (name.size()) {
    case 2:
      if (name == "st") return Key::symbol_type;
      return if_named("id", Key::id);
    case 3:
      return if_named("msg", Key::msg);
    case 4:
      if (name == "data") return Key::data;
      if (name == "bids") return Key::bids;
      if (name == "asks") return Key::asks;
      return if_named("code", Key::code);
    case 5:
      return if_named("error", Key::error);
    case 6:
      if (name == "stream") return Key::stream;
      if (name == "source") return Key::source;
      return if_named("result", Key::result);
    case 9:
      return if_named("timestamp", Key::timestamp);
    case 10:
      return if_named("message_id", Key::message_id);
    case 12:
      return if_named("lastUpdateId", Key::last_update_id);
    case 19:
      return if_named("_otel_trace_context", Key::trace_context);
    default:
      return Key::unread;
  }
}

bool read_member(JsonCursor& cursor, Key key, Fields& fields, std::size_t depth) {
  const JsonType type = cursor.type();
  if (key == Key::unread || fields.was_seen(key)) {
    if (type != JsonType::null) fields.see_other();
    return cursor.skip(depth);
  }

  if (type != JsonType::array && type != JsonType::object) {
    return cursor.read_scalar(fields.slot(key)) && fields.settle(key);
  }
  fields.slot(key).type = Scalar::Type::container;
  fields.settle(key);
  // "a" is the asks of a book, an id of an aggregated trade and a price of a ticker.
  const bool asks = key == Key::a || key == Key::asks;
  const bool bids = key == Key::b || key == Key::bids;
  SideField& side = asks ? fields.asks : fields.bids;
  if (type == JsonType::array && (asks || bids) && side.state == FieldState::absent) {
    return read_side(cursor, side, depth);
  }
  return cursor.skip(depth);
}

bool read_object(JsonCursor& cursor, Fields& fields, std::size_t depth) {
  fields.reset();
  return cursor.for_each_member(
      [&](std::string_view name) { return read_member(cursor, key_of(name), fields, depth + 1); });
}

void interpret(Fields& fields, WireEvent& event) noexcept {
  classify(fields, event);
  if (event.kind != EventKind::book && event.kind != EventKind::trade &&
      event.kind != EventKind::ticker) {
    return;
  }
  event.symbol = as_text(fields[Key::symbol]);
  event.event_time = as_integer(fields[Key::event_time]);
  event.trade_time = as_integer(fields[Key::trade_time]);
  event.symbol_type = as_integer(fields[Key::symbol_type]);
  if (event.kind == EventKind::book) {
    event.is_depth_update = fields.has(Key::event);
    const bool has_u = fields.has(Key::update_id);
    event.id = as_integer(fields[has_u ? Key::update_id : Key::last_update_id]);
    settle_side(fields.bids, fields.has(Key::bids) || fields.has(Key::b));
    settle_side(fields.asks, fields.has(Key::asks) || fields.has(Key::a));
    event.bids = &fields.bids;
    event.asks = &fields.asks;
  } else if (event.kind == EventKind::trade) {
    const bool aggregate = event.sequence == Sequence::aggregate_trade;
    event.id = as_integer(fields[aggregate ? Key::a : Key::trade_id]);
    event.price = as_number(fields[Key::price]);
    event.quantity = as_number(fields[Key::quantity]);
    event.buyer_is_maker = as_flag(fields[Key::maker]);
    event.execution_type = as_text(fields[Key::execution_type]);
  } else {
    event.id = {};
    event.price = as_number(fields[Key::close]);
  }
}

}  // namespace rts::wire
