import { afterEach, describe, expect, it } from 'vitest';

import type { FigureAnswer, StudySummary, TrialDetail, TrialPage } from '../../../src/dashboard/api-types.js';
import { startDashboard } from '../../../src/dashboard/server.js';
import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { newDatabase, SERVERS } from '../../support/server-databases.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.each(SERVERS)('the dashboard of studies on %s', (server) => {
  it('shows their numbers, keeps notes and enqueues, and tells no password', async () => {
    const database = await newDatabase(server);
    closing.push(() => database.drop());
    const study = await createStudy({
      storage: database.url,
      studyName: 'shared',
      sampler: new RandomSampler({ seed: 3 }),
    });
    await study.optimize((trial) => Promise.resolve(trial.suggestFloat('x', -1, 1) ** 2), { nTrials: 12 });
    const best = await study.bestTrial();
    await study.close();
    await study.storage.close();
    const url = database.url.replace(/\/\/(\w+)(?::[^@]*)?@/, server === 'PostgreSQL' ? '//$1:not-shown@' : '//$1@');
    const dashboard = await startDashboard({ places: [url], port: 0 });
    closing.push(() => dashboard.close());
    const get = async <T>(path: string): Promise<T> => (await (await fetch(dashboard.url + path)).json()) as T;
    const post = async (path: string, body: unknown): Promise<number> =>
      (
        await fetch(dashboard.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-resweep': '1' },
          body: JSON.stringify(body),
        })
      ).status;
    const listed = await get<StudySummary[]>('api/studies');
    expect(listed).toMatchObject([{ name: 'shared', counts: { complete: 12 }, best: { number: best.number } }]);
    expect(JSON.stringify(listed)).not.toContain('not-shown');
    const at = `api/studies/${listed[0]?.id ?? ''}`;
    const { figure } = await get<FigureAnswer>(`${at}/figures/optimizationHistory`);
    expect(JSON.stringify(figure)).toContain(String(best.value));
    expect(await post(`${at}/note`, { trial: best.number, version: 0, text: 'kept' })).toBe(200);
    expect(await post(`${at}/enqueue`, { params: { x: 0.5 } })).toBe(200);
    expect((await get<TrialDetail>(`${at}/trials/${best.number}`)).note.text).toBe('kept');
    expect((await get<TrialPage>(`${at}/trials?states=WAITING`)).rows).toMatchObject([{ params: { x: 0.5 } }]);
    const after = await loadStudy({ storage: database.url, studyName: 'shared' });
    expect(after.systemAttrs[`dashboard:${best.trialId}:note_str:0`]).toBe('kept');
    expect(await after.trials({ states: ['WAITING'] })).toHaveLength(1);
    await after.close();
    await after.storage.close();
  });
});
