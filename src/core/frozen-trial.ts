import { fromDatabaseTime } from './clock.js';
import type { Distribution, ParamValue } from './distributions.js';
import { StorageError } from './errors.js';
import { parseJson, stringifyJson, type JsonValue } from './json.js';
import { isFinished, type TrialState } from './trial-state.js';

/** Texts of attributes by key, each JSON as Python writes it. */
export type AttributeTexts = Readonly<Record<string, string>>;

/** System attributes that resweep itself reads and writes on trials. */
export const TRIAL_ATTRIBUTE = {
  /** Optuna: parameters that an enqueued trial must take. */
  fixedParams: 'fixed_params',
  /** Optuna: number of the trial that this one retries, the first of its chain. */
  failedTrial: 'failed_trial',
  /** Optuna: numbers of all trials of the chain before this one. */
  retryHistory: 'retry_history',
  /** Optuna's list form of constraints; feasible where every value is <= 0. */
  constraints: 'constraints',
  /** Names of the constraints, in the order of that list. */
  constraintNames: 'resweep:constraint_names',
  /** Why a trial was given up although it did nothing wrong: `{reason, at}`. */
  interrupted: 'resweep:interrupted',
  /** On a failed trial that was queued again: its retry stands for it. */
  retried: 'resweep:retried',
  /** Position in the sequence without interruptions, where it differs from the number. */
  logicalIndex: 'resweep:logical_index',
  /** Why a trial failed: `{message, …}`. */
  failure: 'resweep:failure',
} as const;

/** Everything a trial consists of when it is written whole. */
export interface TrialTemplate {
  readonly state: TrialState;
  readonly values?: readonly number[] | undefined;
  /** Naive UTC text, see `toDatabaseTime`. */
  readonly startedAt?: string | undefined;
  readonly completedAt?: string | undefined;
  /** Parameters as the database holds them, in order of suggestion. */
  readonly internalParams?: Readonly<Record<string, number>>;
  readonly distributions?: Readonly<Record<string, Distribution>>;
  /** By step. */
  readonly intermediateValues?: Readonly<Record<number, number>>;
  readonly userAttrTexts?: AttributeTexts;
  readonly systemAttrTexts?: AttributeTexts;
}

const NOTHING = Object.freeze({});

/** A trial at one moment, as read from the storage. Immutable: a change gives a new object. */
export class FrozenTrial {
  /** Key in the storage, unique over all its studies. */
  readonly trialId: number;
  /** 0, 1, 2, … within the study. */
  readonly number: number;
  readonly state: TrialState;
  readonly values: readonly number[] | undefined;
  readonly startedAt: string | undefined;
  readonly completedAt: string | undefined;
  readonly internalParams: Readonly<Record<string, number>>;
  readonly distributions: Readonly<Record<string, Distribution>>;
  readonly intermediateValues: Readonly<Record<number, number>>;
  readonly userAttrTexts: AttributeTexts;
  readonly systemAttrTexts: AttributeTexts;
  #params: Readonly<Record<string, ParamValue>> | undefined;
  #userAttrs: Readonly<Record<string, JsonValue>> | undefined;
  #systemAttrs: Readonly<Record<string, JsonValue>> | undefined;

  constructor(trialId: number, number: number, template: TrialTemplate) {
    this.trialId = trialId;
    this.number = number;
    this.state = template.state;
    this.values = template.values;
    this.startedAt = template.startedAt;
    this.completedAt = template.completedAt;
    this.internalParams = template.internalParams ?? NOTHING;
    this.distributions = template.distributions ?? NOTHING;
    this.intermediateValues = template.intermediateValues ?? NOTHING;
    this.userAttrTexts = template.userAttrTexts ?? NOTHING;
    this.systemAttrTexts = template.systemAttrTexts ?? NOTHING;
  }

  /** The one objective value. Undefined where the trial has none. @throws RangeError with several objectives. */
  get value(): number | undefined {
    if (this.values !== undefined && this.values.length > 1) {
      throw new RangeError('This trial has several objective values: use `values`.');
    }
    return this.values?.[0];
  }

  get isFinished(): boolean {
    return isFinished(this.state);
  }

  get params(): Readonly<Record<string, ParamValue>> {
    this.#params ??= Object.freeze(
      Object.fromEntries(
        Object.entries(this.internalParams).map(([name, internal]) => {
          const distribution = this.distributions[name];
          if (distribution === undefined) throw new Error(`Parameter "${name}" has no distribution.`);
          return [name, distribution.toExternal(internal)];
        }),
      ),
    );
    return this.#params;
  }

  get userAttrs(): Readonly<Record<string, JsonValue>> {
    this.#userAttrs ??= parseAttributes(this.userAttrTexts, this.number);
    return this.#userAttrs;
  }

  get systemAttrs(): Readonly<Record<string, JsonValue>> {
    this.#systemAttrs ??= parseAttributes(this.systemAttrTexts, this.number);
    return this.#systemAttrs;
  }

  /** One system attribute, without reading the others. */
  systemAttr(key: string): JsonValue | undefined {
    const text = this.systemAttrTexts[key];
    return text === undefined ? undefined : parseJson(text);
  }

  get datetimeStart(): Date | undefined {
    return this.startedAt === undefined ? undefined : fromDatabaseTime(this.startedAt);
  }

  get datetimeComplete(): Date | undefined {
    return this.completedAt === undefined ? undefined : fromDatabaseTime(this.completedAt);
  }

  /** Milliseconds between start and end, where both are known. */
  get duration(): number | undefined {
    const start = this.datetimeStart;
    const end = this.datetimeComplete;
    return start === undefined || end === undefined ? undefined : end.getTime() - start.getTime();
  }

  /** Highest reported step. */
  get lastStep(): number | undefined {
    // Keys come in ascending order only below 2^32 - 1, and a step may be a count of samples.
    let last: number | undefined;
    for (const key of Object.keys(this.intermediateValues)) {
      const step = Number(key);
      if (last === undefined || step > last) last = step;
    }
    return last;
  }

  /** Position in the sequence without interruptions (the number less the interrupted trials before it; a retry's original's). */
  get logicalIndex(): number {
    const index = this.systemAttr(TRIAL_ATTRIBUTE.logicalIndex);
    return typeof index === 'number' ? index : this.number;
  }

  /** Failed only because its process or machine went away. */
  get isInterrupted(): boolean {
    return this.state === 'FAIL' && this.systemAttrTexts[TRIAL_ATTRIBUTE.interrupted] !== undefined;
  }

  /** Another trial stands for it, or must: it was interrupted, or failed and was tried again. Does not count towards a total. */
  get isSuperseded(): boolean {
    return this.isInterrupted || this.systemAttrTexts[TRIAL_ATTRIBUTE.retried] !== undefined;
  }

  /** Constraint values by name, from Optuna's list form and its form of one row each. Undefined where none was set. */
  get constraints(): Readonly<Record<string, number>> | undefined {
    const found: Record<string, number> = {};
    const list = this.systemAttr(TRIAL_ATTRIBUTE.constraints);
    if (Array.isArray(list)) {
      const names = this.systemAttr(TRIAL_ATTRIBUTE.constraintNames);
      for (const [index, value] of list.entries()) {
        const name: unknown = Array.isArray(names) ? names[index] : undefined;
        found[typeof name === 'string' ? name : String(index)] = Number(value);
      }
    }
    for (const key of Object.keys(this.systemAttrTexts)) {
      if (key.startsWith('constraints:')) found[key.slice('constraints:'.length)] = Number(this.systemAttr(key));
    }
    return Object.keys(found).length > 0 ? found : undefined;
  }

  /** Whether this constraint stands in a row of its own (Optuna 5's form), not in the list. */
  hasConstraintRow(name: string): boolean {
    return this.systemAttrTexts[`${TRIAL_ATTRIBUTE.constraints}:${name}`] !== undefined;
  }

  /** True where no constraint is violated (none set counts as feasible). */
  get isFeasible(): boolean {
    const constraints = this.constraints;
    return constraints === undefined || Object.values(constraints).every((value) => value <= 0);
  }

  /** The same trial with some fields replaced. */
  with(changes: Partial<TrialTemplate>): FrozenTrial {
    return new FrozenTrial(this.trialId, this.number, { ...this.toTemplate(), ...changes });
  }

  /** Everything but its place in the storage. */
  toTemplate(): TrialTemplate {
    return {
      state: this.state,
      values: this.values,
      startedAt: this.startedAt,
      completedAt: this.completedAt,
      internalParams: this.internalParams,
      distributions: this.distributions,
      intermediateValues: this.intermediateValues,
      userAttrTexts: this.userAttrTexts,
      systemAttrTexts: this.systemAttrTexts,
    };
  }
}

/** @throws StorageError that names an attribute whose text is no JSON */
function parseAttributes(texts: AttributeTexts, number: number): Readonly<Record<string, JsonValue>> {
  const parsed = Object.entries(texts).map(([key, text]): [string, JsonValue] => {
    try {
      return [key, parseJson(text)];
    } catch (error) {
      throw new StorageError(`Trial ${number} cannot be read: its attribute "${key}" is no JSON.`, {
        code: 'BROKEN_TRIAL',
        cause: error,
        hint: 'resweep restore brings back a backup; resweep fsck salvages the rest.',
      });
    }
  });
  return Object.freeze(Object.fromEntries(parsed));
}

/** The reverse: values to texts. */
export function attributeTexts(attributes: Readonly<Record<string, JsonValue>>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, stringifyJson(value)]));
}
