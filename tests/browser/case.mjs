// What a test of the status page begins with: a service that a made-up market comes to, a browser.
import assert from 'node:assert/strict';
import {after, before} from 'node:test';

import {open, startBroker, startBrowser, startEngine, startMarket, startService, stopAll,
        until} from './kit.mjs';

export let browser, broker, service;

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

export const text = (page, selector) => page.locator(selector).first().textContent();
export function shows(page, selector, expected) {
  return until(`${selector} to show ${expected}`, async () => {
    const found = await text(page, selector);
    if (expected instanceof RegExp ? expected.test(found) : found === expected) return found;
    throw new Error(`it shows ${found}`);
  });
}

// Opens the page, runs the test, and holds the page to what is true of every page.
export async function onPage(run, {of = service, allowed = /^$/, ...options} = {}) {
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
export const GONE = /net::ERR_|Failed to load resource: the server responded with a status of 503/;
