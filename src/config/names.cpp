#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>
#include <vector>

#include <rts/base/text.hpp>
#include <rts/config/names.hpp>
#include <rts/config/settings.hpp>

namespace rts::config {

const Setting* find(std::string_view name) noexcept {
  const auto rows = table();
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const Setting& setting) { return setting.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

std::string flag_name(const Setting& setting) {
  std::string flag = "--" + to_lower(setting.name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string name_for(const Setting& setting, const Symbol& symbol) {
  return std::string(setting.name).append(kSymbolMark).append(symbol.text());
}

const Setting* find_of_any_symbol(std::string_view name) noexcept {
  return find(name.substr(0, name.find(kSymbolMark)));
}

std::string Value::name() const {
  return symbol ? name_for(*setting, *symbol) : std::string(setting->name);
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

namespace {

// A variable that begins with one of these is meant for us; if we do not know it, it is misspelt.
constexpr std::string_view kPrefixes =
    "NATS_ TRADING_ STRATEGY_ ORDERBOOK_SKEW_ TRADE_MOMENTUM_ TICKER_VELOCITY_ SIGNAL_ RISK_ "
    "ORDER_ CIRCUIT_BREAKER_ MESSAGE_TTL HEALTH_CHECK_ SHUTDOWN_TIMEOUT DRY_RUN DEBUG_MODE "
    "LOG_LEVEL LOG_FORMAT CONTROL_TOPIC";

constexpr std::string_view kNothingToTune =
    "There is nothing to tune: one thread takes each frame as it comes.";

// Names between blanks, and what to do instead, as a sentence.
struct Retired {
  std::string_view names, instead;
};
// Source: constants.py, main.py and k8s/ of the public PetroSa2/petrosa-realtime-strategies, all of
// its versions.
constexpr Retired kRetired[] = {
    {"NATS_TOPIC_INTENTS", "Use NATS_PUBLISHER_TOPIC."},
    {"NATS_ENABLED", "It always is."},
    {"NATS_CONSUMER_QUEUE_SIZE NATS_CONSUMER_WORKERS NATS_PENDING_MSGS_LIMIT "
     "NATS_PENDING_BYTES_LIMIT",
     kNothingToTune},
    {"MONGODB_URI MONGODB_DATABASE MONGODB_TIMEOUT_MS CONFIG_RATE_LIMIT_PER_AGENT "
     "CONFIG_RATE_LIMIT_COOLDOWN",
     "Settings come from flags and the environment, also per symbol (NAME__SYMBOL); no database."},
    {"STRATEGY_ENABLED_BTC_DOMINANCE STRATEGY_ENABLED_CROSS_EXCHANGE_SPREAD "
     "STRATEGY_ENABLED_ONCHAIN_METRICS STRATEGY_ENABLED_SPREAD_LIQUIDITY "
     "STRATEGY_ENABLED_ICEBERG_DETECTOR BTC_DOMINANCE_HIGH_THRESHOLD "
     "BTC_DOMINANCE_LOW_THRESHOLD BTC_DOMINANCE_CHANGE_THRESHOLD BTC_DOMINANCE_WINDOW_HOURS "
     "BTC_DOMINANCE_MIN_SIGNAL_INTERVAL SPREAD_THRESHOLD_PERCENT SPREAD_MIN_SIGNAL_INTERVAL "
     "SPREAD_MAX_POSITION_SIZE SPREAD_EXCHANGES ONCHAIN_NETWORK_GROWTH_THRESHOLD "
     "ONCHAIN_VOLUME_THRESHOLD ONCHAIN_MIN_SIGNAL_INTERVAL",
     "This service has no such strategy; its three are switched by STRATEGY_ENABLED_…."},
    {"STRATEGY_WEIGHT_ORDERBOOK_SKEW STRATEGY_WEIGHT_TRADE_MOMENTUM "
     "STRATEGY_WEIGHT_TICKER_VELOCITY",
     "Each strategy orders by itself; nothing is weighed."},
    {"TRADING_QUANTITY_PERCENT",
     "Nobody here knows a balance: use TRADING_ORDER_NOTIONAL, an amount of the quote currency."},
    {"RISK_MAX_CONCURRENT_POSITIONS RISK_MAX_DRAWDOWN_PERCENT",
     "Positions are the TradeEngine's; RISK_MAX_DAILY_SIGNALS and RISK_MAX_ORDERS_PER_MINUTE bound "
     "orders."},
    {"SIGNAL_CONFIDENCE_HIGH SIGNAL_CONFIDENCE_MEDIUM SIGNAL_CONFIDENCE_LOW",
     "Use SIGNAL_MIN_CONFIDENCE."},
    {"DEFAULT_ORDER_TYPE DEFAULT_TIME_IN_FORCE", "Orders are MARKET and GTC."},
    {"ENABLED_STREAM_TYPES", "Use STRATEGY_ENABLED_…: each strategy reads one kind."},
    {"TRADEENGINE_URL TA_BOT_URL DATA_MANAGER_URL",
     "No other service is asked whether settings agree; `check` and `set` judge them here."},
    {"TRADEENGINE_API_URL", "Orders go by NATS: use NATS_PUBLISHER_TOPIC."},
    {"TRADEENGINE_API_TIMEOUT TRADEENGINE_API_RETRY_ATTEMPTS TRADEENGINE_API_RETRY_DELAY "
     "CIRCUIT_BREAKER_EXPECTED_EXCEPTION MESSAGE_MAX_RETRIES MESSAGE_RETRY_DELAY",
     "Nothing is tried twice by itself; ORDER_ACK_TIMEOUT_MS and CIRCUIT_BREAKER_… bound a "
     "failure."},
    {"MESSAGE_PROCESSING_TIMEOUT BATCH_SIZE BATCH_TIMEOUT", kNothingToTune},
    {"MAX_MEMORY_MB MAX_CPU_PERCENT",
     "Use the container's limits; docs/DEPLOYMENT.md has the figures."},
    {"VALIDATE_MESSAGES VALIDATE_ORDERS VALIDATE_SYMBOLS", "What comes in is always validated."},
    {"SIMULATION_MODE", "Nothing is simulated by it: use DRY_RUN_MODE."},
    {"HEALTH_CHECK_INTERVAL READINESS_PROBE_INTERNAL_DEADLINE_SECONDS "
     "HEALTHZ_PROBE_INTERNAL_DEADLINE_SECONDS",
     "Probes are answered at once, whenever they ask."},
    {"HEARTBEAT_ENABLED HEARTBEAT_INTERVAL_SECONDS HEARTBEAT_INCLUDE_DETAILED_STATS "
     "PROMETHEUS_ENABLED PROMETHEUS_PORT",
     "Counters are at /metrics, on HEALTH_CHECK_PORT."},
    {"ENABLE_OTEL",
     "Nothing is exported by OTLP; traceparent is passed on. Counters are at /metrics."},
    {"LOG_LEVEL_STRATEGIES LOG_LEVEL_NATS LOG_LEVEL_HTTP",
     "Use LOG_LEVEL, for all of the service."},
    {"TELEMETRY_SHUTDOWN_TIMEOUT_SECONDS TELEMETRY_CALL_TIMEOUT_SECONDS "
     "SHUTDOWN_WATCHDOG_SECONDS COMPONENT_STOP_TIMEOUT_SECONDS",
     "Use SHUTDOWN_TIMEOUT_SECONDS, for all of it."},
};

bool has_our_prefix(std::string_view name) {
  static const auto kEach = split(kPrefixes, ' ');
  return std::any_of(kEach.begin(), kEach.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// What Kubernetes sets for each Service of the namespace: NATS_SERVICE_HOST, NATS_PORT,
// NATS_SERVICE_PORT_CLIENT, NATS_PORT_4222_TCP_ADDR.
bool is_service_link(std::string_view name, std::string_view value) noexcept {
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") ||
      name.find("_SERVICE_PORT_") != std::string_view::npos) {
    return true;
  }
  if (name.ends_with("_PORT") && value.find("://") != std::string_view::npos) return true;
  const std::size_t port = name.find("_PORT_");
  if (port == std::string_view::npos) return false;
  const std::string_view rest = name.substr(port + 6);
  const std::size_t digits = rest.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos) return false;
  const std::string_view protocol = rest.substr(digits);
  return protocol.starts_with("_TCP") || protocol.starts_with("_UDP") ||
         protocol.starts_with("_SCTP");
}

constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();

// Which of ours it is but for the case or one or two typing errors; empty when none.
std::string_view slip_of(std::string_view name) {
  constexpr std::size_t kShortName = 8;
  std::size_t least = kMost;
  std::string_view nearest;
  for (const Setting& setting : table()) {
    const std::string_view ours = setting.name;
    if (same_but_for_case(name, ours)) return ours;
    const std::size_t most = ours.size() <= kShortName ? 1 : 2;
    const std::size_t longer = std::max(name.size(), ours.size());
    if (longer - std::min(name.size(), ours.size()) > most) continue;  // spares the counting
    const std::size_t distance = edit_distance(name, ours);
    if (distance > most || distance >= least) continue;
    least = distance;
    nearest = ours;
  }
  return nearest;
}

// Of a name that is no slip, because a word was left out (ORDERBOOK_SKEW_MIN_SPRED,
// CIRCUIT_BREAKER_THRESHOLD): by the letters that are not found in ours.
std::string_view nearest_name(std::string_view name) {
  std::pair least(kMost, kMost);
  std::string_view nearest;
  for (const Setting& setting : table()) {
    const std::size_t missing = edit_distance(name, setting.name, 0);
    if (missing > least.first) continue;
    const std::pair rank(missing, edit_distance(name, setting.name));
    if (rank >= least) continue;
    least = rank;
    nearest = setting.name;
  }
  return nearest;
}

}  // namespace

NameMeaning meaning_of(std::string_view name, std::string_view value) {
  assert(find(name) == nullptr);
  static const auto kEach = retired_names();
  for (const auto& [retired, instead] : kEach) {
    if (name == retired) return {NameKind::retired, std::string(instead)};
  }
  if (is_service_link(name, value)) return {};
  // A symbol that follows is no part of the name.
  const std::size_t mark = std::min(name.find(kSymbolMark), name.size());
  const std::string_view base = name.substr(0, mark);
  std::string_view nearest = slip_of(base);
  if (nearest.empty() && has_our_prefix(base)) nearest = nearest_name(base);
  if (nearest.empty()) return {};
  const bool with_symbol = find(nearest)->per_symbol;
  return {NameKind::misspelt,
          std::string(nearest).append(with_symbol ? name.substr(mark) : std::string_view{})};
}

std::vector<RetiredName> retired_names() {
  std::vector<RetiredName> rows;
  for (const auto& [names, instead] : kRetired) {
    for (const std::string_view name : split(names, ' ')) rows.push_back({name, instead});
  }
  return rows;
}

}  // namespace rts::config
