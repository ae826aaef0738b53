import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { TRIAL_ATTRIBUTE } from '../../../src/core/frozen-trial.js';
import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import type { Trial } from '../../../src/study/trial.js';
import { CliProject } from '../../support/cli-project.js';
import { accessibilityProblems, DashboardBrowser, picture, settled } from './dashboard-browser.js';

const NAME = 'group/ünï ☃ <b>bold</b>?a=1#b%2F';
const CHOICES = [null, true, false, 1, '1', 'true', '', 1.5];
const TABS = ['overview', 'trials', 'parameters', 'backup', 'results', 'setup'];

let project: CliProject;
let pages: DashboardBrowser;
let storage: string;

async function make(studyName: string, count: number, objective: (trial: Trial) => number): Promise<void> {
  const study = await createStudy({ storage, studyName, sampler: new RandomSampler({ seed: 5 }) });
  await study.optimize(objective, { nTrials: count, catch: [Error] });
  if (studyName === NAME) await study.setUserAttr('long', 'word '.repeat(8_000));
  await study.close();
  await study.storage.close();
}

beforeAll(async () => {
  project = new CliProject({ config: 'trials: 1' });
  storage = join(project.folder, 'odd.db');
  await make(NAME, 20, (trial) => {
    trial.suggestCategorical('mixed <i>', CHOICES);
    return trial.suggestFloat('lr/öpt.x', 1e-5, 1, { log: true });
  });
  await make('ranges that change', 6, (trial) => trial.suggestFloat('x', 0, 1 + trial.number));
  await make('no parameters', 4, () => 1);
  await make('infinite', 6, (trial) => [Infinity, -Infinity, 3][trial.number % 3]! * trial.suggestFloat('x', 1, 2));
  await make('only failures', 4, (trial) => trial.suggestFloat('x', 0, 1) * NaN);
  await make('one trial', 1, (trial) => trial.suggestFloat('x', 0, 1));
  await make('forty long names', 12, (trial) =>
    Array.from({ length: 40 }, (_, i) => trial.suggestFloat(`a_name_that_begins_alike_${i}`, 0, 1)).reduce(
      (a, b) => a + b,
    ),
  );
  pages = await DashboardBrowser.start(storage);
});
afterAll(async () => {
  await pages.close();
  project.remove();
});
afterEach(() => {
  expect(pages.problems.splice(0)).toEqual([]);
});

describe('studies that nobody expects', () => {
  it.each([NAME, 'ranges that change', 'no parameters', 'infinite', 'only failures', 'one trial', 'forty long names'])(
    'every view of "%s" loads, on a phone too, without an error',
    async (name) => {
      const id = await pages.idOf(name);
      const page = await pages.open(`#/study/${id}/overview`, { viewport: { width: 390, height: 800 } });
      for (const tab of TABS) {
        await page.goto(`${pages.url}#/study/${id}/${tab}`);
        await settled(page);
        expect(await page.textContent('main h1')).toBe(name);
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
        // No text of any length makes a page that one cannot look through.
        expect(await page.evaluate('document.body.scrollHeight')).toBeLessThan(9_000);
        expect(await page.locator('.problem').count()).toBe(0);
        await picture(page, `odd-${name.replace(/\W+/g, '-')}-${tab}`);
      }
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.context().close();
    },
  );

  it('an infinite best value is shown as such', async () => {
    const page = await pages.open(`#/study/${await pages.idOf('infinite')}/overview`);
    await settled(page);
    expect(await page.textContent('.stats .stat:first-child b')).toBe('-∞');
    await page.context().close();
  });

  it('choices that look alike are enqueued as what they are', async () => {
    const id = await pages.idOf(NAME);
    const page = await pages.open(`#/study/${id}/overview`);
    const labels = ['null', 'true', '1', '"1"', '"true"', '""', '1.5'];
    for (const label of labels) {
      await page.getByRole('button', { name: 'Enqueue trial' }).click();
      await page.locator('dialog').getByLabel('mixed').selectOption({ label });
      await page.locator('dialog').getByLabel('lr/öpt.x').fill('');
      await page.getByRole('button', { name: 'Enqueue', exact: true }).click();
      await page.waitForSelector('dialog', { state: 'detached' });
    }
    const study = await loadStudy({ storage, studyName: NAME });
    await study.sync();
    const fixed = study.history.all.slice(20).map((trial) => trial.systemAttr(TRIAL_ATTRIBUTE.fixedParams));
    await study.close();
    await study.storage.close();
    expect(fixed).toEqual([null, true, 1, '1', 'true', '', 1.5].map((choice) => ({ 'mixed <i>': choice })));
    await page.context().close();
  });
});
