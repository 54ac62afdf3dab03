// Arbitrary bytes as one frame, read by our decoder and as a tree by RapidJSON, of which the events
// are made once more as SPEC §2 and rts/wire/frame.hpp say: both take the frame or refuse it, and
// the events have the same kinds and the same fields.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <type_traits>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/wire/frame.hpp>

#include "fuzz.hpp"
#include "json_tree.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one
using fuzz::Json;
using wire::FieldState;
using wire::Sequence;

// --- What was read, as a text to compare
// ----------------------------------------------------------

template <class T>
void append(std::string& out, std::string_view name, const wire::Field<T>& field) {
  constexpr std::array<std::string_view, 4> kStates{"absent", "valid", "invalid", "wrong type"};
  fmt::format_to(std::back_inserter(out), " {}={}", name,
                 kStates[static_cast<std::size_t>(field.state)]);
  if (!field.valid()) return;
  if constexpr (std::is_same_v<T, double>) {
    fmt::format_to(std::back_inserter(out), ":{}", field.value + 0.0);  // -0 is 0
  } else {
    fmt::format_to(std::back_inserter(out), ":{}", field.value);
  }
}

void append(std::string& out, std::string_view name, const wire::SideField& side) {
  append(out, name, wire::Field<std::size_t>{side.state, side.level_count});
  if (side.state != FieldState::valid) return;
  if (side.has_zero_quantity) out += " with a zero";
  for (const Level& level : side.levels()) {
    fmt::format_to(std::back_inserter(out), " {}x{}", level.price.value(),
                   level.quantity.value() + 0.0);
  }
}

void append(std::string& out, const wire::WireEvent& event) {
  fmt::format_to(std::back_inserter(out), "\n{}", to_string(event.kind));
  const bool is_of_market = event.kind == EventKind::book || event.kind == EventKind::trade ||
                            event.kind == EventKind::ticker;
  if (!is_of_market) return;
  fmt::format_to(std::back_inserter(out), " {}", to_string(event.sequence));
  append(out, "symbol", event.symbol);
  append(out, "event_time", event.event_time);
  append(out, "trade_time", event.trade_time);
  append(out, "symbol_type", event.symbol_type);
  if (event.kind != EventKind::ticker) append(out, "id", event.id);
  if (event.kind == EventKind::book) {
    if (event.is_depth_update) out += " update";
    append(out, "bids", *event.bids);
    append(out, "asks", *event.asks);
    return;
  }
  append(out, "price", event.price);
  if (event.kind != EventKind::trade) return;
  append(out, "quantity", event.quantity);
  append(out, "buyer_is_maker", event.buyer_is_maker);
  append(out, "execution_type", event.execution_type);
}

void append(std::string& out, const wire::Envelope& envelope) {
  append(out, "stream", envelope.stream);
  append(out, "timestamp", envelope.timestamp);
  append(out, "message_id", envelope.message_id);
  append(out, "traceparent", envelope.traceparent);
  append(out, "source", envelope.source);
}

// --- What should have been read
// -------------------------------------------------------------------

wire::TextField text_of(const Json* value) {
  if (value == nullptr) return {};
  if (value->type != Json::Type::string) return {FieldState::wrong_type, {}};
  return {FieldState::valid, value->text};
}

wire::FlagField flag_of(const Json* value) {
  if (value == nullptr) return {};
  if (value->type != Json::Type::boolean) return {FieldState::wrong_type, {}};
  return {FieldState::valid, value->truth};
}

// "Not an integer in 0…2^63−1."
wire::IntegerField integer_of(const Json* value) {
  if (value == nullptr) return {};
  if (value->type != Json::Type::number) return {FieldState::wrong_type, {}};
  const bool is_whole = value->text.find_first_not_of("0123456789") == std::string::npos;
  const auto number = is_whole ? parse_as<std::uint64_t>(value->text) : std::nullopt;
  if (!number || *number > std::numeric_limits<std::int64_t>::max()) {
    return {FieldState::invalid, {}};
  }
  return {FieldState::valid, *number};
}

// RFC 8259 §6: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
bool is_number(std::string_view text) {
  const auto take_one_of = [&](std::string_view characters) {
    const bool is_there = !text.empty() && characters.find(text.front()) != std::string_view::npos;
    if (is_there) text.remove_prefix(1);
    return is_there;
  };
  const auto take_digits = [&] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count > 0;
  };
  take_one_of("-");
  if (!take_one_of("0") && !take_digits()) return false;
  if (take_one_of(".") && !take_digits()) return false;
  if (take_one_of("eE")) {
    take_one_of("+-");
    if (!take_digits()) return false;
  }
  return text.empty();
}

// "Numbers arrive as strings or JSON numbers. JSON number grammar only, correctly rounded to
// double, finite." strtod() rounds so and knows more spellings.
wire::NumberField number_of(const Json* value) {
  if (value == nullptr) return {};
  if (value->type != Json::Type::number && value->type != Json::Type::string) {
    return {FieldState::wrong_type, {}};
  }
  const double number = std::strtod(value->text.c_str(), nullptr);
  const bool is_valid = is_number(value->text) && std::isfinite(number);
  return is_valid ? wire::NumberField{FieldState::valid, number}
                  : wire::NumberField{FieldState::invalid, {}};
}

// Adds a level, or says why the side has no more.
FieldState add_level(const Json& level, wire::SideField& side) {
  if (level.type != Json::Type::array) return FieldState::wrong_type;
  std::array<wire::NumberField, 2> numbers;
  for (std::size_t i = 0; i < std::min(numbers.size(), level.elements.size()); ++i) {
    const Json& element = level.elements[i];
    numbers[i] = number_of(element.type == Json::Type::null ? nullptr : &element);
  }
  for (const wire::NumberField& number : numbers) {
    if (number.state == FieldState::invalid) return FieldState::invalid;
    if (!number.valid()) return FieldState::wrong_type;
  }
  const auto price = Price::from(numbers[0].value);
  const auto quantity = Quantity::from(numbers[1].value);
  if (!price || !quantity) return FieldState::invalid;
  if (quantity->value() == 0) side.has_zero_quantity = true;
  if (side.level_count < side.first_levels.size()) {
    side.first_levels[side.level_count] = {*price, *quantity};
  }
  return FieldState::valid;
}

// Under two names, of which the first that has an array counts.
wire::SideField side_of(const Json& object, std::string_view name, std::string_view short_name) {
  wire::SideField side;
  const Json* found = nullptr;
  for (const Json* value : {object.find(name), object.find(short_name)}) {
    if (value == nullptr) continue;
    side.state = FieldState::wrong_type;
    if (value->type == Json::Type::array && (found == nullptr || value < found)) found = value;
  }
  if (found == nullptr) return side;
  side.state = FieldState::valid;
  for (const Json& level : found->elements) {
    if (side.state == FieldState::valid) side.state = add_level(level, side);
    ++side.level_count;
  }
  return side;
}

struct EventName {
  std::string_view e;
  EventKind kind;
  Sequence sequence;
};
constexpr std::array kEventNames{
    EventName{"depthUpdate", EventKind::book, Sequence::book},
    EventName{"trade", EventKind::trade, Sequence::trade},
    EventName{"aggTrade", EventKind::trade, Sequence::aggregate_trade},
    EventName{"24hrTicker", EventKind::ticker, Sequence::ticker_24h},
    EventName{"24hrMiniTicker", EventKind::ticker, Sequence::mini_ticker_24h},
    EventName{"1hTicker", EventKind::ticker, Sequence::ticker_1h},
    EventName{"4hTicker", EventKind::ticker, Sequence::ticker_4h},
    EventName{"1dTicker", EventKind::ticker, Sequence::ticker_1d},
};

// "Acks with `result`, errors with `error`, `code`+`msg` or only `id`." A result may be null.
bool is_control(const Json& object) {
  const auto has = [&](std::string_view name) { return object.find(name) != nullptr; };
  const auto values = std::ranges::count_if(
      object.elements, [](const Json& value) { return value.type != Json::Type::null; });
  return std::ranges::find(object.names, "result") != object.names.end() || has("error") ||
         (has("code") && has("msg")) || (has("id") && values == 1);
}

void classify(const Json& object, wire::WireEvent& event) {
  const auto has = [&](std::string_view name) { return object.find(name) != nullptr; };
  event.kind = EventKind::unknown;
  if (has("e")) {
    event.kind = EventKind::other;
    const wire::TextField e = text_of(object.find("e"));
    const auto* const known = std::ranges::find_if(
        kEventNames, [&](const EventName& name) { return e.valid() && name.e == e.value; });
    if (known == kEventNames.end()) return;
    event.kind = known->kind;
    event.sequence = known->sequence;
  } else if (has("lastUpdateId") && has("bids") && has("asks")) {
    event.kind = EventKind::book;
  } else if (is_control(object)) {
    event.kind = EventKind::control;
  }
}

void append_event(std::string& out, const Json& object) {
  const wire::SideField bids = side_of(object, "bids", "b");
  const wire::SideField asks = side_of(object, "asks", "a");
  wire::WireEvent event;
  event.bids = &bids;
  event.asks = &asks;
  classify(object, event);
  event.is_depth_update = object.find("e") != nullptr;
  event.symbol = text_of(object.find("s"));
  event.event_time = integer_of(object.find("E"));
  event.trade_time = integer_of(object.find("T"));
  event.symbol_type = integer_of(object.find("st"));
  if (event.kind == EventKind::book) {
    event.id = integer_of(object.find(object.find("u") != nullptr ? "u" : "lastUpdateId"));
  } else {
    event.id = integer_of(object.find(event.sequence == Sequence::trade ? "t" : "a"));
  }
  event.price = number_of(object.find(event.kind == EventKind::ticker ? "c" : "p"));
  event.quantity = number_of(object.find("q"));
  event.buyer_is_maker = flag_of(object.find("m"));
  event.execution_type = text_of(object.find("X"));
  append(out, event);
}

std::string of_elements(const std::string& envelope, const Json& array) {
  if (array.elements.empty()) return envelope + "\ncontrol";
  if (array.elements.size() > wire::kMaxEventsPerFrame) return "too large";
  std::string out = envelope;
  for (const Json& element : array.elements) {
    if (element.type == Json::Type::object) {
      append_event(out, element);
    } else {
      out += "\nunknown";
    }
  }
  return out;
}

// Of several texts the first counts.
wire::TextField traceparent_of(const Json& root) {
  const Json* const context = root.find("_otel_trace_context");
  if (context == nullptr || context->type != Json::Type::object) return {};
  for (std::size_t i = 0; i < context->names.size(); ++i) {
    const wire::TextField text = text_of(&context->elements[i]);
    if (context->names[i] == "traceparent" && text.valid()) return text;
  }
  return {};
}

std::string expected(const Json& root) {
  std::string envelope;
  append(envelope, wire::Envelope{});
  if (root.type == Json::Type::array) return of_elements(envelope, root);
  if (root.type != Json::Type::object) return "malformed";
  const Json* const data = root.find("data");
  const Json* const stream = root.find("stream");
  if (data == nullptr && stream == nullptr) {
    append_event(envelope, root);
    return envelope;
  }
  const bool is_whole = text_of(stream).valid() && data != nullptr &&
                        (data->type == Json::Type::object || data->type == Json::Type::array);
  if (!is_whole) return "malformed";
  envelope.clear();
  append(envelope, wire::Envelope{.stream = text_of(stream),
                                  .timestamp = text_of(root.find("timestamp")),
                                  .message_id = text_of(root.find("message_id")),
                                  .traceparent = traceparent_of(root),
                                  .source = text_of(root.find("source"))});
  if (data->type == Json::Type::array) return of_elements(envelope, *data);
  append_event(envelope, *data);
  return envelope;
}

std::string decoded(wire::FrameReader& reader, std::string_view frame) {
  if (const auto error = reader.open(frame)) {
    return *error == wire::FrameError::malformed ? "malformed" : "too large";
  }
  std::string out;
  append(out, reader.envelope());
  while (const wire::WireEvent* event = reader.next()) append(out, *event);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // One for all inputs: what it held of the frame before must not show.
  static wire::FrameReader reader;
  const std::string_view frame = fuzz::as_text(data, size);
  const std::string ours = decoded(reader, frame);
  const fuzz::JsonTree tree(frame, wire::kMaxNesting);
  if (tree.reading() == fuzz::Reading::unknown || size > wire::kMaxFrameBytes) return 0;
  const std::string theirs =
      tree.reading() == fuzz::Reading::json ? expected(tree.root()) : "malformed";
  fuzz::require_equal(ours, theirs, "both parsers read the same");
  return 0;
}
