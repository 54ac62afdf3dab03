// The status page in Debian's Chromium, against the service as it is shipped.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {test} from 'node:test';

import {GONE, broker, onPage, service, shows, text} from './case.mjs';
import {accessibility, freePort, startBroker, startMarket, startProxy, startService,
        until} from './kit.mjs';

test('values move by themselves, and nothing is asked of anybody else', () => onPage(async page => {
  for (const selector of ['#frames', '#as-of', '#charts b', '#ages td:last-child']) {
    const first = await shows(page, selector, /\d/);
    await until(`${selector} to move`, async () => await text(page, selector) !== first);
  }
  const rate = Number.parseFloat(await text(page, '#charts b'));
  assert.ok(rate > 10 && rate < 500, `${rate} books a second of 200 frames`);
  assert.ok(page.asked.some(url => url.endsWith('/events')));
}));

test('a made-up market is called one', () => onPage(async page => {
  await shows(page, '#state', 'Simulated feed');
  assert.match(await page.title(), /^Simulated feed · /);
  assert.notEqual(await text(page, '#notices'), '');
}));

test('a market of the exchange is traded on, and a pause looks like one', async () => {
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

test('orders appear with what led to them, and stay', () => onPage(async page => {
  const rows = page.locator('#orders tr');
  await until('an order', async () => await rows.count() > 0, 90);
  const newest = await rows.first().elementHandle();
  await until('one more', () => newest.evaluate(row => row.previousElementSibling), 90);
  assert.ok(await newest.evaluate(row => row.isConnected));
  const {decisions} = await (await fetch(`${service.url}decisions?outcome=signal&last=50`)).json();
  const told = new Map(decisions.map(one => [one.order?.quantity + one.time.slice(11, 19), one]));
  const cells = await rows.evaluateAll(all =>
    all.map(row => [...row.cells].map(cell => cell.textContent)));
  const known = cells.filter(([time, symbol, , side, amount, price]) => {
    const one = told.get(Number(amount) + time);
    return one && one.symbol === symbol && side.endsWith(one.signal.side) &&
           Number(price) === one.signal.price;
  });
  const most = cells.length - 2;  // others may have come or gone meanwhile
  assert.ok(known.length > 0 && known.length >= most, `${known.length} of ${cells.length}`);
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
  assert.ok(!(await page.locator('#symbol option').allTextContents()).includes('NOSUCH'));
  await page.selectOption('#symbol', 'ETHUSDT');
  await until('it to go', () => page.locator('#unknown').isHidden());
}, {allowed: /status of 400/}));

test('a symbol may be written in small letters', () => onPage(async page => {
  await page.goto(`${service.url}#symbol=ethusdt`);
  await page.reload();
  await until('ETHUSDT', () => page.evaluate(() => latest?.symbol === 'ETHUSDT'));
  assert.ok(await page.locator('#unknown').isHidden());
  assert.equal(await page.inputValue('#symbol'), 'ETHUSDT');
}));

test('it works below a path of another server', async () => {
  const proxy = await startProxy(service, '/desk/realtime/');
  await onPage(async page => {
    await shows(page, '#state', 'Simulated feed');
    await shows(page, '#settings', /NATS_URL/);
    for (const what of ['events', 'decisions?outcome=signal&last=50', 'info']) {
      assert.ok(page.asked.includes(proxy.url + what), what);
    }
    const links = await page.locator('footer a').evaluateAll(all => all.map(({href}) => href));
    assert.deepEqual(links, ['ready', 'metrics', 'info', 'decisions?format=text'].map(
      link => proxy.url + link));
  }, {of: proxy});
});

test('half a connection is noticed, and replaced with more and more patience', async () => {
  const proxy = await startProxy(service);
  await onPage(async page => {
    await shows(page, '#state', 'Simulated feed');
    const now = await page.evaluate(() => Date.now());
    await page.clock.pauseAt(now + 500);
    const since = () => page.evaluate(() => (performance.now() - alive) / 1000);
    await until('an event at the time that stands still', async () => await since() === 0);
    proxy.stuck = true;
    const later = seconds => page.clock.runFor(1000 * seconds);
    for (const [i, seconds] of [2, 4, 8, 16, 30, 30].entries()) {
      await later(10 + seconds - 0.1 - await since());
      assert.equal(proxy.asked, i + 1, `not before ${seconds} s`);
      assert.equal(await text(page, '#state'), 'No answer');
      await later(0.5);
      // It is answered, and then nothing comes.
      await until('a new one', () => page.evaluate(() => source?.readyState === EventSource.OPEN));
      assert.equal(proxy.asked, i + 2);
    }
    proxy.stuck = false;
    await later(10.5 + 30);
    await shows(page, '#state', 'Simulated feed');
  }, {of: proxy, before: page => page.clock.install()});
});

test('a page that nobody sees keeps no connection, and claims nothing', async () => {
  const proxy = await startProxy(service);
  await onPage(async page => {
    await shows(page, '#state', 'Simulated feed');
    const see = seen => page.evaluate(seen => {
      Object.defineProperty(document, 'hidden', {configurable: true, get: () => !seen});
      document.dispatchEvent(new Event('visibilitychange'));
    }, seen);
    await see(false);
    assert.equal(await text(page, '#state'), 'Not watching');
    assert.match(await page.title(), /^Not watching · /);
    const last = await page.evaluate(() => latest.time);
    await page.waitForTimeout(3500);  // longer than what is taken for silence
    assert.equal(await page.evaluate(() => latest.time), last);
    assert.equal(await text(page, '#state'), 'Not watching');
    assert.equal(await text(page, '#meaning'), 'This page asks only while it is seen.');
    await page.evaluate(() => {
      window.words = new Set();
      new MutationObserver(() => window.words.add(document.getElementById('state').textContent))
        .observe(document.getElementById('state'), {childList: true, characterData: true});
    });
    await see(true);
    await shows(page, '#state', 'Simulated feed');
    assert.deepEqual(await page.evaluate(() => [...window.words]), ['Simulated feed']);
    assert.equal(proxy.asked, 2);
  }, {of: proxy});
});

test('pages behind one another leave connections for the one that is seen', async () => {
  const proxy = await startProxy(service);
  await onPage(async page => {
    for (let i = 0; i < 7; ++i) {
      const other = await page.context().newPage();
      await other.addInitScript(() => {
        Object.defineProperty(document, 'hidden', {get: () => true});
      });
      await other.goto(proxy.url, {timeout: 10000});
    }
    const seen = await page.context().newPage();
    await seen.goto(proxy.url, {timeout: 10000});
    await shows(seen, '#state', 'Simulated feed');
    await shows(seen, '#settings', /NATS_URL/);
  }, {of: proxy});
});

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
    await shows(page, '#meaning',
                '16 clients are listening already: this page waits for a place, trying again');
    assert.equal(await text(page, '#state'), 'No place');
    assert.match(await page.title(), /^No place · /);
    watchers.pop().abort();
    await shows(page, '#state', /feed$/);
  }, {of: own, allowed: GONE});
  for (const leave of watchers) leave.abort();
  await own.stop();
});

for (const [status, body, said] of [
  [503, '{"error":"too many answers wait to be read"}', '503: too many answers wait to be read'],
  [502, '<h1>Bad Gateway</h1>', '502: Bad Gateway'],
]) {
  test(`an answer ${status} is told as it is`, () => onPage(async page => {
    await shows(page, '#meaning', `answer ${said}, trying again`);
    assert.equal(await text(page, '#state'), 'No answer');
    await page.unroute('**/events');
    await shows(page, '#state', 'Simulated feed');
  }, {before: page => page.route('**/events', route => route.fulfill({status, body})),
      allowed: /status of 50[23]/}));
}

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
    await until('an order', () => page.locator('#orders tr').count(), 90);
    assert.deepEqual(await accessibility(page), []);
  }, {width, scheme}));
}

test('headings are in order, and there are landmarks', () => onPage(async page => {
  await shows(page, '#state', 'Simulated feed');
  const levels = await page.locator('h1, h2, h3').evaluateAll(all => all.map(one => one.tagName));
  assert.equal(levels.filter(level => level === 'H1').length, 1);
  levels.reduce((before, level) => {
    assert.ok(Number(level[1]) <= Number(before[1]) + 1, String(levels));
    return level;
  });
  for (const tag of ['header', 'main', 'footer']) assert.equal(await page.locator(tag).count(), 1);
  assert.equal(await page.locator('[aria-live]').count(), 1);
}));
