#include <algorithm>
#include <array>
#include <tuple>
#include <vector>

#include <rts/base/text.hpp>
#include <rts/config/names.hpp>
#include <rts/config/settings.hpp>

namespace rts::config {
namespace {

// A variable that begins so is meant for us; if we do not know it, it is misspelt.
constexpr std::array<std::string_view, 18> kPrefixes{"NATS_",
                                                     "TRADING_",
                                                     "STRATEGY_",
                                                     "ORDERBOOK_SKEW_",
                                                     "TRADE_MOMENTUM_",
                                                     "TICKER_VELOCITY_",
                                                     "SIGNAL_",
                                                     "RISK_",
                                                     "ORDER_",
                                                     "CIRCUIT_BREAKER_",
                                                     "MESSAGE_TTL",
                                                     "HEALTH_CHECK_",
                                                     "SHUTDOWN_TIMEOUT",
                                                     "DRY_RUN",
                                                     "DEBUG_MODE",
                                                     "LOG_LEVEL",
                                                     "LOG_FORMAT",
                                                     "CONTROL_TOPIC"};

constexpr std::string_view kNoSuchStrategy =
    "This service has no such strategy; its three are switched by STRATEGY_ENABLED_….";
constexpr std::string_view kNothingToTune =
    "There is nothing to tune: one thread takes each frame as it comes.";
constexpr std::string_view kFromTheEnvironment =
    "Settings come from flags and the environment, also per symbol (NAME__SYMBOL); no database.";
constexpr std::string_view kNeverTwice =
    "Nothing is tried twice by itself; ORDER_ACK_TIMEOUT_MS and CIRCUIT_BREAKER_… bound a failure.";
constexpr std::string_view kAlwaysValidated = "What comes in is always validated.";
constexpr std::string_view kMetrics = "Counters are at /metrics, on HEALTH_CHECK_PORT.";
constexpr std::string_view kContainerLimits =
    "Use the container's limits; docs/DEPLOYMENT.md has the figures.";
constexpr std::string_view kLogLevel = "Use LOG_LEVEL, for all of the service.";
constexpr std::string_view kPositions =
    "Positions are the TradeEngine's; RISK_MAX_DAILY_SIGNALS and RISK_MAX_ORDERS_PER_MINUTE bound "
    "orders.";
constexpr std::string_view kConfidence = "Use SIGNAL_MIN_CONFIDENCE.";
constexpr std::string_view kShutdown = "Use SHUTDOWN_TIMEOUT_SECONDS, for all of it.";
constexpr std::string_view kNoWeights = "Each strategy orders by itself; nothing is weighed.";
constexpr std::string_view kMarketOrders = "Orders are MARKET and GTC.";
constexpr std::string_view kByNats = "Orders go by NATS: use NATS_PUBLISHER_TOPIC.";
constexpr std::string_view kProbes = "Probes are answered at once, whenever they ask.";

// Source: constants.py, main.py and k8s/ of the public PetroSa2/petrosa-realtime-strategies, all of
// its versions.
constexpr std::array kRetired{
    RetiredName{"NATS_TOPIC_INTENTS", "Use NATS_PUBLISHER_TOPIC."},
    RetiredName{"NATS_ENABLED", "It always is."},
    RetiredName{"NATS_CONSUMER_QUEUE_SIZE", kNothingToTune},
    RetiredName{"NATS_CONSUMER_WORKERS", kNothingToTune},
    RetiredName{"NATS_PENDING_MSGS_LIMIT", kNothingToTune},
    RetiredName{"NATS_PENDING_BYTES_LIMIT", kNothingToTune},
    RetiredName{"MONGODB_URI", kFromTheEnvironment},
    RetiredName{"MONGODB_DATABASE", kFromTheEnvironment},
    RetiredName{"MONGODB_TIMEOUT_MS", kFromTheEnvironment},
    RetiredName{"CONFIG_RATE_LIMIT_PER_AGENT", kFromTheEnvironment},
    RetiredName{"CONFIG_RATE_LIMIT_COOLDOWN", kFromTheEnvironment},
    RetiredName{"STRATEGY_ENABLED_BTC_DOMINANCE", kNoSuchStrategy},
    RetiredName{"STRATEGY_ENABLED_CROSS_EXCHANGE_SPREAD", kNoSuchStrategy},
    RetiredName{"STRATEGY_ENABLED_ONCHAIN_METRICS", kNoSuchStrategy},
    RetiredName{"STRATEGY_ENABLED_SPREAD_LIQUIDITY", kNoSuchStrategy},
    RetiredName{"STRATEGY_ENABLED_ICEBERG_DETECTOR", kNoSuchStrategy},
    RetiredName{"BTC_DOMINANCE_HIGH_THRESHOLD", kNoSuchStrategy},
    RetiredName{"BTC_DOMINANCE_LOW_THRESHOLD", kNoSuchStrategy},
    RetiredName{"BTC_DOMINANCE_CHANGE_THRESHOLD", kNoSuchStrategy},
    RetiredName{"BTC_DOMINANCE_WINDOW_HOURS", kNoSuchStrategy},
    RetiredName{"BTC_DOMINANCE_MIN_SIGNAL_INTERVAL", kNoSuchStrategy},
    RetiredName{"SPREAD_THRESHOLD_PERCENT", kNoSuchStrategy},
    RetiredName{"SPREAD_MIN_SIGNAL_INTERVAL", kNoSuchStrategy},
    RetiredName{"SPREAD_MAX_POSITION_SIZE", kNoSuchStrategy},
    RetiredName{"SPREAD_EXCHANGES", kNoSuchStrategy},
    RetiredName{"ONCHAIN_NETWORK_GROWTH_THRESHOLD", kNoSuchStrategy},
    RetiredName{"ONCHAIN_VOLUME_THRESHOLD", kNoSuchStrategy},
    RetiredName{"ONCHAIN_MIN_SIGNAL_INTERVAL", kNoSuchStrategy},
    RetiredName{"STRATEGY_WEIGHT_ORDERBOOK_SKEW", kNoWeights},
    RetiredName{"STRATEGY_WEIGHT_TRADE_MOMENTUM", kNoWeights},
    RetiredName{"STRATEGY_WEIGHT_TICKER_VELOCITY", kNoWeights},
    RetiredName{"TRADING_QUANTITY_PERCENT",
                "Nobody here knows a balance: use TRADING_ORDER_NOTIONAL, an amount of the quote "
                "currency."},
    RetiredName{"RISK_MAX_CONCURRENT_POSITIONS", kPositions},
    RetiredName{"RISK_MAX_DRAWDOWN_PERCENT", kPositions},
    RetiredName{"SIGNAL_CONFIDENCE_HIGH", kConfidence},
    RetiredName{"SIGNAL_CONFIDENCE_MEDIUM", kConfidence},
    RetiredName{"SIGNAL_CONFIDENCE_LOW", kConfidence},
    RetiredName{"DEFAULT_ORDER_TYPE", kMarketOrders},
    RetiredName{"DEFAULT_TIME_IN_FORCE", kMarketOrders},
    RetiredName{"ENABLED_STREAM_TYPES", "Use STRATEGY_ENABLED_…: each strategy reads one kind."},
    RetiredName{"TRADEENGINE_API_URL", kByNats},
    RetiredName{"TRADEENGINE_API_TIMEOUT", kNeverTwice},
    RetiredName{"TRADEENGINE_API_RETRY_ATTEMPTS", kNeverTwice},
    RetiredName{"TRADEENGINE_API_RETRY_DELAY", kNeverTwice},
    RetiredName{"CIRCUIT_BREAKER_EXPECTED_EXCEPTION", kNeverTwice},
    RetiredName{"MESSAGE_MAX_RETRIES", kNeverTwice},
    RetiredName{"MESSAGE_RETRY_DELAY", kNeverTwice},
    RetiredName{"MESSAGE_PROCESSING_TIMEOUT", kNothingToTune},
    RetiredName{"BATCH_SIZE", kNothingToTune},
    RetiredName{"BATCH_TIMEOUT", kNothingToTune},
    RetiredName{"MAX_MEMORY_MB", kContainerLimits},
    RetiredName{"MAX_CPU_PERCENT", kContainerLimits},
    RetiredName{"VALIDATE_MESSAGES", kAlwaysValidated},
    RetiredName{"VALIDATE_ORDERS", kAlwaysValidated},
    RetiredName{"VALIDATE_SYMBOLS", kAlwaysValidated},
    RetiredName{"SIMULATION_MODE", "Nothing is simulated by it: use DRY_RUN_MODE."},
    RetiredName{"HEALTH_CHECK_INTERVAL", kProbes},
    RetiredName{"READINESS_PROBE_INTERNAL_DEADLINE_SECONDS", kProbes},
    RetiredName{"HEALTHZ_PROBE_INTERNAL_DEADLINE_SECONDS", kProbes},
    RetiredName{"HEARTBEAT_ENABLED", kMetrics},
    RetiredName{"HEARTBEAT_INTERVAL_SECONDS", kMetrics},
    RetiredName{"HEARTBEAT_INCLUDE_DETAILED_STATS", kMetrics},
    RetiredName{"PROMETHEUS_ENABLED", kMetrics},
    RetiredName{"PROMETHEUS_PORT", kMetrics},
    RetiredName{"ENABLE_OTEL",
                "Nothing is exported by OTLP; traceparent is passed on. Counters are "
                "at /metrics."},
    RetiredName{"LOG_LEVEL_STRATEGIES", kLogLevel},
    RetiredName{"LOG_LEVEL_NATS", kLogLevel},
    RetiredName{"LOG_LEVEL_HTTP", kLogLevel},
    RetiredName{"TELEMETRY_SHUTDOWN_TIMEOUT_SECONDS", kShutdown},
    RetiredName{"TELEMETRY_CALL_TIMEOUT_SECONDS", kShutdown},
    RetiredName{"SHUTDOWN_WATCHDOG_SECONDS", kShutdown},
    RetiredName{"COMPONENT_STOP_TIMEOUT_SECONDS", kShutdown},
};

bool has_our_prefix(std::string_view name) noexcept {
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
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
  return digits != 0 && digits != std::string_view::npos &&
         (rest.substr(digits).starts_with("_TCP") || rest.substr(digits).starts_with("_UDP") ||
          rest.substr(digits).starts_with("_SCTP"));
}

constexpr std::size_t kShortName = 8;

bool is_near(std::string_view name, std::string_view ours) {
  const std::size_t letters = ours.size() <= kShortName ? 1 : 2;
  const std::size_t longer = std::max(name.size(), ours.size());
  if (longer - std::min(name.size(), ours.size()) > letters) return false;  // spares the counting
  return edit_distance(name, ours) <= letters;
}

// Letters of the name that ours has not, in the order they stand.
std::size_t letters_beyond(std::string_view name, std::string_view ours) {
  std::vector<std::size_t> common(ours.size() + 1);  // the longest common subsequence so far
  for (const char c : name) {
    std::size_t diagonal = 0;
    for (std::size_t j = 1; j <= ours.size(); ++j) {
      const std::size_t above = common[j];
      common[j] = ours[j - 1] == c ? diagonal + 1 : std::max(above, common[j - 1]);
      diagonal = above;
    }
  }
  return name.size() - common.back();
}

// First by slips of the pen; then, for who has left out a word (ORDERBOOK_SKEW_MIN_SPRED,
// CIRCUIT_BREAKER_THRESHOLD), by what of the name is found in ours.
std::string_view nearest_name(std::string_view name) {
  const auto rank = [&](const Setting& setting) {
    if (same_but_for_case(name, setting.name)) return std::tuple(std::size_t{0}, std::size_t{0});
    const std::size_t distance = edit_distance(name, setting.name);
    if (is_near(name, setting.name)) return std::tuple(std::size_t{0}, distance);
    return std::tuple(1 + letters_beyond(name, setting.name), distance);
  };
  const auto names = table();
  return std::min_element(names.begin(), names.end(),
                          [&](const Setting& a, const Setting& b) { return rank(a) < rank(b); })
      ->name;
}

}  // namespace

NameFinding judge_name(std::string_view name, std::string_view value) {
  const auto retired = std::find_if(kRetired.begin(), kRetired.end(),
                                    [&](const RetiredName& row) { return row.name == name; });
  if (retired != kRetired.end()) return {NameKind::retired, std::string(retired->instead)};
  if (is_service_link(name, value)) return {};
  // A symbol that follows is no part of the name.
  const std::size_t mark = std::min(name.find(kSymbolMark), name.size());
  const std::string_view base = name.substr(0, mark);
  const auto names = table();
  const bool meant =
      has_our_prefix(base) || std::any_of(names.begin(), names.end(), [&](const Setting& setting) {
        return same_but_for_case(base, setting.name) || is_near(base, setting.name);
      });
  if (!meant) return {};
  const std::string_view nearest = nearest_name(base);
  const bool with_symbol = find(nearest)->is_per_symbol();
  return {NameKind::misspelt,
          std::string(nearest).append(with_symbol ? name.substr(mark) : std::string_view{})};
}

std::span<const RetiredName> retired_names() noexcept {
  return kRetired;
}

}  // namespace rts::config
