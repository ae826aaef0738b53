import { hypervolume } from '../../algorithms/hypervolume.js';
import { UsageError } from '../../core/errors.js';
import { completeTrials } from '../importance-evaluator.js';
import type { FigureTable } from './figure-table.js';
import { lossesOf } from './pareto-front.js';
import type { PlottedStudy } from './plot-target.js';

/** Volume that the trials so far dominate, over the complete trials. */
export interface HypervolumeHistoryFigure {
  readonly kind: 'hypervolumeHistory';
  /** In the objectives' own units. */
  readonly referencePoint: readonly number[];
  readonly trialNumbers: readonly number[];
  readonly values: readonly number[];
}

export interface HypervolumeHistoryOptions {
  /** @default a little beyond the worst finite value of each objective among the feasible trials */
  readonly referencePoint?: readonly number[] | undefined;
}

/** Data of Optuna's `plot_hypervolume_history`. @throws UsageError with one objective, or a reference point of another length */
export async function plotHypervolumeHistory(
  study: PlottedStudy,
  options: HypervolumeHistoryOptions = {},
): Promise<HypervolumeHistoryFigure> {
  await study.sync?.();
  const { directions } = study;
  if (directions.length < 2) throw new UsageError('A hypervolume needs a study of several objectives.');
  const signs = directions.map((direction) => (direction === 'maximize' ? -1 : 1));
  const complete = completeTrials(study);
  const losses = complete.map((trial) => (trial.isFeasible ? lossesOf(study, trial) : undefined));
  const given = options.referencePoint;
  if (given !== undefined && given.length !== directions.length) {
    throw new UsageError(
      `The reference point has ${given.length} numbers, but the study ${directions.length} objectives.`,
    );
  }
  const reference = given?.map((value, i) => value * (signs[i] ?? 1)) ?? beyondWorst(losses, directions.length);
  let front: (readonly number[])[] = [];
  let volume = 0;
  const values = losses.map((loss) => {
    if (loss === undefined || loss.some((value, i) => !(value <= (reference[i] as number)))) return volume;
    if (front.some((other) => other.every((value, i) => value <= (loss[i] as number)))) return volume;
    // What it adds: its own box less what the front covers of it.
    const limited = front.map((other) => other.map((value, i) => Math.max(value, loss[i] as number)));
    volume += loss.reduce((box, value, i) => box * ((reference[i] as number) - value), 1);
    volume -= hypervolume(limited, reference);
    front = [...front.filter((other) => other.some((value, i) => value < (loss[i] as number))), loss];
    return volume;
  });
  return {
    kind: 'hypervolumeHistory',
    referencePoint: reference.map((value, i) => value * (signs[i] ?? 1) + 0),
    trialNumbers: complete.map(({ number }) => number),
    values,
  };
}

function beyondWorst(losses: readonly (readonly number[] | undefined)[], dimensions: number): number[] {
  return Array.from({ length: dimensions }, (_, i) => {
    let worst = -Infinity;
    for (const loss of losses) {
      const value = loss?.[i] ?? NaN;
      if (Number.isFinite(value) && value > worst) worst = value;
    }
    if (worst === -Infinity) return 0;
    return Math.max(1.1 * worst, 0.9 * worst) || 1e-12;
  });
}

export function hypervolumeHistoryTable(figure: HypervolumeHistoryFigure): FigureTable {
  return {
    columns: ['trial', 'hypervolume'],
    rows: figure.trialNumbers.map((number, i) => [number, figure.values[i]]),
  };
}
