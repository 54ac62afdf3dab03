// Result<T, E>: a value or the reason there is none. Errors are values from closed enums; nothing
// in rts_core throws. Usable from any thread.
#pragma once

#include <utility>
#include <variant>

namespace rts {

// Marks an error on its way into a Result: `return Failure{Drop::malformed};`
template <class E>
struct Failure {
  E error;
};
template <class E>
Failure(E) -> Failure<E>;

template <class T, class E>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: `return value;` and `return Failure{error};` read as what they mean.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(*-explicit-*)
  Result(Failure<E> failure)                                             // NOLINT(*-explicit-*)
      : state_(std::in_place_index<1>, std::move(failure.error)) {}

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // Precondition: ok(). A call without it ends the process.
  [[nodiscard]] const T& value() const& noexcept { return std::get<0>(state_); }
  [[nodiscard]] T& value() & noexcept { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && noexcept { return std::get<0>(std::move(state_)); }
  // Precondition: !ok(), likewise.
  [[nodiscard]] const E& error() const noexcept { return std::get<1>(state_); }

 private:
  std::variant<T, E> state_;
};

}  // namespace rts
