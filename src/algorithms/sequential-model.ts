import type { Random } from '../core/random.js';
import { LogExpectedImprovement } from './acquisition.js';
import { searchCandidates, type Candidate } from './candidate-search.js';
import { ExtraTrees } from './extra-trees.js';
import { GaussianProcess, type GpParameters } from './gaussian-process.js';
import { fitGaussianProcess, type GpFitOptions } from './gaussian-process-fit.js';
import { climbContinuous } from './mixed-acquisition-search.js';
import { ProcessPosterior } from './process-posterior.js';
import { masked, pointKey, type Column, type SearchDomain } from './search-domain.js';
import { SurrogateEnsemble } from './surrogate-ensemble.js';
import { rankShares, rankToNormal, warpLosses, type Warp } from './target-transform.js';

/** Continuous columns up to which what each does by itself is modelled beside what they do together: it costs time. */
const MOST_ADDITIVE = 4;

/**
 * Whether no two points lie as near to each other as one likes. Then every step to a neighbour is a change that no length scale
 * explains in full, and what a process calls noise is luck that an untried neighbour may have too; else it is mostly shape that is
 * not resolved yet.
 */
function isDiscrete(columns: readonly Column[]): boolean {
  return columns.every(({ kind }) => kind !== 'continuous');
}

/** Prior of the length scales: a log-normal around 0.6 of a range; with many columns distances grow, and scales with them. */
export function processPrior(columns: readonly Column[]): GpFitOptions {
  return {
    additive: columns.filter(({ kind }) => kind === 'continuous').length <= MOST_ADDITIVE,
    logScaleMean: -0.5 + 0.5 * Math.log(Math.max(1, columns.length / 6)),
    logScaleDeviation: 1,
    logNoiseMean: Math.log(isDiscrete(columns) ? 0.05 : 0.01),
  };
}

const DISCRETE_WARPS: readonly Warp[] = ['blend', 'log', 'linear'];
const WARPS: readonly Warp[] = ['log', 'linear', 'rank'];
/** By how much another warp's squared error must be smaller than that of one before it. */
const WARP_MARGIN = 0.05;

/**
 * Times that noise counts as a chance to improve in a discrete space: that of largest posterior density is too little as a rule, since
 * it is found together with length scales that explain some of it away.
 */
const NOISE_FACTOR = 3;

/**
 * What the standard deviation counts for in a discrete space while the model has few rows: length scales and the best result, found from
 * the same few, look surer than they are, and where the good region lies must be found before it can be searched.
 */
const EARLY_DEVIATION_FACTOR = 1.4;
const EARLY_ROWS = 60;
/** Noise variance from which that counts in full: where there is none, a function is smooth and soon known. */
const NOISY = 0.04;

/**
 * Noise of the worst result in a discrete space, in times that of the best, growing with the square of its rank's share: how bad
 * results differ says little about which of the good ones is best, and a process that follows all alike follows the many bad ones.
 */
const NOISE_OF_WORST = 4;

/** Trees where every parameter has few values, and else: there they are asked less, and growing them takes most of the time. */
const TREES_OF_FEW_VALUES = 40;
const TREES = 25;
const MOST_FEW_VALUES = 64;
/** Columns that each node of a tree tries. */
const MOST_CUTS = 6;
/** Weight of the trees below which they are left out. */
const LEAST_WEIGHT = 0.1;

/** Points drawn from everywhere times the rows of the model, and their bounds. */
const DRAW_BUDGET = 10_000;
const MOST_DRAWS = 250;
const LEAST_DRAWS = 100;

/** Weight of the process from which its gradient is followed, and for how long. */
const LEAST_TO_CLIMB = 0.5;
const CLIMB_EVALUATIONS = 30;
/** Rounds of hill climbing, and where a gradient is followed in every column afterwards. */
const ROUNDS = 4;
const ROUNDS_BEFORE_CLIMB = 1;

/** Score of a trial that failed, in normal scores: worse than five in six. */
const FAILED_SCORE = 1;

export interface ModelProblem {
  readonly domain: SearchDomain;
  /** Masked points with a result. */
  readonly rows: readonly Float64Array[];
  /** Their losses. */
  readonly losses: ArrayLike<number>;
  readonly warp: Warp;
  /** Whether each keeps all constraints. */
  readonly isFeasible: readonly boolean[];
  /** Masked points that failed. */
  readonly failed: readonly Float64Array[];
  /** Masked points that other workers are trying now. */
  readonly pending: readonly Float64Array[];
  /** Whole points to search around, the best first. */
  readonly centres: readonly Float64Array[];
  /** Keys of masked points not to be proposed. */
  readonly excluded: ReadonlySet<string>;
  readonly parameters: GpParameters;
  /** Whether the trees are asked too, see `areTreesOfUse`. */
  readonly withTrees: boolean;
  /** log P[all constraints are kept] at a masked point. Absent: no constraints. */
  readonly logFeasibility?: ((point: Float64Array) => number) | undefined;
  readonly random: Random;
  /** @default 250 up to 40 rows, then fewer, to 100: what is known leaves less to be found far away, and each costs more */
  readonly draws?: number | undefined;
}

/** Noise of each row, in times that of the best; undefined where all have the same. */
function rowNoise(columns: readonly Column[], targets: ArrayLike<number>): Float64Array | undefined {
  return isDiscrete(columns) ? rankShares(targets).map((share) => 1 + (NOISE_OF_WORST - 1) * share * share) : undefined;
}

function processOf(
  columns: readonly Column[],
  rows: readonly Float64Array[],
  targets: Float64Array,
  parameters: GpParameters,
): GaussianProcess {
  return new GaussianProcess(columns, rows, targets, parameters, rowNoise(columns, targets));
}

/** Length scales and noise of largest posterior density for losses seen through a warp. */
export function fitProcess(
  columns: readonly Column[],
  rows: readonly Float64Array[],
  losses: ArrayLike<number>,
  warp: Warp,
  options: GpFitOptions = {},
): GpParameters {
  const targets = warpLosses(losses, warp);
  return fitGaussianProcess(columns, rows, targets, {
    maxIterations: 15,
    rowNoise: rowNoise(columns, targets),
    ...processPrior(columns),
    ...options,
  });
}

/**
 * The warp through which a process predicts the order of the losses best, each left out in turn: by the squared differences of normal
 * scores of what it predicts and of what came, the better ones counting more. Order is all that counts for what to try next, and the
 * only measure that is the same for all.
 */
export function chooseWarp(
  columns: readonly Column[],
  rows: readonly Float64Array[],
  losses: ArrayLike<number>,
): { warp: Warp; parameters: GpParameters } {
  const wanted = rankToNormal(losses);
  const importance = rankShares(losses).map((share) => (1 - share) ** 2);
  let best: { warp: Warp; parameters: GpParameters } | undefined;
  let bestScore = -Infinity;
  for (const warp of isDiscrete(columns) ? DISCRETE_WARPS : WARPS) {
    const parameters = fitProcess(columns, rows, losses, warp);
    const targets = warpLosses(losses, warp);
    const { means } = processOf(columns, rows, targets, parameters).leaveOneOut(targets);
    const score = -weightedError(rankToNormal(means), wanted, importance);
    if (best === undefined || score > bestScore + WARP_MARGIN) {
      best = { warp, parameters };
      bestScore = score;
    }
  }
  return best ?? { warp: 'log', parameters: fitProcess(columns, rows, losses, 'log') };
}

function weightedError(predicted: Float64Array, wanted: Float64Array, weights: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (const [i, weight] of weights.entries()) {
    sum += weight * ((predicted[i] as number) - (wanted[i] as number)) ** 2;
    total += weight;
  }
  return sum / total;
}

/**
 * One step of sequential model-based optimisation: a Gaussian process and extremely randomised trees on the ranks of the results,
 * each weighed by how well it predicts results left out, and the candidate of largest log expected improvement by both together.
 */
export function proposeByModel(problem: ModelProblem): Candidate | undefined {
  const { domain, random, pending } = problem;
  const scores = warpLosses(problem.losses, problem.warp);
  const rows = [...problem.rows, ...problem.failed];
  const targets = new Float64Array(rows.length).fill(FAILED_SCORE);
  targets.set(scores);
  let seen = rows;
  let ensemble = fitEnsemble(domain.columns, rows, targets, problem);
  if (pending.length > 0) {
    // What is being tried counts as if it had come out as expected (kriging believer: Ginsbourger, Le Riche & Carraro 2010).
    const believed = [...targets, ...pending.map((point) => ensemble.predictOne(point).mean)];
    seen = [...rows, ...pending];
    ensemble = fitEnsemble(domain.columns, seen, Float64Array.from(believed), problem);
  }
  let incumbent = Infinity;
  for (const [i, score] of scores.entries()) if (problem.isFeasible[i] === true) incumbent = Math.min(incumbent, score);
  // As long as nothing is feasible, that is what is searched for.
  if (incumbent === Infinity) incumbent = 3;
  const candidate = searchCandidates({
    domain,
    excluded: problem.excluded,
    random,
    centres: problem.centres,
    draws: problem.draws ?? Math.max(LEAST_DRAWS, Math.min(MOST_DRAWS, Math.round(DRAW_BUDGET / rows.length))),
    doubleChanges: 40,
    rounds: isClimbed(domain.columns, ensemble) ? ROUNDS_BEFORE_CLIMB : ROUNDS,
    best: (points) => ensemble.best(points, incumbent, problem.logFeasibility),
  });
  return candidate === undefined ? undefined : climbed(candidate, ensemble, seen, incumbent, problem);
}

function isClimbed(columns: readonly Column[], { weights }: SurrogateEnsemble): boolean {
  return weights.process >= LEAST_TO_CLIMB && columns.every(({ kind }) => kind === 'continuous');
}

/** Follows the gradient of the process' improvement in the continuous columns; kept where both models together find it better. */
function climbed(
  candidate: Candidate,
  ensemble: SurrogateEnsemble,
  rows: readonly Float64Array[],
  incumbent: number,
  { domain, centres, excluded, logFeasibility }: ModelProblem,
): Candidate {
  const { columns } = domain;
  const { process, weights } = ensemble;
  const found: Candidate[] = [candidate];
  if (weights.process < LEAST_TO_CLIMB || !columns.some(({ kind }) => kind === 'continuous')) return candidate;
  const acquisition = new LogExpectedImprovement(new ProcessPosterior(process, columns, rows), incumbent);
  const { inverseSquaredScales, additive } = process.parameters;
  const scales = inverseSquaredScales.map(
    (t, j) => 1 / Math.sqrt(Math.max(t, additive?.inverseSquaredScales[j] ?? 0, 1)),
  );
  for (const start of [candidate.point, ...centres.slice(0, 1)]) {
    const seen = masked(domain, start).slice();
    const active = [...columns.keys()].filter((j) => columns[j]?.kind === 'continuous' && !Number.isNaN(seen[j]));
    if (active.length === 0) continue;
    climbContinuous(acquisition, seen, -Infinity, active, scales, CLIMB_EVALUATIONS);
    const point = start.slice();
    for (const j of active) point[j] = seen[j] as number;
    if (domain.isAllowed?.(point) === false || excluded.has(pointKey(seen))) continue;
    found.push({ point, seen });
  }
  const points = found.map(({ seen }) => seen);
  const top = ensemble.best(points, incumbent, logFeasibility);
  return found[top?.index ?? 0] ?? candidate;
}

function fitEnsemble(
  columns: readonly Column[],
  rows: readonly Float64Array[],
  targets: Float64Array,
  { parameters, withTrees, random }: Pick<ModelProblem, 'parameters' | 'withTrees' | 'random'>,
): SurrogateEnsemble {
  const process = processOf(columns, rows, targets, parameters);
  const isOfSteps = isDiscrete(columns);
  const noiseFactor = isOfSteps ? NOISE_FACTOR : 0;
  const isEarly = isOfSteps && rows.length < EARLY_ROWS;
  const noisy = Math.min(1, parameters.noiseVariance / NOISY);
  const deviationFactor = isEarly ? 1 + (EARLY_DEVIATION_FACTOR - 1) * noisy : 1;
  const trees = withTrees ? growTrees(columns, rows, targets, random) : undefined;
  const weights = trees === undefined ? { process: 1, trees: 0 } : weigh(process, trees, targets);
  return weights.trees < LEAST_WEIGHT
    ? new SurrogateEnsemble(process, undefined, { process: 1, trees: 0 }, noiseFactor, deviationFactor)
    : new SurrogateEnsemble(process, trees, weights, noiseFactor, deviationFactor);
}

function growTrees(
  columns: readonly Column[],
  rows: readonly Float64Array[],
  targets: Float64Array,
  random: Random,
): ExtraTrees {
  const columnShare = Math.min(1, MOST_CUTS / columns.length);
  const hasFewValues = columns.every((column) => column.kind !== 'continuous' && column.levels <= MOST_FEW_VALUES);
  const trees = hasFewValues ? TREES_OF_FEW_VALUES : TREES;
  return new ExtraTrees(columns, rows, targets, random, { trees, bootstrap: true, columnShare });
}

/** Whether trees predict results left out well enough beside a process to be asked at all: growing them takes as long as the rest. */
export function areTreesOfUse(
  columns: readonly Column[],
  rows: readonly Float64Array[],
  losses: ArrayLike<number>,
  { warp, parameters }: { warp: Warp; parameters: GpParameters },
  random: Random,
): boolean {
  const targets = warpLosses(losses, warp);
  const process = processOf(columns, rows, targets, parameters);
  return weigh(process, growTrees(columns, rows, targets, random), targets).trees >= LEAST_WEIGHT;
}

/** Weights by the squared errors on rows left out: in closed form for the process, out of bag for the trees. */
function weigh(process: GaussianProcess, trees: ExtraTrees, targets: Float64Array): { process: number; trees: number } {
  const { means } = process.leaveOneOut(targets);
  const outOfBag = trees.outOfBag ?? means;
  let processError = 1e-6;
  let treesError = 1e-6;
  for (let i = 0; i < targets.length; i++) {
    if (Number.isNaN(outOfBag[i])) continue;
    processError += ((means[i] as number) - (targets[i] as number)) ** 2;
    treesError += ((outOfBag[i] as number) - (targets[i] as number)) ** 2;
  }
  const share = 2 * (treesError / processError) ** 2;
  return { process: share / (1 + share), trees: 1 / (1 + share) };
}
