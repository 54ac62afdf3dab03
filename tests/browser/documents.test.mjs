// The status page in Debian's Chromium, with documents that no market gives when they are wanted.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {onPage, service, shows, text} from './case.mjs';
import {decision, played, replica, statusDocument, strategy} from './document.mjs';
import {accessibility, until} from './kit.mjs';

const onPlayed = (answers, run, options) => onPage(run, {before: answers.before, ...options});

const NONE = 'No order leaves here.', ALL = 'An order leaves here when there is a signal.';
const SOME = 'An order leaves here when one of the other strategies has a signal.';
const LOOKS = {
  draining: ['Draining', NONE], not_ready: ['Not ready', NONE], paused: ['Paused', NONE],
  disabled: ['Switched off', NONE], dry_run: ['Dry run', NONE],
  impaired: ['Impaired', 'A check fails; an order is tried all the same when there is a signal.'],
  simulated_feed: ['Simulated feed', ALL], no_feed: ['No feed', ALL],
  strategy_paused: ['Trading in part', SOME], strategy_silent: ['Trading in part', SOME],
};
const looks = new Map();
for (const [what, [word, meaning]] of Object.entries(LOOKS)) {
  test(`${what} has a look of its own that axe finds nothing in`, () => {
    const status = statusDocument({trading: meaning !== NONE,
                                   notices: [{what, text: `because of ${what}`}]});
    return onPlayed(played({status}), async page => {
      await shows(page, '#state', word);
      assert.equal(await text(page, '#meaning'), meaning);
      assert.equal(await text(page, '#notices'), `because of ${what}`);
      assert.deepEqual(await accessibility(page), []);
      for (const sign of [await page.getAttribute('#icon', 'd'),
                          await page.locator('.band').evaluate(node =>
                            getComputedStyle(node).backgroundColor)]) {
        assert.equal(looks.get(sign), undefined, `${what} looks like another`);
        looks.set(sign, what);
      }
    });
  });
}

test('whether it trades is what the service says, not what notices there are', () => {
  const answers = played({status: statusDocument({
    trading: false, notices: [{what: 'strategy_silent', text: 'no book has come'}]})});
  return onPlayed(answers, async page => {
    await shows(page, '#state', 'Not ready');
    assert.equal(await text(page, '#meaning'), NONE);
    answers.status = statusDocument({notices: [{what: 'of_later', text: 'not known here'}]});
    await shows(page, '#state', 'of later');
    assert.equal(await text(page, '#meaning'), ALL);
    answers.status = statusDocument({trading: false});
    await shows(page, '#state', 'Not ready');
  });
});

test('what is fetched besides is asked for again where no answer comes', () => {
  const status = statusDocument({orders: {total: 1, changes: 2, by_result: {confirmed: 1}}});
  const answers = played({status, decisions: [decision({outcome: 'signal_buy'})],
                          info: {settings: {A: {value: '1', origin: 'default'}},
                                 settings_revisions: []}});
  const left = new Set(['decisions', 'info']);
  const before = async page => {
    await answers.before(page);
    await page.route(/\/(decisions|info)/, route => {
      const what = new URL(route.request().url()).pathname.slice(1);
      if (!left.delete(what)) return route.fallback();  // the first is not answered
    });
  };
  return onPage(async page => {
    await shows(page, '#orders .side', '▲ BUY');
    await shows(page, '#settings', 'A1default');
    assert.equal(left.size, 0);
  }, {before});
});

test('the funnel is that of the minute or of the hour', () => onPlayed(played({}), async page => {
  const funnel = () => page.locator('article:first-child .funnel tr').evaluateAll(rows =>
    rows.map(row => [...row.cells].map(cell => cell.textContent).join(' | ')));
  await shows(page, '#state', 'Trading');
  assert.deepEqual(await funnel(), [
    'ended since 11:59:00 | events | share', 'events | 600 | 100 %',
    'spread below minimum | 590 | 98 %', 'neutral | 9 | 1.5 %',
    'orders: 1 buy, 0 sell | 1 | 0.2 %']);
  const bars = await page.locator('#strategies article:first-child .bar').evaluateAll(all =>
    all.map(({style}) => ['--to', '--from'].map(name => parseFloat(style.getPropertyValue(name)))));
  assert.deepEqual(bars.map(ends => ends.map(end => Number(end.toFixed(2)))),
                   [[100, 100], [1.67, 100], [0.17, 1.67], [0, 0.17]]);
  await page.getByLabel('last hour').check();
  assert.deepEqual(await funnel(), [
    'ended since 11:00:00 | events | share', 'events | 36,000 | 100 %',
    'spread below minimum | 35,990 | 100 %', 'neutral | 8 | <0.1 %',
    'orders: 1 buy, 1 sell | 2 | <0.1 %']);
}));

test('a symbol that becomes known later is asked for then', () => {
  const status = statusDocument();
  const others = status.feed.symbols.splice(1);
  const answers = played({status});
  const before = async page => {
    await answers.before(page);
    await page.route('**/events?symbol=*', route =>
      status.feed.symbols.length > 1 ? route.fallback() : route.fulfill({status: 400, json: {}}));
  };
  return onPage(async page => {
    await page.goto(`${service.url}#symbol=ETHUSDT`);
    await page.reload();
    await shows(page, '#unknown', 'ETHUSDT is not known here: this is BTCUSDT.');
    status.feed.symbols.push(...others);
    status.symbol = 'ETHUSDT';
    await until('it to be asked for', () => page.evaluate(() => source.url.endsWith('=ETHUSDT')));
    await until('the note to go', () => page.locator('#unknown').isHidden());
    assert.equal(await page.inputValue('#symbol'), 'ETHUSDT');
  }, {before, allowed: /status of 400/});
});

test('a symbol that no event has come of is not offered', () => onPlayed(
  played({status: statusDocument({symbol: 'NOSUCH'})}), async page => {
    await page.goto(`${service.url}#symbol=NOSUCH`);
    await shows(page, '#unknown', 'NOSUCH is not known here.');
    assert.deepEqual(await page.locator('#symbol option').allTextContents(),
                     ['BTCUSDT', 'ETHUSDT']);
  }));

test('an indicator stands between its thresholds', () => onPlayed(played({}), async page => {
  await shows(page, '#strategies article:first-child .now b', 'ratio 1.1');
  const place = await page.locator('#strategies article:first-child rect').evaluateAll(all =>
    all.map(one => Number(one.getAttribute('x')) + Number(one.getAttribute('width')) / 2));
  const [, , , sells, buys, marker] = place;
  assert.ok(sells < marker && marker < buys, String(place));
  assert.ok(Math.abs((marker - sells) / (buys - sells) - 0.75) < 0.02, String(place));
  assert.equal(await text(page, '#strategies article:nth-child(3) .tag'), 'switched off');
  assert.ok(await page.locator('#strategies article:nth-child(2) .now').isHidden());
}));

test('latencies are told in words', () => onPlayed(played({}), async page => {
  await shows(page, '#latency figure:first-child p', '99 % within 10 µs, half within 1 µs');
  assert.equal(await text(page, '#latency figure:nth-child(2) p'), 'nothing measured yet');
}));

test('latencies say since when', () => {
  const answers = played({status: statusDocument({uptime_seconds: 90.4})});
  return onPlayed(answers, async page => {
    await shows(page, '#since', 'All since the start at 11:58:29.');
    const time = '2026-11-28T12:00:10.000Z';
    answers.status = statusDocument({time, uptime_seconds: 99.2});  // as clocks waver
    await shows(page, '#as-of', /12:00:10/);
    assert.equal(await text(page, '#since'), 'All since the start at 11:58:29.');
    answers.status = statusDocument({id: 'process-2', time, uptime_seconds: 86400});
    await shows(page, '#since', 'All since the start at 2026-11-27 12:00:10.');
  });
});

test('ages are written and coloured', () => {
  const answers = played({});
  return onPlayed(answers, async page => {
    await shows(page, '#ages tr:first-child', 'BTCUSDT0.1 snone yet75 s');
    const kinds = async () => (await page.locator('#ages td').evaluateAll(all =>
      all.map(cell => cell.className))).slice(0, 4).join();
    assert.equal(await kinds(), 'age fresh,age quiet,age old,age late');
    const silence = kind => ({what: 'strategy_silent', text:
      `no ${kind} has come since the start: trade_momentum decides nothing`});
    for (const [notice, expected] of [[silence('trade'), 'old'], [silence('book'), 'quiet'],
                                      [{what: 'no_feed', text: 'nothing to decide on'}, 'old']]) {
      answers.status = statusDocument({notices: [notice]});
      await shows(page, '#notices', notice.text);
      assert.equal(await kinds(), `age fresh,age ${expected},age old,age late`);
    }
  });
});

test('results are red only where something went wrong', () => {
  const results = {confirmed: 'good', unconfirmed: '', duplicate: '', superseded: '', dry_run: '',
                   rejected: 'bad', expired: 'bad', ambiguous: 'bad'};
  const decisions = Object.keys(results).map((result, number) => decision(
    {number, outcome: 'signal_buy', order: {quantity: 1, result}}));
  const status = statusDocument({orders: {total: decisions.length, changes: 1, by_result: {}}});
  return onPlayed(played({status, decisions}), async page => {
    await shows(page, '#orders .side', '▲ BUY');
    const found = await page.locator('#orders td:nth-child(7)').evaluateAll(all =>
      all.map(cell => [cell.textContent.replace(' ', '_'), cell.className]));
    assert.deepEqual(Object.fromEntries(found), results);
    const colour = result => page.locator('#orders td', {hasText: result}).first().evaluate(cell =>
      getComputedStyle(cell).color);
    assert.notEqual(await colour('rejected'), await colour('duplicate'));
  });
});

test('that there was no order is said only where that is known', () => {
  const answers = played({status: statusDocument({
    orders: {total: 3, changes: 6, by_result: {confirmed: 3}}})});
  const before = async page => {
    await answers.before(page);
    await page.route('**/events*', route => route.request().url().includes('?')
      ? route.fallback() : held.then(() => route.fallback()));
  };
  let release;
  const held = new Promise(resolve => { release = resolve; });
  return onPage(async page => {
    assert.ok(await page.locator('#no-order').isHidden(), 'before anything is known');
    release();
    await shows(page, '#results', '3 confirmed');
    assert.ok(await page.locator('#no-order').isHidden(), 'the list came back empty');
    answers.status = statusDocument();
    await until('the sentence', () => page.locator('#no-order').isVisible());
  }, {before});
});

test('many symbols can be filtered', () => {
  const status = statusDocument();
  status.feed.symbols = Array.from({length: 300}, (_, i) => (
    {symbol: `S${i}USDT`, book: 1, trade: 1, ticker: 1}));
  return onPlayed(played({status}), async page => {
    await until('all', async () => await page.locator('#ages tr').count() === 300);
    await page.getByLabel('symbols with').fill('s29');
    await until('a few', async () => await page.locator('#ages tr').count() === 11);
  });
});

test('settings: what was changed comes first, what is pending is told with who and why', () => {
  const info = {
    settings: {A: {value: '1', origin: 'default'}, B: {value: '2', origin: 'environment'}},
    settings_revisions: [
      {sequence: 7, effective_from: '2026-11-28T11:00:00.000', in_force: true, values: {B: '2'},
       by: 'ana', reason: 'more room', at: '2026-11-28T10:00:00.000'},
      {sequence: 8, effective_from: '2026-11-28T13:00:00.000', in_force: false, values: {A: '3'},
       by: 'ben', reason: 'after lunch', at: '2026-11-28T11:30:00.000'}],
  };
  return onPlayed(played({info}), async page => {
    await shows(page, '#settings tr:first-child', 'B2environment');
    assert.equal(await text(page, '#revisions tr:first-child'),
                 '8pending, from 13:00:00A=3ben: after lunch (11:30:00)');
    await page.getByLabel('settings with').fill('a');
    await shows(page, '#settings', 'A1default');
  });
});

test('a replica with other settings or a silent one is pointed at', () => {
  const status = statusDocument();
  status.replicas.push(replica({version: '1.2.2', settings: 'bbbb', ready: false, age: 2.5}),
                       replica({id: 'three', age: 9.9}), replica({id: 'four', age: 12.3}));
  return onPlayed(played({status}), async page => {
    await shows(page, '#replicas-note', '1 of 4 with other settings than this one.');
    assert.deepEqual(await page.locator('#replicas tr').evaluateAll(all =>
      all.map(row => [row.textContent, row.className])), [
      ['one (this one)1.2.3aaaa✓ ready–', ''],
      ['two1.2.2bbbb differs✗ not ready2.5 s ago', 'mark'],
      ['three1.2.3aaaa✓ ready9.9 s ago', ''],
      ['four1.2.3aaaa✓ ready12 s ago: silent', 'mark']]);
  });
});

test('how it looks for replicas is told in words', () => {
  const answers = played({status: statusDocument({discovery: 'asking'})});
  return onPlayed(answers, async page => {
    await shows(page, '#replicas-note', 'Asking whether there are others …');
    answers.status = statusDocument({discovery: 'known'});
    await shows(page, '#replicas-note', 'Nobody else answers.');
    answers.status = statusDocument({discovery: 'refused'});
    await shows(page, '#replicas-note', /^The broker does not let us ask: .provision/);
    const two = [replica({id: 'one', self: true}), replica()];
    answers.status = statusDocument({replicas: two});
    await shows(page, '#replicas-note', '2 replicas, all with the same settings.');
  });
});

test('hostile and endless text stays text, and the page as wide as the phone', () => {
  const evil = '<img src=x onerror=alert(1)><script>window.ran = 1</script>' + 'x'.repeat(500);
  const status = statusDocument({
    notices: [{what: 'paused', text: evil}], environment: evil,
    strategies: {orderbook_skew: strategy({paused: true, paused_by: evil,
                                           last: decision({sentence: evil})})},
    replicas: [replica({id: evil, version: evil, age: 11})],
  });
  const order = decision({outcome: 'signal_buy', sentence: evil, order: {quantity: 1, result: null},
                          signal: {side: 'BUY', price: 1}});
  const info = {settings: {A: {value: evil, origin: 'environment'}}, settings_revisions: []};
  return onPlayed(played({status, info, decisions: [order]}), async page => {
    await shows(page, '#notices', evil);
    await shows(page, '#orders .sentence', evil);
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await page.evaluate(() => window.ran), undefined);
    const [wide, seen] = await page.evaluate(() =>
      [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= seen, `${wide} pixels of ${seen}`);
  }, {width: 390});
});

test('everything works by keyboard, and stays where the reader is', () => onPlayed(played({}),
  async page => {
    await shows(page, '#state', 'Trading');
    const focused = () => page.evaluate(() => {
      const at = document.activeElement;
      return at.id || at.name || at.getAttribute('aria-label') || at.textContent;
    });
    const met = [];
    const tabTo = async wanted => {
      for (let i = 0; i < 30; ++i) {
        await page.keyboard.press('Tab');
        met.push(await focused());
        const ring = await page.evaluate(() =>
          getComputedStyle(document.activeElement).outlineStyle);
        assert.equal(ring, 'solid', `${met.at(-1)} shows that it has the focus`);
        if (met.at(-1) === wanted) return;
      }
      assert.fail(`${wanted} is not among ${met}`);
    };
    await tabTo('symbol');
    await page.keyboard.press('ArrowDown');
    await until('the address', () => /#symbol=ETHUSDT$/.test(page.url()));
    await tabTo('span');
    await page.keyboard.press('ArrowRight');
    await shows(page, '#strategies article:first-child thead th', 'ended since 11:00:00');
    const again = page.asked.length;
    await until('a few documents', () => page.asked.length > again + 5);
    assert.equal(await focused(), 'span');
    await tabTo('/decisions');
    for (const place of ['Age of the last event', 'Settings', 'Replicas', 'filter', '/ready']) {
      assert.ok(met.includes(place), `${place} is not among ${met}`);
    }
  }));

test('only what has changed is touched', () => {
  const answers = played({});
  return onPlayed(answers, async page => {
    await shows(page, '#frames', /^10 events/);
    await shows(page, '#settings-note', /are not the default/);
    await page.evaluate(() => {
      window.touched = new Set();
      new MutationObserver(records => records.forEach(({target}) => window.touched.add(
        (target.nodeType === 1 ? target : target.parentElement).closest('[id]').id)))
        .observe(document.body,
                 {subtree: true, childList: true, attributes: true, characterData: true});
    });
    answers.status = statusDocument({time: '2026-11-28T12:00:07.000Z'});
    await shows(page, '#as-of', /12:00:07/);
    assert.deepEqual(await page.evaluate(() => [...window.touched]), ['as-of']);
  });
});

test('tables stay tables on a small screen', () => {
  const status = statusDocument({orders: {total: 1, changes: 2, by_result: {}}});
  const order = decision({outcome: 'signal_buy', order: {quantity: 1, result: 'confirmed'}});
  return onPlayed(played({status, decisions: [order]}), async page => {
    await shows(page, '#orders .side', '▲ BUY');
    const session = await page.context().newCDPSession(page);
    const {nodes} = await session.send('Accessibility.getFullAXTree');
    const by = new Map(nodes.map(node => [node.nodeId, node]));
    const below = node => [node, ...(node.childIds ?? []).flatMap(id => below(by.get(id)))];
    const region = nodes.find(({role, name}) =>
      role?.value === 'region' && name?.value === 'Last orders');
    const roles = below(region).filter(node => !node.ignored).map(({role}) => role.value);
    const times = wanted => roles.filter(role => role === wanted).length;
    assert.deepEqual(['table', 'row', 'columnheader', 'rowheader', 'cell'].map(times),
                     [1, 2, 8, 1, 7]);
    // Other browsers make a row that is laid out anew no row: it has to say that it is one.
    const parts = '.stack:not([role]), .stack :is(thead, tbody, tr, th, td):not([role])';
    assert.equal(await page.locator(parts).count(), 0);
    assert.deepEqual(await accessibility(page), []);
  }, {width: 390});
});

test('a page that stays open for a week holds no more than in the beginning', () =>
  onPlayed(played({}), async page => {
    await shows(page, '#state', 'Trading');
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    // Documents in which everything changes that may, and what is fetched because of them.
    const play = documents => page.evaluate(documents => {
      const first = JSON.stringify(latest);
      for (let i = 0; i < documents; ++i) {
        latest = JSON.parse(first);
        Object.assign(latest, {id: `process-${i}`, uptime_seconds: i});
        latest.notices = [{what: i % 2 ? 'paused' : 'no_feed', text: `for ${i} s`}];
        latest.checks[`check ${i % 3}`] = {ok: false, detail: `${i}`};
        latest.feed.reasons = {[`dropped/${i}`]: i};
        latest.feed.symbols = [{symbol: `S${i}USDT`, book: i, trade: null, ticker: i}];
        latest.replicas.push({...latest.replicas[0], id: `replica ${i}`, self: false, age: i % 20});
        latest.strategies.orderbook_skew.minute.outcomes = {[`outcome_${i}`]: 1};
        heard = performance.now();
        show();
        showOrders({decisions: [{...latest.strategies.orderbook_skew.last, number: i}]});
        connect(asked);
      }
    }, documents);
    const held = async () => {
      for (let i = 0; i < 3; ++i) await session.send('HeapProfiler.collectGarbage');
      const {metrics} = await session.send('Performance.getMetrics');
      return Object.fromEntries(metrics.map(({name, value}) => [name, value]));
    };
    await play(50);
    const before = await held();
    await play(500);
    const after = await held();
    for (const what of ['Nodes', 'JSEventListeners']) {
      assert.ok(after[what] < before[what] + 50, `${what}: ${before[what]}, then ${after[what]}`);
    }
    const grown = after.JSHeapUsedSize - before.JSHeapUsedSize;
    assert.ok(grown < 500 * 1000, `${grown} bytes more`);
  }));
