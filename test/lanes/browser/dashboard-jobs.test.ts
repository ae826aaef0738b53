import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { ContourFigure } from '../../../src/analysis/plots/contour.js';
import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import type { FrozenTrial } from '../../../src/core/frozen-trial.js';
import { CliProject, exitOf } from '../../support/cli-project.js';
import { accessibilityProblems, DashboardBrowser, picture, settled, until } from './dashboard-browser.js';

let project: CliProject;
let pages: DashboardBrowser;
let sweep: (ChildProcess & { output: () => string }) | undefined;

beforeAll(async () => {
  project = new CliProject({ config: 'trials: 200', pauseMs: 600 });
  const folder = (name: string): string => {
    const path = join(project.folder, 'outputs/hpo/local/demo', name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const several = await createStudy({
    storage: join(folder('study-00003d3d'), 'study.db'),
    studyName: 'two-goals',
    directions: ['minimize', 'maximize'],
    sampler: new RandomSampler({ seed: 1 }),
  });
  await several.setMetricNames(['cost', 'quality']);
  await several.optimize(
    async (trial) => {
      const [a, b] = [trial.suggestFloat('a', 0, 1), trial.suggestFloat('b', 0, 1)];
      return [a + b, a * trial.suggestFloat('c', 0, 1)];
    },
    { nTrials: 30 },
  );
  await several.close();
  await several.storage.close();
  const empty = await createStudy({ storage: join(folder('study-0000e3e3'), 'study.db'), studyName: 'nothing-yet' });
  await empty.close();
  await empty.storage.close();
  writeFileSync(join(folder('study-0000dead'), 'study.db'), 'this is no database');
  pages = await DashboardBrowser.start(project.folder);
});
afterAll(async () => {
  await pages.close();
  project.remove();
});
afterEach(async () => {
  if (sweep?.pid !== undefined && sweep.exitCode === null) process.kill(-sweep.pid, 'SIGKILL');
  if (sweep !== undefined) await exitOf(sweep);
  sweep = undefined;
  expect(pages.problems.splice(0)).toEqual([]);
});

const FINISHED = '.stats .stat:nth-child(2) b';

/** Starts `resweep run` and opens the study's page once trials finish. */
async function running(...args: readonly string[]): Promise<{ page: Page; id: string }> {
  sweep = project.start('run', project.config, ...args);
  await expect.poll(() => pages.idOf('quadratic'), { timeout: 30_000 }).not.toBe('');
  const id = await pages.idOf('quadratic');
  const page = await pages.open(`#/study/${id}/overview`);
  await page.waitForSelector('.badge.status-running', { timeout: 30_000 });
  // A trial ends: it is this sweep that runs, not one that was killed.
  const finished = await page.textContent(FINISHED);
  await until(page, `document.querySelector('${FINISHED}').textContent !== ${JSON.stringify(finished)}`);
  return { page, id };
}

/** The trials as the database has them. */
async function trials(): Promise<readonly FrozenTrial[]> {
  const { studyDb } = project.json<{ studyDb: string }>('status', project.config);
  const study = await loadStudy({ storage: studyDb });
  await study.sync();
  const all = [...study.history.all];
  await study.close();
  await study.storage.close();
  return all;
}

describe('a sweep that runs, worked on from the page', () => {
  it('shows a log that grows, takes an enqueued trial, and ends with a smaller budget', async () => {
    const { page, id } = await running();
    await page.click('.lines a:has-text("Trial")');
    await page.waitForSelector('.badge.state-running');
    // The trial ends while one looks on: its last line appears by itself.
    await until(page, "document.querySelector('.log')?.textContent.includes('x is ') === true");
    await page.waitForSelector('.toolbar .badge.state-complete');
    await picture(page, 'job-log');

    await page.goto(`${pages.url}#/study/${id}/overview`);
    await page.getByRole('button', { name: 'Enqueue trial' }).click();
    await page.locator('dialog').getByLabel('x', { exact: false }).first().fill('1.25');
    await page.locator('dialog').getByLabel('kind', { exact: false }).selectOption('a');
    await picture(page, 'job-enqueue');
    await page.getByRole('button', { name: 'Enqueue', exact: true }).click();
    await page.waitForSelector('dialog', { state: 'detached' });

    const finished = Number.parseInt((await page.textContent(FINISHED)) ?? '', 10);
    const wanted = finished + 6;
    await page.getByRole('button', { name: 'Change budget' }).click();
    await page.getByLabel('Trials in all').fill(String(wanted));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.waitForSelector('dialog', { state: 'detached' });
    expect(await exitOf(sweep!)).toBe(0);
    expect(project.json<{ target: number }>('status', project.config).target).toBe(wanted);
    const all = await trials();
    expect(all.filter(({ isFinished }) => isFinished)).toHaveLength(wanted);
    expect(all.filter(({ state }) => state === 'RUNNING' || state === 'WAITING')).toEqual([]);
    expect(all.filter(({ params }) => params['x'] === 1.25 && params['kind'] === 'a')).toMatchObject([
      { state: 'COMPLETE' },
    ]);
    // The page tells the same.
    await page.waitForSelector('.badge.status-done');
    expect(await page.textContent(FINISHED)).toBe(`${wanted} of ${wanted}`);
    await page.context().close();
  });

  it('stops, and the same command goes on', async () => {
    const before = (await trials()).length;
    const { page } = await running('--trials', '300');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Stop after the running trials' }).click();
    await page.waitForSelector('dialog', { state: 'detached' });
    expect(await exitOf(sweep!)).toBe(0);
    const all = await trials();
    expect(all.length).toBeLessThan(300);
    expect(all.every(({ isFinished }) => isFinished)).toBe(true);
    await page.waitForSelector('.badge.status-idle');
    await page.context().close();
    expect(all.length).toBeGreaterThan(before);
    const complete = all.filter(({ state }) => state === 'COMPLETE').length;
    expect(project.run('run', project.config, '--trials', String(complete + 2)).code).toBe(0);
    expect((await trials()).filter(({ state }) => state === 'COMPLETE')).toHaveLength(complete + 2);
  });
});

describe('what one chooses', () => {
  it('draws the pair of parameters and the objective that were chosen', async () => {
    const page = await pages.open(`#/study/${await pages.idOf('two-goals')}/parameters`);
    await settled(page);
    const asked = page.waitForResponse((response) => /contour.*param=c&param=b/.test(response.url()));
    await page.getByLabel('Horizontal').selectOption('c');
    await page.getByLabel('Vertical').selectOption('b');
    const { figure } = (await (await asked).json()) as { figure: ContourFigure };
    expect(figure.subplots[0]?.[0]).toMatchObject({ x: { name: 'c' }, y: { name: 'b' } });
    expect(figure.targetName).toBe('cost');
    await settled(page);
    const other = page.waitForResponse((response) => /contour.*objective=1/.test(response.url()));
    await page.getByLabel('Objective').selectOption('1');
    expect(((await (await other).json()) as { figure: ContourFigure }).figure.targetName).toBe('quality');
    await settled(page);
    await picture(page, 'choosers');
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.context().close();
  });

  it('keeps the colours that were chosen', async () => {
    const page = await pages.open('#/', { colorScheme: 'light' });
    await page.waitForSelector('.studies');
    const theme = (): Promise<string> => page.evaluate('document.documentElement.dataset.theme');
    expect(await theme()).toBe('light');
    const button = page.locator('header button');
    while (!(await button.textContent())?.startsWith('Dark')) await button.click();
    expect(await theme()).toBe('dark');
    await page.reload();
    await page.waitForSelector('.studies');
    expect(await theme()).toBe('dark');
    await page.context().close();
  });
});

describe('studies that are no good yet, or no more', () => {
  it('says why a study cannot be read, on its card and on its page', async () => {
    const page = await pages.open('#/');
    const card = page.locator('.study', { hasText: 'study-0000dead' });
    await card.waitFor();
    expect(await card.locator('.badge').textContent()).toBe('cannot be read');
    expect(await card.textContent()).toMatch(/is not an SQLite database/);
    expect(await accessibilityProblems(page)).toEqual([]);
    await picture(page, 'list-with-broken');
    // The refusal is an answer with an error's status, which the browser notes.
    await card.click();
    await page.waitForSelector('.problem');
    expect(await page.textContent('.problem')).toMatch(/is not an SQLite database/);
    await picture(page, 'broken-study');
    expect(pages.problems.splice(0).every((problem) => problem.includes('Failed to load resource'))).toBe(true);
    await page.context().close();
  });

  it('shows an empty study as such', async () => {
    const page = await pages.open(`#/study/${await pages.idOf('nothing-yet')}/overview`);
    await settled(page);
    expect(await page.textContent('.empty')).toContain('No trial yet.');
    for (const tab of ['Trials', 'Parameters', 'Backup', 'Results', 'Setup']) {
      await page.click(`.tabs a:has-text("${tab}")`);
      await settled(page);
      expect(await page.locator('.problem').count(), tab).toBe(0);
    }
    await page.context().close();
  });
});

describe('the keyboard', () => {
  it('goes from the list to a trial and on to the next', async () => {
    const page = await pages.open('#/');
    await page.waitForSelector('.studies');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.keyboard.press('Enter');
    await page.locator('.study', { hasText: 'two-goals' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('.tabs');
    await page.locator('.tabs a', { hasText: 'Trials' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('tbody tr');
    await settled(page);
    await page.keyboard.press('/');
    await page.keyboard.type('#7');
    await until(page, "document.querySelectorAll('tbody tr').length === 1");
    await page.locator('tbody a').focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('h1:has-text("Trial 7")');
    await settled(page);
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('h1:has-text("Trial 8")');
    await settled(page);
    const button = page.getByRole('button', { name: 'Enqueue like this' });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.context().close();
  });
});
