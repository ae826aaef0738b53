// How the dashboard feels with a long study: 10,000 trials of 8 parameters with learning curves, in real Chromium. Prints for each view
// when it can be read and when what is on the screen is drawn, for each click when the page answers, and how long others wait meanwhile.
// node bench/dashboard.mjs [--trials 10000] [--views overview,trials] [--pictures DIR]
// needs: npm run build; Chromium (RESWEEP_CHROMIUM, default chromium)
/* global addEventListener, document, fetch, innerHeight, PerformanceObserver, requestAnimationFrame */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { chromium } from 'playwright-core';

import {
  CategoricalDistribution,
  createStudy,
  createTrial,
  FloatDistribution,
  IntDistribution,
  RandomSampler,
} from '../dist/index.js';
import { pathOf } from '../scripts/lib/run-command.mjs';

const { values: options } = parseArgs({
  options: { trials: { type: 'string' }, views: { type: 'string' }, pictures: { type: 'string' } },
});
const trials = Number(options.trials ?? 10_000);
const VIEW_MS = 1_000;
const CLICK_MS = 100;

const root = mkdtempSync(join(tmpdir(), 'resweep-dashboard-'));
const views = options.views?.split(',') ?? ['overview', 'trials', 'parameters', 'backup', 'setup', 'trial/0'];
let missed = 0;

function random(seed) {
  let state = seed;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0), state / 2 ** 32);
}

/** A study as a long search of a small network leaves it: a tenth pruned on the way, some failed. */
async function makeStudy(name, study8, count) {
  const folder = join(root, 'outputs', 'hpo', 'local', 'mlp', `study-${study8}`);
  mkdirSync(folder, { recursive: true });
  const study = await createStudy({
    storage: join(folder, 'study.db'),
    studyName: name,
    sampler: new RandomSampler({ seed: 1 }),
  });
  await study.setMetricNames(['loss']);
  const distributions = {
    lr: new FloatDistribution(1e-5, 1e-1, { log: true }),
    dropout: new FloatDistribution(0, 0.6),
    decay: new FloatDistribution(1e-6, 1e-2, { log: true }),
    layers: new IntDistribution(1, 8),
    units: new IntDistribution(16, 512),
    momentum: new FloatDistribution(0, 0.99),
    activation: new CategoricalDistribution(['relu', 'tanh', 'selu']),
    optimizer: new CategoricalDistribution(['adam', 'sgd']),
  };
  const next = random(1);
  let now = Date.parse('2026-01-01T00:00:00Z');
  const templates = Array.from({ length: count }, (_, number) => {
    const lr = 10 ** (-5 + 4 * next());
    const params = {
      lr,
      dropout: 0.6 * next(),
      decay: 10 ** (-6 + 4 * next()),
      layers: 1 + Math.floor(8 * next()),
      units: 16 + Math.floor(497 * next()),
      momentum: 0.99 * next(),
      activation: ['relu', 'tanh', 'selu'][Math.floor(3 * next())],
      optimizer: next() < 0.5 ? 'adam' : 'sgd',
    };
    const end =
      0.1 + 0.3 * Math.abs(Math.log10(lr) + 3) + 0.2 * params.dropout + Math.abs(params.layers - 3) / 20 + 0.1 * next();
    const state = number % 10 === 7 ? 'PRUNED' : number % 200 === 99 ? 'FAIL' : 'COMPLETE';
    const steps = state === 'PRUNED' ? 3 : 10;
    const begun = now + 60_000 * next();
    now += 30_000;
    return createTrial({
      state,
      params,
      distributions,
      ...(state === 'COMPLETE' ? { value: end } : {}),
      intermediateValues: Object.fromEntries(
        Array.from({ length: steps }, (_, i) => [i + 1, end + 2 * Math.exp(-(i + 1) / 3)]),
      ),
      datetimeStart: new Date(begun),
      datetimeComplete: new Date(begun + 20_000 + 60_000 * next()),
    });
  });
  await study.addTrials(templates);
  await study.close();
  await study.storage.close();
}

/** The command as people start it. */
async function serve() {
  const begun = performance.now();
  const child = spawn(process.execPath, [resolve('dist/cli/main.js'), 'dashboard', root, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((done, fail) => {
    let text = '';
    child.once('exit', (code) => fail(new Error(`the dashboard ended with ${code}`)));
    child.stdout.on('data', (piece) => {
      text += piece;
      const found = /"url":\s*"([^"]+)"/.exec(text);
      if (found !== null) done(found[1]);
    });
  });
  return {
    url,
    startMs: performance.now() - begun,
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Watches the page from its first moment; runs in the page. */
function watch() {
  const seen = { read: undefined, drawn: undefined, acted: 0, tasks: [], events: [] };
  globalThis.seen = seen;
  new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: 'longtask',
    buffered: true,
  });
  new PerformanceObserver((list) => seen.events.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: 'event',
    durationThreshold: 16,
    buffered: true,
  });
  const isInView = (element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  seen.isRead = () =>
    document.querySelector('main h1') !== null && document.querySelector('.placeholder.tall') === null;
  seen.isDrawn = () =>
    seen.isRead() && ![...document.querySelectorAll('.placeholder, .unseen, [aria-busy=true]')].some(isInView);
  seen.isComplete = () => seen.isRead() && document.querySelector('.placeholder, [aria-busy=true]') === null;
  /** When something holds, after the frame that shows it. */
  seen.when = (holds) =>
    new Promise((done) => {
      const look = () => (holds() ? setTimeout(() => done(performance.now())) : requestAnimationFrame(look));
      look();
    });
  seen.again = () => {
    seen.tasks = [];
    seen.events = [];
    seen.acted = performance.now();
    return seen.acted;
  };
  // A tool that clicks first looks for the place and waits for it to stand still: what a person waits for begins with the click itself.
  for (const kind of ['pointerdown', 'pointerup', 'wheel', 'input', 'change']) {
    addEventListener(kind, ({ timeStamp }) => (seen.acted = timeStamp), { capture: true, passive: true });
  }
  void seen.when(seen.isRead).then((now) => (seen.read = now));
  void seen.when(seen.isDrawn).then((now) => (seen.drawn = now));
}

function report(name, value, goal, extra = '') {
  const reached = value <= goal;
  if (!reached) missed++;
  console.log(
    `${name}: ${Math.round(value)} ms (goal ${goal} ms: ${reached ? 'reached' : 'missed'})${extra === '' ? '' : `; ${extra}`}`,
  );
}

// Asked through the browser's tools: the page's policy lets nothing be evaluated in it.
const settle = (page, also = 'true') => page.evaluate(`seen.when(() => (${also}) && seen.isDrawn())`);
const all = (page) => page.evaluate('seen.when(seen.isComplete)');
const most = (values) => values.reduce((a, b) => Math.max(a, b), 0);

async function open(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(url);
  await settle(page);
  return page;
}

async function firstView(browser, url, name) {
  const page = await open(browser, url);
  const { read, drawn } = await page.evaluate('seen');
  await all(page);
  const { now, tasks } = await page.evaluate('({ now: performance.now(), tasks: seen.tasks })');
  report(
    name,
    drawn,
    VIEW_MS,
    `read after ${Math.round(read)}, all below drawn after ${Math.round(now)}, longest task ${Math.round(most(tasks))}`,
  );
  if (options.pictures !== undefined) {
    mkdirSync(options.pictures, { recursive: true });
    await page.screenshot({ path: join(options.pictures, `${name.replaceAll(/\W+/g, '-')}.png`), fullPage: true });
  }
  return page;
}

/** What one does, until the page shows that it heard, and until the answer is there. */
async function act(page, name, work, until, goalDone = CLICK_MS) {
  await page.evaluate('seen.again()');
  await work();
  const done = await settle(page, until);
  const found = await page.evaluate('new Promise((done) => setTimeout(() => done({ ...seen }), 150))');
  const longest = most(found.tasks);
  report(
    `${name}, until the page answers`,
    Math.max(most(found.events), longest),
    CLICK_MS,
    `longest task ${Math.round(longest)}`,
  );
  if (until !== undefined) report(`${name}, until it is there`, done - found.acted, goalDone);
}

let server;
let browser;
try {
  await makeStudy('long', '0000b16b', trials);
  await makeStudy('short', '0000cafe', 20);
  browser = await chromium.launch({
    executablePath: process.env.RESWEEP_CHROMIUM ?? pathOf('chromium'),
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  console.log(`A study of ${trials.toLocaleString('en')} trials, 8 parameters; Chromium ${browser.version()}`);

  server = await serve();
  const list = await (await fetch(`${server.url}api/studies`)).json();
  const [long, short] = ['long', 'short'].map((name) => list.find((study) => study.name === name).id);
  await server.stop();

  // A server that has not opened the study yet, and a browser that has nothing of the page.
  server = await serve();
  report('the command, until it prints its address', server.startMs, 2 * VIEW_MS);
  let page = await firstView(browser, `${server.url}#/study/${long}/overview`, 'overview, of a server just started');
  await page.context().close();

  const waits = [];
  let watching = true;
  const others = (async () => {
    while (watching) {
      const begun = performance.now();
      await (await fetch(`${server.url}api/studies/${short}`)).text();
      waits.push(performance.now() - begun);
      await new Promise((done) => setTimeout(done, 10));
    }
  })();
  for (const view of views) {
    page = await firstView(browser, `${server.url}#/study/${long}/${view}`, view);
    await page.context().close();
  }
  watching = false;
  await others;
  report('somebody else asking meanwhile, at most', most(waits), CLICK_MS, `${waits.length} times asked`);

  page = await open(browser, `${server.url}#/`);
  await page.click('.studies .study:has-text("long")');
  await settle(page);
  await all(page);
  const tab = (name, until) => act(page, `to ${name}`, () => page.click(`.tabs a:has-text("${name}")`), until, VIEW_MS);
  await tab('Trials', "document.querySelectorAll('tbody tr').length > 0");
  await all(page);
  const first = () => page.textContent('.table-card');
  for (const [name, work] of [
    ['next page', () => page.click('.pager button:has-text("Next")')],
    ['sort by value', () => page.click('th button:has-text("loss")')],
    ['filter by a word', () => page.fill('input[type=search]', 'activation=tanh')],
    ['filter by a state', () => page.click('.toggles button:has-text("pruned")')],
  ]) {
    const before = await first();
    await act(page, name, work, `document.querySelector('.table-card').textContent !== ${JSON.stringify(before)}`);
  }
  await page.click('.toggles button:has-text("pruned")');
  await page.fill('input[type=search]', '');
  await all(page);
  await act(
    page,
    'draw a range on an axis',
    async () => {
      const box = await page.locator('.chart canvas').first().boundingBox();
      await page.mouse.move(box.x + 48, box.y + box.height * 0.6);
      await page.mouse.down();
      await page.mouse.move(box.x + 48, box.y + box.height - 30, { steps: 12 });
      await page.mouse.up();
    },
    "document.querySelector('.chips .chip') !== null",
    1_000,
  );
  await tab('Parameters', "document.querySelectorAll('.chart canvas').length > 0");
  await all(page);
  await act(page, 'choose a pair', async () => {
    await page.getByLabel('Horizontal').selectOption('lr');
    await page.getByLabel('Vertical').selectOption('units');
  });
  await all(page);
  await act(page, 'point at charts', async () => {
    for (const chart of await page.locator('.chart').all()) {
      const box = await chart.boundingBox();
      await page.mouse.move(box.x + 90, box.y + 60);
      await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.7, { steps: 10 });
    }
  });
  await act(page, 'other colours', () => page.click('header button'));
  await all(page);
  await tab('Overview', "document.querySelectorAll('.chart canvas').length > 0");
  await all(page);
  await act(page, 'scroll', async () => {
    for (let i = 0; i < 12; i++) await page.mouse.wheel(0, 200);
  });
} finally {
  await browser?.close();
  await server?.stop();
  rmSync(root, { recursive: true, force: true });
}
if (missed > 0) {
  console.log(`${missed} missed.`);
  process.exitCode = 1;
}
