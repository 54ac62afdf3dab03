#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/names.hpp>
#include <rts/config/render.hpp>

namespace rts::config {
namespace {

bool begins_group(const Setting& setting) {
  return &setting == table().data() || (&setting)[-1].group != setting.group;
}

std::string default_or_empty(const Setting& setting, std::string_view quote) {
  const std::string text = setting.default_text();
  return text.empty() ? "empty" : fmt::format("{}{}{}", quote, text, quote);
}

std::string render_text(const Configuration& configuration) {
  std::string out;
  for (const Value& value : configuration.values) {
    if (!value.symbol && begins_group(*value.setting)) {
      out += fmt::format("{}# {}\n", out.empty() ? "" : "\n", title(value.setting->group));
    }
    out += fmt::format("{:<38} {:<46} {}{}\n", value.name(), printable(value.text),
                       to_string(value.origin), value.setting->live ? ", live" : "");
  }
  return out;
}

std::string render_json(const Configuration& configuration) {
  std::string out;
  JsonWriter json(out);
  append_settings(json, configuration);
  return out + "\n";
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

bool is_config_map_key(std::string_view name) noexcept {
  return name.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
             "0123456789_-.") == std::string_view::npos;
}

// What another process may be given as it is shown here; a value that would not survive being shown
// is said instead of written.
std::string render_exported(const Configuration& configuration, Format format) {
  std::string out;
  if (format == Format::configmap) {
    out =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: petrosa-realtime-strategies\ndata:\n";
  }
  for (const Value& value : configuration.values) {
    if (value.setting->is_secret()) continue;
    const std::string name = value.name();
    if (value.redacted) {
      out += fmt::format("# {} holds a secret; set it where secrets are set.\n", name);
    } else if (format == Format::env) {
      out += fmt::format("{}={}\n", name, on_one_line(value.text));
    } else if (!is_config_map_key(name)) {
      out += fmt::format("  # {}: the keys of a ConfigMap are ASCII; set it elsewhere.\n", name);
    } else {
      out += fmt::format("  {}: ", name);
      append_json_string(out, value.text);  // JSON strings are YAML strings
      out += '\n';
    }
  }
  return out;
}

constexpr std::string_view kPage =
    "# Configuration\n\n"
    "Generated from the settings table in the code by `realtime-strategies config --format "
    "markdown`; a test compares. Each setting is an environment variable and, unless it is a "
    "secret, a flag (`TRADING_SYMBOLS` is `--trading-symbols`). A flag beats the environment, "
    "the environment beats the default. A value that is not accepted ends the start with exit code "
    "78 and a line for each problem; `realtime-strategies check` tells without starting, also of "
    "files (`check FILE.env`, `check --from MANIFEST`), and warns of what is accepted but hardly "
    "meant. `realtime-strategies help settings NAME` tells all about one.\n\n"
    "A setting marked *per symbol* can also be given for one symbol, as `NAME__SYMBOL`: "
    "`TRADING_ORDER_NOTIONAL__BTCUSDT=50`, or `--trading-order-notional--btcusdt 50`. That beats "
    "the setting itself, wherever either comes from, and is held to the same rules. The symbol may "
    "be in any case, as in `TRADING_SYMBOLS`; the name may not.\n\n"
    "A setting marked *live* can be changed while the service runs, on all replicas at the same "
    "event, by `realtime-strategies set`; so can the same of one symbol. What is set so beats "
    "flag, environment and default until `unset`, also for a replica that starts later.\n\n"
    "An environment variable that is not in this list, but begins as these do, is at most two "
    "letters away from one of them (one, where it has eight or fewer) or is one in another case, "
    "is taken for a slip: it ends the start as well, with the nearest name, unless "
    "`ALLOW_UNKNOWN_ENV=true`. What Kubernetes sets for its Services is passed over.\n";

std::string render_markdown() {
  std::string out(kPage);
  for (const Setting& setting : table()) {
    if (begins_group(setting)) {
      out += fmt::format("\n## {}\n\n| name | default | accepted | meaning |\n|---|---|---|---|\n",
                         title(setting.group));
    }
    out +=
        fmt::format("| `{}` | {} | {} | {}{}{}{} |\n", setting.name, default_or_empty(setting, "`"),
                    accepted_values(setting), setting.help, setting.is_secret() ? " Secret." : "",
                    setting.live ? " *Live.*" : "", setting.per_symbol ? " *Per symbol.*" : "");
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
    case Format::env:
    case Format::configmap: return render_exported(configuration, format);
    case Format::markdown: return render_markdown();
  }
  return {};
}

void append_settings(JsonWriter& json, const Configuration& configuration,
                     std::span<const Given> live) {
  const auto append = [&](std::string_view name, std::string_view text, Origin origin) {
    json.key(name).begin_object();
    json.key("value").string(text);
    json.key("origin").string(to_string(origin)).end_object();
  };
  json.begin_object();
  for (const Value& value : configuration.values) {
    const std::string name = value.name();
    const bool is_changed =
        std::ranges::any_of(live, [&](const Given& given) { return to_upper(given.name) == name; });
    if (!is_changed) append(name, value.text, value.origin);
  }
  for (const Given& given : live) append(to_upper(given.name), given.value, Origin::control_log);
  json.end_object();
}

std::string help_text(std::optional<Group> only) {
  std::string out =
      "A flag beats the environment variable, which beats the default.\n"
      "per symbol: also for one symbol, as --name--symbol VALUE or NAME__SYMBOL=VALUE\n"
      "live: can be changed while the service runs, by `set`\n";
  for (const Setting& setting : table()) {
    if (only && setting.group != *only) continue;
    if (begins_group(setting)) out += fmt::format("\n{}:\n", title(setting.group));
    const std::string flag =
        setting.is_secret() ? "" : fmt::format("{} ({})", flag_name(setting), setting.name);
    out += fmt::format("  {}\n      {} [{}; default: {}{}{}]\n", flag.empty() ? setting.name : flag,
                       setting.help, accepted_values(setting), default_or_empty(setting, ""),
                       setting.live ? "; live" : "", setting.per_symbol ? "; per symbol" : "");
  }
  return out;
}

std::string fingerprint(const Configuration& configuration, std::span<const Given> live) {
  std::map<std::string, std::string_view> values;
  for (const Value& value : configuration.values) {
    if (!value.setting->is_secret() && !value.redacted) values[value.name()] = value.text;
  }
  for (const Given& given : live) values[to_upper(given.name)] = given.value;
  std::string text;
  for (const auto& [name, value] : values) text += fmt::format("{}={}\n", name, value);
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
