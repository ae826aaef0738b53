import { z } from 'zod';

import type { Distribution, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { parseJson, stringifyJson, type JsonValue } from '../core/json.js';
import type { SearchSpace, StudyView, TrialHistory } from '../core/study-view.js';
import { ContinuousMixture } from '../algorithms/continuous-mixture.js';
import { ObservationTable } from '../algorithms/observation-table.js';
import { numericDimension, type Dimension } from '../algorithms/parzen-dimension.js';
import { defaultWeights, ParzenEstimator, type ParzenOptions } from '../algorithms/parzen-estimator.js';
import { decomposeSearchSpace, IntersectionSearchSpace } from './intersection-search-space.js';
import { drawUniform } from './random-sampler.js';
import { trialRandom, type Sampler, type SamplingTrial } from './sampler.js';
import { ageOf, TpeHistory } from './tpe-split.js';

const RELATIVE_PARAMS = 'tpe:relative_params:';
/** Optuna's pieces: what fits MySQL's columns. */
const PIECE = 2045;
const MOST_TABLES = 64;

export interface TPESamplerOptions {
  readonly seed?: number | undefined;
  /** Finished trials (complete and pruned) before which parameters are drawn at random. @default 10 */
  readonly nStartupTrials?: number | undefined;
  /** Candidates drawn for each suggestion. @default 24 */
  readonly nEiCandidates?: number | undefined;
  /** Draw parameters jointly. @default true with one objective, false with several */
  readonly multivariate?: boolean | undefined;
  /** Draw groups of parameters that always come together, each jointly. @default false */
  readonly group?: boolean | undefined;
  /** Take running trials of other workers for bad ones, so that workers spread. @default true */
  readonly constantLiar?: boolean | undefined;
  /** How many of n trials count as good. @default min(⌈n/10⌉, 25), uncapped with several objectives */
  readonly gamma?: ((n: number) => number) | undefined;
  /** Weights of n observations, oldest first. @default the newest 25 fully, older ones less */
  readonly weights?: ((n: number) => Float64Array | readonly number[]) | undefined;
  /** @default 1 */
  readonly priorWeight?: number | undefined;
  /** @default true */
  readonly considerMagicClip?: boolean | undefined;
  /** @default false */
  readonly considerEndpoints?: boolean | undefined;
}

/** Rows of a search space gathered from the history, up to the place `consumed`. */
interface SpaceTable {
  good: GoodTrials | undefined;
  readonly names: readonly string[];
  readonly table: ObservationTable;
  /** Row of each trial of the history; -1 where it lacks a parameter. */
  readonly rowOf: number[];
}

/** The good trials of a moment and their density. */
class GoodTrials {
  readonly chosen: readonly number[];
  /** Their rows in the table. */
  readonly rows: readonly number[];
  readonly density: ParzenEstimator;
  #leaveOut = new Uint8Array(0);

  constructor(chosen: readonly number[], rows: readonly number[], density: ParzenEstimator) {
    this.chosen = chosen;
    this.rows = rows;
    this.density = density;
  }

  /** 1 for each of their rows, in a table of `size` rows. */
  leaveOutOf(size: number): Uint8Array {
    if (this.#leaveOut.length < size) {
      this.#leaveOut = new Uint8Array(size + 256);
      for (const row of this.rows) this.#leaveOut[row] = 1;
    }
    return this.#leaveOut;
  }
}

interface StudyCache {
  readonly history: TpeHistory;
  readonly tables: Map<string, SpaceTable>;
}

/**
 * Tree-structured Parzen estimator, the algorithm and defaults of Optuna 5: draws candidates from the density of the good trials and
 * takes the one whose density ratio against the others is largest.
 *
 * Bergstra et al., NeurIPS 2011; multivariate and further rules: Watanabe, arXiv:2304.11127; several objectives: Ozaki et al., GECCO
 * 2020.
 */
export class TPESampler implements Sampler {
  readonly name = 'tpe';
  readonly #options: TPESamplerOptions;
  readonly #nStartupTrials: number;
  readonly #nEiCandidates: number;
  readonly #constantLiar: boolean;
  readonly #parzen: ParzenOptions;
  readonly #intersection = new IntersectionSearchSpace();
  readonly #caches = new WeakMap<TrialHistory, StudyCache>();

  /** @throws UsageError for options out of range, or `group` without `multivariate` */
  constructor(options: TPESamplerOptions = {}) {
    const { nStartupTrials = 10, nEiCandidates = 24, priorWeight = 1, group = false, multivariate } = options;
    if (!(nStartupTrials >= 0)) throw new UsageError(`nStartupTrials must be 0 or more, but got ${nStartupTrials}.`);
    if (!(nEiCandidates >= 1)) throw new UsageError(`nEiCandidates must be 1 or more, but got ${nEiCandidates}.`);
    if (!(priorWeight >= 0)) throw new UsageError(`priorWeight must be 0 or more, but got ${priorWeight}.`);
    if (group && multivariate === false) throw new UsageError('group works only with multivariate sampling.');
    this.#options = options;
    this.#nStartupTrials = nStartupTrials;
    this.#nEiCandidates = nEiCandidates;
    this.#constantLiar = options.constantLiar ?? true;
    const { weights } = options;
    this.#parzen = {
      priorWeight,
      considerMagicClip: options.considerMagicClip ?? true,
      considerEndpoints: options.considerEndpoints ?? false,
      weights: weights === undefined ? defaultWeights : (n) => checkedWeights(weights(n), n),
    };
  }

  #isMultivariate(study: StudyView): boolean {
    return this.#options.multivariate ?? ((this.#options.group ?? false) || study.directions.length === 1);
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    if (!this.#isMultivariate(study)) return {};
    if (this.#options.group !== true) return withoutSingles(this.#intersection.of(study));
    const groups = decomposeSearchSpace(study.history.finished);
    return Object.fromEntries(groups.flatMap((group) => Object.entries(withoutSingles(group))));
  }

  sampleRelative(
    study: StudyView,
    trial: SamplingTrial,
    searchSpace: SearchSpace,
  ): Readonly<Record<string, ParamValue>> {
    const spaces =
      this.#options.group === true
        ? decomposeSearchSpace(study.history.finished).map((group) =>
            Object.fromEntries(Object.entries(withoutSingles(group)).filter(([name]) => name in searchSpace)),
          )
        : [searchSpace];
    const params: Record<string, ParamValue> = {};
    for (const space of spaces) {
      if (Object.keys(space).length > 0 && this.#isStarted(study)) {
        Object.assign(params, this.#sample(study, trial, space, `joint ${Object.keys(space).join()}`));
      }
    }
    if (this.#constantLiar && Object.keys(params).length > 0 && this.#isWatched(study, trial))
      shareRelativeParams(trial, params);
    return params;
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    if (!this.#isStarted(study)) return drawUniform(distribution, trialRandom(this.#seed(study), trial, name));
    const drawn = this.#sample(study, trial, { [name]: distribution }, name)[name];
    if (drawn === undefined) throw new Error(`Nothing was drawn for ${name}.`);
    return drawn;
  }

  /** Whether another worker may look at what this trial has not suggested yet. */
  #isWatched(study: StudyView, trial: SamplingTrial): boolean {
    return trial.isShared || study.history.unfinished.length > 1;
  }

  #seed(study: StudyView): number {
    return this.#options.seed ?? study.seed;
  }

  #isStarted(study: StudyView): boolean {
    return this.#cacheOf(study).history.trials.length >= this.#nStartupTrials;
  }

  #sample(study: StudyView, trial: SamplingTrial, space: SearchSpace, label: string): Record<string, ParamValue> {
    const { below, above, release } = this.estimators(study, space, trial.number);
    try {
      const random = trialRandom(this.#seed(study), trial, label);
      const candidates = Array.from({ length: this.#nEiCandidates }, () => below.sample(random));
      let best = candidates[0] ?? [];
      let bestScore = -Infinity;
      for (const candidate of candidates) {
        const good = below.logPdf(candidate);
        // Once the others' density rules a candidate out, how much denser it is does not matter.
        const score = good - above.logPdf(candidate, good - bestScore);
        if (score <= bestScore) continue;
        best = candidate;
        bestScore = score;
      }
      return Object.fromEntries(
        Object.entries(space).map(([name, distribution], j) => [name, distribution.toExternal(best[j] ?? NaN)]),
      );
    } finally {
      release();
    }
  }

  /**
   * The densities of good and other trials over a space, as a suggestion for trial `number` uses them. For tests and analysis;
   * `release` must be called before the next.
   */
  estimators(
    study: StudyView,
    space: SearchSpace,
    number: number,
  ): { below: ParzenEstimator; above: ParzenEstimator | ContinuousMixture; release: () => void } {
    const cache = this.#cacheOf(study);
    const { history } = cache;
    const names = Object.keys(space);
    const entry = this.#tableOf(cache, space);
    const { table } = entry;
    const n = history.trials.length;
    const good = this.#goodOf(study, history, entry, n);
    const finished = table.size;
    if (this.#constantLiar) this.#addRunning(study, space, names, table, number);
    const leaveOut = good.leaveOutOf(table.size);
    const above = ContinuousMixture.suits(table, table.size - good.rows.length, this.#parzen)
      ? new ContinuousMixture(table, this.#parzen, leaveOut, good.rows)
      : new ParzenEstimator(table, this.#parzen, leaveOut);
    return {
      below: good.density,
      above,
      release: () => {
        table.truncate(finished);
      },
    };
  }

  /** The good trials' density, made anew only when they are others: most trials that finish do not join them. */
  #goodOf(study: StudyView, history: TpeHistory, entry: SpaceTable, n: number): GoodTrials {
    const chosen = history.best(this.#gamma(study, n));
    const known = entry.good;
    if (known?.chosen.length === chosen.length && known.chosen.every((index, i) => index === chosen[i])) return known;
    const { table, rowOf, names } = entry;
    const belowTable = new ObservationTable(table.dimensions, { capacity: 32 });
    const rows: number[] = [];
    for (const index of chosen) {
      const trial = history.trials[index];
      const row = rowOf[index] ?? -1;
      if (row < 0 || trial === undefined) continue;
      rows.push(row);
      belowTable.add(internalValues(trial.internalParams, names), history.ages[index] ?? 0);
    }
    const isUniform = study.directions.length > 1;
    const options = isUniform
      ? { ...this.#parzen, weights: (size: number) => new Float64Array(size).fill(1) }
      : this.#parzen;
    return (entry.good = new GoodTrials(chosen, rows, new ParzenEstimator(belowTable, options)));
  }

  #gamma(study: StudyView, n: number): number {
    if (this.#options.gamma !== undefined) return this.#options.gamma(n);
    const tenth = Math.ceil(0.1 * n);
    return study.directions.length > 1 ? tenth : Math.min(tenth, 25);
  }

  /** Running trials of all workers but this one count as bad, with what they have shared of their parameters. */
  #addRunning(
    study: StudyView,
    space: SearchSpace,
    names: readonly string[],
    table: ObservationTable,
    number: number,
  ): void {
    const isMultivariate = this.#isMultivariate(study);
    for (const running of study.history.unfinished) {
      if (running.state !== 'RUNNING' || running.number === number) continue;
      const values = internalValues(running.internalParams, names);
      if (values.some(Number.isNaN)) {
        if (!isMultivariate) continue;
        const shared = sharedRelativeParams(running);
        for (const [j, name] of names.entries()) {
          const value = shared[name];
          if (Number.isNaN(values[j]) && value !== undefined) values[j] = toInternal(space[name], value);
        }
        if (values.some(Number.isNaN)) continue;
      }
      table.add(values, ageOf(running));
    }
  }

  #cacheOf(study: StudyView): StudyCache {
    let cache = this.#caches.get(study.history);
    if (cache === undefined) {
      cache = { history: new TpeHistory(study.directions), tables: new Map() };
      this.#caches.set(study.history, cache);
    }
    cache.history.update(study);
    return cache;
  }

  #tableOf(cache: StudyCache, space: SearchSpace): SpaceTable {
    const key = Object.entries(space)
      .map(([name, distribution]) => `${name} ${distribution.json}`)
      .join('\n');
    let entry = cache.tables.get(key);
    if (entry === undefined) {
      if (cache.tables.size >= MOST_TABLES) cache.tables.clear();
      entry = {
        good: undefined,
        names: Object.keys(space),
        table: new ObservationTable(Object.values(space).map(dimensionOf), { kernels: this.#parzen }),
        rowOf: [],
      };
      cache.tables.set(key, entry);
    }
    const { history } = cache;
    for (let index = entry.rowOf.length; index < history.trials.length; index++) {
      const values = internalValues(history.trials[index]?.internalParams ?? {}, entry.names);
      entry.rowOf.push(values.some(Number.isNaN) ? -1 : entry.table.add(values, history.ages[index] ?? 0));
    }
    return entry;
  }
}

function dimensionOf(distribution: Distribution): Dimension {
  return distribution.kind === 'categorical'
    ? { kind: 'categorical', choices: distribution.choices.length }
    : numericDimension({
        low: distribution.low,
        high: distribution.high,
        log: distribution.log,
        step: distribution.step,
      });
}

/** NaN for a parameter that is absent. */
function internalValues(params: Readonly<Record<string, number>>, names: readonly string[]): number[] {
  return names.map((name) => params[name] ?? NaN);
}

function toInternal(distribution: Distribution | undefined, value: JsonValue): number {
  try {
    return distribution?.toInternal(value as ParamValue) ?? NaN;
  } catch {
    return NaN; // Another worker's space has changed under our eyes.
  }
}

function withoutSingles(space: SearchSpace): SearchSpace {
  const entries = Object.entries(space);
  if (!entries.some(([, distribution]) => distribution.single())) return space;
  return Object.fromEntries(entries.filter(([, distribution]) => !distribution.single()));
}

/** Tells other workers, Python's too, what this trial is going to try before it has suggested all of it. */
function shareRelativeParams(trial: SamplingTrial, params: Readonly<Record<string, ParamValue>>): void {
  const text = stringifyJson(params);
  for (let i = 0; i * PIECE < text.length; i++) {
    trial.setSystemAttr(`${RELATIVE_PARAMS}${i}`, text.slice(i * PIECE, (i + 1) * PIECE));
  }
}

function sharedRelativeParams(trial: FrozenTrial): Readonly<Record<string, JsonValue>> {
  let text = '';
  for (let i = 0; ; i++) {
    const piece = trial.systemAttr(`${RELATIVE_PARAMS}${i}`);
    if (typeof piece !== 'string') break;
    text += piece;
  }
  if (text === '') return {};
  try {
    return parseJson(text) as Readonly<Record<string, JsonValue>>;
  } catch {
    return {}; // Half-written by its worker.
  }
}

function checkedWeights(weights: Float64Array | readonly number[], n: number): Float64Array {
  const checked = Float64Array.from(weights).slice(0, n);
  if (checked.some((weight) => !(weight >= 0) || !Number.isFinite(weight))) {
    throw new UsageError(
      `The weights function must give finite values >= 0, but for ${n} it gave ${[...checked].join(', ')}.`,
    );
  }
  if (n > 0 && checked.every((weight) => weight === 0)) {
    throw new UsageError(`The weights function must not give zeros only, but did for ${n}.`);
  }
  return checked;
}

export const tpeSamplerDefinition = {
  type: 'tpe',
  summary: "Tree-structured Parzen estimator, with Optuna's algorithm and defaults",
  schema: z
    .object({
      seed: z.number().int().optional(),
      n_startup_trials: z.number().int().min(0).default(10).describe('Finished trials before the model is used.'),
      n_ei_candidates: z.number().int().min(1).default(24).describe('Candidates drawn for each suggestion.'),
      multivariate: z.boolean().optional().describe('Draw parameters jointly; default: with a single objective.'),
      group: z.boolean().default(false).describe('Draw groups of parameters that come together, each jointly.'),
      constant_liar: z.boolean().default(true).describe('Take running trials of other workers for bad ones.'),
    })
    .strict(),
  create: (options: TPESamplerOptions) => new TPESampler(options),
};
