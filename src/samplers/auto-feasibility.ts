import { logProbabilityBelow } from '../algorithms/expected-improvement.js';
import { GaussianProcess, type GpParameters } from '../algorithms/gaussian-process.js';
import { fitGaussianProcess } from '../algorithms/gaussian-process-fit.js';
import type { Column } from '../algorithms/search-domain.js';
import { processPrior } from '../algorithms/surrogate-fit.js';
import { standardize } from '../algorithms/target-transform.js';
import type { LogEntry } from './trial-log.js';

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
