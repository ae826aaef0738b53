import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { startDashboard, type RunningDashboard } from '../../../src/dashboard/server.js';
import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { CliProject } from '../../support/cli-project.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where pictures are kept for somebody to look at; none are kept without it. */
const PICTURES = process.env['RESWEEP_PICTURES'];

let project: CliProject;
let dashboard: RunningDashboard;
let browser: Browser;
let main: string;
const problems: string[] = [];

async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(`${path}: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`${path}: ${error.message}`));
  await page.goto(dashboard.url + path);
  return page;
}

/** Waits until an expression holds; asked through the browser's tools, for the page's policy lets nothing be evaluated in it. */
async function until(page: Page, expression: string): Promise<void> {
  await expect.poll(() => page.evaluate(expression), { timeout: 15_000, interval: 25 }).toBe(true);
}

async function settled(page: Page): Promise<void> {
  await page.waitForSelector('main h1');
  await until(page, "document.querySelectorAll('.placeholder, [aria-busy=true]').length === 0");
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.waitForTimeout(400);
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

/** Violations of accessibility rules, each with where. */
async function accessibilityProblems(page: Page): Promise<string[]> {
  // The page's policy lets no script in but its own; this one comes in through the browser's tools.
  await page.evaluate(AXE);
  return await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.html).join(' | ')))`,
  );
}

async function idOf(name: string): Promise<string> {
  const list = (await (await fetch(`${dashboard.url}api/studies`)).json()) as { id: string; name: string }[];
  return list.find((study) => study.name === name)?.id ?? '';
}

beforeAll(async () => {
  project = new CliProject({ config: 'trials: 12' });
  expect(project.run('run', project.config).code).toBe(0);
  const huge = join(project.folder, 'outputs/hpo/local/huge/study-0000b16b');
  mkdirSync(huge, { recursive: true });
  const study = await createStudy({
    storage: join(huge, 'study.db'),
    studyName: 'huge',
    sampler: new RandomSampler({ seed: 1 }),
  });
  await study.optimize(
    async (trial) => {
      const x = trial.suggestFloat('x', -5, 5);
      const lr = trial.suggestFloat('lr', 1e-5, 1e-1, { log: true });
      return x ** 2 + Math.abs(Math.log10(lr) + 3) + trial.suggestInt('layers', 1, 8) / 10;
    },
    { nTrials: 10_000 },
  );
  await study.close();
  await study.storage.close();
  const front = join(project.folder, 'outputs/hpo/local/front/study-00003d3d');
  mkdirSync(front, { recursive: true });
  const several = await createStudy({
    storage: join(front, 'study.db'),
    studyName: 'front',
    directions: ['minimize', 'minimize', 'maximize'],
    sampler: new RandomSampler({ seed: 1 }),
  });
  await several.optimize(
    async (trial) => {
      const [a, b] = [trial.suggestFloat('a', 0, 1), trial.suggestFloat('b', 0, 1)];
      return [a + b / 3, b, a * b];
    },
    { nTrials: 60 },
  );
  await several.close();
  await several.storage.close();
  const broken = join(project.folder, 'outputs/hpo/local/demo/study-0000dead');
  mkdirSync(broken, { recursive: true });
  writeFileSync(join(broken, 'study.db'), 'this is no database');
  dashboard = await startDashboard({ places: [project.folder], port: 0 });
  browser = await chromium.launch({
    executablePath: process.env['RESWEEP_CHROMIUM'] ?? 'chromium',
    // A container has no user namespaces for it.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  main = await idOf('quadratic');
});
afterAll(async () => {
  await browser.close();
  await dashboard.close();
  project.remove();
});
afterEach(() => {
  expect(problems.splice(0)).toEqual([]);
});

/** The study's database beside the dashboard. */
async function withStudy<T>(work: (study: Awaited<ReturnType<typeof loadStudy>>) => Promise<T>): Promise<T> {
  const { studyDb } = project.json<{ studyDb: string }>('status', project.config);
  const study = await loadStudy({ storage: studyDb });
  try {
    return await work(study);
  } finally {
    await study.close();
    await study.storage.close();
  }
}

describe('the dashboard in Chromium', () => {
  it.each([
    ['list', '#/', '.studies .study'],
    ['overview', 'overview', '.chart canvas'],
    ['trials', 'trials', 'tbody tr'],
    ['parameters', 'parameters', '.chart canvas'],
    ['backup', 'backup', '.verdict'],
    ['results', 'results', '.empty'],
    ['setup', 'setup', 'pre'],
    ['trial', 'trial/0', '.log'],
  ])('shows %s without a console error, readable for everybody, in light and dark', async (name, tab, selector) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open(tab.startsWith('#') ? tab : `#/study/${main}/${tab}`, { colorScheme });
      await page.waitForSelector(selector);
      await settled(page);
      expect(await accessibilityProblems(page)).toEqual([]);
      await picture(page, `${name}-${colorScheme}`);
      await page.context().close();
    }
  });

  it('shows the numbers of the database', async () => {
    const best = await withStudy((study) => study.bestTrial());
    const page = await open(`#/study/${main}/overview`);
    await settled(page);
    const shown = await page.textContent('.stat b');
    expect(Number(shown)).toBeCloseTo(best.value ?? NaN, 3);
    await page.goto(`${dashboard.url}#/study/${main}/trial/${best.number}`);
    await page.waitForSelector('h1:has-text("Trial")');
    await settled(page);
    const parameters = await page.locator('.pairs > div dt').allTextContents();
    expect(parameters).toEqual(expect.arrayContaining(['loss', ...Object.keys(best.params)]));
    await page.context().close();
  });

  it('follows the study live, without a reload', async () => {
    const page = await open(`#/study/${main}/overview`);
    await settled(page);
    const before = await page.textContent('.stats .stat:nth-child(2) b');
    expect(project.run('run', project.config, '--trials', '15').code).toBe(0);
    await until(
      page,
      `document.querySelector('.stats .stat:nth-child(2) b').textContent !== ${JSON.stringify(before)}`,
    );
    expect(await page.textContent('.stats .stat:nth-child(2) b')).toContain('15');
    await page.context().close();
  });

  it('enqueues a trial, changes the budget, and keeps a note with tags, by keyboard alone', async () => {
    const page = await open(`#/study/${main}/overview`);
    await settled(page);
    const press = async (name: string): Promise<void> => {
      await page.getByRole('button', { name, exact: true }).focus();
      await page.keyboard.press('Enter');
    };
    await press('Enqueue trial');
    await page.getByLabel('x', { exact: false }).first().fill('1.5');
    await press('Enqueue');
    await page.waitForSelector('dialog', { state: 'detached' });
    await press('Change budget');
    await page.getByLabel('Trials in all').fill('40');
    await press('Save');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.goto(`${dashboard.url}#/study/${main}/trial/2`);
    await page.waitForSelector('.note');
    await press('Write');
    await page.getByRole('textbox', { name: 'Note' }).fill('worth a look');
    await page.getByLabel('Tags').fill('baseline');
    await press('Save');
    await page.waitForSelector('.note .chip');
    const attributes = await withStudy(async (study) => {
      await study.sync();
      const waiting = study.history.unfinished.filter(({ state }) => state === 'WAITING');
      expect(waiting[0]?.systemAttr('fixed_params')).toMatchObject({ x: 1.5 });
      return study.systemAttrs;
    });
    expect(JSON.stringify(attributes['resweep:config'])).toContain('"trials":40');
    expect(Object.values(attributes)).toContain('worth a look\nTags: #baseline');
    await page.goto(`${dashboard.url}#/study/${main}/trials`);
    await page.getByLabel('Filter trials').fill('#baseline');
    await until(page, "document.querySelectorAll('tbody tr').length === 1");
    await page.context().close();
  });

  it('sorts and filters the table, also by a range drawn on an axis', async () => {
    const page = await open(`#/study/${main}/trials`);
    await settled(page);
    await page.getByRole('button', { name: 'loss' }).click();
    await page.waitForSelector('th[aria-sort=ascending]');
    await settled(page);
    const values = (await page.$$eval('tbody td:nth-child(3)', (cells) => cells.map((cell) => cell.textContent)))
      .map(Number)
      .filter((value) => !Number.isNaN(value));
    expect(values).toEqual([...values].sort((a, b) => a - b));
    const total = await page.$$eval('tbody tr', (rows) => rows.length);
    const box = (await (await page.$('.chart canvas'))!.boundingBox())!;
    await page.mouse.move(box.x + 48, box.y + box.height * 0.55);
    await page.mouse.down();
    await page.mouse.move(box.x + 48, box.y + box.height - 27, { steps: 8 });
    await page.mouse.up();
    await page.waitForSelector('.chip:has-text("loss")');
    await until(page, `document.querySelectorAll('tbody tr').length < ${total}`);
    await page.getByRole('button', { name: 'Clear ranges' }).click();
    await until(page, `document.querySelectorAll('tbody tr').length === ${total}`);
    await page.context().close();
  });

  it('shows a front of three objectives that turns, and a study of ten thousand trials', async () => {
    let page = await open(`#/study/${await idOf('front')}/overview`);
    await page.waitForSelector('.turns canvas');
    await page.focus('.turns');
    await page.keyboard.press('ArrowRight');
    await settled(page);
    await picture(page, 'front');
    await page.context().close();
    const huge = await idOf('huge');
    page = await open(`#/study/${huge}/trials`);
    await settled(page);
    expect(await page.textContent('.table-card [role=status]')).toBe('10,000 trials');
    await picture(page, 'huge');
    const begun = Date.now();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.waitForSelector('text=Page 2 of 200');
    console.log(`huge study: next page after ${Date.now() - begun} ms`);
    await page.context().close();
  });

  it('fits a phone: nothing wider than the screen', async () => {
    for (const tab of ['overview', 'trials', 'backup', 'parameters']) {
      const page = await open(`#/study/${main}/${tab}`, { viewport: { width: 390, height: 844 }, hasTouch: true });
      await settled(page);
      expect(await page.evaluate('document.documentElement.scrollWidth'), tab).toBeLessThanOrEqual(390);
      await picture(page, `phone-${tab}`);
      await page.context().close();
    }
  });
});

describe('a report in Chromium', () => {
  it('reads without a network, with and without scripts', async () => {
    const file = join(project.folder, 'report.html');
    expect(project.run('report', project.config, '--out', file).code).toBe(0);
    for (const javaScriptEnabled of [true, false]) {
      const context = await browser.newContext({ offline: true, javaScriptEnabled });
      const page = await context.newPage();
      page.on('console', (message) => problems.push(`report: ${message.text()}`));
      page.on('pageerror', (error) => problems.push(`report: ${error.message}`));
      await page.goto(`file://${file}`);
      await page.waitForSelector(javaScriptEnabled ? '.chart canvas' : '.chart svg');
      expect(await page.title()).toBe('quadratic');
      if (javaScriptEnabled) expect(await accessibilityProblems(page)).toEqual([]);
      await picture(page, javaScriptEnabled ? 'report' : 'report-without-scripts');
      await context.close();
    }
  });
});
