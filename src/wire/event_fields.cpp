#include "wire/event_fields.hpp"

#include "wire/number_text.hpp"

namespace rts::wire {
namespace {

IntegerField as_integer(const Scalar& scalar) noexcept {
  if (scalar.type == Scalar::Type::absent) return {};
  if (scalar.type != Scalar::Type::number) return {FieldState::wrong_type, 0};
  const auto value = parse_integer(scalar.text);
  return value ? IntegerField{FieldState::valid, *value} : IntegerField{FieldState::invalid, 0};
}

// Numbers arrive as strings or as JSON numbers.
NumberField as_number(const Scalar& scalar) noexcept {
  if (scalar.type == Scalar::Type::absent) return {};
  if (scalar.type != Scalar::Type::number && scalar.type != Scalar::Type::string) {
    return {FieldState::wrong_type, 0};
  }
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
    default:
      return Key::unread;
  }
}

// One number of a level. `state` is moved off `valid` by the first that is none.
bool read_level_number(ondemand::value value, double& number, FieldState& state,
                       std::size_t depth) {
  if (value.get_double_in_string().get(number) == simdjson::SUCCESS) return true;
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  Scalar scalar;
  if (type == ondemand::json_type::array || type == ondemand::json_type::object) {
    if (!skip_container(value, type, depth)) return false;
    scalar.type = Scalar::Type::container;
  } else if (!read_scalar(value, type, scalar)) {
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
bool keep_level(const std::array<double, 2>& numbers, SideField& side) noexcept {
  const auto price = Price::from(numbers[0]);
  const auto quantity = Quantity::from(numbers[1]);
  if (!price || !quantity) return false;
  if (quantity->value() == 0) side.has_zero_quantity = true;
  if (!side.levels.full()) side.levels.push_back({*price, *quantity});
  return true;
}

// ["61837.63000000","3.78826000"], further elements unread.
bool read_level(ondemand::value value, SideField& side, std::size_t depth) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type != ondemand::json_type::array) {
    if (side.state == FieldState::valid) side.state = FieldState::wrong_type;
    return skip(value, depth);
  }
  ondemand::array pair;
  if (value.get_array().get(pair) != simdjson::SUCCESS) return false;
  std::array<double, 2> numbers{};
  std::size_t count = 0;
  for (auto element : pair) {
    ondemand::value child;
    if (element.get(child) != simdjson::SUCCESS) return false;
    const bool ok = count < numbers.size()
                        ? read_level_number(child, numbers[count], side.state, depth + 1)
                        : skip(child, depth + 1);
    if (!ok) return false;
    ++count;
  }
  if (side.state != FieldState::valid) return true;
  if (count < numbers.size()) {
    side.state = FieldState::wrong_type;
  } else if (!keep_level(numbers, side)) {
    side.state = FieldState::invalid;
  }
  return true;
}

// Moves over one character; false when another stands there.
bool take(const char*& at, char wanted) noexcept {
  return *at++ == wanted;
}

// A side as the venue spells it, [["61837.63","3.788"],…] without a space, in one pass over the
// text. False, with `side` in any state, when a character is different or a value out of range:
// then read_side() has to say what it is. What this accepts is checked JSON from bracket to
// bracket.
bool scan_usual_side(const char* at, SideField& side) noexcept {
  begin_side(side);
  if (!take(at, '[')) return false;
  if (*at == ']') return true;
  do {
    std::array<double, 2> numbers{};
    if (!take(at, '[') || !take(at, '"')) return false;
    at = read_plain_number(at, numbers[0]);
    if (at == nullptr || !take(at, '"') || !take(at, ',') || !take(at, '"')) return false;
    at = read_plain_number(at, numbers[1]);
    if (at == nullptr || !take(at, '"') || !take(at, ']')) return false;
    if (!keep_level(numbers, side)) return false;
    ++side.level_count;
  } while (take(at, ','));
  return at[-1] == ']';
}

bool read_side(ondemand::value& value, SideField& side, std::size_t depth) {
  // What was scanned is left unread; the iterator steps over it by its brackets.
  if (scan_usual_side(value.raw_json_token().data(), side)) return true;
  ondemand::array levels;
  if (value.get_array().get(levels) != simdjson::SUCCESS) return false;
  begin_side(side);
  for (auto element : levels) {
    ondemand::value level;
    if (element.get(level) != simdjson::SUCCESS) return false;
    ++side.level_count;
    if (!read_level(level, side, depth + 1)) return false;
  }
  return true;
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
  struct Named {
    std::string_view name;
    Key key;
  };
  static constexpr std::array kNamed{Named{"lastUpdateId", Key::last_update_id},
                                     Named{"bids", Key::bids},
                                     Named{"asks", Key::asks},
                                     Named{"stream", Key::stream},
                                     Named{"data", Key::data},
                                     Named{"timestamp", Key::timestamp},
                                     Named{"message_id", Key::message_id},
                                     Named{"_otel_trace_context", Key::trace_context},
                                     Named{"result", Key::result},
                                     Named{"error", Key::error},
                                     Named{"code", Key::code},
                                     Named{"msg", Key::msg},
                                     Named{"id", Key::id}};
  for (const auto& named : kNamed) {
    if (named.name == name) return named.key;
  }
  return Key::unread;
}

bool read_member(ondemand::value value, Key key, Fields& fields, std::size_t depth) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (key == Key::unread || fields.was_seen(key)) {
    if (type != ondemand::json_type::null) fields.see_other();
    return skip(value, depth);
  }

  // "a" is the asks of a book, an id of an aggregated trade and a price of a ticker.
  const bool asks = key == Key::a || key == Key::asks;
  const bool bids = key == Key::b || key == Key::bids;
  Scalar scalar;
  if (type != ondemand::json_type::array && type != ondemand::json_type::object) {
    if (!read_scalar(value, type, scalar)) return false;
    fields.hold(key, scalar);
    return true;
  }
  scalar.type = Scalar::Type::container;
  fields.hold(key, scalar);
  SideField& side = asks ? fields.asks : fields.bids;
  if (type == ondemand::json_type::array && (asks || bids) && side.state == FieldState::absent) {
    return read_side(value, side, depth);
  }
  return skip_container(value, type, depth);
}

bool read_object(ondemand::object& object, Fields& fields, std::size_t depth) {
  fields.reset();
  for (auto member : object) {
    ondemand::field field;
    std::string_view name;
    if (std::move(member).get(field) != simdjson::SUCCESS || !read_key(field, name)) return false;
    if (!read_member(field.value(), key_of(name), fields, depth + 1)) return false;
  }
  return true;
}

void interpret(Fields& fields, WireEvent& event) noexcept {
  classify(fields, event);
  if (event.kind != EventKind::book && event.kind != EventKind::trade &&
      event.kind != EventKind::ticker) {
    return;
  }
  event.symbol = as_text(fields[Key::symbol]);
  event.event_time = as_integer(fields[Key::event_time]);
  if (event.kind == EventKind::book) {
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
