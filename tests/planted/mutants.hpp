// What planted mutants are made of: mutants.py writes calls of these into a copy of the source, and
// has every file of that copy begin with this one. So all mutants are in one build, each is a
// number, and the environment's RTS_MUTANT says which of them a process runs with; none without it.
//
// A mutant is reached where it makes a difference: `a < b` that becomes `a <= b` only where both
// are equal. A test that never reaches it cannot fail of it, and need not be run.
//
// An operator becomes two with this between them that bind alike, `a < less(7) > b`: so its
// operands need not be found in the text. Where the compiler evaluates, nothing is changed.
#pragma once
#if __cplusplus >= 202002L  // CMake tries the compiler with an older one

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>

namespace mutants {

inline constexpr int kMost = 1 << 17;
inline constinit int chosen = -1;
enum class Mark : unsigned char { none, reached, impossible };
inline constinit Mark marks[kMost]{};

// Before whatever has a constructor.
[[gnu::constructor(101)]] static void choose() {
  if (const char* const number = std::getenv("RTS_MUTANT")) chosen = std::atoi(number);
}

// Whether the mutant runs, at a place where that makes a difference.
constexpr bool is(int id) noexcept {
  if (std::is_constant_evaluated()) return false;
  marks[id] = Mark::reached;
  return id == chosen;
}
// The types at this place do not have what the mutant would do.
constexpr void never(int id) noexcept {
  if (!std::is_constant_evaluated()) marks[id] = Mark::impossible;
}
constexpr bool kept(int id) noexcept { return !is(id); }

template <class T>
constexpr T pick(int id, const T& mutated, const T& value) {
  if constexpr (std::equality_comparable<T>) {
    if (mutated == value) return value;
  }
  return is(id) ? mutated : value;
}

// --- Operators ----------------------------------------------------------------------------------

enum class Op {
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  unequal,
  add,
  subtract,
  multiply,
  divide
};
template <Op op>
struct Between {
  int id;
};
template <class A, Op op>
struct Held {
  A&& left;
  int id;
};

constexpr Between<Op::less> less(int id) { return {id}; }
constexpr Between<Op::less_equal> less_equal(int id) { return {id}; }
constexpr Between<Op::greater> greater(int id) { return {id}; }
constexpr Between<Op::greater_equal> greater_equal(int id) { return {id}; }
constexpr Between<Op::equal> equal(int id) { return {id}; }
constexpr Between<Op::unequal> unequal(int id) { return {id}; }
constexpr Between<Op::add> add(int id) { return {id}; }
constexpr Between<Op::subtract> subtract(int id) { return {id}; }
constexpr Between<Op::multiply> multiply(int id) { return {id}; }
constexpr Between<Op::divide> divide(int id) { return {id}; }

template <class A, Op op>
constexpr Held<A, op> operator<(A&& left, Between<op> between) {
  return {std::forward<A>(left), between.id};
}
template <class A, Op op>
constexpr Held<A, op> operator==(A&& left, Between<op> between) {
  return {std::forward<A>(left), between.id};
}
template <class A, Op op>
constexpr Held<A, op> operator+(A&& left, Between<op> between) {
  return {std::forward<A>(left), between.id};
}
template <class A, Op op>
constexpr Held<A, op> operator*(A&& left, Between<op> between) {
  return {std::forward<A>(left), between.id};
}

// Two mutants: the one that is another only where both are equal, and the opposite.
template <class A, Op op, class B>
constexpr bool operator>(Held<A, op> held, B&& right) {
  constexpr bool is_strict = op == Op::less || op == Op::greater;
  constexpr bool is_less = op == Op::less || op == Op::less_equal;
  bool value = false, shifted = false;
  if constexpr (is_less) {
    value = is_strict ? held.left < right : held.left <= right;
    shifted = is_strict ? held.left <= right : held.left < right;
  } else {
    value = is_strict ? held.left > right : held.left >= right;
    shifted = is_strict ? held.left >= right : held.left > right;
  }
  return pick(held.id + 1, !value, pick(held.id, shifted, value));
}
template <class A, Op op, class B>
constexpr bool operator==(Held<A, op> held, B&& right) {
  const bool value = held.left == std::forward<B>(right);
  return pick(held.id, value, !value) != (op == Op::equal);
}

template <class Value, class A, class B, class Mutate>
constexpr Value arithmetic(int id, Value value, A& left, B& right, Mutate mutate) {
  if constexpr (requires {
                  { mutate(left, right) } -> std::same_as<Value>;
                }) {
    // Whole numbers have no quotient by 0.
    if constexpr (std::is_integral_v<Value>) {
      if (right == 0) return value;
    }
    return pick(id, mutate(left, right), value);
  } else {
    never(id);
    return value;
  }
}
template <class A, Op op, class B>
constexpr auto operator+(Held<A, op> held, B&& right) {
  constexpr auto plus = [](auto& a, auto& b) -> decltype(a + b) { return a + b; };
  constexpr auto minus = [](auto& a, auto& b) -> decltype(a - b) { return a - b; };
  if constexpr (op == Op::add) {
    return arithmetic(held.id, held.left + std::forward<B>(right), held.left, right, minus);
  } else {
    return arithmetic(held.id, held.left - std::forward<B>(right), held.left, right, plus);
  }
}
template <class A, Op op, class B>
constexpr auto operator*(Held<A, op> held, B&& right) {
  constexpr auto times = [](auto& a, auto& b) -> decltype(a * b) { return a * b; };
  constexpr auto by = [](auto& a, auto& b) -> decltype(a / b) { return a / b; };
  if constexpr (op == Op::multiply) {
    return arithmetic(held.id, held.left * right, held.left, right, by);
  } else {
    return arithmetic(held.id, held.left / right, held.left, right, times);
  }
}

// `a && b` without one of them: `a | yes(7) && yes(8) | b`; `a || b` likewise with no and &.
struct Yes {
  int id;
};
struct No {
  int id;
};
constexpr Yes yes(int id) { return {id}; }
constexpr No no(int id) { return {id}; }
template <class A>
constexpr bool operator|(A&& left, Yes dropped) {
  return static_cast<bool>(left) || is(dropped.id);
}
template <class B>
constexpr bool operator|(Yes dropped, B&& right) {
  return static_cast<bool>(right) || is(dropped.id);
}
template <class A>
constexpr bool operator&(A&& left, No dropped) {
  return static_cast<bool>(left) && kept(dropped.id);
}
template <class B>
constexpr bool operator&(No dropped, B&& right) {
  return static_cast<bool>(right) && kept(dropped.id);
}

// `!a`: `negation(7)->*a`.
struct Negation {
  int id;
};
constexpr Negation negation(int id) { return {id}; }
template <class A>
constexpr bool operator->*(Negation negation, A&& operand) {
  const bool value = static_cast<bool>(operand);
  return is(negation.id) ? value : !value;
}

// --- Values -------------------------------------------------------------------------------------

// A constant moved by one, up and down.
template <class T>
constexpr T moved(int id, T value) {
  if constexpr (std::is_arithmetic_v<T>) {
    if (is(id)) return static_cast<T>(value + 1);
    if (is(id + 1)) return static_cast<T>(value - 1);
  } else if constexpr (requires { typename T::rep; }) {  // a duration or a point in time
    using Unit = std::chrono::duration<typename T::rep, typename T::period>;
    if (is(id)) return value + Unit(1);
    if (is(id + 1)) return value - Unit(1);
  } else {
    never(id);
    never(id + 1);
  }
  return value;
}
constexpr bool opposite(int id, bool value) { return is(id) ? !value : value; }

// The enumerator before, the second in place of the first.
template <class Enum>
constexpr Enum other(int id, Enum value) {
  using Number = std::underlying_type_t<Enum>;
  const auto number = static_cast<Number>(value);
  return is(id) ? static_cast<Enum>(number == 0 ? 1 : number - 1) : value;
}

// What a declaration in a condition holds: nothing.
template <class T>
constexpr T nothing(int id, T value) {
  if constexpr (std::is_default_constructible_v<T>) {
    if (static_cast<bool>(value) && is(id)) return T{};
  } else {
    never(id);
  }
  return value;
}

// What a switch is given, where it is `label`: another.
template <class T, class Label>
constexpr T elsewhere(int id, T value, Label label) {
  if (value != static_cast<T>(label)) return value;
  if constexpr (std::is_enum_v<T>) {
    return other(id, value);
  } else {
    return is(id) ? static_cast<T>(value + 1000) : value;
  }
}

// --- Functions ----------------------------------------------------------------------------------

template <class T>
constexpr const T& min(int id, const T& a, const T& b) {
  return (a < b || b < a) && is(id) ? std::max(a, b) : std::min(a, b);
}
template <class T>
constexpr const T& max(int id, const T& a, const T& b) {
  return (a < b || b < a) && is(id) ? std::min(a, b) : std::max(a, b);
}
template <class T>
constexpr T clamp(int id, const T& value, const T& least, const T& most) {
  return pick(id, value, std::clamp(value, least, most));
}
template <class T>
T abs(int id, T value) {
  return pick(id, value, static_cast<T>(std::abs(value)));
}
inline double floor(int id, double value) { return pick(id, std::ceil(value), std::floor(value)); }
inline double ceil(int id, double value) { return pick(id, std::floor(value), std::ceil(value)); }

}  // namespace mutants

#endif
