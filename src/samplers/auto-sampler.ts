import { z } from 'zod';

import { randomPoint } from '../algorithms/candidate-search.js';
import type { GpParameters } from '../algorithms/gaussian-process.js';
import { masked, pointKey, valueForShare } from '../algorithms/search-domain.js';
import { proposeByModel } from '../algorithms/sequential-model.js';
import { areTreesOfUse, chooseWarp, fitProcess } from '../algorithms/surrogate-fit.js';
import type { Warp } from '../algorithms/target-transform.js';
import { nonDominationRanks } from '../algorithms/non-dominated-sort.js';
import { SobolSequence, MOST_SOBOL_DIMENSIONS } from '../algorithms/sobol.js';
import type { Distribution, ParamValue } from '../core/distributions.js';
import { createRandom, mixSeed, type Random } from '../core/random.js';
import type { SearchSpace, StudyView } from '../core/study-view.js';
import { feasibilityModel } from './auto-feasibility.js';
import type { EncodedSpace } from './encoded-space.js';
import { evenValue } from './even-values.js';
import { GPSampler } from './gp-sampler.js';
import { InferredSpace } from './inferred-space.js';
import { refitSize } from './refit-size.js';
import { shareRelativeParams, sharedRelativeParams } from './relative-params.js';
import { trialRandom, type Sampler, type SamplingTrial } from './sampler.js';
import { TrialLogs, type LogEntry, type TrialLog } from './trial-log.js';

const RELATIVE_PARAMS = 'auto:relative_params:';
/** Trials before the model: the middle of the space, then a Sobol sequence. */
const STARTUP_TRIALS = 5;
/** The same with several objectives: what they can do at their worst says how far the front reaches. */
const STARTUP_OF_SEVERAL = 10;
/** Trials that the model sees at most, the better half and others evenly: its time grows with the square. */
const MODEL_ROWS = 100;
/** Trials from which its hyper-parameters are worked out. */
const FIT_ROWS = 100;
/** Latest trials that constraints are learnt from: anew for each suggestion. */
const CONSTRAINT_ROWS = 60;
/** Objectives and parameters up to which constraints are left to Gaussian processes. */
const MOST_OBJECTIVES = 2;
const MOST_COLUMNS = 20;
/** Best trials around which candidates are searched. */
const CENTRES = 3;

/** The model's hyper-parameters as of some number of completed trials. */
interface Fit {
  readonly size: number;
  /** By objective. */
  readonly targets: readonly TargetFit[];
  /** Warps and their hyper-parameters, by objective, chosen at fewer numbers of trials. */
  readonly chosen: { readonly at: number; readonly targets: readonly Choice[] };
}

interface Choice {
  readonly warp: Warp;
  readonly parameters: GpParameters;
}

interface TargetFit extends Choice {
  readonly withTrees: boolean;
}

export interface AutoSamplerOptions {
  /** In place of the study's own. */
  readonly seed?: number | undefined;
}

/**
 * The default of `resweep run`: sequential model-based optimisation for whatever space a study has. A few evenly spread trials, then
 * a Gaussian process (joint and additive kernels) and randomised trees, weighed by how well each predicts results left out; the
 * candidate of largest expected improvement, found by local search, is tried next. Several objectives by the hypervolume that is added,
 * constraints by the probability that they are kept, running trials as if they had come out as expected, pruned ones at what they were
 * heading for. docs/samplers.md explains and measures it.
 */
export class AutoSampler implements Sampler {
  readonly name = 'auto';
  readonly #seed: number | undefined;
  readonly #processes: GPSampler;
  readonly #spaces = new InferredSpace();
  readonly #logs = new TrialLogs();
  readonly #fits = new WeakMap<TrialLog, Fit>();
  readonly #designs = new WeakMap<EncodedSpace, { seed: number; sequence: SobolSequence | undefined }>();

  constructor(options: AutoSamplerOptions = {}) {
    this.#seed = options.seed;
    this.#processes = new GPSampler({
      seed: options.seed,
      nStartupTrials: STARTUP_TRIALS,
      warnIndependentSampling: false,
    });
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    const space = this.#spaces.of(study);
    if (space === undefined) return {};
    return Object.fromEntries(space.names.map((name, j) => [name, space.distributions[j] as Distribution]));
  }

  sampleRelative(study: StudyView, trial: SamplingTrial): Readonly<Record<string, ParamValue>> {
    const space = this.#spaces.of(study);
    if (space === undefined || space.names.length === 0) return {};
    const log = this.#logs.of(study, space);
    const startup = study.directions.length > 1 ? STARTUP_OF_SEVERAL : STARTUP_TRIALS;
    if (log.complete.length >= startup && isForProcesses(study, space, log)) {
      const params = this.#processes.sampleRelative(study, trial);
      if (space.names.every((name) => name in params)) return params;
    }
    const point =
      log.size < startup || log.complete.length === 0
        ? this.#startPoint(study, trial, space, log)
        : this.#modelPoint(study, trial, space, log);
    // A define-by-run objective may ask for what the conditions learnt so far leave out.
    const params = space.decode(point, study.declaredSpace === undefined);
    if (trial.isShared || study.history.unfinished.length > 1) shareRelativeParams(RELATIVE_PARAMS, trial, params);
    return params;
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    return evenValue(this.#seed ?? study.seed, trial, name, distribution);
  }

  #startPoint(study: StudyView, trial: SamplingTrial, space: EncodedSpace, log: TrialLog): Float64Array {
    const { domain } = space;
    const seed = this.#seed ?? study.seed;
    const random = trialRandom(seed, trial, 'start');
    const { columns } = domain;
    if (trial.attempt === 0) {
      let design = this.#designs.get(space);
      if (design?.seed !== seed) {
        const sequence =
          columns.length > MOST_SOBOL_DIMENSIONS
            ? undefined
            : new SobolSequence(columns.length, createRandom(mixSeed(seed, 'design')));
        design = { seed, sequence };
        this.#designs.set(space, design);
      }
      const shares = design.sequence?.point(trial.logicalIndex);
      const point = Float64Array.from(columns, (column, j) => {
        const share = shares?.[j] ?? random.uniform();
        return valueForShare(column, trial.logicalIndex === 0 && column.kind !== 'categorical' ? 0.5 : share);
      });
      if (!log.keys.has(pointKey(masked(domain, point)))) return point;
    }
    let point = randomPoint(columns, random);
    for (let i = 0; i < 100 && log.keys.has(pointKey(masked(domain, point))); i++) point = randomPoint(columns, random);
    return point;
  }

  #modelPoint(study: StudyView, trial: SamplingTrial, space: EncodedSpace, log: TrialLog): Float64Array {
    const { domain } = space;
    const random = trialRandom(this.#seed ?? study.seed, trial, 'model');
    const hasSeveral = study.directions.length > 1;
    const entries = log.sample(MODEL_ROWS);
    const pruned = hasSeveral ? [] : log.estimatedPruned(Math.max(MODEL_ROWS >> 2, MODEL_ROWS - entries.length));
    const pending = study.history.unfinished.flatMap((other) => {
      if (other.state !== 'RUNNING' || other.number === trial.number) return [];
      const shared = space.encodeParams({
        ...(sharedRelativeParams(RELATIVE_PARAMS, other) as Record<string, ParamValue>),
        ...other.params,
      });
      return shared.every(Number.isNaN) ? [] : [masked(domain, space.whole(shared))];
    });
    const fitted = this.#fit(study, space, log).targets;
    const candidate = proposeByModel({
      domain,
      rows: [...entries.map(({ point }) => point), ...pruned.map(({ entry }) => entry.point)],
      targets: fitted.map((fit, m) => ({
        ...fit,
        losses: [...entries.map(({ losses }) => losses[m] ?? NaN), ...pruned.map(({ loss }) => loss)],
      })),
      isFeasible: [...entries.map(({ violation }) => violation === 0), ...pruned.map(() => false)],
      failed: log.failed.slice(-20).map(({ point }) => point),
      pending,
      centres: (hasSeveral ? someOfFront(entries, random) : log.ranked.slice(0, CENTRES)).map(({ point }) =>
        space.whole(point),
      ),
      excluded: pending.length === 0 ? log.keys : new Set([...log.keys, ...pending.map(pointKey)]),
      logFeasibility: feasibilityModel(domain.columns, entries.slice(-CONSTRAINT_ROWS)),
      random,
    });
    return candidate?.point ?? randomPoint(domain.columns, random);
  }

  /** As of the last refit: at fixed numbers of completed trials, so that it follows from the history alone. */
  #fit(study: StudyView, space: EncodedSpace, log: TrialLog): Fit {
    const size = refitSize(log.size, 20);
    const known = this.#fits.get(log);
    if (known?.size === size) return known;
    const { columns } = space.domain;
    const chosenAt = refitSize(log.size, 4);
    const chosen =
      known?.chosen.at === chosenAt ? known.chosen : { at: chosenAt, targets: chooseAt(study, space, log, chosenAt) };
    const { points, losses } = observationsAt(study, log, size);
    const random = createRandom(mixSeed(this.#seed ?? study.seed, 'trees', size));
    const targets = losses.map((own, m) => {
      const { warp, parameters: before } = chosen.targets[m] as Choice;
      const parameters = size === chosenAt ? before : fitProcess(columns, points, own, warp);
      return { warp, parameters, withTrees: areTreesOfUse(columns, points, own, { warp, parameters }, random) };
    });
    const fitted = { size, targets, chosen };
    this.#fits.set(log, fitted);
    return fitted;
  }
}

/** Some of the Pareto front of what keeps the constraints best. */
function someOfFront(entries: readonly LogEntry[], random: Random): LogEntry[] {
  const least = Math.min(...entries.map(({ violation }) => violation));
  const feasible = entries.filter(({ violation }) => violation === least);
  const ranks = nonDominationRanks(feasible.map(({ losses }) => losses));
  return random.shuffle(feasible.filter((_, i) => ranks[i] === 0)).slice(0, CENTRES);
}

/** What hyper-parameters are worked out from: a part of the first `size` trials, pruned ones at what they were heading for. */
function observationsAt(
  study: StudyView,
  log: TrialLog,
  size: number,
): { points: Float64Array[]; losses: Float64Array[] } {
  const counts = log.countsAt(size);
  const entries = log.sample(FIT_ROWS, counts.complete);
  const most = study.directions.length > 1 ? 0 : FIT_ROWS - entries.length;
  const pruned = most === 0 ? [] : log.estimatedPruned(most, counts);
  return {
    points: [...entries.map(({ point }) => point), ...pruned.map(({ entry }) => entry.point)],
    losses: study.directions.map((_, m) =>
      Float64Array.from([...entries.map(({ losses }) => losses[m] ?? NaN), ...pruned.map(({ loss }) => loss)]),
    ),
  };
}

/** By objective. */
function chooseAt(study: StudyView, { domain }: EncodedSpace, log: TrialLog, at: number): Choice[] {
  const { columns } = domain;
  const { points, losses } = observationsAt(study, log, at);
  if (losses.length === 1) return losses.map((own) => chooseWarp(columns, points, own));
  // Hypervolumes are those of the objectives as they are.
  return losses.map((own) => ({ warp: 'linear', parameters: fitProcess(columns, points, own, 'linear') }));
}

/**
 * Whether Gaussian processes alone do better (measured in docs/samplers.md): with constraints on continuous parameters, where nothing is
 * conditional and objectives are few.
 */
function isForProcesses(study: StudyView, { domain }: EncodedSpace, log: TrialLog): boolean {
  if (domain.mask !== undefined || domain.isAllowed !== undefined || domain.columns.length > MOST_COLUMNS) return false;
  if (study.directions.length > MOST_OBJECTIVES) return false;
  return log.isConstrained && domain.columns.some(({ kind }) => kind === 'continuous');
}

export const autoSamplerDefinition = {
  type: 'auto',
  summary: 'Gaussian process and randomised trees together, weighed by how well each predicts',
  schema: z.object({ seed: z.number().int().optional() }).strict(),
  create: (options: AutoSamplerOptions) => new AutoSampler(options),
};
