import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { openStorage } from '../../src/storage/open-storage.js';
import { copyStudy, deleteStudy, getAllStudySummaries, loadStudy } from '../../src/study/create-study.js';
import { copyOfDemo, DEMO_DB, folders, rows, schemaOf, studyRows } from '../support/study-files.js';

const newFolder = folders();
const STUDIES = rows(DEMO_DB, 'SELECT study_name FROM studies ORDER BY study_id').map(([name]) => String(name));

describe('a database made by Optuna', () => {
  it('holds what its script put in', async () => {
    const path = copyOfDemo(newFolder());
    const summaries = await getAllStudySummaries({ storage: path });
    expect(Object.fromEntries(summaries.map((study) => [study.studyName, study.nTrials]))).toEqual({
      dists: 5,
      tpe: 6,
      asha: 6,
      hyperband: 6,
      cma: 10,
      cmawm: 6,
      nsga2: 14,
      grid: 4,
      qmc: 5,
      'qmc-scr': 3,
      cons: 2,
      states: 5,
      hb: 2,
      added: 2,
    });
    const study = await loadStudy({ storage: path, studyName: 'dists' });
    expect(study.metricNames).toEqual(['loss']);
    expect(study.userAttrs).toEqual({ owner: 'me' });
    const trials = await study.trials();
    expect(trials.map((trial) => trial.value)).toEqual([0.1, Infinity, -Infinity, 3, undefined]);
    const [first] = trials;
    expect(first?.intermediateValues).toEqual({ 0: 0.5, 1: Infinity, 2: -Infinity, 3: NaN });
    expect(first?.userAttrs).toEqual({ note: { a: [1, 2, null] } });
    expect(first?.constraints).toEqual({ mem: -0.5 });
    for (const trial of trials.slice(0, 4)) {
      expect(Object.keys(trial.params)).toEqual(['f', 'flog', 'fstep', 'i', 'istep', 'ilog', 'cmix', 'cbool', 'cnan']);
      expect(['a', 1, 2.5, true, null]).toContain(trial.params['cmix']);
      expect([NaN, Infinity, 'é']).toContainEqual(trial.params['cnan']);
      expect(Number(trial.params['fstep']) % 0.25).toBe(0);
      expect(trial.duration).toBeGreaterThanOrEqual(0);
    }
    expect(trials[4]?.state).toBe('WAITING');
    expect(trials[4]?.userAttrs).toEqual({ memo: 'x' });
    await study.close();
  });

  it.each(STUDIES)('can be read whole and copied to a new file row by row: %s', async (studyName) => {
    const path = join(newFolder(), 'copy.db');
    const storage = await openStorage(DEMO_DB, { readOnly: true });
    const { trials } = await storage.sync((await storage.findStudy(studyName))?.studyId ?? 0);
    for (const trial of trials) {
      expect(Object.values(trial.params)).not.toContain(undefined);
      expect(Object.values(trial.systemAttrs)).not.toContain(undefined);
      expect(Object.values(trial.userAttrs)).not.toContain(undefined);
    }
    await copyStudy({ fromStudyName: studyName, fromStorage: storage, toStorage: path });
    await storage.close();
    expect(studyRows(path, studyName)).toEqual(studyRows(DEMO_DB, studyName));
    await copyStudy({ fromStudyName: studyName, fromStorage: path, toStorage: path, toStudyName: 'again' });
    // In the second copy trials have other ids, which generations of NSGA-II and notes name: those follow, and nothing else does.
    const again = studyRows(path, 'again');
    const parents = (id: unknown): unknown[][] =>
      rows(path, 'SELECT number FROM trials WHERE trial_id IN (SELECT value FROM json_each(?)) ORDER BY 1', id);
    const system = (found: Record<string, unknown[][]>): unknown[][] =>
      (found['system'] ?? []).map(([key, text]) => [
        String(key).replace(/^dashboard:\d+:/, 'dashboard:#:'),
        String(key).includes(':parent:') ? parents(text) : text,
      ]);
    expect(system(again)).toEqual(system(studyRows(path, studyName)));
    expect({ ...again, system: [] }).toEqual({ ...studyRows(DEMO_DB, studyName), system: [] });
  });

  it('is continued in place, its rows untouched, and only added to', async () => {
    const path = copyOfDemo(newFolder());
    const untouched = STUDIES.map((name) => studyRows(path, name));
    for (const studyName of ['dists', 'tpe', 'states']) {
      const study = await loadStudy({ storage: path, studyName, sampler: new RandomSampler({ seed: 1 }) });
      const before = studyRows(path, studyName);
      const { length } = await study.trials();
      await study.optimize(
        async (trial) => {
          await trial.report(1, 0);
          trial.setUserAttr('ours', true);
          return trial.suggestFloat('new', 0, 1);
        },
        { nTrials: 3 },
      );
      expect((await study.trials()).length).toBe(studyName === 'dists' ? length + 2 : length + 3);
      await study.close();
      const after = studyRows(path, studyName);
      for (const [table, found] of Object.entries(before)) {
        const kept = found.filter((row) => studyName !== 'dists' || row[0] !== 4);
        expect(after[table]).toEqual(expect.arrayContaining(kept));
      }
    }
    STUDIES.forEach((name, i) => {
      if (!['dists', 'tpe', 'states'].includes(name)) expect(studyRows(path, name)).toEqual(untouched[i]);
    });
    expect(schemaOf(path).others).toEqual(schemaOf(DEMO_DB).others);
    expect([...readFileSync(path).subarray(18, 20)]).toEqual([1, 1]);
  });

  it('loses a study whole when that is deleted, and nothing else', async () => {
    const path = copyOfDemo(newFolder());
    const last = rows(path, 'SELECT max(trial_id), max(study_id) FROM trials')[0] ?? [];
    await deleteStudy({ storage: path, studyName: 'added' });
    await deleteStudy({ storage: path, studyName: 'cma' });
    for (const name of STUDIES.filter((study) => study !== 'added' && study !== 'cma')) {
      expect(studyRows(path, name)).toEqual(studyRows(DEMO_DB, name));
    }
    expect(rows(path, 'PRAGMA foreign_key_check')).toEqual([]);
    const storage = await openStorage(path);
    const { studyId } = await storage.createStudy('new', ['minimize']);
    const [trial] = await storage.createTrials(studyId, [{ state: 'WAITING' }]);
    expect(studyId).toBeGreaterThan(Number(last[1]));
    expect(trial?.trialId).toBeGreaterThan(Number(last[0]));
    await storage.close();
  });
});

describe('a trial that cannot be read is named', () => {
  it.each([
    ["UPDATE trials SET state = 'complete' WHERE number = 1", 'state'],
    ["UPDATE trial_params SET distribution_json = '{' WHERE param_name = 'x'", '"x"'],
    ["UPDATE trial_values SET value = NULL WHERE value_type = 'FINITE'", 'objective 0'],
    ["UPDATE trial_intermediate_values SET intermediate_value_type = 'HUGE'", 'step'],
  ])('%s', async (sql, named) => {
    const path = copyOfDemo(newFolder());
    const { default: Database } = await import('better-sqlite3');
    const db = new Database(path);
    db.exec(sql);
    db.close();
    const storage = await openStorage(path);
    const errors: unknown[] = [];
    for (const { studyId } of await storage.listStudies())
      await storage.sync(studyId).catch((e: unknown) => errors.push(e));
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'BROKEN_TRIAL' });
      expect(String(error)).toContain(named);
    }
    await storage.close();
  });
});
