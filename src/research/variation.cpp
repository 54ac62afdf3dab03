#include "research/variation.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <rts/base/text.hpp>

namespace rts::research {
namespace {

constexpr int kMostPlaces = 9;

// "-0.75" → −75 and 2 places. Empty when it is no such number.
struct Written {
  std::int64_t units;
  int places;
};
std::optional<Written> parse_written(std::string_view text) {
  std::string digits(text);
  int places = 0;
  if (const std::size_t point = digits.find('.'); point != std::string::npos) {
    digits.erase(point, 1);
    places = static_cast<int>(digits.size() - point);
  }
  std::int64_t units = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, units);
  constexpr std::int64_t kMostUnits = 1'000'000'000'000;
  const bool is_number = error == std::errc() && stopped == end && places <= kMostPlaces;
  if (!is_number || std::abs(units) > kMostUnits) return std::nullopt;
  return Written{units, places};
}

std::int64_t in_places(const Written& number, int places) noexcept {
  std::int64_t units = number.units;
  for (int i = number.places; i < places; ++i) units *= 10;
  return units;
}

std::string text_of(std::int64_t units, int places) {
  std::int64_t one = 1;
  for (int i = 0; i < places; ++i) one *= 10;
  std::string text = fmt::format("{}{}", units < 0 ? "-" : "", std::abs(units) / one);
  if (units % one == 0) return text;
  text += fmt::format(".{:0{}}", std::abs(units) % one, places);
  while (text.back() == '0') text.pop_back();
  return text;
}

// A range is drawn from in finer units than it is written in.
constexpr int kFinerPlaces = 3;

// "a..b:step" or "a..b".
std::optional<Variation> parse_range(const config::Setting& setting, std::string_view text) {
  const std::size_t dots = text.find("..");
  const std::size_t colon = std::min(text.find(':', dots), text.size());
  const auto first = parse_written(text.substr(0, dots));
  const auto last = parse_written(text.substr(dots + 2, colon - dots - 2));
  if (!first || !last) return std::nullopt;
  Variation variation;
  if (colon == text.size()) {
    const bool is_whole = std::holds_alternative<config::Whole>(setting.rule);
    const int places = is_whole ? 0 : std::max(first->places, last->places) + kFinerPlaces;
    if (places > kMostPlaces || (is_whole && first->places + last->places > 0)) return std::nullopt;
    variation.range = {in_places(*first, places), in_places(*last, places), places};
    return variation.range->first < variation.range->last ? std::optional(variation) : std::nullopt;
  }
  const auto step = parse_written(text.substr(colon + 1));
  if (!step || step->units <= 0) return std::nullopt;
  const int places = std::max({first->places, last->places, step->places});
  const std::int64_t by = in_places(*step, places), end = in_places(*last, places);
  for (std::int64_t at = in_places(*first, places); at <= end; at += by) {
    if (variation.values.size() == kMaxTrials) return std::nullopt;
    variation.values.push_back(text_of(at, places));
  }
  return variation.values.empty() ? std::nullopt : std::optional(variation);
}

std::string value_of(const Variation& variation, std::mt19937_64& random) {
  // The remainder's bias is beyond notice: there are 2^64 numbers, and few units.
  const auto pick = [&](std::uint64_t below) { return random() % below; };
  if (!variation.range) return variation.values[pick(variation.values.size())];
  const auto [first, last, places] = *variation.range;
  const auto units = static_cast<std::int64_t>(pick(static_cast<std::uint64_t>(last - first) + 1));
  return text_of(first + units, places);
}

}  // namespace

Result<Variation, std::string> parse_variation(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals + 1 == text.size()) {
    return Failure{
        fmt::format("takes NAME=first..last:step or NAME=value,value,…, not '{}'", text)};
  }
  const std::string name(text.substr(0, equals));
  const std::string_view values = text.substr(equals + 1);
  const config::Setting* setting = config::find(name);
  if (setting == nullptr) setting = config::find_of_any_symbol(name);
  if (setting == nullptr) return Failure{fmt::format("{} is no setting", name)};
  if (!setting->live) {
    return Failure{fmt::format(
        "{} cannot be varied; those can that the service takes over while it runs, the strategies' "
        "and SIGNAL_*, RISK_* and sizes (`help set` lists them)",
        name)};
  }
  Variation variation{.name = name};
  if (values.find("..") != std::string_view::npos) {
    auto range = parse_range(*setting, values);
    if (!range) {
      return Failure{
          fmt::format("{}: '{}' is no range; give first..last:step, of which first is below last "
                      "and step above "
                      "0, with up to {} values",
                      name, values, kMaxTrials)};
    }
    range->name = name;
    return *std::move(range);
  }
  for (std::size_t at = 0; at <= values.size();) {
    const std::size_t comma = std::min(values.find(',', at), values.size());
    std::string value(trimmed(values.substr(at, comma - at)));
    const bool is_known = std::ranges::find(variation.values, value) != variation.values.end();
    if (value.empty() || is_known) {
      return Failure{fmt::format("{}: in '{}' a value is {}", name, values,
                                 value.empty() ? "empty" : "there twice")};
    }
    variation.values.push_back(std::move(value));
    at = comma + 1;
  }
  return variation;
}

std::optional<std::vector<Combination>> grid(std::span<const Variation> variations) {
  std::vector<Combination> all{{}};
  for (const Variation& variation : variations) {
    if (all.size() * variation.values.size() > kMaxTrials) return std::nullopt;
    std::vector<Combination> longer;
    for (const Combination& combination : all) {
      for (const std::string& value : variation.values) {
        longer.push_back(combination);
        longer.back().push_back({variation.name, value});
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::vector<Combination> draw(std::span<const Variation> variations, std::size_t count,
                              std::uint64_t seed) {
  constexpr std::size_t kTriesEach = 20;
  std::mt19937_64 random(seed);
  std::set<std::vector<std::string>> known;
  std::vector<Combination> drawn;
  for (std::size_t tries = 0; drawn.size() < count && tries < count * kTriesEach; ++tries) {
    std::vector<std::string> values;
    Combination combination;
    for (const Variation& variation : variations) {
      values.push_back(value_of(variation, random));
      combination.push_back({variation.name, values.back()});
    }
    if (known.insert(std::move(values)).second) drawn.push_back(std::move(combination));
  }
  return drawn;
}

}  // namespace rts::research
