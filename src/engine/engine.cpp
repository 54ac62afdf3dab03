#include <rts/engine/engine.hpp>

namespace rts {
namespace {

constexpr std::size_t kMaxCorrelationIdBytes = 256;

Reason reason_for(wire::FrameError error) noexcept {
  return error == wire::FrameError::too_large ? Reason::too_large : Reason::malformed;
}

}  // namespace

Engine::Engine(const EngineParameters& parameters)
    : parameters_(parameters),
      intake_(parameters),
      orderbook_skew_(parameters.orderbook_skew),
      trade_momentum_(parameters.trade_momentum),
      ticker_velocity_(parameters.ticker_velocity),
      gate_(parameters.gate, parameters.size, intake_.symbols().capacity()),
      contexts_(intake_.symbols().capacity()) {
  gate_.set_paused(parameters.paused);
  records_.reserve(wire::kMaxEventsPerFrame);
}

Step Engine::step(std::string_view frame, std::optional<UnixNs> received_at) {
  records_.clear();
  if (const auto error = reader_.open(frame)) {
    records_.push_back({EventKind::unknown, reason_for(*error)});
    return {records_};
  }
  while (const wire::WireEvent* event = reader_.next()) {
    EventRecord& record = records_.emplace_back();
    record.kind = event->kind;
    switch (event->kind) {
      case EventKind::control:
        record.fate = Reason::control;
        break;
      case EventKind::other:
        record.fate = Reason::unsupported_kind;
        break;
      case EventKind::unknown:
        record.fate = Reason::malformed;
        break;
      case EventKind::book:
      case EventKind::trade:
      case EventKind::ticker: {
        const auto admitted = intake_.admit(*event, reader_.envelope(), received_at);
        if (admitted) {
          evaluate(*admitted.value(), record.fate.emplace<Decision>());
        } else {
          record.fate = admitted.error();
        }
      }
    }
  }
  return {records_};
}

void Engine::evaluate(const MarketEvent& event, Decision& decision) {
  const auto [strategy, verdict] = consult(event, contexts_[event.symbol_index]);
  decision.strategy = strategy;
  decision.symbol_index = event.symbol_index;
  decision.at = event.at;
  decision.signal = verdict.signal;
  decision.indicators = verdict.indicators;
  decision.outcome = verdict.outcome;
  if (!verdict.signal) return;

  const Gate::Request request{strategy,
                              event.symbol_index,
                              *verdict.signal,
                              event.at,
                              quantity_step(event.symbol_index),
                              event.reference};
  const auto quantity = gate_.pass(request);
  if (!quantity) {
    decision.outcome = quantity.error();
    return;
  }
  decision.outcome = verdict.signal->side == Side::buy ? Outcome::signal_buy : Outcome::signal_sell;
  const std::string_view symbol = intake_.symbols().at(event.symbol_index).text();
  Order& order = decision.order.emplace(
      make_order(parameters_.order, {strategy, symbol, event.at, event.id, *verdict.signal,
                                     verdict.indicators, quantity.value()}));
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
    return {kId, is_enabled(kId) ? orderbook_skew_(*book) : disabled};
  }
  if (const auto* trade = std::get_if<Trade>(&event.data)) {
    constexpr auto kId = StrategyId::trade_momentum;
    if (!is_enabled(kId)) return {kId, disabled};
    const Verdict verdict = trade_momentum_(*trade, context.momentum);
    context.momentum = trade_momentum_.updated(context.momentum, *trade);
    return {kId, verdict};
  }
  constexpr auto kId = StrategyId::ticker_velocity;
  if (!is_enabled(kId)) return {kId, disabled};
  const PriceSample sample{event.at, std::get<Ticker>(event.data).last_price};
  context.prices.append(sample, ticker_velocity_.time_window());
  return {kId, ticker_velocity_(sample, context.prices)};
}

const Decimal& Engine::quantity_step(std::size_t symbol_index) noexcept {
  SymbolContext& context = contexts_[symbol_index];
  if (!context.has_step) {
    context.quantity_step = parameters_.quantity_step;
    for (const auto& [symbol, step] : parameters_.quantity_steps) {
      if (symbol == intake_.symbols().at(symbol_index)) context.quantity_step = step;
    }
    context.has_step = true;
  }
  return context.quantity_step;
}

}  // namespace rts
