// What a strategy says of an event, and its context brought up to date: the one way in which the
// engine, and whoever tries many settings at once, ask the strategies. Usable from any thread; the
// contexts are their owner's.
#pragma once

#include <rts/base/time.hpp>
#include <rts/market/events.hpp>
#include <rts/strategy/orderbook_skew.hpp>
#include <rts/strategy/ticker_velocity.hpp>
#include <rts/strategy/trade_momentum.hpp>
#include <rts/strategy/verdict.hpp>

namespace rts {

// orderbook_skew remembers nothing.
struct NoContext {
  void clear() noexcept {}
};

// A ticker joins its window before it is evaluated, a trade afterwards.
inline void prepare(const OrderbookSkew&, const Book&, UnixMs, NoContext&) {}
inline void prepare(const TradeMomentum&, const Trade&, UnixMs, TradeWindow&) {}
inline void prepare(const TickerVelocity& strategy, const Ticker& ticker, UnixMs at,
                    TickerWindow& window) {
  window.append({at, ticker.last_price}, strategy.time_window);
}

[[nodiscard]] inline Verdict evaluate(const OrderbookSkew& strategy, const Book& book, UnixMs,
                                      const NoContext&) noexcept {
  return strategy(book);
}
[[nodiscard]] inline Verdict evaluate(const TradeMomentum& strategy, const Trade& trade, UnixMs at,
                                      const TradeWindow& window) noexcept {
  return strategy(trade, at, window);
}
[[nodiscard]] inline Verdict evaluate(const TickerVelocity& strategy, const Ticker& ticker,
                                      UnixMs at, const TickerWindow& window) noexcept {
  return strategy({at, ticker.last_price}, window);
}

inline void remember(const OrderbookSkew&, const Book&, UnixMs, NoContext&) {}
inline void remember(const TradeMomentum& strategy, const Trade& trade, UnixMs at,
                     TradeWindow& window) {
  strategy.remember(trade, at, window);
}
inline void remember(const TickerVelocity&, const Ticker&, UnixMs, TickerWindow&) {}

// All three, of one strategy.
template <class Strategy, class Data, class Context>
[[nodiscard]] Verdict consult(const Strategy& strategy, const Data& data, UnixMs at,
                              Context& context) {
  prepare(strategy, data, at, context);
  const Verdict verdict = evaluate(strategy, data, at, context);
  remember(strategy, data, at, context);
  return verdict;
}

}  // namespace rts
