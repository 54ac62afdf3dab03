#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include <simdjson.h>

#include <rts/wire/frame.hpp>

#include "number_text.hpp"

namespace rts::wire {
namespace {

namespace ondemand = simdjson::ondemand;

// One scalar value of the frame, checked against the grammar but not yet read as anything.
struct Scalar {
  enum class Type : std::uint8_t { absent, string, number, boolean, container };
  Type type = Type::absent;  // null counts as absent
  std::string_view text;     // unescaped content of a string; token of a number
  bool truth = false;
};

TextField as_text(const Scalar& scalar) noexcept {
  if (scalar.type == Scalar::Type::absent) return {};
  if (scalar.type != Scalar::Type::string) return {FieldState::wrong_type, {}};
  return {FieldState::valid, scalar.text};
}

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

// The keys we read of an event object and of the control frames that take its place.
enum class Key : std::uint8_t {
  event,
  symbol,
  event_time,
  update_id,
  last_update_id,
  trade_id,
  a,
  b,
  price,
  quantity,
  maker,
  execution_type,
  close,
  bids,
  asks,
  result,
  error,
  code,
  msg,
  id,
  stream,
  data,
  timestamp,
  message_id,
  trace_context,
  unread,
};
constexpr std::size_t kKeyCount = static_cast<std::size_t>(Key::unread);

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
    return has(key) ? scalars_[static_cast<std::size_t>(key)] : kAbsent;
  }

  void see(Key key) noexcept { seen_ |= bit(key); }
  // A key we do not know, or a second time one that we do, with a value.
  void see_other() noexcept { others_ = true; }
  void hold(Key key, const Scalar& scalar) noexcept {
    seen_ |= bit(key);
    if (scalar.type == Scalar::Type::absent) return;
    held_ |= bit(key);
    scalars_[static_cast<std::size_t>(key)] = scalar;
  }

 private:
  static constexpr std::uint32_t bit(Key key) noexcept {
    return std::uint32_t{1} << static_cast<unsigned>(key);
  }
  static_assert(kKeyCount <= 32);

  std::uint32_t seen_ = 0;
  std::uint32_t held_ = 0;
  bool others_ = false;
  std::array<Scalar, kKeyCount> scalars_{};
};

std::string_view trim_right(std::string_view token) noexcept {
  const std::size_t last = token.find_last_not_of(" \t\r\n");
  return token.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// Reads a scalar and checks it; false when it is no JSON. Containers are the caller's.
bool read_scalar(ondemand::value& value, ondemand::json_type type, Scalar& out) {
  switch (type) {
    case ondemand::json_type::string: {
      out.type = Scalar::Type::string;
      const std::string_view token = trim_right(value.raw_json_token());
      if (token.size() < 2) return false;
      out.text = token.substr(1, token.size() - 2);
      if (std::memchr(out.text.data(), '\\', out.text.size()) != nullptr) {
        return value.get_string().get(out.text) == simdjson::SUCCESS;
      }
      return value.get_raw_json_string().error() == simdjson::SUCCESS;
    }
    case ondemand::json_type::number:
      out.type = Scalar::Type::number;
      out.text = trim_right(value.raw_json_token());
      return is_json_number(out.text);
    case ondemand::json_type::boolean:
      out.type = Scalar::Type::boolean;
      return value.get_bool().get(out.truth) == simdjson::SUCCESS;
    case ondemand::json_type::null: {
      bool is_null = false;
      out.type = Scalar::Type::absent;
      return value.is_null().get(is_null) == simdjson::SUCCESS && is_null;
    }
    case ondemand::json_type::array:
    case ondemand::json_type::object:
      break;
  }
  return false;
}

// A key's text without copying it, unless it is escaped.
bool read_key(ondemand::field& field, std::string_view& key) {
  const char* const begin = field.key().raw();
  const char* end = begin;
  while (*end != '"' && *end != '\\') ++end;  // the quote is there: the tokenizer has seen it
  if (*end == '"') {
    key = {begin, static_cast<std::size_t>(end - begin)};
    return true;
  }
  return field.unescaped_key().get(key) == simdjson::SUCCESS;
}

bool skip_container(ondemand::value& value, ondemand::json_type type, std::size_t depth);

// Walks over a value nobody reads and checks all of it; simdjson validates only what is touched.
bool skip(ondemand::value value, std::size_t depth) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type == ondemand::json_type::array || type == ondemand::json_type::object) {
    return skip_container(value, type, depth);
  }
  Scalar ignored;
  return read_scalar(value, type, ignored);
}

bool skip_container(ondemand::value& value, ondemand::json_type type, std::size_t depth) {
  if (depth >= kMaxNesting) return false;
  if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return false;
    for (auto element : array) {
      ondemand::value child;
      if (element.get(child) != simdjson::SUCCESS || !skip(child, depth + 1)) return false;
    }
    return true;
  }
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return false;
  for (auto member : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(member).get(field) != simdjson::SUCCESS || !read_key(field, key)) return false;
    if (!skip(field.value(), depth + 1)) return false;
  }
  return true;
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
  const auto price = Price::from(numbers[0]);
  const auto quantity = Quantity::from(numbers[1]);
  if (count < numbers.size()) {
    side.state = FieldState::wrong_type;
  } else if (!price || !quantity) {
    side.state = FieldState::invalid;
  } else {
    if (quantity->value() == 0) side.has_zero_quantity = true;
    if (!side.levels.full()) side.levels.push_back({*price, *quantity});
  }
  return true;
}

bool read_side(ondemand::value& value, SideField& side, std::size_t depth) {
  ondemand::array levels;
  if (value.get_array().get(levels) != simdjson::SUCCESS) return false;
  side.state = FieldState::valid;
  side.level_count = 0;
  side.has_zero_quantity = false;
  side.levels.clear();
  for (auto element : levels) {
    ondemand::value level;
    if (element.get(level) != simdjson::SUCCESS) return false;
    ++side.level_count;
    if (!read_level(level, side, depth + 1)) return false;
  }
  return true;
}

// Reads one value under a key of an event object.
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

}  // namespace

char id_letter(Sequence sequence) noexcept {
  switch (sequence) {
    case Sequence::book:
      return 'u';
    case Sequence::trade:
      return 't';
    case Sequence::aggregate_trade:
      return 'a';
    case Sequence::ticker_24h:
    case Sequence::mini_ticker_24h:
    case Sequence::ticker_1h:
    case Sequence::ticker_4h:
    case Sequence::ticker_1d:
      return 'E';
  }
  return 'E';
}

std::string_view Envelope::symbol_prefix() const noexcept {
  if (!stream.valid() || stream.value.starts_with('!')) return {};
  return stream.value.substr(0, stream.value.find('@'));
}

std::string_view Envelope::channel() const noexcept {
  if (!stream.valid()) return {};
  const std::size_t at = stream.value.find('@');
  if (at == std::string_view::npos) return {};
  const std::string_view rest = stream.value.substr(at + 1);
  return rest.substr(0, rest.find('@'));
}

class FrameReader::Parser {
 public:
  Parser() : buffer_(kMaxFrameBytes + simdjson::SIMDJSON_PADDING, ' ') {
    // The capacity is claimed once, so that no later frame allocates.
    [[maybe_unused]] const auto error = parser_.allocate(kMaxFrameBytes, kMaxNesting * 2);
    for (auto* text : {&stream_, &timestamp_, &message_id_, &traceparent_}) {
      text->reserve(kMaxFrameBytes);
    }
  }

  std::optional<FrameError> open(std::string_view frame) {
    pending_ = Pending::nothing;
    if (frame.size() > kMaxFrameBytes) return FrameError::too_large;
    envelope_ = {};
    element_count_ = 0;
    std::copy(frame.begin(), frame.end(), buffer_.begin());
    std::memset(buffer_.data() + frame.size(), ' ', simdjson::SIMDJSON_PADDING);
    const simdjson::padded_string_view padded(buffer_.data(), frame.size(),
                                              frame.size() + simdjson::SIMDJSON_PADDING);
    ondemand::json_type type{};
    if (parser_.iterate(padded).get(document_) != simdjson::SUCCESS ||
        document_.type().get(type) != simdjson::SUCCESS) {
      return FrameError::malformed;
    }
    bool valid = false;
    if (type == ondemand::json_type::object) valid = read_root_object();
    if (type == ondemand::json_type::array) valid = read_root_array();
    if (!valid || !at_end()) {
      pending_ = Pending::nothing;
      return FrameError::malformed;
    }
    if (element_count_ > kMaxEventsPerFrame) {
      pending_ = Pending::nothing;
      return FrameError::too_large;
    }
    return std::nullopt;
  }

  const WireEvent* next() {
    switch (pending_) {
      case Pending::nothing:
        return nullptr;
      case Pending::control:
        pending_ = Pending::nothing;
        event_.kind = EventKind::control;
        return &event_;
      case Pending::root_event:
        pending_ = Pending::nothing;
        interpret(root_, event_);
        return &event_;
      case Pending::data_event:
        pending_ = Pending::nothing;
        interpret(data_, event_);
        return &event_;
      case Pending::root_array:
      case Pending::data_array:
        if (begin_elements()) return next_element();
        event_.kind = EventKind::unknown;  // a frame always ends in at least one event
        return &event_;
      case Pending::elements:
        return next_element();
    }
    return nullptr;
  }

  [[nodiscard]] const Envelope& envelope() const noexcept { return envelope_; }

 private:
  enum class Pending : std::uint8_t {
    nothing,
    control,
    root_event,
    data_event,
    root_array,
    data_array,
    elements,
  };

  // On-Demand stops reading where we do: nothing may follow the value.
  bool at_end() { return document_.current_location().error() == simdjson::OUT_OF_BOUNDS; }

  bool read_root_object() {
    ondemand::object object;
    if (document_.get_object().get(object) != simdjson::SUCCESS) return false;
    root_.reset();
    data_shape_ = DataShape::none;
    for (auto member : object) {
      ondemand::field field;
      std::string_view name;
      if (std::move(member).get(field) != simdjson::SUCCESS || !read_key(field, name)) return false;
      const Key key = key_of(name);
      ondemand::value value = field.value();
      const bool ok = key == Key::data && !root_.was_seen(key) ? read_data(value)
                      : key == Key::trace_context && !root_.was_seen(key)
                          ? read_trace(value)
                          : read_member(value, key, root_, 1);
      if (!ok) return false;
    }
    return conclude_root();
  }

  // What shape the frame has; false when it has none of the accepted ones.
  bool conclude_root() {
    envelope_.stream = as_text(root_[Key::stream]);
    envelope_.timestamp = as_text(root_[Key::timestamp]);
    envelope_.message_id = as_text(root_[Key::message_id]);
    if (!root_.has(Key::stream) && data_shape_ == DataShape::none) {
      pending_ = Pending::root_event;
      envelope_ = {};  // a bare event's own keys of these names mean nothing to us
      return true;
    }
    if (!envelope_.stream.valid()) return false;
    switch (data_shape_) {
      case DataShape::object:
        pending_ = Pending::data_event;
        return true;
      case DataShape::array:
        pending_ = element_count_ == 0 ? Pending::control : Pending::data_array;
        return true;
      case DataShape::none:
      case DataShape::other:
        return false;
    }
    return false;
  }

  bool read_root_array() {
    ondemand::array array;
    if (document_.get_array().get(array) != simdjson::SUCCESS || !check_elements(array, 1)) {
      return false;
    }
    pending_ = element_count_ == 0 ? Pending::control : Pending::root_array;
    return true;
  }

  bool read_data(ondemand::value& value) {
    root_.see(Key::data);
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == ondemand::json_type::object) {
      data_shape_ = DataShape::object;
      ondemand::object object;
      return value.get_object().get(object) == simdjson::SUCCESS && read_object(object, data_, 1);
    }
    if (type == ondemand::json_type::array) {
      data_shape_ = DataShape::array;
      ondemand::array array;
      return value.get_array().get(array) == simdjson::SUCCESS && check_elements(array, 2);
    }
    if (type != ondemand::json_type::null) data_shape_ = DataShape::other;
    return skip(value, 1);
  }

  bool read_trace(ondemand::value& value) {
    root_.see(Key::trace_context);
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type != ondemand::json_type::object) return skip(value, 1);
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto member : object) {
      ondemand::field field;
      std::string_view name;
      if (std::move(member).get(field) != simdjson::SUCCESS || !read_key(field, name)) return false;
      ondemand::value child = field.value();
      ondemand::json_type child_type{};
      if (child.type().get(child_type) != simdjson::SUCCESS) return false;
      if (name == "traceparent" && child_type == ondemand::json_type::string &&
          envelope_.traceparent.state == FieldState::absent) {
        Scalar scalar;
        if (!read_scalar(child, child_type, scalar)) return false;
        envelope_.traceparent = as_text(scalar);
      } else if (!skip(child, 2)) {
        return false;
      }
    }
    return true;
  }

  // First pass over an array of events: all of it is checked before any of it is believed.
  bool check_elements(ondemand::array& array, std::size_t depth) {
    for (auto element : array) {
      ondemand::value value;
      if (element.get(value) != simdjson::SUCCESS || !skip(value, depth)) return false;
      ++element_count_;
    }
    return true;
  }

  // Second pass: back to the start of the array. The rewind reuses the memory that unescaped
  // strings live in, so the envelope keeps its own copies.
  bool begin_elements() {
    const bool in_data = pending_ == Pending::data_array;
    pending_ = Pending::nothing;
    keep(envelope_.stream, stream_);
    keep(envelope_.timestamp, timestamp_);
    keep(envelope_.message_id, message_id_);
    keep(envelope_.traceparent, traceparent_);
    document_.rewind();
    ondemand::array array;
    const bool found =
        in_data ? find_data_array(array) : document_.get_array().get(array) == simdjson::SUCCESS;
    if (!found || array.begin().get(element_) != simdjson::SUCCESS ||
        array.end().get(elements_end_) != simdjson::SUCCESS) {
      return false;
    }
    pending_ = Pending::elements;
    element_depth_ = in_data ? 2 : 1;
    elements_begun_ = false;
    return true;
  }

  bool find_data_array(ondemand::array& array) {
    ondemand::object object;
    if (document_.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto member : object) {
      ondemand::field field;
      std::string_view name;
      if (std::move(member).get(field) != simdjson::SUCCESS || !read_key(field, name)) return false;
      if (key_of(name) == Key::data) {
        return field.value().get_array().get(array) == simdjson::SUCCESS;
      }
    }
    return false;
  }

  static void keep(TextField& field, std::string& copy) {
    if (!field.valid()) return;
    copy.assign(field.value);
    field.value = copy;
  }

  const WireEvent* next_element() {
    if (elements_begun_) ++element_;
    elements_begun_ = true;
    if (element_count_ == 0 || element_ == elements_end_) {
      pending_ = Pending::nothing;
      return nullptr;
    }
    --element_count_;
    ondemand::value value;
    ondemand::object object;
    event_.kind = EventKind::unknown;
    if ((*element_).get(value) != simdjson::SUCCESS) return &event_;
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS || type != ondemand::json_type::object) {
      skip(value, element_depth_);
      return &event_;
    }
    if (value.get_object().get(object) == simdjson::SUCCESS &&
        read_object(object, data_, element_depth_)) {
      interpret(data_, event_);
    }
    return &event_;
  }

  enum class DataShape : std::uint8_t { none, object, array, other };

  ondemand::parser parser_;
  std::string buffer_;
  ondemand::document document_;
  Fields root_;
  Fields data_;
  WireEvent event_;
  Envelope envelope_;
  Pending pending_ = Pending::nothing;
  DataShape data_shape_ = DataShape::none;
  std::size_t element_count_ = 0;
  std::size_t element_depth_ = 1;
  ondemand::array_iterator element_;
  ondemand::array_iterator elements_end_;
  bool elements_begun_ = false;
  std::string stream_;
  std::string timestamp_;
  std::string message_id_;
  std::string traceparent_;
};

FrameReader::FrameReader() : parser_(std::make_unique<Parser>()) {}
FrameReader::~FrameReader() = default;
std::optional<FrameError> FrameReader::open(std::string_view frame) {
  return parser_->open(frame);
}
const WireEvent* FrameReader::next() {
  return parser_->next();
}
const Envelope& FrameReader::envelope() const noexcept {
  return parser_->envelope();
}

}  // namespace rts::wire
