#include "wire/json_values.hpp"

#include <cstring>

#include <rts/wire/frame.hpp>

#include "wire/number_text.hpp"

namespace rts::wire {
namespace {

std::string_view trim_right(std::string_view token) noexcept {
  const std::size_t last = token.find_last_not_of(" \t\r\n");
  return token.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

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

}  // namespace rts::wire
