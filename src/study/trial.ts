import {
  CategoricalDistribution,
  FloatDistribution,
  IntDistribution,
  isCompatible,
  isSameDistribution,
  type CategoricalChoice,
  type Distribution,
  type ParamValue,
} from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { TRIAL_ATTRIBUTE, type FrozenTrial } from '../core/frozen-trial.js';
import { stringifyJson, type JsonValue } from '../core/json.js';
import type { StudyView } from '../core/study-view.js';
import { warnOnce } from '../core/warnings.js';
import type { SamplingTrial } from '../samplers/sampler.js';
import type { TrialWrite } from '../storage/storage.js';
import { checkConstraint, checkReport } from './trial-values.js';

/** A trial's study, as its objective may see it. */
export interface TrialStudy extends StudyView {
  /** Ends the study after the trials now running. */
  stop(): void;
}

/** What a trial needs of its study; not for users. */
export interface TrialHost {
  readonly study: TrialStudy;
  /** Other processes can see the trial. */
  readonly isShared: boolean;
  /** Stores a batch and keeps the study's own view of the trial up to date. */
  write(writes: readonly TrialWrite[], after: FrozenTrial): Promise<void>;
  firstDistribution(name: string): Distribution | undefined;
  sampleIndependent(trial: Trial, name: string, distribution: Distribution): ParamValue;
  setStudySystemAttr(key: string, value: JsonValue): void;
  shouldPrune(trial: Trial): Promise<boolean>;
}

/**
 * A running trial, handed to the objective. `suggest…` answers at once; what it drew is stored with the next report, tell, or
 * microtask, whichever comes first.
 */
export class Trial implements SamplingTrial {
  readonly trialId: number;
  readonly number: number;
  readonly logicalIndex: number;
  readonly study: TrialStudy;
  readonly #host: TrialHost;
  readonly #fixedParams: Readonly<Record<string, JsonValue>>;
  #state: FrozenTrial;
  #relativeParams: Readonly<Record<string, ParamValue>> = {};
  #attempt = 0;
  /** Writes queued before the first attempt, which every later one keeps. */
  #kept = 0;
  #pending: TrialWrite[] = [];
  #flushing: Promise<unknown> = Promise.resolve();
  #scheduled = false;

  constructor(host: TrialHost, state: FrozenTrial, logicalIndex: number) {
    this.#host = host;
    this.study = host.study;
    this.#state = state;
    this.trialId = state.trialId;
    this.number = state.number;
    this.logicalIndex = logicalIndex;
    const fixed = state.systemAttr(TRIAL_ATTRIBUTE.fixedParams);
    this.#fixedParams =
      fixed !== undefined && fixed !== null && typeof fixed === 'object' ? (fixed as Record<string, JsonValue>) : {};
    if (logicalIndex !== state.logicalIndex) this.setSystemAttr(TRIAL_ATTRIBUTE.logicalIndex, logicalIndex);
  }

  // ---- what is known -------------------------------------------------------------------------------------------------

  /** The trial as it stands now, what is not yet stored included. */
  get frozen(): FrozenTrial {
    return this.#state;
  }

  get params(): Readonly<Record<string, ParamValue>> {
    return this.#state.params;
  }

  get distributions(): Readonly<Record<string, Distribution>> {
    return this.#state.distributions;
  }

  get relativeParams(): Readonly<Record<string, ParamValue>> {
    return this.#relativeParams;
  }

  get userAttrs(): Readonly<Record<string, JsonValue>> {
    return this.#state.userAttrs;
  }

  get systemAttrs(): Readonly<Record<string, JsonValue>> {
    return this.#state.systemAttrs;
  }

  get datetimeStart(): Date | undefined {
    return this.#state.datetimeStart;
  }

  get isShared(): boolean {
    return this.#host.isShared;
  }

  get attempt(): number {
    return this.#attempt;
  }

  // ---- parameters ----------------------------------------------------------------------------------------------------

  /** A real number in [low, high]; `log` searches its logarithm, `step` a grid from low. @throws UsageError for an impossible range. */
  suggestFloat(name: string, low: number, high: number, options: { log?: boolean; step?: number } = {}): number {
    return this.suggest(name, aligned(name, new FloatDistribution(low, high, options), high)) as number;
  }

  /** A whole number in [low, high]. @throws UsageError for an impossible range. */
  suggestInt(name: string, low: number, high: number, options: { log?: boolean; step?: number } = {}): number {
    return this.suggest(name, aligned(name, new IntDistribution(low, high, options), high)) as number;
  }

  /** One of the choices. @throws UsageError where there is none, or where they differ from those of earlier trials. */
  suggestCategorical<const T extends CategoricalChoice>(name: string, choices: readonly T[]): T {
    return this.suggest(name, new CategoricalDistribution(choices)) as T;
  }

  /** The same for a distribution made before. A name asked for twice gives the same value. */
  suggest(name: string, distribution: Distribution): ParamValue {
    const stored = this.#state.internalParams[name];
    const partner = this.#state.distributions[name] ?? this.#host.firstDistribution(name);
    if (partner !== undefined && !isCompatible(partner, distribution)) {
      throw new UsageError(
        `Parameter "${name}" was ${partner.json} before and cannot become ${distribution.json}: kind, log and choices must stay.`,
        { hint: 'Give the parameter another name, or start another study.' },
      );
    }
    if (stored !== undefined) return (partner ?? distribution).toExternal(stored);
    // The very one of earlier trials, with its text as it was found: one object in all of them.
    const used = partner !== undefined && isSameDistribution(partner, distribution) ? partner : distribution;
    const internal = this.#draw(name, used);
    this.#state = this.#state.with({
      internalParams: { ...this.#state.internalParams, [name]: internal },
      distributions: { ...this.#state.distributions, [name]: used },
    });
    this.#queue({ kind: 'param', trialId: this.trialId, name, internal, distribution: used });
    return used.toExternal(internal);
  }

  #draw(name: string, distribution: Distribution): number {
    const fixed = this.#fixedParams[name];
    if (fixed !== undefined) {
      const internal = distribution.toInternal(fixed as ParamValue);
      if (!distribution.contains(internal)) {
        warnOnce(
          `Parameter "${name}" is fixed at ${stringifyJson(fixed)}, outside of ${distribution.json}: it is used all the same.`,
        );
      }
      return internal;
    }
    if (distribution.single()) return distribution.kind === 'categorical' ? 0 : distribution.low;
    const joint = this.#relativeParams[name];
    if (joint !== undefined) {
      const internal = jointValue(distribution, joint);
      if (internal !== undefined) return internal;
    }
    return distribution.toInternal(this.#host.sampleIndependent(this, name, distribution));
  }

  // ---- results on the way --------------------------------------------------------------------------------------------

  /** Stores an intermediate value (NaN and infinities too). A step that was reported before keeps its first value. */
  async report(value: number, step: number): Promise<void> {
    checkReport(value, step);
    if (this.study.directions.length > 1) {
      throw new UsageError('report() is not supported with several objectives, as in Optuna.');
    }
    if (!(step in this.#state.intermediateValues)) {
      this.#state = this.#state.with({ intermediateValues: { ...this.#state.intermediateValues, [step]: value } });
      this.#pending.push({ kind: 'report', trialId: this.trialId, step, value });
    }
    await this.flush();
  }

  /** Whether the study's pruner gives this trial up. @throws UsageError with several objectives. */
  async shouldPrune(): Promise<boolean> {
    await this.flush();
    return this.#host.shouldPrune(this);
  }

  /** Keeps a value of the user's with the trial; anything that JSON can hold. */
  setUserAttr(key: string, value: JsonValue): void {
    const text = stringifyJson(value);
    this.#state = this.#state.with({ userAttrTexts: { ...this.#state.userAttrTexts, [key]: text } });
    this.#queue({ kind: 'userAttr', trialId: this.trialId, key, text });
  }

  /** For samplers, pruners and the engine itself. */
  setSystemAttr(key: string, value: JsonValue): void {
    const text = stringifyJson(value);
    this.#state = this.#state.with({ systemAttrTexts: { ...this.#state.systemAttrTexts, [key]: text } });
    this.#queue({ kind: 'systemAttr', trialId: this.trialId, key, text });
  }

  setStudySystemAttr(key: string, value: JsonValue): void {
    this.#host.setStudySystemAttr(key, value);
  }

  stopStudy(): void {
    this.study.stop();
  }

  /**
   * Sets a constraint's value: the trial is feasible where every value is <= 0. A name that is set already keeps its value, with a
   * warning, as in Optuna.
   * @throws UsageError where it is no number or NaN
   */
  setConstraint(name: string, value: number): void {
    checkConstraint(name, value);
    const known = this.#state.constraints ?? {};
    if (name in known) {
      warnOnce(`Constraint "${name}" is set already: the new value is ignored.`);
      return;
    }
    // The list form is what every version of Optuna and its dashboard reads; names stand beside it.
    const listed = Object.entries(known).filter(([key]) => !this.#state.hasConstraintRow(key));
    this.setSystemAttr(TRIAL_ATTRIBUTE.constraints, [...listed.map(([, old]) => old), value]);
    this.setSystemAttr(TRIAL_ATTRIBUTE.constraintNames, [...listed.map(([key]) => key), name]);
  }

  get constraints(): Readonly<Record<string, number>> | undefined {
    return this.#state.constraints;
  }

  // ---- storing -------------------------------------------------------------------------------------------------------

  #queue(write: TrialWrite): void {
    this.#pending.push(write);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      void this.flush().catch(() => undefined); // A failure shows at the next report or tell, which waits for it.
    });
  }

  /** Takes what is queued, so that `tell` can store it in its own transaction. */
  takePending(): TrialWrite[] {
    const writes = this.#pending;
    this.#pending = [];
    return writes;
  }

  /** Stores what is queued. @throws StorageError */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) {
      await this.#flushing;
      return;
    }
    const writes = this.takePending();
    const flushing = this.#host.write(writes, this.#state);
    this.#flushing = flushing.catch(() => undefined);
    try {
      await flushing;
    } catch (error) {
      // Nothing of it was stored: it goes with the next batch.
      this.#pending = [...writes, ...this.#pending];
      throw error;
    }
  }

  // ---- engine only ---------------------------------------------------------------------------------------------------

  /** Sets the joint sample; with an attempt above 0 all that was drawn by the attempt before is forgotten. */
  beginAttempt(attempt: number, base: FrozenTrial, draw: () => Readonly<Record<string, ParamValue>>): void {
    if (attempt === 0) this.#kept = this.#pending.length;
    else {
      this.#pending.length = this.#kept;
      this.#state = base;
    }
    this.#attempt = attempt;
    this.#relativeParams = {};
    this.#relativeParams = draw();
  }
}

/** The distribution; said once where its step cut off its upper end, as Optuna does. */
function aligned<T extends FloatDistribution | IntDistribution>(name: string, distribution: T, high: number): T {
  if (distribution.high !== high) {
    warnOnce(
      `Parameter "${name}": the range [${distribution.low}, ${high}] is no multiple of its step ${distribution.step}: it ends at ${distribution.high}.`,
    );
  }
  return distribution;
}

/** The joint value in the database's terms where it fits the distribution asked for now. */
function jointValue(distribution: Distribution, value: ParamValue): number | undefined {
  try {
    const internal = distribution.toInternal(value);
    return distribution.contains(internal) ? internal : undefined;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
