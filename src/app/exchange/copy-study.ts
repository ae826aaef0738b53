import { DuplicatedStudyError, UsageError } from '../../core/errors.js';
import { openStorage } from '../../storage/open-storage.js';
import type { StudyRecord } from '../../storage/storage.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { openTarget } from '../studies/open-target.js';
import { writableStorage } from '../studies/storage-target.js';

/** What was put where. */
export interface CopyReport {
  readonly study: string;
  readonly from: string;
  readonly to: string;
  readonly name: string;
  readonly trials: number;
  /** Ids of studies and trials are the same there; else those of the trials moved up together. */
  readonly idsKept: boolean;
}

/**
 * Copies a study from any storage into any other, as it is at one moment.
 * @throws UsageError where the study is there already, or a storage cannot be what is asked of it
 */
export async function copyTarget(options: {
  readonly from: string;
  readonly to: string;
  readonly studyName?: string | undefined;
  readonly newName?: string | undefined;
}): Promise<CopyReport> {
  const to = writableStorage(options.to);
  const opened = await openTarget(options.from, { studyName: options.studyName });
  try {
    const { storage, studyId, studyName } = opened.study;
    const { study, trials } = await storage.export(studyId);
    const added = await addTo(to, { ...study, studyName: options.newName ?? studyName }, trials);
    return {
      study: studyName,
      from: storage.location,
      name: options.newName ?? studyName,
      trials: trials.length,
      ...added,
    };
  } finally {
    await opened.close();
  }
}

/** Adds a study to a storage. @throws UsageError where it holds one of that name */
export async function addTo(
  to: string,
  study: StudyRecord,
  trials: readonly FrozenTrial[],
): Promise<{ to: string; idsKept: boolean }> {
  const storage = await openStorage(to);
  try {
    const added = await storage.addStudy(study, trials);
    const first = (await storage.sync(added.studyId)).trials[0]?.trialId;
    return {
      to: storage.location,
      idsKept: added.studyId === study.studyId && first === trials[0]?.trialId,
    };
  } catch (error) {
    if (!(error instanceof DuplicatedStudyError)) throw error;
    throw new UsageError(`${storage.location} holds a study named "${study.studyName}" already; nothing was changed.`, {
      cause: error,
      code: 'DUPLICATED_STUDY',
      hint: `Give the copy another name: --name ${study.studyName}-copy`,
    });
  } finally {
    await storage.close();
  }
}
