import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import type { BackupEvent } from '../../src/backup/backup-event.js';
import type { Destination } from '../../src/backup/destinations/destination.js';
import { FolderDestination } from '../../src/backup/destinations/folder/folder-destination.js';
import { createDrive, type Drive } from '../../src/backup/drive/drive.js';
import type { DriveOptions } from '../../src/backup/drive/drive-core.js';
import type { SnapshotSource } from '../../src/core/snapshot-source.js';
import type { TrialTemplate } from '../../src/core/frozen-trial.js';
import { FloatDistribution } from '../../src/core/distributions.js';
import { openStorage } from '../../src/storage/open-storage.js';
import { inspectStudyFile, takeSnapshot } from '../../src/storage/rdb/sqlite-file-copy.js';

/** The real copying and checking, without the thread around it, so that tests need no build. */
export const snapshotSource: SnapshotSource = {
  isDatabase: (path) => {
    try {
      return Promise.resolve(readFileSync(path).subarray(0, 16).toString('latin1') === 'SQLite format 3\0');
    } catch {
      return Promise.resolve(false);
    }
  },
  snapshot: takeSnapshot,
  inspect: (path) => Promise.resolve(inspectStudyFile(path)),
};

/** A folder that plays a machine: a project, its outputs, and places for destinations. */
export class TestProject {
  readonly base = mkdtempSync(join(tmpdir(), 'resweep-backup-'));
  readonly root = join(this.base, 'machine');
  readonly events: BackupEvent[] = [];
  readonly #drives: Drive[] = [];

  constructor() {
    mkdirSync(this.root, { recursive: true });
    writeFileSync(join(this.root, 'package.json'), '{}');
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** `study.db` of a study in v2 shape. */
  studyDb(environment = 'local', study8 = 'abcd1234', backbone = 'mlp'): string {
    return this.path('outputs', 'hpo', environment, backbone, `study-${study8}`, 'study.db');
  }

  place(name: string): string {
    return join(this.base, name);
  }

  folder(name = 'store', options: Partial<ConstructorParameters<typeof FolderDestination>[0]> = {}): FolderDestination {
    return new FolderDestination({ name, path: this.place(name), projectRoot: this.root, ...options });
  }

  drive(destinations: readonly Destination[] = [this.folder()], options: Partial<DriveOptions> = {}): Drive {
    const drive = createDrive({
      projectRoot: this.root,
      destinations,
      snapshotSource,
      log: { info: () => undefined, warn: () => undefined },
      onEvent: (event) => this.events.push(event),
      retry: { retries: 1, minDelayMs: 1, timeoutMs: 5_000 },
      ...options,
    });
    this.#drives.push(drive);
    return drive;
  }

  write(path: string, content: string | Uint8Array): string {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** The machine is lost: everything local goes. */
  loseOutputs(): void {
    rmSync(this.path('outputs'), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await Promise.all(this.#drives.map((drive) => drive.close()));
    rmSync(this.base, { recursive: true, force: true });
  }
}

export interface StudySpec {
  readonly name?: string;
  readonly lineage?: string;
  readonly finished?: number;
}

/** A real study file with finished trials. */
export async function makeStudy(
  path: string,
  { name = 'digits', lineage = 'line-1', finished = 0 }: StudySpec = {},
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const storage = await openStorage(path);
  await storage.createStudy(name, ['maximize'], { system: { 'resweep:lineage': JSON.stringify(lineage) } });
  await storage.close();
  await addTrials(path, finished, { name });
}

/** Adds finished trials; `offset` makes their values others than those of a fork. */
export async function addTrials(
  path: string,
  count: number,
  options: { name?: string; offset?: number } = {},
): Promise<void> {
  if (count === 0) return;
  const study = await openStudy(path, options);
  await study.add(count);
  await study.close();
}

/** A study that stays open, as during a sweep. */
export interface OpenStudy {
  readonly add: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openStudy(path: string, { name = 'digits', offset = 0 } = {}): Promise<OpenStudy> {
  const storage = await openStorage(path);
  const study = await storage.findStudy(name);
  if (study === undefined) throw new Error(`no study ${name} in ${path}`);
  const distribution = new FloatDistribution(0, 1);
  let number = (await storage.sync(study.studyId)).trials.length;
  return {
    add: async (count) => {
      const templates = Array.from({ length: count }, (): TrialTemplate => {
        const x = (number++ * 0.37 + offset) % 1;
        return {
          state: 'COMPLETE',
          values: [x],
          startedAt: '2026-03-01 10:00:00.000000',
          completedAt: '2026-03-01 10:00:01.000000',
          internalParams: { x },
          distributions: { x: distribution },
        };
      });
      await storage.createTrials(study.studyId, templates);
    },
    close: () => storage.close(),
  };
}

/** Finished trials in a file; fails where it is not intact. */
export function finishedTrials(path: string): number {
  const report = inspectStudyFile(path);
  if (!report.intact) throw new Error(`${path}: ${report.problem ?? ''}`);
  return report.finished;
}

/** Files below a folder, as paths relative to it. */
export function filesBelow(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) found.push(relative(folder, join(entry.parentPath, entry.name)).split('\\').join('/'));
  }
  return found.sort();
}

export function flipByte(path: string, at?: number): void {
  const bytes = readFileSync(path);
  const index = at ?? Math.floor(bytes.length / 2);
  bytes[index] = (bytes[index] ?? 0) ^ 0x10;
  writeFileSync(path, bytes);
}

/** Manifests of the only (or matching) target, newest first. */
export function manifestsOf(store: string, match = ''): string[] {
  return filesBelow(store)
    .filter((file) => file.startsWith('.resweep/targets/') && file.includes(match) && /\.\d{13}\./.test(file))
    .sort((a, b) => generationOf(b) - generationOf(a))
    .map((file) => join(store, file));
}

function generationOf(file: string): number {
  return Number(/\.(\d{10})\.\d{9}\./.exec(file)?.[1]);
}

/** Packs, most recently written first. */
export function packsOf(store: string): string[] {
  return filesBelow(join(store, '.resweep', 'packs'))
    .map((file) => join(store, '.resweep', 'packs', file))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
}

export function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
}
