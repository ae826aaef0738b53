import { z } from 'zod';

import type { Distribution, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { wholeStudy, type SearchSpace, type StudyView, type TrialHistory } from '../core/study-view.js';
import type { TrialState } from '../core/trial-state.js';
import { SearchTree, type TreeConflict, type TreeStep } from '../algorithms/search-tree.js';
import { DeclaredPoints } from './declared-points.js';
import { countValues, valuesOf } from './finite-space.js';
import { drawUniform } from './random-sampler.js';
import { trialRandom, type Sampler, type SamplingTrial } from './sampler.js';

export interface BruteForceSamplerOptions {
  /** In place of the study's own. */
  readonly seed?: number | undefined;
  /** End the study only when every trial has ended: one that is running may still fail. @default false */
  readonly avoidPrematureStop?: boolean | undefined;
}

interface Place {
  consumed: number;
  readonly tree: SearchTree;
}

/**
 * Tries every set of parameters once, in random order, whatever conditions the objective has, and ends the study when all are done.
 * Every parameter must have finitely many values. The rules are those of Optuna's BruteForceSampler; a declared space is gone
 * through by its own conditions and rules.
 */
export class BruteForceSampler implements Sampler {
  readonly name = 'brute-force';
  readonly #seed: number | undefined;
  readonly #excludeRunning: boolean;
  readonly #places = new WeakMap<TrialHistory, Place>();
  readonly #declared = new WeakMap<TrialHistory, DeclaredPoints>();

  constructor(options: BruteForceSamplerOptions = {}) {
    this.#seed = options.seed;
    this.#excludeRunning = options.avoidPrematureStop !== true;
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    if (study.declaredSpace === undefined) return {};
    return Object.fromEntries(study.declaredSpace.parameters.map(({ name, distribution }) => [name, distribution]));
  }

  sampleRelative(study: StudyView, trial: SamplingTrial): Readonly<Record<string, ParamValue>> {
    if (study.declaredSpace === undefined) return {};
    return (
      this.#declaredOf(study)?.draw(
        wholeStudy(study).history,
        trial.number,
        trialRandom(this.#seed ?? study.seed, trial, 'point'),
      ) ?? {}
    );
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    const random = trialRandom(this.#seed ?? study.seed, trial, name);
    const values = valuesOf(name, distribution, 'BruteForceSampler');
    if (study.declaredSpace !== undefined) return drawUniform(distribution, random);
    const { tree } = this.#placeOf(study);
    const release = this.#begin(study, tree, trial.number);
    try {
      const { internalParams, distributions } = trial.frozen;
      const next = { name, range: rangeOf(distribution), size: countValues(distribution) };
      const drawn = tree.draw(pathOf({ internalParams, distributions }), next, this.#excludeRunning, random);
      if ('known' in drawn) throw contradiction(drawn);
      const { index } = drawn;
      if (index === undefined) return values[random.integer(values.length)] as ParamValue;
      return values[index] ?? distribution.toExternal(index);
    } finally {
      release();
    }
  }

  afterTrial(study: StudyView, trial: SamplingTrial, state: TrialState): void {
    const declared = this.#declaredOf(study);
    if (declared !== undefined) {
      if (declared.isExhausted(wholeStudy(study).history, this.#excludeRunning, trial.frozen)) trial.stopStudy();
      return;
    }
    const { tree } = this.#placeOf(study);
    // One that failed may be tried again: whether it counts shows once it is stored.
    if (state !== 'FAIL') {
      const conflict = tree.finish(pathOf(trial.frozen));
      if (conflict !== undefined) throw contradiction(conflict);
    }
    const release = this.#begin(study, tree, state === 'FAIL' ? -1 : trial.number);
    try {
      if (!tree.isOpen(this.#excludeRunning)) trial.stopStudy();
    } finally {
      release();
    }
  }

  isExhausted(study: StudyView): boolean {
    const declared = this.#declaredOf(study);
    if (declared !== undefined) return declared.isExhausted(wholeStudy(study).history, true);
    const { tree } = this.#placeOf(study);
    const release = this.#begin(study, tree, -1);
    try {
      return !tree.isOpen(true);
    } finally {
      release();
    }
  }

  #declaredOf(study: StudyView): DeclaredPoints | undefined {
    const { declaredSpace, history } = wholeStudy(study);
    if (declaredSpace === undefined) return undefined;
    let points = this.#declared.get(history);
    if (points === undefined)
      this.#declared.set(history, (points = new DeclaredPoints(declaredSpace, 'BruteForceSampler')));
    return points;
  }

  #placeOf(study: StudyView): Place {
    const { history } = wholeStudy(study);
    let place = this.#places.get(history);
    if (place === undefined) this.#places.set(history, (place = { consumed: 0, tree: new SearchTree() }));
    for (; place.consumed < history.finished.length; place.consumed++) {
      const trial = history.finished[place.consumed];
      // Another trial stands for one that was interrupted.
      if (trial === undefined || trial.isSuperseded) continue;
      const conflict = place.tree.finish(pathOf(trial));
      if (conflict !== undefined) throw contradiction(conflict);
    }
    return place;
  }

  /** Marks what other workers have under way; the function returned takes the marks away. */
  #begin(study: StudyView, tree: SearchTree, number: number): () => void {
    const releases: (() => void)[] = [];
    for (const trial of wholeStudy(study).history.unfinished) {
      if (trial.number === number || Object.keys(trial.internalParams).length === 0) continue;
      const begun = tree.begin(pathOf(trial));
      if (typeof begun !== 'function') throw contradiction(begun);
      releases.push(begun);
    }
    return () => {
      for (const release of releases) release();
    };
  }
}

function pathOf({ internalParams, distributions }: Pick<FrozenTrial, 'internalParams' | 'distributions'>): TreeStep[] {
  return Object.entries(internalParams).flatMap(([name, internal]) => {
    const distribution = distributions[name];
    if (distribution === undefined) return [];
    return [
      { name, range: rangeOf(distribution), size: countValues(distribution), index: indexOf(distribution, internal) },
    ];
  });
}

function rangeOf(distribution: Distribution): string {
  if (distribution.kind === 'categorical') return `${distribution.choices.length} choices`;
  const { low, high, step } = distribution;
  return `${low} … ${high}${step === undefined ? '' : ` by ${step}`}`;
}

function indexOf(distribution: Distribution, internal: number): number {
  if (distribution.kind === 'categorical') return internal;
  const index = Math.round((internal - distribution.low) / (distribution.step ?? 1));
  return distribution.contains(internal) ? index : -1;
}

function contradiction({ known, found }: TreeConflict): UsageError {
  return new UsageError(
    `BruteForceSampler: after the same values an earlier trial asked for "${known.name}" (${known.range}), this one for "${found.name}" (${found.range}).`,
    { hint: 'The search space must not change within a study; begin another one.' },
  );
}

export const bruteForceSamplerDefinition = {
  type: 'brute-force',
  isFinite: true,
  summary: 'Every set of parameters once, conditions included',
  schema: z
    .object({
      seed: z.number().int().optional(),
      avoid_premature_stop: z
        .boolean()
        .default(false)
        .describe('End the study only when every trial has ended: one that is running may still fail.'),
    })
    .strict(),
  create: (options: BruteForceSamplerOptions) => new BruteForceSampler(options),
};
