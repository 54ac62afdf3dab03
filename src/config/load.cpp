// Loading: what was given → effective settings with their origin, or everything that is wrong.
#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/config/names.hpp>
#include <rts/config/settings.hpp>

#include "config/checks.hpp"
#include "config/parse.hpp"

namespace rts::config {
namespace {

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

std::size_t index_of(const Setting& setting) {
  return static_cast<std::size_t>(&setting - table().data());
}

class Loader {
 public:
  explicit Loader(const ReadFile& read_file) : read_file_(read_file) {
    for (const Setting& setting : table()) {
      texts_.emplace_back(setting.fallback);
      result_.origins.push_back(Origin::fallback);
    }
  }

  void take(std::span<const Given> given, Origin origin) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
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
      settle(table()[i], std::string(table()[i].name), texts_[i], result_.settings);
      result_.values.push_back(displayed(table()[i], texts_[i]));
      result_.redacted.push_back(result_.values[i] != texts_[i]);
    }
    settle_symbols();
    const Names names{refused_};
    check_thresholds_and_weights(result_.settings, names, problems_);
    check_sizes(result_.settings, names, problems_);
    check_subjects(result_.settings, names, problems_);
    check_quotes(result_.settings, names, problems_);
    check_credentials();
    read_instruments();
    auto& unknown = result_.settings.allow_unknown_env ? result_.warnings : problems_;
    unknown.insert(unknown.end(), unknown_.begin(), unknown_.end());
    if (!problems_.empty()) return Failure{std::move(problems_)};
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
    const NameFinding finding = judge_name(name, value);
    if (finding.kind == NameKind::retired) {
      result_.warnings.push_back(fmt::format(
          "{}: is of the Python service and does nothing here. {}", name, finding.text));
    } else if (finding.kind == NameKind::misspelt) {
      complain_of_name(name, fmt::format("unknown setting; did you mean {}?", finding.text));
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
    if (!setting.is_per_symbol()) {
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

  void settle(const Setting& setting, std::string name, const std::string& value,
              Settings& settings) {
    if (assign(setting.rule, value, settings)) return;
    problems_.push_back(fmt::format("{}={}: not accepted; give {} (default: {}).", name,
                                    quoted(setting, value), accepted_values(setting),
                                    setting.fallback.empty() ? "empty" : setting.fallback));
    refused_.push_back(std::move(name));
  }

  // What symbols have of their own, over what all have.
  void settle_symbols() {
    auto& own = result_.symbol_values;
    std::stable_sort(own.begin(), own.end(), [](const SymbolValue& a, const SymbolValue& b) {
      return std::tuple(a.row, a.symbol.text()) < std::tuple(b.row, b.symbol.text());
    });
    for (const SymbolValue& value : own) {
      auto& named = result_.settings.per_symbol;
      const bool is_known = std::any_of(named.begin(), named.end(), [&](const auto& other) {
        return other.symbol == value.symbol;
      });
      if (!is_known) named.push_back({value.symbol, settled_for(value.symbol)});
    }
  }

  SymbolSettings settled_for(const Symbol& symbol) {
    Settings settings = result_.settings;
    std::vector<std::string> names;
    for (const SymbolValue& value : result_.symbol_values) {
      if (value.symbol != symbol) continue;
      names.push_back(name_for(table()[value.row], symbol));
      settle(table()[value.row], names.back(), value.value, settings);
    }
    check_thresholds_and_weights(settings, {refused_, &symbol, names}, problems_);
    return static_cast<const SymbolSettings&>(settings);  // the rest is the same for all symbols
  }

  void read_instruments() {
    Settings& s = result_.settings;
    if (s.instruments_file.empty() || !was_accepted("TRADING_INSTRUMENTS_FILE")) return;
    const std::string file = fmt::format("TRADING_INSTRUMENTS_FILE={}", s.instruments_file);
    const Result<std::string, std::string> text =
        read_file_ ? read_file_(s.instruments_file, wire::kMaxInstrumentsBytes)
                   : Failure{std::string("cannot be read here")};
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
    if (!s.symbols.empty()) {
      keep_listed(file);
    } else {
      std::erase_if(s.instruments, [&](const auto& i) { return !is_linear(s, i.symbol); });
    }
  }

  // Of the venue's thousands those that are asked for, each of which has to be there.
  void keep_listed(const std::string& file) {
    Settings& s = result_.settings;
    std::vector<wire::ListedInstrument> kept;
    for (const Symbol& symbol : s.symbols) {
      const wire::ListedInstrument* const instrument = instrument_of(s, symbol);
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
  std::vector<std::string> unknown_;  // sentences of names that nobody knows
  std::vector<std::string> refused_;  // names whose value was not accepted
};

}  // namespace

Result<Configuration, Problems> load(std::span<const Given> environment,
                                     std::span<const Given> flags, const ReadFile& read_file) {
  Loader loader(read_file);
  loader.take(environment, Origin::environment);
  loader.take(flags, Origin::flag);
  return loader.conclude();
}

}  // namespace rts::config
