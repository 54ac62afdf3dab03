// Pages of --report from made-up recordings, for their test and for the pictures in docs/.
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

import {command} from './kit.mjs';

// A recording of a made-up market; its name. `renamed`: what a symbol is called instead.
export function makeMarket(directory, {frames, rate, start, name = 'day.ndjson', renamed = {}}) {
  const file = path.join(directory, name);
  command(directory, 'simulate', '--output', name, '--frames', frames, '--rate', rate,
          '--start', start, '--seed', 3);
  let text = readFileSync(file, 'utf8');
  for (const [old, other] of Object.entries(renamed)) {
    text = text.replaceAll(old, other).replaceAll(old.toLowerCase(), other.toLowerCase());
  }
  writeFileSync(file, text);
  return name;
}

// Orders all day, some of them cut by the daily limit.
const LIVELY = ['--orderbook-skew-min-spread-percent=0', '--signal-cooldown-seconds=600',
                '--risk-max-daily-signals=120', '--trading-symbols=*'];

function report(directory, kind, words) {
  const name = `${kind}.html`;
  command(directory, kind, '--quiet', '--report', name, ...LIVELY, ...words);
  return pathToFileURL(path.join(directory, name)).href;
}
export const replayReport = (directory, market, more = []) =>
  report(directory, 'replay', ['--orders', 'orders.ndjson', ...more, market]);
export const sweepReport = (directory, market) =>
  report(directory, 'sweep', ['--vary', 'SIGNAL_COOLDOWN_SECONDS=300,600,900,1800,3600',
    '--vary', 'TRADE_MOMENTUM_BUY_THRESHOLD=0.6..0.8:0.05',
    '--vary', 'RISK_MAX_DAILY_SIGNALS=50,100', '--walk-forward', 'train=2h,test=1h', market]);
