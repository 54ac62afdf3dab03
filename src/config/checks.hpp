// Rules across settings, of values that were accepted one by one; and what is accepted, but hardly
// meant. Each adds its sentences. For load().
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/config/settings.hpp>

namespace rts::config {

template <class... Arguments>
void say(std::vector<std::string>& sentences, fmt::format_string<Arguments...> format,
         Arguments&&... arguments) {
  sentences.push_back(fmt::format(format, std::forward<Arguments>(arguments)...));
}

// The value of a row, or what a symbol has of its own instead; null: it has none.
[[nodiscard]] const Value* find_value(const std::vector<Value>& values, const Setting& setting,
                                      const std::optional<Symbol>& symbol) noexcept;

// What was given, and what of it was accepted: rules across settings speak of nothing else.
struct GivenValues {
  const std::vector<Value>& values;      // secrets included
  std::span<const std::string> refused;  // names whose value was not accepted

  [[nodiscard]] bool were_accepted(std::initializer_list<std::string_view> names) const;
  // Whether the row has a value that is not empty.
  [[nodiscard]] bool is_set(std::string_view name) const;
};

// `parameters` are those of `symbol`, or of all without one of their own.
void check_symbol(const GivenValues& given, const SymbolParameters& parameters,
                  const std::optional<Symbol>& symbol, Problems& problems);
// The rules whose values are the same for all symbols.
void check_all(const GivenValues& given, const Settings& settings, Problems& problems);

// Why the venue's answer keeps the instrument from being traded, as a sentence's end; empty: it
// does not.
[[nodiscard]] std::string obstacle(const Settings& settings,
                                   const wire::ListedInstrument& instrument);

// Fills warnings and delivery_warnings of what else is known.
void advise(Configuration& configuration);

}  // namespace rts::config
