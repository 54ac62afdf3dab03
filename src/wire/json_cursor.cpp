#include "wire/json_cursor.hpp"

#include <algorithm>
#include <cstring>

#include "wire/number_text.hpp"

namespace rts::wire {
namespace {

// Every string can be unescaped twice: a frame that is an array of events is walked over twice.
constexpr std::size_t kMaxUnescapedBytes = 2 * kMaxFrameBytes;

// Since simdjson 3.1 the caller says whether a lone surrogate is replaced: it is refused.
template <class Stage>
std::uint8_t* parse_string(Stage& stage, const std::uint8_t* source, std::uint8_t* out) noexcept {
  if constexpr (requires { stage.parse_string(source, out, false); }) {
    return stage.parse_string(source, out, false);
  } else {
    return stage.parse_string(source, out);
  }
}

// Out of line, so that reading a scalar does not pay for it.
[[gnu::noinline]] bool skip_container(JsonCursor& cursor) noexcept {
  if (cursor.type() == JsonType::array) {
    return cursor.for_each_element([&] { return cursor.skip(); });
  }
  return cursor.for_each_member([&](std::string_view) { return cursor.skip(); });
}

}  // namespace

JsonText::JsonText()
    : buffer_(std::make_unique_for_overwrite<char[]>(
          2 * (kReadableBeforeEnd + simdjson::SIMDJSON_PADDING) + kMaxFrameBytes +
          kMaxUnescapedBytes)),
      text_(buffer_.get() + kReadableBeforeEnd),
      unescaped_(text_ + kMaxFrameBytes + simdjson::SIMDJSON_PADDING + kReadableBeforeEnd) {
  // The first stage asks for no depth. Without memory, or on a machine that simdjson does not know,
  // there is no stage and no text is JSON.
  if (simdjson::get_active_implementation()->create_dom_parser_implementation(
          kMaxFrameBytes, 1, stage_) != simdjson::SUCCESS) {
    stage_.reset();
  }
}

bool JsonText::open(std::string_view text) noexcept {
  if (text.empty() || text.size() > kMaxFrameBytes || !stage_) return false;
  std::memcpy(text_, text.data(), text.size());
  std::memset(text_ + text.size(), ' ', simdjson::SIMDJSON_PADDING);
  unescaped_bytes_ = 0;
  has_escapes_ = std::memchr(text.data(), '\\', text.size()) != nullptr;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text_);
  if (stage_->stage1(bytes, text.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
    return false;
  }
  // There is room: for every character, up to the next 64, and nine more.
  std::fill_n(&stage_->structural_indexes[stage_->n_structural_indexes], JsonCursor::kAhead + 1,
              static_cast<std::uint32_t>(text.size()));
  return true;
}

bool JsonText::unescape(std::string_view escaped, std::string_view& out) noexcept {
  if (escaped.find('\\') == std::string_view::npos) return true;
  if (unescaped_bytes_ + escaped.size() > kMaxUnescapedBytes) return false;
  auto* const begin = reinterpret_cast<std::uint8_t*>(unescaped_ + unescaped_bytes_);
  const auto* const source = reinterpret_cast<const std::uint8_t*>(escaped.data());
  const std::uint8_t* const end = parse_string(*stage_, source, begin);
  if (end == nullptr) return false;
  out = {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
  unescaped_bytes_ += out.size();
  return true;
}

bool JsonCursor::read_value(Scalar& out) noexcept {
  out.type = type();
  switch (out.type) {
    case JsonType::string: return read_string(out.text);
    case JsonType::number:
      out.text = take_text();
      out.integer = read_plain_integer(out.text);
      if (!out.integer) out.integer = parse_integer(out.text);
      return out.integer || is_json_number(out.text);
    case JsonType::boolean:
      out.text = take_text();
      out.truth = out.text == "true";
      return out.truth || out.text == "false";
    case JsonType::null: out.type = JsonType::none; return take_text() == "null";
    case JsonType::array:
    case JsonType::object: return skip_container(*this);
    case JsonType::none: break;
  }
  return false;
}

}  // namespace rts::wire
