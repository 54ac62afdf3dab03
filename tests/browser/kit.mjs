// What the tests of the page need: a broker, the service, a made-up market and a browser. All
// of it listens on 127.0.0.1 on free ports, and ends with this process, however that ends.
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BINARY =
  path.resolve(process.env.RTS_BINARY ?? path.join(ROOT, 'build/release/realtime-strategies'));
// `make setup` puts them there: git sees no node_modules.
const MODULES = path.join(ROOT, 'build/browser/node_modules');
if (!existsSync(MODULES)) {
  console.error(`${MODULES} is not there: make setup, which gets it with npm`);
  process.exit(process.env.CI ? 1 : 77);
}
const load = createRequire(MODULES);
const {chromium} = load('playwright-core');
const AXE = load('axe-core').source;

// Waits until `check` gives something, and gives that; else says what was awaited.
export async function until(what, check, seconds = 20) {
  const end = Date.now() + 1000 * seconds;
  for (let last = ''; ; await pause(50)) {
    try {
      const found = await check();
      if (found) return found;
    } catch (error) { last = `: ${error.message}`; }
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}${last}`);
  }
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// A command that ends by itself, in this directory.
export function command(cwd, ...words) {
  const {status, stderr} = spawnSync(BINARY, words.map(String), {
    cwd, env: {PATH: process.env.PATH, HOME: '/nonexistent'}, encoding: 'utf8', timeout: 300000});
  if (status !== 0) throw new Error(`${words.join(' ')}: ${status}: ${stderr}`);
}

const running = [];

// setpriv: whom a time limit kills has no time to stop what it has started.
class Program {
  constructor(command, settings = {}) {
    const environment = {PATH: `${process.env.PATH}:/usr/sbin`, HOME: '/nonexistent', ...settings};
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {env: environment});
    this.said = '';
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', text => { this.said = (this.said + text).slice(-10000); });
    }
    this.ended = once(this.child, 'close');
    running.push(this);
  }
  kill(signal = 'SIGTERM') {
    this.child.kill(signal);
  }
  async stop(signal = 'SIGTERM') {
    this.kill(signal);
    const late = setTimeout(() => this.kill('SIGKILL'), 15000);
    await this.ended;
    clearTimeout(late);
  }
}

export async function startBroker(port) {
  port ??= await freePort();
  const broker = new Program(['nats-server', '--addr', '127.0.0.1', '--port', String(port)]);
  broker.port = port;
  await until(`the broker: ${broker.said}`, async () => {
    const socket = net.connect(port, '127.0.0.1');
    const [greeting] = await once(socket, 'data').finally(() => socket.destroy());
    return String(greeting).startsWith('INFO');
  });
  return broker;
}

// `settings` beside what the tests want: orders that keep coming.
export async function startService(broker, settings = {}, port) {
  port ??= await freePort();
  const service = new Program([BINARY, 'run'], {
    NATS_URL: `nats://127.0.0.1:${broker.port}`, ENVIRONMENT: 'local', LOG_LEVEL: 'WARNING',
    HEALTH_CHECK_HOST: '127.0.0.1', HEALTH_CHECK_PORT: String(port), SIGNAL_COOLDOWN_SECONDS: '1',
    RISK_MAX_DAILY_SIGNALS: '0', NATS_CONSUMER_GROUP: '', ...settings,
  });
  service.port = port;
  service.url = `http://127.0.0.1:${port}/`;
  service.status = async (query = '') =>
    (await fetch(service.url + query, {headers: {Accept: 'application/json'}})).json();
  await until('the service', async () => (await fetch(`${service.url}ready`)).ok)
    .catch(error => { throw new Error(`${error.message}\n${service.said}`); });
  return service;
}

// Frames of `simulate`. `asReal`: by a relay that names another source, with as many letters.
export async function startMarket(broker, {asReal = false, rate = 200} = {}) {
  const port = asReal ? await startRelay(broker.port) : broker.port;
  const market = new Program([BINARY, 'simulate', '--rate', String(rate), '--show-orders'],
    {NATS_URL: `nats://127.0.0.1:${port}`, ENVIRONMENT: 'local', SIMULATE_ON_REAL_BROKER: 'yes'});
  await until('the market', () => market.said.includes('a made-up market'))
    .catch(error => { throw new Error(`${error.message}\n${market.said}`); });
  return market;
}
async function startRelay(to) {
  const made = '"source":"simulation"', real = '"source":"exchange-1"';
  const relay = net.createServer(from => {
    const onward = net.connect(to, '127.0.0.1');
    let kept = '';
    from.on('data', bytes => {
      const text = (kept + bytes.toString('latin1')).replaceAll(made, real);
      let cut = text.length;  // before what may be the beginning of it
      for (let n = 1; n < made.length; ++n) {
        if (text.endsWith(made.slice(0, n))) cut = text.length - n;
      }
      kept = text.slice(cut);
      onward.write(text.slice(0, cut), 'latin1');
    });
    onward.pipe(from);
    for (const [one, other] of [[from, onward], [onward, from]]) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1').unref();
  await once(relay, 'listening');
  return relay.address().port;
}

// What stands before the service and shows it below `path`. While `stuck`, it takes requests and
// answers nothing any more, not even what it has begun: as the half of a connection that is left.
export async function startProxy(service, path = '/') {
  const proxy = {stuck: false, asked: 0};
  const server = http.createServer((request, response) => {
    if (!request.url.startsWith(path)) return response.writeHead(404).end();
    if (request.url.includes('/events')) ++proxy.asked;
    const stream = {'Content-Type': 'text/event-stream'};
    if (proxy.stuck) return response.writeHead(200, stream).flushHeaders();
    const {method, headers} = request, onward = service.url + request.url.slice(path.length);
    http.request(onward, {method, headers}, answer => {
      response.writeHead(answer.statusCode, answer.headers).flushHeaders();
      answer.on('data', bytes => { if (!proxy.stuck) response.write(bytes); });
      answer.on('end', () => response.end());
      response.on('close', () => answer.destroy());
    }).on('error', () => response.destroy()).end();
  }).listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  proxy.url = `http://127.0.0.1:${server.address().port}${path}`;
  return proxy;
}

// A TradeEngine that takes every order.
export async function startEngine(broker) {
  const socket = net.connect(broker.port, '127.0.0.1').unref().on('error', () => {});
  let heard = '';
  socket.on('data', bytes => {
    heard += bytes.toString('latin1');
    for (const [, reply] of heard.matchAll(/MSG \S+ 1 (\S+) \d+\r\n/g)) {
      const answer = '{"status":"executed"}';
      socket.write(`PUB ${reply} ${answer.length}\r\n${answer}\r\n`);
    }
    if (/PING\r\n/.test(heard)) socket.write('PONG\r\n');
    heard = heard.slice(heard.lastIndexOf('\r\n') + 2);
  });
  await once(socket, 'connect');
  socket.write('CONNECT {"verbose":false}\r\nSUB tradeengine.orders 1\r\n');
}

export async function stopAll() {
  await Promise.all(running.map(program => program.stop('SIGKILL')));
}

// --- The browser ---------------------------------------------------------------------------------

export const startBrowser = () => chromium.launch(
  {executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-lcd-text']});

// A page that writes down what it asked for and what went wrong with it.
export async function open(browser, url, {width = 1440, scheme = 'light', before} = {}) {
  const context = await browser.newContext({viewport: {width, height: 900}, colorScheme: scheme});
  const page = await context.newPage();
  page.problems = [];
  page.asked = [];
  page.on('pageerror', error => page.problems.push(error.stack));
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) page.problems.push(message.text());
  });
  page.on('request', request => page.asked.push(request.url()));
  await before?.(page);
  await page.goto(url);
  return page;
}

// What axe finds, a line each.
export async function accessibility(page) {
  await page.evaluate(AXE);
  const {violations} = await page.evaluate(() => axe.run(document, {resultTypes: ['violations']}));
  return violations.flatMap(({id, nodes}) => nodes.map(({html, failureSummary}) =>
    `${id}: ${html}: ${failureSummary}`));
}
