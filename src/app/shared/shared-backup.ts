import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';

import { messageOf } from '../../core/errors.js';
import { lineageOf, StudyReplica } from '../../storage/rdb/study-replica.js';
import { STUDY_ATTRIBUTE } from '../../study/study-attributes.js';
import type { Study } from '../../study/study.js';
import { SharedLease, type SharedLeaseOptions } from './shared-lease.js';

/** Shortest time between two readings of the database for a backup. */
const READ_EVERY_MS = 2_000;

const LAST_WAIT_MS = 15_000;

export interface SharedBackupParts {
  /** This process writes backups from now on; the copy of the database is there. */
  readonly onHeld: () => void;
  /** Another does. */
  readonly onLost: () => Promise<void>;
  readonly onWarning: (message: string) => void;
  readonly lease?: SharedLeaseOptions | undefined;
}

/**
 * Backups of a study that many workers share: whoever has the lease keeps a copy of the study as a file, of which backups are made
 * as of any other study's; where its holder dies, another worker goes on.
 */
export class SharedBackup {
  readonly #study: Study;
  readonly #studyDb: string;
  readonly #parts: SharedBackupParts;
  readonly #lease: SharedLease;
  #replica: StudyReplica | undefined;
  #timer: NodeJS.Timeout | undefined;
  #changing: Promise<void> = Promise.resolve();
  #lastRead = 0;

  constructor(study: Study, studyDb: string, parts: SharedBackupParts) {
    this.#study = study;
    this.#studyDb = studyDb;
    this.#parts = parts;
    this.#lease = new SharedLease(study.storage, `backup:${study.studyId}`, parts.lease);
  }

  async start(): Promise<void> {
    await this.#lease.start((isHeld) => {
      this.#changing = this.#changing
        .then(() => (isHeld ? this.#begin() : this.#end()))
        .catch((error: unknown) => {
          this.#parts.onWarning(`No backups by this worker: ${messageOf(error)}`);
        });
    });
    await this.#changing;
  }

  async #begin(): Promise<void> {
    mkdirSync(dirname(this.#studyDb), { recursive: true });
    this.#setForeignAside();
    this.#replica = new StudyReplica(this.#study.storage, this.#study.studyId, this.#studyDb);
    await this.#read();
    this.#parts.onHeld();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#parts.onLost();
    await this.#replica?.close();
    this.#replica = undefined;
  }

  /** A study.db of another history (a study that was kept in a file before) is not overwritten. */
  #setForeignAside(): void {
    const path = this.#studyDb;
    if (!existsSync(path)) return;
    const lineage = this.#study.systemAttrs[STUDY_ATTRIBUTE.lineage];
    let found: string | undefined;
    try {
      found = lineageOf(path);
    } catch {
      // A file that cannot be read is no copy of this study.
    }
    if (found !== undefined && found === JSON.stringify(lineage)) return;
    const aside = `${path}.local-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
    renameSync(path, aside);
    this.#parts.onWarning(`${path} held another study than the shared one; it is kept as ${aside}.`);
  }

  /** Asks for the lease until this process has it, so long at most. Whether it has. */
  async hold(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      await this.#lease.ask();
      await this.#changing;
      if (this.#lease.isHeld) return true;
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** The study has changed: its copy will, soon; `then` is called after that. Returns at once. */
  changed(then: () => void): void {
    if (!this.#lease.isHeld || this.#timer !== undefined) return;
    const wait = Math.max(0, this.#lastRead + READ_EVERY_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#read()
        .then(then)
        .catch((error: unknown) => {
          this.#parts.onWarning(`The study could not be read for its backup: ${messageOf(error)}`);
        });
    }, wait);
    this.#timer.unref();
  }

  /**
   * Brings the copy up to date now, where this process keeps it. At the end of a study one that does not waits a little for the
   * holder, who is about to leave too: so the last trial of all is saved whoever told it.
   */
  async flush(then: () => void): Promise<void> {
    const deadline = performance.now() + LAST_WAIT_MS;
    for (;;) {
      await this.#lease.ask();
      await this.#changing;
      if (this.#lease.isHeld) break;
      if (this.#study.history.unfinished.length > 0 || performance.now() > deadline) return;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      await this.#read();
      then();
    } catch (error) {
      this.#parts.onWarning(`The study could not be read for its backup: ${messageOf(error)}`);
    }
  }

  async #read(): Promise<void> {
    await this.#replica?.update();
    this.#lastRead = performance.now();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#changing;
    await this.#lease.close();
    await this.#replica?.close();
    this.#replica = undefined;
  }
}

/** Writes a study of a server into a new file in Optuna's schema, ids kept. What was there is replaced. @throws StorageError */
export async function exportStudy(study: Study, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const replica = new StudyReplica(study.storage, study.studyId, path);
  await replica.update();
  await replica.close();
}
