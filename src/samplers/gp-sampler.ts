import { z } from 'zod';

import type { GpParameters } from '../algorithms/gaussian-process.js';
import { fitWithGammaPrior } from '../algorithms/gp-gamma-prior.js';
import { searchAcquisition } from '../algorithms/mixed-acquisition-search.js';
import { nonDominationRanks } from '../algorithms/non-dominated-sort.js';
import { pointKey } from '../algorithms/search-domain.js';
import type { Distribution, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import type { SearchSpace, StudyView } from '../core/study-view.js';
import { warnOnce } from '../core/warnings.js';
import { acquisitionFor, targetsOf } from './gp-model.js';
import { evenValue } from './even-values.js';
import { IntersectionSearchSpace } from './intersection-search-space.js';
import { refitSize } from './refit-size.js';
import { shareRelativeParams, sharedRelativeParams } from './relative-params.js';
import { trialRandom, type Sampler, type SamplingTrial } from './sampler.js';
import { TrialLogs, type LogEntry, type TrialLog } from './trial-log.js';
import { UnitSpace } from './unit-space.js';

const RELATIVE_PARAMS = 'gp:relative_params:';
/** Trials that the processes see at most: a suggestion's time grows with the square of their number, a fit's with the cube. */
const MODEL_ROWS = 200;
/** Trials from which hyper-parameters are worked out. */
const FIT_ROWS = 100;
/** Evenly spread points of a search, and local searches: from the best of those points, and from the best trial. */
const SINGLE = { draws: 200, searches: 5 };
/** The same from so many trials on: each costs more, and less is left to be found. */
const LONG_ROWS = 60;
const LONG = { draws: 100, searches: 2 };
/** Where constraints cut what is promising into pieces, from more of them. */
const CONSTRAINED = { draws: 400, searches: 6 };
/** Best trials around which there are more points. */
const CENTRES = 3;
/** With several objectives each evaluation takes many draws of each. */
const SEVERAL = { draws: 256, searches: 5 };

export interface GPSamplerOptions {
  /** In place of the study's own. */
  readonly seed?: number | undefined;
  /** For the first trials, and for parameters that not every trial has. @default values spread evenly along the trials */
  readonly independentSampler?: Sampler | undefined;
  /** Completed trials before which the independent sampler is used. @default 10 */
  readonly nStartupTrials?: number | undefined;
  /** The same parameters always give the same value: the model then assumes no noise. @default false */
  readonly deterministicObjective?: boolean | undefined;
  /** Warn of each parameter that the independent sampler draws once the model is in use. @default true */
  readonly warnIndependentSampling?: boolean | undefined;
}

interface Fit {
  readonly anchor: number;
  readonly size: number;
  readonly atAnchor: ParametersByTarget;
  readonly parameters: ParametersByTarget;
}

/** Hyper-parameters by name of the target. */
type ParametersByTarget = ReadonlyMap<string, GpParameters>;

/**
 * Bayesian optimisation with Gaussian processes, after Optuna 5's sampler of that name: ARD Matérn 5/2 kernels with categories at
 * distance 0 or 1, hyper-parameters of largest posterior density, log expected improvement (of the hypervolume with several
 * objectives), constraints, and trials that are running. In a space without continuous parameters nothing is tried twice. Fitted to
 * at most 200 trials, the better half and others evenly, so its cost is bounded.
 *
 * Kernel and fit: Rasmussen & Williams 2006, ch. 4, 5; acquisition: Ament et al., NeurIPS 2023, eq. 9 and 10; Daulton, Balandat &
 * Bakshy, NeurIPS 2020, eq. 1; Gardner et al., ICML 2014.
 */
export class GPSampler implements Sampler {
  readonly name = 'gp';
  readonly #seed: number | undefined;
  readonly #independent: Sampler | undefined;
  readonly #nStartupTrials: number;
  readonly #isDeterministic: boolean;
  readonly #warns: boolean;
  readonly #intersection = new IntersectionSearchSpace();
  readonly #spaces = new WeakMap<SearchSpace, { space: UnitSpace; searched: SearchSpace }>();
  readonly #logs = new TrialLogs();
  readonly #fits = new WeakMap<TrialLog, Fit>();

  /** @throws UsageError where nStartupTrials is negative */
  constructor(options: GPSamplerOptions = {}) {
    const { nStartupTrials = 10 } = options;
    if (!(nStartupTrials >= 0)) throw new UsageError(`nStartupTrials must be 0 or more, but got ${nStartupTrials}.`);
    this.#seed = options.seed;
    this.#nStartupTrials = nStartupTrials;
    this.#isDeterministic = options.deterministicObjective ?? false;
    this.#warns = options.warnIndependentSampling ?? true;
    this.#independent = options.independentSampler;
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    return this.#spaceOf(study).searched;
  }

  #spaceOf(study: StudyView): { space: UnitSpace; searched: SearchSpace } {
    const shared = this.#intersection.of(study);
    let known = this.#spaces.get(shared);
    if (known === undefined) {
      const searched = Object.fromEntries(Object.entries(shared).filter(([, distribution]) => !distribution.single()));
      known = { space: new UnitSpace(searched), searched };
      this.#spaces.set(shared, known);
    }
    return known;
  }

  sampleRelative(study: StudyView, trial: SamplingTrial): Readonly<Record<string, ParamValue>> {
    const { space } = this.#spaceOf(study);
    if (space.names.length === 0) return {};
    const log = this.#logs.of(study, space);
    if (log.complete.length < Math.max(1, this.#nStartupTrials)) return {};
    const params = space.decode(this.#propose(study, trial, space, log));
    if (trial.isShared || study.history.unfinished.length > 1) shareRelativeParams(RELATIVE_PARAMS, trial, params);
    return params;
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    if (this.#warns && !distribution.single()) this.#warnOfIndependent(study, name);
    return this.#independent === undefined
      ? evenValue(this.#seed ?? study.seed, trial, name, distribution)
      : this.#independent.sampleIndependent(study, trial, name, distribution);
  }

  #warnOfIndependent(study: StudyView, name: string): void {
    if (name in this.#intersection.of(study)) return;
    const complete = study.history.finished.filter(({ state }) => state === 'COMPLETE').length;
    if (complete < Math.max(1, this.#nStartupTrials)) return;
    warnOnce(
      `Parameter "${name}" of study "${study.studyName}" is drawn ${this.#independent === undefined ? 'evenly' : `by the sampler "${this.#independent.name}"`}, not by the Gaussian process: not every trial has it.`,
    );
  }

  beforeTrial(study: StudyView, trial: SamplingTrial): void {
    this.#independent?.beforeTrial?.(study, trial);
  }

  afterTrial(...parts: Parameters<NonNullable<Sampler['afterTrial']>>): void {
    this.#independent?.afterTrial?.(...parts);
  }

  #propose(study: StudyView, trial: SamplingTrial, space: UnitSpace, log: TrialLog): Float64Array {
    const random = trialRandom(this.#seed ?? study.seed, trial, 'gp');
    const { columns } = space;
    const entries = log.sample(MODEL_ROWS);
    const pending = study.history.unfinished.flatMap((other) => {
      if (other.state !== 'RUNNING' || other.number === trial.number) return [];
      const shared = sharedRelativeParams(RELATIVE_PARAMS, other) as Record<string, ParamValue>;
      const point = space.encodeParams({ ...shared, ...other.params });
      return point === undefined ? [] : [point];
    });
    const fits = this.#fitsOf(space, log);
    const objectives = study.directions.length;
    const { acquisition, scales } = acquisitionFor({
      columns,
      entries,
      pending,
      parametersOf: ({ name }) => fits.get(name) ?? unfitted(columns.length),
      random,
    });
    const hasSeveral = objectives > 1 || pending.length > 0;
    const single = entries.length < LONG_ROWS ? SINGLE : LONG;
    const { draws, searches } = hasSeveral ? SEVERAL : log.isConstrained ? CONSTRAINED : single;
    return searchAcquisition(acquisition, {
      columns,
      scales,
      starts: startsOf(entries, random),
      excluded: pending.length === 0 ? log.keys : new Set([...log.keys, ...pending.map(pointKey)]),
      centres: objectives > 1 ? [] : log.ranked.slice(0, CENTRES).map(({ point }) => point),
      draws,
      searches,
      evaluations: 30,
      random,
    });
  }

  /**
   * Hyper-parameters of all objectives and constraints. Worked out from scratch at some numbers of completed trials; in
   * between, what was found there is where the search begins: so they follow from the history alone.
   */
  #fitsOf(space: UnitSpace, log: TrialLog): ParametersByTarget {
    const size = log.complete.length;
    const known = this.#fits.get(log);
    const fitSize = refitSize(size, 20);
    if (known?.size === fitSize) return known.parameters;
    const anchor = refitSize(size, 4);
    const atAnchor =
      known?.anchor === anchor ? known.atAnchor : this.#fit(space, log.sample(FIT_ROWS, anchor), undefined);
    const parameters = fitSize === anchor ? atAnchor : this.#fit(space, log.sample(FIT_ROWS, fitSize), atAnchor);
    this.#fits.set(log, { anchor, size: fitSize, atAnchor, parameters });
    return parameters;
  }

  #fit(space: UnitSpace, entries: readonly LogEntry[], starts: ParametersByTarget | undefined): ParametersByTarget {
    const { objectives, constraints } = targetsOf(entries);
    return new Map(
      [...objectives, ...constraints].map(({ name, rows, scores }) => [
        name,
        fitWithGammaPrior(
          space.columns,
          rows.map((row) => entries[row]?.point ?? new Float64Array(0)),
          scores,
          {
            isDeterministic: this.#isDeterministic,
            start: starts?.get(name) ?? lowNoise(space.columns.length),
            maxIterations: starts === undefined ? 60 : 15,
          },
        ),
      ]),
    );
  }
}

function unfitted(dimensions: number): GpParameters {
  return { inverseSquaredScales: new Float64Array(dimensions).fill(1), signalVariance: 1, noiseVariance: 1 };
}

/** Where a fit begins: from much noise it may end where noise explains everything. */
function lowNoise(dimensions: number): GpParameters {
  return { ...unfitted(dimensions), noiseVariance: 0.01 };
}

/** The best feasible trial, or some of the feasible Pareto front. */
function startsOf(entries: readonly LogEntry[], random: Random): Float64Array[] {
  const feasible = entries.filter(({ violation }) => violation === 0);
  const [some] = feasible;
  if (some === undefined) return [];
  if (some.losses.length === 1) {
    return [feasible.reduce((best, entry) => ((entry.losses[0] ?? 0) < (best.losses[0] ?? 0) ? entry : best)).point];
  }
  const ranks = nonDominationRanks(feasible.map(({ losses }) => losses));
  const front = feasible.filter((_, i) => ranks[i] === 0);
  return random
    .shuffle(front)
    .slice(0, SEVERAL.searches >> 1)
    .map(({ point }) => point);
}

export const gpSamplerDefinition = {
  type: 'gp',
  summary: 'Gaussian process, log expected improvement: smooth objectives of a few hundred trials',
  schema: z
    .object({
      seed: z.number().int().optional(),
      n_startup_trials: z.number().int().min(0).default(10).describe('Completed trials before the model is used.'),
      deterministic_objective: z
        .boolean()
        .default(false)
        .describe('The same parameters always give the same value: no noise is assumed.'),
    })
    .strict(),
  create: (options: GPSamplerOptions) => new GPSampler(options),
};
