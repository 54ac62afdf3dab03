// Arbitrary bytes as an environment, NAME=value a line, shown in the format that the first byte
// chooses: loading ends in settings or in problems, what is accepted can be shown and loads again,
// and nothing that is shown depends on a secret.
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rts/config/render.hpp>
#include <rts/config/settings.hpp>

#include "fuzz.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one
using config::Format;

std::vector<config::Given> environment_of(std::string_view text) {
  std::vector<config::Given> environment;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) {
      environment.push_back(
          {std::string(line.substr(0, equals)), std::string(line.substr(equals + 1))});
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return environment;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The same environment with other secrets, which are accepted or refused as those were; empty when
// it has none.
std::optional<std::vector<config::Given>> with_other_secrets(
    std::vector<config::Given> environment) {
  bool has_secrets = false;
  for (config::Given& item : environment) {
    const config::Setting* setting = config::find(item.name);
    if (setting == nullptr || !setting->is_secret()) continue;
    has_secrets = true;
    for (char& c : item.value) {
      if (is_letter_or_digit(c)) c = c == 'x' ? 'y' : 'x';
    }
  }
  return has_secrets ? std::optional(std::move(environment)) : std::nullopt;
}

// All that anyone gets to see of an environment: its problems, or its settings in this format.
std::string shown(const Result<config::Configuration, config::Problems>& loaded, Format format) {
  std::string text;
  if (!loaded) {
    for (const std::string& problem : loaded.error()) text += problem + "\n";
    fuzz::require(!text.empty(), "a refusal says why");
    return text;
  }
  for (const std::string& warning : loaded.value().warnings) text += warning + "\n";
  for (const std::string& warning : loaded.value().delivery_warnings) text += warning + "\n";
  return text + render(loaded.value(), format);
}

std::vector<std::string> values_of(const config::Configuration& configuration) {
  std::vector<std::string> values;
  for (const config::Value& value : configuration.values) {
    values.push_back(value.name() + "=" + value.text);
  }
  return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Markdown is the same whatever is set.
  constexpr std::array kFormats{Format::text, Format::json, Format::env, Format::configmap};
  if (size == 0) return 0;
  const Format format = kFormats[*data % kFormats.size()];
  const auto environment = environment_of(fuzz::as_text(data + 1, size - 1));
  const auto loaded = config::load(environment, {});
  const std::string text = shown(loaded, format);
  if (const auto others = with_other_secrets(environment)) {
    fuzz::require(shown(config::load(*others, {}), format) == text,
                  "what is shown does not depend on a secret");
  }
  // Once is enough: what loads again does not depend on the format.
  if (!loaded || format != Format::env) return 0;
  const config::Configuration& configuration = loaded.value();
  std::vector<config::Given> again;
  for (const config::Value& value : configuration.values) {
    again.push_back({value.name(), value.text});
  }
  const auto reloaded = config::load(again, {});
  fuzz::require(reloaded.ok() && values_of(reloaded.value()) == values_of(configuration),
                "effective values load again");
  const auto parameters = config::engine_parameters(configuration.settings, Clock::live);
  fuzz::require(parameters.defaults.terms.size.minimum <= parameters.defaults.terms.size.maximum,
                "minimum <= maximum");
  return 0;
}
