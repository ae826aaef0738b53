import {
  AcquisitionSum,
  LogBatchImprovement,
  LogExpectedImprovement,
  LogFeasibility,
  LogHypervolumeImprovement,
  type Acquisition,
  type DrawnConstraint,
} from '../algorithms/acquisition.js';
import { nonDominatedBoxes, referencePoint } from '../algorithms/box-decomposition.js';
import { ConditionalSamples } from '../algorithms/conditional-samples.js';
import { GaussianProcess, type GpParameters } from '../algorithms/gaussian-process.js';
import { normalQuantile } from '../algorithms/normal-distribution.js';
import { ProcessPosterior } from '../algorithms/process-posterior.js';
import type { Column } from '../algorithms/search-domain.js';
import { SobolSequence } from '../algorithms/sobol.js';
import { standardize } from '../algorithms/target-transform.js';
import type { Random } from '../core/random.js';
import type { LogEntry } from './trial-log.js';

/** Draws by which expectations without a closed form are taken. */
const DRAWS = 128;
const LEAST_SHARE = 1e-9;

/** What one Gaussian process is about. */
export interface Target {
  /** The same for the same objective or constraint, whichever trials are looked at. */
  readonly name: string;
  /** Rows that have a value, as indices into the entries. */
  readonly rows: readonly number[];
  readonly scores: Float64Array;
  /** Of a constraint: what it must not exceed, in units of the scores. */
  readonly limit: number;
}

/** Standardised losses, then standardised constraints. */
export function targetsOf(entries: readonly LogEntry[]): { objectives: Target[]; constraints: Target[] } {
  const objectives = entries[0]?.losses.length ?? 1;
  const everyRow = [...entries.keys()];
  const names = new Set(entries.flatMap(({ constraints }) => Object.keys(constraints)));
  return {
    objectives: Array.from({ length: objectives }, (_, m) => ({
      name: `objective ${m}`,
      rows: everyRow,
      scores: standardize(entries.map(({ losses }) => losses[m] ?? NaN)).scores,
      limit: NaN,
    })),
    constraints: [...names].sort().map((name) => {
      const rows = everyRow.filter((i) => !Number.isNaN(entries[i]?.constraints[name] ?? NaN));
      const { scores, mean, deviation } = standardize(rows.map((i) => entries[i]?.constraints[name] ?? NaN));
      return { name: `constraint ${name}`, rows, scores, limit: -mean / deviation };
    }),
  };
}

export interface AcquisitionProblem {
  readonly columns: readonly Column[];
  readonly entries: readonly LogEntry[];
  readonly pending: readonly Float64Array[];
  /** Hyper-parameters of a target. */
  readonly parametersOf: (target: Target) => GpParameters;
  readonly random: Random;
}

/**
 * The acquisition function for a study as it stands: log expected improvement with one objective, of the hypervolume with several
 * (Daulton et al., NeurIPS 2020), times the probability that all constraints are kept (Gardner et al., ICML 2014), and given what
 * may come of the trials that are running (Ament et al., NeurIPS 2023, eq. 10). As in Optuna, all are taken for independent.
 */
export function acquisitionFor(problem: AcquisitionProblem): { acquisition: Acquisition; scales: Float64Array } {
  const { columns, entries, pending, random } = problem;
  const { objectives, constraints } = targetsOf(entries);
  const posteriorOf = (target: Target): ProcessPosterior => {
    const rows = target.rows.map((i) => entries[i]?.point ?? new Float64Array(0));
    const process = new GaussianProcess(columns, rows, target.scores, problem.parametersOf(target));
    return new ProcessPosterior(process, columns, rows, pending);
  };
  const models = objectives.map(posteriorOf);
  const limits = constraints.map((target) => ({ posterior: posteriorOf(target), target }));
  const scales = meanScales(models);
  const marginal = limits.map(({ posterior, target }) => new LogFeasibility(posterior, target.limit));
  const feasible = entries.flatMap(({ violation }, i) => (violation === 0 ? [i] : []));
  const [first] = models;
  const isBatch = pending.length > 0;
  if (first === undefined || (feasible.length === 0 && !(isBatch && models.length === 1))) {
    // As long as nothing is feasible, that is what is searched for.
    return { acquisition: new AcquisitionSum(marginal), scales };
  }
  const draw = (posterior: ProcessPosterior): ConditionalSamples =>
    new ConditionalSamples(posterior, standardNormals(DRAWS, pending.length + 1, random));
  const drawnConstraints = (): DrawnConstraint[] =>
    limits.map(({ posterior, target }) => ({ samples: draw(posterior), limit: target.limit }));
  if (models.length === 1) {
    const scores = objectives[0]?.scores ?? new Float64Array(0);
    const best = feasible.length === 0 ? undefined : Math.min(...feasible.map((i) => scores[i] as number));
    if (isBatch) return { acquisition: new LogBatchImprovement(draw(first), best, drawnConstraints()), scales };
    // Where nothing can be tried twice, what is to be beaten and what may beat it have luck of their own.
    const isDiscrete = columns.every(({ kind }) => kind !== 'continuous');
    const noise = isDiscrete ? first.process.parameters.noiseVariance : 0;
    const improvement = new LogExpectedImprovement(first, best ?? 0, noise);
    return { acquisition: new AcquisitionSum([improvement, ...marginal]), scales };
  }
  const losses = feasible.map((i) => objectives.map(({ scores }) => scores[i] as number));
  const reference = referencePoint(losses, models.length);
  if (!isBatch) {
    const normals = standardNormals(DRAWS, models.length, random);
    const samples = models.map(
      (model, m) =>
        new ConditionalSamples(
          model,
          normals.map((own) => own.slice(m, m + 1)),
        ),
    );
    const volume = new LogHypervolumeImprovement(samples, [nonDominatedBoxes(losses, reference)]);
    return { acquisition: new AcquisitionSum([volume, ...marginal]), scales };
  }
  const drawn = drawnConstraints();
  const samples = models.map(draw);
  const boxes = Array.from({ length: DRAWS }, (_, s) => {
    const assumed = pending.flatMap((_point, r) => {
      const isKept = drawn.every(({ samples: own, limit }) => (own.fantasies[s]?.[r] ?? NaN) <= limit);
      return isKept ? [samples.map((own) => own.fantasies[s]?.[r] ?? NaN)] : [];
    });
    return nonDominatedBoxes([...losses, ...assumed], reference);
  });
  return { acquisition: new LogHypervolumeImprovement(samples, boxes, drawn), scales };
}

function meanScales(models: readonly ProcessPosterior[]): Float64Array {
  const [first] = models;
  if (first === undefined) return new Float64Array(0);
  return first.process.parameters.inverseSquaredScales.map(
    (_, j) =>
      models.reduce(
        (sum, { process }) => sum + 1 / Math.sqrt(process.parameters.inverseSquaredScales[j] as number),
        0,
      ) / models.length,
  );
}

/** Points of a scrambled Sobol sequence as standard normals. */
function standardNormals(count: number, dimensions: number, random: Random): Float64Array[] {
  const sequence = new SobolSequence(dimensions, random);
  return Array.from({ length: count }, (_, i) =>
    sequence.point(i).map((share) => normalQuantile(Math.min(1 - LEAST_SHARE, Math.max(LEAST_SHARE, share)))),
  );
}
