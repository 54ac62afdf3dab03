#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/explanation.hpp>

namespace rts::config {
namespace {

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
  const auto rounded = [&] {
    return parse_as<double>(fmt::format("{:.{}g}", value, digits)).value_or(value);
  };
  while (limit && value != *limit && digits < kExact && rounded() == *limit) ++digits;
  return exact(rounded());
}

// A span of time in seconds: "37 s", "0.25 s".
std::string span(double seconds, std::optional<double> limit = std::nullopt) {
  return number(seconds, limit) + " s";
}

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

bool has_value(const PastDecision& past) noexcept {  // else there is only what it is held against
  return has_measure(past) && (past.end != End(Outcome::no_reference) || past.measure.value > 0);
}

bool has_inputs(const PastDecision& past) noexcept {
  const auto* const outcome = std::get_if<Outcome>(&past.end);
  return outcome != nullptr && *outcome != Outcome::disabled && *outcome != Outcome::warming_up &&
         *outcome != Outcome::below_min_quantity && (!is_scored(past.end) || has_score(past));
}

// The number that decided, and what it was held against.
Measure decisive(const PastDecision& past) noexcept {
  auto [value, limit, other] = past.measure;
  if (past.strategy == StrategyId::ticker_velocity && past.end == End(Outcome::warming_up)) {
    value = std::max(0.0, value);  // a late ticker may be older than all that are known
    if (value >= limit) return {other, limit * 80 / 100};
  }
  return {value, limit, other};
}

// How far the number is from the limit that it has passed, or from the nearest.
double distance(const PastDecision& past) noexcept {
  const auto& [value, limit, other] = decisive(past);
  const double from_limit = std::abs(limit - value);
  const double from_other = std::abs(value - other);
  if (past.end == End(Outcome::signal_sell)) return from_other;
  return past.end == End(Outcome::neutral) ? std::min(from_limit, from_other) : from_limit;
}

std::string_view score_name(StrategyId strategy) noexcept {
  return indicator_names(strategy)[strategy == StrategyId::orderbook_skew ? 2 : 0];
}
std::string_view score_unit(StrategyId strategy) noexcept {
  return strategy == StrategyId::ticker_velocity ? " % a minute" : "";
}

std::string warming_up(const PastDecision& past) {
  const auto& [known, needed, third] = past.measure;
  const Measure measure = decisive(past);
  if (past.strategy == StrategyId::trade_momentum) {
    const std::string why =
        third > 0 ? fmt::format(", for it follows a silence of {}", span(third)) : "";
    return fmt::format(
        "{} of the {} trades before it that it takes are known{}: {} more are needed", known,
        needed, why, needed - known);
  }
  if (known < needed) {
    return fmt::format("tickers are known for {} of the {} that it takes: {} more are needed",
                       span(measure.value, measure.limit), span(measure.limit),
                       span(measure.limit - measure.value));
  }
  return fmt::format("tickers come too seldom: those of the last {} lie {} apart, less than 80 %",
                     span(needed), span(measure.value, measure.limit));
}

std::string neutral(const PastDecision& past) {
  if (!has_score(past)) return "its numbers are too large or too small to be compared";
  const auto& [score, buy, sell] = past.measure;
  const std::string_view unit = score_unit(past.strategy);
  return fmt::format("{} {}{}: it buys above {}, {} away, and sells below {}, {} away",
                     score_name(past.strategy),
                     number(score, std::abs(buy - score) < std::abs(score - sell) ? buy : sell),
                     unit, exact(buy), number(buy - score), exact(sell), number(score - sell));
}

std::string size_limit(const PastDecision& past) {
  const auto& [value, limit, third] = past.measure;
  const auto problem = static_cast<SizeProblem>(third);
  const std::string found = number(value, limit), most = exact(limit);
  const std::string quantity = past.signal ? number(value / past.signal->price.value()) : "it";
  switch (problem) {
    case SizeProblem::above_maximum:
      return fmt::format("the least that can be ordered, {}, is worth {}, more than {}", quantity,
                         found, most);
    case SizeProblem::above_venue_worth:
      return fmt::format("{} is worth {}, more than the {} that the venue takes at once", quantity,
                         found, most);
    case SizeProblem::above_venue_quantity:
      if (limit == 0) return fmt::format("the quantity {} has too many digits", found);
      return fmt::format("{} is more than the {} that the venue takes at once", found, most);
    case SizeProblem::stop_loss:
    case SizeProblem::take_profit: break;
  }
  return fmt::format("its {}, {} away, would{} be no price or the entry itself",
                     problem == SizeProblem::stop_loss ? "stop-loss" : "take-profit", found,
                     limit > 0 ? fmt::format(" in ticks of {}", most) : "");
}

// What has been found, of a signal behind "BUY at 100 was wanted, but".
std::string fact_of(const PastDecision& past, Outcome outcome, std::string_view paused_by) {
  const auto& [value, limit, third] = past.measure;
  const auto measured = [&](fmt::format_string<std::string, std::string> format) {
    return fmt::format(format, number(past.measure.value, past.measure.limit),
                       exact(past.measure.limit));
  };
  switch (outcome) {
    case Outcome::disabled: return fmt::format("{} is switched off", to_string(past.strategy));
    case Outcome::spread_below_minimum:
      return measured("spread {} % is below the minimum of {} %") +
             (value > 0 ? fmt::format(": it would have to be {} as wide", times(limit / value))
                        : "");
    case Outcome::spread_above_maximum:
      return measured("spread {} % is above the maximum of {} %") +
             (limit > 0 ? fmt::format(": it is {} as wide", times(value / limit)) : "");
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
      return fmt::format("no trade or ticker came in the {} before it{}", span(limit),
                         has_value(past)
                             ? fmt::format(": the last one came {} before", span(value, limit))
                             : ", nor since the start");
    case Outcome::price_band: return measured("that is {} % from the last price, more than {} %");
    case Outcome::cooldown:
      return fmt::format("the last one {}, and {} have to lie between: {} to go",
                         value < 0 ? fmt::format("is {} younger than this event", span(-value))
                                   : fmt::format("was {} before", span(value, limit)),
                         span(limit), span(limit - value));
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
                     order.quantity.to_string(), exact(past.signal->price.value()),
                     score_name(past.strategy), number(score, threshold), score_unit(past.strategy),
                     buys ? "above" : "below", exact(threshold),
                     std::string_view(id.data(), id.size()), result);
}

// What has been found, before what may be done about it.
std::string fact_of(const PastDecision& past, std::string_view paused_by) {
  const auto& [value, limit, other] = past.measure;
  if (const auto* const reason = std::get_if<Reason>(&past.end)) {
    const std::string_view fact = fact_of(*reason);
    if (*reason == Reason::outlier) {
      return fmt::format("{}: {} % away, more than {} %", fact, number(value, limit), exact(limit));
    }
    if (!has_measure(past)) return std::string(fact);
    return fmt::format("{}: {}, more than {}", fact, span(value, limit), span(limit));
  }
  const Outcome outcome = *std::get_if<Outcome>(&past.end);
  if (past.order) return order_of(past);
  std::string fact = fact_of(past, outcome, paused_by);
  if (!past.signal) return fact;
  return fmt::format("{} at {} was wanted, but {}", to_string(past.signal->side),
                     exact(past.signal->price.value()), fact);
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
  const Measure measure = decisive(past);
  json.key("measured");
  has_value(past) ? json.number_or_null(measure.value) : json.null();
  json.key("thresholds").begin_array();
  if (has_measure(past)) json.number_or_null(measure.limit);
  if (has_measure(past) && is_scored(past.end)) json.number_or_null(measure.other);
  json.end_array().key("distance");
  has_value(past) ? json.number_or_null(distance(past)) : json.null();
}

// --- Thresholds ---------------------------------------------------------------------------------

// What the limit of a number that is no score is to it.
std::string_view limit_name(const End& end) noexcept {
  const auto* const outcome = std::get_if<Outcome>(&end);
  if (outcome == nullptr) return "at most";  // stale, future, outlier
  using enum Outcome;
  const auto is_any_of = [&](auto... ones) { return ((*outcome == ones) || ...); };
  if (is_any_of(spread_above_maximum, no_reference, price_band)) return "at most";
  if (is_any_of(daily_limit, rate_limit)) return "fewer than";
  // Of a size it may be the most that can be ordered, or what a stop must not reach.
  return *outcome == size_limit ? "against" : "at least";
}

std::string_view unit_of(const PastDecision& past) noexcept {
  if (is_scored(past.end)) return score_unit(past.strategy);
  const auto* const outcome = std::get_if<Outcome>(&past.end);
  if (outcome == nullptr) return past.end == End(Reason::outlier) ? " %" : " s";
  using enum Outcome;
  const auto is_any_of = [&](auto... ones) { return ((*outcome == ones) || ...); };
  if (is_any_of(spread_below_minimum, spread_above_maximum, below_min_price_change, price_band)) {
    return " %";
  }
  if (is_any_of(no_reference, cooldown)) return " s";
  if (is_any_of(daily_limit, rate_limit)) return " orders";
  if (*outcome != warming_up) return "";
  return past.strategy == StrategyId::trade_momentum ? " trades" : " s";
}

}  // namespace

std::string exact(double value) {
  constexpr double kPlainFrom = 1e-9, kPlainBelow = 1e17;
  const double size = std::abs(value);
  if (size != 0 && !(size >= kPlainFrom && size < kPlainBelow)) return fmt::format("{}", value);
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.begin(), text.end(), value + 0.0, std::chars_format::fixed);
  return {text.begin(), end.ptr};
}

std::string inputs_of(const PastDecision& past) {
  std::string text;
  const auto names = indicator_names(past.strategy);
  for (std::size_t i = 0; i < names.size() && has_inputs(past); ++i) {
    text +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", names[i], number(past.indicators[i].value()));
  }
  return text;
}

std::vector<Threshold> thresholds(const PastDecision& past) {
  if (!has_measure(past)) return {};
  const Measure measure = decisive(past);
  const auto& [value, limit, other] = measure;
  const auto threshold = [&](std::string_view name, double at, bool is_passed) {
    Threshold one{name, at, {}, {}, is_passed};
    if (has_value(past)) one.distance = std::abs(measure.value - at);
    if (one.distance && at != 0) one.percent = *one.distance / std::abs(at) * 100;
    return one;
  };
  if (!is_scored(past.end)) return {threshold(limit_name(past.end), limit, false)};
  return {threshold("buys above", limit, value > limit),
          threshold("sells below", other, value < other)};
}

std::string held_against(const PastDecision& past) {
  const std::string_view unit = unit_of(past);
  std::string text;
  for (const Threshold& one : thresholds(past)) {
    text += fmt::format("{}{} {}{}", text.empty() ? "" : "; ", one.name, exact(one.limit), unit);
    if (!one.distance) continue;
    const std::string distance = number(*one.distance) + std::string(unit);
    text += one.is_passed ? ", passed by " + distance : ", " + distance + " away";
    if (one.percent) text += fmt::format(" ({} %)", number(*one.percent));
  }
  if (!has_value(past)) return text;
  const std::string_view name = is_scored(past.end) ? score_name(past.strategy) : "measured";
  const Measure measure = decisive(past);
  return fmt::format("{} {}{}: {}", name, number(measure.value, measure.limit), unit, text);
}

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
    case OrderResult::superseded:
      return "order not sent: what others have stored, a pause or a new order log holds it back";
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
  if (past.end == End(Outcome::paused)) return text;  // it has said by whom
  const std::string what = advice_with(past.end, deciding_names(found, around));
  if (!what.empty()) text += "; " + what;
  return text;
}

void append_json(JsonWriter& json, const History::Found& found, const Circumstances& around) {
  const auto& [symbol, past] = found;
  json.begin_object().key("number").unsigned_integer(past.number);
  json.key("time").string(rfc3339(past.at));
  json.key("symbol").string(symbol.text());
  json.key("strategy").string(to_string(past.strategy));
  json.key("outcome").string(to_string(past.end));
  append_numbers(json, past);
  json.key("settings").begin_array();
  for (const std::string& name : deciding_names(found, around)) json.string(name);
  json.end_array();
  append_signal(json.key("signal"), past.signal);
  append_order(json.key("order"), past.order);
  json.key("in_a_row").unsigned_integer(past.in_a_row);
  json.key("since").string(rfc3339(past.since));
  json.key("sentence").string(sentence(found, around)).end_object();
}

std::string line_of(const History::Found& found, const Circumstances& around) {
  const auto& [symbol, past] = found;
  const std::string row =
      past.in_a_row > 1 ? fmt::format(" ({} in a row since {})", past.in_a_row, rfc3339(past.since))
                        : "";
  return fmt::format("{} {} {} {}: {}{}", rfc3339(past.at), symbol.text(), to_string(past.strategy),
                     to_string(past.end), printable(sentence(found, around)), row);
}

}  // namespace rts::config
