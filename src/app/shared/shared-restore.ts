import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuplicatedStudyError, ResweepError } from '../../core/errors.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { openStorage } from '../../storage/open-storage.js';
import type { Storage } from '../../storage/storage.js';
import { SharedLease, type SharedLeaseOptions } from './shared-lease.js';

/** How often a worker that waits for another's restore looks for the study. */
const LOOK_MS = 500;

/** What was brought back into a shared database. */
export interface RestoredShared {
  readonly trials: number;
  /** Numbers of the trials that ran when the backup was made. */
  readonly running: readonly number[];
  readonly idsKept: boolean;
}

/**
 * Brings a study that a server has lost back from its backup, once among many workers that begin at the same time: whoever has the
 * lease looks for a backup while the others wait until the study is there. Held until `close`, so that where there is no backup
 * only one looks for it at a time.
 */
export class SharedRestore {
  readonly #storage: Storage;
  readonly #studyName: string;
  readonly #lease: SharedLease;

  private constructor(storage: Storage, studyName: string, lease: SharedLeaseOptions) {
    this.#storage = storage;
    this.#studyName = studyName;
    this.#lease = new SharedLease(storage, `restore:${studyName}`, lease);
  }

  /** Undefined where the study is there: nothing is to be restored. @throws StorageError */
  static async begin(
    config: SweepConfig,
    signal: AbortSignal,
    lease: SharedLeaseOptions = {},
  ): Promise<SharedRestore | undefined> {
    const storage = await openStorage(config.storage.url);
    const restore = new SharedRestore(storage, config.study, lease);
    try {
      let isAsking = false;
      while ((await storage.findStudy(config.study)) === undefined) {
        if (!isAsking) await restore.#lease.start(() => undefined);
        isAsking = true;
        // It may have come between the look and the lease.
        if (restore.#lease.isHeld && (await storage.findStudy(config.study)) !== undefined) break;
        if (restore.#lease.isHeld) return restore;
        signal.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        await restore.#lease.ask();
      }
      await restore.close();
      return undefined;
    } catch (error) {
      await restore.close().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Adds the study in a database file, all or nothing, ids kept where they are free.
   * @throws ResweepError where the file holds no such study
   */
  async add(path: string): Promise<RestoredShared | undefined> {
    const file = await openStorage(path, { readOnly: true });
    try {
      const record = await file.findStudy(this.#studyName);
      if (record === undefined)
        throw new ResweepError('RESTORE_FAILED', `The backup holds no study "${this.#studyName}".`, { exitCode: 3 });
      const { study, trials } = await file.export(record.studyId);
      const added = await this.#storage.addStudy(study, trials);
      const first = (await this.#storage.sync(added.studyId)).trials[0]?.trialId;
      return {
        trials: trials.length,
        running: trials.filter(({ state }) => state === 'RUNNING').map(({ number }) => number),
        idsKept: added.studyId === study.studyId && first === trials[0]?.trialId,
      };
    } catch (error) {
      // Begun by somebody who does not ask for leases, in between.
      if (error instanceof DuplicatedStudyError) return undefined;
      throw error;
    } finally {
      await file.close();
    }
  }

  /** Lets the next one look. */
  async close(): Promise<void> {
    await this.#lease.close();
    await this.#storage.close();
  }
}

/** Does `work` with a folder of its own, which is removed then. */
export async function inOwnFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-restore-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
