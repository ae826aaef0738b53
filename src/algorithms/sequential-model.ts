import type { Random } from '../core/random.js';
import { LogExpectedImprovement } from './acquisition.js';
import { searchCandidates, type Candidate } from './candidate-search.js';
import { bestByHypervolume, type ObjectiveBelief } from './hypervolume-choice.js';
import { climbContinuous } from './mixed-acquisition-search.js';
import { ProcessPosterior } from './process-posterior.js';
import { masked, pointKey, type Column, type SearchDomain } from './search-domain.js';
import type { SurrogateEnsemble } from './surrogate-ensemble.js';
import { fitEnsemble, type ModelTarget } from './surrogate-fit.js';
import { warpLosses } from './target-transform.js';

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
  /** The objectives. */
  readonly targets: readonly ModelTarget[];
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
  /** log P[all constraints are kept] at a masked point. Absent: no constraints. */
  readonly logFeasibility?: ((point: Float64Array) => number) | undefined;
  readonly random: Random;
  /** @default 250 up to 40 rows, then fewer, to 100: what is known leaves less to be found far away, and each costs more */
  readonly draws?: number | undefined;
}

interface Belief extends ObjectiveBelief {
  /** Points that the ensemble is fitted to. */
  readonly seen: readonly Float64Array[];
}

/** What is being tried counts as if it had come out as expected (kriging believer: Ginsbourger, Le Riche & Carraro 2010). */
function believe(problem: ModelProblem, target: ModelTarget): Belief {
  const { domain, pending } = problem;
  const scores = warpLosses(target.losses, target.warp);
  const rows = [...problem.rows, ...problem.failed];
  const targets = new Float64Array(rows.length).fill(FAILED_SCORE);
  targets.set(scores);
  const ensemble = fitEnsemble(domain.columns, rows, targets, target, problem.random);
  if (pending.length === 0) return { ensemble, scores, seen: rows };
  const believed = Float64Array.from([...targets, ...pending.map((point) => ensemble.predictOne(point).mean)]);
  const seen = [...rows, ...pending];
  return { ensemble: fitEnsemble(domain.columns, seen, believed, target, problem.random), scores, seen };
}

/**
 * One step of sequential model-based optimisation: of each objective a Gaussian process and extremely randomised trees, weighed by how
 * well each predicts results left out, and the candidate of largest log expected improvement by both together; of the hypervolume where
 * there are several objectives.
 */
export function proposeByModel(problem: ModelProblem): Candidate | undefined {
  const { domain, random, rows, targets } = problem;
  const beliefs = targets.map((target) => believe(problem, target));
  const [first] = beliefs;
  if (first === undefined) return undefined;
  const isSingle = beliefs.length === 1;
  const incumbent = incumbentOf(first.scores, problem.isFeasible);
  const candidate = searchCandidates({
    domain,
    excluded: problem.excluded,
    random,
    centres: problem.centres,
    draws: problem.draws ?? Math.max(LEAST_DRAWS, Math.min(MOST_DRAWS, Math.round(DRAW_BUDGET / rows.length))),
    doubleChanges: 40,
    rounds: isSingle && isClimbed(domain.columns, first.ensemble) ? ROUNDS_BEFORE_CLIMB : ROUNDS,
    best: isSingle
      ? (points) => first.ensemble.best(points, incumbent, problem.logFeasibility)
      : bestByHypervolume(beliefs, problem),
  });
  return candidate === undefined || !isSingle
    ? candidate
    : climbed(candidate, first.ensemble, first.seen, incumbent, problem);
}

/** The best feasible score. As long as nothing is feasible, that is what is searched for. */
function incumbentOf(scores: Float64Array, isFeasible: readonly boolean[]): number {
  let incumbent = Infinity;
  for (const [i, score] of scores.entries()) if (isFeasible[i] === true) incumbent = Math.min(incumbent, score);
  return incumbent === Infinity ? 3 : incumbent;
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
