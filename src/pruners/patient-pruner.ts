import { z } from 'zod';

import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyDirection } from '../core/study-direction.js';
import type { StudyView } from '../core/study-view.js';
import type { Pruner, PruningTrial } from './pruner.js';
import { stepsOf } from './reports.js';
import { createWrappedPruner, wrappedPrunerSchema, type WrappedPrunerConfig } from './wrapped-pruner.js';

export interface PatientPrunerOptions {
  /** Reports without an improvement before a trial may be pruned. */
  readonly patience: number;
  /** An improvement must be larger than this. @default 0 */
  readonly minDelta?: number | undefined;
}

/**
 * Lets another pruner decide only once a trial has not improved for `patience` reports; without another pruner such a trial is
 * pruned. The rule is that of Optuna's PatientPruner.
 */
export class PatientPruner implements Pruner {
  readonly name = 'patient';
  readonly #wrapped: Pruner | undefined;
  readonly #patience: number;
  readonly #minDelta: number;

  /** @throws UsageError for options out of range */
  constructor(wrappedPruner: Pruner | undefined, options: PatientPrunerOptions) {
    const { patience, minDelta = 0 } = options;
    if (!(Number.isInteger(patience) && patience >= 0))
      throw new UsageError(`patience must be a whole number of 0 or more, but got ${patience}.`);
    if (!(minDelta >= 0)) throw new UsageError(`minDelta must be 0 or more, but got ${minDelta}.`);
    this.#wrapped = wrappedPruner;
    this.#patience = patience;
    this.#minDelta = minDelta;
  }

  prune(study: StudyView, trial: FrozenTrial, context: PruningTrial): boolean {
    const steps = stepsOf(trial);
    if (steps.length <= this.#patience + 1) return false;
    const direction = study.directions[0] ?? 'minimize';
    const values = steps.map((step) => trial.intermediateValues[step] ?? NaN);
    const before = bestOf(values.slice(0, -this.#patience - 1), direction);
    const after = bestOf(values.slice(-this.#patience - 1), direction);
    const isStuck = direction === 'maximize' ? before - this.#minDelta > after : before + this.#minDelta < after;
    return isStuck && (this.#wrapped?.prune(study, trial, context) ?? true);
  }
}

/** NaN where there is nothing else. */
function bestOf(values: readonly number[], direction: StudyDirection): number {
  const numbers = values.filter((value) => !Number.isNaN(value));
  if (numbers.length === 0) return NaN;
  return numbers.reduce((a, b) => (direction === 'maximize' ? Math.max(a, b) : Math.min(a, b)));
}

export const patientPrunerDefinition = {
  type: 'patient',
  summary: 'Another pruner decides once a trial has not improved for some reports; without one it is pruned then',
  schema: z
    .object({
      patience: z.number().int().min(0).describe('Reports without an improvement before a trial may be pruned.'),
      min_delta: z.number().min(0).default(0).describe('An improvement must be larger than this.'),
      wrapped_pruner: wrappedPrunerSchema.optional().describe('The pruner that decides then; none: it is pruned.'),
    })
    .strict(),
  create: ({
    wrappedPruner,
    ...options
  }: PatientPrunerOptions & { readonly wrappedPruner?: WrappedPrunerConfig | undefined }) =>
    new PatientPruner(wrappedPruner === undefined ? undefined : createWrappedPruner(wrappedPruner), options),
};
