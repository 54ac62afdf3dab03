// JSON, token by token. simdjson's first stage checks what can be checked in bulk, that the text is
// UTF-8 and every string closed and without control characters, and finds where each bracket,
// comma, colon and value begins. JsonCursor steps from one of these to the next and checks the
// grammar of all it steps over, also where a value is not used, as On-Demand would not. Each
// function moves past its value and answers false when it is no JSON; the whole text is malformed
// then, and the cursor of no use. Only for this room.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <simdjson.h>

#include <rts/wire/frame.hpp>

namespace rts::wire {

enum class JsonType : std::uint8_t { none, object, array, string, number, boolean, null };

// What a value is, by its first character.
inline constexpr std::array<JsonType, 256> kJsonTypes = [] {
  std::array<JsonType, 256> types{};
  types['{'] = JsonType::object;
  types['['] = JsonType::array;
  types['"'] = JsonType::string;
  types['t'] = types['f'] = JsonType::boolean;
  types['n'] = JsonType::null;
  types['-'] = JsonType::number;
  for (std::size_t digit = '0'; digit <= '9'; ++digit) types[digit] = JsonType::number;
  return types;
}();

// One value, checked against the grammar but not yet read as anything. The text lives until the
// next open(); number_text.hpp's kReadableBeforeEnd holds.
struct Scalar {
  JsonType type = JsonType::none;  // null counts as none; what a container holds is passed over
  std::string_view text;           // unescaped content of a string; token of a number
  std::optional<std::uint64_t> integer;  // of a number: when it is one in 0 … 2^63−1
  bool truth = false;
};

class JsonCursor;

// One text at a time, in memory that is made once.
class JsonText {
 public:
  JsonText();

  // Copies the text, which ends the life of every cursor and view of the one before. False when it
  // is longer than kMaxFrameBytes, or no JSON already to the first stage.
  [[nodiscard]] bool open(std::string_view text) noexcept;

 private:
  friend class JsonCursor;
  // Appends what an escaped string says; false when an escape is none.
  bool unescape(std::string_view escaped, std::string_view& out) noexcept;

  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage_;
  std::unique_ptr<char[]> buffer_;
  char* text_;
  char* unescaped_;
  std::size_t unescaped_bytes_ = 0;
  bool has_escapes_ = false;
};

// A place in a JsonText; a copy is a way back to it.
class JsonCursor {
 public:
  // At the first token. Precondition: the text is open.
  explicit JsonCursor(JsonText& owner) noexcept
      : owner_(&owner), text_(owner.text_), token_(owner.stage_->structural_indexes.get()) {}

  // The text from the token on that the cursor stands at. Behind the last token stands a blank.
  [[nodiscard]] const char* here() const noexcept { return text_ + *token_; }
  // The same of a token ahead, up to kAhead behind the last, where there are blanks as well.
  static constexpr std::size_t kAhead = 6;
  [[nodiscard]] const char* ahead(std::size_t tokens) const noexcept {
    return text_ + token_[tokens];
  }
  [[nodiscard]] JsonType type() const noexcept {
    return kJsonTypes[static_cast<unsigned char>(*here())];
  }
  [[nodiscard]] bool at_end() const noexcept {
    const auto& stage = *owner_->stage_;
    return token_ == stage.structural_indexes.get() + stage.n_structural_indexes;
  }

  // Moves over one token; false when it is another.
  bool take(char token) noexcept {
    if (*here() != token) return false;
    ++token_;
    assert(is_in_text());
    return true;
  }
  // Moves over so many tokens. Precondition: they were checked.
  void jump(std::size_t tokens) noexcept { token_ += tokens; }

  [[nodiscard]] bool read_value(Scalar& out) noexcept;
  [[nodiscard]] bool skip() noexcept {
    Scalar ignored;
    return read_value(ignored);
  }

  // Calls each(key), which moves past the value; false as soon as it is.
  template <class Each>
  [[nodiscard]] bool for_each_member(Each each) {
    return for_each('{', '}', [&] {
      std::string_view key;
      return read_string(key) && take(':') && each(key);
    });
  }

  // Calls each(), which moves past the element; false as soon as it is.
  template <class Each>
  [[nodiscard]] bool for_each_element(Each each) {
    return for_each('[', ']', each);
  }

 private:
  template <class Each>
  bool for_each(char opening, char closing, Each each) {
    if (depth_ == kMaxNesting || !take(opening)) return false;
    if (take(closing)) return true;
    ++depth_;
    do {
      if (!each()) return false;
    } while (take(','));
    --depth_;
    return take(closing);
  }

  // At a token, or behind the last: the blanks there are none that anything moves over.
  [[nodiscard]] bool is_in_text() const noexcept {
    const auto& stage = *owner_->stage_;
    return token_ <= stage.structural_indexes.get() + stage.n_structural_indexes;
  }
  static bool is_blank(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  // The text of the token that the cursor is at, without blanks behind it; the cursor moves on.
  [[nodiscard]] std::string_view take_text() noexcept {
    const char* const begin = here();
    ++token_;
    const char* end = here();
    while (is_blank(end[-1])) --end;  // stops at the token, which is no blank
    return {begin, end};
  }
  [[nodiscard]] bool read_string(std::string_view& out) noexcept {
    if (*here() != '"') return false;
    const std::string_view token = take_text();
    // The closing quote is the last before the next token: the first stage has seen it.
    out = {token.data() + 1, token.size() - 2};
    return !owner_->has_escapes_ || owner_->unescape(out, out);
  }

  JsonText* owner_;
  const char* text_;
  const std::uint32_t* token_;  // behind the last one stands the end of the text
  std::size_t depth_ = 0;       // containers around the token
};

}  // namespace rts::wire
