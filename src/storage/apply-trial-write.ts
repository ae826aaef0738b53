import type { FrozenTrial } from '../core/frozen-trial.js';
import { isFinished } from '../core/trial-state.js';
import type { TrialWrite } from './storage.js';

/** The trial as it is after one write. */
export function applyTrialWrite(trial: FrozenTrial, write: Exclude<TrialWrite, { kind: 'create' }>): FrozenTrial {
  switch (write.kind) {
    case 'param':
      if (Object.hasOwn(trial.internalParams, write.name)) return trial;
      return trial.with({
        internalParams: { ...trial.internalParams, [write.name]: write.internal },
        distributions: { ...trial.distributions, [write.name]: write.distribution },
      });
    case 'report':
      return trial.with({ intermediateValues: { ...trial.intermediateValues, [write.step]: write.value } });
    case 'userAttr':
      return trial.with({ userAttrTexts: { ...trial.userAttrTexts, [write.key]: write.text } });
    case 'systemAttr':
      return trial.with({ systemAttrTexts: { ...trial.systemAttrTexts, [write.key]: write.text } });
    case 'state':
      return trial.with({
        state: write.state,
        values: write.values ?? (write.state === 'PRUNED' ? lastReportOf(trial) : undefined),
        completedAt: isFinished(write.state) ? write.at : undefined,
      });
  }
}

/** The value of the highest reported step, where it is a number: what a PRUNED trial takes as its value. */
export function lastReportOf(trial: FrozenTrial): number[] | undefined {
  const step = trial.lastStep;
  const value = step === undefined ? undefined : trial.intermediateValues[step];
  return value === undefined || Number.isNaN(value) ? undefined : [value];
}
