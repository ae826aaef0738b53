import { hypervolume } from '../algorithms/hypervolume.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { isBetter, type StudyDirection } from '../core/study-direction.js';
import type { RunningStudy } from '../core/study-view.js';

/** The best COMPLETE trial that violates no constraint, the earliest of equals; undefined where there is none. */
export function bestTrialOf(trials: readonly FrozenTrial[], direction: StudyDirection): FrozenTrial | undefined {
  let best: FrozenTrial | undefined;
  let bestValue = NaN;
  for (const trial of trials) {
    if (trial.state !== 'COMPLETE' || !trial.isFeasible) continue;
    const value = trial.values?.[0];
    if (value === undefined) continue;
    if (
      best === undefined ||
      isBetter(direction, value, bestValue) ||
      (value === bestValue && trial.number < best.number)
    ) {
      best = trial;
      bestValue = value;
    }
  }
  return best;
}

/**
 * How many trials after the one that improved the study last have finished (failed ones too, but none that is tried again).
 * Undefined where none is complete and feasible.
 */
export function trialsSinceImprovement(
  trials: readonly FrozenTrial[],
  directions: readonly StudyDirection[],
): number | undefined {
  const [direction] = directions;
  const last =
    directions.length === 1 && direction !== undefined
      ? bestTrialOf(trials, direction)?.number
      : paretoFrontOf(trials, directions).at(-1)?.number;
  if (last === undefined) return undefined;
  let since = 0;
  for (const trial of trials) if (trial.isFinished && trial.number > last && !trial.isSuperseded) since++;
  return since;
}

/** The Pareto front of the feasible COMPLETE trials, by number: no other is at least as good in all objectives and better in one. */
export function paretoFrontOf(trials: readonly FrozenTrial[], directions: readonly StudyDirection[]): FrozenTrial[] {
  const candidates = trials.filter(
    (trial) => trial.state === 'COMPLETE' && trial.values?.length === directions.length && trial.isFeasible,
  );
  const losses = candidates.map((trial) =>
    (trial.values ?? []).map((value, i) => (directions[i] === 'maximize' ? -value : value)),
  );
  // In lexicographic order nothing later dominates anything earlier, so each is compared with the front so far only.
  const order = candidates
    .map((_, index) => index)
    .sort((a, b) => compareLexicographically(losses[a] ?? [], losses[b] ?? []));
  const front: number[] = [];
  for (const index of order) {
    const loss = losses[index] ?? [];
    if (!front.some((other) => dominates(losses[other] ?? [], loss))) front.push(index);
  }
  return front
    .map((index) => candidates[index])
    .filter((trial) => trial !== undefined)
    .sort((a, b) => a.number - b.number);
}

/**
 * Volume of what the feasible COMPLETE trials dominate, up to a reference point in the objectives' own units and directions.
 * @throws UsageError where the reference has not one number per objective
 */
export async function getHypervolume(study: RunningStudy, reference: readonly number[]): Promise<number> {
  const { directions } = study;
  if (reference.length !== directions.length || reference.some(Number.isNaN)) {
    throw new UsageError(
      `The reference point must have ${directions.length} numbers, one for each objective, but got [${reference.join(', ')}].`,
    );
  }
  await study.sync();
  const signed = (values: readonly number[]): number[] =>
    values.map((value, i) => (directions[i] === 'maximize' ? -value : value));
  const front = paretoFrontOf(study.history.finished, directions);
  return hypervolume(
    front.map(({ values }) => signed(values ?? [])),
    signed(reference),
  );
}

/** @throws UsageError for a study with several objectives, naming what stands in for what was asked for */
export function requireSingleObjective(directions: readonly StudyDirection[], what: string, instead: string): void {
  if (directions.length > 1)
    throw new UsageError(`${what} is for a single objective; this study has ${directions.length}: use ${instead}.`);
}

function compareLexicographically(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  let strictly = false;
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? 0;
    if (value > other) return false;
    if (value < other) strictly = true;
  }
  return strictly;
}
