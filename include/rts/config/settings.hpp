// Settings: the typed values, and the one declarative table they come from. Parsing, --help,
// docs/CONFIGURATION.md, the Kubernetes ConfigMap, /info and the tests are walks over this table.
// Nothing here reads the environment: names and values are passed in.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <rts/base/decimal.hpp>
#include <rts/base/result.hpp>
#include <rts/base/secret.hpp>
#include <rts/base/symbol.hpp>
#include <rts/engine/parameters.hpp>
#include <rts/trading/delivery.hpp>
#include <rts/trading/order.hpp>
#include <rts/wire/instruments.hpp>

namespace rts::config {

// The values that a symbol may have of its own; units are in the names.
struct SymbolSettings {
  double order_notional = 0;

  bool orderbook_skew_enabled = true, trade_momentum_enabled = true, ticker_velocity_enabled = true;
  std::int64_t skew_top_levels = 0;
  double skew_buy_threshold = 0, skew_sell_threshold = 0;
  double skew_min_spread_percent = 0, skew_max_spread_percent = 0;
  double momentum_price_weight = 0, momentum_quantity_weight = 0, momentum_maker_weight = 0;
  double momentum_buy_threshold = 0, momentum_sell_threshold = 0, momentum_min_quantity = 0;
  std::int64_t momentum_window = 0, momentum_max_gap_seconds = 0;
  double momentum_price_scale_percent = 0, momentum_quantity_multiple = 0;
  std::int64_t velocity_time_window_seconds = 0;
  double velocity_buy_threshold = 0, velocity_sell_threshold = 0, velocity_min_price_change = 0;

  std::int64_t cooldown_seconds = 0;
  double min_confidence = 0;
  double stop_loss_percent = 0, take_profit_percent = 0;
};

struct NamedSymbolSettings {
  Symbol symbol;
  SymbolSettings values;
};

struct SymbolAmount {
  Symbol symbol;
  Decimal amount;  // > 0
};

// The value of every setting; units are in the names. Filled from the table's defaults by load().
struct Settings : SymbolSettings {
  std::vector<Secret> nats_urls;  // they may hold userinfo
  std::string consumer_topic, publisher_topic, consumer_group, consumer_name;
  Secret nats_user, nats_password, nats_token;                 // as values, or
  Secret nats_user_file, nats_password_file, nats_token_file;  // in files
  Secret nats_creds_file, nats_nkey_seed_file;
  Secret nats_tls_ca_file, nats_tls_cert_file, nats_tls_key_file;

  std::vector<Symbol> symbols;  // empty = all
  bool enable_shorts = true;
  std::int64_t leverage = 1;
  double min_position_size = 0, max_position_size = 0;
  Decimal quantity_step;
  std::vector<SymbolAmount> quantity_steps, min_notionals;
  std::vector<std::string> quote_assets;
  std::string instruments_file;

  std::int64_t max_daily_signals = 0, max_orders_per_minute = 0;
  double price_band_percent = 0;

  std::string order_format, order_delivery;
  std::int64_t order_ttl_seconds = 0, order_ttl_reduce_only_seconds = 0, order_ack_timeout_ms = 0;
  std::int64_t order_silence_limit = 0;
  std::int64_t breaker_failure_threshold = 0, breaker_recovery_timeout_seconds = 0;
  std::int64_t message_ttl_seconds = 0;

  std::string health_host;
  std::int64_t health_port = 0;
  bool dry_run = false, trading_paused = false;
  std::string log_level, log_format;
  bool debug_mode = false;
  std::string environment, control_topic;
  std::int64_t shutdown_timeout_seconds = 0;
  bool allow_unknown_env = false;

  std::vector<NamedSymbolSettings> per_symbol;  // all values of each symbol that has one of its own
  // Of TRADING_INSTRUMENTS_FILE, those of `symbols`; all of our quote assets where that is empty.
  std::vector<wire::ListedInstrument> instruments;
};

// --- The table's vocabulary: what a value may be, and where it goes. ----------------------------

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

struct Flag {
  bool Settings::*member;
};
struct Whole {
  std::int64_t Settings::*member;
  std::int64_t min, max;  // both included
};
struct Real {
  double Settings::*member;
  double min = -kUnbounded, max = kUnbounded;
  bool excludes_min = false, excludes_max = false;
};
struct Alias {
  std::string_view alias, value;
};
struct Choice {
  std::string Settings::*member;
  std::span<const std::string_view> values;
  std::span<const Alias> aliases = {};  // accepted too, for one of the values
};
struct Text {
  std::string Settings::*member;
  enum class Form : std::uint8_t {
    any,
    not_empty,
    address,          // IPv4 or IPv6
    connection_name,  // printable ASCII without quotes and backslash: it goes into the handshake
    group,            // no blanks; may be empty
    order_subject,    // no wildcards; one token may be {strategy}
    pattern,          // a subject that may have wildcards
    subject_or_empty,
    file,  // a path; may be empty
  } form;
};
struct StepSize {
  Decimal Settings::*member;
};
struct SymbolList {
  std::vector<Symbol> Settings::*member;
};
// SYMBOL:amount,…
struct AmountList {
  std::vector<SymbolAmount> Settings::*member;
  std::string_view amount;  // what it is called
};
struct AssetList {
  std::vector<std::string> Settings::*member;
  static constexpr std::size_t kMaxAssets = 16;
};
struct UrlList {
  std::vector<Secret> Settings::*member;
};
// Never shown, without a flag; empty: not set.
struct Confidential {
  Secret Settings::*member;
  enum class Form : std::uint8_t { credential, path } form;
};
using Rule = std::variant<Flag, Whole, Real, Choice, Text, StepSize, SymbolList, AmountList,
                          AssetList, UrlList, Confidential>;

enum class Group : std::uint8_t {
  nats,
  trading,
  orderbook_skew,
  trade_momentum,
  ticker_velocity,
  risk,
  orders,
  operation,
};
[[nodiscard]] std::string_view title(Group group) noexcept;

// Whether a symbol may have a value of its own, as NAME__SYMBOL.
enum class Scope : std::uint8_t { all_symbols, per_symbol };

struct Setting {
  std::string_view name;      // of the environment variable; the flag is --its-kebab-case
  std::string_view fallback;  // the default, as text
  Rule rule;
  Group group;
  std::string_view help;             // one sentence with the unit
  Scope scope = Scope::all_symbols;  // per_symbol: its member is one of SymbolSettings

  [[nodiscard]] bool is_secret() const noexcept {
    return std::holds_alternative<Confidential>(rule);
  }
  [[nodiscard]] bool is_per_symbol() const noexcept { return scope == Scope::per_symbol; }
};

[[nodiscard]] std::span<const Setting> table() noexcept;
[[nodiscard]] const Setting* find(std::string_view name) noexcept;
// "TRADING_SYMBOLS" → "--trading-symbols".
[[nodiscard]] std::string flag_name(const Setting& setting);

// Between a setting's name and the symbol that it is given for: TRADING_ORDER_NOTIONAL__BTCUSDT, or
// --trading-order-notional--btcusdt. The name has to be written as it is, the symbol may be in any
// case.
inline constexpr std::string_view kSymbolMark = "__";
inline constexpr std::string_view kFlagSymbolMark = "--";
[[nodiscard]] std::string name_for(const Setting& setting, const Symbol& symbol);

// The setting that a flag is of, and the name it gives a value to as load() takes it:
// "--trading-order-notional--btcusdt" → TRADING_ORDER_NOTIONAL, "TRADING_ORDER_NOTIONAL__btcusdt".
struct FlagTarget {
  const Setting* setting;
  std::string name;
};
[[nodiscard]] std::optional<FlagTarget> find_flag(std::string_view flag);

// "1 … 20", "> 0", "core or jetstream".
[[nodiscard]] std::string accepted_values(const Setting& setting);

// --- Loading ------------------------------------------------------------------------------------

enum class Origin : std::uint8_t { fallback, environment, flag };
[[nodiscard]] std::string_view to_string(
    Origin origin) noexcept;  // "default", "environment", "flag"

struct Given {
  std::string name;
  std::string value;
};

// A value that one symbol has of its own.
struct SymbolValue {
  std::size_t row;  // of the table
  Symbol symbol;
  std::string value;
  Origin origin;
};

struct Configuration {
  Settings settings;
  // What may be shown of the effective values, by table index: "***" for a secret that is set, urls
  // without their userinfo.
  std::vector<std::string> values;
  std::vector<bool> redacted;                  // by table index: the value is not shown whole
  std::vector<Origin> origins;                 // by table index
  std::vector<SymbolValue> symbol_values;      // by row, then by symbol
  std::vector<std::string> warnings;           // of what decides
  std::vector<std::string> delivery_warnings;  // of how a running service shares and sends
};

// Everything that is wrong, at once, one line each: name, value (never a secret's), accepted range,
// what to do.
using Problems = std::vector<std::string>;

// Reads the file that a setting names: its content, or why there is none as a sentence's end
// ("cannot be read: No such file or directory"). At most `max_bytes`; more is a failure.
using ReadFile =
    std::function<Result<std::string, std::string>(const std::string& path, std::size_t max_bytes)>;

// Flag beats environment beats default; a symbol's own value beats all of these. The environment
// may hold anything; names that are not ours are passed over, names that look like ours but are
// unknown are problems. Without `read_file`, for commands that decide nothing, the file that
// TRADING_INSTRUMENTS_FILE names is left unread.
[[nodiscard]] Result<Configuration, Problems> load(std::span<const Given> environment,
                                                   std::span<const Given> flags,
                                                   const ReadFile& read_file = {});

[[nodiscard]] EngineParameters engine_parameters(const Settings& settings, Clock clock);
[[nodiscard]] OrderFormat order_format(const Settings& settings) noexcept;
[[nodiscard]] DeliveryMode delivery_mode(const Settings& settings) noexcept;
// Whether ENVIRONMENT is production: made-up frames are refused there.
[[nodiscard]] bool is_production(const Settings& settings) noexcept;
// How long after its event an order may still be sent: the longer ORDER_TTL.
[[nodiscard]] std::chrono::seconds order_life(const Settings& settings) noexcept;

// "nats://user:pass@host:4222" → "nats://***@host:4222".
[[nodiscard]] std::string without_userinfo(std::string_view url);

}  // namespace rts::config
