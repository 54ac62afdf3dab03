// Writes docs/images/status-*.png: the page at 1440 and 390 pixels, light and dark, trading (all of
// it) and paused (what is seen first). Where pngquant is, they become a third as large.
import {spawnSync} from 'node:child_process';
import {mkdir} from 'node:fs/promises';
import path from 'node:path';

import {ROOT, open, startBroker, startBrowser, startEngine, startMarket, startService, stopAll,
        until} from './kit.mjs';

// What a market of SECONDS has led to is seen on them.
const SECONDS = Number(process.env.SECONDS ?? 90);
const folder = path.join(ROOT, 'docs/images');

try {
  await mkdir(folder, {recursive: true});
  const broker = await startBroker();
  const service = await startService(broker, {SIGNAL_COOLDOWN_SECONDS: '5', LOG_LEVEL: 'INFO'});
  await startEngine(broker);
  await startMarket(broker, {asReal: true});
  const browser = await startBrowser();
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
      const file = path.join(folder, `status-${state.toLowerCase()}-${name}.png`);
      await page.screenshot({path: file, fullPage: state === 'Trading'});
      spawnSync('pngquant', ['--force', '--strip', '--ext', '.png', file]);
      console.log(path.relative(ROOT, file));
    }
  }
  await browser.close();
} finally {
  await stopAll();
}
