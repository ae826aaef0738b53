import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { camelKeys } from '../../src/core/key-case.js';
import { parseJson } from '../../src/core/json.js';
import type { StudyDirection } from '../../src/core/study-direction.js';
import { HyperbandPruner } from '../../src/pruners/hyperband-pruner.js';
import type { Pruner } from '../../src/pruners/pruner.js';
import { prunerDefinitions } from '../../src/pruners/pruner-registry.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { createStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';

interface Curve {
  readonly reports: readonly (readonly [number, number])[];
  readonly end: 'COMPLETE' | 'FAIL';
  readonly value: number;
  readonly constraint: number;
}

interface Case {
  readonly pruner: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly curves: string;
  readonly direction: StudyDirection;
  readonly studyName: string;
  readonly decisions: readonly string[];
  readonly rungs: readonly Readonly<Record<string, number>>[] | null;
}

interface Facts {
  readonly optuna: string;
  readonly curves: Readonly<Record<string, readonly Curve[]>>;
  readonly pruners: readonly Case[];
  readonly brackets: readonly {
    readonly studyName: string;
    readonly minResource: number;
    readonly maxResource: number;
    readonly reductionFactor: number;
    readonly brackets: readonly number[];
  }[];
}

const text = readFileSync(new URL('../golden/pruner-facts.json', import.meta.url), 'utf8');
const facts = parseJson(text) as unknown as Facts;

const WORKERS = 3;

/** The same trials in the same turns as the script that recorded the facts. */
async function replay(study: Study, curves: readonly Curve[], sign: number): Promise<string[]> {
  const decisions = curves.map(() => '');
  let running: { number: number; trial: Trial; place: number }[] = [];
  let upcoming = 0;
  while (running.length > 0 || upcoming < curves.length) {
    while (running.length < WORKERS && upcoming < curves.length)
      running.push({ number: upcoming++, trial: await study.ask(), place: 0 });
    for (const entry of [...running]) {
      const { number, trial } = entry;
      const curve = curves[number] as Curve;
      const report = curve.reports[entry.place++];
      if (report === undefined) {
        trial.setConstraint('c', curve.constraint);
        if (curve.end === 'FAIL') await study.tell(trial, undefined, { state: 'FAIL' });
        else await study.tell(trial, sign * curve.value);
        running = running.filter((other) => other !== entry);
        continue;
      }
      await trial.report(sign * report[1], report[0]);
      const prune = await trial.shouldPrune();
      decisions[number] = `${decisions[number] ?? ''}${prune ? '1' : '0'}`;
      if (!prune) continue;
      await study.tell(trial, undefined, { state: 'PRUNED' });
      running = running.filter((other) => other !== entry);
    }
  }
  return decisions;
}

function create(kind: string, options: Readonly<Record<string, unknown>>): Pruner {
  const definition = prunerDefinitions.find(({ type }) => type === kind);
  if (definition === undefined) throw new Error(`no pruner ${kind}`);
  return definition.create(camelKeys(options) as never);
}

describe(`pruners against Optuna ${facts.optuna}`, () => {
  it('has recorded curves for every registered pruner', () => {
    expect(new Set(facts.pruners.map(({ pruner }) => pruner))).toEqual(
      new Set(prunerDefinitions.map(({ type }) => type)),
    );
  });

  it.each(
    facts.pruners.map((fact) => ({
      ...fact,
      name: `${fact.pruner} ${JSON.stringify(fact.options)}, ${fact.curves}, ${fact.direction}`,
    })),
  )('$name', async (fact) => {
    const study = await createStudy({
      studyName: fact.studyName,
      direction: fact.direction,
      pruner: create(fact.pruner, fact.options),
      sampler: new RandomSampler(),
    });
    const curves = facts.curves[fact.curves] ?? [];
    expect(curves.length).toBe(fact.decisions.length);
    expect(await replay(study, curves, fact.direction === 'minimize' ? 1 : -1)).toEqual(fact.decisions);
    if (fact.rungs === null) return;
    const rungs = (await study.trials()).map((trial) =>
      Object.fromEntries(Object.entries(trial.systemAttrs).filter(([key]) => key.startsWith('completed_rung_'))),
    );
    expect(rungs).toEqual(fact.rungs);
  });

  it.each(facts.brackets)('puts the trials of "$studyName" into the same brackets', async (fact) => {
    const { studyName, minResource, maxResource, reductionFactor } = fact;
    const pruner = new HyperbandPruner({ minResource, maxResource, reductionFactor });
    const study = await createStudy({ studyName, pruner, sampler: new RandomSampler() });
    for (let n = 0; n < fact.brackets.length; n++) {
      const trial = await study.ask();
      await trial.report(0, 0);
      await study.tell(trial, 0);
    }
    for (const [number, bracket] of fact.brackets.entries()) {
      const seen = pruner.viewFor(study, number).history.finished.map((trial) => trial.number);
      expect(seen).toEqual(fact.brackets.flatMap((other, n) => (other === bracket ? [n] : [])));
    }
  });
});
