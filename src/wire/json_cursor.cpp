#include "wire/json_cursor.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <rts/wire/frame.hpp>

#include "wire/number_text.hpp"

namespace rts::wire {
namespace {

std::unique_ptr<char[]> make_buffer(std::size_t bytes) {
  return std::make_unique_for_overwrite<char[]>(kReadableBeforeEnd + bytes +
                                                simdjson::SIMDJSON_PADDING);
}

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
[[gnu::noinline]] bool skip_members(JsonCursor& cursor, std::size_t depth) noexcept {
  if (cursor.type() == JsonType::array) {
    return cursor.for_each_element([&] { return cursor.skip(depth); });
  }
  return cursor.for_each_member([&](std::string_view) { return cursor.skip(depth); });
}

}  // namespace

// Every string can be unescaped twice: a frame that is an array of events is walked over twice.
JsonText::JsonText(std::size_t max_bytes)
    : max_bytes_(max_bytes),
      text_buffer_(make_buffer(max_bytes)),
      unescaped_buffer_(make_buffer(2 * max_bytes)),
      text_(text_buffer_.get() + kReadableBeforeEnd),
      unescaped_(unescaped_buffer_.get() + kReadableBeforeEnd) {
  // The first stage asks for no depth. Without memory, or on a machine that simdjson does not know,
  // there is no stage and no text is JSON.
  if (simdjson::get_active_implementation()->create_dom_parser_implementation(
          max_bytes, 1, stage_) != simdjson::SUCCESS) {
    stage_.reset();
  }
}

bool JsonText::open(std::string_view text) noexcept {
  if (text.empty() || text.size() > max_bytes_ || !stage_) return false;
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

JsonCursor JsonText::begin() noexcept {
  assert(stage_ && stage_->n_structural_indexes > 0);
  return JsonCursor(*this);
}

bool JsonText::unescape(std::string_view escaped, std::string_view& out) noexcept {
  if (escaped.find('\\') == std::string_view::npos) return true;
  if (unescaped_bytes_ + escaped.size() > 2 * max_bytes_) return false;
  auto* const begin = reinterpret_cast<std::uint8_t*>(unescaped_ + unescaped_bytes_);
  const auto* const source = reinterpret_cast<const std::uint8_t*>(escaped.data());
  const std::uint8_t* const end = parse_string(*stage_, source, begin);
  if (end == nullptr) return false;
  out = {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
  unescaped_bytes_ += out.size();
  return true;
}

bool JsonCursor::read_value(Scalar& out, std::size_t depth) noexcept {
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
    case JsonType::object: return depth < kMaxNesting && skip_members(*this, depth + 1);
    case JsonType::none: break;
  }
  return false;
}

}  // namespace rts::wire
