#include <algorithm>
#include <array>

#include <rts/base/text.hpp>
#include <rts/config/explanation.hpp>

namespace rts::config {
namespace {

template <auto Part, auto Value>
const void* of_symbol(Place in) {
  return &(in.symbol.*Part.*Value);
}
template <auto Value>
const void* of_terms(Place in) {
  return &(in.symbol.terms.*Value);
}
template <auto Value>
const void* of_gate(Place in) {
  return &(in.settings.engine.gate.*Value);
}
template <StrategyId strategy>
const void* enabled(Place in) {
  return &in.symbol.enabled[index_of(strategy)];
}

constexpr auto kSkew = &SymbolParameters::orderbook_skew;
constexpr auto kMomentum = &SymbolParameters::trade_momentum;
constexpr auto kVelocity = &SymbolParameters::ticker_velocity;

// In the order of StrategyId.
constexpr std::array<Member, count_of<StrategyId>> kEnabled{enabled<StrategyId::orderbook_skew>,
                                                            enabled<StrategyId::trade_momentum>,
                                                            enabled<StrategyId::ticker_velocity>};
constexpr std::array<Member, count_of<StrategyId>> kBuyAbove{
    of_symbol<kSkew, &OrderbookSkew::buy_threshold>,
    of_symbol<kMomentum, &TradeMomentum::buy_threshold>,
    of_symbol<kVelocity, &TickerVelocity::buy_threshold>};
constexpr std::array<Member, count_of<StrategyId>> kSellBelow{
    of_symbol<kSkew, &OrderbookSkew::sell_threshold>,
    of_symbol<kMomentum, &TradeMomentum::sell_threshold>,
    of_symbol<kVelocity, &TickerVelocity::sell_threshold>};

const void* order_notional(Place in) { return &in.symbol.terms.size.order; }
const void* maximum_size(Place in) { return &in.symbol.terms.size.maximum; }

std::vector<Member> members_of(StrategyId strategy, Outcome outcome) {
  const auto of_strategy = [&](const auto& members) { return members[index_of(strategy)]; };
  switch (outcome) {
    case Outcome::disabled: return {of_strategy(kEnabled)};
    case Outcome::spread_below_minimum:
      return {of_symbol<kSkew, &OrderbookSkew::min_spread_percent>};
    case Outcome::spread_above_maximum:
      return {of_symbol<kSkew, &OrderbookSkew::max_spread_percent>};
    case Outcome::below_min_quantity: return {of_symbol<kMomentum, &TradeMomentum::min_quantity>};
    case Outcome::warming_up:
      if (strategy == StrategyId::trade_momentum) {
        return {of_symbol<kMomentum, &TradeMomentum::window>};
      }
      return {of_symbol<kVelocity, &TickerVelocity::time_window>};
    case Outcome::below_min_price_change:
      return {of_symbol<kVelocity, &TickerVelocity::min_price_change>};
    case Outcome::neutral: return {of_strategy(kBuyAbove), of_strategy(kSellBelow)};
    case Outcome::paused:
      return {[](Place in) -> const void* { return &in.settings.engine.paused; }};
    case Outcome::shorts_disabled:
      return {[](Place in) -> const void* { return &in.settings.enable_shorts; }};
    case Outcome::low_confidence: return {of_terms<&OrderTerms::min_confidence>};
    case Outcome::no_reference:
    case Outcome::price_band: return {of_gate<&GateLimits::price_band_percent>};
    case Outcome::cooldown: return {of_terms<&OrderTerms::cooldown>};
    case Outcome::daily_limit: return {of_gate<&GateLimits::max_daily_signals>};
    case Outcome::rate_limit: return {of_gate<&GateLimits::max_orders_per_minute>};
    case Outcome::size_limit: return {order_notional, maximum_size};
    case Outcome::signal_buy: return {of_strategy(kBuyAbove)};
    case Outcome::signal_sell: return {of_strategy(kSellBelow)};
  }
  return {};
}

std::vector<Member> members_of(StrategyId /*strategy*/, Reason reason) {
  if (reason == Reason::stale) {
    return {[](Place in) -> const void* { return &in.settings.engine.message_ttl; }};
  }
  if (reason == Reason::outlier) return {of_gate<&GateLimits::price_band_percent>};
  if (reason == Reason::symbol_not_traded) {
    return {[](Place in) -> const void* { return &in.settings.engine.symbols; },
            [](Place in) -> const void* { return &in.settings.engine.quote_assets; }};
  }
  return {};
}

Member member_of(SizeProblem problem) {
  switch (problem) {
    case SizeProblem::above_maximum: return maximum_size;
    case SizeProblem::above_venue_worth:
    case SizeProblem::above_venue_quantity: return order_notional;
    case SizeProblem::stop_loss: return of_terms<&OrderTerms::stop_loss_percent>;
    case SizeProblem::take_profit: return of_terms<&OrderTerms::take_profit_percent>;
  }
  return maximum_size;
}

// Where the numbers are known too, for some ends may have several causes.
std::vector<const Setting*> settings_of(const PastDecision& past) {
  if (past.end == End(Outcome::size_limit)) {
    return {&setting_of(member_of(static_cast<SizeProblem>(past.measure.other)))};
  }
  const bool is_after_silence = past.strategy == StrategyId::trade_momentum &&
                                past.end == End(Outcome::warming_up) && past.measure.other > 0;
  if (is_after_silence) return {&setting_of(of_symbol<kMomentum, &TradeMomentum::max_gap>)};
  return deciding_settings(past.strategy, past.end);
}

// NAME, or NAME__SYMBOL where the symbol has a value of its own.
std::string name_of(const Setting& setting, const Symbol& symbol, const Circumstances& around) {
  std::string own = name_for(setting, symbol);
  const bool is_own =
      std::ranges::any_of(around.configuration.values,
                          [&](const Value& value) {
                            return value.setting == &setting && value.symbol == symbol;
                          }) ||
      std::ranges::any_of(around.live,
                          [&](const Given& given) { return same_but_for_case(given.name, own); });
  return is_own ? own : std::string(setting.name);
}

}  // namespace

std::vector<const Setting*> deciding_settings(StrategyId strategy, const End& end) {
  std::vector<const Setting*> settings;
  const auto members = std::visit([&](auto code) { return members_of(strategy, code); }, end);
  for (const Member member : members) settings.push_back(&setting_of(member));
  return settings;
}

std::vector<std::string> deciding_names(const History::Found& found, const Circumstances& around) {
  const auto& [symbol, past] = found;
  std::vector<std::string> names;
  for (const Setting* const setting : settings_of(past)) {
    // A pause is the setting's only where that is known: there are other switches.
    if (past.end == End(Outcome::paused) && !around.paused_by.starts_with(setting->name)) continue;
    names.push_back(name_of(*setting, symbol, around));
  }
  return names;
}

}  // namespace rts::config
