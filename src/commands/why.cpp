#include "commands/why.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include <rts/base/text.hpp>

namespace rts::commands {
namespace {

constexpr std::size_t kOwnSymbol = 0, kOtherSymbols = 1;  // numbers in Question::orders

std::optional<UnixMs> parse_time(std::string_view text) {
  if (const auto ms = parse_as<std::int64_t>(text, 1)) {
    return UnixMs(std::chrono::milliseconds(*ms));
  }
  return parse_iso8601(text);
}

std::chrono::milliseconds distance(UnixMs a, UnixMs b) noexcept { return a < b ? b - a : a - b; }

}  // namespace

Moment parse_moment(const std::string& text) {
  const std::size_t mark = std::min(text.rfind('@'), text.size());
  const auto symbol = config::parse_symbol(std::string_view(text).substr(0, mark));
  const auto at = parse_time(std::string_view(text).substr(std::min(mark + 1, text.size())));
  require(symbol && at,
          "--why takes SYMBOL@TIME, as BTCUSDT@2024-07-19T12:03:11 (UTC) or BTCUSDT@1721390591000 "
          "(ms since 1970), not '{}'",
          text);
  return {*symbol, *at};
}

Why::Why(const std::vector<std::string>& moments, const config::Configuration& configuration,
         const Engine& engine)
    : configuration_(configuration),
      engine_(engine),
      schedule_(config::engine_parameters(configuration.settings, Clock::replay)) {
  for (const std::string& moment : moments) {
    questions_.push_back({.answer = {.moment = parse_moment(moment)}});
  }
}

void Why::add(const Step& step, std::optional<UnixNs> received_at) {
  for (const EventRecord& record : step.events) {
    const Symbol* const symbol = symbol_of(record);
    if (symbol != nullptr && !symbols_.contains(symbol->text())) symbols_.emplace(symbol->text());
    // As History counts them.
    if (symbol != nullptr && !(record.reason() && is_ignored(*record.reason()))) ++number_;
    const auto at = time_of(record, received_at);
    if (!at) continue;
    last_at_ = at;
    // What a clock far ahead has dated does not mean that the moment is over.
    const bool is_credible = !received_at || *at - to_ms(*received_at) <= kMaxAheadOfClock;
    if (record.decision() != nullptr) {
      from_ = std::min(from_, *at);
      to_ = std::max(to_, *at);
    }
    for (Question& question : questions_) {
      const bool is_behind = record.decision() != nullptr && *at > question.answer.moment.at;
      if (is_behind && is_credible && !question.is_over) settle(question);
      add(record, *at, question);
    }
  }
}

// Null where it is not known.
const Symbol* Why::symbol_of(const EventRecord& record) const noexcept {
  if (const Decision* const decision = record.decision()) {
    return &engine_.symbols().at(decision->symbol_index);
  }
  const auto index = record.refused()->symbol_index;
  return index ? &engine_.symbols().at(*index) : nullptr;
}

// Of an event that was refused before its time was read, that of its receipt, or of the event
// before it.
std::optional<UnixMs> Why::time_of(const EventRecord& record,
                                   std::optional<UnixNs> received_at) const noexcept {
  if (const Decision* const decision = record.decision()) return decision->at;
  if (record.refused()->at != UnixMs()) return record.refused()->at;
  return received_at ? std::optional(to_ms(*received_at)) : last_at_;
}

void Why::add(const EventRecord& record, UnixMs at, Question& question) const {
  const Symbol* const symbol = symbol_of(record);
  Answer& answer = question.answer;
  if (symbol == nullptr) return add_refused(record, at, nullptr, answer);
  const Decision* const decision = record.decision();
  if (decision != nullptr && decision->order) add(*decision->order, question);
  if (*symbol != answer.moment.symbol) return;

  PastDecision past;
  describe(record, past);
  past.at = at;
  past.since = at;
  if (record.reason() == nullptr || !is_ignored(*record.reason())) {
    auto& last = question.last[index_of(past.strategy)];
    past.number = number_;
    continue_row(last ? &*last : nullptr, past);
    last = past;
  }
  if (decision == nullptr) return add_refused(record, at, &past, answer);
  if (past.order) past.order->result = OrderResult::dry_run;
  add(*decision, past, record.kind, answer);
}

void Why::add(const Decision& decision, const PastDecision& past, EventKind kind, Answer& answer) {
  Answer::OfStrategy& of_strategy = answer.strategies[index_of(past.strategy)];
  if (past.at > answer.moment.at) {
    auto& after = of_strategy.after;
    if (!after || past.at < after->at) after = past;
    return;
  }
  auto& before = of_strategy.before;
  if (!before || past.at >= before->at) before = past;
  // As the engine has it: the last one that came.
  if (kind != EventKind::book) answer.reference = ReferencePrice{decision.quote.bid, past.at};
}

void Why::add(const Order& order, Question& question) const {
  if (order.at > question.answer.moment.at) return;
  const auto symbol = Symbol::from(order.symbol);
  const bool is_own = *symbol == question.answer.moment.symbol;
  question.orders.accept({order.id, order.strategy, order.signal.side, *symbol, order.at},
                         is_own ? kOwnSymbol : kOtherSymbols);
}

void Why::add_refused(const EventRecord& record, UnixMs at, const PastDecision* past,
                      Answer& answer) {
  const UnixMs moment = answer.moment.at;
  if (distance(at, moment) > kAround) return;
  const Answer::Refusals alike{past != nullptr, record.kind, *record.reason(), 0, at, at};
  auto found = std::ranges::find_if(answer.refused, [&](const Answer::Refusals& one) {
    return one.is_known_symbol == alike.is_known_symbol && one.kind == alike.kind &&
           one.reason == alike.reason;
  });
  if (found == answer.refused.end()) found = answer.refused.insert(found, alike);
  const bool is_nearest =
      found->count++ == 0 || distance(at, moment) < distance(found->nearest.at, moment);
  if (past != nullptr && is_nearest) found->nearest = *past;
  found->first = std::min(found->first, at);
  found->last = std::max(found->last, at);
}

void Why::hear(const CountedOrder& order) {
  for (Question& question : questions_) {
    if (question.is_over || order.at > question.answer.moment.at) continue;
    const bool is_own = order.symbol == question.answer.moment.symbol;
    question.orders.hear(order, is_own ? kOwnSymbol : kOtherSymbols);
  }
}

void Why::hear(const SettingsRevision& revision, std::vector<config::Given> values) {
  schedule_.hear(revision);
  if (live_.size() == Schedule::kMaxRevisions) live_.erase(live_.begin());
  live_.push_back({revision.effective_from, std::move(values)});
}

// What holds at the moment is what is known when the recording goes on behind it.
void Why::settle(Question& question) {
  question.is_over = true;
  Answer& answer = question.answer;
  const EngineParameters& in_force = schedule_.at(answer.moment.at).parameters;
  answer.limits = in_force.gate;
  answer.cooldown = in_force.of(answer.moment.symbol).terms.cooldown;
  for (const StrategyId strategy : all_of<StrategyId>) {
    answer.strategies[index_of(strategy)].is_paused = engine_.is_paused(strategy);
  }
}

std::vector<Answer> Why::answers() {
  std::vector<Answer> answers;
  for (Question& question : questions_) {
    if (!question.is_over) settle(question);
    Answer& answer = answers.emplace_back(question.answer);
    for (const StrategyId strategy : all_of<StrategyId>) {
      auto& of_strategy = answer.strategies[index_of(strategy)];
      of_strategy.orders_of_day = question.orders.orders_of_day(strategy, answer.moment.at);
      for (const Side side : all_of<Side>) {
        of_strategy.last_order[index_of(side)] =
            question.orders.last_order({kOwnSymbol, strategy, side});
      }
    }
    answer.orders_of_minute = question.orders.orders_of_minute(answer.moment.at);
  }
  return answers;
}

std::string Why::known_symbols() const {
  constexpr std::size_t kShown = 50;
  std::vector<std::string_view> names(symbols_.begin(), symbols_.end());
  const std::size_t more = names.size() - std::min(names.size(), kShown);
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

std::string Why::problem_with(const Moment& moment) const {
  if (from_ > to_) return "the recording has no event that was evaluated";
  const std::string span = fmt::format("from {} to {}", rfc3339(from_), rfc3339(to_));
  const std::string_view symbol = moment.symbol.text();
  if (!symbols_.contains(symbol)) {
    const bool is_traded = engine_.symbols().is_open() || engine_.symbols().find(symbol);
    return fmt::format("the recording has no event of {}{}; it has {}, {}", symbol,
                       is_traded ? "" : " that counts, for TRADING_SYMBOLS does not have it",
                       known_symbols(), span);
  }
  if (moment.at >= from_ && moment.at <= to_) return {};
  return fmt::format("the moment is outside of the recording, which is {}", span);
}

// A pause in a replay is of the start, or of the control log.
config::Circumstances Why::around(const PastDecision& past) const {
  const bool paused_at_start = configuration_.settings.engine.paused;
  const auto live = std::find_if(live_.rbegin(), live_.rend(),
                                 [&](const LiveValues& values) { return values.from <= past.at; });
  return {configuration_, paused_at_start ? "TRADING_PAUSED at the start" : "the control log",
          live == live_.rend() ? std::span<const config::Given>() : live->values};
}

}  // namespace rts::commands
