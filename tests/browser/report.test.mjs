// The pages of --report in Debian's Chromium: what is drawn on them are the numbers of their
// document, and nothing comes from elsewhere.
import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';

import {accessibility, open, startBrowser} from './kit.mjs';
import {makeMarket, replayReport, sweepReport} from './report.mjs';

// As long as a symbol may be, with what would be markup.
const NAME = '<IMG_SRC=X_ONERROR=RAN=1>&LT;B&GT;LONGER_THAN_ANY_OTHER_ONEUSDT';
const FILE = '<b>day\u2028 & "night\'s".ndjson';

let browser, directory;
const urls = {};

before(async () => {
  browser = await startBrowser();
  directory = await mkdtemp(path.join(tmpdir(), 'rts-report-'));
  const market = makeMarket(directory, {frames: 24000, rate: 1, start: '2026-11-26T20:00:00Z',
                                        name: FILE, renamed: {BNBUSDT: NAME}});
  urls.replay = replayReport(directory, market, ['--risk-max-daily-signals=20']);
  urls.sweep = sweepReport(directory, market);
});
after(async () => {
  await browser?.close();
  if (directory) await rm(directory, {recursive: true});
});

// Opens a report, runs the test, and holds the page to what is true of every report.
async function onReport(kind, run, {allowed = /^$/, ...options} = {}) {
  const page = await open(browser, urls[kind], options);
  try {
    await run(page);
    assert.deepEqual(page.problems.filter(problem => !allowed.test(problem)), []);
    assert.deepEqual(page.asked.filter(url => url !== urls[kind] && !url.startsWith('data:')), []);
  } finally {
    await page.context().close();
  }
}
const documentOf = page => page.evaluate(() => all);
const numbers = (page, selector, name) => page.locator(selector).evaluateAll((nodes, name) =>
  nodes.map(node => Number(node.getAttribute(name))), name);
const sum = list => list.reduce((total, n) => total + n, 0);
const sectionOf = (page, title) => `section[aria-labelledby="${title}"]`;
async function sectionWith(page, title) {
  const id = await page.getByRole('heading', {name: title}).getAttribute('id');
  return sectionOf(page, id);
}

for (const kind of ['replay', 'sweep']) {
  for (const [width, scheme] of [[1440, 'light'], [1440, 'dark'], [390, 'light'], [390, 'dark']]) {
    test(`axe finds nothing in a ${kind}'s report at ${width} pixels, ${scheme}`, () =>
      onReport(kind, async page => {
        assert.deepEqual(await accessibility(page), []);
        await page.locator('details').evaluateAll(all => all.forEach(one => { one.open = true; }));
        assert.deepEqual(await accessibility(page), []);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${wide} pixels wide`);
      }, {width, scheme}));
  }

  test(`names that look like markup stay names in a ${kind}'s report`, () =>
    onReport(kind, async page => {
      const {quality, made} = await documentOf(page);
      assert.ok(quality.symbols.some(one => one.symbol === NAME), 'it is in the data');
      const cells = await page.locator('tbody th').allTextContents();
      assert.ok(cells.includes(NAME));
      assert.ok(made.recordings[0].endsWith(FILE));
      assert.ok((await page.textContent('main')).includes(FILE));
      assert.equal(await page.locator('main :is(img, script)').count(), 0);
      assert.equal(await page.evaluate(() => window.RAN ?? window.ran), undefined);
    }));

  test(`the policy lets nothing run but what is in a ${kind}'s report`, () =>
    onReport(kind, async page => {
      await page.evaluate(() => {
        document.body.append(Object.assign(document.createElement('script'), {text: 'ran = 1'}));
      });
      assert.equal(await page.evaluate(() => window.ran), undefined);
      const policy = await page.getAttribute('meta[http-equiv]', 'content');
      assert.match(policy, /^default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+';/);
      assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    }, {allowed: /Content Security Policy/}));

  test(`a ${kind}'s report can be printed, dark as well`, () => onReport(kind, async page => {
    await page.emulateMedia({media: 'print', colorScheme: 'dark'});
    const [paper, ink] = await page.evaluate(() => {
      const {backgroundColor, color} = getComputedStyle(document.body);
      return [backgroundColor, color];
    });
    assert.equal(paper, 'rgb(255, 255, 255)');
    assert.equal(ink, 'rgb(26, 30, 36)');
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    assert.equal(await page.locator('details:not([open])').count(), 0);
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    assert.equal(await page.locator('details[open]').count(), 0);
    assert.ok((await page.pdf({format: 'A4'})).length > 20000);
  }, {scheme: 'dark'}));

  test(`the charts of a ${kind}'s report are drawn anew where there is less room`, () =>
    onReport(kind, async page => {
      const widths = () => page.locator('.chart:not(.wide) > svg').evaluateAll(all =>
        all.map(one => Number(one.getAttribute('width'))));
      const before = await widths();
      await page.setViewportSize({width: 390, height: 900});
      const after = await widths();
      assert.equal(after.length, before.length);
      for (const width of after) assert.ok(width <= 390, String(after));
      assert.notDeepEqual(after, before);
    }));

  test(`every chart of a ${kind}'s report has a name, and its sections are in order`, () =>
    onReport(kind, async page => {
      const names = await page.locator('.chart > svg').evaluateAll(all =>
        all.map(one => one.getAttribute('aria-label')));
      assert.ok(names.length >= 3 && names.every(Boolean), String(names));
      assert.deepEqual(await page.locator('h2').allTextContents(), {
        replay: ['Was it worth it?', 'How to get it again?', 'Is the data good?',
                 'When did it order?', 'Where did the events go?',
                 'Where did prices go after its orders?', 'What did the strategies see?',
                 'What if a setting were a tenth off?', 'What would an account have?'],
        sweep: ['Is there a better setting?', 'How to get it again?', 'Is the data good?',
                'Which settings are best?', 'Is there a good region, or one lucky point?',
                'Does it hold on days it has not seen?', 'When does the best order?'],
      }[kind]);
    }));
}

test('hours show the orders and what was cut', () => onReport('replay', async page => {
  const {hours, funnel} = await documentOf(page);
  const where = await sectionWith(page, 'When did it order?');
  for (const [name, attribute] of [['orders', 'data-orders'], ['cut', 'data-cut']]) {
    const expected = sum(Object.values(hours).flatMap(one => one[name]));
    assert.ok(expected > 0, name);
    assert.equal(sum(await numbers(page, `${where} rect[${attribute}]`, attribute)), expected);
  }
  const of = (outcomes, wanted) => sum(outcomes.filter(one => wanted.test(one.outcome))
    .map(one => one.events));
  for (const [name, {outcomes}] of Object.entries(funnel)) {
    assert.equal(sum(hours[name].orders), of(outcomes, /^signal_/));
    assert.equal(sum(hours[name].cut), of(outcomes, /^daily_limit$/));
  }
}));

test('a funnel ends with its orders, and says what would have changed it', () =>
  onReport('replay', async page => {
    const {funnel} = await documentOf(page);
    const where = await sectionWith(page, 'Where did the events go?');
    for (const [i, {events, outcomes}] of Object.values(funnel).entries()) {
      assert.equal(sum(outcomes.map(one => one.events)), events);
      const body = page.locator(`${where} article`).nth(i).locator('tbody');
      const hints = outcomes.filter(one => one.events > 0).flatMap(one => one.hints);
      const shown = await body.locator('.hint').allTextContents();
      assert.equal(shown.length, hints.length);
      hints.forEach((hint, j) => assert.ok(shown[j].startsWith(hint.sentence)));
      const orders = sum(outcomes.filter(one => /^signal_/.test(one.outcome))
        .map(one => one.events));
      assert.equal(await body.locator('tr').last().locator('td').first().textContent(),
                   orders.toLocaleString('en'));
    }
  }));

test('markouts are drawn at their means, and none is told without its interval', () =>
  onReport('replay', async page => {
    const {markouts: {groups}} = await documentOf(page);
    const where = await sectionWith(page, 'Where did prices go after its orders?');
    const means = groups.flatMap(({horizons}) => horizons.map(one => one.gross_bp.mean));
    assert.ok(groups.length >= 2);
    assert.deepEqual(await numbers(page, `${where} circle`, 'data-mean'),
                     means.filter(mean => mean !== null));
    const nets = await page.locator(`${where} tbody td:nth-child(4)`).allTextContents();
    assert.equal(nets.length, 6 * groups.length);
    for (const net of nets) assert.match(net, /^(none|[+−]?[\d.,]+ \[.+\])$/);
  }));

test('histograms count every value', () => onReport('replay', async page => {
  const {indicators} = await documentOf(page);
  const where = await sectionWith(page, 'What did the strategies see?');
  const counts = await numbers(page, `${where} rect[data-count]`, 'data-count');
  const known = indicators.filter(one => one.count > 0);
  assert.equal(counts.length, 60 * known.length);
  assert.equal(sum(counts), sum(known.map(one => one.count - one.below - one.above)));
  for (const one of known) assert.equal(sum(one.bins) + one.below + one.above, one.count);
}));

test('the sensitivity shows the settings that change most first', () =>
  onReport('replay', async page => {
    const {sensitivity: {settings, configured}} = await documentOf(page);
    const where = await sectionWith(page, 'What if a setting were a tenth off?');
    const names = await page.locator(`${where} svg .name`).allTextContents();
    const effects = names.map(name => Math.max(...settings.find(one => one.setting === name).nudges
      .map(nudge => nudge.state === 'tried' ? Math.abs(nudge.orders - configured.orders) : 0)));
    assert.ok(names.length >= 3);
    assert.deepEqual(effects, effects.toSorted((a, b) => b - a));
    assert.ok(effects.at(-1) > 0);
    await page.locator(`${where} summary`).click();
    assert.equal(await page.locator(`${where} tbody tr`).count(), settings.length);
    assert.match(await page.textContent(`${where} tbody`), /refused/);
  }));

test('the account has a curve', () => onReport('replay', async page => {
  const {paper} = await documentOf(page);
  const where = await sectionWith(page, 'What would an account have?');
  assert.ok(paper.curve.length > 100);
  assert.deepEqual(await numbers(page, `${where} .curve[data-points]`, 'data-points'),
                   [paper.curve.length]);
}));

test('a heat map has a cell for each pair of values, and marks the best', () =>
  onReport('sweep', async page => {
    const {heat_map: {x, y, others, cells}} = await documentOf(page);
    assert.deepEqual([x.labels.length, y.labels.length, others.length], [5, 5, 1]);
    const where = await sectionWith(page, 'Is there a good region, or one lucky point?');
    assert.deepEqual(await numbers(page, `${where} rect[data-value]`, 'data-value'),
                     cells.map(one => one.value));
    assert.equal(await page.locator(`${where} .chart .best`).count(), 1);
    assert.match(await page.textContent(where), new RegExp(`over the values of ${others[0]}`));
  }));

test('a sweep says how many settings were tried, and marks the ones that are configured', () =>
  onReport('sweep', async page => {
    const {trials, ranked} = await documentOf(page);
    assert.equal(trials, 51);
    assert.match(await page.textContent('#verdict'), /best of 51 settings/);
    const where = await sectionWith(page, 'Which settings are best?');
    assert.equal(await page.locator(`${where} tbody tr`).count(), Math.min(51, ranked.length));
    assert.equal(await page.locator(`${where} .mark`).count(), 1);
    assert.match(await page.textContent(`${where} .mark`), /as configured/);
  }));

test('a walk-forward is drawn and told fold by fold', () => onReport('sweep', async page => {
  const {walk_forward: {folds}} = await documentOf(page);
  const where = await sectionWith(page, 'Does it hold on days it has not seen?');
  assert.ok(folds.length >= 3);
  assert.deepEqual(await numbers(page, `${where} circle`, 'data-fold'),
                   folds.map((_, i) => i + 1));
  assert.equal(await page.locator(`${where} tbody tr`).count(), folds.length);
}));
