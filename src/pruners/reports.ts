import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyDirection } from '../core/study-direction.js';

/** Best of a trial's reports; undefined where there is nothing but NaN. */
export function bestReport(trial: FrozenTrial, direction: StudyDirection): number | undefined {
  let best: number | undefined;
  for (const step in trial.intermediateValues) {
    const value = trial.intermediateValues[step];
    if (value === undefined || Number.isNaN(value)) continue;
    if (best === undefined || (direction === 'maximize' ? value > best : value < best)) best = value;
  }
  return best;
}

/** Reported steps in ascending order. */
export function stepsOf(trial: FrozenTrial): number[] {
  return Object.keys(trial.intermediateValues)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Whether no report before that of `step`, the last, lies in the same interval of steps; intervals are counted from the warm-up. */
export function isFirstInInterval(trial: FrozenTrial, step: number, warmup: number, interval: number): boolean {
  const lower = Math.floor((step - warmup) / interval) * interval + warmup;
  for (const key in trial.intermediateValues) {
    const other = Number(key);
    if (other !== step && other >= lower) return false;
  }
  return true;
}
