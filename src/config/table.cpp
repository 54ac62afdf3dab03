// The one table of settings. To add one: a member of the parameters that its part takes, with the
// default, a row here, and a test that sees its effect. Everything else follows. In front of it:
// how a row's text is read by its rule.
#include <algorithm>
#include <array>
#include <cassert>
#include <cctype>
#include <cmath>
#include <tuple>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/broker_url.hpp>
#include <rts/config/settings.hpp>
#include <rts/trading/order_subject.hpp>

namespace rts::config {
namespace {

// A NATS subject: tokens between dots, none empty, no whitespace. It may have wildcards, of which
// a '>' is the last token.
bool is_pattern(std::string_view text) {
  const auto tokens = split(text, '.');
  const auto last = tokens.end() - 1;
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c <= ' ' || c == 0x7F; }) &&
         std::find(tokens.begin(), tokens.end(), "") == tokens.end() &&
         std::find(tokens.begin(), last, ">") == last;
}

bool is_printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_address(std::string_view text) {
  const std::string address(text);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

constexpr Text kNotEmpty{"a text without control characters, not empty",
                         [](std::string_view text) { return !text.empty(); }};
constexpr Text kAddress{"an IPv4 or IPv6 address", is_address};
// It goes into the handshake.
constexpr Text kConnectionName{
    "printable ASCII without quotes and backslash", [](std::string_view text) {
      return !text.empty() && is_printable(text) && is_handshake_text(text);
    }};
constexpr Text kQueueGroup{"printable ASCII without blanks, or empty", [](std::string_view text) {
                             return is_printable(text) && text.find(' ') == std::string_view::npos;
                           }};
constexpr Text kOrderSubject{
    "a subject without wildcards, blanks or empty tokens; one token may be {strategy}",
    [](std::string_view text) { return is_subject(text) && has_sound_tokens(text); }};
constexpr Text kPattern{"a subject without blanks or empty tokens", is_pattern};
constexpr Text kSubjectOrEmpty{"a subject without wildcards, or empty", [](std::string_view text) {
                                 return text.empty() || is_subject(text);
                               }};
constexpr Text kLogSubject{
    "a subject without wildcards, blanks or empty tokens", [](std::string_view text) {
      return is_subject(text) && text.find_first_of("{}") == std::string::npos;
    }};
constexpr Text kTokenOrEmpty{
    "one token of a subject, or empty", [](std::string_view text) {
      return text.empty() || (is_subject(text) && text.find('.') == std::string_view::npos);
    }};
constexpr Text kBucketOrEmpty{"letters, digits, - and _, or empty", [](std::string_view text) {
                                return std::all_of(text.begin(), text.end(), [](unsigned char c) {
                                  return (c < 0x80 && std::isalnum(c) != 0) || c == '-' || c == '_';
                                });
                              }};
constexpr Text kFile{"a path, or empty", [](std::string_view) { return true; }};

constexpr Confidential kCredential{"a text without quotes, backslash and control characters",
                                   is_handshake_text};
constexpr Confidential kPath{"a path", [](std::string_view) { return true; }};

// --- What a text says by a rule; nothing when the rule does not accept it
// -------------------------

std::optional<bool> read(const Flag&, std::string_view text) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return same_but_for_case(word, text); });
  };
  if (is_one_of({"true", "1", "yes", "on"})) return true;
  return is_one_of({"false", "0", "no", "off"}) ? std::optional(false) : std::nullopt;
}

std::optional<std::int64_t> read(const Whole& rule, std::string_view text) {
  return parse_as<std::int64_t>(text, rule.min, rule.max);
}

std::optional<double> read(const Real& rule, std::string_view text) {
  const auto number = parse_as<double>(text, rule.min, rule.max);
  const bool is_excluded =
      (rule.excludes_min && number == rule.min) || (rule.excludes_max && number == rule.max);
  return is_excluded ? std::nullopt : number;
}

// The number of the value that the text names, in any case.
std::optional<std::size_t> read(const Choice& rule, std::string_view text) {
  if (!rule.alias.empty() && same_but_for_case(text, rule.alias)) text = rule.alias_of;
  for (std::size_t i = 0; i < rule.values.size(); ++i) {
    if (same_but_for_case(rule.values[i], text)) return i;
  }
  return std::nullopt;
}

// A control character is always a mistake, and what shows the value may take it for a line end.
std::optional<std::string> read(const Text& rule, std::string_view text) {
  return is_plain_text(text) && rule.accepts(text) ? std::optional<std::string>(text)
                                                   : std::nullopt;
}

std::optional<Secret> read(const Confidential& rule, std::string_view text) {
  return rule.accepts(text) ? std::optional<Secret>(std::string(text)) : std::nullopt;
}

std::optional<Decimal> read(const StepSize&, std::string_view text) {
  const auto step = Decimal::parse(text);
  return step && !step->is_zero() ? step : std::nullopt;
}

// Reads a comma list: `add` makes an item of a trimmed text, or refuses it. A list with a refused
// item or with more than `most` is refused as a whole.
template <class Item, class Add>
std::optional<std::vector<Item>> read_list(std::string_view list, std::size_t most, Add add) {
  std::vector<Item> items;
  for (const std::string_view text : split(list, ',')) {
    if (items.size() == most || !add(trimmed(text), items)) return std::nullopt;
  }
  return items;
}
constexpr std::size_t kAnyNumber = std::string_view::npos;

template <class Item>
void add_once(std::vector<Item>& items, const Item& item) {
  if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
}

std::optional<std::vector<Symbol>> read(const SymbolList&, std::string_view text) {
  if (text == "*") return std::vector<Symbol>{};
  return read_list<Symbol>(text, EngineParameters::kMaxSymbols, [](auto item, auto& symbols) {
    const auto symbol = parse_symbol(item);
    if (symbol) add_once(symbols, *symbol);
    return symbol.has_value();
  });
}

std::optional<std::vector<std::string>> read(const AssetList&, std::string_view text) {
  return read_list<std::string>(text, AssetList::kMaxAssets, [](auto item, auto& assets) {
    const auto asset = parse_symbol(item);
    if (asset) add_once(assets, std::string(asset->text()));
    return asset.has_value();
  });
}

std::optional<std::vector<SymbolAmount>> read(const AmountList&, std::string_view text) {
  if (text.empty()) return std::vector<SymbolAmount>{};
  return read_list<SymbolAmount>(text, kAnyNumber, [](std::string_view item, auto& amounts) {
    const std::size_t colon = item.rfind(':');
    if (colon == std::string_view::npos) return false;
    const auto symbol = parse_symbol(trimmed(item.substr(0, colon)));
    const auto amount = read(StepSize{}, trimmed(item.substr(colon + 1)));
    if (!symbol || !amount || entry_of(amounts, *symbol)) return false;
    amounts.push_back({*symbol, *amount});
    return true;
  });
}

std::optional<std::vector<Secret>> read(const UrlList&, std::string_view text) {
  return read_list<Secret>(text, kAnyNumber, [](std::string_view item, auto& urls) {
    // "nats://user:a,b@host" could be one password or two brokers; what could leak is refused
    // (a comma in a password is written %2C).
    const bool no_scheme = item.find("://") == std::string_view::npos;
    const bool ambiguous = no_scheme && item.find('@') != std::string_view::npos && !urls.empty();
    if (!parse_broker_url(item) || ambiguous) return false;
    urls.emplace_back(std::string(item));
    return true;
  });
}

// --- Texts of values, as the rules read them ----------------------------------------------------

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
std::string text_of(const Symbol& value) { return std::string(value.text()); }
std::string text_of(const SymbolAmount& value) {
  return fmt::format("{}:{}", value.symbol.text(), value.amount.to_string());
}
template <class Item>
std::string text_of(const std::vector<Item>& list) {
  std::string text;
  for (const Item& item : list) text += (text.empty() ? "" : ",") + text_of(item);
  return text;
}

// --- Rows -------------------------------------------------------------------------------------

// The part of the settings that a member belongs to.
template <class Part, class Member>
Part& part_with(Member Part::*, Place place) {
  auto& [s, p] = place;
  return std::get<Part&>(std::tie(s, s.broker, s.broker.credentials, s.delivery, s.delivery.breaker,
                                  s.stream, s.server, s.log, s.engine, s.engine.gate, p.terms,
                                  p.terms.size, p.terms.instrument, p.orderbook_skew,
                                  p.trade_momentum, p.ticker_velocity));
}

template <class Object>
Object& member_of(Object& object) {
  return object;
}
template <class Object, class First, class... More>
auto& member_of(Object& object, First first, More... more) {
  return member_of(object.*first, more...);
}

// Where a row's value is: a member of a part, or a member of that.
template <auto Member, auto... Rest>
struct At {
  static constexpr bool kIsPerSymbol = false, kIsLive = false;
  static auto& value(Place place) {
    if constexpr (std::is_member_pointer_v<decltype(Member)>) {
      return member_of(part_with(Member, place), Member, Rest...);
    } else {
      return Member(place.symbol);
    }
  }
};
template <auto... Path>
struct Live : At<Path...> {
  static constexpr bool kIsLive = true;
};
template <auto... Path>
struct PerSymbol : Live<Path...> {
  static constexpr bool kIsPerSymbol = true;
};
template <StrategyId strategy>
bool& enabled(SymbolParameters& parameters) {
  return parameters.enabled[index_of(strategy)];
}

template <class RowRule, class Field>
bool assign(const Rule& rule, std::string_view text, Place place) {
  auto given = read(*std::get_if<RowRule>(&rule), text);
  if (!given) return false;
  auto& value = Field::value(place);
  using Value = std::remove_reference_t<decltype(value)>;
  if constexpr (std::is_same_v<Value, Notional>) {
    value = *Notional::from(*given);
  } else {
    value = static_cast<Value>(*std::move(given));
  }
  return true;
}

template <class RowRule, class Field>
std::string as_text(const Rule& rule, Place place) {
  const auto& value = Field::value(place);
  if constexpr (std::is_same_v<RowRule, Choice>) {
    return std::string(std::get_if<Choice>(&rule)->values[index_of(value)]);
  } else if constexpr (std::is_same_v<RowRule, Confidential>) {
    return value.empty() ? "" : "***";
  } else if constexpr (std::is_same_v<RowRule, SymbolList>) {
    return value.empty() ? "*" : text_of(value);
  } else {
    return text_of(value);
  }
}

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kMany = 1'000'000'000;

constexpr std::array<std::string_view, count_of<LogLevel>> kLogLevels{"DEBUG", "INFO", "WARNING",
                                                                      "ERROR"};
constexpr std::array<std::string_view, count_of<LogFormat>> kLogFormats{"auto", "json", "text"};

constexpr Real kPositive{.min = 0, .excludes_min = true};
constexpr Real kAtLeastZero{.min = 0};
constexpr Real kPercentBelow100{.min = 0, .max = 100, .excludes_min = true, .excludes_max = true};

using Broker = BrokerParameters;
using Delivery = DeliveryParameters;
using Breaker = CircuitBreaker::Policy;
using Engine = EngineParameters;
using Skew = OrderbookSkew;
using Momentum = TradeMomentum;
using Velocity = TickerVelocity;
using enum Group;

}  // namespace

template <class RowRule, class Field>
constexpr Setting::Setting(std::string_view row_name, RowRule row_rule, Group row_group, Field,
                           std::string_view row_help)
    : name(row_name),
      rule(row_rule),
      group(row_group),
      help(row_help),
      per_symbol(Field::kIsPerSymbol),
      live(Field::kIsLive),
      assign(config::assign<RowRule, Field>),
      text(as_text<RowRule, Field>),
      address([](Place place) -> const void* { return &Field::value(place); }) {}

namespace {

constexpr Setting kTable[]{
    {"NATS_URL", UrlList{}, nats, At<&Broker::urls>{},
     "Brokers, comma-separated; tls:// forces TLS, userinfo is treated as a secret."},
    {"NATS_CONSUMER_TOPIC", kPattern, nats, At<&Broker::subject>{},
     "Subject the market data arrives on; may use wildcards."},
    {"NATS_PUBLISHER_TOPIC", kOrderSubject, nats, At<&Delivery::subject>{},
     "Subject the orders are published to; a token {strategy} becomes the strategy's name."},
    {"NATS_CONSUMER_GROUP", kQueueGroup, nats, At<&Broker::queue_group>{},
     "Queue group that shares the frames among replicas; empty: every replica sees each."},
    {"NATS_CONSUMER_NAME", kConnectionName, nats, At<&Broker::consumer_name>{},
     "Connection name at the broker; the host name is appended."},
    {"NATS_JETSTREAM_DOMAIN", kTokenOrEmpty, nats, At<&Broker::jetstream_domain>{},
     "JetStream domain of the order log and the control log; empty: the broker's own."},
    {"NATS_USER", kCredential, nats, At<&Credentials::user, &Credentials::Text::value>{},
     "User name at the broker."},
    {"NATS_USER_FILE", kPath, nats, At<&Credentials::user, &Credentials::Text::file>{},
     "File with the user name, instead of NATS_USER."},
    {"NATS_PASSWORD", kCredential, nats, At<&Credentials::password, &Credentials::Text::value>{},
     "Password at the broker."},
    {"NATS_PASSWORD_FILE", kPath, nats, At<&Credentials::password, &Credentials::Text::file>{},
     "File with the password, instead of NATS_PASSWORD."},
    {"NATS_TOKEN", kCredential, nats, At<&Credentials::token, &Credentials::Text::value>{},
     "Token at the broker."},
    {"NATS_TOKEN_FILE", kPath, nats, At<&Credentials::token, &Credentials::Text::file>{},
     "File with the token, instead of NATS_TOKEN."},
    {"NATS_CREDS_FILE", kPath, nats, At<&Credentials::creds_file>{},
     "File with a user JWT and its seed (.creds)."},
    {"NATS_NKEY_SEED_FILE", kPath, nats, At<&Credentials::nkey_seed_file>{},
     "File with an NKey user seed."},
    {"NATS_TLS_CA_FILE", kPath, nats, At<&Credentials::tls_ca_file>{},
     "File with CA certificates the broker may be signed by, besides the system's; forces TLS."},
    {"NATS_TLS_CERT_FILE", kPath, nats, At<&Credentials::tls_cert_file>{},
     "File with the client certificate and its chain; forces TLS."},
    {"NATS_TLS_KEY_FILE", kPath, nats, At<&Credentials::tls_key_file>{},
     "File with the client certificate's key, without a passphrase; forces TLS."},

    {"TRADING_SYMBOLS", SymbolList{}, trading, At<&Engine::symbols>{},
     "Symbols that are traded; * = all that come, up to 512."},
    {"TRADING_ENABLE_SHORTS", Flag{}, trading, At<&Settings::enable_shorts>{},
     "Whether a SELL may open a SHORT; otherwise it can only close a LONG."},
    {"TRADING_LEVERAGE", Whole{1, 125}, trading, At<&OrderTerms::leverage>{},
     "Leverage written into each order."},
    {"TRADING_ORDER_NOTIONAL", kPositive, trading, PerSymbol<&SizeLimits::order>{},
     "What one order is worth, in quote currency."},
    {"TRADING_MIN_POSITION_SIZE", kPositive, trading, Live<&SizeLimits::minimum>{},
     "What an order is worth at least, in quote currency."},
    {"TRADING_MAX_POSITION_SIZE", kPositive, trading, Live<&SizeLimits::maximum>{},
     "What an order is worth at most, in quote currency."},
    {"TRADING_QUANTITY_STEP", StepSize{}, trading, At<&Instrument::quantity_step>{},
     "Step of order quantities, in base asset, for symbols without a step of their own."},
    {"TRADING_QUANTITY_STEPS", AmountList{"SYMBOL:step,…, or empty"}, trading,
     At<&Settings::quantity_steps>{}, "Steps of single symbols, in base asset."},
    {"TRADING_QUOTE_ASSETS", AssetList{}, trading, At<&Engine::quote_assets>{},
     "Quote assets whose symbols are traded: sizes are amounts of these."},
    {"TRADING_MIN_NOTIONALS", AmountList{"SYMBOL:amount,…, or empty"}, trading,
     At<&Settings::min_notionals>{},
     "What the venue takes at least for an order of a symbol, in quote currency."},
    {"TRADING_INSTRUMENTS_FILE", kFile, trading, At<&Settings::instruments_file>{},
     "File with the venue's exchangeInfo answer (spot or USD-M, up to 10 MiB): steps, least and "
     "largest orders and ticks of the symbols it lists, in place of the settings above; a "
     "symbol that is not TRADING there is not traded."},

    {"STRATEGY_ENABLED_ORDERBOOK_SKEW", Flag{}, orderbook_skew,
     PerSymbol<enabled<StrategyId::orderbook_skew>>{}, "Whether orderbook_skew looks at books."},
    {"ORDERBOOK_SKEW_TOP_LEVELS", Whole{1, 20}, orderbook_skew, PerSymbol<&Skew::top_levels>{},
     "Levels of each side whose quantities are added up."},
    {"ORDERBOOK_SKEW_BUY_THRESHOLD", kPositive, orderbook_skew, PerSymbol<&Skew::buy_threshold>{},
     "Bid volume over ask volume above which it buys."},
    {"ORDERBOOK_SKEW_SELL_THRESHOLD", kPositive, orderbook_skew, PerSymbol<&Skew::sell_threshold>{},
     "Bid volume over ask volume below which it sells."},
    {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", kAtLeastZero, orderbook_skew,
     PerSymbol<&Skew::min_spread_percent>{},
     "Spread below which it is silent, in percent of the best bid. The default is hundreds of "
     "times the usual spread of BTC, ETH and BNB against USDT; 0 wakes it there."},
    {"ORDERBOOK_SKEW_MAX_SPREAD_PERCENT", kAtLeastZero, orderbook_skew,
     PerSymbol<&Skew::max_spread_percent>{},
     "Spread above which it is silent, in percent; 0 = off."},

    {"STRATEGY_ENABLED_TRADE_MOMENTUM", Flag{}, trade_momentum,
     PerSymbol<enabled<StrategyId::trade_momentum>>{}, "Whether trade_momentum looks at trades."},
    {"TRADE_MOMENTUM_PRICE_WEIGHT", Real{0, 1}, trade_momentum,
     PerSymbol<&Momentum::price_weight>{},
     "Weight of the price score; the three weights sum to 1."},
    {"TRADE_MOMENTUM_QUANTITY_WEIGHT", Real{0, 1}, trade_momentum,
     PerSymbol<&Momentum::quantity_weight>{}, "Weight of the quantity score."},
    {"TRADE_MOMENTUM_MAKER_WEIGHT", Real{0, 1}, trade_momentum,
     PerSymbol<&Momentum::maker_weight>{}, "Weight of the aggressor's side."},
    {"TRADE_MOMENTUM_BUY_THRESHOLD", Real{-1, 1}, trade_momentum,
     PerSymbol<&Momentum::buy_threshold>{}, "Momentum above which it buys."},
    {"TRADE_MOMENTUM_SELL_THRESHOLD", Real{-1, 1}, trade_momentum,
     PerSymbol<&Momentum::sell_threshold>{}, "Momentum below which it sells."},
    {"TRADE_MOMENTUM_MIN_QUANTITY", kAtLeastZero, trade_momentum,
     PerSymbol<&Momentum::min_quantity>{}, "Smaller trades are passed over, in base asset."},
    {"TRADE_MOMENTUM_WINDOW", Whole{2, 10'000}, trade_momentum, PerSymbol<&Momentum::window>{},
     "Trades before it that a trade is measured against; also the warm-up."},
    {"TRADE_MOMENTUM_MAX_GAP_SECONDS", Whole{0, kDaySeconds}, trade_momentum,
     PerSymbol<&Momentum::max_gap>{},
     "Silence after which the trades before it no longer count, in seconds; 0 = off."},
    {"TRADE_MOMENTUM_PRICE_SCALE_PERCENT", kPositive, trade_momentum,
     PerSymbol<&Momentum::price_scale_percent>{},
     "Distance from the mean price that scores 1, in percent."},
    {"TRADE_MOMENTUM_QUANTITY_MULTIPLE", kPositive, trade_momentum,
     PerSymbol<&Momentum::quantity_multiple>{}, "Multiple of the mean quantity that scores 1."},

    {"STRATEGY_ENABLED_TICKER_VELOCITY", Flag{}, ticker_velocity,
     PerSymbol<enabled<StrategyId::ticker_velocity>>{},
     "Whether ticker_velocity looks at tickers."},
    {"TICKER_VELOCITY_TIME_WINDOW", Whole{1, 3600}, ticker_velocity,
     PerSymbol<&Velocity::time_window>{},
     "Window over which the velocity is measured, in seconds."},
    {"TICKER_VELOCITY_BUY_THRESHOLD", Real{}, ticker_velocity,
     PerSymbol<&Velocity::buy_threshold>{}, "Percent per minute above which it buys."},
    {"TICKER_VELOCITY_SELL_THRESHOLD", Real{}, ticker_velocity,
     PerSymbol<&Velocity::sell_threshold>{}, "Percent per minute below which it sells."},
    {"TICKER_VELOCITY_MIN_PRICE_CHANGE", kAtLeastZero, ticker_velocity,
     PerSymbol<&Velocity::min_price_change>{},
     "Change over the window below which it is silent, in percent."},

    {"SIGNAL_COOLDOWN_SECONDS", Whole{0, kDaySeconds}, risk, PerSymbol<&OrderTerms::cooldown>{},
     "Pause between two orders of one strategy, symbol and side; 0 = off."},
    {"SIGNAL_MIN_CONFIDENCE", Real{0, 1}, risk, PerSymbol<&OrderTerms::min_confidence>{},
     "Signals with less confidence are refused."},
    {"RISK_MAX_DAILY_SIGNALS", Whole{0, kMany}, risk, Live<&GateLimits::max_daily_signals>{},
     "Orders per strategy and UTC day; 0 = off."},
    {"RISK_MAX_ORDERS_PER_MINUTE", Whole{0, kMany}, risk,
     Live<&GateLimits::max_orders_per_minute>{},
     "Orders of all strategies per UTC minute; 0 = off."},
    {"RISK_PRICE_BAND_PERCENT", kAtLeastZero, risk, Live<&GateLimits::price_band_percent>{},
     "Distance from the last trade or ticker beyond which a price is refused; 0 = off."},
    {"RISK_STOP_LOSS_PERCENT", kPercentBelow100, risk, PerSymbol<&OrderTerms::stop_loss_percent>{},
     "Distance of the stop loss from the price, in percent."},
    {"RISK_TAKE_PROFIT_PERCENT", kPercentBelow100, risk,
     PerSymbol<&OrderTerms::take_profit_percent>{},
     "Distance of the take profit from the price, in percent."},

    {"ORDER_FORMAT", Choice{names_of<OrderFormat>}, orders, At<&Delivery::format>{},
     "JSON the orders are written in."},
    {"ORDER_DELIVERY", Choice{names_of<DeliveryMode>}, orders, At<&Delivery::mode>{},
     "How orders are delivered: core sends once and awaits an answer, jetstream stores each in the "
     "order log first."},
    {"ORDER_LOG_TOPIC", kLogSubject, orders, At<&StreamNeeds::subject>{},
     "Subject of the order log, the stream that stores each order before it is published; what is "
     "stored is heard on this subject with .stored behind it; jetstream only."},
    {"ORDER_TTL_SECONDS", Whole{1, kDaySeconds}, orders, At<&OrderTerms::ttl>{},
     "Life of an opening order from its event time, in seconds; it is never sent later."},
    {"ORDER_TTL_REDUCE_ONLY_SECONDS", Whole{1, kDaySeconds}, orders,
     At<&OrderTerms::reduce_only_ttl>{},
     "Life of a closing order from its event time, in seconds."},
    {"ORDER_ACK_TIMEOUT_MS", Whole{10, 60'000}, orders, At<&Delivery::ack_timeout>{},
     "How long an answer to an order is awaited, in milliseconds."},
    {"ORDER_SILENCE_LIMIT", Whole{0, 1000}, orders, At<&Delivery::silence_limit>{},
     "Orders in a row without an answer, of a TradeEngine that has confirmed one on this "
     "connection, that open the circuit breaker; core only; 0 = off."},
    {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", Whole{1, kMany}, orders,
     At<&Breaker::failure_threshold>{}, "Consecutive failures that open the circuit breaker."},
    {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", Whole{1, kMany}, orders, At<&Breaker::recovery_timeout>{},
     "Seconds after which an open circuit breaker tries again."},
    {"MESSAGE_TTL_SECONDS", Whole{0, 365 * kDaySeconds}, orders, At<&Engine::message_ttl>{},
     "Age at receipt beyond which an event is stale, in seconds; 0 = off."},

    {"HEALTH_CHECK_HOST", kAddress, operation, At<&ServerParameters::host>{},
     "Address the HTTP server listens on."},
    {"HEALTH_CHECK_PORT", Whole{0, 65'535}, operation, At<&ServerParameters::port>{},
     "Port the HTTP server listens on; 0 = any free one."},
    {"DRY_RUN_MODE", Flag{}, operation, At<&Delivery::dry_run>{},
     "Decide everything, publish nothing."},
    {"TRADING_PAUSED", Flag{}, operation, At<&Engine::paused>{},
     "Start paused: consume and count, order nothing."},
    {"LOG_LEVEL", Choice{kLogLevels, "WARN", "WARNING"}, operation, At<&LogParameters::level>{},
     "Least level that is logged."},
    {"LOG_FORMAT", Choice{kLogFormats}, operation, At<&LogParameters::format>{},
     "Form of the log; auto = json unless stdout is a terminal."},
    {"DEBUG_MODE", Flag{}, operation, At<&LogParameters::decisions>{},
     "LOG_LEVEL=DEBUG, and every decision is logged."},
    {"ENVIRONMENT", kNotEmpty, operation, At<&Settings::environment>{},
     "Name of the installation, shown in the log and at /info."},
    {"SHUTDOWN_TIMEOUT_SECONDS", Whole{1, 3600}, operation, At<&Settings::shutdown_timeout>{},
     "How long draining may take at shutdown, in seconds."},
    {"CONTROL_TOPIC", kSubjectOrEmpty, operation, At<&Broker::control_subject>{},
     "Subject of pause and resume commands; empty = off."},
    {"CONTROL_BUCKET", kBucketOrEmpty, operation, At<&Broker::control_bucket>{},
     "Key-value bucket of pauses and changed settings, which outlive the process; empty = off."},
    {"ALLOW_UNKNOWN_ENV", Flag{}, operation, At<&Settings::allow_unknown_env>{},
     "Warn of unknown environment variables with our prefixes instead of refusing them."},
};

constexpr bool names_are_unique() {
  for (std::size_t i = 0; i < std::size(kTable); ++i) {
    for (std::size_t j = i + 1; j < std::size(kTable); ++j) {
      if (kTable[i].name == kTable[j].name) return false;
    }
  }
  return true;
}
static_assert(names_are_unique(), "a setting is in the table twice");

// What a rule accepts, in words.
template <class Rule>
std::string words_of(const Rule& rule) {
  return std::string(rule.accepted);
}
std::string words_of(const Whole& rule) {
  return fmt::format("a whole number from {} to {}", rule.min, rule.max);
}
std::string words_of(const Real& rule) {
  if (!std::isfinite(rule.min) && !std::isfinite(rule.max)) return "a number";
  const std::string below = fmt::format("{} {}", rule.excludes_min ? ">" : ">=", rule.min);
  if (!std::isfinite(rule.max)) return "a number " + below;
  return fmt::format("a number {} and {} {}", below, rule.excludes_max ? "<" : "<=", rule.max);
}
std::string words_of(const Choice& rule) {
  const auto but_the_last = rule.values.first(rule.values.size() - 1);
  return fmt::format("{} or {}", fmt::join(but_the_last, ", "), rule.values.back());
}

}  // namespace

std::optional<Symbol> parse_symbol(std::string_view text) noexcept {
  constexpr std::string_view kSlips = ";:*";  // separators and the pattern
  constexpr std::string_view kBlankThatDoesNotBreak = "\xC2\xA0";
  const bool slip = !Symbol::may_name(text) ||
                    text.find_first_of(kSlips) != std::string_view::npos ||
                    text.find(kBlankThatDoesNotBreak) != std::string_view::npos;
  return slip || !is_plain_text(text) ? std::nullopt : Symbol::from(text);
}

bool is_subject(std::string_view text) {
  return is_pattern(text) && text.find_first_of("*>") == std::string_view::npos;
}

std::span<const Setting> table() noexcept { return kTable; }

const Setting& setting_of(Member member) {
  static Settings made;  // once; nothing is ever written into it
  const Place place{made, made.engine.defaults};
  const auto* const row = std::ranges::find_if(
      kTable, [&](const Setting& setting) { return setting.address(place) == member(place); });
  assert(row != std::end(kTable));
  return *row;
}

std::string Setting::default_text() const {
  Settings made;
  return text(rule, {made, made.engine.defaults});
}

std::string accepted_values(const Setting& setting) {
  return std::visit([](const auto& rule) { return words_of(rule); }, setting.rule);
}

std::string_view title(Group group) noexcept {
  constexpr std::array<std::string_view, count_of<Group>> kTitles{
      "NATS",           "Trading",         "Order-book skew",
      "Trade momentum", "Ticker velocity", "Signals and risk",
      "Orders",         "Operation"};
  return kTitles[index_of(group)];
}

std::string_view to_string(Origin origin) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"default", "environment", "flag", "control log"};
  return kNames[static_cast<std::size_t>(origin)];
}

}  // namespace rts::config
