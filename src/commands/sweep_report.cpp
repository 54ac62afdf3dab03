#include "commands/sweep_report.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "commands/report.hpp"
#include "research/heat_map.hpp"

namespace rts::commands {
namespace {

using research::Edge;
using research::Score;

// The best of many is good by chance as well: its interval is as wide as so many trials want it.
std::string verdict_of(const SweepResult& result, const Score& best) {
  const std::string of_best =
      fmt::format("the best of {} settings{}", result.trials.size(),
                  best.trial == 0 ? ", which is the one that is configured," : "");
  if (best.markout.net.samples == 0) {
    return fmt::format("Of no order of {} it is known what the price did after it.", of_best);
  }
  const std::string gave =
      fmt::format("{} orders of {} gave {} after {}, costs of {:.2f} bp taken off.", best.orders,
                  of_best, basis_points(best.markout.strict_net),
                  duration_text(research::kHorizons[result.plan.horizon]), best.markout.mean_cost);
  switch (best.edge) {
    case Edge::edge:
      return fmt::format("More came back than it cost: {} Try it on other days before it trades.",
                         gave);
    case Edge::none:
      return fmt::format("It is not to be seen that any setting gives more than it costs: {}",
                         gave);
    case Edge::too_little_data: break;
  }
  return fmt::format("That is too little to tell: {} It is from {} blocks of time; {} are needed.",
                     gave, best.markout.net.blocks, research::kEnoughBlocks);
}

void append_axis(JsonWriter& json, std::string_view key, const research::HeatMap::Axis& axis) {
  json.key(key).begin_object().key("setting").string(axis.name);
  json.key("labels").begin_array();
  for (const std::string& label : axis.labels) json.string(label);
  json.end_array().end_object();
}

void append_heat_map(JsonWriter& json, const SweepResult& result) {
  const auto& plan = result.plan;
  const research::HeatMap map =
      research::heat_map(plan.variations, result.trials, result.ranked, plan.by);
  json.key("heat_map").begin_object();
  append_axis(json, "x", map.x);
  append_axis(json, "y", map.y);
  json.key("others").begin_array();
  for (const std::string& name : map.others) json.string(name);
  json.end_array().key("cells").begin_array();
  for (const auto& [x, y, best, trials] : map.cells) {
    const bool is_known = plan.by != research::Objective::markout || best->markout.net.samples > 0;
    json.begin_object().key("x").unsigned_integer(x).key("y").unsigned_integer(y);
    json.key("value");
    if (is_known) {
      json.number_or_null(best->value(plan.by));
    } else {
      json.null();
    }
    write_json(json.key("net_bp"), best->markout.net);
    json.key("orders").unsigned_integer(best->orders);
    json.key("trial").unsigned_integer(best->trial);
    json.key("trials").unsigned_integer(trials).end_object();
  }
  json.end_array().end_object();
}

void append_ranked(JsonWriter& json, const SweepResult& result) {
  json.key("ranked").begin_array();
  std::size_t rank = 0;
  for (const Score& score : result.ranked) {
    if (++rank > SweepReport::kMostRanked && score.trial != 0) continue;
    json.begin_object().key("rank").unsigned_integer(rank).key("score");
    write_score(json, result, score);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string SweepReport::document() const {
  assert(!result.ranked.empty());
  const SweepPlan& plan = result.plan;
  const Score& best = result.ranked.front();
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("kind").string("sweep");
  json.key("verdict").begin_object().key("edge").string(to_string(best.edge));
  json.key("sentence").string(verdict_of(result, best)).end_object();
  append_made(json, invocation, result.configuration, recordings);
  json.key("terms").begin_object();
  write_terms(json, plan.evaluation);
  json.end_object().key("trials").unsigned_integer(result.trials.size());
  json.key("drawn").boolean(plan.drawn.has_value());
  json.key("invalid").unsigned_integer(result.invalid);
  json.key("first_invalid").string(result.first_invalid);
  json.key("interrupted").boolean(result.read_part.has_value());
  json.key("by").string(to_string(plan.by));
  json.key("horizon").string(duration_text(research::kHorizons[plan.horizon]));
  json.key("target");
  if (plan.target) {
    json.begin_array().number_or_null(plan.target->least).number_or_null(plan.target->most);
    json.end_array().key("meeting_target").unsigned_integer(result.meeting);
  } else {
    json.null();
  }
  json.key("varied").begin_array();
  for (const research::Variation& variation : plan.variations) json.string(variation.name);
  json.end_array();
  ReadCounts read{result.frames, result.events, result.log_entries, {}};
  for (const Reason reason : all_of<Reason>) read.refused.push_back({reason, counts.count(reason)});
  append_quality(json, quality, read);
  append_ranked(json, result);
  append_heat_map(json, result);
  if (plan.walk_forward) write_walk_forward(json.key("walk_forward"), result);
  json.end_object();
  return text;
}

}  // namespace rts::commands
