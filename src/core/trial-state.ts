/** States of a trial, spelled as Optuna's database spells them. */
export const TRIAL_STATES = ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'] as const;

export type TrialState = (typeof TRIAL_STATES)[number];

/** Same names as values, in the manner of Optuna's `TrialState` enum. */
export const TrialState = {
  RUNNING: 'RUNNING',
  COMPLETE: 'COMPLETE',
  PRUNED: 'PRUNED',
  FAIL: 'FAIL',
  WAITING: 'WAITING',
} as const satisfies Record<TrialState, TrialState>;

/** A finished trial is never changed again. */
export function isFinished(state: TrialState): boolean {
  return state === 'COMPLETE' || state === 'PRUNED' || state === 'FAIL';
}
