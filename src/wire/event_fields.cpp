#include "wire/event_fields.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "wire/number_text.hpp"

namespace rts::wire {
namespace {

// A value under a key that asks for certain types.
template <class T>
Field<T> field_of(const Scalar& scalar, bool is_of_type, std::optional<T> value) noexcept {
  if (scalar.type == JsonType::none) return {};
  if (!is_of_type) return {FieldState::wrong_type, {}};
  return value ? Field<T>{FieldState::valid, *value} : Field<T>{FieldState::invalid, {}};
}

IntegerField as_integer(const Scalar& scalar) noexcept {
  return field_of(scalar, scalar.type == JsonType::number, scalar.integer);
}

// Numbers arrive as strings or as JSON numbers.
NumberField as_number(const Scalar& scalar) noexcept {
  if (scalar.type != JsonType::number && scalar.type != JsonType::string) {
    return field_of<double>(scalar, false, std::nullopt);
  }
  auto value = read_plain_number(scalar.text);
  if (!value) value = parse_number(scalar.text);
  return field_of(scalar, true, value);
}

FlagField as_flag(const Scalar& scalar) noexcept {
  return field_of<bool>(scalar, scalar.type == JsonType::boolean, scalar.truth);
}

void begin_side(SideField& side) noexcept {
  side.state = FieldState::valid;
  side.level_count = 0;
  side.has_zero_quantity = false;
}

// A level's price and quantity; false when one is out of its range.
[[gnu::always_inline]] inline bool keep_level(const std::array<double, 2>& numbers,
                                              SideField& side) noexcept {
  const auto price = Price::from(numbers[0]);
  const auto quantity = Quantity::from(numbers[1]);
  if (!price || !quantity) [[unlikely]] {
    return false;
  }
  side.has_zero_quantity |= quantity->value() == 0;
  if (side.level_count < SideField::kMaxLevels) {
    side.first_levels[side.level_count] = {*price, *quantity};
  }
  return true;
}

// ["61837.63000000","3.78826000"], further elements unread.
bool read_level(JsonCursor& cursor, SideField& side) {
  std::array<NumberField, 2> numbers;
  std::size_t count = 0;
  const auto read_number = [&] {
    Scalar scalar;
    if (!cursor.read_value(scalar)) return false;
    if (count < numbers.size()) numbers[count++] = as_number(scalar);
    return true;
  };
  const bool is_level = cursor.type() == JsonType::array;
  if (!(is_level ? cursor.for_each_element(read_number) : cursor.skip())) return false;
  for (const NumberField& number : numbers) {
    if (side.state != FieldState::valid || number.valid()) continue;
    side.state = number.state == FieldState::invalid ? FieldState::invalid : FieldState::wrong_type;
  }
  if (side.state == FieldState::valid && !keep_level({numbers[0].value, numbers[1].value}, side)) {
    side.state = FieldState::invalid;
  }
  return true;
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
  [[nodiscard]] std::string_view price() const noexcept { return {bracket + 2, comma - 1}; }
  [[nodiscard]] std::string_view quantity() const noexcept { return {comma + 2, closing - 1}; }
};

bool read_numbers(const LevelText& level, std::array<double, 2>& numbers) noexcept {
  if (read_two_short_numbers(level.price(), level.quantity(), numbers)) return true;
  const auto price = read_plain_number(level.price());
  const auto quantity = read_plain_number(level.quantity());
  if (!price || !quantity) return false;
  numbers = {*price, *quantity};
  return true;
}

bool read_side(JsonCursor& cursor, SideField& side) {
  if (read_usual_side(cursor, side)) return true;
  begin_side(side);
  return cursor.for_each_element([&] {
    const bool is_read = read_level(cursor, side);
    ++side.level_count;
    return is_read;
  });
}

// What the venue calls the events of each Sequence, and the letter of their ids.
struct EventType {
  std::string_view name;
  EventKind kind = EventKind::unknown;
  char id_letter = 0;
};
constexpr std::array<EventType, count_of<Sequence>> kEventTypes{{
    {"depthUpdate", EventKind::book, 'u'},
    {"trade", EventKind::trade, 't'},
    {"aggTrade", EventKind::trade, 'a'},
    {"24hrTicker", EventKind::ticker, 'E'},
    {"24hrMiniTicker", EventKind::ticker, 'E'},
    {"1hTicker", EventKind::ticker, 'E'},
    {"4hTicker", EventKind::ticker, 'E'},
    {"1dTicker", EventKind::ticker, 'E'},
}};
static_assert(!kEventTypes.back().name.empty(), "every Sequence has its row");

// The place of a key in kKeys. Those of one letter have a half of their own; no two share a place.
constexpr std::size_t place_of(std::string_view name) noexcept {
  if (name.size() == 1) return static_cast<unsigned char>(name[0]);
  return 256 + (static_cast<unsigned char>(name[1]) + 11 * name.size()) % 64;
}
constexpr auto kKeys = [] {
  std::array<Key, 256 + 64> keys{};
  keys.fill(Key::unread);
  for (const Key key : all_of<Key>) keys[place_of(to_string(key))] = key;
  return keys;
}();
static_assert(std::all_of(all_of<Key>.begin(), all_of<Key>.end(),
                          [](Key key) { return kKeys[place_of(to_string(key))] == key; }));

// An ack, an error, or an object with nothing but an id. An ack's `result` is often null.
bool is_control(const Fields& fields) noexcept {
  return fields.was_seen(Key::result) || fields.has(Key::error) ||
         (fields.has(Key::code) && fields.has(Key::msg)) || fields.has_only(Key::id);
}

void classify(const Fields& fields, WireEvent& event) noexcept {
  event.kind = EventKind::unknown;
  if (fields.has(Key::e)) {
    event.kind = EventKind::other;
    for (const Sequence sequence : all_of<Sequence>) {
      const EventType& type = kEventTypes[index_of(sequence)];
      if (fields[Key::e].type != JsonType::string || fields[Key::e].text != type.name) continue;
      event.kind = type.kind;
      event.sequence = sequence;
      break;
    }
  } else if (fields.has(Key::lastUpdateId) && fields.has(Key::bids) && fields.has(Key::asks)) {
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

char id_letter(Sequence sequence) noexcept { return kEventTypes[index_of(sequence)].id_letter; }

// Where each number begins and ends is known before the one in front of it has been read, so that
// the processor reads several at a time.
bool read_usual_side(JsonCursor& cursor, SideField& side) noexcept {
  assert(cursor.type() == JsonType::array);
  begin_side(side);
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

TextField as_text(const Scalar& scalar) noexcept {
  return field_of<std::string_view>(scalar, scalar.type == JsonType::string, scalar.text);
}

Key key_of(std::string_view name) noexcept {
  if (name.size() == 1) return kKeys[static_cast<unsigned char>(name[0])];
  if (name.empty()) return Key::unread;
  const Key key = kKeys[place_of(name)];
  return name == to_string(key) ? key : Key::unread;
}

bool read_member(JsonCursor& cursor, Key key, Fields& fields) {
  const JsonType type = cursor.type();
  if (key == Key::unread || fields.was_seen(key)) {
    if (type != JsonType::null) fields.see_other();
    return cursor.skip();
  }
  if (type == JsonType::array) {
    // "a" is the asks of a book, an id of an aggregated trade and a price of a ticker.
    const bool asks = key == Key::a || key == Key::asks;
    const bool bids = key == Key::b || key == Key::bids;
    SideField& side = asks ? fields.asks : fields.bids;
    if ((asks || bids) && side.state == FieldState::absent) {
      fields.slot(key).type = type;
      return fields.settle(key) && read_side(cursor, side);
    }
  }
  return cursor.read_value(fields.slot(key)) && fields.settle(key);
}

bool read_object(JsonCursor& cursor, Fields& fields) {
  fields.reset();
  return cursor.for_each_member(
      [&](std::string_view name) { return read_member(cursor, key_of(name), fields); });
}

void interpret(Fields& fields, WireEvent& event) noexcept {
  classify(fields, event);
  if (event.kind != EventKind::book && event.kind != EventKind::trade &&
      event.kind != EventKind::ticker) {
    return;
  }
  event.symbol = as_text(fields[Key::s]);
  event.event_time = as_integer(fields[Key::E]);
  event.trade_time = as_integer(fields[Key::T]);
  event.symbol_type = as_integer(fields[Key::st]);
  if (event.kind == EventKind::book) {
    event.is_depth_update = fields.has(Key::e);
    const bool has_u = fields.has(Key::u);
    event.id = as_integer(fields[has_u ? Key::u : Key::lastUpdateId]);
    settle_side(fields.bids, fields.has(Key::bids) || fields.has(Key::b));
    settle_side(fields.asks, fields.has(Key::asks) || fields.has(Key::a));
    event.bids = &fields.bids;
    event.asks = &fields.asks;
  } else if (event.kind == EventKind::trade) {
    const bool aggregate = event.sequence == Sequence::aggregate_trade;
    event.id = as_integer(fields[aggregate ? Key::a : Key::t]);
    event.price = as_number(fields[Key::p]);
    event.quantity = as_number(fields[Key::q]);
    event.buyer_is_maker = as_flag(fields[Key::m]);
    event.execution_type = as_text(fields[Key::X]);
  } else {
    event.id = {};
    event.price = as_number(fields[Key::c]);
  }
}

}  // namespace rts::wire
