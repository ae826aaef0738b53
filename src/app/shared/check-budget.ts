import { openStorage } from '../../storage/open-storage.js';
import { NopPruner } from '../../pruners/nop-pruner.js';
import { RandomSampler } from '../../samplers/random-sampler.js';
import { loadStudy } from '../../study/create-study.js';
import { joinSweep } from './join-sweep.js';
import { storedConfigOf } from '../studies/stored-config.js';
import { SweepLimits } from '../sweep/sweep-limits.js';
import { countTrials } from '../sweep/sweep-summary.js';

/** Whether a shared study has what it shall have. */
export interface BudgetCheck {
  readonly study: string;
  readonly finished: number;
  readonly total: number;
  /** All trials are finished, or a limit of the sweep other than time is reached and nothing runs any more. */
  readonly met: boolean;
  readonly reason: string;
}

/** Looks whether anything is left to do in a shared study, and changes nothing. @throws as `joinSweep` */
export async function checkBudget(
  target: string,
  options: { studyName?: string | undefined; set?: readonly string[] },
): Promise<BudgetCheck> {
  const { sweep, trials } = await joinSweep(target, options);
  const { config } = sweep;
  const storage = await openStorage(config.storage.url, { readOnly: true });
  try {
    const study = await loadStudy({
      storage,
      studyName: config.study,
      sampler: new RandomSampler(),
      pruner: new NopPruner(),
    });
    await study.sync();
    const total = storedConfigOf(study)?.trials ?? trials ?? config.trials;
    const { finished, running, waiting } = countTrials(study);
    const bounds = { ...config.limits, session: undefined, study: undefined, cost: undefined, diskFree: undefined };
    const limits = new SweepLimits(bounds, config.metrics, { studyDir: sweep.studyDir, spentBeforeMs: 0 });
    const reached = limits.reasonToStop(study);
    const isDone = finished >= total && running + waiting === 0;
    return {
      ...{ study: study.studyName, finished, total },
      met: isDone || (reached !== undefined && running === 0),
      reason: isDone ? 'all trials are done' : (reached ?? `${running} are running, ${waiting} wait to be run again`),
    };
  } finally {
    await storage.close();
  }
}
