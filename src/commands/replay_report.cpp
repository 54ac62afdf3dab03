#include "commands/replay_report.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/config/explanation.hpp>

#include "commands/report.hpp"

namespace rts::commands {
namespace {

using research::AccountMarkouts;
using research::Edge;
using research::kHorizons;
using research::Score;

// A mean among many, with what it is of.
struct Mean {
  const research::GroupMarkouts* group = nullptr;
  std::size_t horizon = 0;

  [[nodiscard]] const research::Markout& markout() const { return group->horizons[horizon]; }
  [[nodiscard]] std::string name() const {
    return fmt::format("orders of {} after {}", words(to_string(group->strategy)),
                       duration_text(kHorizons[horizon]));
  }
};

// The best of those with so many blocks; empty: none has.
template <class ValueOf>
Mean best_of(const AccountMarkouts& markouts, std::uint64_t least_blocks, const ValueOf& value_of) {
  Mean best;
  for (const research::GroupMarkouts& group : markouts.groups) {
    for (std::size_t i = 0; i < kHorizons.size(); ++i) {
      const Mean mean{&group, i};
      if (mean.markout().estimate.net.blocks < least_blocks) continue;
      if (best.group == nullptr || value_of(mean.markout()) > value_of(best.markout())) best = mean;
    }
  }
  return best;
}

std::uint64_t orders_of(const AccountMarkouts& markouts) {
  std::uint64_t orders = 0;
  for (const research::GroupMarkouts& group : markouts.groups) orders += group.orders;
  return orders;
}

std::string too_little(const AccountMarkouts& markouts) {
  std::string text =
      fmt::format("{} orders are too few to tell: no mean of them rests on {} blocks of time.",
                  orders_of(markouts), research::kEnoughBlocks);
  const Mean most = best_of(
      markouts, 1, [](const research::Markout& markout) { return markout.estimate.net.blocks; });
  if (most.group == nullptr) return text;
  const auto& [gross, net, hit_rate, strict_net, cost] = most.markout().estimate;
  return text + fmt::format(" So far, {} gave {} after costs of {:.2f} bp, from {} blocks.",
                            most.name(), basis_points(net), cost, net.blocks);
}

// At most six digits that count, never on the wrong side of the value.
std::string rounded(double value, bool is_down) {
  constexpr int kDigits = 6;
  const double size = std::abs(value);
  if (size == 0 || !std::isfinite(size)) return fmt::format("{}", value);
  const double unit = std::pow(10.0, std::floor(std::log10(size)) + 1 - kDigits);
  const double units = value / unit;
  const std::string text =
      fmt::format("{:.{}g}", (is_down ? std::floor(units) : std::ceil(units)) * unit, kDigits);
  const double read = parse_as<double>(text).value_or(value);
  return (is_down ? read <= value : read >= value) ? text : fmt::format("{}", value);
}

struct Step {
  std::string_view comparison, gives;
  bool is_down = false;  // a value a little smaller does as well
};

// Which way a limit has to go so that the event that missed it passes.
Step step_of(Outcome outcome, Side side) {
  constexpr std::string_view kSignal = "would have given a signal more";
  constexpr std::string_view kThrough = "would have let one more through";
  if (outcome == Outcome::neutral) {
    return side == Side::buy ? Step{"below", kSignal, true} : Step{"above", kSignal, false};
  }
  const bool is_upper = outcome == Outcome::spread_above_maximum ||
                        outcome == Outcome::price_band || outcome == Outcome::daily_limit ||
                        outcome == Outcome::rate_limit || outcome == Outcome::size_limit;
  return is_upper ? Step{"of at least", kThrough, false} : Step{"of at most", kThrough, true};
}

// The text of the value, where the rule has room for it.
std::optional<std::string> value_for(const config::Rule& rule, double value, const Step& step) {
  if (const auto* const whole = std::get_if<config::Whole>(&rule)) {
    const double number = step.is_down ? std::floor(value) : std::ceil(value);
    const bool is_within =
        number >= static_cast<double>(whole->min) && number <= static_cast<double>(whole->max);
    return is_within ? std::optional(fmt::format("{:.0f}", number)) : std::nullopt;
  }
  if (const auto* const real = std::get_if<config::Real>(&rule)) {
    const bool is_within = value >= real->min && value <= real->max &&
                           !(real->excludes_min && value == real->min) &&
                           !(real->excludes_max && value == real->max);
    return is_within ? std::optional(rounded(value, step.is_down)) : std::nullopt;
  }
  return std::nullopt;
}

std::vector<const config::Setting*> thresholds_of(const research::IndicatorPlace& indicator) {
  if (indicator.name() != "spread_percent") {
    return config::deciding_settings(indicator.strategy, Outcome::neutral);
  }
  auto settings = config::deciding_settings(indicator.strategy, Outcome::spread_below_minimum);
  const auto above = config::deciding_settings(indicator.strategy, Outcome::spread_above_maximum);
  settings.insert(settings.end(), above.begin(), above.end());
  return settings;
}

void append_net(JsonWriter& json, const Score& score) {
  json.key("orders").unsigned_integer(score.orders);
  write_json(json.key("net_bp"), score.markout.net);
}

}  // namespace

ReportVerdict verdict_of(const AccountMarkouts& markouts) {
  if (orders_of(markouts) == 0) {
    return {Edge::too_little_data, "Nothing was ordered, so there is nothing to judge."};
  }
  if (markouts.overall == Edge::too_little_data) return {markouts.overall, too_little(markouts)};
  const bool has_edge = markouts.overall == Edge::edge;
  const Mean best =
      best_of(markouts, research::kEnoughBlocks, [&](const research::Markout& markout) {
        const research::Interval& net = markout.estimate.strict_net;
        return has_edge ? net.low : net.mean;
      });
  const auto& [gross, net, hit_rate, strict_net, cost] = best.markout().estimate;
  const std::string gave =
      fmt::format("gave {} after costs of {:.2f} bp.", basis_points(strict_net), cost);
  const std::string among =
      markouts.questions > 1
          ? fmt::format(" The interval allows for the {} means that were looked at.",
                        markouts.questions)
          : "";
  if (has_edge) {
    return {Edge::edge,
            fmt::format("More came back than it cost: {} {}{}", best.name(), gave, among)};
  }
  return {Edge::none,
          fmt::format("It is not to be seen that any orders gave more than they cost. The best of "
                      "them, {}, {}{}",
                      best.name(), gave, among)};
}

std::string Hint::sentence() const {
  return fmt::format("{} {} {} {}", setting, comparison, value, gives);
}

std::optional<Hint> hint_of(StrategyId strategy, Outcome outcome, Side side,
                            const research::Miss& nearest,
                            const config::Configuration& configuration) {
  History::Found found{nearest.symbol, {}};
  found.decision.strategy = strategy;
  found.decision.end = outcome;
  found.decision.measure = nearest.measure;
  const auto names = config::deciding_names(found, {configuration});
  const std::size_t place = outcome == Outcome::neutral && side == Side::sell ? 1 : 0;
  if (names.size() <= place) return std::nullopt;
  const std::string& name = names[place];
  const config::Setting* setting = config::find(name);
  if (setting == nullptr) setting = config::find_of_any_symbol(name);
  if (setting == nullptr) return std::nullopt;
  const Step step = step_of(outcome, side);
  // Of a count the limit has to be above it.
  const bool is_count = outcome == Outcome::daily_limit || outcome == Outcome::rate_limit;
  const auto value = value_for(setting->rule, nearest.measure.value + (is_count ? 1 : 0), step);
  if (!value) return std::nullopt;
  return Hint{name, step.comparison, *value, step.gives};
}

ReplayReport::ReplayReport(const Invocation& invocation, const std::vector<std::string>& recordings,
                           const config::Configuration& configuration, const EvaluationTerms& terms)
    : invocation_(invocation),
      recordings_(recordings),
      configuration_(configuration),
      sensitivity_(configuration, terms.orders) {}

void ReplayReport::take(const SymbolTable& symbols, const Decision& decision) {
  const Symbol& symbol = symbols.at(decision.symbol_index);
  quality_.see(numbers_.of(decision.symbol_index, symbol), symbol, decision.at, decision.quote);
  counts_.take(symbol, decision);
}

std::string ReplayReport::document(const Outcomes& outcomes) const {
  const auto& [tally, evaluation, log_entries] = outcomes;
  const AccountMarkouts markouts = evaluation.evaluator().markouts().result(0);
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("kind").string("replay");
  const ReportVerdict verdict = verdict_of(markouts);
  json.key("verdict").begin_object().key("edge").string(to_string(verdict.edge));
  json.key("sentence").string(verdict.sentence).end_object();
  append_made(json, invocation_, configuration_, recordings_);
  json.key("terms").begin_object();
  write_terms(json, evaluation.terms());
  json.end_object();
  ReadCounts counts{tally.frames(), tally.events(), log_entries, {}};
  for (const Reason reason : all_of<Reason>)
    counts.refused.push_back({reason, tally.count(reason)});
  append_quality(json, quality_, counts);
  append_hours(json);
  append_funnel(json, tally);
  json.key("markouts").begin_object();
  write_markouts(json, markouts, {});
  json.end_object();
  append_indicators(json);
  append_sensitivity(json);
  json.key("paper").begin_object();
  write_paper(json, evaluation.evaluator().paper()->result(0));
  json.end_object().end_object();
  return text;
}

void ReplayReport::append_hours(JsonWriter& json) const {
  const auto append = [&](std::string_view name, const auto& counts) {
    json.key(name).begin_array();
    for (const std::uint64_t count : counts) json.unsigned_integer(count);
    json.end_array();
  };
  json.key("hours").begin_object();
  for (const StrategyId strategy : all_of<StrategyId>) {
    json.key(to_string(strategy)).begin_object();
    append("orders", counts_.hours(strategy).orders);
    append("cut", counts_.hours(strategy).cut);
    json.end_object();
  }
  json.end_object();
}

void ReplayReport::append_funnel(JsonWriter& json, const Tally& tally) const {
  json.key("funnel").begin_object();
  for (const StrategyId strategy : all_of<StrategyId>) {
    json.key(to_string(strategy)).begin_object();
    json.key("events").unsigned_integer(tally.events(strategy));
    json.key("outcomes").begin_array();
    for (const Outcome outcome : all_of<Outcome>) {
      if (!can_end_in(strategy, outcome)) continue;
      append_outcome(json, strategy, outcome, tally.count(strategy, outcome));
    }
    json.end_array().end_object();
  }
  json.end_object();
}

void ReplayReport::append_outcome(JsonWriter& json, StrategyId strategy, Outcome outcome,
                                  std::uint64_t count) const {
  json.begin_object().key("outcome").string(to_string(outcome));
  json.key("events").unsigned_integer(count);
  json.key("settings").begin_array();
  for (const config::Setting* setting : config::deciding_settings(strategy, outcome)) {
    json.string(setting->name);
  }
  json.end_array().key("hints").begin_array();
  const auto append = [&](const std::optional<research::Miss>& nearest, Side side) {
    if (!nearest) return;
    const auto hint = hint_of(strategy, outcome, side, *nearest, configuration_);
    if (!hint) return;
    json.begin_object().key("setting").string(hint->setting);
    json.key("value").string(hint->value);
    json.key("sentence").string(hint->sentence());
    json.key("symbol").string(nearest->symbol.text());
    json.key("at").string(rfc3339(nearest->at)).end_object();
  };
  append(counts_.nearest(strategy, outcome), Side::buy);
  if (outcome == Outcome::neutral) append(counts_.nearest_sell(strategy), Side::sell);
  json.end_array().end_object();
}

void ReplayReport::append_indicators(JsonWriter& json) const {
  json.key("indicators").begin_array();
  for (std::size_t i = 0; i < research::kIndicators.size(); ++i) {
    const research::IndicatorPlace& indicator = research::kIndicators[i];
    const research::Histogram::Result histogram = counts_.histogram(i).result();
    json.begin_object().key("strategy").string(to_string(indicator.strategy));
    json.key("name").string(indicator.name());
    json.key("low").number_or_null(histogram.low).key("high").number_or_null(histogram.high);
    json.key("least").number_or_null(histogram.least).key("most").number_or_null(histogram.most);
    json.key("count").unsigned_integer(histogram.count);
    json.key("below").unsigned_integer(histogram.below);
    json.key("above").unsigned_integer(histogram.above);
    json.key("bins").begin_array();
    for (const std::uint64_t count : histogram.bins) json.unsigned_integer(count);
    json.end_array().key("thresholds").begin_array();
    const auto settings = thresholds_of(indicator);
    for (const config::Value& value : configuration_.values) {
      if (std::ranges::find(settings, value.setting) == settings.end()) continue;
      json.begin_object().key("setting").string(value.name());
      json.key("value").number_or_null(parse_as<double>(value.text).value_or(0)).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

void ReplayReport::append_sensitivity(JsonWriter& json) const {
  json.key("sensitivity").begin_object();
  const auto horizon = kHorizons[research::Sensitivity::kHorizon];
  json.key("horizon").string(duration_text(horizon));
  json.key("trials").unsigned_integer(sensitivity_.trials());
  json.key("configured").begin_object();
  append_net(json, sensitivity_.score(0));
  json.end_object().key("settings").begin_array();
  for (const research::NudgedSetting& setting : sensitivity_.settings()) {
    json.begin_object().key("setting").string(setting.name);
    json.key("value").string(setting.text).key("nudges").begin_array();
    for (const research::Nudge& nudge : setting.nudges) append_nudge(json, nudge);
    json.end_array().end_object();
  }
  json.end_array().end_object();
}

void ReplayReport::append_nudge(JsonWriter& json, const research::Nudge& nudge) const {
  json.begin_object().key("value").string(nudge.text);
  json.key("state").string(nudge.trial ? "tried" : nudge.differs ? "refused" : "same");
  if (nudge.trial) append_net(json, sensitivity_.score(*nudge.trial));
  if (!nudge.refused.empty()) json.key("why").string(nudge.refused);
  json.end_object();
}

}  // namespace rts::commands
