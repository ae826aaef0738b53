import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { canonicalJson, parseJson, stringifyJson, type JsonValue } from '../../src/core/json.js';
import { FloatDistribution } from '../../src/core/distributions.js';
import { importFile } from '../../src/app/exchange/import-file.js';
import { journalTime } from '../../src/storage/foreign/journal-times.js';
import { memberTexts, spacedJson } from '../../src/storage/foreign/json-text.js';
import { readJournal } from '../../src/storage/foreign/read-journal.js';
import type { ForeignStudy } from '../../src/storage/foreign/foreign-studies.js';
import { readOldStudies } from '../../src/storage/rdb/old-sqlite-studies.js';
import { loadStudy } from '../../src/study/create-study.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { folders, rows } from '../support/study-files.js';

const FIXTURES = resolve(import.meta.dirname, '../fixtures/optuna-dbs');
const newFolder = folders();
const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** One form for what JSON does not tell apart. */
const normal = (value: JsonValue): JsonValue => parseJson(canonicalJson(parseJson(stringifyJson(value))));
const expected = (path: string): Record<string, JsonValue> =>
  normal(parseJson(readFileSync(path, 'utf8'))) as Record<string, JsonValue>;

const values = (texts: Readonly<Record<string, string>>): JsonValue =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, parseJson(text)]));

/** A study as the scripts beside the fixtures print it. */
function dumpOf({ study, trials }: ForeignStudy, idShift = 0): JsonValue {
  return normal({
    directions: study.directions,
    userAttrs: values(study.userAttrTexts),
    systemAttrs: values(study.systemAttrTexts),
    trials: trials.map((trial) => ({
      number: trial.number,
      trialId: trial.trialId - idShift,
      state: trial.state,
      values: trial.values ?? null,
      params: trial.params,
      distributions: Object.fromEntries(Object.entries(trial.distributions).map(([name, { json }]) => [name, json])),
      intermediateValues: trial.intermediateValues,
      userAttrs: trial.userAttrs,
      systemAttrs: trial.systemAttrs,
      start: trial.startedAt ?? null,
      complete: trial.completedAt ?? null,
    })),
  });
}

const EARLIER = readdirSync(join(FIXTURES, 'earlier')).filter((name) => name.endsWith('.db'));

describe.each(EARLIER)('the database of an earlier Optuna: %s', (name) => {
  const original = join(FIXTURES, 'earlier', name);
  const after = expected(original.replace(/db$/, 'json'));

  it('reads as `optuna storage upgrade` makes it', () => {
    const before = hash(original);
    const { studies } = readOldStudies(original);
    expect(studies.map(({ study }) => study.studyName).sort()).toEqual(Object.keys(after).sort());
    for (const found of studies) expect(dumpOf(found)).toEqual(after[found.study.studyName]);
    expect(hash(original)).toBe(before);
  });

  it('is taken over and gone on with', async () => {
    const folder = newFolder();
    const copy = join(folder, 'original.db');
    copyFileSync(original, copy);
    const before = hash(copy);
    const to = join(folder, 'study.db');
    const report = await importFile({ file: copy, storage: to, studyName: 'single' });
    expect(report).toMatchObject({ kind: 'optuna-database', trials: report.trials });
    expect(report.revision).toMatch(/^v[0-3]\./);
    const study = await loadStudy({ storage: to, sampler: new RandomSampler({ seed: 1 }) });
    const there = (await study.trials()).length;
    await study.optimize(
      (trial) => trial.suggestFloat('x', -5, 5) + trial.suggestFloat('lr', 1e-5, 0.1, { log: true }),
      {
        nTrials: 3,
      },
    );
    expect((await study.trials()).filter(({ state }) => state === 'COMPLETE').length).toBeGreaterThan(5);
    expect((await study.trials()).length).toBeGreaterThanOrEqual(there + 2);
    await study.close();
    expect(rows(to, 'SELECT version_num FROM alembic_version')).toEqual([['v3.2.0.a']]);
    expect(hash(copy)).toBe(before);
    expect(readdirSync(folder).sort()).toEqual(['original.db', 'study.db']);
  });
});

describe.each(['3.1.1', '5.0.0'])('a journal of Optuna %s', (version) => {
  const original = join(FIXTURES, 'journal', `optuna-${version}.log`);
  const after = expected(original.replace(/log$/, 'json'));

  it('reads as Optuna reads it', async () => {
    const { studies, warnings } = await readJournal(original);
    expect(warnings).toEqual([]);
    expect(studies.map(({ study }) => study.studyName)).toEqual(['single', 'several']);
    for (const found of studies) {
      const ours = dumpOf(found, 1) as {
        systemAttrs: Record<string, number[]>;
        trials: { start?: unknown; complete?: unknown }[];
      };
      const theirs = after[found.study.studyName] as unknown as typeof ours;
      // Ids count from 1 in a database, and so do the parents that NSGA-II names.
      for (const key of Object.keys(ours.systemAttrs).filter((name) => name.includes(':parent:')))
        ours.systemAttrs[key] = (ours.systemAttrs[key] ?? []).map((id) => id - 1);
      // Before version 4 times had no zone: they are those of the machine.
      if (version === '3.1.1')
        for (const trial of [...ours.trials, ...theirs.trials]) trial.start = trial.complete = undefined;
      expect(ours).toEqual(theirs);
    }
  });

  it('is taken over with texts as a database has them; lock and snapshot are left alone', async () => {
    const folder = newFolder();
    const file = join(folder, 'journal.log');
    copyFileSync(original, file);
    symlinkSync(file, `${file}.lock`);
    writeFileSync(`${file}.snapshot`, 'no pickle');
    const before = hash(file);
    const to = join(folder, 'study.db');
    expect(await importFile({ file, storage: to, studyName: 'single', newName: 'mine' })).toMatchObject({
      kind: 'optuna-journal',
      name: 'mine',
      warnings: [],
    });
    expect(rows(to, 'SELECT value_json FROM study_user_attributes')).toEqual([
      ['{"text": "\\u00fc, \\"x\\": {1}", "list": [1, 1.0, null, Infinity], "big": 1180591620717411303424}'],
    ]);
    expect(
      rows(to, "SELECT value_json FROM trial_user_attributes WHERE key = 'number' ORDER BY trial_id LIMIT 2"),
    ).toEqual([['0.0'], ['1.0']]);
    expect(hash(file)).toBe(before);
    expect(existsSync(`${file}.lock`)).toBe(true);
  });
});

describe('a journal', () => {
  const text = readFileSync(join(FIXTURES, 'journal', 'optuna-5.0.0.log'), 'utf8');
  const written = (content: string): string => {
    const file = join(newFolder(), 'journal.log');
    writeFileSync(file, content);
    return file;
  };

  it('may end in the middle of a line', async () => {
    const whole = await readJournal(written(text));
    for (const cut of [1, 5, 40]) {
      const { studies, warnings } = await readJournal(written(text.slice(0, -cut)));
      expect(warnings).toEqual([expect.stringContaining('the last one, is not whole')]);
      expect(studies).toHaveLength(2);
      expect(studies[0]).toEqual(whole.studies[0]);
    }
  });

  it('names the line that cannot be read', async () => {
    const lines = text.split('\n');
    const broken = written([...lines.slice(0, 4), '{"op_code": 4, "wor', ...lines.slice(4)].join('\n'));
    await expect(readJournal(broken)).rejects.toThrow(/journal\.log:5: this line of the journal cannot be read/);
    await expect(readJournal(written('{"op_code":77,"worker_id":"x"}\n'))).rejects.toThrow(/operation 77 is not known/);
  });

  it('passes over what Optuna passes over', async () => {
    const lines = [
      { op_code: 0, study_name: 's', directions: [1] },
      { op_code: 0, study_name: 's', directions: [2] },
      { op_code: 4, study_id: 0, datetime_start: '2026-01-01T00:00:00.000001+00:00' },
      { op_code: 4, study_id: 9, datetime_start: '2026-01-01T00:00:00.000001+00:00' },
      {
        op_code: 5,
        trial_id: 0,
        param_name: 'x',
        param_value_internal: 0.5,
        distribution: new FloatDistribution(0, 1).json,
      },
      {
        op_code: 5,
        trial_id: 0,
        param_name: 'x',
        param_value_internal: 3,
        distribution: '{"name": "IntDistribution", "attributes": {"low": 1, "high": 3}}',
      },
      { op_code: 6, trial_id: 0, state: 1, values: [1], datetime_complete: '2026-01-01T09:00:01.5+09:00' },
      { op_code: 7, trial_id: 0, step: 1, intermediate_value: 2 },
      { op_code: 8, trial_id: 0, user_attr: { late: 1 } },
      { op_code: 6, trial_id: 0, state: 3, values: null, datetime_complete: '2026-01-02T00:00:00+00:00' },
      { op_code: 10 },
      { op_code: 2, study_id: 9, user_attr: { none: 1 } },
    ];
    const { studies } = await readJournal(written(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
    expect(studies).toHaveLength(1);
    expect(studies[0]?.study.directions).toEqual(['minimize']);
    expect(studies[0]?.trials[0]?.toTemplate()).toMatchObject({
      state: 'COMPLETE',
      values: [1],
      startedAt: '2026-01-01 00:00:00.000001',
      completedAt: '2026-01-01 00:00:01.500000',
      internalParams: { x: 0.5 },
      intermediateValues: {},
      userAttrTexts: {},
    });
  });
});

it('takes JSON apart without changing it', () => {
  const members = memberTexts('{"a":1.0,"b\\"":{"c":[1,{"d":"},]"}],"e":2},"f":"x,\\"y","g":[]}');
  expect([...members]).toEqual([
    ['a', '1.0'],
    ['b"', '{"c":[1,{"d":"},]"}],"e":2}'],
    ['f', '"x,\\"y"'],
    ['g', '[]'],
  ]);
  expect([...memberTexts('{}')]).toEqual([]);
  expect(spacedJson('{"a":[1.0,2e-05,"x,y:z"],"b":{}}')).toBe('{"a": [1.0, 2e-05, "x,y:z"], "b": {}}');
  expect(journalTime('2026-01-01T09:00:00.123456+09:00')).toBe('2026-01-01 00:00:00.123456');
  expect(journalTime('2026-01-01T00:00:00Z')).toBe('2026-01-01 00:00:00.000000');
  expect(journalTime('yesterday')).toBeUndefined();
});
