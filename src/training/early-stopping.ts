import type { StudyDirection } from '../core/study-direction.js';

/** Decision state of early stopping. Plain data: it is part of a checkpoint. */
export interface StoppingState {
  /** Epoch, from 1, with the best value so far; 0 before there is one. */
  bestEpoch: number;
  bestValue: number;
  /** Best value that began a new count of patience: an improvement by less than `minDelta` does not. */
  referenceValue: number;
  epochsWithout: number;
}

export interface StoppingRule {
  readonly goal: StudyDirection;
  /** Epochs without improvement after which training ends; 0: never. */
  readonly patience: number;
  readonly minDelta: number;
}

export function newStoppingState(): StoppingState {
  return { bestEpoch: 0, bestValue: NaN, referenceValue: NaN, epochsWithout: 0 };
}

/** Takes in the value of an epoch. `isBest`: better than all before it; NaN never is. `stop`: patience is at its end. */
export function observeEpoch(
  state: StoppingState,
  rule: StoppingRule,
  epoch: number,
  value: number,
): { isBest: boolean; stop: boolean } {
  const gain = (from: number): number => (rule.goal === 'maximize' ? value - from : from - value);
  const isBest = !Number.isNaN(value) && (Number.isNaN(state.bestValue) || gain(state.bestValue) > 0);
  if (isBest) {
    state.bestEpoch = epoch;
    state.bestValue = value;
  }
  if (!Number.isNaN(value) && (Number.isNaN(state.referenceValue) || gain(state.referenceValue) > rule.minDelta)) {
    state.referenceValue = value;
    state.epochsWithout = 0;
  } else state.epochsWithout++;
  return { isBest, stop: rule.patience > 0 && state.epochsWithout >= rule.patience };
}
