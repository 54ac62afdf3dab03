#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <rts/base/fnv.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/render.hpp>

namespace rts::config {
namespace {

struct Accepted {
  std::string operator()(const Flag&) const { return "true or false"; }

  std::string operator()(const Whole& rule) const {
    return fmt::format("a whole number from {} to {}", rule.min, rule.max);
  }

  std::string operator()(const Real& rule) const {
    const bool bounded_below = std::isfinite(rule.min);
    const bool bounded_above = std::isfinite(rule.max);
    if (!bounded_below && !bounded_above) return "a number";
    const std::string below = fmt::format("{} {}", rule.excludes_min ? ">" : ">=", rule.min);
    if (!bounded_above) return "a number " + below;
    return fmt::format("a number {} and {} {}", below, rule.excludes_max ? "<" : "<=", rule.max);
  }

  std::string operator()(const Choice& rule) const {
    std::string list;
    for (std::size_t i = 0; i < rule.values.size(); ++i) {
      if (i > 0) list += i + 1 == rule.values.size() ? " or " : ", ";
      list += rule.values[i];
    }
    return list;
  }

  std::string operator()(const Text& rule) const {
    switch (rule.form) {
      case Text::Form::any:
        return "a text without control characters";
      case Text::Form::not_empty:
        return "a text without control characters, not empty";
      case Text::Form::address:
        return "an IPv4 or IPv6 address";
      case Text::Form::connection_name:
        return "printable ASCII without quotes and backslash";
      case Text::Form::group:
        return "printable ASCII without blanks, or empty";
      case Text::Form::order_subject:
        return "a subject without wildcards, blanks or empty tokens; one token may be {strategy}";
      case Text::Form::pattern:
        return "a subject without blanks or empty tokens";
      case Text::Form::subject_or_empty:
        return "a subject without wildcards, or empty";
    }
    return "";
  }

  std::string operator()(const StepSize&) const { return "a decimal > 0 of up to 18 digits"; }
  std::string operator()(const SymbolList&) const { return "* or SYMBOL,SYMBOL,… (up to 512)"; }
  std::string operator()(const StepList&) const { return "SYMBOL:step,…, or empty"; }
  std::string operator()(const UrlList&) const {
    return "host:port, nats://host:port or tls://host:port, comma-separated";
  }
  std::string operator()(const Confidential& rule) const {
    return rule.form == Confidential::Form::path
               ? "a path"
               : "a text without quotes, backslash and control characters";
  }
};

std::string render_text(const Configuration& configuration) {
  std::string out;
  for (std::size_t i = 0; i < table().size(); ++i) {
    if (i == 0 || table()[i].group != table()[i - 1].group) {
      out += fmt::format("{}# {}\n", i == 0 ? "" : "\n", title(table()[i].group));
    }
    out += fmt::format("{:<38} {:<46} {}\n", table()[i].name, printable(configuration.values[i]),
                       to_string(configuration.origins[i]));
  }
  return out;
}

// Calls `write` for every row that another process may be given as it is shown here; a row whose
// value would not survive being shown is said instead of written.
template <class Write>
void for_each_exported(const Configuration& configuration, std::string& out, Write write) {
  for (std::size_t i = 0; i < table().size(); ++i) {
    const Setting& setting = table()[i];
    if (setting.is_secret()) continue;
    if (configuration.redacted[i]) {
      out += fmt::format("# {} holds a secret; set it where secrets are set.\n", setting.name);
    } else {
      write(setting.name, configuration.values[i]);
    }
  }
}

// An env file has no way to write a line end. Only lists may hold one, between their items, where a
// blank means the same.
std::string on_one_line(std::string_view value) {
  std::string line;
  while (!value.empty()) {
    const std::size_t control = control_sequence(value);
    line += control > 0 ? ' ' : value.front();
    value.remove_prefix(std::max<std::size_t>(control, 1));
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

std::string render_configmap(const Configuration& configuration) {
  std::string out =
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: petrosa-realtime-strategies\ndata:\n";
  for_each_exported(configuration, out, [&](std::string_view name, const std::string& value) {
    out += fmt::format("  {}: ", name);
    append_json_string(out, value);  // JSON strings are YAML strings
    out += '\n';
  });
  return out;
}

std::string render_markdown() {
  std::string out =
      "# Configuration\n\n"
      "Generated from the settings table in the code by `realtime-strategies config --format "
      "markdown`; a test compares. Each setting is an environment variable and, unless it is a "
      "secret, a flag (`TRADING_SYMBOLS` is `--trading-symbols`). A flag beats the environment, "
      "the environment beats the default. A value that is not accepted, or a variable with one of "
      "our prefixes that is not in this list, ends the start with exit code 78 and a line for each "
      "problem; `realtime-strategies check` tells without starting.\n";
  for (std::size_t i = 0; i < table().size(); ++i) {
    const Setting& setting = table()[i];
    if (i == 0 || setting.group != table()[i - 1].group) {
      out += fmt::format("\n## {}\n\n| name | default | accepted | meaning |\n|---|---|---|---|\n",
                         title(setting.group));
    }
    const std::string fallback =
        setting.fallback.empty() ? std::string("empty") : fmt::format("`{}`", setting.fallback);
    out +=
        fmt::format("| `{}` | {} | {} | {}{} |\n", setting.name, fallback, accepted_values(setting),
                    setting.help, setting.is_secret() ? " Secret." : "");
  }
  return out;
}

}  // namespace

std::string accepted_values(const Setting& setting) {
  return std::visit(Accepted{}, setting.rule);
}

std::optional<Format> parse_format(std::string_view name) noexcept {
  if (name == "text") return Format::text;
  if (name == "json") return Format::json;
  if (name == "env") return Format::env;
  if (name == "markdown") return Format::markdown;
  if (name == "configmap") return Format::configmap;
  return std::nullopt;
}

std::string render(const Configuration& configuration, Format format) {
  switch (format) {
    case Format::text:
      return render_text(configuration);
    case Format::json:
      return render_json(configuration);
    case Format::env:
      return render_env(configuration);
    case Format::markdown:
      return render_markdown();
    case Format::configmap:
      return render_configmap(configuration);
  }
  return {};
}

void append_settings(JsonWriter& json, const Configuration& configuration) {
  json.begin_object();
  for (std::size_t i = 0; i < table().size(); ++i) {
    json.key(table()[i].name).begin_object();
    json.key("value").string(configuration.values[i]);
    json.key("origin").string(to_string(configuration.origins[i]));
    json.end_object();
  }
  json.end_object();
}

std::string help_text() {
  std::string out;
  for (std::size_t i = 0; i < table().size(); ++i) {
    const Setting& setting = table()[i];
    if (i == 0 || setting.group != table()[i - 1].group) {
      out += fmt::format("\n{}:\n", title(setting.group));
    }
    out +=
        fmt::format("  {}\n      {} [{}; default: {}]\n",
                    setting.is_secret() ? std::string(setting.name)
                                        : fmt::format("{} ({})", flag_name(setting), setting.name),
                    setting.help, accepted_values(setting),
                    setting.fallback.empty() ? "empty" : setting.fallback);
  }
  return out;
}

std::string fingerprint(const Configuration& configuration) {
  return fmt::format("{:016x}", fnv1a(render(configuration, Format::env)));
}

}  // namespace rts::config
