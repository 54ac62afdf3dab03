// Settings → what the engine is told, for each symbol that has anything of its own.
#include <algorithm>

#include <rts/config/settings.hpp>

#include "config/checks.hpp"

namespace rts::config {
namespace {

using std::chrono::seconds;

Notional notional(double value) {
  return Notional::from(value).value_or(Notional());
}

// One of them when it has the symbol, else the other.
const Decimal& amount_for(const Symbol& symbol, const std::vector<SymbolAmount>& amounts,
                          const Decimal& otherwise) {
  const auto found = std::find_if(amounts.begin(), amounts.end(),
                                  [&](const SymbolAmount& own) { return own.symbol == symbol; });
  return found == amounts.end() ? otherwise : found->amount;
}

// What the venue's answer says where it has the symbol, else what the settings say. A step there
// has to be.
Instrument instrument_for(const Settings& s, const Symbol& symbol) {
  Instrument instrument;
  instrument.quantity_step = amount_for(symbol, s.quantity_steps, s.quantity_step);
  instrument.min_notional = amount_for(symbol, s.min_notionals, Decimal()).to_double();
  const wire::ListedInstrument* const listed = instrument_of(s, symbol);
  if (listed == nullptr) return instrument;
  if (!listed->quantity_step.is_zero()) instrument.quantity_step = listed->quantity_step;
  instrument.min_quantity = listed->min_quantity;
  instrument.max_quantity = listed->max_quantity;
  instrument.min_notional = listed->min_notional.to_double();
  instrument.max_notional = listed->max_notional.to_double();
  instrument.tick = listed->tick;
  return instrument;
}

Sells sells(const Settings& s) {
  if (s.enable_shorts) return Sells::open_short;
  return order_format(s) == OrderFormat::signal ? Sells::refused : Sells::close_long;
}

OrderTerms terms(const Settings& s, const SymbolSettings& values, const Instrument& instrument) {
  OrderTerms terms;
  terms.min_confidence = values.min_confidence;
  terms.cooldown = seconds(values.cooldown_seconds);
  terms.size = {notional(values.order_notional), notional(s.min_position_size),
                notional(s.max_position_size)};
  terms.instrument = instrument;
  terms.sells = sells(s);
  terms.leverage = static_cast<int>(s.leverage);
  terms.ttl = seconds(s.order_ttl_seconds);
  terms.reduce_only_ttl = seconds(s.order_ttl_reduce_only_seconds);
  terms.stop_loss_percent = values.stop_loss_percent;
  terms.take_profit_percent = values.take_profit_percent;
  return terms;
}

SymbolParameters parameters(const Settings& s, const SymbolSettings& v,
                            const Instrument& instrument) {
  SymbolParameters p;
  p.enabled = {v.orderbook_skew_enabled, v.trade_momentum_enabled, v.ticker_velocity_enabled};
  p.orderbook_skew = {static_cast<int>(v.skew_top_levels), v.skew_buy_threshold,
                      v.skew_sell_threshold, v.skew_min_spread_percent, v.skew_max_spread_percent};
  p.trade_momentum = {v.momentum_price_weight,
                      v.momentum_quantity_weight,
                      v.momentum_maker_weight,
                      v.momentum_buy_threshold,
                      v.momentum_sell_threshold,
                      v.momentum_min_quantity,
                      static_cast<int>(v.momentum_window),
                      seconds(v.momentum_max_gap_seconds),
                      v.momentum_price_scale_percent,
                      v.momentum_quantity_multiple};
  p.ticker_velocity = {seconds(v.velocity_time_window_seconds), v.velocity_buy_threshold,
                       v.velocity_sell_threshold, v.velocity_min_price_change};
  p.terms = terms(s, v, instrument);
  return p;
}

// Every symbol that the settings or the venue's answer say something of, each once.
std::vector<Symbol> symbols_with_their_own(const Settings& s) {
  std::vector<Symbol> symbols;
  const auto add = [&](const Symbol& symbol) {
    if (std::find(symbols.begin(), symbols.end(), symbol) == symbols.end()) {
      symbols.push_back(symbol);
    }
  };
  for (const NamedSymbolSettings& named : s.per_symbol) add(named.symbol);
  for (const SymbolAmount& step : s.quantity_steps) add(step.symbol);
  for (const SymbolAmount& minimum : s.min_notionals) add(minimum.symbol);
  for (const wire::ListedInstrument& instrument : s.instruments) add(instrument.symbol);
  return symbols;
}

const SymbolSettings& values_for(const Settings& s, const Symbol& symbol) {
  const auto named =
      std::find_if(s.per_symbol.begin(), s.per_symbol.end(),
                   [&](const NamedSymbolSettings& own) { return own.symbol == symbol; });
  return named == s.per_symbol.end() ? s : named->values;
}

}  // namespace

EngineParameters engine_parameters(const Settings& s, Clock clock) {
  EngineParameters p;
  p.clock = clock;
  p.message_ttl = seconds(s.message_ttl_seconds);
  p.refuse_simulation = is_production(s);
  p.symbols = s.symbols;
  p.quote_assets = s.quote_assets;
  Instrument common;
  common.quantity_step = s.quantity_step;
  p.defaults = parameters(s, s, common);
  p.defaults.traded = s.instruments.empty();  // what the venue does not list is not TRADING there
  for (const Symbol& symbol : symbols_with_their_own(s)) {
    p.per_symbol.push_back(
        {symbol, parameters(s, values_for(s, symbol), instrument_for(s, symbol))});
    const wire::ListedInstrument* const listed = instrument_of(s, symbol);
    p.per_symbol.back().parameters.traded =
        listed == nullptr ? s.instruments.empty() : obstacle(s, *listed).empty();
  }
  p.gate = {s.price_band_percent, s.max_daily_signals, s.max_orders_per_minute};
  p.paused = s.trading_paused;
  return p;
}

}  // namespace rts::config
