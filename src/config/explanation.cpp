#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/explanation.hpp>

namespace rts::config {
namespace {

// NAME, or NAME__SYMBOL where the symbol has a value of its own.
std::string name_of(const Setting& setting, const Symbol& symbol,
                    const Configuration& configuration) {
  const bool is_own = std::ranges::any_of(configuration.values, [&](const Value& value) {
    return value.setting == &setting && value.symbol == symbol;
  });
  return is_own ? name_for(setting, symbol) : std::string(setting.name);
}

std::string advice_with(const End& end, const std::vector<std::string>& names) {
  const auto* const outcome = std::get_if<Outcome>(&end);
  if (names.empty() || (outcome != nullptr && is_signal(*outcome))) return {};
  if (names.size() > 1) return fmt::format("{} and {} decide that", names[0], names[1]);
  std::string_view what = " decides that";
  if (end == End(Outcome::disabled)) what = "=true switches it on";
  if (end == End(Outcome::below_min_quantity)) what = "=0 counts every trade";
  if (end == End(Outcome::spread_below_minimum) || end == End(Outcome::spread_above_maximum) ||
      end == End(Outcome::below_min_price_change)) {
    what = "=0 lets it through";
  }
  return fmt::format("{}{}", names[0], what);
}

// What can be said of a reason without numbers.
std::string_view fact_of(Reason reason) noexcept {
  switch (reason) {
    case Reason::control: return "an answer of the venue, no market data";
    case Reason::unsupported_kind: return "only books, trades and tickers are of use";
    case Reason::diff_depth:
      return "only partial books are books: depth5, depth10 or depth20 streams";
    case Reason::symbol_not_traded: return "the symbol is not traded";
    case Reason::non_market_trade:
      return "no trade of the market, but of an insurance fund or such";
    case Reason::simulated: return "a made-up market, which is not traded on in production";
    case Reason::other_source:
      return "a preferred source of the same kind has been heard in the last 60 s";
    case Reason::too_large: return "the frame, or its array of events, is too large";
    case Reason::malformed: return "it is no JSON frame as the exchange or the relay sends it";
    case Reason::symbol_conflict: return "the event and its stream name different symbols";
    case Reason::no_symbol: return "neither the event nor its stream names a symbol";
    case Reason::no_event_time:
      return "neither the event nor its envelope nor the recording has a time";
    case Reason::bad_timestamp: return "its time cannot be read";
    case Reason::stale: return "the event is too old";
    case Reason::future: return "the event is of the future: one of the clocks is wrong";
    case Reason::bad_number: return "a price or a quantity is no number that a market has";
    case Reason::empty_side: return "a side of the book is empty";
    case Reason::unsorted_book: return "the levels of the book are not in order";
    case Reason::crossed_book: return "the best bid of the book is not below its best ask";
    case Reason::unverified_symbol:
      return "a book without a symbol needs fresh trades or tickers of it at its price";
    case Reason::out_of_order:
      return "its id is not above the last one: it came twice, or after a later one";
    case Reason::outlier:
      return "the price is far from the last one, and none has agreed with it yet";
  }
  return {};
}

// --- Numbers ------------------------------------------------------------------------------------

// Four digits that count, or more: one behind the whole ones, and as many as tell it from its
// limit. number(0.00020000004) = "0.0002", number(61837.63) = "61837.6", number(1.19999, 1.2) =
// "1.19999".
std::string number(double value, std::optional<double> limit = std::nullopt) {
  constexpr int kExact = 17;
  if (!std::isfinite(value)) return "infinitely many";
  const double size = std::abs(value);
  int digits = size < 1e3 ? 4 : std::min(kExact, static_cast<int>(std::log10(size)) + 2);
  std::string text = fmt::format("{:.{}g}", value, digits);
  while (limit && value != *limit && digits < kExact && parse_as<double>(text) == limit) {
    text = fmt::format("{:.{}g}", value, ++digits);
  }
  return text;
}

// A span of time in seconds: "37 s", "0.25 s".
std::string span(double seconds) { return number(seconds) + " s"; }

std::string times(double factor) { return number(factor, 1.0) + " times"; }

// --- Outcomes -----------------------------------------------------------------------------------

bool has_score(const PastDecision& past) noexcept {
  return past.measure.limit != past.measure.other;  // else its numbers were beyond double's range
}

// The outcome's numbers are a score and its thresholds.
bool is_scored(const End& end) noexcept {
  const auto* const outcome = std::get_if<Outcome>(&end);
  return outcome != nullptr && (*outcome == Outcome::neutral || is_signal(*outcome));
}

bool has_measure(const PastDecision& past) noexcept {
  if (const auto* const reason = std::get_if<Reason>(&past.end)) {
    return *reason == Reason::stale || *reason == Reason::future || *reason == Reason::outlier;
  }
  if (is_scored(past.end)) return has_score(past);
  const Outcome outcome = *std::get_if<Outcome>(&past.end);
  return outcome != Outcome::disabled && outcome != Outcome::paused &&
         outcome != Outcome::shorts_disabled;
}

bool has_inputs(const PastDecision& past) noexcept {
  const auto* const outcome = std::get_if<Outcome>(&past.end);
  return outcome != nullptr && *outcome != Outcome::disabled && *outcome != Outcome::warming_up &&
         *outcome != Outcome::below_min_quantity && (!is_scored(past.end) || has_score(past));
}

// How far the number is from the nearest limit.
double distance(const PastDecision& past) noexcept {
  const auto& [value, limit, other] = past.measure;
  const double from_limit = std::abs(limit - value);
  return past.end == End(Outcome::neutral) ? std::min(from_limit, std::abs(value - other))
                                           : from_limit;
}

std::string_view score_name(StrategyId strategy) noexcept {
  return indicator_names(strategy)[strategy == StrategyId::orderbook_skew ? 2 : 0];
}
std::string_view score_unit(StrategyId strategy) noexcept {
  return strategy == StrategyId::ticker_velocity ? " % a minute" : "";
}

std::string warming_up(const PastDecision& past) {
  const auto& [known, needed, third] = past.measure;
  if (past.strategy == StrategyId::trade_momentum) {
    const std::string why =
        third > 0 ? fmt::format(", for it follows a silence of {}", span(third)) : "";
    return fmt::format(
        "{} of the {} trades before it that it takes are known{}: {} more are needed", known,
        needed, why, needed - known);
  }
  if (known < needed) {
    return fmt::format("tickers are known for {} of the {} that it takes: {} more are needed",
                       span(known), span(needed), span(needed - known));
  }
  return fmt::format("tickers come too seldom: those of the last {} lie {} apart, less than 80 %",
                     span(needed), span(third));
}

std::string neutral(const PastDecision& past) {
  if (!has_score(past)) return "its numbers are too large or too small to be compared";
  const auto& [score, buy, sell] = past.measure;
  const std::string_view unit = score_unit(past.strategy);
  return fmt::format("{} {}{}: it buys above {}, {} away, and sells below {}, {} away",
                     score_name(past.strategy),
                     number(score, std::abs(buy - score) < std::abs(score - sell) ? buy : sell),
                     unit, buy, number(buy - score), sell, number(score - sell));
}

std::string size_limit(const PastDecision& past) {
  const auto& [worth, most, quantity] = past.measure;
  if (worth > most) {
    return fmt::format("the least that can be ordered, {}, is worth {}, more than {}",
                       number(quantity), number(worth, most), number(most));
  }
  return fmt::format(
      "the venue does not take {} at once, or a stop in its ticks would protect nothing",
      number(quantity));
}

// What has been found, of a signal behind "BUY at 100 was wanted, but".
std::string fact_of(const PastDecision& past, Outcome outcome, std::string_view paused_by) {
  const auto& [value, limit, third] = past.measure;
  const auto measured = [&](fmt::format_string<std::string, double> format) {
    return fmt::format(format, number(past.measure.value, past.measure.limit),
                       double{past.measure.limit});
  };
  switch (outcome) {
    case Outcome::disabled: return fmt::format("{} is switched off", to_string(past.strategy));
    case Outcome::spread_below_minimum:
      return measured("spread {} % is below the minimum of {} %") +
             fmt::format(": it would have to be {} as wide", times(limit / value));
    case Outcome::spread_above_maximum:
      return measured("spread {} % is above the maximum of {} %") +
             fmt::format(": it is {} as wide", times(value / limit));
    case Outcome::below_min_quantity: return measured("quantity {} is below the minimum of {}");
    case Outcome::warming_up: return warming_up(past);
    case Outcome::below_min_price_change:
      return measured("the price has changed by {} %, less than the minimum of {} %") +
             fmt::format(", in {}", span(third)) +
             (value > 0 ? fmt::format(": it would have to be {} as much", times(limit / value))
                        : "");
    case Outcome::neutral:
    case Outcome::signal_buy:
    case Outcome::signal_sell: return neutral(past);
    case Outcome::paused:
      return fmt::format("orders were paused{}{}", paused_by.empty() ? "" : " by ", paused_by);
    case Outcome::shorts_disabled:
      return "it may only close, and the format of the orders cannot say so";
    case Outcome::low_confidence: return measured("its confidence {} is below the minimum of {}");
    case Outcome::no_reference:
      return fmt::format(
          "no trade or ticker came in the {} before it{}", span(limit),
          value > 0 ? fmt::format(": the last one came {} before", span(value)) : ", nor ever");
    case Outcome::price_band: return measured("that is {} % from the last price, more than {} %");
    case Outcome::cooldown:
      return fmt::format("the last one was {} before, and {} have to lie between: {} to go",
                         span(value), span(limit), span(limit - value));
    case Outcome::daily_limit:
      return measured("the strategy's orders of this UTC day are used up: {} of {}");
    case Outcome::rate_limit:
      return measured("the orders of this UTC minute are used up: {} of {}");
    case Outcome::size_limit: return size_limit(past);
  }
  return {};
}

std::string order_of(const PastDecision& past) {
  const auto& [score, buy, sell] = past.measure;
  const bool buys = past.signal->side == Side::buy;
  const double threshold = buys ? buy : sell;
  const PastDecision::Ordered& order = *past.order;
  const UuidText id = to_text(order.id);
  const std::string_view result =
      order.result ? meaning(*order.result) : "its result is not known yet";
  return fmt::format("{} {} at {}: {} {}{} is {} {}; order {}: {}", to_string(past.signal->side),
                     order.quantity.to_string(), past.signal->price.value(),
                     score_name(past.strategy), number(score, threshold), score_unit(past.strategy),
                     buys ? "above" : "below", threshold, std::string_view(id.data(), id.size()),
                     result);
}

// What has been found, before what may be done about it.
std::string fact_of(const PastDecision& past, std::string_view paused_by) {
  const auto& [value, limit, other] = past.measure;
  if (const auto* const reason = std::get_if<Reason>(&past.end)) {
    const std::string_view fact = fact_of(*reason);
    if (*reason == Reason::outlier) {
      return fmt::format("{}: {} % away, more than {} %", fact, number(value, limit), limit);
    }
    if (!has_measure(past)) return std::string(fact);
    return fmt::format("{}: {}, more than {}", fact, span(value), span(limit));
  }
  const Outcome outcome = *std::get_if<Outcome>(&past.end);
  if (past.order) return order_of(past);
  std::string fact = fact_of(past, outcome, paused_by);
  if (!past.signal) return fact;
  return fmt::format("{} at {} was wanted, but {}", to_string(past.signal->side),
                     past.signal->price.value(), fact);
}

std::string utc(UnixMs at) {
  std::string text;
  append_iso8601(text, at);
  return text += 'Z';
}

JsonWriter& append_number(JsonWriter& json, double value) {
  const auto finite = Indicator::from(value);
  return finite ? json.number(*finite) : json.null();
}

void append_order(JsonWriter& json, const std::optional<PastDecision::Ordered>& order) {
  if (!order) {
    json.null();
    return;
  }
  const UuidText id = to_text(order->id);
  json.begin_object().key("id").string({id.data(), id.size()});
  json.key("quantity").decimal(order->quantity);
  json.key("result");
  order->result ? json.string(to_string(*order->result)) : json.null();
  json.end_object();
}

void append_signal(JsonWriter& json, const std::optional<Signal>& signal) {
  if (!signal) {
    json.null();
    return;
  }
  json.begin_object().key("side").string(to_string(signal->side));
  json.key("price").number(signal->price);
  json.key("confidence").number(signal->confidence).end_object();
}

void append_numbers(JsonWriter& json, const PastDecision& past) {
  json.key("inputs").begin_object();
  const auto names = indicator_names(past.strategy);
  for (std::size_t i = 0; i < names.size() && has_inputs(past); ++i) {
    json.key(names[i]).number(past.indicators[i]);
  }
  json.end_object();
  const bool is_measured = has_measure(past);
  json.key("measured");
  is_measured ? append_number(json, past.measure.value) : json.null();
  json.key("thresholds").begin_array();
  if (is_measured) append_number(json, past.measure.limit);
  if (is_measured && is_scored(past.end)) append_number(json, past.measure.other);
  json.end_array().key("distance");
  is_measured ? append_number(json, distance(past)) : json.null();
}

}  // namespace

std::string advice(StrategyId strategy, const End& end) {
  std::vector<std::string> names;
  for (const Setting* const setting : deciding_settings(strategy, end)) {
    names.emplace_back(setting->name);
  }
  const auto* const reason = std::get_if<Reason>(&end);
  return reason != nullptr && names.empty() ? std::string(fact_of(*reason))
                                            : advice_with(end, names);
}

std::string_view meaning(OrderResult result) noexcept {
  switch (result) {
    case OrderResult::confirmed: return "order confirmed";
    case OrderResult::unconfirmed: return "order sent, no answer";
    case OrderResult::duplicate: return "order stored before";
    case OrderResult::superseded: return "order not sent: another was stored meanwhile";
    case OrderResult::no_responders: return "order lost: nobody listens";
    case OrderResult::rejected: return "order rejected";
    case OrderResult::expired: return "order not sent, or not stored, before its valid_until";
    case OrderResult::disconnected: return "order not sent: no broker, or its logs are not read";
    case OrderResult::circuit_open: return "order not sent: the circuit breaker held it back";
    case OrderResult::buffer_full: return "order not sent: the connection takes no more";
    case OrderResult::ambiguous: return "order sent, fate unknown";
    case OrderResult::dry_run: return "order decided, not sent";
  }
  return {};
}

std::string sentence(const History::Found& found, const Circumstances& around) {
  const auto& [symbol, past] = found;
  std::string text = fact_of(past, around.paused_by);
  if (past.end == End(Outcome::paused)) return text;  // it may be any of several switches
  std::vector<std::string> names;
  for (const Setting* const setting : deciding_settings(past.strategy, past.end)) {
    names.push_back(name_of(*setting, symbol, around.configuration));
  }
  if (const std::string what = advice_with(past.end, names); !what.empty()) text += "; " + what;
  return text;
}

void append_json(JsonWriter& json, const History::Found& found, const Circumstances& around) {
  const auto& [symbol, past] = found;
  json.begin_object().key("number").unsigned_integer(past.number);
  json.key("time").string(utc(past.at));
  json.key("symbol").string(symbol.text());
  json.key("strategy").string(to_string(past.strategy));
  json.key("outcome").string(to_string(past.end));
  append_numbers(json, past);
  json.key("settings").begin_array();
  for (const Setting* const setting : deciding_settings(past.strategy, past.end)) {
    json.string(name_of(*setting, symbol, around.configuration));
  }
  json.end_array();
  append_signal(json.key("signal"), past.signal);
  append_order(json.key("order"), past.order);
  json.key("in_a_row").unsigned_integer(past.in_a_row);
  json.key("since").string(utc(past.since));
  json.key("sentence").string(sentence(found, around)).end_object();
}

std::string line_of(const History::Found& found, const Circumstances& around) {
  const auto& [symbol, past] = found;
  const std::string row =
      past.in_a_row > 1 ? fmt::format(" ({} in a row since {})", past.in_a_row, utc(past.since))
                        : "";
  return fmt::format("{} {} {} {}: {}{}", utc(past.at), symbol.text(), to_string(past.strategy),
                     to_string(past.end), printable(sentence(found, around)), row);
}

}  // namespace rts::config
