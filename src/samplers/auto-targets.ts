import { logProbabilityBelow } from '../algorithms/expected-improvement.js';
import { GaussianProcess, type GpParameters } from '../algorithms/gaussian-process.js';
import { fitGaussianProcess } from '../algorithms/gaussian-process-fit.js';
import type { Column } from '../algorithms/search-domain.js';
import { processPrior } from '../algorithms/sequential-model.js';
import { rankShares, standardize } from '../algorithms/target-transform.js';
import type { Random } from '../core/random.js';
import type { LogEntry } from './trial-log.js';

/** Weight of the plain sum beside the largest term, so that no weakly dominated trial looks as good as one that dominates it. */
const AUGMENTATION = 0.05;

/**
 * One loss per trial: with one objective its own; with several their augmented Chebyshev scalarisation on ranks, with weights drawn
 * anew for each suggestion, so that suggestions spread along the Pareto front (ParEGO: Knowles, IEEE TEC 2006, eq. 2).
 * @param random undefined: all objectives count alike
 */
export function scalarLosses(entries: readonly LogEntry[], random: Random | undefined): Float64Array {
  const objectives = entries[0]?.losses.length ?? 1;
  if (objectives === 1) return Float64Array.from(entries, ({ losses: [loss] }) => loss ?? NaN);
  const shares = Array.from({ length: objectives }, (_, i) =>
    rankShares(entries.map(({ losses }) => losses[i] ?? NaN)),
  );
  // Uniform on the simplex.
  const drawn = shares.map(() => (random === undefined ? 1 : -Math.log(1 - random.uniform())));
  const total = drawn.reduce((sum, weight) => sum + weight, 0);
  return Float64Array.from(entries, (_, row) => {
    let largest = 0;
    let sum = 0;
    for (const [i, own] of shares.entries()) {
      const term = ((drawn[i] ?? 1) / total) * (own[row] as number);
      sum += term;
      if (term > largest) largest = term;
    }
    return largest + AUGMENTATION * sum;
  });
}

/**
 * log P[all constraints are kept] at a point, each constraint by a Gaussian process of its own, independent of the others (Gardner
 * et al., ICML 2014). Undefined where no trial has a constraint.
 */
export function feasibilityModel(
  columns: readonly Column[],
  entries: readonly LogEntry[],
): ((point: Float64Array) => number) | undefined {
  const names = new Set(entries.flatMap(({ constraints }) => Object.keys(constraints)));
  if (names.size === 0) return undefined;
  const models = [...names].flatMap((name) => {
    const known = entries.filter(({ constraints }) => Number.isFinite(constraints[name] ?? NaN));
    if (known.length < 2) return [];
    const rows = known.map(({ point }) => point);
    const { scores, mean, deviation } = standardize(known.map(({ constraints }) => constraints[name] ?? 0));
    const parameters: GpParameters = fitGaussianProcess(columns, rows, scores, {
      maxIterations: 10,
      ...processPrior(columns),
      additive: false,
    });
    return [{ process: new GaussianProcess(columns, rows, scores, parameters), threshold: -mean / deviation }];
  });
  const means = new Float64Array(1);
  const variances = new Float64Array(1);
  return (point) => {
    let sum = 0;
    for (const { process, threshold } of models) {
      process.predict([point], means, variances);
      sum += logProbabilityBelow(means[0] as number, Math.sqrt(variances[0] as number), threshold);
    }
    return sum;
  };
}
