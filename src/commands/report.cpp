#include "commands/report.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>

#include <fmt/format.h>

#include <rts/base/time.hpp>
#include <rts/base/version.hpp>
#include <rts/config/render.hpp>

#include "commands/evaluation.hpp"
#include "http/server.hpp"

namespace rts::commands {
namespace {

// A browser ends the document where it sees "</script": no '<' of the data stands in the page.
std::string without_markup(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

void put_in(std::string& page, std::string_view place, std::string_view text) {
  const std::size_t at = page.find(place);
  assert(at != std::string::npos);
  page.replace(at, place.size(), text);
}

// As a shell takes it for one word.
std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "-_./:=,@%+";
  const bool is_plain = !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPlain.find(c) != std::string_view::npos;
  });
  if (is_plain) return std::string(text);
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word += '\'';
}

std::string flag_of(const config::Value& value) {
  std::string flag = config::flag_name(*value.setting);
  if (value.symbol) flag += fmt::format("{}{}", config::kFlagSymbolMark, value.symbol->text());
  return flag;
}

}  // namespace

std::string report_page(std::string_view document) {
  std::string page(kReportTemplate);
  const std::string policy =
      fmt::format("default-src 'none'; {}; img-src data:; base-uri 'none'; form-action 'none'",
                  http::own_sources(page));
  put_in(page, "{{policy}}", policy);
  put_in(page, "{{document}}", without_markup(document));
  return page;
}

std::string repeating_command(const Invocation& invocation,
                              const config::Configuration& configuration) {
  std::string text = fmt::format("realtime-strategies {}", invocation.command->name);
  for (const auto& [name, value] : invocation.options) {
    const std::string option = fmt::format("--{}", name);
    text += ' ' + option;
    const Option* const known = find_option(*invocation.command, option);
    if (known != nullptr && !known->value.empty()) text += ' ' + shell_word(value);
  }
  for (const config::Value& value : configuration.values) {
    const bool is_shown =
        value.origin != config::Origin::fallback && !value.redacted && !value.setting->is_secret();
    if (is_shown) text += fmt::format(" {}", shell_word(flag_of(value) + '=' + value.text));
  }
  for (const std::string& argument : invocation.arguments) text += ' ' + shell_word(argument);
  return text;
}

void append_made(JsonWriter& json, const Invocation& invocation,
                 const config::Configuration& configuration,
                 const std::vector<std::string>& recordings) {
  json.key("made").begin_object();
  json.key("command").string(repeating_command(invocation, configuration));
  json.key("version").string(rts::kVersion).key("commit").string(kCommit);
  json.key("recordings").begin_array();
  for (const std::string& path : recordings) {
    json.string(path == "-" ? std::string_view("standard input") : path);
  }
  json.end_array().key("settings_hash").string(config::fingerprint(configuration));
  json.key("settings");
  config::append_settings(json, configuration);
  json.end_object();
}

void append_quality(JsonWriter& json, const research::DataQuality& quality,
                    const ReadCounts& counts) {
  json.key("quality").begin_object();
  json.key("frames").unsigned_integer(counts.frames);
  json.key("events").unsigned_integer(counts.events);
  json.key("log_entries").unsigned_integer(counts.log_entries);
  const auto time = [&](std::string_view name, UnixMs at, bool is_known) {
    json.key(name);
    if (is_known) {
      json.string(rfc3339(at));
    } else {
      json.null();
    }
  };
  time("from", quality.first(), !quality.is_empty());
  time("to", quality.last(), !quality.is_empty());
  json.key("refused").begin_array();
  for (const auto& [reason, events] : counts.refused) {
    if (events == 0) continue;
    json.begin_object().key("reason").string(to_string(reason));
    json.key("disposition").string(disposition(reason));
    json.key("events").unsigned_integer(events).end_object();
  }
  json.end_array().key("symbols").begin_array();
  for (const research::SymbolQuality& symbol : quality.symbols()) {
    json.begin_object().key("symbol").string(symbol.symbol.text());
    json.key("events").unsigned_integer(symbol.events);
    time("from", symbol.first, true);
    time("to", symbol.last, true);
    json.key("gaps").unsigned_integer(symbol.gaps);
    json.key("longest_gap_seconds").number_or_null(in_seconds(symbol.longest_gap));
    time("longest_gap_from", symbol.longest_gap_from, symbol.gaps > 0);
    write_json(json.key("volatility_percent_a_day"), symbol.volatility);
    json.end_object();
  }
  json.end_array().key("events_of_others").unsigned_integer(quality.events_of_others());
  json.end_object();
}

std::string basis_points(const research::Interval& interval) {
  if (interval.samples == 0) return "not known";
  if (!interval.has_bounds()) {
    return fmt::format("{:+.2f} bp (of one block of time: how sure that is is not known)",
                       interval.mean);
  }
  return fmt::format("{:+.2f} bp (95 %: {:+.2f} to {:+.2f})", interval.mean, interval.low,
                     interval.high);
}

}  // namespace rts::commands
