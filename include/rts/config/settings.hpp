// Settings: what every part is told, and the one declarative table it comes from. Parsing, --help,
// docs/CONFIGURATION.md, the Kubernetes ConfigMap, /info and the tests are walks over this table.
// Nothing here reads the environment: names and values are passed in.
#pragma once

#include <chrono>
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
#include <rts/base/enum_names.hpp>
#include <rts/base/result.hpp>
#include <rts/base/symbol.hpp>
#include <rts/config/parameters.hpp>
#include <rts/engine/parameters.hpp>
#include <rts/trading/delivery.hpp>
#include <rts/trading/stream_plan.hpp>
#include <rts/wire/control_log.hpp>
#include <rts/wire/instruments.hpp>

namespace rts::config {

struct SymbolAmount {
  Symbol symbol;
  Decimal amount;  // > 0
};

// The parameters of every part. The values they are made with are the defaults of the settings;
// load() writes what is given into them, and then fills in what follows from several settings.
struct Settings {
  BrokerParameters broker{.urls = {Secret("nats://localhost:4222")},
                          .consumer_name = "realtime-strategies",
                          .subject = "binance.websocket.data",
                          .queue_group = "realtime-strategies-group",
                          .control_subject = "realtime-strategies.control",
                          .control_bucket = "realtime-strategies"};
  // per_symbol: every symbol that the settings or the venue's answer say something of.
  EngineParameters engine{
      .symbols = {*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT"), *Symbol::from("BNBUSDT")}};
  DeliveryParameters delivery;
  StreamNeeds stream{.subject = std::string(kOrderLogSubject)};  // of the order log
  ServerParameters server;
  LogParameters log;

  bool enable_shorts = true;
  std::vector<SymbolAmount> quantity_steps{{*Symbol::from("BTCUSDT"), *Decimal::parse("0.001")},
                                           {*Symbol::from("ETHUSDT"), *Decimal::parse("0.001")},
                                           {*Symbol::from("BNBUSDT"), *Decimal::parse("0.01")}};
  std::vector<SymbolAmount> min_notionals{{*Symbol::from("BTCUSDT"), *Decimal::parse("100")},
                                          {*Symbol::from("ETHUSDT"), *Decimal::parse("20")},
                                          {*Symbol::from("BNBUSDT"), *Decimal::parse("5")}};
  std::string instruments_file;
  // Of that file, those of `symbols`; all of our quote assets where that is empty.
  std::vector<wire::ListedInstrument> instruments;

  std::string environment = "production";
  std::chrono::seconds shutdown_timeout{20};
  bool allow_unknown_env = false;
};

// What an engine is told that runs by this clock.
[[nodiscard]] EngineParameters engine_parameters(const Settings& settings, Clock clock);

// --- The table's vocabulary: what a value may be. -----------------------------------------------

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

struct Flag {
  std::string_view accepted = "true or false";
};
struct Whole {
  std::int64_t min, max;  // both included; of a duration in the unit that its type has
};
struct Real {
  double min = -kUnbounded, max = kUnbounded;
  bool excludes_min = false, excludes_max = false;
};
struct Choice {
  std::span<const std::string_view> values;    // by the number of the enumerator
  std::string_view alias = {}, alias_of = {};  // accepted too, for one of the values
};
struct Text {
  std::string_view accepted;  // in words; besides, there is no control character in a value
  bool (*accepts)(std::string_view text);
};
struct StepSize {
  std::string_view accepted = "a decimal > 0 of up to 18 digits";
};
struct SymbolList {
  std::string_view accepted = "* or SYMBOL,SYMBOL,… (up to 512)";
};
struct AmountList {
  std::string_view accepted;
};
struct AssetList {
  static constexpr std::size_t kMaxAssets = 16;
  std::string_view accepted = "ASSET,ASSET,… (up to 16)";
};
struct UrlList {
  std::string_view accepted = "host:port, nats://host:port or tls://host:port, comma-separated";
};
// Never shown, without a flag; empty: not set.
struct Confidential {
  std::string_view accepted;
  bool (*accepts)(std::string_view text);
};
using Rule = std::variant<Flag, Whole, Real, Choice, Text, StepSize, SymbolList, AmountList,
                          AssetList, UrlList, Confidential>;

BOOST_DEFINE_FIXED_ENUM_CLASS(Group, std::uint8_t, nats, trading, orderbook_skew, trade_momentum,
                              ticker_velocity, risk, orders, operation)
[[nodiscard]] std::string_view title(Group group) noexcept;

// Where a row's value is: in the settings, or in the parameters of one symbol, which may then have
// a value of its own, as NAME__SYMBOL.
struct Place {
  Settings& settings;
  SymbolParameters& symbol;
};

struct Setting {
  // A row of the table, with the field that its value is in. For table.cpp.
  template <class RowRule, class Field>
  constexpr Setting(std::string_view name, RowRule rule, Group group, Field, std::string_view help);

  std::string_view name;  // of the environment variable; the flag is --its-kebab-case
  Rule rule;
  Group group;
  std::string_view help;  // one sentence with the unit
  bool per_symbol;
  bool live;  // the control log may change it while the service runs
  // Takes the value over; false when the rule does not accept the text.
  bool (*assign)(const Rule& rule, std::string_view text, Place place);
  // The value as text; of a secret only whether there is one.
  std::string (*text)(const Rule& rule, Place place);
  const void* (*address)(Place place);  // of the value

  [[nodiscard]] bool is_secret() const noexcept {
    return std::holds_alternative<Confidential>(rule);
  }
  // The value that Settings are made with.
  [[nodiscard]] std::string default_text() const;
};

[[nodiscard]] std::span<const Setting> table() noexcept;
[[nodiscard]] const Setting* find(std::string_view name) noexcept;
// Likewise of NAME__SYMBOL, whatever stands for the symbol.
[[nodiscard]] const Setting* find_of_any_symbol(std::string_view name) noexcept;
// The row of a value, by where it is:
// setting_of([](Place in) -> const void* { return &in.symbol.terms.cooldown; }).
using Member = const void* (*)(Place place);
[[nodiscard]] const Setting& setting_of(Member member);
// "TRADING_SYMBOLS" → "--trading-symbols".
[[nodiscard]] std::string flag_name(const Setting& setting);

// A symbol as somebody writes it: what looks like a separator, a pattern or another venue's
// spelling (BTC/USDT) is a slip, and so is a quote, a blank or a control character.
[[nodiscard]] std::optional<Symbol> parse_symbol(std::string_view text) noexcept;
// A NATS subject without wildcards: tokens between dots, none empty, no whitespace.
[[nodiscard]] bool is_subject(std::string_view text);

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

enum class Origin : std::uint8_t { fallback, environment, flag, control_log };
// "default", "environment", "flag", "control log".
[[nodiscard]] std::string_view to_string(Origin origin) noexcept;

using Given = wire::GivenValue;

// An effective value: of a row of the table, or what one symbol has of its own instead.
struct Value {
  const Setting* setting;
  std::optional<Symbol> symbol;
  std::string
      text;  // what may be shown of it: "***" for a secret that is set, urls without userinfo
  Origin origin = Origin::fallback;
  bool redacted = false;  // the text is not all of the value

  [[nodiscard]] std::string name() const;  // NAME, or NAME__SYMBOL
};

struct Configuration {
  Settings settings;
  std::vector<Value> values;  // by row of the table; behind a row's those of symbols, by name
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

// What an engine of this configuration is told while the control log has these values, all of
// them, each with the name of a live setting or NAME__SYMBOL. They beat flag, environment and
// default; a symbol's own value still beats that for all of them. The clock is left to the caller.
// Either all are accepted, or everything that is wrong is said, as load() does.
[[nodiscard]] Result<EngineParameters, Problems> with_live_values(
    const Configuration& configuration, std::span<const Given> values);

}  // namespace rts::config
