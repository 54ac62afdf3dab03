// Loading: what was given → effective settings with their origin, or everything that is wrong.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/broker_url.hpp>
#include <rts/config/names.hpp>
#include <rts/config/settings.hpp>
#include <rts/trading/order_subject.hpp>
#include <rts/trading/stream_plan.hpp>

#include "config/advice.hpp"

namespace rts::config {
namespace {

bool holds_urls(const Setting& setting) noexcept {
  return std::holds_alternative<UrlList>(setting.rule);
}

// The value as a complaint may quote it.
std::string quoted(const Setting& setting, std::string_view value) {
  // Of a URL that could not be read it is not known what of it is a password.
  if (setting.is_secret() || holds_urls(setting)) return "***";
  return fmt::format("'{}'", value.substr(0, 80));
}

// An accepted value as it may be shown.
std::string displayed(const Setting& setting, std::string_view value) {
  if (setting.is_secret()) return value.empty() ? "" : "***";
  return holds_urls(setting) ? without_userinfo(value) : std::string(value);
}

// --- What follows from several settings ---------------------------------------------------------

Sells sells(const Settings& s) {
  if (s.enable_shorts) return Sells::open_short;
  return s.delivery.format == OrderFormat::signal ? Sells::refused : Sells::close_long;
}

// What the venue's answer says where it has the symbol, else what the settings say. A step there
// has to be.
Instrument instrument_for(const Settings& s, const Symbol& symbol) {
  Instrument instrument;
  const SymbolAmount* const step = entry_of(s.quantity_steps, symbol);
  const SymbolAmount* const minimum = entry_of(s.min_notionals, symbol);
  instrument.quantity_step =
      step != nullptr ? step->amount : s.engine.defaults.terms.instrument.quantity_step;
  if (minimum != nullptr) instrument.min_notional = minimum->amount.to_double();
  const wire::ListedInstrument* const listed = entry_of(s.instruments, symbol);
  if (listed == nullptr) return instrument;
  if (!listed->quantity_step.is_zero()) instrument.quantity_step = listed->quantity_step;
  instrument.min_quantity = listed->min_quantity;
  instrument.max_quantity = listed->max_quantity;
  instrument.min_notional = listed->min_notional.to_double();
  instrument.max_notional = listed->max_notional.to_double();
  instrument.tick = listed->tick;
  return instrument;
}

// Fills in the members of which no row of the table is, and those of every symbol.
void derive(Settings& s) {
  EngineParameters& engine = s.engine;
  OrderTerms& terms = engine.defaults.terms;
  engine.refuse_simulation = same_but_for_case(s.environment, "production");
  terms.sells = sells(s);
  engine.defaults.traded = s.instruments.empty();  // what the venue does not list is not TRADING
  // Every symbol that the settings or the venue's answer say something of has its own parameters.
  const auto add_all = [&](const auto& list) {
    for (const auto& entry : list) {
      if (entry_of(engine.per_symbol, entry.symbol) == nullptr) {
        engine.per_symbol.push_back({entry.symbol, engine.defaults});
      }
    }
  };
  add_all(s.quantity_steps);
  add_all(s.min_notionals);
  add_all(s.instruments);
  // The stream has to know an id for as long as any symbol's cooldown gives it again.
  s.stream.cooldown = terms.cooldown;
  s.stream.order_life = std::max(terms.ttl, terms.reduce_only_ttl);
  s.stream.forward_topic = s.delivery.subject;
  s.delivery.log_subject = s.stream.subject;
  for (auto& [symbol, own] : engine.per_symbol) {
    const wire::ListedInstrument* const listed = entry_of(s.instruments, symbol);
    own.terms.sells = terms.sells;
    own.terms.instrument = instrument_for(s, symbol);
    own.traded = listed == nullptr ? s.instruments.empty() : obstacle(s, *listed).empty();
    s.stream.cooldown = std::max(s.stream.cooldown, own.terms.cooldown);
  }
  // An order that is the probe is waited for until its answer can no longer come.
  s.delivery.breaker.probe_timeout = s.delivery.ack_timeout + std::chrono::seconds(1);
  if (s.delivery.mode == DeliveryMode::jetstream) {
    s.delivery.breaker.probe_timeout += s.stream.order_life;  // it is stored until then
  }
  if (s.log.decisions) s.log.level = LogLevel::debug;
}

class Loader {
 public:
  explicit Loader(const ReadFile& read_file) : read_file_(read_file) {
    const Place defaults{settings_, settings_.engine.defaults};  // nothing is given yet
    for (const Setting& setting : table()) {
      values_.push_back({&setting, {}, setting.text(setting.rule, defaults), Origin::fallback});
    }
  }

  // Of what the control log changes in a configuration.
  explicit Loader(const Configuration& present) : result_(present), is_live_(true) {
    settings_.engine.per_symbol.clear();  // made anew, of what is changed
  }

  void take(std::span<const Given> given, Origin origin) {
    for (const Given& item : given) {
      std::string_view name = item.name;
      std::string_view value = item.value;
      // As a file of NAME=value from Windows gives it: a mark before the first name, a CR at the
      // end.
      if (origin == Origin::environment) {
        if (name.starts_with(kByteOrderMark)) name.remove_prefix(kByteOrderMark.size());
        if (value.ends_with('\r')) value.remove_suffix(1);
      }
      const std::size_t mark = std::min(name.find(kSymbolMark), name.size());
      if (const Setting* const setting = find(name)) {
        put({setting, {}, std::string(value), origin}, name);
      } else if (const Setting* const of_symbol = find(name.substr(0, mark))) {
        take_own(*of_symbol, name, mark + kSymbolMark.size(), value, origin);
      } else {
        take_unknown(name, value);
      }
    }
  }

  Result<Configuration, Problems> conclude() {
    settle();
    check_subscription("NATS_CONSUMER_TOPIC", settings_.broker.subject);
    check_subscription("CONTROL_TOPIC", settings_.broker.control_subject);
    check_order_log();
    check_quotes(settings_.engine);
    check_credentials();
    read_instruments();
    auto& unknown = settings_.allow_unknown_env ? result_.warnings : problems_;
    unknown.insert(unknown.end(), unknown_.begin(), unknown_.end());
    if (!problems_.empty()) return Failure{std::move(problems_)};
    derive(settings_);
    for (Value& value : values_) {
      const std::string text = displayed(*value.setting, value.text);
      value.redacted = text != value.text;
      value.text = text;
    }
    advise(result_);
    return std::move(result_);
  }

  Result<EngineParameters, Problems> conclude_live() {
    settle();
    problems_.insert(problems_.end(), unknown_.begin(), unknown_.end());
    if (!problems_.empty()) return Failure{std::move(problems_)};
    derive(settings_);
    return std::move(settings_.engine);
  }

 private:
  // Takes over the values that were given, as far as they are accepted and fit together.
  void settle() {
    std::stable_sort(values_.begin(), values_.end(), [](const Value& a, const Value& b) {
      const auto key = [](const Value& value) {
        return std::tuple(value.setting, value.symbol ? value.symbol->text() : std::string_view{});
      };
      return key(a) < key(b);
    });
    SymbolParameters& defaults = settings_.engine.defaults;
    auto& per_symbol = settings_.engine.per_symbol;
    for (const Value& value : values_) {
      // In a configuration that is present all others are.
      if (!value.symbol && value.origin >= (is_live_ ? Origin::control_log : Origin::environment)) {
        assign(value, defaults);
      }
    }
    for (const Value& value : values_) {
      if (!value.symbol || entry_of(per_symbol, *value.symbol) != nullptr) continue;
      per_symbol.push_back({*value.symbol, parameters_of(*value.symbol)});
    }
    check_parameters({}, defaults);
    check_sizes(defaults.terms.size);
  }

  void put(Value value, std::string_view name) {
    Value* const known = value_of(*value.setting, value.symbol);
    if (is_live_ && !value.setting->live) {
      say(unknown_,
          "{}: does not change while the service runs; remove it, and set it where the "
          "service is started.",
          name);
    } else if (known == nullptr) {
      values_.push_back(std::move(value));
    } else if (is_live_ && known->origin == Origin::control_log) {
      say(problems_, "{}: {} is given twice; remove one.", name, value.name());
    } else if (value.symbol && known->origin == Origin::environment &&
               value.origin == Origin::environment) {
      say(problems_, "{}: {} is given twice, in another case; remove one.", name, value.name());
    } else {
      *known = std::move(value);
    }
  }

  void take_own(const Setting& setting, std::string_view name, std::size_t symbol_begin,
                std::string_view value, Origin origin) {
    const auto symbol = parse_symbol(name.substr(symbol_begin));
    if (!setting.per_symbol) {
      complain_of_name(name, fmt::format("{} is the same for all symbols.", setting.name));
    } else if (!symbol) {
      complain_of_name(name,
                       fmt::format("what follows {}{} is no symbol.", setting.name, kSymbolMark));
    } else {
      put({&setting, symbol, std::string(value), origin}, name);
    }
  }

  // A name that is no setting: a slip, or one that is meant for another program.
  void take_unknown(std::string_view name, std::string_view value) {
    const NameMeaning meaning = meaning_of(name, value);
    if (meaning.kind == NameKind::misspelt) {
      complain_of_name(name, fmt::format("unknown setting; did you mean {}?", meaning.text));
    } else if (is_live_) {
      complain_of_name(name, "unknown setting.");
    } else if (meaning.kind == NameKind::retired) {
      say(result_.warnings, "{}: is of the Python service and does nothing here. {}", name,
          meaning.text);
    }
  }

  void complain_of_name(std::string_view name, std::string_view what) {
    if (is_live_) return say(unknown_, "{}: {} Remove it.", name, what);
    say(unknown_, "{}: {} Remove it, or set ALLOW_UNKNOWN_ENV=true to be warned only.", name, what);
  }

  void assign(const Value& value, SymbolParameters& symbol) {
    const Setting& setting = *value.setting;
    if (setting.assign(setting.rule, value.text, {settings_, symbol})) return;
    const std::string fallback = setting.default_text();
    refused_.push_back(value.name());
    say(problems_, "{}={}: not accepted; give {} (default: {}).", refused_.back(),
        quoted(setting, value.text), accepted_values(setting),
        fallback.empty() ? "empty" : fallback);
  }

  // What a symbol has of its own, over what all have.
  SymbolParameters parameters_of(const Symbol& symbol) {
    SymbolParameters parameters = settings_.engine.defaults;
    for (const Value& value : values_) {
      if (value.symbol == symbol) assign(value, parameters);
    }
    check_parameters(symbol, parameters);
    return parameters;
  }

  Value* value_of(const Setting& setting, const std::optional<Symbol>& symbol) {
    const auto found = std::find_if(values_.begin(), values_.end(), [&](const Value& value) {
      return value.setting == &setting && value.symbol == symbol;
    });
    return found == values_.end() ? nullptr : &*found;
  }

  // --- Rules across settings: they speak only of values that were accepted ----------------------

  [[nodiscard]] bool were_accepted(std::initializer_list<std::string_view> names) const {
    return std::find_first_of(refused_.begin(), refused_.end(), names.begin(), names.end()) ==
           refused_.end();
  }

  // What a rule calls the values it compares ("TRADE_MOMENTUM_BUY_THRESHOLD__BTCUSDT" where the
  // symbol has a value of its own); empty when it must not speak of them: one was not accepted, or
  // none is the symbol's own, and then they are judged without a symbol.
  std::vector<std::string> names_to_compare(const std::optional<Symbol>& symbol,
                                            std::initializer_list<std::string> names) {
    std::vector<std::string> shown;
    bool is_due = !symbol;
    for (const std::string& name : names) {
      const bool is_own = symbol && value_of(*find(name), symbol) != nullptr;
      is_due = is_due || is_own;
      shown.push_back(is_own ? name_for(*find(name), *symbol) : name);
      if (!were_accepted({shown.back()})) return {};
    }
    return is_due ? shown : std::vector<std::string>{};
  }

  void check_thresholds(const std::optional<Symbol>& symbol, std::string_view family, double sell,
                        double buy) {
    if (sell < buy) return;
    const auto names = names_to_compare(symbol, {fmt::format("{}_SELL_THRESHOLD", family),
                                                 fmt::format("{}_BUY_THRESHOLD", family)});
    if (names.empty()) return;
    say(problems_, "{}={}: must be below {}={}; lower the one or raise the other.", names[0], sell,
        names[1], buy);
  }

  // The parameters are those of the symbol, or of all that have none of their own.
  void check_parameters(const std::optional<Symbol>& symbol, const SymbolParameters& parameters) {
    const auto& [skew, momentum, velocity] =
        std::tie(parameters.orderbook_skew, parameters.trade_momentum, parameters.ticker_velocity);
    check_thresholds(symbol, "ORDERBOOK_SKEW", skew.sell_threshold, skew.buy_threshold);
    check_thresholds(symbol, "TRADE_MOMENTUM", momentum.sell_threshold, momentum.buy_threshold);
    check_thresholds(symbol, "TICKER_VELOCITY", velocity.sell_threshold, velocity.buy_threshold);
    const double sum = momentum.price_weight + momentum.quantity_weight + momentum.maker_weight;
    if (std::abs(sum - 1) <= 0.001 + 1e-12) return;
    const auto names =
        names_to_compare(symbol, {"TRADE_MOMENTUM_PRICE_WEIGHT", "TRADE_MOMENTUM_QUANTITY_WEIGHT",
                                  "TRADE_MOMENTUM_MAKER_WEIGHT"});
    if (names.empty()) return;
    say(problems_, "{}: sum to {}; make them sum to 1 (± 0.001).", fmt::join(names, ", "), sum);
  }

  void check_sizes(const SizeLimits& size) {
    if (size.minimum <= size.maximum ||
        !were_accepted({"TRADING_MIN_POSITION_SIZE", "TRADING_MAX_POSITION_SIZE"})) {
      return;
    }
    say(problems_,
        "TRADING_MIN_POSITION_SIZE={}: must not exceed TRADING_MAX_POSITION_SIZE={}; lower the one "
        "or raise the other.",
        size.minimum.value(), size.maximum.value());
  }

  // Else our own subscription is a listener, and an order looks delivered that reached nothing
  // else.
  void check_subscription(std::string_view name, const std::string& pattern) {
    const std::string& topic = settings_.delivery.subject;
    check_unheard("NATS_PUBLISHER_TOPIC", topic, order_subjects(topic), {name, pattern});
    if (settings_.delivery.mode != DeliveryMode::jetstream) return;
    const std::string& log = settings_.stream.subject;
    check_unheard("ORDER_LOG_TOPIC", log, {log, stored_subject(log)}, {name, pattern});
  }

  struct Subscription {
    std::string_view name;
    const std::string& pattern;
  };
  void check_unheard(std::string_view name, const std::string& topic,
                     const std::vector<std::string>& subjects, const Subscription& heard) {
    const bool is_matched =
        !heard.pattern.empty() &&
        std::any_of(subjects.begin(), subjects.end(),
                    [&](const std::string& subject) { return covers(heard.pattern, subject); });
    if (!is_matched || !were_accepted({name, heard.name})) return;
    say(problems_,
        "{}={}: is matched by {}={}, so that this service would hear its own orders; choose "
        "another "
        "subject for the one or the other.",
        name, topic, heard.name, heard.pattern);
  }

  // Else what is published for the TradeEngine is stored, or taken for an order that was.
  void check_order_log() {
    const std::string& log = settings_.stream.subject;
    const std::string& topic = settings_.delivery.subject;
    const auto subjects = order_subjects(topic);
    const bool is_apart = std::none_of(subjects.begin(), subjects.end(), [&](const auto& subject) {
      return subject == log || subject == stored_subject(log);
    });
    if (settings_.delivery.mode != DeliveryMode::jetstream || is_apart ||
        !were_accepted({"NATS_PUBLISHER_TOPIC", "ORDER_LOG_TOPIC"})) {
      return;
    }
    say(problems_,
        "NATS_PUBLISHER_TOPIC={}: orders are stored on ORDER_LOG_TOPIC={} and then published where "
        "the TradeEngine listens; leave NATS_PUBLISHER_TOPIC at {}, or give another subject than "
        "the log's.",
        topic, log, kTradeEngineSubject);
  }

  void check_quotes(const EngineParameters& engine) {
    if (!were_accepted({"TRADING_SYMBOLS", "TRADING_QUOTE_ASSETS"})) return;
    for (const Symbol& symbol : engine.symbols) {
      if (is_quoted_in(engine.quote_assets, symbol.text())) continue;
      say(problems_,
          "TRADING_SYMBOLS: {} is not quoted in {} (TRADING_QUOTE_ASSETS), and sizes are amounts "
          "of that; remove it, or add its quote asset.",
          symbol.text(), fmt::join(engine.quote_assets, " or "));
    }
  }

  bool is_set(std::string_view name) { return !value_of(*find(name), {})->text.empty(); }

  // Whether a credential is given, as a value or in a file; both at once is a problem.
  bool is_given(std::string_view name) {
    const std::string file = fmt::format("{}_FILE", name);
    if (is_set(name) && is_set(file) && were_accepted({name})) {
      say(problems_, "{}: set together with {}; remove one of them.", name, file);
    }
    return is_set(name) || is_set(file);
  }

  void require_both(std::string_view one, bool has_one, std::string_view other, bool has_other) {
    if (has_one == has_other) return;
    say(problems_, "{}: given without {}; set both or neither.", has_one ? one : other,
        has_one ? other : one);
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
    if ((user || password) && were_accepted({"NATS_USER", "NATS_PASSWORD"})) {
      ways.emplace_back("NATS_USER with NATS_PASSWORD");
    }
    if (is_given("NATS_TOKEN") && were_accepted({"NATS_TOKEN"})) ways.emplace_back("NATS_TOKEN");
    for (const std::string_view name : {"NATS_CREDS_FILE", "NATS_NKEY_SEED_FILE"}) {
      if (is_set(name)) ways.push_back(name);
    }
    if (ways.size() < 2) return;
    say(problems_, "{}: more than one way to log in at the broker; keep one.",
        fmt::join(ways, ", "));
  }

  // --- The venue's answer -----------------------------------------------------------------------

  void read_instruments() {
    const std::string& path = settings_.instruments_file;
    if (!read_file_ || path.empty() || !were_accepted({"TRADING_INSTRUMENTS_FILE"})) return;
    const std::string file = fmt::format("TRADING_INSTRUMENTS_FILE={}", path);
    const auto text = read_file_(path, wire::kMaxInstrumentsBytes);
    if (!text) return say(problems_, "{}: {}.", file, text.error());
    const auto listed = wire::parse_instruments(text.value());
    if (!listed) {
      return say(problems_, "{}: {}; give what the venue answers to exchangeInfo.", file,
                 listed.error());
    }
    if (were_accepted({"TRADING_SYMBOLS"})) keep_asked_for(listed.value(), file);
  }

  // Of the venue's thousands those that are asked for, each of which has to be there.
  void keep_asked_for(const std::vector<wire::ListedInstrument>& listed, std::string_view file) {
    Settings& s = settings_;
    for (const Symbol& symbol : s.engine.symbols) {
      const wire::ListedInstrument* const instrument = entry_of(listed, symbol);
      if (instrument == nullptr) {
        say(problems_,
            "{}: does not have {}; remove it from TRADING_SYMBOLS, or ask the venue where it is "
            "listed.",
            file, symbol.text());
      } else if (!instrument->fault.empty()) {
        say(problems_, "{}: of {}, {}.", file, symbol.text(), instrument->fault);
      } else {
        s.instruments.push_back(*instrument);
      }
    }
    if (!s.engine.symbols.empty()) return;
    std::copy_if(listed.begin(), listed.end(), std::back_inserter(s.instruments),
                 [&](const wire::ListedInstrument& instrument) {
                   return is_quoted_in(s.engine.quote_assets, instrument.symbol.text());
                 });
  }

  ReadFile read_file_;
  Configuration result_;
  Settings& settings_ = result_.settings;
  std::vector<Value>& values_ = result_.values;  // until the end with secrets
  Problems problems_;
  std::vector<std::string> unknown_;  // sentences of names that are not known
  std::vector<std::string> refused_;  // names whose value was not accepted
  bool is_live_ = false;              // values of the control log, over a configuration
};

}  // namespace

EngineParameters engine_parameters(const Settings& settings, Clock clock) {
  EngineParameters parameters = settings.engine;
  parameters.clock = clock;
  return parameters;
}

Result<Configuration, Problems> load(std::span<const Given> environment,
                                     std::span<const Given> flags, const ReadFile& read_file) {
  Loader loader(read_file);
  loader.take(environment, Origin::environment);
  loader.take(flags, Origin::flag);
  return loader.conclude();
}

Result<EngineParameters, Problems> with_live_values(const Configuration& configuration,
                                                    std::span<const Given> values) {
  Loader loader(configuration);
  loader.take(values, Origin::control_log);
  return loader.conclude_live();
}

}  // namespace rts::config
