#include "commands/sweep_output.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/base/json_writer.hpp>

#include "commands/evaluation.hpp"

namespace rts::commands {
namespace {

using research::Interval;
using research::Score;
using research::Trial;

std::string times_text(UnixMs from, UnixMs to) {
  return fmt::format("{} to {}", rfc3339(from), rfc3339(to));
}

std::string settings_of(const SweepResult& result, const Trial& trial) {
  if (trial.values.empty()) return "as configured";
  std::string text;
  for (const auto& variation : result.plan.variations) {
    if (!text.empty()) text += ' ';
    text += fmt::format("{}={}", variation.name, value_in(result, trial, variation.name));
  }
  return text;
}

// How many settings were tried is said wherever a result is: the best of many is better by chance.
std::string trials_text(const SweepResult& result) {
  const std::size_t combinations = result.trials.size() - 1;
  std::string text =
      fmt::format("{} settings tried: as configured, and {} {}", result.trials.size(), combinations,
                  combinations == 1 ? "combination" : "combinations");
  if (result.plan.drawn) text += fmt::format(", drawn with seed {}", result.plan.seed);
  return text;
}

std::string data_text(const SweepResult& result) {
  if (!result.span) return "no event was evaluated";
  std::string text = fmt::format("{} ({:.2f} h), {} frames, {} events, of which {} are refused",
                                 times_text(result.span->first, result.span->second),
                                 result.days() * 24, result.frames, result.events, result.refused);
  if (result.read_part) {
    text += fmt::format("; interrupted after {:.0f} % of the recordings", *result.read_part * 100);
  }
  return text;
}

std::string walk_forward_text(const SweepResult& result) {
  const auto& plan = *result.plan.walk_forward;
  const auto at = [&](std::int64_t period) { return rfc3339(UnixMs{result.plan.period * period}); };
  std::string text = fmt::format(
      "\nwalk-forward by {}: the best of {} settings on what was known, and what it did on the "
      "time "
      "behind it\n",
      to_string(plan.objective), result.trials.size());
  for (const auto& fold : result.walk_forward.folds) {
    text += fmt::format(
        "  until {}: {:>10.2f} in training, {:>10.2f} until {} (as configured "
        "{:.2f}): {}\n",
        at(fold.test), fold.trained, fold.tested, at(fold.end), fold.configured,
        settings_of(result, result.trials[fold.best]));
  }
  if (result.walk_forward.folds.empty()) {
    return text + "  the recordings are shorter than one training and one test\n";
  }
  return text + fmt::format("  mean of {} tests: {}\n", result.walk_forward.folds.size(),
                            interval_text(result.walk_forward.tested));
}

}  // namespace

double SweepResult::days() const noexcept {
  if (!span) return 0;
  return std::chrono::duration<double, std::chrono::days::period>(span->second - span->first)
      .count();
}

double SweepResult::orders_a_day(const Score& score) const noexcept {
  return days() > 0 ? static_cast<double>(score.orders) / days() : 0;
}

std::string value_in(const SweepResult& result, const Trial& trial, const std::string& name) {
  const auto own = std::ranges::find(trial.values, name, &config::Given::name);
  if (own != trial.values.end()) return own->value;
  const auto& values = result.configuration.values;
  const auto configured = std::ranges::find(values, name, &config::Value::name);
  return configured == values.end() ? "" : configured->text;
}

std::string sweep_table(const SweepResult& result) {
  std::string text = fmt::format("{}\n{}\n", trials_text(result), data_text(result));
  if (result.invalid > 0) {
    text += fmt::format("{} combinations are no settings, and were left out; first: {}\n",
                        result.invalid, result.first_invalid);
  }
  if (result.log_entries > 0) {
    text += fmt::format(
        "{} entries of the logs are passed over: they are of the settings that ran then\n",
        result.log_entries);
  }
  if (const auto& target = result.plan.target) {
    text += fmt::format("{} of them have {} to {} orders a day; the most even of these first\n",
                        result.meeting, target->least, target->most);
  }
  const std::string horizon = fmt::format("net after {}, bp", kHorizonNames[result.plan.horizon]);
  text += fmt::format("{:>4} {:>10} {:>5} {:>24} {:>11} {:>10} {:<15} {}\n", "rank", "orders/day",
                      "even", horizon, "pnl", "drawdown", "verdict", "settings");
  std::size_t rank = 0;
  for (const Score& score : result.ranked) {
    const bool is_configured = score.trial == 0;
    if (++rank > result.plan.top && !is_configured) continue;
    const std::string verdict = words(to_string(score.edge));
    text += fmt::format("{:>4} {:>10.2f} {:>5.2f} {:>24} {:>11.2f} {:>10.2f} {:<15} {}\n", rank,
                        result.orders_a_day(score), score.even, interval_text(score.markout.net),
                        score.paper.equity, score.paper.max_drawdown, verdict,
                        settings_of(result, result.trials[score.trial]));
  }
  if (result.plan.walk_forward) text += walk_forward_text(result);
  return text;
}

std::string sweep_csv(const SweepResult& result) {
  const std::string_view horizon = kHorizonNames[result.plan.horizon];
  std::string text = "rank,trial";
  for (const auto& variation : result.plan.variations) text += "," + variation.name;
  text += ",orders,orders_per_day";
  for (const StrategyId id : all_of<StrategyId>) text += fmt::format(",orders_{}", to_string(id));
  text += fmt::format(
      ",evenness,net_{0}_bp,net_{0}_bp_low,net_{0}_bp_high,samples_{0},blocks_{0},pnl,lot_net_bp,"
      "lot_net_bp_low,lot_net_bp_high,closed_lots,max_drawdown,verdict,trials\n",
      horizon);
  std::size_t rank = 0;
  for (const Score& score : result.ranked) {
    text += fmt::format("{},{}", ++rank, score.trial);
    for (const auto& variation : result.plan.variations) {
      text += "," + value_in(result, result.trials[score.trial], variation.name);
    }
    text += fmt::format(",{},{:.4f},{}", score.orders, result.orders_a_day(score),
                        fmt::join(score.orders_of, ","));
    const Interval& net = score.markout.net;
    const Interval& lot = score.paper.lot_net_bp;
    text += fmt::format(",{:.4f},{:.4f},{:.4f},{:.4f},{},{},{:.4f},{:.4f},{:.4f},{:.4f},{},{:.4f}",
                        score.even, net.mean, net.low, net.high, net.samples, net.blocks,
                        score.paper.equity, lot.mean, lot.low, lot.high,
                        score.paper.total.closed_lots, score.paper.max_drawdown);
    text += fmt::format(",{},{}\n", to_string(score.edge), result.trials.size());
  }
  return text;
}

namespace {

void append_values(JsonWriter& json, const SweepResult& result, const Trial& trial) {
  json.key("values").begin_object();
  for (const auto& variation : result.plan.variations) {
    json.key(variation.name).string(value_in(result, trial, variation.name));
  }
  json.end_object();
}

}  // namespace

void write_score(JsonWriter& json, const SweepResult& result, const Score& score) {
  json.begin_object().key("trial").unsigned_integer(score.trial);
  append_values(json, result, result.trials[score.trial]);
  json.key("orders").unsigned_integer(score.orders);
  json.key("orders_per_day").number_or_null(result.orders_a_day(score));
  json.key("orders_by_strategy").begin_object();
  for (const StrategyId id : all_of<StrategyId>) {
    json.key(to_string(id)).unsigned_integer(score.orders_of[index_of(id)]);
  }
  json.end_object().key("orders_by_hour").begin_array();
  for (const std::uint32_t orders : score.orders_of_hour) json.unsigned_integer(orders);
  json.end_array().key("evenness").number_or_null(score.even);
  write_json(json.key("gross_bp"), score.markout.gross);
  write_json(json.key("net_bp"), score.markout.net);
  write_json(json.key("net_bp_of_many_trials"), score.markout.strict_net);
  write_json(json.key("hit_rate"), score.markout.hit_rate);
  json.key("unknown").unsigned_integer(score.unknown);
  json.key("pnl").number_or_null(score.paper.equity);
  json.key("fees").number_or_null(score.paper.total.fees);
  write_json(json.key("lot_net_bp"), score.paper.lot_net_bp);
  json.key("closed_lots").unsigned_integer(score.paper.total.closed_lots);
  json.key("max_drawdown").number_or_null(score.paper.max_drawdown);
  json.key("verdict").string(to_string(score.edge)).end_object();
}

void write_walk_forward(JsonWriter& json, const SweepResult& result) {
  json.begin_object();
  write_json(json.key("tested"), result.walk_forward.tested);
  json.key("folds").begin_array();
  for (const auto& fold : result.walk_forward.folds) {
    json.begin_object();
    json.key("from").string(rfc3339(UnixMs{result.plan.period * fold.first}));
    json.key("tested_from").string(rfc3339(UnixMs{result.plan.period * fold.test}));
    json.key("to").string(rfc3339(UnixMs{result.plan.period * fold.end}));
    json.key("trial").unsigned_integer(fold.best);
    append_values(json, result, result.trials[fold.best]);
    json.key("trained").number_or_null(fold.trained);
    json.key("tested").number_or_null(fold.tested);
    json.key("configured").number_or_null(fold.configured).end_object();
  }
  json.end_array().end_object();
}

std::string sweep_json(const SweepResult& result) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("trials").unsigned_integer(result.trials.size());
  json.key("invalid").unsigned_integer(result.invalid);
  json.key("by").string(to_string(result.plan.by));
  json.key("horizon").string(kHorizonNames[result.plan.horizon]);
  json.key("frames").unsigned_integer(result.frames);
  json.key("events").unsigned_integer(result.events);
  json.key("refused").unsigned_integer(result.refused);
  json.key("days").number_or_null(result.days());
  if (result.span) {
    json.key("from").string(rfc3339(result.span->first));
    json.key("to").string(rfc3339(result.span->second));
  }
  json.key("interrupted").boolean(result.read_part.has_value());
  if (result.plan.target) json.key("meeting_target").unsigned_integer(result.meeting);
  json.key("ranked").begin_array();
  for (const Score& score : result.ranked) write_score(json, result, score);
  json.end_array();
  if (result.plan.walk_forward) {
    write_walk_forward(json.key("walk_forward"), result);
  }
  json.end_object();
  return text += '\n';
}

namespace {

// What a trial would be with another value of one setting: "900: 103.1 orders a day, net …".
std::string evidence(const SweepResult& result, const Score& score, const std::string& name) {
  return fmt::format("{}: {:.1f} orders a day, net {} bp, pnl {:.2f}",
                     value_in(result, result.trials[score.trial], name), result.orders_a_day(score),
                     interval_text(score.markout.net), score.paper.equity);
}

// Trials that differ from this one in the one setting alone, by their values' order in the list.
std::vector<const Score*> neighbours(const SweepResult& result, const Score& best,
                                     const research::Variation& varied) {
  std::vector<const Score*> found;
  for (const std::string& value : varied.values) {
    const auto alike = std::ranges::find_if(result.ranked, [&](const Score& score) {
      return std::ranges::all_of(result.plan.variations, [&](const research::Variation& other) {
        const auto of = [&](const Score& one) {
          return value_in(result, result.trials[one.trial], other.name);
        };
        return other.name == varied.name ? of(score) == value : of(score) == of(best);
      });
    });
    if (alike != result.ranked.end() && alike->trial != best.trial) found.push_back(&*alike);
  }
  return found;
}

}  // namespace

std::string sweep_env(const SweepResult& result) {
  assert(!result.ranked.empty());
  const Score& best = result.ranked.front();
  std::string text = fmt::format(
      "# Chosen by `sweep`, by {}: {}.\n# {}.\n",
      result.plan.target ? "evenness within the target" : std::string(to_string(result.plan.by)),
      trials_text(result), data_text(result));
  text += fmt::format(
      "# It gave {:.1f} orders a day on these; net after {}: {} bp, pnl {:.2f}, largest drawdown "
      "{:.2f}.\n# The best of many is better by chance: try it on other days before it trades.\n",
      result.orders_a_day(best), kHorizonNames[result.plan.horizon],
      interval_text(best.markout.net), best.paper.equity, best.paper.max_drawdown);
  for (const auto& variation : result.plan.variations) {
    std::vector<std::string> others;
    for (const Score* other : neighbours(result, best, variation)) {
      others.push_back(evidence(result, *other, variation.name));
    }
    text +=
        fmt::format("# {}\n{}={}\n",
                    others.empty() ? "Nothing else was tried with the other values as they are."
                                   : fmt::format("All else alike, {}", fmt::join(others, "; ")),
                    variation.name, value_in(result, result.trials[best.trial], variation.name));
  }
  return text;
}

}  // namespace rts::commands
