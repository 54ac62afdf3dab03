// Answers to `replay --why`, for people and for programs.
#include <fmt/format.h>

#include <rts/base/utf8.hpp>

#include "commands/output.hpp"
#include "commands/why.hpp"

namespace rts::commands {
namespace {

std::string seconds(std::chrono::milliseconds span) {
  return config::exact(in_seconds(span)) + " s";
}

// "0.09 s before".
std::string away(UnixMs moment, UnixMs at) {
  if (at == moment) return "at it";
  return at < moment ? seconds(moment - at) + " before" : seconds(at - moment) + " after";
}

std::chrono::milliseconds cooldown_left(const Answer& answer, std::optional<UnixMs> last) noexcept {
  const auto left = last ? *last + answer.cooldown - answer.moment.at : std::chrono::milliseconds();
  return std::max(left, std::chrono::milliseconds());
}

std::string of_limit(std::int64_t orders, std::int64_t limit) {
  return limit > 0 ? fmt::format("{} of {} orders", orders, limit)
                   : fmt::format("{} orders (no limit)", orders);
}

std::string gate_of(const Answer& answer, StrategyId strategy) {
  const Answer::OfStrategy& of_strategy = answer.strategies[index_of(strategy)];
  std::string text =
      fmt::format("    {}: {}, {} of the UTC day", to_string(strategy),
                  of_strategy.is_paused ? "paused" : "not paused",
                  of_limit(of_strategy.orders_of_day, answer.limits.max_daily_signals));
  for (const Side side : all_of<Side>) {
    const auto last = of_strategy.last_order[index_of(side)];
    text += fmt::format("; {} ", to_string(side));
    if (!last) {
      text += "free, no order before";
      continue;
    }
    const auto left = cooldown_left(answer, last);
    text += left.count() > 0
                ? fmt::format("cools down, {} of {} left", seconds(left), seconds(answer.cooldown))
                : "free";
    text += fmt::format(" after the order of {}", rfc3339(*last));
  }
  return text;
}

std::string reference_of(const Answer& answer) {
  const auto& reference = answer.reference;
  if (!reference) return "none: no trade or ticker of it came before";
  const std::string_view state = reference->is_fresh(answer.moment.at) ? "fresh" : "too old";
  return fmt::format("{} of {}, {}: {}", config::exact(reference->price.value()),
                     rfc3339(reference->at), away(answer.moment.at, reference->at), state);
}

void append_number(JsonWriter& json, std::optional<double> number) {
  number ? json.number_or_null(*number) : json.null();
}

void append_time(JsonWriter& json, std::optional<UnixMs> at) {
  at ? json.string(rfc3339(*at)) : json.null();
}

void append_thresholds(JsonWriter& json, const PastDecision& past) {
  json.begin_array();
  for (const config::Threshold& one : config::thresholds(past)) {
    json.begin_object().key("name").string(one.name).key("limit").number_or_null(one.limit);
    append_number(json.key("distance"), one.distance);
    append_number(json.key("percent"), one.percent);
    json.key("passed").boolean(one.is_passed).end_object();
  }
  json.end_array();
}

void append_gate(JsonWriter& json, const Answer& answer, StrategyId strategy) {
  const Answer::OfStrategy& of_strategy = answer.strategies[index_of(strategy)];
  json.begin_object().key("paused").boolean(of_strategy.is_paused);
  json.key("orders_of_day").integer(of_strategy.orders_of_day);
  for (const Side side : all_of<Side>) {
    const auto last = of_strategy.last_order[index_of(side)];
    append_time(json.key(side == Side::buy ? "last_buy" : "last_sell"), last);
    json.key(side == Side::buy ? "buy_cooldown_left_ms" : "sell_cooldown_left_ms")
        .integer(cooldown_left(answer, last).count());
  }
  json.end_object();
}

void append_limits(JsonWriter& json, const Answer& answer) {
  json.begin_object().key("orders_of_minute").integer(answer.orders_of_minute);
  json.key("max_orders_per_minute").integer(answer.limits.max_orders_per_minute);
  json.key("max_daily_signals").integer(answer.limits.max_daily_signals);
  json.key("cooldown_ms").integer(answer.cooldown.count()).end_object();
}

void append_reference(JsonWriter& json, const Answer& answer) {
  const auto& reference = answer.reference;
  if (!reference) {
    json.null();
    return;
  }
  json.begin_object().key("price").number(reference->price);
  append_time(json.key("time"), reference->at);
  json.key("fresh").boolean(reference->is_fresh(answer.moment.at)).end_object();
}

}  // namespace

std::string Why::text_of(const Moment& moment, const PastDecision& past) const {
  std::string text = fmt::format("    {}: {}\n", away(moment.at, past.at),
                                 config::line_of({moment.symbol, past}, around(past)));
  const std::string inputs = config::inputs_of(past);
  if (!inputs.empty()) text += fmt::format("      inputs: {}\n", inputs);
  const std::string held = config::held_against(past);
  if (!held.empty()) text += fmt::format("      held against: {}\n", held);
  return text;
}

// What is said of events that were refused.
std::string Why::explained(const Answer& answer, const Answer::Refusals& refused) const {
  if (!refused.is_known_symbol) return config::advice({}, refused.reason);
  return config::sentence({answer.moment.symbol, refused.nearest}, around(refused.nearest));
}

std::string Why::text(const Answer& answer) const {
  const auto& [symbol, at] = answer.moment;
  std::string text = fmt::format("{} at {}\n", symbol.text(), rfc3339(at));
  for (const StrategyId strategy : all_of<StrategyId>) {
    const auto& of_strategy = answer.strategies[index_of(strategy)];
    text += fmt::format("  {}\n", to_string(strategy));
    text += of_strategy.before ? text_of(answer.moment, *of_strategy.before)
                               : "    no decision at the moment or before\n";
    text += of_strategy.after ? text_of(answer.moment, *of_strategy.after)
                              : "    no decision after the moment\n";
  }
  text += "  gate at the moment\n";
  for (const StrategyId strategy : all_of<StrategyId>) text += gate_of(answer, strategy) + '\n';
  text += fmt::format("    all strategies: {} of the UTC minute\n",
                      of_limit(answer.orders_of_minute, answer.limits.max_orders_per_minute));
  text += fmt::format("    reference price: {}\n", reference_of(answer));
  text += fmt::format("  refused within {}{}\n", seconds(kAround),
                      answer.refused.empty() ? ": nothing" : "");
  for (const Answer::Refusals& one : answer.refused) {
    text +=
        fmt::format("    {} {} as {}: {} from {} to {}{}: {}\n", one.count, to_string(one.kind),
                    to_string(one.reason), disposition(one.reason), rfc3339(one.first),
                    rfc3339(one.last), one.is_known_symbol ? "" : " (its symbol was not looked at)",
                    printable(explained(answer, one)));
  }
  return text;
}

void Why::append_decision(JsonWriter& json, const Moment& moment,
                          const std::optional<PastDecision>& past) const {
  if (!past) {
    json.null();
    return;
  }
  json.begin_object().key("away_ms").integer((past->at - moment.at).count());
  append_thresholds(json.key("held_against"), *past);
  config::append_json(json.key("decision"), {moment.symbol, *past}, around(*past));
  json.end_object();
}

void Why::append_refused(JsonWriter& json, const Answer& answer) const {
  json.begin_array();
  for (const Answer::Refusals& one : answer.refused) {
    json.begin_object().key("kind").string(to_string(one.kind));
    json.key("reason").string(to_string(one.reason));
    json.key("disposition").string(disposition(one.reason));
    json.key("symbol_known").boolean(one.is_known_symbol);
    json.key("count").unsigned_integer(one.count);
    append_time(json.key("first"), one.first);
    append_time(json.key("last"), one.last);
    json.key("sentence").string(explained(answer, one)).end_object();
  }
  json.end_array();
}

std::string Why::json(const Answer& answer) const {
  const auto& [symbol, at] = answer.moment;
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("symbol").string(symbol.text()).key("time").string(rfc3339(at));
  json.key("strategies").begin_object();
  for (const StrategyId strategy : all_of<StrategyId>) {
    const auto& of_strategy = answer.strategies[index_of(strategy)];
    json.key(to_string(strategy)).begin_object();
    append_decision(json.key("before"), answer.moment, of_strategy.before);
    append_decision(json.key("after"), answer.moment, of_strategy.after);
    append_gate(json.key("gate"), answer, strategy);
    json.end_object();
  }
  json.end_object();
  append_limits(json.key("limits"), answer);
  append_reference(json.key("reference_price"), answer);
  append_refused(json.key("refused"), answer);
  json.end_object();
  return text;
}

bool print_answers(Why& why, AnswerFormat format) {
  bool are_all = true;
  for (const Answer& answer : why.answers()) {
    const auto& [symbol, at] = answer.moment;
    const std::string problem = why.problem_with(answer.moment);
    are_all = are_all && problem.empty();
    if (!problem.empty()) {
      print_error("replay: --why {}@{}: {}\n", symbol.text(), rfc3339(at), problem);
    } else if (format == AnswerFormat::json) {
      write_out(why.json(answer) + '\n');
    } else {
      write_out(why.text(answer));
    }
  }
  return are_all;
}

}  // namespace rts::commands
