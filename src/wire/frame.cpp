#include <optional>

#include <rts/wire/frame.hpp>

#include "wire/event_fields.hpp"
#include "wire/json_cursor.hpp"

namespace rts::wire {

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
    std::optional<FrameError> error;
    if (!text_.open(frame) || !read_root()) {
      error = FrameError::malformed;
    } else if (element_count_ > kMaxEventsPerFrame) {
      error = FrameError::too_large;
    }
    if (error) pending_ = Pending::nothing;
    return error;
  }

  const WireEvent* next() {
    switch (pending_) {
      case Pending::nothing: return nullptr;
      case Pending::control: event_.kind = EventKind::control; break;
      case Pending::root_event: interpret(root_, event_); break;
      case Pending::data_event: interpret(data_, event_); break;
      case Pending::elements: return next_element();
    }
    pending_ = Pending::nothing;
    return &event_;
  }

  [[nodiscard]] const Envelope& envelope() const noexcept { return envelope_; }

 private:
  enum class Pending : std::uint8_t { nothing, control, root_event, data_event, elements };

  bool read_root() {
    JsonCursor cursor = text_.begin();
    if (cursor.type() == JsonType::array) {
      return check_elements(cursor, 1) && cursor.at_end();
    }
    root_.reset();
    data_type_ = JsonType::none;
    const bool read = cursor.for_each_member([&](std::string_view name) {
      const Key key = key_of(name);
      if (key == Key::data && !root_.was_seen(key)) return read_data(cursor);
      if (key == Key::_otel_trace_context && !root_.was_seen(key)) return read_trace(cursor);
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
    if (!root_.has(Key::stream) && data_type_ == JsonType::none) {
      pending_ = Pending::root_event;
      envelope_ = {};  // a bare event's own keys of these names mean nothing to us
      return true;
    }
    if (data_type_ == JsonType::object) pending_ = Pending::data_event;
    // The elements of an array are pending since they were checked.
    return envelope_.stream.valid() &&
           (data_type_ == JsonType::object || data_type_ == JsonType::array);
  }

  bool read_data(JsonCursor& cursor) {
    root_.see(Key::data);
    data_type_ = cursor.type();
    if (data_type_ == JsonType::object) return read_object(cursor, data_, 1);
    if (data_type_ == JsonType::array) return check_elements(cursor, 2);
    if (data_type_ == JsonType::null) data_type_ = JsonType::none;
    return cursor.skip(1);
  }

  bool read_trace(JsonCursor& cursor) {
    root_.see(Key::_otel_trace_context);
    if (cursor.type() != JsonType::object) return cursor.skip(1);
    return cursor.for_each_member([&](std::string_view name) {
      Scalar scalar;
      if (!cursor.read_value(scalar, 2)) return false;
      if (name == "traceparent" && !envelope_.traceparent.valid()) {
        const TextField text = as_text(scalar);
        if (text.valid()) envelope_.traceparent = text;
      }
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
  JsonType data_type_ = JsonType::none;  // of what stands under `data`; null counts as none
  std::size_t element_count_ = 0;
  std::size_t element_depth_ = 1;
  std::optional<JsonCursor> element_;
};

FrameReader::FrameReader() : parser_(std::make_unique<Parser>()) {}
FrameReader::~FrameReader() = default;
std::optional<FrameError> FrameReader::open(std::string_view frame) { return parser_->open(frame); }
const WireEvent* FrameReader::next() { return parser_->next(); }
const Envelope& FrameReader::envelope() const noexcept { return parser_->envelope(); }

}  // namespace rts::wire
