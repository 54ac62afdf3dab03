#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include <rts/wire/frame.hpp>

#include "wire/event_fields.hpp"
#include "wire/json_values.hpp"

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
      return &event_;  // the iterator steps over what nobody has read; pass one has checked it
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
