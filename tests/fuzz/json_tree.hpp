// A JSON text as a tree, read by RapidJSON: a complete parser that shares nothing with ours, for
// the targets that hold ours against it. Numbers stay the text they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/rapidjson.hpp"

namespace rts::fuzz {

struct Json {
  enum class Type : std::uint8_t { null, boolean, number, string, array, object };

  Type type = Type::null;
  bool truth = false;
  std::string text{};                // content of a string, token of a number
  std::vector<Json> elements{};      // of an array, or an object's values
  std::vector<std::string> names{};  // of an object's values, in their order

  // The first value of this name; null where there is none, and of one that is null.
  [[nodiscard]] const Json* find(std::string_view name) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return elements[i].type == Type::null ? nullptr : &elements[i];
    }
    return nullptr;
  }
};

enum class Reading : std::uint8_t {
  json,
  no_json,
  too_deep,  // the containers are more than the limit, whatever follows
  unknown    // RapidJSON gives up at a number beyond a double, which JSON allows
};

class JsonTree {
 public:
  JsonTree(std::string_view text, std::size_t max_depth) : builder_{max_depth} {
    rapidjson::MemoryStream stream(text.data(), text.size());
    rapidjson::Reader reader;
    constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag |
                                rapidjson::kParseIterativeFlag |
                                rapidjson::kParseNumbersAsStringsFlag;
    const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder_);
    // It takes a NUL behind the value for the end of the text.
    if (!result.IsError() && stream.Tell() == text.size()) reading_ = Reading::json;
    if (result.Code() == rapidjson::kParseErrorTermination) reading_ = Reading::too_deep;
    if (result.Code() == rapidjson::kParseErrorNumberTooBig) reading_ = Reading::unknown;
    if (builder_.has_surrogate) reading_ = Reading::no_json;
  }

  [[nodiscard]] Reading reading() const { return reading_; }
  // Of a text that is JSON.
  [[nodiscard]] const Json& root() const { return builder_.root; }

 private:
  struct Builder : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
    explicit Builder(std::size_t depth) : max_depth(depth) {}

    bool Null() { return put({}); }
    bool Bool(bool truth) { return put({.type = Json::Type::boolean, .truth = truth}); }
    bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
      return put({.type = Json::Type::number, .text = {text, size}});
    }
    bool String(const char* text, rapidjson::SizeType size, bool) {
      note_surrogates({text, size});
      return put({.type = Json::Type::string, .text = {text, size}});
    }
    bool Key(const char* text, rapidjson::SizeType size, bool) {
      note_surrogates({text, size});
      open.back().names.emplace_back(text, size);
      return true;
    }
    bool StartObject() { return begin(Json::Type::object); }
    bool StartArray() { return begin(Json::Type::array); }
    bool EndObject(rapidjson::SizeType) { return end(); }
    bool EndArray(rapidjson::SizeType) { return end(); }

    bool begin(Json::Type type) {
      open.push_back({.type = type});
      return open.size() <= max_depth;
    }
    bool end() {
      Json whole = std::move(open.back());
      open.pop_back();
      return put(std::move(whole));
    }
    bool put(Json value) {
      (open.empty() ? root : open.back().elements.emplace_back()) = std::move(value);
      return true;
    }
    // Of "\udc00" alone it makes three bytes that are no UTF-8.
    void note_surrogates(std::string_view text) {
      for (std::size_t at = text.find('\xED'); at < text.size(); at = text.find('\xED', at + 1)) {
        has_surrogate |= static_cast<unsigned char>(text[at + 1]) >= 0xA0;
      }
    }

    std::size_t max_depth;
    std::vector<Json> open{};  // containers that have begun and not ended, the outermost first
    Json root{};
    bool has_surrogate = false;
  };

  Builder builder_;
  Reading reading_ = Reading::no_json;
};

}  // namespace rts::fuzz
