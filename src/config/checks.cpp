#include "config/checks.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/trading/order_subject.hpp>
#include <rts/trading/stream_plan.hpp>

namespace rts::config {
namespace {

bool contains(std::span<const std::string> list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

void check_thresholds(std::string_view family, double sell, double buy, const Names& names,
                      Problems& problems) {
  const std::string sell_name = fmt::format("{}_SELL_THRESHOLD", family);
  const std::string buy_name = fmt::format("{}_BUY_THRESHOLD", family);
  if (sell < buy || !names.applies({sell_name, buy_name})) return;
  problems.push_back(fmt::format("{}={}: must be below {}={}; lower the one or raise the other.",
                                 names.shown(sell_name), sell, names.shown(buy_name), buy));
}

// The default of TRADING_QUANTITY_STEPS and its like names symbols that are not traded as soon as
// TRADING_SYMBOLS is another: that is no mistake of the user's.
void advise_of_entries(std::string_view name, const std::vector<SymbolAmount>& amounts,
                       Configuration& configuration) {
  const Setting& setting = *find(name);
  const auto row = static_cast<std::size_t>(&setting - table().data());
  if (configuration.values[row] == setting.default_text()) return;
  for (const SymbolAmount& amount : amounts) {
    if (is_traded(configuration.settings, amount.symbol)) continue;
    configuration.warnings.push_back(
        fmt::format("{}: has an entry for {}, which is not traded.", name, amount.symbol.text()));
  }
}

// What symbols lack of their own; `who` as a sentence begins.
void advise_of_step(const Settings& s, std::string_view who, std::vector<std::string>& warnings) {
  warnings.push_back(
      fmt::format("{} no step of its own, {} is taken; the venue may refuse its orders. Give it in "
                  "TRADING_QUANTITY_STEPS or TRADING_INSTRUMENTS_FILE.",
                  who, s.engine.defaults.terms.instrument.quantity_step.to_string()));
}
void advise_of_minimum(const Settings& s, std::string_view who,
                       std::vector<std::string>& warnings) {
  warnings.push_back(
      fmt::format("{} no minimum notional of its own, {} is the least order; the venue may refuse "
                  "it. Give it in TRADING_MIN_NOTIONALS or TRADING_INSTRUMENTS_FILE.",
                  who, s.engine.defaults.terms.size.minimum.value()));
}

void advise_of_sizes(const Settings& s, std::vector<std::string>& warnings) {
  // Else only what the venue lists is traded.
  if (s.engine.symbols.empty() && s.instruments.empty()) {
    const std::string_view who = "TRADING_SYMBOLS=*: a symbol that comes may have";
    advise_of_step(s, who, warnings);
    advise_of_minimum(s, who, warnings);
  }
  for (const Symbol& symbol : s.engine.symbols) {
    if (!is_traded(s, symbol)) continue;
    const wire::ListedInstrument* const instrument = entry_of(s.instruments, symbol);
    const std::string who = fmt::format("{}: has", symbol.text());
    if (entry_of(s.quantity_steps, symbol) == nullptr &&
        (instrument == nullptr || instrument->quantity_step.is_zero())) {
      advise_of_step(s, who, warnings);
    }
    const bool venue_says = instrument != nullptr && !instrument->min_notional.is_zero();
    if (!venue_says && (instrument != nullptr || entry_of(s.min_notionals, symbol) == nullptr)) {
      advise_of_minimum(s, who, warnings);
    }
  }
}

void advise_of_instruments(const Settings& s, std::vector<std::string>& warnings) {
  for (const wire::ListedInstrument& i : s.instruments) {
    const bool is_asked_for = !s.engine.symbols.empty() || !i.fault.empty();
    const std::string why = obstacle(s, i);
    if (why.empty() || !is_asked_for) continue;
    warnings.push_back(
        fmt::format("{}: is not traded: in TRADING_INSTRUMENTS_FILE {}.", i.symbol.text(), why));
  }
}

bool follows_windows(const SymbolParameters& parameters) {
  return parameters.enabled[rts::index_of(StrategyId::trade_momentum)] ||
         parameters.enabled[rts::index_of(StrategyId::ticker_velocity)];
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
  const bool has_window =
      follows_windows(s.engine.defaults) ||
      std::any_of(s.engine.per_symbol.begin(), s.engine.per_symbol.end(),
                  [](const NamedParameters& named) { return follows_windows(named.parameters); });
  if (!s.broker.queue_group.empty() && has_window) {
    warnings.push_back(fmt::format(
        "NATS_CONSUMER_GROUP={} with trade_momentum or ticker_velocity enabled: of several "
        "replicas each sees a part of a symbol's events, and so do its windows; leave the group "
        "empty.",
        s.broker.queue_group));
  }
}

}  // namespace

std::string Names::shown(std::string_view name) const {
  if (symbol == nullptr) return std::string(name);
  std::string with_symbol = name_for(*find(name), *symbol);
  return contains(own, with_symbol) ? with_symbol : std::string(name);
}

bool Names::applies(std::initializer_list<std::string_view> names) const {
  bool is_own = symbol == nullptr;
  for (const std::string_view name : names) {
    const std::string as_shown = shown(name);
    if (contains(refused, as_shown)) return false;
    is_own = is_own || as_shown != name;
  }
  return is_own;
}

void check_thresholds_and_weights(const SymbolParameters& p, const Names& names,
                                  Problems& problems) {
  const auto check = [&](std::string_view family, const auto& strategy) {
    check_thresholds(family, strategy.sell_threshold, strategy.buy_threshold, names, problems);
  };
  check("ORDERBOOK_SKEW", p.orderbook_skew);
  check("TRADE_MOMENTUM", p.trade_momentum);
  check("TICKER_VELOCITY", p.ticker_velocity);
  constexpr const char* kPrice = "TRADE_MOMENTUM_PRICE_WEIGHT";
  constexpr const char* kQuantity = "TRADE_MOMENTUM_QUANTITY_WEIGHT";
  constexpr const char* kMaker = "TRADE_MOMENTUM_MAKER_WEIGHT";
  const auto& momentum = p.trade_momentum;
  const double sum = momentum.price_weight + momentum.quantity_weight + momentum.maker_weight;
  if (std::abs(sum - 1) <= 0.001 + 1e-12 || !names.applies({kPrice, kQuantity, kMaker})) return;
  problems.push_back(fmt::format("{}, {}, {}: sum to {}; make them sum to 1 (± 0.001).",
                                 names.shown(kPrice), names.shown(kQuantity), names.shown(kMaker),
                                 sum));
}

void check_sizes(const Settings& s, const Names& names, Problems& problems) {
  const SizeLimits& size = s.engine.defaults.terms.size;
  if (size.minimum <= size.maximum ||
      !names.applies({"TRADING_MIN_POSITION_SIZE", "TRADING_MAX_POSITION_SIZE"})) {
    return;
  }
  problems.push_back(
      fmt::format("TRADING_MIN_POSITION_SIZE={}: must not exceed TRADING_MAX_POSITION_SIZE={}; "
                  "lower the one or raise the other.",
                  size.minimum.value(), size.maximum.value()));
}

// Else our own subscription is a listener, and an order looks delivered that reached nothing else.
void check_subjects(const Settings& s, const Names& names, Problems& problems) {
  const auto check = [&](std::string_view name, const std::string& pattern) {
    if (pattern.empty() || !names.applies({"NATS_PUBLISHER_TOPIC", name})) return;
    for (const std::string& subject : order_subjects(s.delivery.subject)) {
      if (!covers(pattern, subject)) continue;
      problems.push_back(fmt::format(
          "NATS_PUBLISHER_TOPIC={}: is matched by {}={}, so that this service would hear its own "
          "orders; choose another subject for the one or the other.",
          s.delivery.subject, name, pattern));
      return;
    }
  };
  check("NATS_CONSUMER_TOPIC", s.broker.subject);
  check("CONTROL_TOPIC", s.broker.control_subject);
}

void check_quotes(const Settings& s, const Names& names, Problems& problems) {
  if (!names.applies({"TRADING_SYMBOLS", "TRADING_QUOTE_ASSETS"})) return;
  for (const Symbol& symbol : s.engine.symbols) {
    if (is_quoted_in(s.engine.quote_assets, symbol.text())) continue;
    problems.push_back(fmt::format(
        "TRADING_SYMBOLS: {} is not quoted in {} (TRADING_QUOTE_ASSETS), and sizes are amounts of "
        "that; remove it, or add its quote asset.",
        symbol.text(), fmt::join(s.engine.quote_assets, " or ")));
  }
}

std::string obstacle(const Settings& settings, const wire::ListedInstrument& i) {
  if (!i.fault.empty()) return i.fault;
  if (i.status != "TRADING") return fmt::format("its status is {}", i.status);
  if (!contains(settings.engine.quote_assets, i.quote_asset)) {
    return fmt::format("its quote asset is {}", i.quote_asset);
  }
  if (!i.margin_asset.empty() && !contains(settings.engine.quote_assets, i.margin_asset)) {
    return fmt::format("its margin asset is {}", i.margin_asset);
  }
  return {};
}

bool is_traded(const Settings& settings, const Symbol& symbol) {
  const auto& listed = settings.engine.symbols;
  if (!listed.empty() && std::find(listed.begin(), listed.end(), symbol) == listed.end()) {
    return false;
  }
  const wire::ListedInstrument* const instrument = entry_of(settings.instruments, symbol);
  return is_quoted_in(settings.engine.quote_assets, symbol.text()) &&
         (instrument == nullptr || obstacle(settings, *instrument).empty());
}

void advise(Configuration& configuration) {
  const Settings& s = configuration.settings;
  advise_of_instruments(s, configuration.warnings);
  // Where the file was not read, the sizes it has are not known.
  const bool is_unread = s.instruments.empty() && !s.instruments_file.empty();
  if (!is_unread) advise_of_sizes(s, configuration.warnings);
  advise_of_entries("TRADING_QUANTITY_STEPS", s.quantity_steps, configuration);
  advise_of_entries("TRADING_MIN_NOTIONALS", s.min_notionals, configuration);
  for (const SymbolValue& own : configuration.symbol_values) {
    if (is_traded(s, own.symbol)) continue;
    configuration.warnings.push_back(fmt::format(
        "{}: {} is not traded.", name_for(table()[own.row], own.symbol), own.symbol.text()));
  }
  advise_of_delivery(s, configuration.delivery_warnings);
}

}  // namespace rts::config
