#include <rts/engine/engine.hpp>

namespace rts {
namespace {

constexpr std::size_t kMaxCorrelationIdBytes = 256;
constexpr std::string_view kSimulation = "simulation";  // the source of a made-up market's frames

// A symbol has just got this number: what was refused in this frame was of the one before.
void take_away(std::size_t symbol_index, std::vector<EventRecord>& records) noexcept {
  for (EventRecord& record : records) {
    auto* const refused = std::get_if<Refused>(&record.fate);
    if (refused != nullptr && refused->symbol_index == symbol_index) refused->symbol_index.reset();
  }
}

}  // namespace

std::optional<StrategyId> strategy_of(EventKind kind) noexcept {
  if (kind == EventKind::book) return StrategyId::orderbook_skew;
  if (kind == EventKind::trade) return StrategyId::trade_momentum;
  return kind == EventKind::ticker ? std::optional(StrategyId::ticker_velocity) : std::nullopt;
}

std::optional<Reason> refusal_of(EventKind kind) noexcept {
  if (kind == EventKind::control) return Reason::control;
  if (kind == EventKind::unknown) return Reason::malformed;
  return kind == EventKind::other ? std::optional(Reason::unsupported_kind) : std::nullopt;
}

Reason reason_of(wire::FrameError error) noexcept {
  return error == wire::FrameError::too_large ? Reason::too_large : Reason::malformed;
}

Engine::Engine(const EngineParameters& parameters)
    : parameters_(parameters),
      schedule_(parameters_),
      intake_(parameters_, schedule_),
      gate_(parameters_.gate, intake_.symbols().capacity()),
      contexts_(intake_.symbols().capacity()) {
  gate_.set_paused(parameters.paused);
  records_.reserve(wire::kMaxEventsPerFrame);
}

Step Engine::step(std::string_view frame, std::optional<UnixNs> received_at) {
  records_.clear();
  if (const auto error = reader_.open(frame)) {
    records_.push_back({EventKind::unknown, Refused{{}, reason_of(*error)}});
    return {records_};
  }
  intake_.begin_frame();
  const bool is_simulated = reader_.envelope().source.value == kSimulation;
  const bool is_refused =
      is_simulated && parameters_.clock == Clock::live && parameters_.refuse_simulation;
  while (const wire::WireEvent* event = reader_.next()) {
    EventRecord& record = records_.emplace_back();
    record.kind = event->kind;
    const auto refusal = refusal_of(event->kind);
    const bool is_of_market = !refusal || event->kind == EventKind::other;
    if (is_refused && is_of_market) {
      record.fate = Refused{{}, Reason::simulated};
    } else if (refusal) {
      record.fate = Refused{{}, *refusal};
    } else if (const auto admitted = intake_.admit(*event, reader_.envelope(), received_at)) {
      const bool is_new = admitted.value()->is_first && symbols().is_open();
      if (is_new) take_away(admitted.value()->symbol_index, records_);
      Decision& decision = record.fate.emplace<Decision>();
      decision.strategy = *strategy_of(event->kind);
      evaluate(*admitted.value(), decision);
    } else {
      record.fate = Refused{intake_.subject(), admitted.error()};
    }
  }
  return {records_, is_simulated};
}

void Engine::evaluate(const MarketEvent& event, Decision& decision) {
  SymbolContext& context = context_of(event);
  const OrderTerms& terms = context.parameters.terms;
  decision.symbol_index = event.symbol_index;
  decision.at = event.at;
  decision.quote = quote_of(event.data);
  if (!context.parameters.enabled[index_of(decision.strategy)]) {
    decision.outcome = Outcome::disabled;
    return forget(event.data, context);
  }
  static_cast<Verdict&>(decision) = consult(event, context);
  if (!decision.signal) return;

  const Symbol& symbol = symbols().at(event.symbol_index);
  gate_.set_limits(event.in_force->parameters.gate);
  const auto passed = gate_.pass({decision.strategy, event.symbol_index, symbol, terms,
                                  *decision.signal, event.at, event.id, event.reference});
  if (!passed) {
    decision.outcome = passed.error().outcome;
    decision.measure = passed.error().measure;
    return;
  }
  const bool buys = decision.signal->side == Side::buy;
  decision.outcome = buys ? Outcome::signal_buy : Outcome::signal_sell;
  const auto& [id, quantity, protection, in_log] = passed.value();
  decision.in_log = in_log;
  Order& order = decision.order.emplace(
      make_order(terms, {id, decision.strategy, symbol.text(), event.at, event.aged_at, event.id,
                         *decision.signal, decision.indicators, quantity, protection}));
  const wire::Envelope& envelope = reader_.envelope();
  if (envelope.message_id.value.size() <= kMaxCorrelationIdBytes) {
    order.correlation_id = envelope.message_id.value;
  }
  order.traceparent = envelope.traceparent.value;
}

bool Engine::passes_still(const CountedOrder& order) {
  const EngineParameters& in_force = schedule_.at(order.at).parameters;
  gate_.set_limits(in_force.gate);
  return gate_.passes_still(order, in_force.of(order.symbol).terms.cooldown,
                            symbols().find(order.symbol.text()));
}

// A strategy that is switched on again warms up: what it has not seen is unknown.
void Engine::forget(const MarketData& data, SymbolContext& context) noexcept {
  if (std::holds_alternative<Trade>(data)) context.trades.clear();
  if (std::holds_alternative<Ticker>(data)) context.prices.clear();
}

// What the event's strategy says, and the symbol's context brought up to date.
Verdict Engine::consult(const MarketEvent& event, SymbolContext& context) {
  const SymbolParameters& strategies = context.parameters;
  if (const auto* book = std::get_if<Book>(&event.data)) return strategies.orderbook_skew(*book);
  if (const auto* trade = std::get_if<Trade>(&event.data)) {
    const Verdict verdict = strategies.trade_momentum(*trade, event.at, context.trades);
    strategies.trade_momentum.remember(*trade, event.at, context.trades);
    return verdict;
  }
  const PriceSample sample{event.at, std::get<Ticker>(event.data).last_price};
  context.prices.append(sample, strategies.ticker_velocity.time_window);
  return strategies.ticker_velocity(sample, context.prices);
}

// Made when the symbol's first event comes. The number may have been another symbol's until then.
Engine::SymbolContext& Engine::context_of(const MarketEvent& event) {
  SymbolContext& context = contexts_[event.symbol_index];
  const auto& [revision, from, parameters] = *event.in_force;
  if (event.is_first) {
    const Symbol& symbol = symbols().at(event.symbol_index);
    context = {parameters.of(symbol), revision, {}, {}};
    gate_.place(event.symbol_index, symbol);
  } else if (context.revision != revision) {
    change(context, parameters.of(symbols().at(event.symbol_index)));
    context.revision = revision;
  }
  return context;
}

// A verdict depends on the events of its window alone: one that became shorter is cut at once, one
// that became longer warms up until it holds as much. So replicas agree once they are warm,
// whichever of them has lived through the change.
void Engine::change(SymbolContext& context, const SymbolParameters& parameters) {
  context.trades.keep(static_cast<std::size_t>(parameters.trade_momentum.window));
  const auto known_for = context.parameters.ticker_velocity.time_window;
  if (parameters.ticker_velocity.time_window > known_for) context.prices.know_only(known_for);
  context.parameters = parameters;
}

}  // namespace rts
