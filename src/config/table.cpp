// The one table of settings. To add one: a member of Settings, a row here, a test that sees its
// effect. Everything else follows.
#include <rts/config/settings.hpp>

namespace rts::config {
namespace {

using S = Settings;
constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kMany = 1'000'000'000;

constexpr std::array<std::string_view, 2> kOrderFormats{"trade_order", "signal"};
constexpr std::array<std::string_view, 2> kDeliveries{"core", "jetstream"};
constexpr std::array<std::string_view, 4> kLogLevels{"DEBUG", "INFO", "WARNING", "ERROR"};
constexpr std::array kLogLevelAliases{Alias{"WARN", "WARNING"}};
constexpr std::array<std::string_view, 3> kLogFormats{"auto", "json", "text"};

constexpr Real positive(double S::*member) {
  return {member, 0, kUnbounded, true};
}
constexpr Real at_least_zero(double S::*member) {
  return {member, 0};
}
constexpr Real any_number(double S::*member) {
  return {member};
}
constexpr Real percent_below_100(double S::*member) {
  return {member, 0, 100, true, true};
}

constexpr Confidential credential(Secret S::*member) {
  return {member, Confidential::Form::credential};
}
constexpr Confidential path(Secret S::*member) {
  return {member, Confidential::Form::path};
}

using enum Text::Form;
using enum Scope;

constexpr std::array kTable{
    Setting{"NATS_URL", "nats://localhost:4222", UrlList{&S::nats_urls}, Group::nats,
            "Brokers, comma-separated; tls:// forces TLS, userinfo is treated as a secret."},
    Setting{"NATS_CONSUMER_TOPIC", "binance.websocket.data", Text{&S::consumer_topic, pattern},
            Group::nats, "Subject the market data arrives on; may use wildcards."},
    Setting{"NATS_PUBLISHER_TOPIC", "tradeengine.orders", Text{&S::publisher_topic, order_subject},
            Group::nats,
            "Subject the orders are published to; a token {strategy} becomes the strategy's name."},
    Setting{"NATS_CONSUMER_GROUP", "realtime-strategies-group", Text{&S::consumer_group, group},
            Group::nats,
            "Queue group that shares the frames among replicas; empty: every replica sees each."},
    Setting{"NATS_CONSUMER_NAME", "realtime-strategies", Text{&S::consumer_name, connection_name},
            Group::nats, "Connection name at the broker; the host name is appended."},
    Setting{"NATS_USER", "", credential(&S::nats_user), Group::nats, "User name at the broker."},
    Setting{"NATS_USER_FILE", "", path(&S::nats_user_file), Group::nats,
            "File with the user name, instead of NATS_USER."},
    Setting{"NATS_PASSWORD", "", credential(&S::nats_password), Group::nats,
            "Password at the broker."},
    Setting{"NATS_PASSWORD_FILE", "", path(&S::nats_password_file), Group::nats,
            "File with the password, instead of NATS_PASSWORD."},
    Setting{"NATS_TOKEN", "", credential(&S::nats_token), Group::nats, "Token at the broker."},
    Setting{"NATS_TOKEN_FILE", "", path(&S::nats_token_file), Group::nats,
            "File with the token, instead of NATS_TOKEN."},
    Setting{"NATS_CREDS_FILE", "", path(&S::nats_creds_file), Group::nats,
            "File with a user JWT and its seed (.creds)."},
    Setting{"NATS_NKEY_SEED_FILE", "", path(&S::nats_nkey_seed_file), Group::nats,
            "File with an NKey user seed."},
    Setting{"NATS_TLS_CA_FILE", "", path(&S::nats_tls_ca_file), Group::nats,
            "File with CA certificates the broker may be signed by, besides the system's; forces "
            "TLS."},
    Setting{"NATS_TLS_CERT_FILE", "", path(&S::nats_tls_cert_file), Group::nats,
            "File with the client certificate and its chain; forces TLS."},
    Setting{"NATS_TLS_KEY_FILE", "", path(&S::nats_tls_key_file), Group::nats,
            "File with the client certificate's key, without a passphrase; forces TLS."},

    Setting{"TRADING_SYMBOLS", "BTCUSDT,ETHUSDT,BNBUSDT", SymbolList{&S::symbols}, Group::trading,
            "Symbols that are traded; * = all that come, up to 512."},
    Setting{"TRADING_ENABLE_SHORTS", "true", Flag{&S::enable_shorts}, Group::trading,
            "Whether a SELL may open a SHORT; otherwise it can only close a LONG."},
    Setting{"TRADING_LEVERAGE", "1", Whole{&S::leverage, 1, 125}, Group::trading,
            "Leverage written into each order."},
    Setting{"TRADING_ORDER_NOTIONAL", "100", positive(&S::order_notional), Group::trading,
            "What one order is worth, in quote currency.", per_symbol},
    Setting{"TRADING_MIN_POSITION_SIZE", "10", positive(&S::min_position_size), Group::trading,
            "What an order is worth at least, in quote currency."},
    Setting{"TRADING_MAX_POSITION_SIZE", "1000", positive(&S::max_position_size), Group::trading,
            "What an order is worth at most, in quote currency."},
    Setting{"TRADING_QUANTITY_STEP", "0.001", StepSize{&S::quantity_step}, Group::trading,
            "Step of order quantities, in base asset, for symbols without a step of their own."},
    Setting{"TRADING_QUANTITY_STEPS", "BTCUSDT:0.001,ETHUSDT:0.001,BNBUSDT:0.01",
            AmountList{&S::quantity_steps, "step"}, Group::trading,
            "Steps of single symbols, in base asset."},
    Setting{"TRADING_QUOTE_ASSETS", "USDT", AssetList{&S::quote_assets}, Group::trading,
            "Quote assets whose symbols are traded: sizes are amounts of these."},
    Setting{"TRADING_MIN_NOTIONALS", "BTCUSDT:100,ETHUSDT:20,BNBUSDT:5",
            AmountList{&S::min_notionals, "amount"}, Group::trading,
            "What the venue takes at least for an order of a symbol, in quote currency."},
    Setting{
        "TRADING_INSTRUMENTS_FILE", "", Text{&S::instruments_file, file}, Group::trading,
        "File with the venue's exchangeInfo answer (spot or USD-M, up to 10 MiB): steps, least and "
        "largest orders and ticks of the symbols it lists, in place of the settings above; a "
        "symbol "
        "that is not TRADING there is not traded."},

    Setting{"STRATEGY_ENABLED_ORDERBOOK_SKEW", "true", Flag{&S::orderbook_skew_enabled},
            Group::orderbook_skew, "Whether orderbook_skew looks at books.", per_symbol},
    Setting{"ORDERBOOK_SKEW_TOP_LEVELS", "5", Whole{&S::skew_top_levels, 1, 20},
            Group::orderbook_skew, "Levels of each side whose quantities are added up.",
            per_symbol},
    Setting{"ORDERBOOK_SKEW_BUY_THRESHOLD", "1.2", positive(&S::skew_buy_threshold),
            Group::orderbook_skew, "Bid volume over ask volume above which it buys.", per_symbol},
    Setting{"ORDERBOOK_SKEW_SELL_THRESHOLD", "0.8", positive(&S::skew_sell_threshold),
            Group::orderbook_skew, "Bid volume over ask volume below which it sells.", per_symbol},
    Setting{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0.1", at_least_zero(&S::skew_min_spread_percent),
            Group::orderbook_skew,
            "Spread below which it is silent, in percent of the best bid. The default is hundreds "
            "of times the usual spread of BTC, ETH and BNB against USDT; 0 wakes it there.",
            per_symbol},
    Setting{"ORDERBOOK_SKEW_MAX_SPREAD_PERCENT", "0", at_least_zero(&S::skew_max_spread_percent),
            Group::orderbook_skew, "Spread above which it is silent, in percent; 0 = off.",
            per_symbol},

    Setting{"STRATEGY_ENABLED_TRADE_MOMENTUM", "true", Flag{&S::trade_momentum_enabled},
            Group::trade_momentum, "Whether trade_momentum looks at trades.", per_symbol},
    Setting{"TRADE_MOMENTUM_PRICE_WEIGHT", "0.4", Real{&S::momentum_price_weight, 0, 1},
            Group::trade_momentum, "Weight of the price score; the three weights sum to 1.",
            per_symbol},
    Setting{"TRADE_MOMENTUM_QUANTITY_WEIGHT", "0.3", Real{&S::momentum_quantity_weight, 0, 1},
            Group::trade_momentum, "Weight of the quantity score.", per_symbol},
    Setting{"TRADE_MOMENTUM_MAKER_WEIGHT", "0.3", Real{&S::momentum_maker_weight, 0, 1},
            Group::trade_momentum, "Weight of the aggressor's side.", per_symbol},
    Setting{"TRADE_MOMENTUM_BUY_THRESHOLD", "0.7", Real{&S::momentum_buy_threshold, -1, 1},
            Group::trade_momentum, "Momentum above which it buys.", per_symbol},
    Setting{"TRADE_MOMENTUM_SELL_THRESHOLD", "-0.7", Real{&S::momentum_sell_threshold, -1, 1},
            Group::trade_momentum, "Momentum below which it sells.", per_symbol},
    Setting{"TRADE_MOMENTUM_MIN_QUANTITY", "0.001", at_least_zero(&S::momentum_min_quantity),
            Group::trade_momentum, "Smaller trades are passed over, in base asset.", per_symbol},
    Setting{"TRADE_MOMENTUM_WINDOW", "100", Whole{&S::momentum_window, 2, 10'000},
            Group::trade_momentum,
            "Trades before it that a trade is measured against; also the warm-up.", per_symbol},
    Setting{"TRADE_MOMENTUM_MAX_GAP_SECONDS", "60",
            Whole{&S::momentum_max_gap_seconds, 0, kDaySeconds}, Group::trade_momentum,
            "Silence after which the trades before it no longer count, in seconds; 0 = off.",
            per_symbol},
    Setting{"TRADE_MOMENTUM_PRICE_SCALE_PERCENT", "0.05",
            positive(&S::momentum_price_scale_percent), Group::trade_momentum,
            "Distance from the mean price that scores 1, in percent.", per_symbol},
    Setting{"TRADE_MOMENTUM_QUANTITY_MULTIPLE", "5", positive(&S::momentum_quantity_multiple),
            Group::trade_momentum, "Multiple of the mean quantity that scores 1.", per_symbol},

    Setting{"STRATEGY_ENABLED_TICKER_VELOCITY", "true", Flag{&S::ticker_velocity_enabled},
            Group::ticker_velocity, "Whether ticker_velocity looks at tickers.", per_symbol},
    Setting{"TICKER_VELOCITY_TIME_WINDOW", "60", Whole{&S::velocity_time_window_seconds, 1, 3600},
            Group::ticker_velocity, "Window over which the velocity is measured, in seconds.",
            per_symbol},
    Setting{"TICKER_VELOCITY_BUY_THRESHOLD", "0.5", any_number(&S::velocity_buy_threshold),
            Group::ticker_velocity, "Percent per minute above which it buys.", per_symbol},
    Setting{"TICKER_VELOCITY_SELL_THRESHOLD", "-0.5", any_number(&S::velocity_sell_threshold),
            Group::ticker_velocity, "Percent per minute below which it sells.", per_symbol},
    Setting{"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0.1", at_least_zero(&S::velocity_min_price_change),
            Group::ticker_velocity, "Change over the window below which it is silent, in percent.",
            per_symbol},

    Setting{"SIGNAL_COOLDOWN_SECONDS", "900", Whole{&S::cooldown_seconds, 0, kDaySeconds},
            Group::risk, "Pause between two orders of one strategy, symbol and side; 0 = off.",
            per_symbol},
    Setting{"SIGNAL_MIN_CONFIDENCE", "0.6", Real{&S::min_confidence, 0, 1}, Group::risk,
            "Signals with less confidence are refused.", per_symbol},
    Setting{"RISK_MAX_DAILY_SIGNALS", "50", Whole{&S::max_daily_signals, 0, kMany}, Group::risk,
            "Orders per strategy and UTC day; 0 = off."},
    Setting{"RISK_MAX_ORDERS_PER_MINUTE", "30", Whole{&S::max_orders_per_minute, 0, kMany},
            Group::risk, "Orders of all strategies per UTC minute; 0 = off."},
    Setting{"RISK_PRICE_BAND_PERCENT", "5", at_least_zero(&S::price_band_percent), Group::risk,
            "Distance from the last trade or ticker beyond which a price is refused; 0 = off."},
    Setting{"RISK_STOP_LOSS_PERCENT", "2", percent_below_100(&S::stop_loss_percent), Group::risk,
            "Distance of the stop loss from the price, in percent.", per_symbol},
    Setting{"RISK_TAKE_PROFIT_PERCENT", "4", percent_below_100(&S::take_profit_percent),
            Group::risk, "Distance of the take profit from the price, in percent.", per_symbol},

    Setting{"ORDER_FORMAT", "trade_order", Choice{&S::order_format, kOrderFormats}, Group::orders,
            "JSON the orders are written in."},
    Setting{"ORDER_DELIVERY", "core", Choice{&S::order_delivery, kDeliveries}, Group::orders,
            "How orders are delivered: core sends once and awaits an answer, jetstream needs a "
            "stream."},
    Setting{"ORDER_TTL_SECONDS", "5", Whole{&S::order_ttl_seconds, 1, kDaySeconds}, Group::orders,
            "Life of an opening order from its event time, in seconds; it is never sent later."},
    Setting{"ORDER_TTL_REDUCE_ONLY_SECONDS", "30",
            Whole{&S::order_ttl_reduce_only_seconds, 1, kDaySeconds}, Group::orders,
            "Life of a closing order from its event time, in seconds."},
    Setting{"ORDER_ACK_TIMEOUT_MS", "1000", Whole{&S::order_ack_timeout_ms, 10, 60'000},
            Group::orders, "How long an answer to an order is awaited, in milliseconds."},
    Setting{"ORDER_SILENCE_LIMIT", "3", Whole{&S::order_silence_limit, 0, 1000}, Group::orders,
            "Orders in a row without an answer, of a TradeEngine that has confirmed one on this "
            "connection, that open the circuit breaker; core only; 0 = off."},
    Setting{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "5",
            Whole{&S::breaker_failure_threshold, 1, kMany}, Group::orders,
            "Consecutive failures that open the circuit breaker."},
    Setting{"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "60",
            Whole{&S::breaker_recovery_timeout_seconds, 1, kMany}, Group::orders,
            "Seconds after which an open circuit breaker tries again."},
    Setting{"MESSAGE_TTL_SECONDS", "60", Whole{&S::message_ttl_seconds, 0, 365 * kDaySeconds},
            Group::orders, "Age at receipt beyond which an event is stale, in seconds; 0 = off."},

    Setting{"HEALTH_CHECK_HOST", "0.0.0.0", Text{&S::health_host, address}, Group::operation,
            "Address the HTTP server listens on."},
    Setting{"HEALTH_CHECK_PORT", "8080", Whole{&S::health_port, 0, 65'535}, Group::operation,
            "Port the HTTP server listens on; 0 = any free one."},
    Setting{"DRY_RUN_MODE", "false", Flag{&S::dry_run}, Group::operation,
            "Decide everything, publish nothing."},
    Setting{"TRADING_PAUSED", "false", Flag{&S::trading_paused}, Group::operation,
            "Start paused: consume and count, order nothing."},
    Setting{"LOG_LEVEL", "INFO", Choice{&S::log_level, kLogLevels, kLogLevelAliases},
            Group::operation, "Least level that is logged."},
    Setting{"LOG_FORMAT", "auto", Choice{&S::log_format, kLogFormats}, Group::operation,
            "Form of the log; auto = json unless stdout is a terminal."},
    Setting{"DEBUG_MODE", "false", Flag{&S::debug_mode}, Group::operation,
            "LOG_LEVEL=DEBUG, and every decision is logged."},
    Setting{"ENVIRONMENT", "production", Text{&S::environment, not_empty}, Group::operation,
            "Name of the installation, shown in the log and at /info."},
    Setting{"SHUTDOWN_TIMEOUT_SECONDS", "20", Whole{&S::shutdown_timeout_seconds, 1, 3600},
            Group::operation, "How long draining may take at shutdown, in seconds."},
    Setting{"CONTROL_TOPIC", "realtime-strategies.control",
            Text{&S::control_topic, subject_or_empty}, Group::operation,
            "Subject of pause and resume commands; empty = off."},
    Setting{"ALLOW_UNKNOWN_ENV", "false", Flag{&S::allow_unknown_env}, Group::operation,
            "Warn of unknown environment variables with our prefixes instead of refusing them."},
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

std::span<const Setting> table() noexcept {
  return kTable;
}

const Setting* find(std::string_view name) noexcept {
  for (const Setting& setting : kTable) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

std::string_view title(Group group) noexcept {
  switch (group) {
    case Group::nats:
      return "NATS";
    case Group::trading:
      return "Trading";
    case Group::orderbook_skew:
      return "Order-book skew";
    case Group::trade_momentum:
      return "Trade momentum";
    case Group::ticker_velocity:
      return "Ticker velocity";
    case Group::risk:
      return "Signals and risk";
    case Group::orders:
      return "Orders";
    case Group::operation:
      return "Operation";
  }
  return "";
}

}  // namespace rts::config
