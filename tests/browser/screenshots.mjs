// Writes docs/images/status-*.png: the page at 1440 and 390 pixels, light and dark, trading (all of
// it) and paused (what is seen first); and report-*.png: the pages of --report. Where pngquant is,
// they become a third as large. With `status` or `report` only those.
import {spawnSync} from 'node:child_process';
import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';

import {ROOT, open, startBroker, startBrowser, startEngine, startMarket, startService, stopAll,
        until} from './kit.mjs';
import {makeMarket, replayReport, sweepReport} from './report.mjs';

// What a market of SECONDS has led to is seen on them.
const SECONDS = Number(process.env.SECONDS ?? 90);
const folder = path.join(ROOT, 'docs/images');
const only = process.argv[2];

async function keep(page, name, options) {
  const file = path.join(folder, `${name}.png`);
  await page.screenshot({path: file, ...options});
  spawnSync('pngquant', ['--force', '--strip', '--ext', '.png', file]);
  console.log(path.relative(ROOT, file));
}

async function keepStatus(browser) {
  const broker = await startBroker();
  const service = await startService(broker, {SIGNAL_COOLDOWN_SECONDS: '5', LOG_LEVEL: 'INFO'});
  await startEngine(broker);
  await startMarket(broker, {asReal: true});
  const pages = [];
  for (const width of [1440, 390]) {
    for (const scheme of ['light', 'dark']) {
      pages.push([`${width}-${scheme}`, await open(browser, service.url, {width, scheme})]);
    }
  }
  for (const [state, signal] of [['Trading'], ['Paused', 'SIGUSR1']]) {
    if (signal) service.kill(signal);
    for (const [name, page] of pages) {
      await until(state, async () => await page.textContent('#state') === state);
      await until('the market', async () =>
        await page.evaluate(() => latest.uptime_seconds) > SECONDS, SECONDS + 20);
      await keep(page, `status-${state.toLowerCase()}-${name}`, {fullPage: state === 'Trading'});
    }
  }
}

// A made-up day, which no setting can win: that is what its reports say.
async function keepReports(browser) {
  const directory = await mkdtemp(path.join(tmpdir(), 'rts-report-'));
  const market = makeMarket(directory, {frames: 90000, rate: 1, start: '2026-11-26T22:30:00Z'});
  const urls = {replay: replayReport(directory, market), sweep: sweepReport(directory, market)};
  for (const [kind, width, scheme] of [['replay', 1440, 'light'], ['replay', 390, 'dark'],
                                       ['sweep', 1440, 'dark']]) {
    const page = await open(browser, urls[kind], {width, scheme});
    // On a small screen it is long: its beginning says how it looks.
    const clip = width < 1000 ? {x: 0, y: 0, width, height: 2400} : undefined;
    await keep(page, `report-${kind}-${width}-${scheme}`, {fullPage: true, clip});
  }
  await rm(directory, {recursive: true});
}

const browser = await startBrowser();
try {
  await mkdir(folder, {recursive: true});
  if (only !== 'report') await keepStatus(browser);
  if (only !== 'status') await keepReports(browser);
} finally {
  await browser.close();
  await stopAll();
}
