import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  CategoricalDistribution,
  FloatDistribution,
  IntDistribution,
  parseDistribution,
} from '../../src/core/distributions.js';
import { DuplicatedStudyError, StudyNotFoundError, UpdateFinishedTrialError } from '../../src/core/errors.js';
import { FrozenTrial, type TrialTemplate } from '../../src/core/frozen-trial.js';
import { createRandom } from '../../src/core/random.js';
import type { Storage, StudyRecord, TrialWrite } from '../../src/storage/storage.js';
import { storageChangesContract } from './storage-changes-contract.js';

export interface StorageUnderTest {
  readonly storage: Storage;
  /** A second handle on the same database, as another process has it; undefined where there can be none. */
  readonly again: (() => Promise<Storage>) | undefined;
  /** What its columns cannot keep: the text of a time (but the time), fractions of its seconds, steps beyond 2^31. */
  readonly limits?: { readonly times: 'micro' | 'seconds'; readonly maxStep: number };
  readonly cleanUp: () => Promise<void>;
}

export const NOW = '2026-11-05 06:07:08.000000';
export const LATER = '2026-11-05 06:08:00.000000';
export const running: TrialTemplate = { state: 'RUNNING', startedAt: NOW };

export async function allTrials(storage: Storage, studyId: number): Promise<FrozenTrial[]> {
  return (await storage.sync(studyId)).trials;
}

/** The one trial created. */
export async function createOne(storage: Storage, studyId: number, template = running): Promise<FrozenTrial> {
  const [trial] = await storage.createTrials(studyId, [template]);
  if (trial === undefined) throw new Error('no trial was created');
  return trial;
}

/** Texts that do not survive a reader that parses and writes them again. */
export const ODD_TEXTS: Readonly<Record<string, string>> = {
  nan: '{"a": NaN, "b": -Infinity, "c": [Infinity]}',
  big: '1180591620717411303424',
  float: '1.0',
  int: '1',
  spaced: '{ "x" :1.50, "x": 2e-05 }',
  escaped: '"\\u00e9\\ud83d\\ude00 \\u0000"',
  raw: '"é😀 ünï 漢字"',
  quote: `"it's \\"quoted\\" ; DROP TABLE trials; --"`,
  'key with ünï 漢字 😀 \' " ;': 'null',
  constructor: '"a name that every object has"',
  toString: '[]',
  ['__proto__']: '{}',
  '10': '"numeric keys"',
  '9': '"in any order"',
  '': '"empty key"',
};

/** Holds a storage to the promise at the head of `src/storage/storage.ts`. */
export function storageContract(name: string, create: () => Promise<StorageUnderTest>): void {
  describe(`storage contract: ${name}`, () => {
    let test: StorageUnderTest;
    let storage: Storage;
    beforeEach(async () => {
      test = await create();
      storage = test.storage;
    });
    afterEach(async () => {
      await storage.close();
      await test.cleanUp();
    });
    const newStudy = async (studyName = 's'): Promise<number> =>
      (await storage.createStudy(studyName, ['minimize'])).studyId;
    const only = async (studyId: number): Promise<FrozenTrial> => {
      const [trial] = await allTrials(storage, studyId);
      if (trial === undefined) throw new Error('no trial');
      return trial;
    };

    describe('studies', () => {
      it('are found by name and id, with directions and attributes as texts', async () => {
        const made = await storage.createStudy('näme "x"', ['minimize', 'maximize'], { user: ODD_TEXTS });
        const byName = await storage.findStudy('näme "x"');
        expect(byName).toEqual(made);
        expect(await storage.readStudy(made.studyId)).toEqual(made);
        expect(made.directions).toEqual(['minimize', 'maximize']);
        expect(new Map(Object.entries(byName?.userAttrTexts ?? {}))).toEqual(new Map(Object.entries(ODD_TEXTS)));
        expect(byName?.systemAttrTexts).toEqual({});
        expect(await storage.findStudy('näme')).toBeUndefined();
        await expect(storage.readStudy(made.studyId + 1)).rejects.toThrow(StudyNotFoundError);
      });

      it('have unique names and come by id', async () => {
        const first = await newStudy('b');
        const second = await newStudy('a');
        await expect(storage.createStudy('b', ['maximize'])).rejects.toThrow(DuplicatedStudyError);
        expect((await storage.listStudies()).map((study) => [study.studyId, study.studyName])).toEqual([
          [first, 'b'],
          [second, 'a'],
        ]);
      });

      it('take new attributes beside the others', async () => {
        const id = await newStudy();
        await storage.setStudyAttributes(id, 'user', { a: '1', b: '2' });
        await storage.setStudyAttributes(id, 'user', { b: '3.0' });
        await storage.setStudyAttributes(id, 'system', { a: 'NaN' });
        const { userAttrTexts, systemAttrTexts } = await storage.readStudy(id);
        expect(userAttrTexts).toEqual({ a: '1', b: '3.0' });
        expect(systemAttrTexts).toEqual({ a: 'NaN' });
      });

      it('are removed with their trials, and their ids never come again', async () => {
        const kept = await newStudy('kept');
        const keptTrial = await createOne(storage, kept);
        const gone = await newStudy('gone');
        const last = await createOne(storage, gone, {
          state: 'COMPLETE',
          values: [1],
          internalParams: { x: 0.5 },
          distributions: { x: new FloatDistribution(0, 1) },
          intermediateValues: { 1: 2 },
          userAttrTexts: { a: '1' },
          systemAttrTexts: { b: '2' },
        });
        await storage.deleteStudy(gone);
        expect((await storage.listStudies()).map((study) => study.studyName)).toEqual(['kept']);
        expect((await allTrials(storage, kept)).map((trial) => trial.trialId)).toEqual([keptTrial.trialId]);
        const next = await newStudy('gone');
        expect(next).toBeGreaterThan(gone);
        const trial = await createOne(storage, next);
        expect(trial.trialId).toBeGreaterThan(last.trialId);
        expect(trial.number).toBe(0);
        expect(await allTrials(storage, next)).toHaveLength(1);
        await storage.deleteStudy(next);
        await storage.deleteStudy(kept);
        const after = await newStudy('after');
        expect(after).toBeGreaterThan(next);
        expect((await createOne(storage, after)).trialId).toBeGreaterThan(trial.trialId);
      });

      it('are added whole: ids as they were where those are free, else references to them follow', async () => {
        const x = new FloatDistribution(0, 1);
        const template: TrialTemplate = {
          state: 'COMPLETE',
          values: [-Infinity],
          startedAt: NOW,
          completedAt: LATER,
          internalParams: { x: 0.5 },
          distributions: { x },
          intermediateValues: { 3: NaN, 7: Infinity },
          userAttrTexts: ODD_TEXTS,
          systemAttrTexts: { retry_history: '[0]' },
        };
        const trials = [new FrozenTrial(41, 0, template), new FrozenTrial(43, 1, { state: 'WAITING' })];
        const study: StudyRecord = {
          studyId: 9,
          studyName: 'copied',
          directions: ['maximize'],
          userAttrTexts: ODD_TEXTS,
          systemAttrTexts: {
            'NSGAIISampler:parent:0': '[41, 43]',
            'dashboard:43:note_ver': '1',
            'dashboard:7:note_ver': '2',
            other: '[41]',
          },
        };
        const plain = (trial: FrozenTrial | undefined): unknown => trial && [trial.number, { ...trial.toTemplate() }];
        const first = await storage.addStudy(study, trials);
        expect(first).toEqual(study);
        expect(await storage.findStudy('copied')).toEqual(study);
        const [a, b] = await allTrials(storage, 9);
        expect([a?.trialId, b?.trialId]).toEqual([41, 43]);
        expect([a, b].map(plain)).toEqual(trials.map(plain));
        await expect(storage.addStudy(study, trials)).rejects.toThrow(DuplicatedStudyError);
        expect(await allTrials(storage, 9)).toHaveLength(2);
        expect((await createOne(storage, 9)).trialId).toBeGreaterThan(43);
        const again = await storage.addStudy({ ...study, studyName: 'again' }, trials);
        expect(again.studyId).toBeGreaterThan(9);
        const [c, d] = await allTrials(storage, again.studyId);
        expect((d?.trialId ?? 0) - (c?.trialId ?? 0)).toBe(2);
        expect((await storage.readStudy(again.studyId)).systemAttrTexts).toEqual({
          'NSGAIISampler:parent:0': `[${c?.trialId ?? ''}, ${d?.trialId ?? ''}]`,
          [`dashboard:${d?.trialId ?? ''}:note_ver`]: '1',
          'dashboard:7:note_ver': '2',
          other: '[41]',
        });
        expect([c, d].map(plain)).toEqual(trials.map(plain));
        const next = await createOne(storage, await newStudy('next'));
        expect(next.trialId).toBeGreaterThan(d?.trialId ?? 0);
        expect((await storage.addStudy({ ...study, studyName: 'empty' }, [])).studyName).toBe('empty');
      });

      it('that do not exist are named as such by every call', async () => {
        const id = (await newStudy()) + 7;
        await expect(storage.deleteStudy(id)).rejects.toThrow(StudyNotFoundError);
        await expect(storage.setStudyAttributes(id, 'user', { a: '1' })).rejects.toThrow(StudyNotFoundError);
        await expect(storage.createTrials(id, [running])).rejects.toThrow(StudyNotFoundError);
        await expect(storage.write([{ kind: 'create', studyId: id, template: running }])).rejects.toThrow(
          StudyNotFoundError,
        );
      });
    });

    describe('trials', () => {
      it('come back whole: numbers, infinities, NaN, texts, dates, distributions', async () => {
        const id = await newStudy();
        const distributions = {
          z: new FloatDistribution(1e-5, 1, { log: true }),
          a: new IntDistribution(0, 10, { step: 2 }),
          c: new CategoricalDistribution(['a', 1, 2.5, true, null]),
          odd: parseDistribution(
            '{"name": "CategoricalDistribution", "attributes": {"choices": [NaN, 1.0, 1, "\\u00e9"]}}',
          ),
        };
        const template: TrialTemplate = {
          state: 'COMPLETE',
          values: [-Infinity],
          startedAt: '2026-01-02 03:04:05.000006',
          completedAt: '2026-01-02 03:04:05',
          internalParams: { z: 1.1e-5, a: 4, c: 4, odd: 2 },
          distributions,
          intermediateValues: {
            0: 0.1,
            7: NaN,
            3: Infinity,
            5: -Infinity,
            [test.limits?.maxStep ?? 4294967296]: 1e-300,
          },
          userAttrTexts: ODD_TEXTS,
          systemAttrTexts: ODD_TEXTS,
        };
        const created = await createOne(storage, id, template);
        const stored = await only(id);
        const kept = {
          undefined: [template.startedAt, template.completedAt],
          micro: [template.startedAt, '2026-01-02 03:04:05.000000'],
          seconds: ['2026-01-02 03:04:05.000000', '2026-01-02 03:04:05.000000'],
        }[String(test.limits?.times)];
        expect([stored.startedAt, stored.completedAt]).toEqual(kept);
        for (const trial of [created, stored]) {
          const { startedAt, completedAt } = trial;
          expect(trial.toTemplate()).toEqual({
            ...template,
            startedAt,
            completedAt,
            distributions: expect.anything() as unknown,
          });
          expect(Object.keys(trial.internalParams)).toEqual(['z', 'a', 'c', 'odd']);
          for (const [name, { json }] of Object.entries(distributions)) {
            expect(trial.distributions[name]?.json).toBe(json);
          }
          expect(new Map(Object.entries(trial.userAttrTexts))).toEqual(new Map(Object.entries(ODD_TEXTS)));
          expect(new Map(Object.entries(trial.systemAttrTexts))).toEqual(new Map(Object.entries(ODD_TEXTS)));
        }
        expect(stored.params).toMatchObject({ a: 4, c: null, odd: 1 });
      });

      it('keep every bit of a number', async () => {
        const id = await newStudy();
        const random = createRandom(7);
        const at = (scale: number): number => (random.uniform() - 0.5) * 10 ** scale;
        const reports = Object.fromEntries(Array.from({ length: 2000 }, (_, step) => [step, at(step % 17)]));
        const values = Array.from({ length: 400 }, (_, index) => at(index % 40));
        const created = await storage.createTrials(
          id,
          values.map((value, index) => ({
            state: 'COMPLETE',
            startedAt: NOW,
            completedAt: LATER,
            values: [value],
            ...(index === 0 && { intermediateValues: reports }),
          })),
        );
        expect(created).toHaveLength(values.length);
        const stored = await allTrials(storage, id);
        expect(stored.map((trial) => trial.values?.[0])).toEqual(values);
        expect(stored[0]?.intermediateValues).toEqual(reports);
      });

      it('are numbered 0, 1, 2, … in the order of creation, per study', async () => {
        const [a, b] = [await newStudy('a'), await newStudy('b')];
        const numbers = async (id: number, n: number): Promise<number[]> =>
          (await storage.createTrials(id, Array<TrialTemplate>(n).fill(running))).map((trial) => trial.number);
        expect(await numbers(a, 2)).toEqual([0, 1]);
        expect(await numbers(b, 1)).toEqual([0]);
        expect(await numbers(a, 1)).toEqual([2]);
        const [retry] = await storage.write([{ kind: 'create', studyId: a, template: { state: 'WAITING' } }]);
        expect(retry?.number).toBe(3);
        const ids = (await allTrials(storage, a)).map((trial) => trial.trialId);
        expect(ids).toEqual([...ids].sort((x, y) => x - y));
      });

      it('keep the first value of a parameter and the last of a report and an attribute', async () => {
        const id = await newStudy();
        const { trialId } = await createOne(storage, id);
        const low = new FloatDistribution(0, 1);
        const write = async (internal: number, at: number): Promise<void> => {
          await storage.write([
            { kind: 'param', trialId, name: 'x', internal, distribution: at === 0 ? low : new FloatDistribution(0, 2) },
            { kind: 'param', trialId, name: 'toString', internal, distribution: low },
            { kind: 'report', trialId, step: 3, value: at === 0 ? NaN : at },
            { kind: 'userAttr', trialId, key: 'k', text: String(at) },
            { kind: 'systemAttr', trialId, key: 'k', text: `${at}.0` },
          ]);
        };
        await write(0.25, 0);
        await write(0.75, 1);
        const trial = await only(id);
        expect(trial.internalParams).toEqual({ x: 0.25, toString: 0.25 });
        expect(trial.distributions['x']?.json).toBe(low.json);
        expect(trial.intermediateValues).toEqual({ 3: 1 });
        expect([trial.userAttrTexts, trial.systemAttrTexts]).toEqual([{ k: '1' }, { k: '1.0' }]);
      });

      it.each([
        ['COMPLETE', [1, Infinity], [1, Infinity]],
        ['PRUNED', [2], [2]],
        ['FAIL', undefined, undefined],
      ] as const)('end as %s with values and time', async (state, values, expected) => {
        const id = await newStudy();
        const { trialId } = await createOne(storage, id);
        await storage.write([{ kind: 'state', trialId, state, ...(values && { values }), at: LATER }]);
        const trial = await only(id);
        expect([trial.state, trial.values, trial.startedAt, trial.completedAt]).toEqual([state, expected, NOW, LATER]);
      });

      it.each([
        ['the last report', { 2: 7, 10: 5, 9: 6 }, [5]],
        ['an infinite last report', { 2: 7, 3: -Infinity }, [-Infinity]],
        ['nothing where the last report is NaN', { 2: 7, 3: NaN }, undefined],
        ['nothing where there is no report', {}, undefined],
      ] as const)('take, when PRUNED, %s as value', async (_, reports, expected) => {
        const id = await newStudy();
        const { trialId } = await createOne(storage, id);
        const entries = Object.entries(reports as Record<string, number>);
        const [late, ...early] = entries
          .reverse()
          .map(([step, value]): TrialWrite => ({ kind: 'report', trialId, step: Number(step), value }));
        if (early.length > 0) await storage.write(early);
        await storage.write([...(late ? [late] : []), { kind: 'state', trialId, state: 'PRUNED', at: LATER }]);
        expect((await only(id)).values).toEqual(expected);
      });

      it('go back to WAITING without an end', async () => {
        const id = await newStudy();
        const { trialId } = await createOne(storage, id);
        await storage.write([{ kind: 'state', trialId, state: 'WAITING', at: LATER }]);
        const trial = await only(id);
        expect([trial.state, trial.completedAt]).toEqual(['WAITING', undefined]);
        expect((await storage.claimWaitingTrial(id, LATER))?.trialId).toBe(trialId);
      });
    });

    describe('batches', () => {
      const finish = (trialId: number, value: number): TrialWrite => ({
        kind: 'state',
        trialId,
        state: 'COMPLETE',
        values: [value],
        at: LATER,
      });

      it('are all or nothing where one of their trials is finished', async () => {
        const id = await newStudy();
        const done = await createOne(storage, id);
        const open = await createOne(storage, id);
        await storage.write([finish(done.trialId, 1)]);
        const { trialId } = open;
        const distribution = new FloatDistribution(0, 1);
        const before = await allTrials(storage, id);
        const late: TrialWrite[] = [
          finish(done.trialId, 2),
          { kind: 'report', trialId: done.trialId, step: 0, value: 1 },
          { kind: 'param', trialId: done.trialId, name: 'x', internal: 0, distribution },
          { kind: 'userAttr', trialId: done.trialId, key: 'k', text: '1' },
          { kind: 'systemAttr', trialId: done.trialId, key: 'k', text: '1' },
          { kind: 'state', trialId: done.trialId, state: 'WAITING', at: LATER },
        ];
        for (const last of late) {
          const batch: TrialWrite[] = [
            { kind: 'param', trialId, name: 'x', internal: 0.5, distribution },
            { kind: 'report', trialId, step: 0, value: 1 },
            { kind: 'userAttr', trialId, key: 'k', text: '1' },
            { kind: 'create', studyId: id, template: { state: 'WAITING' } },
            finish(trialId, 3),
            last,
          ];
          await expect(storage.write(batch)).rejects.toThrow(UpdateFinishedTrialError);
          await expect(storage.write([last, ...batch])).rejects.toThrow(UpdateFinishedTrialError);
        }
        expect((await allTrials(storage, id)).map((trial) => trial.toTemplate())).toEqual(
          before.map((trial) => trial.toTemplate()),
        );
        expect((await createOne(storage, id)).number).toBe(2);
      });

      it('refuse what comes after the end of a trial within themselves', async () => {
        const id = await newStudy();
        const { trialId } = await createOne(storage, id);
        await expect(
          storage.write([finish(trialId, 1), { kind: 'userAttr', trialId, key: 'k', text: '1' }]),
        ).rejects.toThrow(UpdateFinishedTrialError);
        await expect(storage.write([finish(trialId, 1), finish(trialId, 2)])).rejects.toThrow(UpdateFinishedTrialError);
        expect((await only(id)).state).toBe('RUNNING');
      });

      it('refuse a trial that is not there', async () => {
        const id = await newStudy();
        const { trialId } = await createOne(storage, id);
        for (const unknown of [
          finish(trialId + 1, 1),
          { kind: 'userAttr', trialId: trialId + 1, key: 'k', text: '1' } as const,
        ]) {
          await expect(storage.write([{ kind: 'report', trialId, step: 0, value: 1 }, unknown])).rejects.toThrow(
            RangeError,
          );
        }
        expect((await only(id)).intermediateValues).toEqual({});
      });

      it('may fail a trial and queue its retry at once', async () => {
        const id = await newStudy();
        const { trialId } = await createOne(storage, id);
        const created = await storage.write([
          { kind: 'systemAttr', trialId, key: 'why', text: '"gone"' },
          { kind: 'state', trialId, state: 'FAIL', at: LATER },
          { kind: 'create', studyId: id, template: { state: 'WAITING', userAttrTexts: { a: '1.0' } } },
        ]);
        expect(created.map((trial) => [trial.number, trial.state, trial.userAttrTexts])).toEqual([
          [1, 'WAITING', { a: '1.0' }],
        ]);
        const [failed, retry] = await allTrials(storage, id);
        expect([failed?.state, failed?.systemAttrTexts, failed?.values]).toEqual([
          'FAIL',
          { why: '"gone"' },
          undefined,
        ]);
        expect(retry?.toTemplate()).toEqual(created[0]?.toTemplate());
      });

      it('of nothing do nothing', async () => {
        expect(await storage.write([])).toEqual([]);
      });
    });

    it('applies calls in the order in which they were made, awaited or not', async () => {
      const id = await newStudy();
      const { trialId } = await createOne(storage, id);
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 50; i++) {
        calls.push(storage.write([{ kind: 'report', trialId, step: i % 3, value: i }]));
        calls.push(storage.setStudyAttributes(id, 'user', { k: String(i) }));
        calls.push(storage.createTrials(id, [{ state: 'WAITING', userAttrTexts: { i: String(i) } }]));
      }
      const seen = storage.sync(id);
      const study = storage.readStudy(id);
      calls.push(storage.write([{ kind: 'state', trialId, state: 'COMPLETE', values: [1], at: LATER }]));
      await Promise.all(calls);
      const { trials } = await seen;
      expect(trials[0]?.intermediateValues).toEqual({ 0: 48, 1: 49, 2: 47 });
      expect(trials[0]?.state).toBe('RUNNING');
      expect(trials.slice(1).map((trial) => trial.userAttrTexts['i'])).toEqual(
        Array.from({ length: 50 }, (_, i) => String(i)),
      );
      expect((await study).userAttrTexts).toEqual({ k: '49' });
    });

    describe('between callers', () => {
      storageChangesContract(() => test);
    });
  });
}
