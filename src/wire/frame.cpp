#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <rts/base/text.hpp>
#include <rts/wire/frame.hpp>

#include "wire/event_fields.hpp"
#include "wire/json_cursor.hpp"

namespace rts::wire {

// What is no text has an empty value.

std::string_view Envelope::symbol_prefix() const noexcept {
  if (stream.value.starts_with('!')) return {};
  return stream.value.substr(0, stream.value.find('@'));
}

std::string_view Envelope::channel() const noexcept {
  const std::size_t at = stream.value.find('@');
  if (at == std::string_view::npos) return {};
  const std::string_view rest = stream.value.substr(at + 1);
  return rest.substr(0, rest.find('@'));
}

std::optional<RecordedFrame> parse_recorded_line(std::string_view line) noexcept {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos || line[first] == '#') return std::nullopt;

  // A receive time is digits and a blank; digits alone are a frame (and no event).
  const std::size_t end = std::min(line.find(' ', first), line.size());
  const std::size_t frame = line.find_first_not_of(kBlank, end);
  const auto nanoseconds = parse_as<std::int64_t>(line.substr(first, end - first), 0);
  if (!nanoseconds || frame == std::string_view::npos) return RecordedFrame{std::nullopt, line};
  return RecordedFrame{UnixNs(std::chrono::nanoseconds(*nanoseconds)), line.substr(frame)};
}

std::optional<RecordedNote> parse_recorded_note(std::string_view line) noexcept {
  line = trimmed(line);
  if (!line.starts_with('#')) return std::nullopt;
  const std::size_t begin = std::min(line.find('{'), line.size());
  const auto log = from_string<RecordedLog>(trimmed(line.substr(1, begin - 1)));
  if (!log || begin == line.size()) return std::nullopt;
  return RecordedNote{*log, line.substr(begin)};
}

class FrameReader::Parser {
 public:
  std::optional<FrameError> open(std::string_view frame) {
    is_pending_ = false;
    element_count_ = 0;
    if (frame.size() > kMaxFrameBytes) return FrameError::too_large;
    envelope_ = {};
    const bool is_read = text_.open(frame) && read_root();
    if (is_read && element_count_ <= kMaxEventsPerFrame) return std::nullopt;
    is_pending_ = false;
    element_count_ = 0;
    return is_read ? FrameError::too_large : FrameError::malformed;
  }

  const WireEvent* next() {
    if (element_count_ > 0) return next_element();
    return std::exchange(is_pending_, false) ? &event_ : nullptr;
  }

  [[nodiscard]] const Envelope& envelope() const noexcept { return envelope_; }

 private:
  bool read_root() {
    JsonCursor cursor(text_);
    if (cursor.type() == JsonType::array) {
      return check_elements(cursor) && cursor.at_end();
    }
    root_.reset();
    data_type_ = JsonType::none;
    const bool read = cursor.for_each_member([&](std::string_view name) {
      const Key key = key_of(name);
      if (key == Key::data && !root_.was_seen(key)) return read_data(cursor);
      const bool is_trace = key == Key::_otel_trace_context && cursor.type() == JsonType::object;
      if (is_trace && !root_.was_seen(key)) return read_trace(cursor);
      return read_member(cursor, key, root_);
    });
    return read && cursor.at_end() && conclude_root();
  }

  // What shape the frame has; false when it has none of the accepted ones.
  bool conclude_root() {
    envelope_.stream = as_text(root_[Key::stream]);
    envelope_.timestamp = as_text(root_[Key::timestamp]);
    envelope_.message_id = as_text(root_[Key::message_id]);
    envelope_.source = as_text(root_[Key::source]);
    const bool is_bare = !root_.has(Key::stream) && data_type_ == JsonType::none;
    if (is_bare) envelope_ = {};  // a bare event's own keys of these names mean nothing to us
    if (is_bare || data_type_ == JsonType::object) {
      interpret(is_bare ? root_ : data_, event_);
      is_pending_ = true;
    }
    const bool has_data = data_type_ == JsonType::object || data_type_ == JsonType::array;
    return is_bare || (envelope_.stream.valid() && has_data);
  }

  bool read_data(JsonCursor& cursor) {
    root_.see(Key::data);
    data_type_ = cursor.type();
    if (data_type_ == JsonType::object) return read_object(cursor, data_);
    if (data_type_ == JsonType::array) return check_elements(cursor);
    if (data_type_ == JsonType::null) data_type_ = JsonType::none;
    return cursor.skip();
  }

  bool read_trace(JsonCursor& cursor) {
    // Beside an id it is a value as any other: the frame has more than an id.
    root_.slot(Key::_otel_trace_context).type = JsonType::object;
    root_.settle(Key::_otel_trace_context);
    return cursor.for_each_member([&](std::string_view name) {
      Scalar scalar;
      if (!cursor.read_value(scalar)) return false;
      if (name == "traceparent" && !envelope_.traceparent.valid()) {
        const TextField text = as_text(scalar);
        if (text.valid()) envelope_.traceparent = text;
      }
      return true;
    });
  }

  // First pass over an array of events: all of it is checked before any of it is used. The
  // second begins where this one did.
  bool check_elements(JsonCursor& cursor) {
    element_ = cursor;
    const bool checked = cursor.for_each_element([&] {
      ++element_count_;
      return cursor.skip();
    });
    element_->jump(1);
    if (element_count_ == 0) {
      event_.kind = EventKind::control;
      is_pending_ = true;
    }
    return checked;
  }

  const WireEvent* next_element() {
    --element_count_;
    event_.kind = EventKind::unknown;
    const bool is_object = element_->type() == JsonType::object;
    const bool read = is_object ? read_object(*element_, data_) : element_->skip();
    element_->jump(1);  // the comma, or the bracket behind the last
    if (is_object && read) interpret(data_, event_);
    return &event_;
  }

  JsonText text_;
  Fields root_;
  Fields data_;
  WireEvent event_;
  Envelope envelope_;
  bool is_pending_ = false;              // event_, the frame's only one
  JsonType data_type_ = JsonType::none;  // of what stands under `data`; null counts as none
  std::size_t element_count_ = 0;        // of an array, those that are still to come
  std::optional<JsonCursor> element_;
};

FrameReader::FrameReader() : parser_(std::make_unique<Parser>()) {}
FrameReader::~FrameReader() = default;
std::optional<FrameError> FrameReader::open(std::string_view frame) { return parser_->open(frame); }
const WireEvent* FrameReader::next() { return parser_->next(); }
const Envelope& FrameReader::envelope() const noexcept { return parser_->envelope(); }

}  // namespace rts::wire
