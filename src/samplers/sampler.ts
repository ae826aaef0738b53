import type { Distribution, ParamValue } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { JsonValue } from '../core/json.js';
import { createRandom, mixSeed, type Random } from '../core/random.js';
import type { SearchSpace, StudyView } from '../core/study-view.js';
import type { TrialState } from '../core/trial-state.js';

/** The trial that is being sampled, as a sampler may see and mark it. Writes are stored with the trial's next flush. */
export interface SamplingTrial {
  readonly trialId: number;
  readonly number: number;
  /** Position without interruptions: base everything that must repeat after a kill on this, never on `number`. */
  readonly logicalIndex: number;
  /** Which redraw this is: 0, or higher where earlier draws broke a `feasible:` rule. */
  readonly attempt: number;
  /** Other processes can see this trial: what it has not suggested yet is worth telling them. */
  readonly isShared: boolean;
  /** Suggested so far. */
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly systemAttrs: Readonly<Record<string, JsonValue>>;
  /** The trial as it stands now, what is not yet stored included. */
  readonly frozen: FrozenTrial;
  setSystemAttr(key: string, value: JsonValue): void;
  setStudySystemAttr(key: string, value: JsonValue): void;
  /** Ends the study after the trials now running (a grid that is used up). */
  stopStudy(): void;
}

/**
 * Proposes parameters. For each trial: `beforeTrial`; `inferRelativeSearchSpace` and `sampleRelative` once, when the trial is
 * created, for the parameters drawn jointly; `sampleIndependent` at each `suggest…` of a parameter that the joint sample lacks or
 * whose joint value does not fit the range asked for; `afterTrial` before the result is stored.
 *
 * A sampler is a function of the study's seed, its history and the trial's logical index. It may keep caches between calls, never
 * state that a fresh instance could not rebuild from the history: a killed sweep must go on as if it had not been killed.
 */
export interface Sampler {
  /** As written in a configuration: `tpe`, `random`, … */
  readonly name: string;
  /** False for one that looks at no other trial: the history is then not read before each. @default true */
  readonly readsHistory?: boolean;
  inferRelativeSearchSpace(study: StudyView, trial: SamplingTrial): SearchSpace;
  sampleRelative(
    study: StudyView,
    trial: SamplingTrial,
    searchSpace: SearchSpace,
  ): Readonly<Record<string, ParamValue>>;
  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue;
  beforeTrial?(study: StudyView, trial: SamplingTrial): void;
  afterTrial?(study: StudyView, trial: SamplingTrial, state: TrialState, values: readonly number[] | undefined): void;
  /** Whether the study's attributes, which other processes set too, are to be read anew before the next trial. */
  needsStudyAttributes?(study: StudyView): boolean;
  /** Whether there is nothing left to try, what runs now included. No further trial is begun then. */
  isExhausted?(study: StudyView): boolean;
}

/** The stream of one purpose (`label`) within one trial: the same after a restart, unrelated to any other. */
export function trialRandom(
  seed: number,
  trial: Pick<SamplingTrial, 'logicalIndex' | 'attempt'>,
  label: string,
): Random {
  return createRandom(mixSeed(seed, trial.logicalIndex, trial.attempt, label));
}
