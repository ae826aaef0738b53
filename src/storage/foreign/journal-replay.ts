import { isCompatible, parseDistribution, type Distribution } from '../../core/distributions.js';
import { FrozenTrial, type TrialTemplate } from '../../core/frozen-trial.js';
import { stringifyJson, type JsonValue } from '../../core/json.js';
import type { StudyDirection } from '../../core/study-direction.js';
import { isFinished, type TrialState } from '../../core/trial-state.js';
import { withTrialIds } from '../trial-references.js';
import type { ForeignStudy } from './foreign-studies.js';
import { memberTexts, spacedJson } from './json-text.js';
import { journalTime } from './journal-times.js';

/** Codes of trial states in the journal. */
const STATES: readonly TrialState[] = ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'];
const RUNNING = 0;
const MAXIMIZE = 2;

interface Replayed {
  readonly name: string;
  readonly directions: readonly StudyDirection[];
  readonly user: Map<string, string>;
  readonly system: Map<string, string>;
  readonly trials: ReplayedTrial[];
}

interface ReplayedTrial {
  readonly id: number;
  readonly study: Replayed;
  state: TrialState;
  values: readonly number[] | undefined;
  startedAt: string | undefined;
  completedAt: string | undefined;
  readonly params: Map<string, { internal: number; distribution: Distribution }>;
  readonly reports: Map<number, number>;
  readonly user: Map<string, string>;
  readonly system: Map<string, string>;
}

type Entry = Readonly<Record<string, JsonValue>>;

/**
 * Optuna's journal played back, by Optuna's rules: a name that exists makes no study, what concerns a study or trial that is gone or
 * a trial that is finished is passed over, and so is a parameter of another kind than before.
 */
export class JournalReplay {
  readonly #studies = new Map<number, Replayed>();
  readonly #trials: ReplayedTrial[] = [];
  #nextStudyId = 0;

  /** Applies one entry, given as value and as text. @throws RangeError for an operation that is not known */
  apply(entry: Entry, text: string): void {
    switch (entry['op_code']) {
      case 0:
        this.#createStudy(entry);
        return;
      case 1:
        this.#studies.delete(Number(entry['study_id']));
        return;
      case 2:
        setTexts(this.#studies.get(Number(entry['study_id']))?.user, text, 'user_attr');
        return;
      case 3:
        setTexts(this.#studies.get(Number(entry['study_id']))?.system, text, 'system_attr');
        return;
      case 4:
        this.#createTrial(entry, text);
        return;
      case 5:
        this.#setParam(entry);
        return;
      case 6:
        this.#setState(entry);
        return;
      case 7:
        this.#open(entry)?.reports.set(Number(entry['step']), floatOf(entry['intermediate_value']));
        return;
      case 8:
        setTexts(this.#open(entry)?.user, text, 'user_attr');
        return;
      case 9:
        setTexts(this.#open(entry)?.system, text, 'system_attr');
        return;
      case 10: // Optuna's own replay passes it over too.
        return;
      default:
        throw new RangeError(`operation ${stringifyJson(entry['op_code'] ?? null)} is not known`);
    }
  }

  /** What came of it; ids count from 1, as in a database. */
  studies(): ForeignStudy[] {
    return [...this.#studies].map(([studyId, { name, directions, user, system, trials }]) => ({
      study: {
        studyId: studyId + 1,
        studyName: name,
        directions,
        userAttrTexts: Object.fromEntries(user),
        systemAttrTexts: withTrialIds(Object.fromEntries(system), (id) => id + 1),
      },
      trials: trials.map((trial, number) => new FrozenTrial(trial.id + 1, number, templateOf(trial))),
    }));
  }

  #createStudy(entry: Entry): void {
    const name = textOf(entry['study_name']);
    for (const study of this.#studies.values()) if (study.name === name) return;
    const directions = listOf(entry['directions']).map((code) =>
      Number(code) === MAXIMIZE ? ('maximize' as const) : ('minimize' as const),
    );
    this.#studies.set(this.#nextStudyId++, { name, directions, user: new Map(), system: new Map(), trials: [] });
  }

  #createTrial(entry: Entry, text: string): void {
    const study = this.#studies.get(Number(entry['study_id']));
    if (study === undefined) return;
    const value = entry['value'];
    const values = entry['values'] ?? (value === undefined || value === null ? null : [value]);
    const trial: ReplayedTrial = {
      id: this.#trials.length,
      study,
      state: STATES[Number(entry['state'] ?? RUNNING)] ?? 'RUNNING',
      values: values === null ? undefined : listOf(values).map(floatOf),
      startedAt: timeOf(entry['datetime_start']),
      completedAt: timeOf(entry['datetime_complete']),
      params: new Map(),
      reports: new Map(),
      user: new Map(),
      system: new Map(),
    };
    const distributions = objectOf(entry['distributions']);
    for (const [name, internal] of Object.entries(objectOf(entry['params']))) {
      const distribution = parseDistribution(textOf(distributions[name]));
      trial.params.set(name, { internal: Number(internal), distribution });
    }
    for (const [step, report] of Object.entries(objectOf(entry['intermediate_values'])))
      trial.reports.set(Number(step), floatOf(report));
    setTexts(trial.user, text, 'user_attrs');
    setTexts(trial.system, text, 'system_attrs');
    this.#trials.push(trial);
    study.trials.push(trial);
  }

  #setParam(entry: Entry): void {
    const trial = this.#open(entry);
    if (trial === undefined) return;
    const name = textOf(entry['param_name']);
    const distribution = parseDistribution(textOf(entry['distribution']));
    const before = trial.study.trials.find((other) => other.params.has(name))?.params.get(name);
    if (before !== undefined && !isCompatible(before.distribution, distribution)) return;
    trial.params.set(name, { internal: Number(entry['param_value_internal']), distribution });
  }

  #setState(entry: Entry): void {
    const trial = this.#open(entry);
    const state = STATES[Number(entry['state'])];
    if (trial === undefined || state === undefined) return;
    if (state === 'RUNNING') {
      if (trial.state === 'RUNNING') return;
      trial.startedAt = timeOf(entry['datetime_start']);
    }
    if (isFinished(state)) trial.completedAt = timeOf(entry['datetime_complete']);
    trial.state = state;
    const { values = null } = entry;
    if (values !== null) trial.values = listOf(values).map(floatOf);
  }

  /** The trial of an entry, where it may still be changed. */
  #open(entry: Entry): ReplayedTrial | undefined {
    const trial = this.#trials[Number(entry['trial_id'])];
    return trial === undefined || isFinished(trial.state) ? undefined : trial;
  }
}

function templateOf(trial: ReplayedTrial): TrialTemplate {
  const params = [...trial.params];
  return {
    state: trial.state,
    values: trial.values,
    startedAt: trial.startedAt,
    completedAt: trial.completedAt,
    internalParams: Object.fromEntries(params.map(([name, { internal }]) => [name, internal])),
    distributions: Object.fromEntries(params.map(([name, { distribution }]) => [name, distribution])),
    intermediateValues: Object.fromEntries(trial.reports),
    userAttrTexts: Object.fromEntries(trial.user),
    systemAttrTexts: Object.fromEntries(trial.system),
  };
}

/** Takes over the attributes in one member of an entry, as texts. */
function setTexts(into: Map<string, string> | undefined, entry: string, member: string): void {
  if (into === undefined) return;
  const text = memberTexts(entry).get(member);
  if (text === undefined) return;
  for (const [key, value] of memberTexts(text)) into.set(key, spacedJson(value));
}

function timeOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? journalTime(value) : undefined;
}

/** @throws TypeError where it is no text */
function textOf(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`${stringifyJson(value ?? null)} stands where a text belongs`);
  return value;
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function objectOf(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  return value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)
    ? {}
    : (value as Readonly<Record<string, JsonValue>>);
}

/** A number; one that Python could not write as a number was written as null. */
function floatOf(value: JsonValue | undefined): number {
  return value === null || value === undefined ? NaN : Number(value);
}
