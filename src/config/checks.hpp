// Rules across settings, of values that were accepted one by one; and what is accepted, but hardly
// meant. Each adds its sentences. For load().
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include <rts/config/settings.hpp>

namespace rts::config {

// What a rule calls its values, and whether it may speak of them.
struct Names {
  std::span<const std::string> refused;   // names whose value was not accepted
  const Symbol* symbol = nullptr;         // the values are this symbol's
  std::span<const std::string> own = {};  // names of the values that are the symbol's own

  // "TRADE_MOMENTUM_BUY_THRESHOLD__BTCUSDT" where the symbol has a value of its own.
  [[nodiscard]] std::string shown(std::string_view name) const;
  // Whether all were accepted. Of a symbol's values a rule speaks only where one is its own: the
  // others are judged without a symbol.
  [[nodiscard]] bool applies(std::initializer_list<std::string_view> names) const;
};

void check_thresholds_and_weights(const SymbolParameters& parameters, const Names& names,
                                  Problems& problems);
void check_sizes(const Settings& settings, const Names& names, Problems& problems);
void check_subjects(const Settings& settings, const Names& names, Problems& problems);
void check_quotes(const Settings& settings, const Names& names, Problems& problems);

// Why the venue's answer keeps the instrument from being traded, as a sentence's end; empty: it
// does not.
[[nodiscard]] std::string obstacle(const Settings& settings,
                                   const wire::ListedInstrument& instrument);
// Whether the engine would look at events of the symbol.
[[nodiscard]] bool is_traded(const Settings& settings, const Symbol& symbol);

// Fills warnings and delivery_warnings of what else is known.
void advise(Configuration& configuration);

}  // namespace rts::config
