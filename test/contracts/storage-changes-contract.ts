import { beforeEach, describe, expect, it } from 'vitest';

import { CategoricalDistribution, FloatDistribution } from '../../src/core/distributions.js';
import { UpdateFinishedTrialError } from '../../src/core/errors.js';
import type { FrozenTrial, TrialTemplate } from '../../src/core/frozen-trial.js';
import type { ProcessIdentity, Storage, SyncCursor } from '../../src/storage/storage.js';
import { allTrials, createOne, LATER, NOW, running, type StorageUnderTest } from './storage-contract.js';

const waiting = (name: string): TrialTemplate => ({ state: 'WAITING', userAttrTexts: { name: `"${name}"` } });
const superseded: TrialTemplate = {
  state: 'FAIL',
  systemAttrTexts: { 'resweep:interrupted': '{"reason": "gone"}' },
};

/** The parts of the contract that are about several callers: queue, limit, changes, processes. */
export function storageChangesContract(current: () => StorageUnderTest): void {
  let storage: Storage;
  let id: number;
  beforeEach(async () => {
    storage = current().storage;
    ({ studyId: id } = await storage.createStudy('shared', ['minimize']));
  });
  /** Another process's handle, or the same where there can be no other. */
  const withOther = async (work: (other: Storage) => Promise<void>): Promise<void> => {
    const { again } = current();
    const other = again === undefined ? storage : await again();
    try {
      await work(other);
    } finally {
      if (other !== storage) await other.close();
    }
  };
  const startCursor = async (): Promise<SyncCursor> => (await storage.sync(id)).cursor;
  const changes = async (cursor: SyncCursor): Promise<FrozenTrial[]> => (await storage.sync(id, cursor)).trials;
  const numbers = (trials: readonly FrozenTrial[]): number[] => trials.map((trial) => trial.number);

  describe('a trial for who does not read the history', () => {
    const ask = async (cursor: SyncCursor): Promise<FrozenTrial | undefined> =>
      (await storage.createTrials(id, [{ state: 'RUNNING', startedAt: NOW }], { cursor, ifQuiet: true }))[0];

    it('is created unless one waits', async () => {
      const cursor = await startCursor();
      expect((await ask(cursor))?.number).toBe(0);
      await withOther(async (other) => {
        await other.createTrials(id, [waiting('a')]);
        expect(await ask(cursor)).toBeUndefined();
        expect(numbers(await changes(cursor))).toContain(1);
        await other.claimWaitingTrial(id, LATER);
      });
      await changes(cursor);
      expect((await ask(cursor))?.number).toBe(2);
      expect((await ask(cursor))?.number).toBe(3);
    });

    it('is not created where another was tried again, until that is known', async () => {
      const cursor = await startCursor();
      await withOther(async (other) => {
        await other.createTrials(id, [{ ...running, systemAttrTexts: { retry_history: '[0]' } }]);
        expect(await ask(cursor)).toBeUndefined();
        await changes(cursor);
        expect((await ask(cursor))?.number).toBe(1);
      });
    });
  });

  it('the last batch of a trial: parameters, texts of any kind, values; nothing where the trial was finished', async () => {
    const trial = await createOne(storage, id, running);
    const { trialId } = trial;
    const text = '"a \\\\ b \\" {,} \' NULL ü"';
    const distribution = new CategoricalDistribution(['a,"b"', '{c}', null]);
    const last = (value: number) =>
      [
        { kind: 'param', trialId, name: 'x "y", {z}\\', internal: 2, distribution },
        { kind: 'param', trialId, name: 'f', internal: -1.5e-300, distribution: new FloatDistribution(-1, 1) },
        { kind: 'userAttr', trialId, key: 'k', text: '1' },
        { kind: 'userAttr', trialId, key: 'k', text },
        { kind: 'systemAttr', trialId, key: 'NULL', text: '{}' },
        { kind: 'state', trialId, state: 'COMPLETE', values: [value], at: NOW },
      ] as const;
    await storage.write(last(-Infinity));
    const stored = (await allTrials(storage, id))[0];
    expect(stored?.internalParams).toEqual({ 'x "y", {z}\\': 2, f: -1.5e-300 });
    expect(stored?.distributions['x "y", {z}\\']?.json).toBe(distribution.json);
    expect(stored?.userAttrTexts).toEqual({ k: text });
    expect(stored?.systemAttrTexts).toEqual({ NULL: '{}' });
    expect([stored?.state, stored?.values, stored?.completedAt]).toEqual(['COMPLETE', [-Infinity], NOW]);
    await expect(storage.write(last(3))).rejects.toThrow(UpdateFinishedTrialError);
    expect((await allTrials(storage, id))[0]?.values).toEqual([-Infinity]);
  });

  describe('the queue', () => {
    it('gives each waiting trial to one caller, lowest number first', async () => {
      await storage.createTrials(id, [running, waiting('a'), waiting('b'), { state: 'COMPLETE', values: [1] }]);
      await withOther(async (other) => {
        const first = await storage.claimWaitingTrial(id, NOW);
        const second = await other.claimWaitingTrial(id, LATER);
        expect([first?.number, first?.state, first?.startedAt, first?.userAttrTexts]).toEqual([
          1,
          'RUNNING',
          NOW,
          { name: '"a"' },
        ]);
        expect([second?.number, second?.startedAt]).toEqual([2, LATER]);
        expect(await storage.claimWaitingTrial(id, NOW)).toBeUndefined();
        expect((await allTrials(other, id)).map((trial) => trial.state)).toEqual([
          'RUNNING',
          'RUNNING',
          'RUNNING',
          'COMPLETE',
        ]);
      });
    });

    it('gives nothing of another study', async () => {
      const { studyId } = await storage.createStudy('other', ['minimize']);
      await storage.createTrials(studyId, [waiting('a')]);
      expect(await storage.claimWaitingTrial(id, NOW)).toBeUndefined();
    });

    it('is emptied once by many callers at the same time', async () => {
      await storage.createTrials(
        id,
        Array.from({ length: 30 }, (_, i) => waiting(String(i))),
      );
      await withOther(async (other) => {
        const claims = await Promise.all(
          Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? storage : other).claimWaitingTrial(id, NOW)),
        );
        const taken = claims.filter((trial) => trial !== undefined).map((trial) => trial.number);
        expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
      });
    });
  });

  describe('a limit', () => {
    it('counts trials of every state, but not superseded ones', async () => {
      await storage.createTrials(id, [running, waiting('a'), { state: 'FAIL' }, superseded]);
      const failedAgain: TrialTemplate = { state: 'FAIL', systemAttrTexts: { 'resweep:retried': 'true' } };
      const both: TrialTemplate = {
        state: 'FAIL',
        systemAttrTexts: { ...superseded.systemAttrTexts, ...failedAgain.systemAttrTexts },
      };
      // An interruption is only one of a trial that has failed.
      const noted: TrialTemplate = {
        state: 'COMPLETE',
        values: [1],
        systemAttrTexts: superseded.systemAttrTexts ?? {},
      };
      await storage.createTrials(id, [failedAgain, both, noted]);
      expect((await allTrials(storage, id)).filter((trial) => !trial.isSuperseded)).toHaveLength(4);
      expect(await storage.createTrials(id, [running], { limit: 3 })).toEqual([]);
      expect(await storage.createTrials(id, [running], { limit: 4 })).toEqual([]);
      expect(numbers(await storage.createTrials(id, [running], { limit: 5 }))).toEqual([7]);
      expect(await storage.createTrials(id, [running], { limit: 5 })).toEqual([]);
      expect(numbers(await storage.createTrials(id, [running], { limit: 1000 }))).toEqual([8]);
    });

    it('is not exceeded by several callers together', async () => {
      await withOther(async (other) => {
        const made = await Promise.all(
          Array.from({ length: 40 }, (_, i) =>
            (i % 2 === 0 ? storage : other).createTrials(id, [running], { limit: 25 }),
          ),
        );
        expect(
          made
            .flat()
            .map((trial) => trial.number)
            .sort((a, b) => a - b),
        ).toEqual(Array.from({ length: 25 }, (_, i) => i));
      });
    });
  });

  describe('choices', () => {
    const ab = new CategoricalDistribution(['a', 'b']);
    const abc = new CategoricalDistribution(['a', 'b', 'c']);
    const done = (internal: number): TrialTemplate => ({
      state: 'COMPLETE',
      values: [1],
      internalParams: { k: internal, other: internal },
      distributions: { k: ab, other: ab },
    });

    it('are appended in every row of the parameter, values staying what they were', async () => {
      await storage.createTrials(id, [done(0), done(1), { state: 'COMPLETE', values: [2] }]);
      const { studyId: elsewhere } = await storage.createStudy('elsewhere', ['minimize']);
      await storage.createTrials(elsewhere, [done(1)]);
      expect(await storage.appendChoices(id, 'k', abc)).toBe(2);
      const [first, second] = await allTrials(storage, id);
      expect(first?.distributions['k']).toEqual(abc);
      expect([first?.params, second?.params]).toEqual([
        { k: 'a', other: 'a' },
        { k: 'b', other: 'b' },
      ]);
      expect(first?.distributions['other']).toEqual(ab);
      expect((await allTrials(storage, elsewhere))[0]?.distributions['k']).toEqual(ab);
      expect(await storage.appendChoices(id, 'k', abc)).toBe(2);
    });

    it('are neither taken away, nor put in another order, nor appended while a trial runs', async () => {
      await storage.createTrials(id, [done(0)]);
      const others = [['b', 'a', 'c'], ['a'], ['a', 'x', 'c']].map((choices) => new CategoricalDistribution(choices));
      for (const other of others)
        await expect(storage.appendChoices(id, 'k', other)).rejects.toThrow(/only be appended/);
      await storage.createTrials(id, [running]);
      await expect(storage.appendChoices(id, 'k', abc)).rejects.toThrow(/running/);
      expect((await allTrials(storage, id))[0]?.distributions['k']).toEqual(ab);
    });
  });

  describe('sync', () => {
    it('gives everything once, then what has changed', async () => {
      await storage.createTrials(id, [running, { state: 'COMPLETE', values: [1] }]);
      const { trials, cursor } = await storage.sync(id);
      expect(numbers(trials)).toEqual([0, 1]);
      expect(await changes(cursor)).toEqual([]);
      await withOther(async (other) => {
        await other.createTrials(id, [waiting('a')]);
        expect(numbers(await changes(cursor))).toContain(2);
        expect(await changes(cursor)).toEqual([]);
      });
    });

    it('does not repeat what was written with its cursor', async () => {
      const cursor = await startCursor();
      const [trial] = await storage.createTrials(id, [running], { cursor });
      expect(await changes(cursor)).toEqual([]);
      const trialId = trial?.trialId ?? 0;
      await storage.write([{ kind: 'report', trialId, step: 0, value: 1 }], cursor);
      expect(await changes(cursor)).toEqual([]);
      const [queued] = await storage.createTrials(id, [waiting('a')], { cursor });
      await storage.write([{ kind: 'state', trialId, state: 'COMPLETE', values: [1], at: LATER }], cursor);
      expect((await storage.claimWaitingTrial(id, NOW, { cursor }))?.trialId).toBe(queued?.trialId);
      await storage.createTrials(id, [running, running, running], { cursor });
      expect(await changes(cursor)).toEqual([]);
      expect(numbers(await allTrials(storage, id))).toEqual([0, 1, 2, 3, 4]);
    });

    it('tells of own writes made without it', async () => {
      const cursor = await startCursor();
      const { trialId } = await createOne(storage, id);
      expect(numbers(await changes(cursor))).toEqual([0]);
      await storage.write([{ kind: 'report', trialId, step: 0, value: 1 }]);
      expect((await changes(cursor))[0]?.intermediateValues).toEqual({ 0: 1 });
      await storage.write([{ kind: 'userAttr', trialId, key: 'k', text: '1' }]);
      // A write with the cursor does not hide the one before it.
      await storage.write([{ kind: 'state', trialId, state: 'COMPLETE', values: [1], at: LATER }], cursor);
      expect((await changes(cursor)).map((trial) => [trial.state, trial.userAttrTexts])).toEqual([
        ['COMPLETE', { k: '1' }],
      ]);
      expect(await changes(cursor)).toEqual([]);
    });

    it("sees reports, attributes and parameters of others' running trials, and their end", async () => {
      await withOther(async (other) => {
        const { trialId } = await createOne(other, id);
        const cursor = await startCursor();
        const steps = [
          () => other.write([{ kind: 'report', trialId, step: 3, value: NaN }]),
          () => other.write([{ kind: 'userAttr', trialId, key: 'u', text: '1' }]),
          () => other.write([{ kind: 'systemAttr', trialId, key: 's', text: '2' }]),
          () =>
            other.write([
              { kind: 'param', trialId, name: 'x', internal: 0.5, distribution: new FloatDistribution(0, 1) },
            ]),
          () => other.write([{ kind: 'state', trialId, state: 'COMPLETE', values: [4], at: LATER }]),
        ];
        const seen: FrozenTrial[] = [];
        for (const step of steps) {
          await step();
          const changed = await changes(cursor);
          expect(numbers(changed)).toEqual([0]);
          seen.push(...changed);
          expect(await changes(cursor)).toEqual([]);
        }
        expect(seen[0]?.intermediateValues).toEqual({ 3: NaN });
        expect(seen[1]?.userAttrTexts).toEqual({ u: '1' });
        expect(seen[2]?.systemAttrTexts).toEqual({ s: '2' });
        expect(seen[3]?.params).toEqual({ x: 0.5 });
        expect([seen[4]?.state, seen[4]?.values]).toEqual(['COMPLETE', [4]]);
      });
    });

    it("sees the same of one among a fleet's, whoever began or ended others meanwhile", async () => {
      await withOther(async (other) => {
        const fleet = await other.createTrials(
          id,
          Array.from({ length: 60 }, () => running),
        );
        const cursor = await startCursor();
        // From here on it is known that there are many.
        expect(await changes(cursor)).toEqual([]);
        const [first, second, third, fourth] = fleet;
        const trialId = first?.trialId ?? 0;
        const idOf = (trial: FrozenTrial | undefined): number => trial?.trialId ?? 0;
        const x = new FloatDistribution(0, 1);
        const systemAttr = (key: string, text: string) => ({ kind: 'systemAttr', trialId, key, text }) as const;
        const end = (of: FrozenTrial | undefined, value: number) =>
          ({ kind: 'state', trialId: idOf(of), state: 'COMPLETE', values: [value], at: LATER }) as const;
        const seen = async (
          step: () => Promise<unknown>,
          wanted: readonly number[],
        ): Promise<readonly FrozenTrial[]> => {
          await step();
          // A file gives all that run where one of them has changed.
          const changed = (await changes(cursor)).filter(({ number }) => wanted.includes(number));
          expect(numbers(changed)).toEqual(wanted);
          expect(await changes(cursor)).toEqual([]);
          return changed;
        };
        const [a] = await seen(
          () => other.write([{ kind: 'param', trialId, name: 'x', internal: 0.5, distribution: x }]),
          [0],
        );
        expect(a?.params).toEqual({ x: 0.5 });
        const [b] = await seen(
          () =>
            other.write([
              { kind: 'report', trialId, step: 3, value: NaN },
              { kind: 'userAttr', trialId, key: 'u', text: '1' },
              systemAttr('s', '2'),
              { kind: 'report', trialId: idOf(second), step: 1, value: -Infinity },
            ]),
          [0, 1],
        );
        expect([b?.params, b?.intermediateValues, b?.userAttrTexts, b?.systemAttrTexts]).toEqual([
          { x: 0.5 },
          { 3: NaN },
          { u: '1' },
          { s: '2' },
        ]);
        // Ended with a report that nobody has seen yet; another begun, and two of another study.
        const { studyId: elsewhere } = await other.createStudy('elsewhere', ['minimize']);
        const many = await seen(async () => {
          await other.createTrials(elsewhere, [running, waiting('no')]);
          await other.write([{ kind: 'report', trialId: idOf(second), step: 2, value: 7 }, end(second, 4)]);
          await other.createTrials(id, [
            { ...running, internalParams: { x: 0.25 }, distributions: { x } },
            waiting('w'),
          ]);
          await other.write([{ kind: 'state', trialId: idOf(third), state: 'WAITING', at: LATER }]);
        }, [1, 2, 60, 61]);
        expect(many.map((trial) => [trial.state, trial.values, trial.params, trial.intermediateValues])).toEqual([
          ['COMPLETE', [4], {}, { 1: -Infinity, 2: 7 }],
          ['WAITING', undefined, {}, {}],
          ['RUNNING', undefined, { x: 0.25 }, {}],
          ['WAITING', undefined, {}, {}],
        ]);
        const [claimed] = await seen(() => other.claimWaitingTrial(id, LATER), [2]);
        expect([claimed?.state, claimed?.startedAt]).toEqual(['RUNNING', LATER]);
        // Ended here, while another process adds to it.
        await other.write([{ kind: 'userAttr', trialId: idOf(fourth), key: 'late', text: '1' }]);
        await storage.write([end(fourth, 1)], cursor);
        const added = (await changes(cursor)).filter(({ number }) => number === 3);
        expect(added.map((trial) => trial.userAttrTexts)).toEqual([{ late: '1' }]);
        // What replaces a text is seen where all is asked for, or with the end.
        await other.write([systemAttr('s', '3')]);
        const all = [...(await changes(cursor)), ...(await storage.sync(id, cursor, { exact: true })).trials];
        expect(all.filter(({ number }) => number === 0).map((trial) => trial.systemAttrTexts)).toEqual([{ s: '3' }]);
        await other.write([systemAttr('s', '4'), end(fleet[0], 0)]);
        const [ended] = await changes(cursor);
        expect([ended?.number, ended?.systemAttrTexts, ended?.params]).toEqual([0, { s: '4' }, { x: 0.5 }]);
      });
    });

    it("finds others' trials between own ones, also where own ones were written with the cursor", async () => {
      await withOther(async (other) => {
        const cursor = await startCursor();
        const known = new Map<number, FrozenTrial>();
        const note = (trials: readonly FrozenTrial[]): void => {
          for (const trial of trials) known.set(trial.number, trial);
        };
        note(await storage.createTrials(id, [running], { cursor }));
        await other.createTrials(id, [waiting('theirs')]);
        note(await storage.createTrials(id, [running], { cursor }));
        await other.createTrials(id, [waiting('theirs too')]);
        const own = [...known.values()][0]?.trialId ?? 0;
        note(await storage.createTrials(id, [running, running], { cursor }));
        await storage.write([{ kind: 'state', trialId: own, state: 'FAIL', at: LATER }], cursor);
        note(await changes(cursor));
        expect([...known.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
        expect(known.get(1)?.userAttrTexts).toEqual({ name: '"theirs"' });
        expect(known.get(3)?.userAttrTexts).toEqual({ name: '"theirs too"' });
        expect(await changes(cursor)).toEqual([]);
      });
    });

    it('sees what another wrote on an own trial just before it was ended with the cursor', async () => {
      await withOther(async (other) => {
        const cursor = await startCursor();
        const [trial] = await storage.createTrials(id, [running], { cursor });
        const trialId = trial?.trialId ?? 0;
        await other.write([{ kind: 'userAttr', trialId, key: 'note', text: '"theirs"' }]);
        await storage.write([{ kind: 'state', trialId, state: 'COMPLETE', values: [1], at: LATER }], cursor);
        const [seen] = await changes(cursor);
        expect([seen?.state, seen?.userAttrTexts]).toEqual(['COMPLETE', { note: '"theirs"' }]);
        expect(await changes(cursor)).toEqual([]);
      });
    });

    it('keeps studies and cursors apart', async () => {
      const { studyId } = await storage.createStudy('other', ['minimize']);
      const [mine, others] = [await startCursor(), (await storage.sync(studyId)).cursor];
      const again = await startCursor();
      await storage.createTrials(id, [running], { cursor: mine });
      await storage.createTrials(studyId, [running, running], { cursor: others });
      expect((await changes(mine)).filter((trial) => trial.number !== 0)).toEqual([]);
      expect(numbers(await changes(again))).toEqual([0]);
      await storage.createTrials(id, [waiting('a')]);
      expect(numbers(await changes(mine))).toContain(1);
      expect(numbers(await changes(again))).toContain(1);
      expect((await storage.sync(studyId, others)).trials.every((trial) => !trial.isFinished)).toBe(true);
    });
  });

  describe('leases', () => {
    it('have one holder, who renews it, until it is given back', async () => {
      await withOther(async (other) => {
        expect(await storage.lease('backup', 'a')).toEqual({ holder: 'a', beat: 1 });
        expect(await other.lease('backup', 'b')).toEqual({ holder: 'a', beat: 1 });
        expect(await other.lease('another', 'b')).toEqual({ holder: 'b', beat: 1 });
        expect(await storage.lease('backup', 'a')).toEqual({ holder: 'a', beat: 2 });
        await other.releaseLease('backup', 'b');
        expect((await other.lease('backup', 'b')).holder).toBe('a');
        await storage.releaseLease('backup', 'a');
        expect((await other.lease('backup', 'b')).holder).toBe('b');
      });
    });

    it('are taken over only at the beat that was seen', async () => {
      const seen = await storage.lease('backup', 'a');
      await storage.lease('backup', 'a');
      await withOther(async (other) => {
        const still = await other.lease('backup', 'b', seen);
        expect(still).toEqual({ holder: 'a', beat: 2 });
        expect(await other.lease('backup', 'b', still)).toEqual({ holder: 'b', beat: 3 });
        expect((await storage.lease('backup', 'a')).holder).toBe('b');
      });
    });

    it('are won by one of many callers', async () => {
      await withOther(async (other) => {
        const holders = await Promise.all(
          Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? storage : other).lease('backup', String(i))),
        );
        expect(new Set(holders.map(({ holder }) => holder)).size).toBe(1);
      });
    });
  });

  it('an export gives the study with its trials, then the study with what changed', async () => {
    await storage.createTrials(id, [running, { state: 'COMPLETE', values: [1] }]);
    const first = await storage.export(id);
    expect([first.study, numbers(first.trials)]).toEqual([await storage.readStudy(id), [0, 1]]);
    await withOther(async (other) => {
      await other.setStudyAttributes(id, 'user', { a: '1' });
      await other.createTrials(id, [waiting('a')]);
    });
    const next = await storage.export(id, first.cursor);
    expect(next.study.userAttrTexts).toEqual({ a: '1' });
    expect(numbers(next.trials)).toContain(2);
  });

  describe('processes', () => {
    const identity = (processId: string): ProcessIdentity => ({
      processId,
      host: 'hóst',
      bootId: 'boot',
      pid: 4711,
      startTime: '12345',
    });

    it('own the trials that they create or claim, until they leave', async () => {
      if (!storage.persistent) {
        await storage.registerProcess(identity('p'), NOW);
        const { trialId } = await createOne(storage, id);
        await storage.heartbeat('p', [trialId], LATER);
        expect(await storage.runningTrials(id)).toEqual([{ trialId, process: undefined, trialHeartbeatAt: undefined }]);
        await storage.unregisterProcess('p');
        return;
      }
      await storage.registerProcess(identity('p'), NOW);
      await storage.createTrials(id, [waiting('a')]);
      const [created] = await storage.createTrials(id, [running], { owner: 'p' });
      const claimed = await storage.claimWaitingTrial(id, NOW, { owner: 'p' });
      const unowned = await createOne(storage, id);
      const owned = { ...identity('p'), registeredAt: NOW, heartbeatAt: NOW };
      await withOther(async (other) => {
        expect(await other.runningTrials(id)).toEqual([
          { trialId: claimed?.trialId, process: owned, trialHeartbeatAt: undefined },
          { trialId: created?.trialId, process: owned, trialHeartbeatAt: undefined },
          { trialId: unowned.trialId, process: undefined, trialHeartbeatAt: undefined },
        ]);
        await storage.heartbeat('p', [created?.trialId ?? 0], LATER);
        await storage.write([{ kind: 'state', trialId: claimed?.trialId ?? 0, state: 'FAIL', at: LATER }]);
        expect(await other.runningTrials(id)).toEqual([
          { trialId: created?.trialId, process: { ...owned, heartbeatAt: LATER }, trialHeartbeatAt: LATER },
          { trialId: unowned.trialId, process: undefined, trialHeartbeatAt: undefined },
        ]);
        await storage.unregisterProcess('p');
        expect((await other.runningTrials(id)).map((owner) => owner.process)).toEqual([undefined, undefined]);
      });
    });

    it('may take over a trial that was queued again', async () => {
      if (!storage.persistent) return;
      await storage.registerProcess(identity('p'), NOW);
      await storage.registerProcess(identity('q'), NOW);
      const [{ trialId } = { trialId: 0 }] = await storage.createTrials(id, [running], { owner: 'p' });
      await storage.write([{ kind: 'state', trialId, state: 'WAITING', at: LATER }]);
      await storage.claimWaitingTrial(id, LATER, { owner: 'q' });
      await storage.unregisterProcess('p');
      expect((await storage.runningTrials(id)).map((owner) => owner.process?.processId)).toEqual(['q']);
    });
  });
}
