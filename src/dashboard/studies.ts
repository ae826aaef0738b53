import { existsSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import { UsageError } from '../core/errors.js';
import {
  findStudies,
  openEntry,
  type CatalogEntry,
  type CatalogMemory,
  type Study,
} from '../app/studies/study-catalog.js';
import { heldConfig } from '../app/backup/backup-view.js';
import { OpenStudies, type OpenedStudy } from './open-studies.js';

const CATALOG_MS = 3_000;

/** The studies that a dashboard shows: found again now and then, opened when looked at, brought up to date on the way. */
export class Studies {
  readonly #places: readonly string[];
  readonly #open = new OpenStudies(heldConfig);
  #catalog: Promise<readonly CatalogEntry[]> | undefined;
  #catalogAt = 0;
  readonly #memory: CatalogMemory = new Map();

  constructor(places: readonly string[]) {
    this.#places = places;
  }

  /** @throws UsageError for a place that is not there */
  async list(): Promise<readonly CatalogEntry[]> {
    if (this.#catalog === undefined || Date.now() - this.#catalogAt > CATALOG_MS) {
      this.#catalogAt = Date.now();
      this.#catalog = findStudies(this.#places, this.#memory);
    }
    return await this.#catalog;
  }

  /** @throws UsageError for an id that no study has */
  async entry(id: string): Promise<CatalogEntry> {
    const found = (await this.list()).find((entry) => entry.id === id);
    if (found === undefined) throw new UsageError('There is no such study here any more.', { code: 'STUDY_NOT_FOUND' });
    return found;
  }

  /** The study as it is now. @throws UsageError, StorageError where it cannot be opened */
  async open(id: string): Promise<OpenedStudy> {
    return await this.#open.open(await this.entry(id));
  }

  /**
   * Changes a study. The reader is closed first: while it is open, the file is not opened a second time in this process, which would
   * drop its locks (POSIX).
   */
  async change<T>(id: string, work: (study: Study, entry: CatalogEntry) => Promise<T>): Promise<T> {
    const entry = await this.entry(id);
    await this.#open.close(id);
    const study = await openEntry(entry, { readOnly: false });
    try {
      await study.sync();
      return await work(study, entry);
    } finally {
      await study.close();
      await study.storage.close();
    }
  }

  async close(): Promise<void> {
    await this.#open.closeAll();
  }
}

/** Labels of a study's folder, and when its database changed last. */
export function placeLabels(entry: CatalogEntry): {
  environment: string | null;
  backbone: string | null;
  changedAt: string | null;
} {
  const { studyDir, storage } = entry;
  const labelled = studyDir !== undefined && entry.study8 !== undefined;
  const times = storage.includes('://')
    ? []
    : [storage, `${storage}-wal`].filter(existsSync).map((path) => statSync(path).mtimeMs);
  return {
    backbone: labelled ? basename(dirname(studyDir)) : null,
    environment: labelled ? basename(dirname(dirname(studyDir))) : null,
    changedAt: times.length === 0 ? null : new Date(Math.max(...times)).toISOString(),
  };
}
