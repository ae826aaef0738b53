import type { Random } from '../core/random.js';
import { ExtraTrees } from './extra-trees.js';
import { GaussianProcess, type GpParameters } from './gaussian-process.js';
import { fitGaussianProcess, type GpFitOptions } from './gaussian-process-fit.js';
import type { Column } from './search-domain.js';
import { SurrogateEnsemble } from './surrogate-ensemble.js';
import { rankShares, rankToNormal, warpLosses, type Warp } from './target-transform.js';

/** Continuous columns, and columns in all, up to which what each does by itself is modelled beside what they do together: it costs time. */
const MOST_ADDITIVE = 4;
const MOST_ADDITIVE_OF_ALL = 12;
/** Levels up to which a step from one to the next is a large one. */
const MOST_COARSE_LEVELS = 12;
/** Columns from which expected length scales grow no more: of many parameters few matter, and over these results differ as ever. */
const COLUMNS_OF_LONGEST_SCALE = 9;

/**
 * Whether no two points lie near to each other. Then every step to a neighbour is a change that no length scale explains in full, and
 * what a process calls noise is luck that an untried neighbour may have too; else it is mostly shape that is not resolved yet.
 */
function isCoarse(columns: readonly Column[]): boolean {
  return columns.every(
    (column) => column.kind === 'categorical' || (column.kind === 'ordinal' && column.levels <= MOST_COARSE_LEVELS),
  );
}

/** Prior of the length scales: a log-normal around 0.6 of a range; with more columns distances grow, and at first scales with them. */
export function processPrior(columns: readonly Column[]): GpFitOptions {
  const growth = Math.min(COLUMNS_OF_LONGEST_SCALE, columns.length) / 6;
  const continuous = columns.filter(({ kind }) => kind === 'continuous').length;
  return {
    additive: continuous <= MOST_ADDITIVE && columns.length <= MOST_ADDITIVE_OF_ALL,
    logScaleMean: -0.5 + 0.5 * Math.log(Math.max(1, growth)),
    logScaleDeviation: 1,
    logNoiseMean: Math.log(isCoarse(columns) ? 0.05 : 0.01),
  };
}

const WARPS: readonly Warp[] = ['linear', 'log', 'rank'];
/** In a coarse space of few columns, where results do not lie on a smooth surface anyhow: what tells the best apart comes first. */
const COARSE_WARPS: readonly Warp[] = ['blend', 'log', 'linear'];
const MOST_COARSE_COLUMNS = 12;
/** By how much another warp's squared error must be smaller than that of one before it. */
const WARP_MARGIN = 0.05;

/**
 * Times that noise counts as a chance to improve in a coarse space: that of largest posterior density is too little as a rule, since
 * it is found together with length scales that explain some of it away.
 */
const NOISE_FACTOR = 3;

/**
 * What the standard deviation counts for in a coarse space while the model has few rows: length scales and the best result, found from
 * the same few, look surer than they are, and where the good region lies must be found before it can be searched.
 */
const EARLY_DEVIATION_FACTOR = 1.4;
const EARLY_ROWS = 60;
/** Noise variance from which that counts in full: where there is none, a function is smooth and soon known. */
const NOISY = 0.04;

/**
 * Noise of the worst result in a coarse space, in times that of the best, growing with the square of its rank's share: how bad
 * results differ says little about which of the good ones is best, and a process that follows all alike follows the many bad ones.
 */
const NOISE_OF_WORST = 4;

/** Trees where every parameter has few values, and else: there they are asked less, and growing them takes most of the time. */
const TREES_OF_FEW_VALUES = 40;
const TREES = 25;
const MOST_FEW_VALUES = 64;
/** Columns that each node of a tree tries. */
const MOST_CUTS = 6;
/** Columns without large steps up to which trees count as much as they predict well. */
const MOST_SMOOTH_COLUMNS = 12;
/** Weight of the trees below which they are left out. */
const LEAST_WEIGHT = 0.1;

/** One objective as models see it. */
export interface ModelTarget {
  /** By row. */
  readonly losses: ArrayLike<number>;
  readonly warp: Warp;
  readonly parameters: GpParameters;
  /** Whether the trees are asked too, see `areTreesOfUse`. */
  readonly withTrees: boolean;
}

/** Noise of each row, in times that of the best; undefined where all have the same. */
function rowNoise(columns: readonly Column[], targets: ArrayLike<number>): Float64Array | undefined {
  return isCoarse(columns) ? rankShares(targets).map((share) => 1 + (NOISE_OF_WORST - 1) * share * share) : undefined;
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
  const isSmall = isCoarse(columns) && columns.length <= MOST_COARSE_COLUMNS;
  for (const warp of isSmall ? COARSE_WARPS : WARPS) {
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

/** Both models of one objective, weighed. */
export function fitEnsemble(
  columns: readonly Column[],
  rows: readonly Float64Array[],
  targets: Float64Array,
  { parameters, withTrees }: ModelTarget,
  random: Random,
): SurrogateEnsemble {
  const process = processOf(columns, rows, targets, parameters);
  const isOfLargeSteps = isCoarse(columns);
  const noiseFactor = isOfLargeSteps ? NOISE_FACTOR : 0;
  const isEarly = isOfLargeSteps && rows.length < EARLY_ROWS;
  const noisy = Math.min(1, parameters.noiseVariance / NOISY);
  const deviationFactor = isEarly ? 1 + (EARLY_DEVIATION_FACTOR - 1) * noisy : 1;
  const trees = withTrees ? growTrees(columns, rows, targets, random) : undefined;
  const weights = trees === undefined ? { process: 1, trees: 0 } : weigh(columns, process, trees, targets);
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
  return weigh(columns, process, growTrees(columns, rows, targets, random), targets).trees >= LEAST_WEIGHT;
}

/**
 * Weights by the squared errors on rows left out: in closed form for the process, out of bag for the trees. Of many numbers without
 * large steps trees need more results than there are, and their spread says nothing: there they must predict far better to count.
 */
function weigh(
  columns: readonly Column[],
  process: GaussianProcess,
  trees: ExtraTrees,
  targets: Float64Array,
): { process: number; trees: number } {
  const { means } = process.leaveOneOut(targets);
  const outOfBag = trees.outOfBag ?? means;
  let processError = 1e-6;
  let treesError = 1e-6;
  for (let i = 0; i < targets.length; i++) {
    if (Number.isNaN(outOfBag[i])) continue;
    processError += ((means[i] as number) - (targets[i] as number)) ** 2;
    treesError += ((outOfBag[i] as number) - (targets[i] as number)) ** 2;
  }
  const isSmooth = columns.every((column) => column.kind !== 'categorical' && !isCoarse([column]));
  const doubt = isSmooth ? Math.max(1, columns.length / MOST_SMOOTH_COLUMNS) ** 2 : 1;
  const share = 2 * doubt * (treesError / processError) ** 2;
  return { process: share / (1 + share), trees: 1 / (1 + share) };
}
