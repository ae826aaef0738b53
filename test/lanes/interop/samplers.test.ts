import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TrialPruned } from '../../../src/core/errors.js';
import type { JsonValue } from '../../../src/core/json.js';
import { HyperbandPruner } from '../../../src/pruners/hyperband-pruner.js';
import { NopPruner } from '../../../src/pruners/nop-pruner.js';
import { CmaEsSampler } from '../../../src/samplers/cma-es-sampler.js';
import { GPSampler } from '../../../src/samplers/gp-sampler.js';
import { NSGAIISampler } from '../../../src/samplers/nsga-ii-sampler.js';
import type { Sampler } from '../../../src/samplers/sampler.js';
import { TPESampler } from '../../../src/samplers/tpe-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import type { Trial } from '../../../src/study/trial.js';
import { rows } from '../../support/study-files.js';
import { dumpOf, installInto, normal, OptunaSide } from './optuna-side.js';

const PER_TURN = 6;

function samplerOf(kind: string, seed: number): Sampler {
  switch (kind) {
    case 'cma':
      return new CmaEsSampler({ seed });
    case 'nsga2':
      return new NSGAIISampler({ seed, populationSize: 4 });
    case 'gp':
      return new GPSampler({ seed, nStartupTrials: 4 });
    default:
      return new TPESampler({ seed, nStartupTrials: 4 });
  }
}

/** The objective of `turn` in optuna_side.py. */
const objectiveOf =
  (kind: string) =>
  async (trial: Trial): Promise<number | number[]> => {
    const x = trial.suggestFloat('x', -5, 5);
    const y = trial.suggestFloat('y', -5, 5);
    trial.setUserAttr('by', 'resweep');
    if (kind === 'hyperband') {
      for (let step = 1; step < 10; step++) {
        await trial.report(x * x + y * y + 1 / step, step);
        if (await trial.shouldPrune()) throw new TrialPruned();
      }
    }
    if (kind.endsWith('constraints') || kind === 'nsga2') {
      trial.setConstraint(kind === 'new-constraints' ? 'limit' : '0', x - 2);
      trial.setConstraint(kind === 'new-constraints' ? 'other' : '1', -1);
    }
    return kind === 'nsga2' ? [x * x, (y - 1) ** 2] : x * x + y * y;
  };

describe.each([
  ['5.0.0', undefined, 3, ['tpe', 'cma', 'nsga2', 'gp', 'hyperband', 'old-constraints', 'new-constraints']],
  ['4.9.0', 'optuna==4.9.0', 2, ['tpe', 'cma', 'nsga2', 'gp', 'hyperband', 'old-constraints']],
] as const)('studies searched by Optuna %s and resweep in turns', (_version, requirement, turns, kinds) => {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-samplers-'));
  const path = join(folder, 'study.db');
  let optuna = new OptunaSide();
  beforeAll(async () => {
    if (requirement !== undefined) {
      const packages = join(folder, 'packages');
      await installInto(packages, requirement);
      optuna = new OptunaSide(packages);
    }
    for (const kind of kinds) {
      const directions = kind === 'nsga2' ? (['minimize', 'minimize'] as const) : (['minimize'] as const);
      await (await createStudy({ storage: path, studyName: kind, directions, seed: 1 })).close();
    }
    for (let turn = 0; turn < turns; turn++) {
      await optuna.run('turn', path, '', kinds.join(','), PER_TURN, turn);
      for (const kind of kinds) {
        const study = await loadStudy({
          storage: path,
          studyName: kind,
          sampler: samplerOf(kind, turn),
          pruner: kind === 'hyperband' ? new HyperbandPruner({ maxResource: 9 }) : new NopPruner(),
        });
        await study.enqueueTrial({ x: 0.5, y: -0.5 }, { userAttrs: { enqueued: true } });
        await study.optimize(objectiveOf(kind), { nTrials: PER_TURN });
        await study.close();
      }
    }
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('are one to both, with every trial of either', async () => {
    const theirs = (await optuna.run('dumps', path, '', kinds.join(','))) as unknown as Record<
      string,
      JsonValue | undefined
    >;
    for (const kind of kinds) {
      const study = await loadStudy({ storage: path, studyName: kind });
      const trials = await study.trials();
      expect(trials.map(({ number }) => number)).toEqual(Array.from({ length: 2 * turns * PER_TURN }, (_, i) => i));
      expect(trials.filter(({ state }) => state !== 'COMPLETE' && state !== 'PRUNED')).toEqual([]);
      expect(trials.filter((trial) => trial.userAttrs['enqueued'] === true).map(({ params }) => params)).toEqual(
        Array.from({ length: 2 * turns }, () => ({ x: 0.5, y: -0.5 })),
      );
      expect(await dumpOf(study)).toEqual(normal(theirs[kind] ?? null));
      if (kind.endsWith('constraints') || kind === 'nsga2') {
        for (const trial of trials) {
          expect(Object.values(trial.constraints ?? {})).toEqual([Number(trial.params['x']) - 2, -1]);
          expect(trial.isFeasible).toBe(Number(trial.params['x']) <= 2);
        }
      }
      await study.close();
    }
    expect(rows(path, 'PRAGMA journal_mode')).toEqual([['delete']]);
    expect(rows(path, 'PRAGMA integrity_check')).toEqual([['ok']]);
  });

  it('count each other: generations, brackets and the best so far', async () => {
    const by = async (kind: string): Promise<Set<unknown>> => {
      const study = await loadStudy({ storage: path, studyName: kind });
      const trials = await study.trials();
      await study.close();
      return new Set(
        trials.flatMap((trial) =>
          trial.systemAttr('NSGAIISampler:generation') === undefined ? [] : [trial.userAttrs['by']],
        ),
      );
    };
    expect(await by('nsga2')).toEqual(new Set(['optuna', 'resweep']));
    const hyperband = await loadStudy({ storage: path, studyName: 'hyperband' });
    const pruned = (await hyperband.trials()).filter(({ state }) => state === 'PRUNED');
    expect(pruned.length).toBeGreaterThan(0);
    await hyperband.close();
    // A search that learns from the other's trials is better after them than chance: both together find the valley.
    for (const kind of ['tpe', 'gp', 'cma'] as const) {
      const study = await loadStudy({ storage: path, studyName: kind });
      expect(await study.bestValue()).toBeLessThanOrEqual(0.5);
      await study.close();
    }
  });
});
