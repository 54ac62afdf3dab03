#include <algorithm>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/names.hpp>
#include <rts/config/render.hpp>

namespace rts::config {
namespace {

// A row of a configuration, or the value that one symbol has of its own.
struct Shown {
  const Setting& setting;
  std::string name;
  const std::string& value;
  Origin origin;
  bool redacted;
};

// Calls `each` with every row, the values of single symbols behind their setting's.
template <class Each>
void for_each_value(const Configuration& configuration, Each each) {
  auto own = configuration.symbol_values.begin();
  for (std::size_t i = 0; i < table().size(); ++i) {
    const Setting& setting = table()[i];
    each(Shown{setting, std::string(setting.name), configuration.values[i],
               configuration.origins[i], configuration.redacted[i]});
    for (; own != configuration.symbol_values.end() && own->row == i; ++own) {
      each(Shown{setting, name_for(setting, own->symbol), own->value, own->origin, false});
    }
  }
}

std::string render_text(const Configuration& configuration) {
  std::string out;
  std::optional<Group> group;
  for_each_value(configuration, [&](const Shown& row) {
    if (row.setting.group != group) {
      out += fmt::format("{}# {}\n", group ? "\n" : "", title(row.setting.group));
    }
    group = row.setting.group;
    out += fmt::format("{:<38} {:<46} {}\n", row.name, printable(row.value), to_string(row.origin));
  });
  return out;
}

// Calls `write` for every row that another process may be given as it is shown here; a row whose
// value would not survive being shown is said instead of written.
template <class Write>
void for_each_exported(const Configuration& configuration, std::string& out, Write write) {
  for_each_value(configuration, [&](const Shown& row) {
    if (row.setting.is_secret()) return;
    if (row.redacted) {
      out += fmt::format("# {} holds a secret; set it where secrets are set.\n", row.name);
    } else {
      write(row.name, row.value);
    }
  });
}

// An env file has no way to write a line end. Only lists may hold one, between their items, where a
// blank means the same.
std::string on_one_line(std::string_view value) {
  std::string line;
  while (!value.empty()) {
    const Character c = take_character(value);
    line += c.is_control ? " " : c.bytes;
  }
  return line;
}

std::string render_env(const Configuration& configuration) {
  std::string out;
  for_each_exported(configuration, out, [&](std::string_view name, const std::string& value) {
    out += fmt::format("{}={}\n", name, on_one_line(value));
  });
  return out;
}

std::string render_json(const Configuration& configuration) {
  std::string out;
  JsonWriter json(out);
  append_settings(json, configuration);
  return out + "\n";
}

bool is_config_map_key(std::string_view name) noexcept {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

std::string render_configmap(const Configuration& configuration) {
  std::string out =
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: petrosa-realtime-strategies\ndata:\n";
  for_each_exported(configuration, out, [&](std::string_view name, const std::string& value) {
    if (!is_config_map_key(name)) {
      out += fmt::format("  # {}: the keys of a ConfigMap are ASCII; set it elsewhere.\n", name);
      return;
    }
    out += fmt::format("  {}: ", name);
    append_json_string(out, value);  // JSON strings are YAML strings
    out += '\n';
  });
  return out;
}

constexpr std::string_view kPage =
    "# Configuration\n\n"
    "Generated from the settings table in the code by `realtime-strategies config --format "
    "markdown`; a test compares. Each setting is an environment variable and, unless it is a "
    "secret, a flag (`TRADING_SYMBOLS` is `--trading-symbols`). A flag beats the environment, "
    "the environment beats the default. A value that is not accepted ends the start with exit code "
    "78 and a line for each problem; `realtime-strategies check` tells without starting, and warns "
    "of what is accepted but hardly meant.\n\n"
    "A setting marked *per symbol* can also be given for one symbol, as `NAME__SYMBOL`: "
    "`TRADING_ORDER_NOTIONAL__BTCUSDT=50`, or `--trading-order-notional--btcusdt 50`. That beats "
    "the setting itself, wherever either comes from, and is held to the same rules. The symbol may "
    "be in any case, as in `TRADING_SYMBOLS`; the name may not.\n\n"
    "An environment variable that is not in this list, but begins as these do, is at most two "
    "letters away from one of them (one, where it has eight or fewer) or is one in another case, "
    "is taken for a slip: it ends the start as well, with the nearest name, unless "
    "`ALLOW_UNKNOWN_ENV=true`. What Kubernetes sets for its Services is passed over.\n";

std::string render_markdown() {
  std::string out(kPage);
  for (std::size_t i = 0; i < table().size(); ++i) {
    const Setting& setting = table()[i];
    if (i == 0 || setting.group != table()[i - 1].group) {
      out += fmt::format("\n## {}\n\n| name | default | accepted | meaning |\n|---|---|---|---|\n",
                         title(setting.group));
    }
    const std::string made_with = setting.default_text();
    const std::string fallback = made_with.empty() ? "empty" : fmt::format("`{}`", made_with);
    out +=
        fmt::format("| `{}` | {} | {} | {}{}{} |\n", setting.name, fallback,
                    accepted_values(setting), setting.help, setting.is_secret() ? " Secret." : "",
                    setting.per_symbol ? " *Per symbol.*" : "");
  }
  out +=
      "\n## Settings of the Python service\n\n"
      "The Python service of this name read these. They are warned of and have no effect.\n\n";
  for (const auto& [name, instead] : retired_names()) {
    out += fmt::format("- `{}`: {}\n", name, instead);
  }
  return out;
}

}  // namespace

std::string render(const Configuration& configuration, Format format) {
  switch (format) {
    case Format::text: return render_text(configuration);
    case Format::json: return render_json(configuration);
    case Format::env: return render_env(configuration);
    case Format::markdown: return render_markdown();
    case Format::configmap: return render_configmap(configuration);
  }
  return {};
}

void append_settings(JsonWriter& json, const Configuration& configuration) {
  json.begin_object();
  for_each_value(configuration, [&](const Shown& row) {
    json.key(row.name).begin_object();
    json.key("value").string(row.value);
    json.key("origin").string(to_string(row.origin));
    json.end_object();
  });
  json.end_object();
}

std::string help_text() {
  std::string out =
      "per symbol: also for one symbol, as --name--symbol VALUE or NAME__SYMBOL=VALUE\n";
  for (std::size_t i = 0; i < table().size(); ++i) {
    const Setting& setting = table()[i];
    if (i == 0 || setting.group != table()[i - 1].group) {
      out += fmt::format("\n{}:\n", title(setting.group));
    }
    const std::string fallback = setting.default_text();
    out +=
        fmt::format("  {}\n      {} [{}; default: {}{}]\n",
                    setting.is_secret() ? std::string(setting.name)
                                        : fmt::format("{} ({})", flag_name(setting), setting.name),
                    setting.help, accepted_values(setting), fallback.empty() ? "empty" : fallback,
                    setting.per_symbol ? "; per symbol" : "");
  }
  return out;
}

std::string fingerprint(const Configuration& configuration) {
  std::string text = render(configuration, Format::env);
  // A file says the same wherever it is, and something else as soon as the venue does.
  for (const wire::ListedInstrument& i : configuration.settings.instruments) {
    text += fmt::format("{} {} {} {}", i.symbol.text(), i.status, i.quote_asset, i.margin_asset);
    for (const Decimal& number : {i.quantity_step, i.min_quantity, i.max_quantity, i.min_notional,
                                  i.max_notional, i.tick}) {
      text += ' ' + number.to_string();
    }
    text += '\n';
  }
  return fmt::format("{:016x}", fnv1a(text));
}

}  // namespace rts::config
