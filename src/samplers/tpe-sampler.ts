import type { Distribution, ParamValue } from '../core/distributions.js';
import type { JsonValue } from '../core/json.js';
import type { SearchSpace, StudyView, TrialHistory } from '../core/study-view.js';
import { warnOnce } from '../core/warnings.js';
import { ContinuousMixture } from '../algorithms/continuous-mixture.js';
import { ObservationTable } from '../algorithms/observation-table.js';
import { ParzenEstimator, type ParzenOptions } from '../algorithms/parzen-estimator.js';
import { GroupDecomposedSearchSpace, IntersectionSearchSpace } from './intersection-search-space.js';
import { drawUniform } from './random-sampler.js';
import { shareRelativeParams, sharedRelativeParams } from './relative-params.js';
import { trialRandom, type Sampler, type SamplingTrial } from './sampler.js';
import {
  checkTpeOptions,
  defaultGamma,
  defaultGammaOfSeveral,
  hyperoptParameters,
  mayThin,
  parzenOptionsOf,
  tpeOptionsFrom,
  tpeSchema,
  type TPESamplerOptions,
} from './tpe-options.js';
import { ageOf, MOST_GOOD_OF_SEVERAL, TpeHistory } from './tpe-split.js';
import { GoodTrials, internalValues, tableOf, type SpaceTable } from './tpe-tables.js';

const RELATIVE_PARAMS = 'tpe:relative_params:';

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
  readonly #mayThin: boolean;
  readonly #intersection = new IntersectionSearchSpace();
  readonly #groups = new GroupDecomposedSearchSpace();
  readonly #caches = new WeakMap<TrialHistory, StudyCache>();

  /** @throws UsageError for options out of range, or `group` without `multivariate` */
  constructor(options: TPESamplerOptions = {}) {
    checkTpeOptions(options);
    this.#options = options;
    this.#nStartupTrials = options.nStartupTrials ?? 10;
    this.#nEiCandidates = options.nEiCandidates ?? 24;
    this.#constantLiar = options.constantLiar ?? true;
    this.#parzen = parzenOptionsOf(options);
    this.#mayThin = mayThin(options);
  }

  /** Options with which it works as Hyperopt's TPE. */
  static hyperoptParameters(): TPESamplerOptions {
    return hyperoptParameters();
  }

  #isMultivariate(study: StudyView): boolean {
    return this.#options.multivariate ?? ((this.#options.group ?? false) || study.directions.length === 1);
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    if (!this.#isMultivariate(study)) return {};
    if (this.#options.group !== true) return withoutSingles(this.#intersection.of(study));
    const groups = this.#groups.of(study);
    return Object.fromEntries(groups.flatMap((group) => Object.entries(withoutSingles(group))));
  }

  sampleRelative(
    study: StudyView,
    trial: SamplingTrial,
    searchSpace: SearchSpace,
  ): Readonly<Record<string, ParamValue>> {
    const spaces =
      this.#options.group === true
        ? this.#groups
            .of(study)
            .map((group) =>
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
      shareRelativeParams(RELATIVE_PARAMS, trial, params);
    return params;
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    if (!this.#isStarted(study)) return drawUniform(distribution, trialRandom(this.#seed(study), trial, name));
    if (this.#options.warnIndependentSampling === true && this.#isMultivariate(study)) {
      warnOnce(
        `TPESampler: parameter "${name}" is drawn by itself: not every trial has it with the same range. With group: true such parameters are drawn jointly too.`,
      );
    }
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
        Object.entries(space).map(([name, distribution], j) => {
          const value = best[j] ?? NaN;
          // A range narrower than any bandwidth that a number can hold (1e-308) has no density.
          return [name, Number.isNaN(value) ? drawUniform(distribution, random) : distribution.toExternal(value)];
        }),
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
    const entry = tableOf(cache, space, this.#parzen, this.#options.categoricalDistanceFunc, this.#mayThin);
    const { table, halvings } = entry;
    // Where a row stands for many trials, the prior weighs as much less.
    const kernels = { ...this.#parzen, priorWeight: this.#parzen.priorWeight / 2 ** halvings };
    const n = history.trials.length;
    const good = this.#goodOf(study, history, entry, n);
    const finished = table.size;
    if (this.#constantLiar) this.#addRunning(study, space, names, table, number);
    const leaveOut = good.leaveOutOf(table.size);
    const above = ContinuousMixture.suits(table, table.size - good.rows.length, kernels)
      ? new ContinuousMixture(table, kernels, leaveOut, good.rows)
      : new ParzenEstimator(table, kernels, leaveOut);
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
      const values = internalValues(history.trials[index]?.internalParams ?? {}, names);
      if (values.some(Number.isNaN)) continue;
      const row = rowOf[index] ?? -1;
      if (row >= 0) rows.push(row);
      belowTable.add(values, history.ages[index] ?? 0);
    }
    const isUniform = study.directions.length > 1;
    const options = isUniform
      ? { ...this.#parzen, weights: (size: number) => new Float64Array(size).fill(1) }
      : this.#parzen;
    return (entry.good = new GoodTrials(chosen, rows, new ParzenEstimator(belowTable, options)));
  }

  #gamma(study: StudyView, n: number): number {
    if (this.#options.gamma !== undefined) return this.#options.gamma(n);
    return study.directions.length > 1 ? Math.min(defaultGammaOfSeveral(n), MOST_GOOD_OF_SEVERAL) : defaultGamma(n);
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
        const shared = sharedRelativeParams(RELATIVE_PARAMS, running);
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
      cache = { history: new TpeHistory(study.directions, this.#options.gamma === undefined), tables: new Map() };
      this.#caches.set(study.history, cache);
    }
    cache.history.update(study);
    return cache;
  }
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

export const tpeSamplerDefinition = {
  type: 'tpe',
  summary: "Tree-structured Parzen estimator, with Optuna's algorithm and defaults",
  schema: tpeSchema,
  create: (options: Parameters<typeof tpeOptionsFrom>[0]) => new TPESampler(tpeOptionsFrom(options)),
};
