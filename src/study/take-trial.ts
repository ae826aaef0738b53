import type { FrozenTrial } from '../core/frozen-trial.js';
import type { Pruner } from '../pruners/pruner.js';
import type { Sampler } from '../samplers/sampler.js';
import type { Storage, SyncCursor } from '../storage/storage.js';
import type { StudyHistory } from './study-history.js';

/** What taking a trial needs of its study. */
interface TakingStudy {
  readonly storage: Storage;
  readonly studyId: number;
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  sync(): Promise<void>;
}

interface TakeOptions {
  readonly at: string;
  readonly owner: string | undefined;
  /** Trials that the study shall have at most. */
  readonly total: number | undefined;
  /** How far the history is known. */
  readonly place: () => SyncCursor | undefined;
}

/** Whether a new trial depends on the others; else they are read only when somebody asks for them. */
export function readsHistory({ storage, sampler, pruner }: TakingStudy): boolean {
  return sampler.readsHistory !== false || pruner.viewFor !== undefined || !storage.persistent;
}

/** The next trial: a waiting one, else a new one; undefined where the study has its total. Reads the history where it matters. */
export async function takeTrial(
  study: TakingStudy,
  history: StudyHistory,
  { at, owner, total, place }: TakeOptions,
): Promise<FrozenTrial | undefined> {
  const { storage, studyId } = study;
  const create = async (ifQuiet: boolean): Promise<FrozenTrial | undefined> => {
    const options = { owner, cursor: place(), limit: total, ifQuiet };
    return (await storage.createTrials(studyId, [{ state: 'RUNNING', startedAt: at }], options))[0];
  };
  if (place() !== undefined && !readsHistory(study)) {
    const fresh = await create(true);
    if (fresh !== undefined) return fresh;
  }
  await study.sync();
  const known = history.all.length;
  const isWaited = history.unfinished.some((trial) => trial.state === 'WAITING');
  const claimed = isWaited ? await storage.claimWaitingTrial(studyId, at, { owner, cursor: place() }) : undefined;
  const taken = claimed ?? (await create(false));
  // Others were faster by a trial: a retry among them counts for the place of the new one.
  if (taken !== undefined && taken.number > known) await study.sync();
  return taken;
}
