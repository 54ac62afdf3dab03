// Loading: what was given → effective settings with their origin, or everything that is wrong.
#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/base/utf8.hpp>
#include <rts/config/names.hpp>
#include <rts/config/settings.hpp>

#include "config/checks.hpp"
#include "config/rules.hpp"

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

std::size_t index_of(const Setting& setting) {
  return static_cast<std::size_t>(&setting - table().data());
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
  s.stream = {s.delivery.subject, terms.cooldown, std::max(terms.ttl, terms.reduce_only_ttl)};
  for (auto& [symbol, own] : engine.per_symbol) {
    const wire::ListedInstrument* const listed = entry_of(s.instruments, symbol);
    own.terms.sells = terms.sells;
    own.terms.instrument = instrument_for(s, symbol);
    own.traded = listed == nullptr ? s.instruments.empty() : obstacle(s, *listed).empty();
    s.stream.cooldown = std::max(s.stream.cooldown, own.terms.cooldown);
  }
  // An order that is the probe is waited for until its answer can no longer come.
  s.delivery.breaker.probe_timeout = s.delivery.ack_timeout + std::chrono::seconds(1);
  if (s.log.decisions) s.log.level = LogLevel::debug;
}

class Loader {
 public:
  explicit Loader(const ReadFile& read_file) : read_file_(read_file) {
    for (const Setting& setting : table()) {
      texts_.push_back(setting.default_text());
      result_.origins.push_back(Origin::fallback);
    }
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
      if (const Setting* const setting = find(name)) {
        texts_[index_of(*setting)] = value;
        result_.origins[index_of(*setting)] = origin;
      } else {
        take_other(std::string(name), value, origin);
      }
    }
  }

  Result<Configuration, Problems> conclude() {
    for (std::size_t i = 0; i < table().size(); ++i) {
      const Setting& setting = table()[i];
      if (result_.origins[i] != Origin::fallback) {
        assign(setting, std::string(setting.name), texts_[i], result_.settings.engine.defaults);
      }
      result_.values.push_back(displayed(setting, texts_[i]));
      result_.redacted.push_back(result_.values[i] != texts_[i]);
    }
    assign_symbols();
    const Names names{refused_};
    check_thresholds_and_weights(result_.settings.engine.defaults, names, problems_);
    check_sizes(result_.settings, names, problems_);
    check_subjects(result_.settings, names, problems_);
    check_quotes(result_.settings, names, problems_);
    check_credentials();
    read_instruments();
    auto& unknown = result_.settings.allow_unknown_env ? result_.warnings : problems_;
    unknown.insert(unknown.end(), unknown_.begin(), unknown_.end());
    if (!problems_.empty()) return Failure{std::move(problems_)};
    derive(result_.settings);
    advise(result_);
    return std::move(result_);
  }

 private:
  // A name that is no setting: a setting's for one symbol, or one that somebody else means.
  void take_other(const std::string& name, std::string_view value, Origin origin) {
    const std::size_t mark = name.find(kSymbolMark);
    if (mark != std::string::npos) {
      if (const Setting* const setting = find(std::string_view(name).substr(0, mark))) {
        take_own(*setting, name, mark + kSymbolMark.size(), {value, origin});
        return;
      }
    }
    const NameMeaning meaning = meaning_of(name, value);
    if (meaning.kind == NameKind::retired) {
      result_.warnings.push_back(fmt::format(
          "{}: is of the Python service and does nothing here. {}", name, meaning.text));
    } else if (meaning.kind == NameKind::misspelt) {
      complain_of_name(name, fmt::format("unknown setting; did you mean {}?", meaning.text));
    }
  }

  void complain_of_name(const std::string& name, std::string_view what) {
    unknown_.push_back(fmt::format(
        "{}: {} Remove it, or set ALLOW_UNKNOWN_ENV=true to be warned only.", name, what));
  }

  struct Value {
    std::string_view text;
    Origin origin;
  };
  void take_own(const Setting& setting, const std::string& name, std::size_t symbol_begin,
                const Value& value) {
    if (!setting.per_symbol) {
      complain_of_name(name, fmt::format("{} is the same for all symbols.", setting.name));
      return;
    }
    const auto symbol = parse_symbol(std::string_view(name).substr(symbol_begin));
    if (!symbol) {
      complain_of_name(name,
                       fmt::format("what follows {}{} is no symbol.", setting.name, kSymbolMark));
      return;
    }
    const std::size_t row = index_of(setting);
    auto& own = result_.symbol_values;
    const auto known = std::find_if(own.begin(), own.end(), [&](const SymbolValue& other) {
      return other.row == row && other.symbol == *symbol;
    });
    if (known == own.end()) {
      own.push_back({row, *symbol, std::string(value.text), value.origin});
    } else if (known->origin == Origin::environment && value.origin == Origin::environment) {
      problems_.push_back(fmt::format("{}: {} is given twice, in another case; remove one.", name,
                                      name_for(setting, *symbol)));
    } else {
      known->value = value.text;
      known->origin = value.origin;
    }
  }

  void assign(const Setting& setting, std::string name, const std::string& value,
              SymbolParameters& symbol) {
    if (setting.assign(setting.rule, value, {result_.settings, symbol})) return;
    const std::string fallback = setting.default_text();
    problems_.push_back(fmt::format("{}={}: not accepted; give {} (default: {}).", name,
                                    quoted(setting, value), accepted_values(setting),
                                    fallback.empty() ? "empty" : fallback));
    refused_.push_back(std::move(name));
  }

  // What symbols have of their own, over what all have.
  void assign_symbols() {
    auto& own = result_.symbol_values;
    std::stable_sort(own.begin(), own.end(), [](const SymbolValue& a, const SymbolValue& b) {
      return std::tuple(a.row, a.symbol.text()) < std::tuple(b.row, b.symbol.text());
    });
    auto& per_symbol = result_.settings.engine.per_symbol;
    for (const SymbolValue& value : own) {
      if (entry_of(per_symbol, value.symbol) == nullptr) {
        per_symbol.push_back({value.symbol, parameters_of(value.symbol)});
      }
    }
  }

  SymbolParameters parameters_of(const Symbol& symbol) {
    SymbolParameters parameters = result_.settings.engine.defaults;
    std::vector<std::string> names;
    for (const SymbolValue& value : result_.symbol_values) {
      if (value.symbol != symbol) continue;
      names.push_back(name_for(table()[value.row], symbol));
      assign(table()[value.row], names.back(), value.value, parameters);
    }
    check_thresholds_and_weights(parameters, {refused_, &symbol, names}, problems_);
    return parameters;
  }

  void read_instruments() {
    Settings& s = result_.settings;
    if (!read_file_ || s.instruments_file.empty()) return;
    if (!was_accepted("TRADING_INSTRUMENTS_FILE")) return;
    const std::string file = fmt::format("TRADING_INSTRUMENTS_FILE={}", s.instruments_file);
    const Result<std::string, std::string> text =
        read_file_(s.instruments_file, wire::kMaxInstrumentsBytes);
    if (!text) {
      problems_.push_back(fmt::format("{}: {}.", file, text.error()));
      return;
    }
    auto listed = wire::parse_instruments(text.value());
    if (!listed) {
      problems_.push_back(fmt::format("{}: {}; give what the venue answers to exchangeInfo.", file,
                                      listed.error()));
      return;
    }
    s.instruments = std::move(listed).value();
    if (!was_accepted("TRADING_SYMBOLS")) return;
    if (!s.engine.symbols.empty()) {
      keep_listed(file);
    } else {
      std::erase_if(s.instruments, [&](const auto& instrument) {
        return !is_quoted_in(s.engine.quote_assets, instrument.symbol.text());
      });
    }
  }

  // Of the venue's thousands those that are asked for, each of which has to be there.
  void keep_listed(const std::string& file) {
    Settings& s = result_.settings;
    std::vector<wire::ListedInstrument> kept;
    for (const Symbol& symbol : s.engine.symbols) {
      const wire::ListedInstrument* const instrument = entry_of(s.instruments, symbol);
      if (instrument == nullptr) {
        problems_.push_back(
            fmt::format("{}: does not have {}; remove it from TRADING_SYMBOLS, or ask the venue "
                        "where it is listed.",
                        file, symbol.text()));
      } else if (!instrument->fault.empty()) {
        problems_.push_back(fmt::format("{}: of {}, {}.", file, symbol.text(), instrument->fault));
      } else {
        kept.push_back(*instrument);
      }
    }
    s.instruments = std::move(kept);
  }

  // Rules across settings speak only of values that were accepted.
  [[nodiscard]] bool was_accepted(std::string_view name) const {
    return std::find(refused_.begin(), refused_.end(), name) == refused_.end();
  }

  [[nodiscard]] bool is_set(std::string_view name) const {
    return !texts_[index_of(*find(name))].empty();
  }

  // Whether a credential is given, as a value or in a file; both at once is a problem.
  bool is_given(std::string_view name) {
    const std::string file = fmt::format("{}_FILE", name);
    if (is_set(name) && is_set(file) && was_accepted(name)) {
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
    if ((user || password) && was_accepted("NATS_USER") && was_accepted("NATS_PASSWORD")) {
      ways.emplace_back("NATS_USER with NATS_PASSWORD");
    }
    if (is_given("NATS_TOKEN") && was_accepted("NATS_TOKEN")) ways.emplace_back("NATS_TOKEN");
    for (const std::string_view name : {"NATS_CREDS_FILE", "NATS_NKEY_SEED_FILE"}) {
      if (is_set(name)) ways.push_back(name);
    }
    if (ways.size() < 2) return;
    problems_.push_back(fmt::format("{}: more than one way to log in at the broker; keep one.",
                                    fmt::join(ways, ", ")));
  }

  const ReadFile& read_file_;
  Configuration result_;
  std::vector<std::string> texts_;  // effective, by table index; secrets included
  Problems problems_;
  std::vector<std::string> unknown_;  // sentences of names that are not known
  std::vector<std::string> refused_;  // names whose value was not accepted
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

}  // namespace rts::config
