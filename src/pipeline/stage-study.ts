import type { ParamValue } from '../core/distributions.js';
import { ResweepError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { isBetter } from '../core/study-direction.js';
import type { Place } from '../core/study-paths.js';
import type { SweepConfig } from '../core/sweep-config.js';

/** A finished study as the stages after the sweep see it: read once, its database closed again. */
export interface StageStudy {
  readonly config: SweepConfig;
  readonly study8: string;
  readonly studyDir: string;
  /** Where its outputs lie: the environment is the one in which the study began. */
  readonly place: Place;
  /** Seed of the study. */
  readonly seed: number;
  /** Finished trials. */
  readonly trials: readonly FrozenTrial[];
  /** Everything that a trial ran with, constants included. */
  paramsOf(trial: FrozenTrial): Readonly<Record<string, ParamValue>>;
  /** Place of a trial in the sequence without interruptions: its number depends on how often the machine died. */
  logicalIndexOf(trial: FrozenTrial): number;
  trialDirOf(trial: FrozenTrial): string;
  /** Finds a file that the configuration names. */
  resolvePath(path: string): string;
}

/** Name of the model's folder in a trial's or training's folder. */
export const MODEL_FOLDER = 'model';

/** COMPLETE trials that violate no constraint, the best first (of several objectives: by the first, as listed). */
export function rankedTrials({ config, trials }: StageStudy): FrozenTrial[] {
  const direction = config.metrics[0]?.goal ?? 'minimize';
  return trials
    .filter((trial) => trial.state === 'COMPLETE' && trial.isFeasible && trial.values?.[0] !== undefined)
    .sort((a, b) => {
      const [x = NaN, y = NaN] = [a.values?.[0], b.values?.[0]];
      if (x === y) return a.number - b.number;
      return isBetter(direction, x, y) ? -1 : 1;
    });
}

/** A stage's input is nowhere. */
export class StageInputMissing extends ResweepError {
  constructor(what: string, places: readonly string[], command: string) {
    super('STAGE_INPUT_MISSING', `${what} is nowhere. Looked at: ${places.join(', ')}.`, {
      hint: `${command} makes it.`,
    });
  }
}
