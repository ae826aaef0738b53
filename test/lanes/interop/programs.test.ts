import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TrialPruned } from '../../../src/core/errors.js';
import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { pythonProgram } from './optuna-side.js';

/** Where pictures are kept for somebody to look at; none are kept without it. */
const PICTURES = process.env['RESWEEP_PICTURES'];

describe("Optuna's own programs on a study made by resweep", () => {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-programs-'));
  const path = join(folder, 'study.db');
  const url = `sqlite:///${path}`;
  beforeAll(async () => {
    const study = await createStudy({ storage: path, studyName: 'digits', direction: 'maximize', seed: 1 });
    await study.setMetricNames(['accuracy']);
    await study.optimize(
      async (trial) => {
        const x = trial.suggestFloat('learning_rate', 1e-5, 1e-1, { log: true });
        const kind = trial.suggestCategorical('optimizer', ['adam', 'sgd', null]);
        for (let step = 0; step < 5; step++) await trial.report(1 - x - 1 / (step + 1), step);
        trial.setUserAttr('note', 'ünï');
        if (trial.number === 7) throw new TrialPruned();
        if (trial.number === 8) throw new RangeError('on purpose');
        return 1 - x - (kind === 'sgd' ? 0.01 : 0);
      },
      { nTrials: 20, catch: true },
    );
    await study.close();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const optuna = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(pythonProgram('optuna'), [...args, '--storage', url]);
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  };

  it('optuna studies, trials, best-trial, ask and tell', async () => {
    expect(await optuna('studies', '-f', 'json')).toMatchObject([
      { name: 'digits', direction: ['MAXIMIZE'], n_trials: 20 },
    ]);
    const trials = (await optuna('trials', '--study-name', 'digits', '-f', 'json')) as {
      number: number;
      state: string;
    }[];
    expect(trials.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(trials[7]?.state).toBe('PRUNED');
    const study = await loadStudy({ storage: path, sampler: new RandomSampler() });
    const best = await study.bestTrial();
    await study.close();
    expect(await optuna('best-trial', '--study-name', 'digits', '-f', 'json')).toMatchObject({
      number: best.number,
      params: best.params,
    });
    const space =
      '{"learning_rate": {"name": "FloatDistribution", "attributes": {"low": 1e-5, "high": 0.1, "log": true}}}';
    const asked = (await optuna('ask', '--study-name', 'digits', '--search-space', space, '-f', 'json')) as {
      number: number;
      params: object;
    };
    expect(asked.number).toBe(20);
    await optuna('tell', '--study-name', 'digits', '--trial-number', '20', '--values', '0.5');
    const again = await loadStudy({ storage: path, sampler: new RandomSampler() });
    const told = (await again.trials())[20];
    await again.close();
    expect([told?.state, told?.value, told?.params]).toEqual(['COMPLETE', 0.5, asked.params]);
  });

  it('optuna-dashboard shows the study and its trials, in a browser', async () => {
    const port = await freePort();
    const server = spawn(pythonProgram('optuna-dashboard'), [url, '--host', '127.0.0.1', '--port', String(port)], {
      stdio: 'ignore',
    });
    const browser = await chromium.launch({
      executablePath: process.env['RESWEEP_CHROMIUM'] ?? 'chromium',
      args: ['--no-sandbox'],
    });
    try {
      const base = `http://127.0.0.1:${port}`;
      await expect.poll(() => answers(`${base}/api/studies`), { timeout: 120_000, interval: 200 }).toBe(true);
      const list = (await (await fetch(`${base}/api/studies`)).json()) as { study_summaries: { study_id: number }[] };
      const id = list.study_summaries[0]?.study_id ?? 0;
      const detail = (await (await fetch(`${base}/api/studies/${id}?after=0`)).json()) as { trials: object[] };
      expect(detail.trials.length).toBeGreaterThanOrEqual(20);
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      await page.goto(`${base}/dashboard`);
      await page.getByText('digits').first().waitFor({ timeout: 60_000 });
      await page.goto(`${base}/dashboard/studies/${id}/trials`);
      await page.getByText('Trial 3', { exact: false }).first().waitFor({ timeout: 60_000 });
      const text = await page.locator('body').innerText();
      expect(text).toContain('learning_rate');
      expect(text).toContain('optimizer');
      expect(text).toMatch(/Trial 0/);
      await keep(page, 'optuna-dashboard-trials');
      await page.goto(`${base}/dashboard/studies/${id}`);
      await page.locator('.js-plotly-plot').first().waitFor({ timeout: 60_000 });
      await keep(page, 'optuna-dashboard-plots');
    } finally {
      await browser.close();
      await ended(server);
    }
  });
});

async function keep(page: { screenshot(options: { path: string }): Promise<unknown> }, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(address !== null && typeof address === 'object' ? address.port : 0);
      });
    });
  });
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const end = new Promise((resolve) => process.once('close', resolve));
  process.kill('SIGKILL');
  await end;
}
