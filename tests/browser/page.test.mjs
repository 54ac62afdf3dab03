// The status page in Debian's Chromium, against the service as it is shipped.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {after, before, test} from 'node:test';

import {decision, played, statusDocument, strategy} from './document.mjs';
import {accessibility, freePort, open, startBroker, startBrowser, startEngine, startMarket,
        startService, stopAll, until} from './kit.mjs';

let browser, broker, service;

before(async () => {
  [browser, broker] = await Promise.all([startBrowser(), startBroker()]);
  service = await startService(broker);
  await startEngine(broker);
  await startMarket(broker);
});
after(async () => {
  await browser?.close();
  await stopAll();
});

const text = (page, selector) => page.locator(selector).first().textContent();
const shows = (page, selector, expected) => until(`${selector} to show ${expected}`, async () => {
  const found = await text(page, selector);
  if (expected instanceof RegExp ? expected.test(found) : found === expected) return found;
  throw new Error(`it shows ${found}`);
});

// Opens the page, runs the test, and holds the page to what is true of every page.
async function onPage(run, {of = service, allowed = /^$/, ...options} = {}) {
  const page = await open(browser, of.url, options);
  try {
    await run(page);
    assert.deepEqual(page.problems.filter(problem => !allowed.test(problem)), []);
    const elsewhere = page.asked.filter(url => !url.startsWith(of.url) && !url.startsWith('data:'));
    assert.deepEqual(elsewhere, []);
  } finally {
    await page.context().close();
  }
}
// What a browser says of a service that is gone, or that refuses.
const GONE = /net::ERR_|Failed to load resource: the server responded with a status of 503/;

// --- Against the running service ---------------------------------------------------------------------

test('values move by themselves, and nothing is asked of anybody else', () => onPage(async page => {
  for (const selector of ['#frames', '#as-of', '#charts figure:first-child b', '#ages td:last-child']) {
    const first = await shows(page, selector, /\d/);
    await until(`${selector} to move`, async () => await text(page, selector) !== first);
  }
  const rate = Number.parseFloat(await text(page, '#charts figure:first-child b'));
  assert.ok(rate > 10 && rate < 500, `${rate} books a second of 200 frames`);
  assert.ok(page.asked.some(url => url.endsWith('/events')));
}));

test('a made-up market is called one', () => onPage(async page => {
  await shows(page, '#state', 'Simulated feed');
  assert.match(await page.title(), /^Simulated feed · /);
  assert.notEqual(await text(page, '#notices'), '');
}));

test('a market of the exchange is traded on, and a pause looks like one until it ends', async () => {
  const own = await startBroker();
  const trading = await startService(own);
  await startMarket(own, {asReal: true});
  await onPage(async page => {
    const look = () => page.evaluate(() => ({
      title: document.title, icon: document.querySelector('link[rel=icon]').href,
      shape: document.getElementById('icon').getAttribute('d'),
      colour: getComputedStyle(document.querySelector('.band')).backgroundColor,
      meaning: document.getElementById('meaning').textContent,
    }));
    await shows(page, '#state', 'Trading');
    const usual = await look();
    trading.kill('SIGUSR1');
    await shows(page, '#state', 'Paused');
    assert.match(await text(page, '#notices'), /SIGUSR1|paused/);
    const paused = await look();
    for (const sign of Object.keys(usual)) assert.notEqual(paused[sign], usual[sign], sign);
    assert.match(paused.meaning, /No order leaves/);
    trading.kill('SIGUSR2');
    await shows(page, '#state', 'Trading');
    assert.deepEqual(await look(), usual);
  }, {of: trading});
  await trading.stop();
});

test('a dry run is called one', async () => {
  const dry = await startService(broker, {DRY_RUN_MODE: 'true'});
  await onPage(async page => {
    await shows(page, '#state', 'Dry run');
    await shows(page, '#meaning', 'No order leaves here.');
  }, {of: dry});
  await dry.stop();
});

test('without a broker it is not ready, and says why, and comes back with the broker', async () => {
  let own = await startBroker();
  const alone = await startService(own);
  await onPage(async page => {
    await shows(page, '#state', 'No feed');
    await own.stop('SIGKILL');
    await shows(page, '#state', 'Not ready');
    assert.match(await text(page, '#notices'), /connect/);
    assert.match(await text(page, '#checks'), /✗ failed: nats connected/);
    own = await startBroker(own.port);
    await shows(page, '#state', 'No feed');
  }, {of: alone});
  await alone.stop();
});

test('a page whose service is gone says so, and comes back by itself', async () => {
  const port = await freePort();
  let mortal = await startService(broker, {}, port);
  await onPage(async page => {
    await shows(page, '#state', 'Simulated feed');
    const id = await page.evaluate(() => { window.same = true; return latest.id; });
    await mortal.stop('SIGKILL');
    await shows(page, '#state', 'No answer');
    assert.match(await text(page, '#meaning'), /^no answer since \d\d:\d\d:\d\d, trying again$/);
    assert.match(await page.title(), /^No answer · /);
    assert.match(await page.locator('#charts').evaluate(node =>
      getComputedStyle(node.closest('section')).filter), /grayscale/);
    mortal = await startService(broker, {}, port);
    await shows(page, '#state', /^(Simulated|No) feed$/);
    assert.ok(await page.evaluate(() => window.same), 'the page was not loaded anew');
    assert.notEqual(await page.evaluate(() => latest.id), id);
  }, {of: mortal, allowed: GONE});
  await mortal.stop();
});

test('orders appear with what led to them, and those that are there stay', () => onPage(async page => {
  const rows = page.locator('#orders tr');
  await until('an order', async () => await rows.count() > 0, 40);
  const oldest = await rows.last().elementHandle();
  const before = await rows.count();
  await until('one more', async () => await rows.count() > before, 40);
  assert.ok(await oldest.evaluate(node => node.isConnected));
  const {decisions} = await (await fetch(`${service.url}decisions?outcome=signal&last=50`)).json();
  const told = new Map(decisions.map(one => [one.order?.quantity + one.time.slice(11, 19), one]));
  const cells = await rows.evaluateAll(all => all.map(row => [...row.cells].map(c => c.textContent)));
  const known = cells.filter(([time, symbol, , side, amount, price]) => {
    const one = told.get(Number(amount) + time);
    return one && one.symbol === symbol && side.endsWith(one.signal.side) &&
           Number(price) === one.signal.price;
  });
  assert.ok(known.length > 0 && known.length >= cells.length - 2, `${known.length} of ${cells.length}`);
  for (const row of cells) assert.match(row[7], /^(BUY|SELL) .* at .* is (above|below) .*; order /);
  await until('a confirmation', async () => (await rows.allTextContents()).some(row =>
    /confirmed/.test(row)));
}));

test('another symbol can be chosen, and is kept by the address', () => onPage(async page => {
  await shows(page, '#state', 'Simulated feed');
  await page.selectOption('#symbol', 'ETHUSDT');
  await until('ETHUSDT', () => page.evaluate(() => latest.symbol === 'ETHUSDT'));
  assert.match(page.url(), /#symbol=ETHUSDT$/);
  await page.reload();
  await until('ETHUSDT', () => page.evaluate(() => latest?.symbol === 'ETHUSDT'));
  assert.equal(await page.inputValue('#symbol'), 'ETHUSDT');
  const last = await page.evaluate(() => latest.strategies.orderbook_skew.last);
  assert.equal(last.symbol, 'ETHUSDT');
  await shows(page, '#strategies article:first-child .sentence', /./);
  await shows(page, '#strategies article:first-child tbody td', /[1-9]/);
}));

test('a symbol that nobody knows is said to be unknown', () => onPage(async page => {
  await page.goto(`${service.url}#symbol=NOSUCH`);
  await page.reload();
  await shows(page, '#unknown', /^NOSUCH is not known here: this is \w+\.$/);
  await page.selectOption('#symbol', 'ETHUSDT');
  await until('it to go', () => page.locator('#unknown').isHidden());
}, {allowed: /status of 400/}));

test('the seventeenth page says that it waits for a place, and gets the next', async () => {
  const own = await startService(broker);
  const watchers = [];
  for (let i = 0; i < 16; ++i) {
    const leave = new AbortController();
    const answer = await fetch(`${own.url}events`, {signal: leave.signal});
    assert.equal(answer.status, 200);
    watchers.push(leave);
  }
  await onPage(async page => {
    await shows(page, '#meaning', /^16 pages watch already/);
    watchers.pop().abort();
    await shows(page, '#state', /feed$/);
  }, {of: own, allowed: GONE});
  for (const leave of watchers) leave.abort();
  await own.stop();
});

test('the policy lets nothing run but what is in the page', () => onPage(async page => {
  const answer = await fetch(service.url);
  const html = await answer.text(), policy = answer.headers.get('content-security-policy');
  const hash = tag => {
    const found = [...html.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))];
    assert.equal(found.length, 1, tag);
    return `'sha256-${createHash('sha256').update(found[0][1]).digest('base64')}'`;
  };
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  const rules = Object.fromEntries(policy.split(';').map(rule => rule.trim().split(/ (.*)/)));
  assert.equal(rules['default-src'], "'none'");
  assert.equal(rules['style-src'], hash('style'));
  assert.equal(rules['script-src'], hash('script'));
  assert.equal(rules['connect-src'], "'self'");
  assert.doesNotMatch(html, /\s(style|on\w+)="/);
  await page.evaluate(() => {
    document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}));
  });
  assert.equal(await page.evaluate(() => window.ran), undefined);
}, {allowed: /Content Security Policy/}));

for (const [width, scheme] of [[1440, 'light'], [1440, 'dark'], [390, 'light'], [390, 'dark']]) {
  test(`axe finds nothing at ${width} pixels, ${scheme}`, () => onPage(async page => {
    await until('an order', () => page.locator('#orders tr').count(), 40);
    assert.deepEqual(await accessibility(page), []);
  }, {width, scheme}));
}

// --- Documents that a market does not give when they are wanted ------------------------------------

const onPlayed = (answers, run, options) => onPage(run, {before: answers.before, ...options});

for (const [what, word] of Object.entries({
  paused: 'Paused', dry_run: 'Dry run', simulated_feed: 'Simulated feed', not_ready: 'Not ready',
  draining: 'Draining', no_feed: 'No feed', strategy_paused: 'Trading in part',
})) {
  test(`${what} has a look of its own that axe finds nothing in`, () => {
    const status = statusDocument({trading: false, notices: [{what, text: `because of ${what}`}]});
    return onPlayed(played({status}), async page => {
      await shows(page, '#state', word);
      assert.equal(await text(page, '#notices'), `because of ${what}`);
      assert.deepEqual(await accessibility(page), []);
    });
  });
}

test('the funnel is that of the minute or of the hour', () => onPlayed(played({}), async page => {
  const funnel = () => page.locator('#strategies article:first-child .funnel tr').evaluateAll(rows =>
    rows.map(row => [...row.cells].map(cell => cell.textContent).join(' | ')));
  await shows(page, '#state', 'Trading');
  assert.deepEqual(await funnel(), [
    'ended since 11:59:00 | events | share', 'events | 600 | 100 %',
    'spread below minimum | 590 | 98 %', 'neutral | 9 | 1.5 %', 'orders: 1 buy, 0 sell | 1 | 0.2 %']);
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

test('ages are written and coloured', () => onPlayed(played({}), async page => {
  await shows(page, '#ages tr:first-child', 'BTCUSDT0.1 snone yet75 s');
  const kinds = await page.locator('#ages td').evaluateAll(all => all.map(cell => cell.className));
  assert.deepEqual(kinds.slice(0, 4), ['age fresh', 'age old', 'age old', 'age late']);
}));

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

test('a replica with other settings is pointed at', () => {
  const status = statusDocument();
  status.replicas.push({id: 'two', self: false, version: '1.2.2', settings: 'bbbb', ready: false});
  return onPlayed(played({status}), async page => {
    await shows(page, '#replicas-note', '1 of 2 with other settings than this one.');
    assert.equal(await text(page, '#replicas tr.mark'), 'two1.2.2bbbb differs✗ not ready');
  });
});

test('hostile and endless text stays text, and the page as wide as the phone', () => {
  const evil = '<img src=x onerror=alert(1)><script>window.ran = 1</script>' + 'x'.repeat(500);
  const status = statusDocument({
    notices: [{what: 'paused', text: evil}], environment: evil,
    strategies: {orderbook_skew: strategy({paused: true, paused_by: evil,
                                           last: decision({sentence: evil})})},
    replicas: [{id: evil, self: true, version: evil, settings: 'aaaa', ready: true}],
  });
  const order = decision({outcome: 'signal_buy', sentence: evil, order: {quantity: 1, result: null},
                          signal: {side: 'BUY', price: 1}});
  const info = {settings: {A: {value: evil, origin: 'environment'}}, settings_revisions: []};
  return onPlayed(played({status, info, decisions: [order]}), async page => {
    await shows(page, '#notices', evil);
    await shows(page, '#orders .sentence', evil);
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await page.evaluate(() => window.ran), undefined);
    const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
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
        const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
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
    await page.evaluate(() => {
      window.touched = new Set();
      new MutationObserver(records => records.forEach(({target}) => window.touched.add(
        (target.nodeType === 1 ? target : target.parentElement).closest('[id]').id)))
        .observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
    });
    answers.status = statusDocument({time: '2026-11-28T12:00:07.000Z'});
    await shows(page, '#as-of', /12:00:07/);
    assert.deepEqual(await page.evaluate(() => [...window.touched]), ['as-of']);
  });
});

test('headings are in order, and there are landmarks', () => onPlayed(played({}), async page => {
  await shows(page, '#state', 'Trading');
  const levels = await page.locator('h1, h2, h3').evaluateAll(all => all.map(one => one.tagName));
  assert.equal(levels.filter(level => level === 'H1').length, 1);
  levels.reduce((before, level) => {
    assert.ok(Number(level[1]) <= Number(before[1]) + 1, String(levels));
    return level;
  });
  for (const tag of ['header', 'main', 'footer']) assert.equal(await page.locator(tag).count(), 1);
  assert.equal(await page.locator('[aria-live]').count(), 1);
}));
