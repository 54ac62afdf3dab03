#include "config/checks.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

#include <rts/trading/order_subject.hpp>
#include <rts/trading/stream_plan.hpp>

namespace rts::config {
namespace {

bool contains(std::span<const std::string> list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// --- Rules across settings ----------------------------------------------------------------------

// What a rule calls the values it compares ("TRADE_MOMENTUM_BUY_THRESHOLD__BTCUSDT" where the
// symbol has a value of its own); empty when it must not speak of them: one was not accepted, or
// none is the symbol's own, and then they are judged without a symbol.
std::vector<std::string> names_to_compare(const GivenValues& given,
                                          const std::optional<Symbol>& symbol,
                                          std::initializer_list<std::string_view> names) {
  std::vector<std::string> shown;
  bool is_due = !symbol;
  for (const std::string_view name : names) {
    const Setting& setting = *find(name);
    const bool is_own = symbol && find_value(given.values, setting, symbol) != nullptr;
    is_due = is_due || is_own;
    shown.push_back(is_own ? name_for(setting, *symbol) : std::string(name));
    if (!given.were_accepted({shown.back()})) return {};
  }
  return is_due ? shown : std::vector<std::string>{};
}

// Else our own subscription is a listener, and an order looks delivered that reached nothing else.
void check_subject(const GivenValues& given, const Settings& s, std::string_view name,
                   const std::string& pattern, Problems& problems) {
  if (pattern.empty() || !given.were_accepted({"NATS_PUBLISHER_TOPIC", name})) return;
  const auto subjects = order_subjects(s.delivery.subject);
  if (std::none_of(subjects.begin(), subjects.end(),
                   [&](const std::string& subject) { return covers(pattern, subject); })) {
    return;
  }
  say(problems,
      "NATS_PUBLISHER_TOPIC={}: is matched by {}={}, so that this service would hear its own "
      "orders; choose another subject for the one or the other.",
      s.delivery.subject, name, pattern);
}

void check_quotes(const Settings& s, Problems& problems) {
  for (const Symbol& symbol : s.engine.symbols) {
    if (is_quoted_in(s.engine.quote_assets, symbol.text())) continue;
    say(problems,
        "TRADING_SYMBOLS: {} is not quoted in {} (TRADING_QUOTE_ASSETS), and sizes are amounts of "
        "that; remove it, or add its quote asset.",
        symbol.text(), fmt::join(s.engine.quote_assets, " or "));
  }
}

// How we log in is said once, and wholly. Only names are quoted.
void check_credentials(const GivenValues& given, Problems& problems) {
  // As a value or in a file; both at once is a problem.
  const auto is_given = [&](std::string_view name) {
    const std::string file = fmt::format("{}_FILE", name);
    if (given.is_set(name) && given.is_set(file) && given.were_accepted({name})) {
      say(problems, "{}: set together with {}; remove one of them.", name, file);
    }
    return given.is_set(name) || given.is_set(file);
  };
  const auto require_both = [&](std::string_view one, bool has_one, std::string_view other,
                                bool has_other) {
    if (has_one == has_other) return;
    say(problems, "{}: given without {}; set both or neither.", has_one ? one : other,
        has_one ? other : one);
  };
  const bool user = is_given("NATS_USER");
  const bool password = is_given("NATS_PASSWORD");
  require_both("NATS_USER or NATS_USER_FILE", user, "NATS_PASSWORD or NATS_PASSWORD_FILE",
               password);
  require_both("NATS_TLS_CERT_FILE", given.is_set("NATS_TLS_CERT_FILE"), "NATS_TLS_KEY_FILE",
               given.is_set("NATS_TLS_KEY_FILE"));
  std::vector<std::string_view> ways;
  if ((user || password) && given.were_accepted({"NATS_USER", "NATS_PASSWORD"})) {
    ways.emplace_back("NATS_USER with NATS_PASSWORD");
  }
  if (is_given("NATS_TOKEN") && given.were_accepted({"NATS_TOKEN"}))
    ways.emplace_back("NATS_TOKEN");
  for (const std::string_view name : {"NATS_CREDS_FILE", "NATS_NKEY_SEED_FILE"}) {
    if (given.is_set(name)) ways.push_back(name);
  }
  if (ways.size() < 2) return;
  say(problems, "{}: more than one way to log in at the broker; keep one.", fmt::join(ways, ", "));
}

// --- Advice -------------------------------------------------------------------------------------

// Whether the engine would look at events of the symbol.
bool is_traded(const Settings& settings, const Symbol& symbol) {
  const auto& listed = settings.engine.symbols;
  if (!listed.empty() && std::find(listed.begin(), listed.end(), symbol) == listed.end()) {
    return false;
  }
  const wire::ListedInstrument* const instrument = entry_of(settings.instruments, symbol);
  return is_quoted_in(settings.engine.quote_assets, symbol.text()) &&
         (instrument == nullptr || obstacle(settings, *instrument).empty());
}

// The default of TRADING_QUANTITY_STEPS and its like names symbols that are not traded as soon as
// TRADING_SYMBOLS is another: that is no mistake of the user's.
void advise_of_entries(std::string_view name, const std::vector<SymbolAmount>& amounts,
                       Configuration& configuration) {
  const Setting& setting = *find(name);
  if (find_value(configuration.values, setting, {})->text == setting.default_text()) return;
  for (const SymbolAmount& amount : amounts) {
    if (is_traded(configuration.settings, amount.symbol)) continue;
    say(configuration.warnings, "{}: has an entry for {}, which is not traded.", name,
        amount.symbol.text());
  }
}

// What symbols lack of their own; `who` as a sentence begins.
void advise_of_step(const Settings& s, std::string_view who, std::vector<std::string>& warnings) {
  say(warnings,
      "{} no step of its own, {} is taken; the venue may refuse its orders. Give it in "
      "TRADING_QUANTITY_STEPS or TRADING_INSTRUMENTS_FILE.",
      who, s.engine.defaults.terms.instrument.quantity_step.to_string());
}
void advise_of_minimum(const Settings& s, std::string_view who,
                       std::vector<std::string>& warnings) {
  say(warnings,
      "{} no minimum notional of its own, {} is the least order; the venue may refuse it. Give it "
      "in TRADING_MIN_NOTIONALS or TRADING_INSTRUMENTS_FILE.",
      who, s.engine.defaults.terms.size.minimum.value());
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
    const bool has_minimum = instrument != nullptr ? !instrument->min_notional.is_zero()
                                                   : entry_of(s.min_notionals, symbol) != nullptr;
    if (!has_minimum) advise_of_minimum(s, who, warnings);
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

const Value* find_value(const std::vector<Value>& values, const Setting& setting,
                        const std::optional<Symbol>& symbol) noexcept {
  const auto found = std::find_if(values.begin(), values.end(), [&](const Value& value) {
    return value.setting == &setting && value.symbol == symbol;
  });
  return found == values.end() ? nullptr : &*found;
}

bool GivenValues::were_accepted(std::initializer_list<std::string_view> names) const {
  return std::none_of(names.begin(), names.end(),
                      [&](std::string_view name) { return contains(refused, name); });
}

bool GivenValues::is_set(std::string_view name) const {
  return !find_value(values, *find(name), {})->text.empty();
}

void check_symbol(const GivenValues& given, const SymbolParameters& parameters,
                  const std::optional<Symbol>& symbol, Problems& problems) {
  const auto check = [&](std::string_view family, const auto& strategy) {
    if (strategy.sell_threshold < strategy.buy_threshold) return;
    const auto names = names_to_compare(
        given, symbol,
        {fmt::format("{}_SELL_THRESHOLD", family), fmt::format("{}_BUY_THRESHOLD", family)});
    if (names.empty()) return;
    say(problems, "{}={}: must be below {}={}; lower the one or raise the other.", names[0],
        strategy.sell_threshold, names[1], strategy.buy_threshold);
  };
  check("ORDERBOOK_SKEW", parameters.orderbook_skew);
  check("TRADE_MOMENTUM", parameters.trade_momentum);
  check("TICKER_VELOCITY", parameters.ticker_velocity);
  const auto& momentum = parameters.trade_momentum;
  const double sum = momentum.price_weight + momentum.quantity_weight + momentum.maker_weight;
  if (std::abs(sum - 1) <= 0.001 + 1e-12) return;
  const auto names =
      names_to_compare(given, symbol,
                       {"TRADE_MOMENTUM_PRICE_WEIGHT", "TRADE_MOMENTUM_QUANTITY_WEIGHT",
                        "TRADE_MOMENTUM_MAKER_WEIGHT"});
  if (names.empty()) return;
  say(problems, "{}: sum to {}; make them sum to 1 (± 0.001).", fmt::join(names, ", "), sum);
}

void check_all(const GivenValues& given, const Settings& s, Problems& problems) {
  const SizeLimits& size = s.engine.defaults.terms.size;
  if (size.minimum > size.maximum &&
      given.were_accepted({"TRADING_MIN_POSITION_SIZE", "TRADING_MAX_POSITION_SIZE"})) {
    say(problems,
        "TRADING_MIN_POSITION_SIZE={}: must not exceed TRADING_MAX_POSITION_SIZE={}; lower the one "
        "or raise the other.",
        size.minimum.value(), size.maximum.value());
  }
  check_subject(given, s, "NATS_CONSUMER_TOPIC", s.broker.subject, problems);
  check_subject(given, s, "CONTROL_TOPIC", s.broker.control_subject, problems);
  if (given.were_accepted({"TRADING_SYMBOLS", "TRADING_QUOTE_ASSETS"})) check_quotes(s, problems);
  check_credentials(given, problems);
}

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
