import { existsSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import { UsageError } from '../core/errors.js';
import type { SweepConfig } from '../core/sweep-config.js';
import { heldConfig } from '../app/backup-view.js';
import { findStudies, openEntry, type CatalogEntry, type CatalogMemory, type Study } from '../app/study-catalog.js';

/** A study that the dashboard has open, read only. */
export interface OpenedStudy {
  readonly entry: CatalogEntry;
  readonly study: Study;
  readonly config: SweepConfig | undefined;
  /** Grows with every change that was seen. */
  readonly revision: number;
}

interface Slot {
  opening: Promise<{ study: Study; config: SweepConfig | undefined }>;
  syncing: Promise<void> | undefined;
  syncedAt: number;
  mark: string;
  revision: number;
  usedAt: number;
}

/** As many studies stay open at once. */
const MOST_OPEN = 40;
/** Within this time nobody looks for news again. */
const FRESH_MS = 400;
const CATALOG_MS = 3_000;

/** The studies that a dashboard shows: found again now and then, opened when looked at, brought up to date on the way. */
export class Studies {
  readonly #places: readonly string[];
  readonly #slots = new Map<string, Slot>();
  #catalog: Promise<readonly CatalogEntry[]> | undefined;
  #catalogAt = 0;
  readonly #memory: CatalogMemory = new Map();
  #revision = 0;

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
    const entry = await this.entry(id);
    if (entry.error !== undefined) throw new UsageError(entry.error, { code: 'STUDY_BROKEN' });
    const slot = this.#slots.get(id) ?? this.#makeSlot(id, entry);
    slot.usedAt = Date.now();
    let opened;
    try {
      opened = await slot.opening;
      await this.#sync(slot, opened.study);
    } catch (error) {
      this.#slots.delete(id);
      throw error;
    }
    return { entry, ...opened, revision: slot.revision };
  }

  #makeSlot(id: string, entry: CatalogEntry): Slot {
    const opening = openEntry(entry, { readOnly: true }).then(async (study) => ({
      study,
      config: await heldConfig(study, entry.studyDir),
    }));
    opening.catch(() => undefined);
    const slot: Slot = { opening, syncing: undefined, syncedAt: 0, mark: '', revision: 0, usedAt: Date.now() };
    this.#slots.set(id, slot);
    this.#closeOldest();
    return slot;
  }

  async #sync(slot: Slot, study: Study): Promise<void> {
    if (slot.syncing === undefined && Date.now() - slot.syncedAt < FRESH_MS) return;
    slot.syncing ??= (async () => {
      try {
        await study.sync();
        await study.refreshAttributes();
        const mark = markOf(study);
        if (mark !== slot.mark) slot.revision = ++this.#revision;
        slot.mark = mark;
        slot.syncedAt = Date.now();
      } finally {
        slot.syncing = undefined;
      }
    })();
    await slot.syncing;
  }

  /**
   * Changes a study. The reader is closed first: while it is open, the file is not opened a second time in this process, which would
   * drop its locks (POSIX).
   */
  async change<T>(id: string, work: (study: Study, entry: CatalogEntry) => Promise<T>): Promise<T> {
    const entry = await this.entry(id);
    await this.#close(id);
    const study = await openEntry(entry, { readOnly: false });
    try {
      await study.sync();
      return await work(study, entry);
    } finally {
      await study.close();
      await study.storage.close();
    }
  }

  async #close(id: string): Promise<void> {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    try {
      const { study } = await slot.opening;
      await slot.syncing;
      await study.storage.close();
    } catch {
      // It could not be opened, or is closed already.
    }
  }

  #closeOldest(): void {
    if (this.#slots.size <= MOST_OPEN) return;
    const [oldest] = [...this.#slots].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest !== undefined) void this.#close(oldest[0]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#slots.keys()].map((id) => this.#close(id)));
  }
}

/** Changes with everything that is shown: trials, reports of running ones, attributes of the study. */
function markOf(study: Study): string {
  const { all, finished, unfinished } = study.history;
  const reports = unfinished.map(
    (trial) => `${trial.number}${trial.state}${Object.keys(trial.intermediateValues).length}`,
  );
  const attributes = Object.keys(study.systemAttrs).filter((key) => /note_ver$|^resweep:(config|stop)/.test(key));
  const edits = attributes.map((key) =>
    JSON.stringify(study.systemAttrs[key], (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v)),
  );
  return `${all.length}/${finished.length}/${reports.join()}/${edits.join()}`;
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
