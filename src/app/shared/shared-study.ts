import { join } from 'node:path';

import { ResweepError } from '../../core/errors.js';
import { STUDY_DB } from '../../core/study-paths.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { BackupCoordinator, type Drive, type FlushReport } from '../../backup/index.js';
import { NopPruner } from '../../pruners/nop-pruner.js';
import { RandomSampler } from '../../samplers/random-sampler.js';
import { openStorage } from '../../storage/open-storage.js';
import { loadStudy } from '../../study/create-study.js';
import type { Study } from '../../study/study.js';
import type { LocatedSweep } from '../studies/locate-sweep.js';
import { exportStudy, SharedBackup } from './shared-backup.js';

/** Longer than a holder of the lease that died is waited for. */
const LEASE_WAIT_MS = 26_000;

/** Does `work` with the study in its shared database. @throws StorageError @throws StudyNotFoundError */
async function withShared<T>(config: SweepConfig, readOnly: boolean, work: (study: Study) => Promise<T>): Promise<T> {
  const storage = await openStorage(config.storage.url, { readOnly });
  try {
    const parts = { storage, studyName: config.study, sampler: new RandomSampler(), pruner: new NopPruner() };
    return await work(await loadStudy(parts));
  } finally {
    await storage.close();
  }
}

/** The shared study as it is now, as a file. */
export async function exportShared(config: SweepConfig, path: string): Promise<void> {
  await withShared(config, true, (study) => exportStudy(study, path));
}

/**
 * Backs a shared study up as it is now, under the lease of whoever writes its backups.
 * @throws ResweepError while a worker has it: that worker backs up after every trial
 */
export async function backupSharedNow(drive: Drive, sweep: LocatedSweep): Promise<FlushReport> {
  const { config, studyDir } = sweep;
  return withShared(config, false, async (study) => {
    let problem: string | undefined;
    const shared = new SharedBackup(study, join(studyDir, STUDY_DB), {
      onHeld: () => undefined,
      onLost: () => Promise.resolve(),
      onWarning: (message) => {
        problem = message;
      },
    });
    try {
      await shared.start();
      if (!(await shared.hold(LEASE_WAIT_MS))) {
        throw new ResweepError(
          'BACKUP_BUSY',
          'A worker writes the backups of this study now, after each of its trials.',
          {
            hint: 'resweep backup list shows them.',
          },
        );
      }
      if (problem !== undefined) throw new ResweepError('BACKUP_FAILED', problem);
      const coordinator = new BackupCoordinator({ drive, studyDb: join(studyDir, STUDY_DB), studyFolder: studyDir });
      try {
        return await coordinator.flush();
      } finally {
        await coordinator.close();
      }
    } finally {
      await shared.close();
    }
  });
}
