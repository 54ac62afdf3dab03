// The one table of settings. To add one: a member of the parameters that its part takes, with the
// default, a row here, and a test that sees its effect. Everything else follows.
#include <array>

#include <fmt/format.h>

#include "config/rules.hpp"

namespace rts::config {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kMany = 1'000'000'000;

constexpr std::array<std::string_view, count_of<LogLevel>> kLogLevels{"DEBUG", "INFO", "WARNING",
                                                                      "ERROR"};
constexpr std::array<std::string_view, count_of<LogFormat>> kLogFormats{"auto", "json", "text"};

constexpr Real kPositive{.min = 0, .excludes_min = true};
constexpr Real kAtLeastZero{.min = 0};
constexpr Real kPercentBelow100{.min = 0, .max = 100, .excludes_min = true, .excludes_max = true};
constexpr Confidential kCredential{Confidential::Form::credential};
constexpr Confidential kPath{Confidential::Form::path};

// A value as the rule of its row reads it.
template <class Plain>
std::string text_of(const Plain& value) {
  return fmt::format("{}", value);
}
template <class Period>
std::string text_of(std::chrono::duration<std::int64_t, Period> value) {
  return text_of(value.count());
}
std::string text_of(Notional value) { return text_of(value.value()); }
std::string text_of(const Decimal& value) { return value.to_string(); }
std::string text_of(const Secret& url) { return without_userinfo(url.reveal()); }
std::string text_of(const SymbolAmount& value) {
  return fmt::format("{}:{}", value.symbol.text(), value.amount.to_string());
}
std::string text_of(const Symbol& value) { return std::string(value.text()); }
template <class Item>
std::string text_of(const std::vector<Item>& list) {
  std::string text;
  for (const Item& item : list) text += (text.empty() ? "" : ",") + text_of(item);
  return text;
}

template <class Access>
constexpr bool kIsPerSymbol = std::is_invocable_v<Access, SymbolParameters&>;

template <class Access>
auto& value_at(Place place) {
  if constexpr (kIsPerSymbol<Access>) {
    return *Access{}(place.symbol);
  } else {
    return *Access{}(place.settings);
  }
}

// `Access` takes the settings to the address of the value that the row is of, or the parameters of
// one symbol: the setting is then per symbol. The value is of a type that the rule can assign.
template <class RowRule, class Access>
constexpr Setting row(std::string_view name, RowRule row_rule, Group group, std::string_view help,
                      Access) {
  const auto assign_text = [](const Rule& rule, std::string_view text, Place place) {
    return assign(*std::get_if<RowRule>(&rule), text, value_at<Access>(place));
  };
  const auto as_text = [](const Rule& rule, Place place) -> std::string {
    const auto& value = value_at<Access>(place);
    if constexpr (std::is_same_v<RowRule, Choice>) {
      return std::string(std::get_if<Choice>(&rule)->values[rts::index_of(value)]);
    } else if constexpr (std::is_same_v<RowRule, Confidential>) {
      return value.empty() ? "" : "***";
    } else if constexpr (std::is_same_v<RowRule, SymbolList>) {
      return value.empty() ? "*" : text_of(value);
    } else {
      return text_of(value);
    }
  };
  return {name, row_rule, group, help, kIsPerSymbol<Access>, assign_text, as_text};
}

using S = Settings;
using P = SymbolParameters;
using enum Group;
using enum Text::Form;

constexpr std::array kTable{
    row("NATS_URL", UrlList{}, nats,
        "Brokers, comma-separated; tls:// forces TLS, userinfo is treated as a secret.",
        [](S& s) { return &s.broker.urls; }),
    row("NATS_CONSUMER_TOPIC", Text{pattern}, nats,
        "Subject the market data arrives on; may use wildcards.",
        [](S& s) { return &s.broker.subject; }),
    row("NATS_PUBLISHER_TOPIC", Text{order_subject}, nats,
        "Subject the orders are published to; a token {strategy} becomes the strategy's name.",
        [](S& s) { return &s.delivery.subject; }),
    row("NATS_CONSUMER_GROUP", Text{group}, nats,
        "Queue group that shares the frames among replicas; empty: every replica sees each.",
        [](S& s) { return &s.broker.queue_group; }),
    row("NATS_CONSUMER_NAME", Text{connection_name}, nats,
        "Connection name at the broker; the host name is appended.",
        [](S& s) { return &s.broker.consumer_name; }),
    row("NATS_USER", kCredential, nats, "User name at the broker.",
        [](S& s) { return &s.broker.credentials.user.value; }),
    row("NATS_USER_FILE", kPath, nats, "File with the user name, instead of NATS_USER.",
        [](S& s) { return &s.broker.credentials.user.file; }),
    row("NATS_PASSWORD", kCredential, nats, "Password at the broker.",
        [](S& s) { return &s.broker.credentials.password.value; }),
    row("NATS_PASSWORD_FILE", kPath, nats, "File with the password, instead of NATS_PASSWORD.",
        [](S& s) { return &s.broker.credentials.password.file; }),
    row("NATS_TOKEN", kCredential, nats, "Token at the broker.",
        [](S& s) { return &s.broker.credentials.token.value; }),
    row("NATS_TOKEN_FILE", kPath, nats, "File with the token, instead of NATS_TOKEN.",
        [](S& s) { return &s.broker.credentials.token.file; }),
    row("NATS_CREDS_FILE", kPath, nats, "File with a user JWT and its seed (.creds).",
        [](S& s) { return &s.broker.credentials.creds_file; }),
    row("NATS_NKEY_SEED_FILE", kPath, nats, "File with an NKey user seed.",
        [](S& s) { return &s.broker.credentials.nkey_seed_file; }),
    row("NATS_TLS_CA_FILE", kPath, nats,
        "File with CA certificates the broker may be signed by, besides the system's; forces TLS.",
        [](S& s) { return &s.broker.credentials.tls_ca_file; }),
    row("NATS_TLS_CERT_FILE", kPath, nats,
        "File with the client certificate and its chain; forces TLS.",
        [](S& s) { return &s.broker.credentials.tls_cert_file; }),
    row("NATS_TLS_KEY_FILE", kPath, nats,
        "File with the client certificate's key, without a passphrase; forces TLS.",
        [](S& s) { return &s.broker.credentials.tls_key_file; }),

    row("TRADING_SYMBOLS", SymbolList{}, trading,
        "Symbols that are traded; * = all that come, up to 512.",
        [](S& s) { return &s.engine.symbols; }),
    row("TRADING_ENABLE_SHORTS", Flag{}, trading,
        "Whether a SELL may open a SHORT; otherwise it can only close a LONG.",
        [](S& s) { return &s.enable_shorts; }),
    row("TRADING_LEVERAGE", Whole{1, 125}, trading, "Leverage written into each order.",
        [](S& s) { return &s.engine.defaults.terms.leverage; }),
    row("TRADING_ORDER_NOTIONAL", kPositive, trading, "What one order is worth, in quote currency.",
        [](P& p) { return &p.terms.size.order; }),
    row("TRADING_MIN_POSITION_SIZE", kPositive, trading,
        "What an order is worth at least, in quote currency.",
        [](S& s) { return &s.engine.defaults.terms.size.minimum; }),
    row("TRADING_MAX_POSITION_SIZE", kPositive, trading,
        "What an order is worth at most, in quote currency.",
        [](S& s) { return &s.engine.defaults.terms.size.maximum; }),
    row("TRADING_QUANTITY_STEP", StepSize{}, trading,
        "Step of order quantities, in base asset, for symbols without a step of their own.",
        [](S& s) { return &s.engine.defaults.terms.instrument.quantity_step; }),
    row("TRADING_QUANTITY_STEPS", AmountList{"step"}, trading,
        "Steps of single symbols, in base asset.", [](S& s) { return &s.quantity_steps; }),
    row("TRADING_QUOTE_ASSETS", AssetList{}, trading,
        "Quote assets whose symbols are traded: sizes are amounts of these.",
        [](S& s) { return &s.engine.quote_assets; }),
    row("TRADING_MIN_NOTIONALS", AmountList{"amount"}, trading,
        "What the venue takes at least for an order of a symbol, in quote currency.",
        [](S& s) { return &s.min_notionals; }),
    row("TRADING_INSTRUMENTS_FILE", Text{file}, trading,
        "File with the venue's exchangeInfo answer (spot or USD-M, up to 10 MiB): steps, least and "
        "largest orders and ticks of the symbols it lists, in place of the settings above; a "
        "symbol that is not TRADING there is not traded.",
        [](S& s) { return &s.instruments_file; }),

    row("STRATEGY_ENABLED_ORDERBOOK_SKEW", Flag{}, orderbook_skew,
        "Whether orderbook_skew looks at books.",
        [](P& p) { return &p.enabled[rts::index_of(StrategyId::orderbook_skew)]; }),
    row("ORDERBOOK_SKEW_TOP_LEVELS", Whole{1, 20}, orderbook_skew,
        "Levels of each side whose quantities are added up.",
        [](P& p) { return &p.orderbook_skew.top_levels; }),
    row("ORDERBOOK_SKEW_BUY_THRESHOLD", kPositive, orderbook_skew,
        "Bid volume over ask volume above which it buys.",
        [](P& p) { return &p.orderbook_skew.buy_threshold; }),
    row("ORDERBOOK_SKEW_SELL_THRESHOLD", kPositive, orderbook_skew,
        "Bid volume over ask volume below which it sells.",
        [](P& p) { return &p.orderbook_skew.sell_threshold; }),
    row("ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", kAtLeastZero, orderbook_skew,
        "Spread below which it is silent, in percent of the best bid. The default is hundreds of "
        "times the usual spread of BTC, ETH and BNB against USDT; 0 wakes it there.",
        [](P& p) { return &p.orderbook_skew.min_spread_percent; }),
    row("ORDERBOOK_SKEW_MAX_SPREAD_PERCENT", kAtLeastZero, orderbook_skew,
        "Spread above which it is silent, in percent; 0 = off.",
        [](P& p) { return &p.orderbook_skew.max_spread_percent; }),

    row("STRATEGY_ENABLED_TRADE_MOMENTUM", Flag{}, trade_momentum,
        "Whether trade_momentum looks at trades.",
        [](P& p) { return &p.enabled[rts::index_of(StrategyId::trade_momentum)]; }),
    row("TRADE_MOMENTUM_PRICE_WEIGHT", Real{0, 1}, trade_momentum,
        "Weight of the price score; the three weights sum to 1.",
        [](P& p) { return &p.trade_momentum.price_weight; }),
    row("TRADE_MOMENTUM_QUANTITY_WEIGHT", Real{0, 1}, trade_momentum,
        "Weight of the quantity score.", [](P& p) { return &p.trade_momentum.quantity_weight; }),
    row("TRADE_MOMENTUM_MAKER_WEIGHT", Real{0, 1}, trade_momentum,
        "Weight of the aggressor's side.", [](P& p) { return &p.trade_momentum.maker_weight; }),
    row("TRADE_MOMENTUM_BUY_THRESHOLD", Real{-1, 1}, trade_momentum,
        "Momentum above which it buys.", [](P& p) { return &p.trade_momentum.buy_threshold; }),
    row("TRADE_MOMENTUM_SELL_THRESHOLD", Real{-1, 1}, trade_momentum,
        "Momentum below which it sells.", [](P& p) { return &p.trade_momentum.sell_threshold; }),
    row("TRADE_MOMENTUM_MIN_QUANTITY", kAtLeastZero, trade_momentum,
        "Smaller trades are passed over, in base asset.",
        [](P& p) { return &p.trade_momentum.min_quantity; }),
    row("TRADE_MOMENTUM_WINDOW", Whole{2, 10'000}, trade_momentum,
        "Trades before it that a trade is measured against; also the warm-up.",
        [](P& p) { return &p.trade_momentum.window; }),
    row("TRADE_MOMENTUM_MAX_GAP_SECONDS", Whole{0, kDaySeconds}, trade_momentum,
        "Silence after which the trades before it no longer count, in seconds; 0 = off.",
        [](P& p) { return &p.trade_momentum.max_gap; }),
    row("TRADE_MOMENTUM_PRICE_SCALE_PERCENT", kPositive, trade_momentum,
        "Distance from the mean price that scores 1, in percent.",
        [](P& p) { return &p.trade_momentum.price_scale_percent; }),
    row("TRADE_MOMENTUM_QUANTITY_MULTIPLE", kPositive, trade_momentum,
        "Multiple of the mean quantity that scores 1.",
        [](P& p) { return &p.trade_momentum.quantity_multiple; }),

    row("STRATEGY_ENABLED_TICKER_VELOCITY", Flag{}, ticker_velocity,
        "Whether ticker_velocity looks at tickers.",
        [](P& p) { return &p.enabled[rts::index_of(StrategyId::ticker_velocity)]; }),
    row("TICKER_VELOCITY_TIME_WINDOW", Whole{1, 3600}, ticker_velocity,
        "Window over which the velocity is measured, in seconds.",
        [](P& p) { return &p.ticker_velocity.time_window; }),
    row("TICKER_VELOCITY_BUY_THRESHOLD", Real{}, ticker_velocity,
        "Percent per minute above which it buys.",
        [](P& p) { return &p.ticker_velocity.buy_threshold; }),
    row("TICKER_VELOCITY_SELL_THRESHOLD", Real{}, ticker_velocity,
        "Percent per minute below which it sells.",
        [](P& p) { return &p.ticker_velocity.sell_threshold; }),
    row("TICKER_VELOCITY_MIN_PRICE_CHANGE", kAtLeastZero, ticker_velocity,
        "Change over the window below which it is silent, in percent.",
        [](P& p) { return &p.ticker_velocity.min_price_change; }),

    row("SIGNAL_COOLDOWN_SECONDS", Whole{0, kDaySeconds}, risk,
        "Pause between two orders of one strategy, symbol and side; 0 = off.",
        [](P& p) { return &p.terms.cooldown; }),
    row("SIGNAL_MIN_CONFIDENCE", Real{0, 1}, risk, "Signals with less confidence are refused.",
        [](P& p) { return &p.terms.min_confidence; }),
    row("RISK_MAX_DAILY_SIGNALS", Whole{0, kMany}, risk,
        "Orders per strategy and UTC day; 0 = off.",
        [](S& s) { return &s.engine.gate.max_daily_signals; }),
    row("RISK_MAX_ORDERS_PER_MINUTE", Whole{0, kMany}, risk,
        "Orders of all strategies per UTC minute; 0 = off.",
        [](S& s) { return &s.engine.gate.max_orders_per_minute; }),
    row("RISK_PRICE_BAND_PERCENT", kAtLeastZero, risk,
        "Distance from the last trade or ticker beyond which a price is refused; 0 = off.",
        [](S& s) { return &s.engine.gate.price_band_percent; }),
    row("RISK_STOP_LOSS_PERCENT", kPercentBelow100, risk,
        "Distance of the stop loss from the price, in percent.",
        [](P& p) { return &p.terms.stop_loss_percent; }),
    row("RISK_TAKE_PROFIT_PERCENT", kPercentBelow100, risk,
        "Distance of the take profit from the price, in percent.",
        [](P& p) { return &p.terms.take_profit_percent; }),

    row("ORDER_FORMAT", Choice{names_of<OrderFormat>}, orders, "JSON the orders are written in.",
        [](S& s) { return &s.delivery.format; }),
    row("ORDER_DELIVERY", Choice{names_of<DeliveryMode>}, orders,
        "How orders are delivered: core sends once and awaits an answer, jetstream needs a stream.",
        [](S& s) { return &s.delivery.mode; }),
    row("ORDER_TTL_SECONDS", Whole{1, kDaySeconds}, orders,
        "Life of an opening order from its event time, in seconds; it is never sent later.",
        [](S& s) { return &s.engine.defaults.terms.ttl; }),
    row("ORDER_TTL_REDUCE_ONLY_SECONDS", Whole{1, kDaySeconds}, orders,
        "Life of a closing order from its event time, in seconds.",
        [](S& s) { return &s.engine.defaults.terms.reduce_only_ttl; }),
    row("ORDER_ACK_TIMEOUT_MS", Whole{10, 60'000}, orders,
        "How long an answer to an order is awaited, in milliseconds.",
        [](S& s) { return &s.delivery.ack_timeout; }),
    row("ORDER_SILENCE_LIMIT", Whole{0, 1000}, orders,
        "Orders in a row without an answer, of a TradeEngine that has confirmed one on this "
        "connection, that open the circuit breaker; core only; 0 = off.",
        [](S& s) { return &s.delivery.silence_limit; }),
    row("CIRCUIT_BREAKER_FAILURE_THRESHOLD", Whole{1, kMany}, orders,
        "Consecutive failures that open the circuit breaker.",
        [](S& s) { return &s.delivery.breaker.failure_threshold; }),
    row("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", Whole{1, kMany}, orders,
        "Seconds after which an open circuit breaker tries again.",
        [](S& s) { return &s.delivery.breaker.recovery_timeout; }),
    row("MESSAGE_TTL_SECONDS", Whole{0, 365 * kDaySeconds}, orders,
        "Age at receipt beyond which an event is stale, in seconds; 0 = off.",
        [](S& s) { return &s.engine.message_ttl; }),

    row("HEALTH_CHECK_HOST", Text{address}, operation, "Address the HTTP server listens on.",
        [](S& s) { return &s.server.host; }),
    row("HEALTH_CHECK_PORT", Whole{0, 65'535}, operation,
        "Port the HTTP server listens on; 0 = any free one.", [](S& s) { return &s.server.port; }),
    row("DRY_RUN_MODE", Flag{}, operation, "Decide everything, publish nothing.",
        [](S& s) { return &s.delivery.dry_run; }),
    row("TRADING_PAUSED", Flag{}, operation, "Start paused: consume and count, order nothing.",
        [](S& s) { return &s.engine.paused; }),
    row("LOG_LEVEL", Choice{kLogLevels, "WARN", "WARNING"}, operation,
        "Least level that is logged.", [](S& s) { return &s.log.level; }),
    row("LOG_FORMAT", Choice{kLogFormats}, operation,
        "Form of the log; auto = json unless stdout is a terminal.",
        [](S& s) { return &s.log.format; }),
    row("DEBUG_MODE", Flag{}, operation, "LOG_LEVEL=DEBUG, and every decision is logged.",
        [](S& s) { return &s.log.decisions; }),
    row("ENVIRONMENT", Text{not_empty}, operation,
        "Name of the installation, shown in the log and at /info.",
        [](S& s) { return &s.environment; }),
    row("SHUTDOWN_TIMEOUT_SECONDS", Whole{1, 3600}, operation,
        "How long draining may take at shutdown, in seconds.",
        [](S& s) { return &s.shutdown_timeout; }),
    row("CONTROL_TOPIC", Text{subject_or_empty}, operation,
        "Subject of pause and resume commands; empty = off.",
        [](S& s) { return &s.broker.control_subject; }),
    row("ALLOW_UNKNOWN_ENV", Flag{}, operation,
        "Warn of unknown environment variables with our prefixes instead of refusing them.",
        [](S& s) { return &s.allow_unknown_env; }),
};

constexpr bool names_are_unique() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    for (std::size_t j = i + 1; j < kTable.size(); ++j) {
      if (kTable[i].name == kTable[j].name) return false;
    }
  }
  return true;
}
static_assert(names_are_unique(), "a setting is in the table twice");

}  // namespace

std::span<const Setting> table() noexcept { return kTable; }

const Setting* find(std::string_view name) noexcept {
  for (const Setting& setting : kTable) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

std::string Setting::default_text() const {
  Settings made;
  return text(rule, {made, made.engine.defaults});
}

std::string_view title(Group group) noexcept {
  constexpr std::array<std::string_view, count_of<Group>> kTitles{
      "NATS",           "Trading",         "Order-book skew",
      "Trade momentum", "Ticker velocity", "Signals and risk",
      "Orders",         "Operation"};
  return kTitles[rts::index_of(group)];
}

std::string flag_name(const Setting& setting) {
  std::string flag = "--";
  for (const char c : setting.name) {
    flag += c == '_' ? '-' : to_lower(c);
  }
  return flag;
}

std::string name_for(const Setting& setting, const Symbol& symbol) {
  return std::string(setting.name).append(kSymbolMark).append(symbol.text());
}

std::optional<FlagTarget> find_flag(std::string_view flag) {
  constexpr std::size_t kDashes = 2;  // in front of every flag
  const std::size_t mark = std::min(flag.find(kFlagSymbolMark, kDashes), flag.size());
  for (const Setting& setting : table()) {
    if (flag_name(setting) != flag.substr(0, mark)) continue;
    std::string name(setting.name);
    if (mark < flag.size()) {
      name.append(kSymbolMark).append(flag.substr(mark + kFlagSymbolMark.size()));
    }
    return FlagTarget{&setting, std::move(name)};
  }
  return std::nullopt;
}

std::string without_userinfo(std::string_view url) {
  // Whatever the text is, nothing before its last '@' is shown, item by item.
  std::string shown;
  while (true) {
    const std::size_t comma = url.find(',');
    const std::string_view item = url.substr(0, comma);
    const std::size_t scheme = item.find("://");
    const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
    const std::size_t at = item.rfind('@');
    shown += item.substr(0, begin);
    if (at != std::string_view::npos && at >= begin) {
      shown.append("***").append(item.substr(at));
    } else {
      shown += item.substr(begin);
    }
    if (comma == std::string_view::npos) return shown;
    shown += ',';
    url.remove_prefix(comma + 1);
  }
}

std::string_view to_string(Origin origin) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"default", "environment", "flag"};
  return kNames[static_cast<std::size_t>(origin)];
}

}  // namespace rts::config
