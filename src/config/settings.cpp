// Loading: what was given → effective settings with their origin, or everything that is wrong.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <rts/base/edit_distance.hpp>
#include <rts/config/settings.hpp>

#include "config/parse.hpp"

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

bool is_ours(std::string_view name) noexcept {
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// What Kubernetes sets for each Service of the namespace: NATS_SERVICE_HOST, NATS_PORT,
// NATS_SERVICE_PORT_CLIENT, NATS_PORT_4222_TCP_ADDR.
bool is_service_link(std::string_view name) noexcept {
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") ||
      name.find("_SERVICE_PORT_") != std::string_view::npos || name.ends_with("_PORT")) {
    return true;
  }
  const std::size_t port = name.find("_PORT_");
  if (port == std::string_view::npos) return false;
  const std::string_view rest = name.substr(port + 6);
  const std::size_t digits = rest.find_first_not_of("0123456789");
  return digits != 0 && digits != std::string_view::npos &&
         (rest.substr(digits).starts_with("_TCP") || rest.substr(digits).starts_with("_UDP") ||
          rest.substr(digits).starts_with("_SCTP"));
}

// Of two names as near, the one the misspelt name begins is meant.
std::string_view nearest_name(std::string_view name) {
  const auto distance = [&](const Setting& setting) {
    return setting.name.starts_with(name) ? 0 : edit_distance(name, setting.name);
  };
  const auto names = table();
  return std::min_element(
             names.begin(), names.end(),
             [&](const Setting& a, const Setting& b) { return distance(a) < distance(b); })
      ->name;
}

bool holds_urls(const Setting& setting) noexcept {
  return std::holds_alternative<UrlList>(setting.rule);
}

// The value as a complaint may quote it.
std::string quoted(const Setting& setting, std::string_view value) {
  // Of a URL that could not be read, nobody can say what of it is a password.
  if (setting.is_secret() || holds_urls(setting)) return "***";
  return fmt::format("'{}'", value.substr(0, 80));
}

// An accepted value as it may be shown.
std::string displayed(const Setting& setting, std::string_view value) {
  if (setting.is_secret()) return value.empty() ? "" : "***";
  return holds_urls(setting) ? without_userinfo(value) : std::string(value);
}

class Loader {
 public:
  Loader() {
    for (const Setting& setting : table()) {
      texts_.emplace_back(setting.fallback);
      result_.origins.push_back(Origin::fallback);
    }
  }

  void take(std::span<const Given> given, Origin origin) {
    for (const Given& item : given) {
      const Setting* setting = find(item.name);
      if (setting == nullptr) {
        if (is_ours(item.name) && !is_service_link(item.name)) unknown_.push_back(item.name);
        continue;
      }
      texts_[index_of(*setting)] = item.value;
      result_.origins[index_of(*setting)] = origin;
    }
  }

  Result<Configuration, Problems> conclude() {
    for (std::size_t i = 0; i < table().size(); ++i) {
      settle(table()[i], texts_[i]);
      result_.values.push_back(displayed(table()[i], texts_[i]));
      result_.redacted.push_back(result_.values[i] != texts_[i]);
    }
    check_across();
    check_credentials();
    for (const std::string& name : unknown_) {
      const std::string what = fmt::format(
          "{}: unknown setting; did you mean {}? Remove it, or set "
          "ALLOW_UNKNOWN_ENV=true to be warned only.",
          name, nearest_name(name));
      (result_.settings.allow_unknown_env ? result_.warnings : problems_).push_back(what);
    }
    if (!problems_.empty()) return Failure{std::move(problems_)};
    return std::move(result_);
  }

 private:
  static std::size_t index_of(const Setting& setting) {
    return static_cast<std::size_t>(&setting - table().data());
  }

  void settle(const Setting& setting, const std::string& value) {
    if (!assign(setting.rule, value, result_.settings)) {
      refused_.push_back(setting.name);
      problems_.push_back(fmt::format("{}={}: not accepted; give {} (default: {}).", setting.name,
                                      quoted(setting, value), accepted_values(setting),
                                      setting.fallback.empty() ? "empty" : setting.fallback));
    }
  }

  // Rules across settings speak only of values that were accepted.
  [[nodiscard]] bool accepted(std::string_view name) const {
    return std::find(refused_.begin(), refused_.end(), name) == refused_.end();
  }

  void check_across() {
    const Settings& s = result_.settings;
    const auto ordered = [&](double sell, double buy, std::string_view family) {
      const bool both = accepted(fmt::format("{}_SELL_THRESHOLD", family)) &&
                        accepted(fmt::format("{}_BUY_THRESHOLD", family));
      if (sell < buy || !both) return;
      problems_.push_back(
          fmt::format("{0}_SELL_THRESHOLD={1}: must be below {0}_BUY_THRESHOLD={2}; lower the one "
                      "or raise the other.",
                      family, sell, buy));
    };
    ordered(s.skew_sell_threshold, s.skew_buy_threshold, "ORDERBOOK_SKEW");
    ordered(s.momentum_sell_threshold, s.momentum_buy_threshold, "TRADE_MOMENTUM");
    ordered(s.velocity_sell_threshold, s.velocity_buy_threshold, "TICKER_VELOCITY");
    const double weights =
        s.momentum_price_weight + s.momentum_quantity_weight + s.momentum_maker_weight;
    const bool all_weights = accepted("TRADE_MOMENTUM_PRICE_WEIGHT") &&
                             accepted("TRADE_MOMENTUM_QUANTITY_WEIGHT") &&
                             accepted("TRADE_MOMENTUM_MAKER_WEIGHT");
    if (all_weights && std::abs(weights - 1) > 0.001 + 1e-12) {
      problems_.push_back(fmt::format(
          "TRADE_MOMENTUM_PRICE_WEIGHT, _QUANTITY_WEIGHT, _MAKER_WEIGHT: sum to {}; make them sum "
          "to 1 (± 0.001).",
          weights));
    }
    const bool both_sizes =
        accepted("TRADING_MIN_POSITION_SIZE") && accepted("TRADING_MAX_POSITION_SIZE");
    if (both_sizes && s.min_position_size > s.max_position_size) {
      problems_.push_back(
          fmt::format("TRADING_MIN_POSITION_SIZE={}: must not exceed TRADING_MAX_POSITION_SIZE={}; "
                      "lower the one or raise the other.",
                      s.min_position_size, s.max_position_size));
    }
  }

  [[nodiscard]] bool is_set(std::string_view name) const {
    return !texts_[index_of(*find(name))].empty();
  }

  // Whether a credential is given, as a value or in a file; both at once is a problem.
  bool is_given(std::string_view name) {
    const std::string file = fmt::format("{}_FILE", name);
    if (is_set(name) && is_set(file) && accepted(name)) {
      problems_.push_back(fmt::format("{}: set together with {}; remove one of them.", name, file));
    }
    return is_set(name) || is_set(file);
  }

  void require_both(std::string_view one, bool has_one, std::string_view other, bool has_other) {
    if (has_one == has_other) return;
    problems_.push_back(fmt::format("{}: given without {}; set both or neither.",
                                    has_one ? one : other, has_one ? other : one));
  }

  // How we log in is said once, and wholly. Only names are quoted.
  void check_credentials() {
    const bool user = is_given("NATS_USER");
    const bool password = is_given("NATS_PASSWORD");
    require_both("NATS_USER or NATS_USER_FILE", user, "NATS_PASSWORD or NATS_PASSWORD_FILE",
                 password);
    require_both("NATS_TLS_CERT_FILE", is_set("NATS_TLS_CERT_FILE"), "NATS_TLS_KEY_FILE",
                 is_set("NATS_TLS_KEY_FILE"));
    std::vector<std::string_view> ways;
    if ((user || password) && accepted("NATS_USER") && accepted("NATS_PASSWORD")) {
      ways.emplace_back("NATS_USER with NATS_PASSWORD");
    }
    if (is_given("NATS_TOKEN") && accepted("NATS_TOKEN")) ways.emplace_back("NATS_TOKEN");
    for (const std::string_view name : {"NATS_CREDS_FILE", "NATS_NKEY_SEED_FILE"}) {
      if (is_set(name)) ways.push_back(name);
    }
    if (ways.size() < 2) return;
    problems_.push_back(fmt::format("{}: more than one way to log in at the broker; keep one.",
                                    fmt::join(ways, ", ")));
  }

  Configuration result_;
  std::vector<std::string> texts_;  // effective, by table index; secrets included
  Problems problems_;
  std::vector<std::string> unknown_;
  std::vector<std::string_view> refused_;  // names whose value was not accepted
};

}  // namespace

std::string_view to_string(Origin origin) noexcept {
  switch (origin) {
    case Origin::fallback:
      return "default";
    case Origin::environment:
      return "environment";
    case Origin::flag:
      return "flag";
  }
  return "";
}

std::string flag_name(const Setting& setting) {
  std::string flag = "--";
  for (const char c : setting.name) {
    flag += c == '_' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return flag;
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

Result<Configuration, Problems> load(std::span<const Given> environment,
                                     std::span<const Given> flags) {
  Loader loader;
  loader.take(environment, Origin::environment);
  loader.take(flags, Origin::flag);
  return loader.conclude();
}

namespace {

Sells sells(const Settings& settings) noexcept {
  if (settings.enable_shorts) return Sells::open_short;
  return order_format(settings) == OrderFormat::signal ? Sells::refused : Sells::close_long;
}

}  // namespace

EngineParameters engine_parameters(const Settings& s, Clock clock) {
  using std::chrono::seconds;
  const auto notional = [](double value) { return Notional::from(value).value_or(Notional()); };
  EngineParameters p;
  p.clock = clock;
  p.message_ttl = seconds(s.message_ttl_seconds);
  p.symbols = s.symbols;
  p.refuse_simulation = s.environment == "production";
  SymbolParameters& d = p.defaults;
  d.enabled = {s.orderbook_skew_enabled, s.trade_momentum_enabled, s.ticker_velocity_enabled};
  d.orderbook_skew = {static_cast<int>(s.skew_top_levels), s.skew_buy_threshold,
                      s.skew_sell_threshold, s.skew_min_spread_percent, s.skew_max_spread_percent};
  d.trade_momentum = {s.momentum_price_weight,
                      s.momentum_quantity_weight,
                      s.momentum_maker_weight,
                      s.momentum_buy_threshold,
                      s.momentum_sell_threshold,
                      s.momentum_min_quantity,
                      static_cast<int>(s.momentum_window),
                      TradeMomentumParameters{}.max_gap,
                      s.momentum_price_scale_percent,
                      s.momentum_quantity_multiple};
  d.ticker_velocity = {seconds(s.velocity_time_window_seconds), s.velocity_buy_threshold,
                       s.velocity_sell_threshold, s.velocity_min_price_change};
  d.terms = {
      s.min_confidence,
      seconds(s.cooldown_seconds),
      {notional(s.order_notional), notional(s.min_position_size), notional(s.max_position_size)},
      {.quantity_step = s.quantity_step},
      sells(s),
      static_cast<int>(s.leverage),
      seconds(s.order_ttl_seconds),
      seconds(s.order_ttl_reduce_only_seconds),
      s.stop_loss_percent,
      s.take_profit_percent};
  for (const auto& [symbol, step] : s.quantity_steps) {
    p.per_symbol.push_back({symbol, d});
    p.per_symbol.back().parameters.terms.instrument.quantity_step = step;
  }
  p.gate = {s.price_band_percent, s.max_daily_signals, s.max_orders_per_minute};
  p.paused = s.trading_paused;
  return p;
}

OrderFormat order_format(const Settings& settings) noexcept {
  return settings.order_format == "signal" ? OrderFormat::signal : OrderFormat::trade_order;
}

DeliveryMode delivery_mode(const Settings& settings) noexcept {
  return settings.order_delivery == "jetstream" ? DeliveryMode::jetstream : DeliveryMode::core;
}

std::chrono::seconds order_life(const Settings& settings) noexcept {
  return std::chrono::seconds(
      std::max(settings.order_ttl_seconds, settings.order_ttl_reduce_only_seconds));
}

}  // namespace rts::config
