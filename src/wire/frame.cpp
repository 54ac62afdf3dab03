#include <optional>

#include <rts/wire/frame.hpp>

#include "wire/event_fields.hpp"
#include "wire/json_cursor.hpp"

namespace rts::wire {

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
  std::optional<FrameError> open(std::string_view frame) {
    pending_ = Pending::nothing;
    if (frame.size() > kMaxFrameBytes) return FrameError::too_large;
    envelope_ = {};
    element_count_ = 0;
    if (!text_.open(frame) || !read_root()) {
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
      case Pending::elements:
        return next_element();
    }
    return nullptr;
  }

  [[nodiscard]] const Envelope& envelope() const noexcept { return envelope_; }

 private:
  enum class Pending : std::uint8_t { nothing, control, root_event, data_event, elements };
  enum class DataShape : std::uint8_t { none, object, array, other };

  bool read_root() {
    JsonCursor cursor = text_.begin();
    if (cursor.type() == JsonType::array) {
      return check_elements(cursor, 1) && cursor.at_end();
    }
    root_.reset();
    data_shape_ = DataShape::none;
    const bool read = cursor.for_each_member([&](std::string_view name) {
      const Key key = key_of(name);
      if (key == Key::data && !root_.was_seen(key)) return read_data(cursor);
      if (key == Key::trace_context && !root_.was_seen(key)) return read_trace(cursor);
      return read_member(cursor, key, root_, 1);
    });
    return read && cursor.at_end() && conclude_root();
  }

  // What shape the frame has; false when it has none of the accepted ones.
  bool conclude_root() {
    envelope_.stream = as_text(root_[Key::stream]);
    envelope_.timestamp = as_text(root_[Key::timestamp]);
    envelope_.message_id = as_text(root_[Key::message_id]);
    envelope_.source = as_text(root_[Key::source]);
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
        return true;  // pending since its elements were checked
      case DataShape::none:
      case DataShape::other:
        return false;
    }
    return false;
  }

  bool read_data(JsonCursor& cursor) {
    root_.see(Key::data);
    switch (cursor.type()) {
      case JsonType::object:
        data_shape_ = DataShape::object;
        return read_object(cursor, data_, 1);
      case JsonType::array:
        data_shape_ = DataShape::array;
        return check_elements(cursor, 2);
      case JsonType::null:
        break;
      case JsonType::none:
      case JsonType::string:
      case JsonType::number:
      case JsonType::boolean:
        data_shape_ = DataShape::other;
    }
    return cursor.skip(1);
  }

  bool read_trace(JsonCursor& cursor) {
    root_.see(Key::trace_context);
    if (cursor.type() != JsonType::object) return cursor.skip(1);
    return cursor.for_each_member([&](std::string_view name) {
      if (name != "traceparent" || cursor.type() != JsonType::string ||
          envelope_.traceparent.valid()) {
        return cursor.skip(2);
      }
      Scalar scalar;
      if (!cursor.read_scalar(scalar)) return false;
      envelope_.traceparent = as_text(scalar);
      return true;
    });
  }

  // First pass over an array of events: all of it is checked before any of it is believed. The
  // second begins where this one did.
  bool check_elements(JsonCursor& cursor, std::size_t depth) {
    element_ = cursor;
    element_depth_ = depth;
    const bool checked = cursor.for_each_element([&] {
      ++element_count_;
      return cursor.skip(depth);
    });
    element_->jump(1);
    pending_ = element_count_ == 0 ? Pending::control : Pending::elements;
    return checked;
  }

  const WireEvent* next_element() {
    if (element_count_ == 0) {
      pending_ = Pending::nothing;
      return nullptr;
    }
    --element_count_;
    event_.kind = EventKind::unknown;
    const bool is_object = element_->type() == JsonType::object;
    const bool read =
        is_object ? read_object(*element_, data_, element_depth_) : element_->skip(element_depth_);
    element_->jump(1);  // the comma, or the bracket behind the last
    if (is_object && read) interpret(data_, event_);
    return &event_;
  }

  JsonText text_{kMaxFrameBytes};
  Fields root_;
  Fields data_;
  WireEvent event_;
  Envelope envelope_;
  Pending pending_ = Pending::nothing;
  DataShape data_shape_ = DataShape::none;
  std::size_t element_count_ = 0;
  std::size_t element_depth_ = 1;
  std::optional<JsonCursor> element_;
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
