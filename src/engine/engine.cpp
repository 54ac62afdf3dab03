#include <rts/engine/engine.hpp>

namespace rts {
namespace {

constexpr std::size_t kMaxCorrelationIdBytes = 256;
constexpr std::string_view kSimulation = "simulation";  // the source of a made-up market's frames

}  // namespace

Engine::SymbolContext::SymbolContext(const SymbolParameters& parameters)
    : enabled(parameters.enabled),
      orderbook_skew(parameters.orderbook_skew),
      trade_momentum(parameters.trade_momentum),
      ticker_velocity(parameters.ticker_velocity),
      terms(parameters.terms) {}

Engine::Engine(const EngineParameters& parameters)
    : parameters_(parameters),
      refuses_simulation_(parameters.clock == Clock::live && parameters.refuse_simulation),
      intake_(parameters),
      gate_(parameters.gate, intake_.symbols().capacity()) {
  gate_.set_paused(parameters.paused);
  contexts_.reserve(intake_.symbols().capacity());
  records_.reserve(wire::kMaxEventsPerFrame);
}

Step Engine::step(std::string_view frame, std::optional<UnixNs> received_at) {
  records_.clear();
  if (const auto error = reader_.open(frame)) {
    const bool too_large = *error == wire::FrameError::too_large;
    records_.push_back({EventKind::unknown, too_large ? Reason::too_large : Reason::malformed});
    return {records_};
  }
  intake_.begin_frame();
  const bool simulated = refuses_simulation_ && reader_.envelope().source.value == kSimulation;
  while (const wire::WireEvent* event = reader_.next()) {
    EventRecord& record = records_.emplace_back();
    record.kind = event->kind;
    if (event->kind == EventKind::control) {
      record.fate = Reason::control;
    } else if (event->kind == EventKind::unknown) {
      record.fate = Reason::malformed;
    } else if (simulated) {
      record.fate = Reason::simulated;
    } else if (event->kind == EventKind::other) {
      record.fate = Reason::unsupported_kind;
    } else if (const auto admitted = intake_.admit(*event, reader_.envelope(), received_at)) {
      evaluate(*admitted.value(), record.fate.emplace<Decision>());
    } else {
      record.fate = admitted.error();
    }
  }
  return {records_};
}

void Engine::evaluate(const MarketEvent& event, Decision& decision) {
  SymbolContext& context = context_of(event);
  const auto [strategy, verdict] = consult(event, context);
  decision.strategy = strategy;
  decision.symbol_index = event.symbol_index;
  decision.at = event.at;
  decision.signal = verdict.signal;
  decision.indicators = verdict.indicators;
  decision.outcome = verdict.outcome;
  if (!verdict.signal) return;

  const Gate::Request request{strategy,        event.symbol_index, context.terms,
                              *verdict.signal, event.at,           event.reference};
  const auto passed = gate_.pass(request);
  if (!passed) {
    decision.outcome = passed.error();
    return;
  }
  decision.outcome = verdict.signal->side == Side::buy ? Outcome::signal_buy : Outcome::signal_sell;
  const std::string_view symbol = intake_.symbols().at(event.symbol_index).text();
  Order& order = decision.order.emplace(make_order(
      context.terms, {strategy, symbol, event.at, event.aged_at, event.id, *verdict.signal,
                      verdict.indicators, passed.value().quantity, passed.value().protection}));
  const wire::Envelope& envelope = reader_.envelope();
  if (envelope.message_id.value.size() <= kMaxCorrelationIdBytes) {
    order.correlation_id = envelope.message_id.value;
  }
  order.traceparent = envelope.traceparent.value;
}

// The one strategy that looks at this kind of event, and the symbol's context brought up to date.
Engine::Evaluated Engine::consult(const MarketEvent& event, SymbolContext& context) {
  const Verdict disabled{Outcome::disabled, {}, {}};
  if (const auto* book = std::get_if<Book>(&event.data)) {
    constexpr auto kId = StrategyId::orderbook_skew;
    return {kId, context.enabled[index_of(kId)] ? context.orderbook_skew(*book) : disabled};
  }
  if (const auto* trade = std::get_if<Trade>(&event.data)) {
    constexpr auto kId = StrategyId::trade_momentum;
    if (!context.enabled[index_of(kId)]) return {kId, disabled};
    const Verdict verdict = context.trade_momentum(*trade, event.at, context.trades);
    context.trade_momentum.remember(*trade, event.at, context.trades);
    return {kId, verdict};
  }
  constexpr auto kId = StrategyId::ticker_velocity;
  if (!context.enabled[index_of(kId)]) return {kId, disabled};
  const PriceSample sample{event.at, std::get<Ticker>(event.data).last_price};
  context.prices.append(sample, context.ticker_velocity.time_window());
  return {kId, context.ticker_velocity(sample, context.prices)};
}

// Made when the symbol's first event comes, and anew when its number is given to another symbol.
Engine::SymbolContext& Engine::context_of(const MarketEvent& event) {
  while (contexts_.size() <= event.symbol_index) {
    contexts_.emplace_back(parameters_.of(intake_.symbols().at(contexts_.size())));
  }
  SymbolContext& context = contexts_[event.symbol_index];
  if (event.replaces_symbol) {
    context = SymbolContext(parameters_.of(intake_.symbols().at(event.symbol_index)));
    gate_.forget(event.symbol_index);
  }
  return context;
}

}  // namespace rts
