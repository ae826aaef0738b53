import { NopPruner } from '../../pruners/nop-pruner.js';
import { RandomSampler } from '../../samplers/random-sampler.js';
import { openStorage } from '../../storage/open-storage.js';
import { loadStudy } from '../../study/create-study.js';
import type { Study } from '../../study/study.js';

export type { Study } from '../../study/study.js';

/** A study that may be looked at; nothing of it is open. */
export interface CatalogEntry {
  /** Short, stable, safe in an address: made of where the study is. */
  readonly id: string;
  /** Path of the database, or a URL (which may hold a password: never shown). */
  readonly storage: string;
  /** Name in that storage; undefined where it could not be read. */
  readonly studyName: string | undefined;
  readonly studyDir: string | undefined;
  readonly study8: string | undefined;
  /** Where it is, for people: relative to the working directory, without a password. */
  readonly place: string;
  /** Why it cannot be read. */
  readonly error: string | undefined;
}

/** Opens an entry. The caller closes the study. @throws StorageError, UsageError */
export async function openEntry(entry: CatalogEntry, options: { readOnly: boolean }): Promise<Study> {
  const storage = await openStorage(entry.storage, options);
  try {
    const { studyName } = entry;
    return await loadStudy({ storage, studyName, sampler: new RandomSampler(), pruner: new NopPruner() });
  } catch (error) {
    await storage.close();
    throw error;
  }
}
