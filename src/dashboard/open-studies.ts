import { statSync } from 'node:fs';

import { UsageError } from '../core/errors.js';
import type { SweepConfig } from '../core/sweep-config.js';
import { openEntry, type CatalogEntry, type Study } from '../app/studies/catalog-entry.js';

/** A study that the dashboard has open, read only. */
export interface OpenedStudy {
  readonly entry: CatalogEntry;
  readonly study: Study;
  readonly config: SweepConfig | undefined;
  /** Grows with every change that was seen. */
  readonly revision: number;
}

type ConfigReader = (study: Study, studyDir: string | undefined) => Promise<SweepConfig | undefined>;

interface Slot {
  readonly opening: Promise<{ study: Study; config: SweepConfig | undefined }>;
  /** Which file it was: a restored one has another. */
  readonly file: number | undefined;
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

/** Studies that stay open, read only, and are brought up to date whenever somebody asks for them. */
export class OpenStudies {
  readonly #configOf: ConfigReader | undefined;
  readonly #slots = new Map<string, Slot>();
  #revision = 0;

  /** `configOf` reads the configuration that a study holds. @default none is read */
  constructor(configOf?: ConfigReader) {
    this.#configOf = configOf;
  }

  /** The study as it is now. @throws UsageError, StorageError where it cannot be opened */
  async open(entry: CatalogEntry): Promise<OpenedStudy> {
    const { id } = entry;
    if (entry.error !== undefined) throw new UsageError(entry.error, { code: 'STUDY_BROKEN' });
    const file = fileOf(entry.storage);
    if (this.#slots.has(id) && this.#slots.get(id)?.file !== file) await this.close(id);
    const slot = this.#slots.get(id) ?? this.#makeSlot(entry, file);
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

  #makeSlot(entry: CatalogEntry, file: number | undefined): Slot {
    const opening = openEntry(entry, { readOnly: true }).then(async (study) => ({
      study,
      config: await this.#configOf?.(study, entry.studyDir),
    }));
    opening.catch(() => undefined);
    const usedAt = Date.now();
    const slot: Slot = { opening, file, syncing: undefined, syncedAt: 0, mark: '', revision: 0, usedAt };
    this.#slots.set(entry.id, slot);
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

  async close(id: string): Promise<void> {
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
    if (oldest !== undefined) void this.close(oldest[0]);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#slots.keys()].map((id) => this.close(id)));
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

/** Number of a database's file; undefined for a server. */
function fileOf(storage: string): number | undefined {
  return storage.includes('://') ? undefined : statSync(storage, { throwIfNoEntry: false })?.ino;
}
