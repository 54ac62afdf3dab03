#include "research/sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include <fmt/format.h>

#include <rts/base/text.hpp>

namespace rts::research {
namespace {

constexpr std::array kFactors{0.9, 1.1};

std::optional<std::string> scaled_by(const config::Whole& rule, std::string_view text,
                                     double factor) {
  const auto value = parse_as<std::int64_t>(text);
  if (!value) return std::nullopt;
  const auto nearest = std::llround(static_cast<double>(*value) * factor);
  return fmt::format("{}", std::clamp<std::int64_t>(nearest, rule.min, rule.max));
}

std::optional<std::string> scaled_by(const config::Real& rule, std::string_view text,
                                     double factor) {
  const auto value = parse_as<double>(text);
  if (!value) return std::nullopt;
  // 0.7 · 1.1 is 0.7700000000000001: nobody writes that.
  const auto rounded = parse_as<double>(fmt::format("{:.6g}", *value * factor));
  const double within = std::clamp(rounded.value_or(*value), rule.min, rule.max);
  const bool is_allowed =
      !(rule.excludes_min && within == rule.min) && !(rule.excludes_max && within == rule.max);
  return fmt::format("{}", is_allowed ? within : *value);
}

template <class Rule>
std::optional<std::string> scaled_by(const Rule& /*rule*/, std::string_view /*text*/,
                                     double /*factor*/) {
  return std::nullopt;
}

}  // namespace

std::optional<std::string> scaled(const config::Rule& rule, std::string_view text, double factor) {
  return std::visit([&](const auto& of) { return scaled_by(of, text, factor); }, rule);
}

Sensitivity::Sensitivity(const config::Configuration& configuration,
                         const OrderEvaluator::Terms& terms) {
  trials_.push_back({{}, config::engine_parameters(configuration.settings, Clock::replay)});
  for (const config::Value& value : configuration.values) add(configuration, value);
  OrderEvaluator::Terms without_paper = terms;
  without_paper.has_paper = without_paper.by_symbol = false;
  scoreboard_.emplace(trials_.size(), Scoreboard::Terms{.orders = without_paper});
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  sweep_.emplace(trials_, threads, [this](const std::vector<std::size_t>& trials) {
    return scoreboard_->make_observer(trials);
  });
}

void Sensitivity::add(const config::Configuration& configuration, const config::Value& value) {
  const bool is_tried = value.setting->live && settings_.size() < kMaxSettings;
  if (!is_tried || !scaled(value.setting->rule, value.text, 1)) return;
  NudgedSetting& setting = settings_.emplace_back();
  setting.name = value.name();
  setting.text = value.text;
  for (std::size_t i = 0; i < kFactors.size(); ++i) {
    Nudge& nudge = setting.nudges[i];
    nudge.text = *scaled(value.setting->rule, value.text, kFactors[i]);
    nudge.differs = parse_as<double>(nudge.text) != parse_as<double>(value.text);
    if (!nudge.differs) continue;
    const std::vector<config::Given> values{{setting.name, nudge.text}};
    auto parameters = config::with_live_values(configuration, values);
    if (!parameters) {
      nudge.refused = parameters.error().front();
      continue;
    }
    nudge.trial = trials_.size();
    trials_.push_back({values, std::move(parameters).value()});
  }
}

void Sensitivity::finish() {
  sweep_->finish();
  scoreboard_->finish();
}

}  // namespace rts::research
