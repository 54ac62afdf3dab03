#include "research/heat_map.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <rts/base/text.hpp>

namespace rts::research {
namespace {

std::string value_of(const Trial& trial, std::string_view name) {
  const auto found = std::ranges::find(trial.values, name, &config::Given::name);
  return found == trial.values.end() ? "" : found->value;
}

// Numbers by size, before what is none.
bool is_before(const std::string& a, const std::string& b) {
  const auto left = parse_as<double>(a), right = parse_as<double>(b);
  if (left && right) return *left < *right;
  return left.has_value() != right.has_value() ? left.has_value() : a < b;
}

// The values that a setting had in the trials, and the place of each on its axis.
class Scale {
 public:
  Scale(const std::string& name, const std::vector<Trial>& trials) : name_(name) {
    for (const Trial& trial : trials) {
      if (!trial.values.empty()) values_.push_back(value_of(trial, name));
    }
    std::ranges::sort(values_, is_before);
    values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
    if (values_.size() <= HeatMap::kMaxValues) return;
    const auto least = parse_as<double>(values_.front()), most = parse_as<double>(values_.back());
    if (least && most) range_.emplace(*least, *most);
  }

  [[nodiscard]] std::size_t values() const noexcept { return values_.size(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  [[nodiscard]] HeatMap::Axis axis() const {
    if (!range_) return {name_, values_};
    HeatMap::Axis axis{name_, {}};
    const auto edge = [&](std::size_t place) {
      const double part = static_cast<double>(place) / HeatMap::kMaxValues;
      return range_->first + (range_->second - range_->first) * part;
    };
    for (std::size_t i = 0; i < HeatMap::kMaxValues; ++i) {
      axis.labels.push_back(fmt::format("{:.5g} to {:.5g}", edge(i), edge(i + 1)));
    }
    return axis;
  }

  [[nodiscard]] std::size_t place_of(const Trial& trial) const {
    const std::string value = value_of(trial, name_);
    if (!range_) {
      return static_cast<std::size_t>(std::ranges::find(values_, value) - values_.begin());
    }
    const auto& [least, most] = *range_;
    const double part = (parse_as<double>(value).value_or(least) - least) / (most - least);
    return std::min(static_cast<std::size_t>(part * HeatMap::kMaxValues), HeatMap::kMaxValues - 1);
  }

 private:
  std::string name_;
  std::vector<std::string> values_;
  std::optional<std::pair<double, double>> range_;  // where there are too many values
};

// A mean of no samples is no value.
double value_of(const Score& score, Objective objective) noexcept {
  const bool is_none = objective == Objective::markout && score.markout.net.samples == 0;
  return is_none ? -std::numeric_limits<double>::infinity() : score.value(objective);
}

}  // namespace

HeatMap heat_map(std::span<const Variation> variations, const std::vector<Trial>& trials,
                 std::span<const Score> scores, Objective objective) {
  assert(!variations.empty());
  std::vector<Scale> scales;
  for (const Variation& variation : variations) scales.emplace_back(variation.name, trials);
  std::ranges::stable_sort(scales, std::greater{}, &Scale::values);
  HeatMap map{.x = scales.front().axis(), .y = {"", {""}}};
  if (scales.size() > 1) map.y = scales[1].axis();
  for (std::size_t i = 2; i < scales.size(); ++i) map.others.push_back(scales[i].name());
  std::map<std::pair<std::size_t, std::size_t>, HeatMap::Cell> cells;
  for (const Score& score : scores) {
    const Trial& trial = trials[score.trial];
    if (trial.values.empty()) continue;
    const std::size_t x = scales.front().place_of(trial);
    const std::size_t y = scales.size() > 1 ? scales[1].place_of(trial) : 0;
    HeatMap::Cell& cell = cells[{y, x}];
    const bool is_better =
        cell.best == nullptr || value_of(score, objective) > value_of(*cell.best, objective);
    cell = {x, y, is_better ? &score : cell.best, cell.trials + 1};
  }
  for (const auto& [place, cell] : cells) map.cells.push_back(cell);
  return map;
}

}  // namespace rts::research
