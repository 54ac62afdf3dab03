#include "config/advice.hpp"

#include <algorithm>

#include <rts/trading/stream_plan.hpp>

namespace rts::config {
namespace {

template <class List, class Item>
bool contains(const List& list, const Item& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Whether the engine would look at events of the symbol.
bool is_traded(const Settings& settings, const Symbol& symbol) {
  const auto& listed = settings.engine.symbols;
  if (!listed.empty() && !contains(listed, symbol)) return false;
  const wire::ListedInstrument* const instrument = entry_of(settings.instruments, symbol);
  return is_quoted_in(settings.engine.quote_assets, symbol.text()) &&
         (instrument == nullptr || obstacle(settings, *instrument).empty());
}

// The default of TRADING_QUANTITY_STEPS and its like names symbols that are not traded as soon as
// TRADING_SYMBOLS is another: that is no mistake of the user's.
void advise_of_entries(std::string_view name, const std::vector<SymbolAmount>& amounts,
                       Configuration& configuration) {
  const Value& row = *std::find_if(configuration.values.begin(), configuration.values.end(),
                                   [&](const Value& value) { return value.setting->name == name; });
  if (row.text == row.setting->default_text()) return;
  for (const SymbolAmount& amount : amounts) {
    if (is_traded(configuration.settings, amount.symbol)) continue;
    say(configuration.warnings, "{}: has an entry for {}, which is not traded.", name,
        amount.symbol.text());
  }
}

// What symbols lack of their own.
void advise_of_sizes(const Settings& s, std::vector<std::string>& warnings) {
  struct Has {
    bool step, minimum;
  };
  const auto advise_of = [&](std::string_view who, Has has) {
    if (!has.step) {
      say(warnings,
          "{} no step of its own, {} is taken; the venue may refuse its orders. Give it in "
          "TRADING_QUANTITY_STEPS or TRADING_INSTRUMENTS_FILE.",
          who, s.engine.defaults.terms.instrument.quantity_step.to_string());
    }
    if (!has.minimum) {
      say(warnings,
          "{} no minimum notional of its own, {} is the least order; the venue may refuse it. Give "
          "it in TRADING_MIN_NOTIONALS or TRADING_INSTRUMENTS_FILE.",
          who, s.engine.defaults.terms.size.minimum.value());
    }
  };
  if (s.engine.symbols.empty() &&
      s.instruments.empty()) {  // else only what the venue lists is traded
    advise_of("TRADING_SYMBOLS=*: a symbol that comes may have", {});
  }
  for (const Symbol& symbol : s.engine.symbols) {
    if (!is_traded(s, symbol)) continue;
    const wire::ListedInstrument* const listed = entry_of(s.instruments, symbol);
    const bool has_step = entry_of(s.quantity_steps, symbol) != nullptr ||
                          (listed != nullptr && !listed->quantity_step.is_zero());
    const bool has_minimum = listed != nullptr ? !listed->min_notional.is_zero()
                                               : entry_of(s.min_notionals, symbol) != nullptr;
    advise_of(fmt::format("{}: has", symbol.text()), {has_step, has_minimum});
  }
}

void advise_of_instruments(const Settings& s, std::vector<std::string>& warnings) {
  for (const wire::ListedInstrument& i : s.instruments) {
    const bool is_asked_for = !s.engine.symbols.empty() || !i.fault.empty();
    const std::string why = obstacle(s, i);
    if (why.empty() || !is_asked_for) continue;
    say(warnings, "{}: is not traded: in TRADING_INSTRUMENTS_FILE {}.", i.symbol.text(), why);
  }
}

bool follows_windows(const SymbolParameters& parameters) {
  return parameters.enabled[index_of(StrategyId::trade_momentum)] ||
         parameters.enabled[index_of(StrategyId::ticker_velocity)];
}

void advise_of_delivery(const Settings& s, std::vector<std::string>& warnings) {
  const bool is_core = s.delivery.mode == DeliveryMode::core;
  if (is_core && s.broker.queue_group.empty()) {
    warnings.emplace_back(
        "ORDER_DELIVERY=core with an empty NATS_CONSUMER_GROUP: every replica would send every "
        "order; run exactly one.");
  }
  if (is_core && s.engine.refuse_simulation) {  // in production
    warnings.emplace_back(
        "ORDER_DELIVERY=core with ENVIRONMENT=production: a restart forgets the cooldown and the "
        "day's count; jetstream remembers.");
  }
  const auto& own = s.engine.per_symbol;
  const bool has_window = follows_windows(s.engine.defaults) ||
                          std::any_of(own.begin(), own.end(), [](const NamedParameters& named) {
                            return follows_windows(named.parameters);
                          });
  if (!s.broker.queue_group.empty() && has_window) {
    say(warnings,
        "NATS_CONSUMER_GROUP={} with trade_momentum or ticker_velocity enabled: of several "
        "replicas each sees a part of a symbol's events, and so do its windows; leave the group "
        "empty.",
        s.broker.queue_group);
  }
}

}  // namespace

std::string obstacle(const Settings& settings, const wire::ListedInstrument& i) {
  const auto& assets = settings.engine.quote_assets;
  if (!i.fault.empty()) return i.fault;
  if (i.status != "TRADING") return fmt::format("its status is {}", i.status);
  if (!contains(assets, i.quote_asset)) return fmt::format("its quote asset is {}", i.quote_asset);
  if (!i.margin_asset.empty() && !contains(assets, i.margin_asset)) {
    return fmt::format("its margin asset is {}", i.margin_asset);
  }
  return {};
}

void advise(Configuration& configuration) {
  const Settings& s = configuration.settings;
  advise_of_instruments(s, configuration.warnings);
  // Where the file was not read, the sizes it has are not known.
  const bool is_unread = s.instruments.empty() && !s.instruments_file.empty();
  if (!is_unread) advise_of_sizes(s, configuration.warnings);
  advise_of_entries("TRADING_QUANTITY_STEPS", s.quantity_steps, configuration);
  advise_of_entries("TRADING_MIN_NOTIONALS", s.min_notionals, configuration);
  for (const Value& value : configuration.values) {
    if (!value.symbol || is_traded(s, *value.symbol)) continue;
    say(configuration.warnings, "{}: {} is not traded.", value.name(), value.symbol->text());
  }
  advise_of_delivery(s, configuration.delivery_warnings);
}

}  // namespace rts::config
