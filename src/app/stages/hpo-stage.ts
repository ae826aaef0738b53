import { dirname, join } from 'node:path';

import {
  backupHpoStudyToDrive,
  createStudyDbBackupCallback,
  ensureRestoredFromDrive,
  immediateBackupIfNeeded,
} from '../../backup/index.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { STUDY_DB } from '../../core/study-paths.js';
import { StageInterrupted, type StageRun } from '../../pipeline/stage.js';
import type { LocatedSweep } from '../studies/locate-sweep.js';
import { runSweep } from '../sweep/run-sweep.js';
import type { SweepObserver } from '../sweep/sweep-observer.js';
import type { SweepSummary } from '../sweep/sweep-summary.js';
import type { StageFunctionOptions } from './stage-session.js';

/**
 * Runs the sweep of one configuration to its total. The configured destinations are served by the sweep itself; callbacks given beside
 * them are called after the study is created, after every trial, and at the end.
 */
export async function hpoStage(
  run: StageRun,
  sweep: LocatedSweep,
  options: StageFunctionOptions,
  observer: SweepObserver,
): Promise<SweepSummary> {
  const { backupToDrive, restoreFromDrive, backupEnabled, log } = options;
  const backup = { backupToDrive, restoreFromDrive, backupEnabled, log };
  const hasCallbacks = backupToDrive !== undefined || restoreFromDrive !== undefined;
  const before = join(sweep.studyDir, STUDY_DB);
  if (hasCallbacks && !sweep.exists && (await ensureRestoredFromDrive({ path: before, ...backup }))) {
    await ensureRestoredFromDrive({ path: sweep.studyDir, isDirectory: true, ...backup });
  }
  let callback: ((trial: FrozenTrial) => Promise<void>) | undefined;
  let trialsRun = 0;
  const pending = new Set<Promise<void>>();
  const follow = (work: Promise<unknown>): void => {
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    pending.add(settled);
    void settled.then(() => pending.delete(settled));
  };
  const watching: SweepObserver = {
    ...observer,
    started: (start) => {
      const studyDb = join(start.studyDir, STUDY_DB);
      if (hasCallbacks) {
        const afterTrial = createStudyDbBackupCallback({ studyDb, ...backup });
        callback = (trial) => afterTrial(start.study, trial);
        follow(immediateBackupIfNeeded({ path: studyDb, ...backup }));
      }
      observer.started?.(start);
    },
    trialEnded: (trial, info) => {
      trialsRun++;
      if (callback !== undefined) follow(callback(trial));
      observer.trialEnded?.(trial, info);
    },
  };
  const disabled = hasCallbacks || options.backupEnabled === false;
  const config = disabled ? { ...sweep.config, backup: { ...sweep.config.backup, enabled: false } } : sweep.config;
  const result = await runSweep({
    configPath: sweep.loaded.path,
    sweep: { ...sweep, config },
    observer: watching,
    signal: run.options.signal,
  });
  await Promise.all(pending);
  const { studyDb } = result.summary;
  if (studyDb !== null) {
    if (hasCallbacks) {
      const saved = await backupHpoStudyToDrive({
        backboneDir: dirname(dirname(studyDb)),
        study8: sweep.study8,
        ...backup,
      });
      if (!saved.ok && saved.error !== undefined && backupEnabled !== false && backupToDrive !== undefined)
        run.warn(saved.error);
    }
    if (trialsRun === 0) run.kept(studyDb);
    else run.made(studyDb);
  }
  if (result.interrupted) throw new StageInterrupted();
  return result.summary;
}
