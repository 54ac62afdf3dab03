#include <algorithm>
#include <cassert>
#include <iterator>

#include <fmt/format.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/utf8.hpp>
#include <rts/base/uuid.hpp>
#include <rts/wire/recording.hpp>

namespace rts::wire {
namespace {

// Nowhere in a JSON text may it stand as it is.
constexpr char kNoJson = '\x01';

// Of a frame that is too large, which nobody reads: at neither end a blank, which would be no part
// of it when it is read back.
std::string beginning_of(std::string_view frame) {
  std::string beginning(frame.substr(0, kMaxFrameBytes + 1));
  beginning.front() = beginning.back() = kNoJson;
  std::ranges::replace(beginning, '\n', ' ');
  return beginning;
}

}  // namespace

void append_recorded_frame(std::string& out, UnixNs at, std::string_view frame,
                           FrameReader& reader) {
  fmt::format_to(std::back_inserter(out), "{} ", at.time_since_epoch().count());
  if (frame.size() > kMaxFrameBytes) {
    out += beginning_of(frame);
  } else if (frame.find('\n') == std::string_view::npos) {
    out += frame;
  } else {
    const char instead = reader.open(frame) == FrameError::malformed ? kNoJson : ' ';
    std::ranges::replace_copy(frame, std::back_inserter(out), '\n', instead);
  }
  out += '\n';
}

void append_recorded_note(std::string& out, RecordedLog log, std::string_view json) {
  out.append("# ").append(to_string(log)).append(" ");
  // Inside of its texts JSON has no newline.
  std::ranges::replace_copy(json, std::back_inserter(out), '\n', ' ');
  out += '\n';
}

void append_recorded_comment(std::string& out, std::string_view text) {
  [[maybe_unused]] const std::size_t begin = out.size();
  out.append("# ").append(printable(text));
  assert(!parse_recorded_note(std::string_view(out).substr(begin)));
  out += '\n';
}

std::string to_json(const CountedOrder& order) {
  std::string out;
  const UuidText id = to_text(order.id);
  JsonWriter json(out);
  json.begin_object().key("order_id").string({id.data(), id.size()});
  json.key("strategy_name").string(to_string(order.strategy));
  json.key("symbol").string(order.symbol.text());
  json.key("side").string(order.side == Side::buy ? "BUY" : "SELL");
  json.key("timestamp").string(rfc3339(order.at)).end_object();
  return out;
}

}  // namespace rts::wire
