// Documents as the service sends them, with what a test wants to see in them.
const WHEN = '2026-11-28T12:00:00.000Z';
const HISTOGRAM = {le: [1e-6, 1e-5, 1e-3], count: [50, 49, 0, 1]};
const NOTHING = {le: [1e-6, 1e-5, 1e-3], count: [0, 0, 0, 0]};

export function decision(changes = {}) {
  return {
    number: 1, time: WHEN, symbol: 'BTCUSDT', strategy: 'orderbook_skew', outcome: 'neutral',
    inputs: {}, measured: 1.1, thresholds: [1.2, 0.8], distance: 0.1, settings: [], signal: null,
    order: null, in_a_row: 3, since: WHEN, sentence: 'ratio 1.1: it buys above 1.2', ...changes,
  };
}

export function strategy(changes = {}) {
  return {
    enabled: true, paused: false, paused_by: null, last: decision(),
    minute: {since: '2026-11-28T11:59:00.000Z', events: 600,
             outcomes: {spread_below_minimum: 590, neutral: 9, signal_buy: 1}},
    hour: {since: '2026-11-28T11:00:00.000Z', events: 36000,
           outcomes: {spread_below_minimum: 35990, neutral: 8, signal_buy: 1, signal_sell: 1}},
    ...changes,
  };
}

export function replica(changes = {}) {
  return {id: 'two', self: false, version: '1.2.3', settings: 'aaaa', ready: true, age: 0,
          ...changes};
}

export function statusDocument(changes = {}) {
  return {
    service: 'petrosa-realtime-strategies', version: '1.2.3', commit: 'abcdef0',
    environment: 'production', id: 'process-1', time: WHEN, uptime_seconds: 90, trading: true,
    notices: [], checks: {nats_connected: {ok: true, detail: 'nats://127.0.0.1:4222'}},
    delivery: {mode: 'core', guarantee: 'at most once', dry_run: false, orders_in_flight: 0,
               breaker: 'closed'},
    feed: {frames: 10, events: 10, rates: {seconds: 5, book: [1, 2], trade: [], ticker: [0]},
           reasons: {}, symbols: [{symbol: 'BTCUSDT', book: 0.1, trade: null, ticker: 75},
                                  {symbol: 'ETHUSDT', book: 12, trade: 1, ticker: 1}]},
    orders: {total: 0, changes: 0, by_result: {}}, symbol: 'BTCUSDT',
    strategies: {orderbook_skew: strategy(),
                 trade_momentum: strategy({last: null, minute: null, hour: null}),
                 ticker_velocity: strategy({enabled: false})},
    latency: {step: HISTOGRAM, receive_to_publish: NOTHING, order_answer: NOTHING,
              lag_book: NOTHING, lag_trade: NOTHING, lag_ticker: NOTHING},
    settings: {hash: 'aaaa', sequence: null, pending: 0},
    discovery: 'known', replicas: [replica({id: 'one', self: true})],
    ...changes,
  };
}

// Answers of the service's own with these instead, for a page that is about to be opened.
export function played({status = statusDocument(), decisions = [], info}) {
  const played = {status, decisions};  // may be changed while the page is open
  played.before = async page => {
    await page.route('**/events*', route => route.fulfill({
      contentType: 'text/event-stream',
      body: `retry: 200\nevent: status\ndata: ${JSON.stringify(played.status)}\n\n`,
    }));
    await page.route('**/decisions*', route =>
      route.fulfill({json: {decisions: played.decisions}}));
    if (info) await page.route('**/info', route => route.fulfill({json: info}));
  };
  return played;
}
