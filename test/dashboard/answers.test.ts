import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { tagsOf } from '../../src/app/trials/trial-notes.js';
import type { FigureAnswer, StudyDetail, StudySummary, TrialDetail, TrialPage } from '../../src/dashboard/api-types.js';
import { loadStudy } from '../../src/study/create-study.js';
import type { BackupView } from '../../src/app/backup/backup-view.js';
import { DashboardProject } from './dashboard-support.js';

describe('what the dashboard answers', () => {
  let project: DashboardProject;
  let id: string;
  let folder: string;
  beforeAll(async () => {
    project = new DashboardProject();
    folder = await project.makeStudy('00000001', 30);
    await project.makeStudy('00000002', 0);
    writeFileSync(join(project.studyDir('0000dead'), 'study.db'), 'this is no database');
    const list = await project.get<StudySummary[]>('/api/studies');
    id = list.find(({ name }) => name === 'study-of-30')?.id ?? '';
  });
  afterAll(() => project.close());
  const detail = (): Promise<StudyDetail> => project.get(`/api/studies/${id}`);

  it('lists running, empty and broken studies alike', async () => {
    const list = await project.get<StudySummary[]>('/api/studies');
    expect(list.map(({ status }) => status).sort()).toEqual(['broken', 'empty', 'idle']);
    expect(list.find(({ status }) => status === 'broken')).toMatchObject({ name: 'study-0000dead', counts: null });
  });

  it('tells the numbers of the database', async () => {
    const study = await loadStudy({ storage: join(folder, 'study.db') });
    const best = await study.bestTrial();
    await study.close();
    await study.storage.close();
    const found = await detail();
    expect(found).toMatchObject({ metricNames: ['loss'], counts: { complete: 25, fail: 5, total: 30 } });
    expect(found.best).toMatchObject({ number: best.number, values: [best.value] });
    expect(found.figures).not.toContain('paretoFront');
    const { figure } = await project.get<FigureAnswer>(`/api/studies/${id}/figures/optimizationHistory`);
    if (figure.kind !== 'optimizationHistory') throw new Error('another figure');
    expect(figure.series[0]?.best?.at(-1)).toBe(best.value);
    const csv = await (await project.request(`/api/studies/${id}/figures/optimizationHistory/csv`)).text();
    expect(csv.trimEnd().split('\n')).toHaveLength(31);
    expect((await project.request(`/api/studies/${id}/figures/paretoFront`)).status).toBe(400);
  });

  it('sorts, filters and pages the trials', async () => {
    const page = (query: string): Promise<TrialPage> => project.get(`/api/studies/${id}/trials?${query}`);
    const byValue = await page('sort=value:0&limit=10');
    expect(byValue.total).toBe(30);
    const values = byValue.rows.map(({ values: found }) => Number(found?.[0]));
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect((await page('states=FAIL')).rows.every(({ state }) => state === 'FAIL')).toBe(true);
    expect((await page('words=kind=a')).rows.every(({ params }) => params['kind'] === 'a')).toBe(true);
    const axes = encodeURIComponent(JSON.stringify([{ kind: 'param', name: 'x', min: -1, max: 1 }]));
    const { rows, total } = await page(`axes=${axes}&limit=3&offset=1`);
    expect(rows.every(({ params }) => Math.abs(Number(params['x'])) <= 1)).toBe(true);
    expect(rows.length).toBe(Math.min(3, Math.max(0, total - 1)));
    expect((await project.request(`/api/studies/${id}/trials?axes=no`)).status).toBe(400);
  });

  it('shows a trial, its log and files, and follows no link out of its folder', async () => {
    const { folder: none } = await project.get<TrialDetail>(`/api/studies/${id}/trials/0`);
    expect(none).toBeNull();
    const study = await loadStudy({ storage: join(folder, 'study.db') });
    await study.sync();
    const { TrialFolders } = await import('../../src/app/trials/trial-folders.js');
    const trial = study.history.all[3]!;
    const trialDir = new TrialFolders(folder, '00000001').pathOf(
      trial,
      study.history.logicalIndexOf(trial),
      trial.params,
    );
    await study.close();
    await study.storage.close();
    mkdirSync(join(trialDir, 'checkpoint'), { recursive: true });
    writeFileSync(join(trialDir, 'checkpoint', 'state.json'), '{}');
    writeFileSync(join(trialDir, 'log.txt'), 'first\nsecond\n');
    writeFileSync(join(trialDir, 'benchmark.json'), '{"latency_p95": 1.5}');
    symlinkSync('/etc/passwd', join(trialDir, 'secrets.txt'));
    const found = await project.get<TrialDetail>(`/api/studies/${id}/trials/3`);
    expect(found.files.map(({ name }) => name)).toEqual(['benchmark.json', 'checkpoint/state.json', 'log.txt']);
    expect(found).toMatchObject({ hasLog: true, benchmark: { latency_p95: 1.5 } });
    expect(await project.get(`/api/studies/${id}/trials/3/log`)).toEqual({
      text: 'first\nsecond\n',
      next: 13,
      size: 13,
    });
    expect(await project.get(`/api/studies/${id}/trials/3/log?from=6`)).toMatchObject({ text: 'second\n' });
  });

  it('keeps notes and tags where optuna-dashboard keeps them', async () => {
    const text = `A note.\n${'long '.repeat(600)}\nTags: #baseline #check`;
    const saved = await project.post(`/api/studies/${id}/note`, { trial: 3, version: 0, text });
    expect(await saved.json()).toEqual({ version: 1, text });
    const stale = await project.post(`/api/studies/${id}/note`, { trial: 3, version: 0, text: 'x' });
    expect(stale.status).toBe(409);
    const trial = await project.get<TrialDetail>(`/api/studies/${id}/trials/3`);
    expect(trial).toMatchObject({ note: { version: 1, text }, tags: ['baseline', 'check'] });
    const study = await loadStudy({ storage: join(folder, 'study.db') });
    expect(study.systemAttrs[`dashboard:${trial.trialId}:note_ver`]).toBe(1);
    expect(study.systemAttrs[`dashboard:${trial.trialId}:note_str:0`]).toHaveLength(2045);
    await study.close();
    await study.storage.close();
    const short = await project.post(`/api/studies/${id}/note`, { trial: 3, version: 1, text: 'short' });
    expect(await short.json()).toEqual({ version: 2, text: 'short' });
    expect((await project.get<TrialDetail>(`/api/studies/${id}/trials/3`)).note.text).toBe('short');
    expect(tagsOf('no tags #here')).toEqual([]);
  });

  it('enqueues a trial within the ranges, and nothing else', async () => {
    const enqueue = (params: unknown): Promise<Response> => project.post(`/api/studies/${id}/enqueue`, { params });
    expect((await enqueue({ x: 99 })).status).toBe(400);
    expect((await enqueue({ y: 1 })).status).toBe(400);
    expect((await enqueue({ kind: 'c' })).status).toBe(400);
    expect((await enqueue([])).status).toBe(400);
    expect((await enqueue({})).status).toBe(400);
    const before = await detail();
    expect(await (await enqueue({ x: 1.5, kind: 'b' })).json()).toEqual({ number: 30 });
    const after = await detail();
    expect(after.counts?.waiting).toBe(1);
    expect(after.revision).toBeGreaterThan(before.revision);
    const { rows } = await project.get<TrialPage>(`/api/studies/${id}/trials?states=WAITING`);
    expect(rows[0]?.params).toEqual({ x: 1.5, kind: 'b' });
  });

  it('changes the budget of a study that resweep runs only', async () => {
    const answer = await project.post(`/api/studies/${id}/budget`, { trials: 50 });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await answer.json())).toContain('holds no configuration');
  });

  it('tells what is at risk without a backup, and what stages left behind', async () => {
    const { atRisk } = await project.get<BackupView>(`/api/studies/${id}/backup`);
    expect(atRisk).toEqual({ trials: 30, running: 0, everything: true });
    const place = join(project.root, 'outputs', 'best_configuration', 'local', 'mlp');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'study-00000001.json'), '{"trial": 3}');
    const results = await project.get<{ stage: string; content: unknown }[]>(`/api/studies/${id}/results`);
    expect(results).toContainEqual(expect.objectContaining({ stage: 'selection', content: { trial: 3 } }));
    expect(results).toContainEqual(expect.objectContaining({ stage: 'benchmark' }));
  });

  it('shows a final training with its metrics', async () => {
    const folder = join(project.root, 'outputs', 'final_training', 'local', 'mlp', 'spec-0000abcd');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'training.json'), '{"format": 1, "study8": "00000001", "seeds": []}');
    writeFileSync(join(folder, 'metrics.json'), '{"accuracy": 0.9}');
    const results = await project.get<{ stage: string; content: unknown }[]>(`/api/studies/${id}/results`);
    expect(results).toContainEqual({
      stage: 'training',
      place: 'final_training/local/mlp/spec-0000abcd',
      content: { format: 1, study8: '00000001', seeds: [], metrics: { accuracy: 0.9 } },
    });
  });

  it('says at once that something changed', async () => {
    const response = await project.request(`/api/studies/${id}/live`);
    const reader = response.body!.getReader();
    const { value } = (await reader.read()) as { value: Uint8Array };
    await reader.cancel();
    expect(new TextDecoder().decode(value)).toMatch(/^event: change\ndata: \{"revision":\d+,"counts"/);
  });
});
