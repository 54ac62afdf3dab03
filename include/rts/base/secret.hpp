// Secret: a text that cannot be printed by accident. Usable from any thread.
#pragma once

#include <string>
#include <utility>

namespace rts {

// Owns the text. It goes in explicitly and comes out by reveal() only, so that a search for that
// word finds every place where a secret is used. What would show it does not compile.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) noexcept : text_(std::move(text)) {}

  // For whom the secret is meant; never for a log, an error or a page.
  [[nodiscard]] const std::string& reveal() const& noexcept { return text_; }
  [[nodiscard]] const std::string& reveal() && = delete;  // it would outlive its owner
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

  template <class Stream>
  friend Stream& operator<<(Stream& stream, const Secret& secret) = delete;

 private:
  std::string text_;
};

}  // namespace rts
