import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { lastReportOf } from '../storage/apply-trial-write.js';
import type { TrialWrite } from '../storage/storage.js';
import type { Failure } from './retry.js';
import { checkValues, type ObjectiveValue } from './trial-values.js';

/** How a trial is told: see `Study.tell`. */
export interface TellOptions {
  readonly state?: 'COMPLETE' | 'PRUNED' | 'FAIL';
  /** Answer with the stored trial instead of throwing where it is finished already. */
  readonly skipIfFinished?: boolean;
  /** Why it failed, kept with the trial. */
  readonly failure?: Failure;
}

/** What a told result comes to. */
export interface Verdict {
  readonly state: 'COMPLETE' | 'PRUNED' | 'FAIL';
  readonly values?: readonly number[];
  /** Why it is FAIL, where the values are to blame. */
  readonly problem?: string;
}

/** Decides what state values and an asked-for state come to, by Optuna's rules. @throws UsageError where they contradict each other */
export function judge(
  trial: FrozenTrial,
  values: ObjectiveValue,
  state: TellOptions['state'],
  objectives: number,
): Verdict {
  if (state === 'FAIL' || state === 'PRUNED') {
    if (values !== undefined && values !== null) throw new UsageError(`tell: values cannot go with state ${state}.`);
    return { state };
  }
  const checked = checkValues(values, objectives);
  if ('values' in checked) return { state: 'COMPLETE', values: checked.values };
  if (state === 'COMPLETE') throw new UsageError(`tell: ${checked.problem}.`);
  return { state: 'FAIL', problem: `Trial ${trial.number} failed: ${checked.problem}.` };
}

/** The write that ends a trial with a result, and the trial as the storage then holds it. */
export function finishWrites(
  trial: FrozenTrial,
  state: 'COMPLETE' | 'PRUNED',
  values: readonly number[] | undefined,
  at: string,
): { writes: TrialWrite[]; after: FrozenTrial } {
  const result = values === undefined ? {} : { values };
  const write: TrialWrite = { kind: 'state', trialId: trial.trialId, state, ...result, at };
  return { writes: [write], after: trial.with({ state, values: values ?? lastReportOf(trial), completedAt: at }) };
}
